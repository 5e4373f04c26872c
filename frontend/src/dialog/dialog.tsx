// The booking dialog: who, when, and what it costs. It holds a slot and leads to the payment; the page owns the history.

import { Component, type ComponentChild, type ComponentChildren, type VNode } from "preact";
import { Address } from "../core/address";
import { type Artist, type Flash, type Held, Problem, type Slot, getBooking, leaveFor } from "../core/api";
import { civilDate, clock, deadline, hours, longDay, money, shortDay, span } from "../core/format";
import { type OwnHold, keepHold } from "../core/hold";
import { foreign, language } from "../core/language";
import { recall, remember } from "../core/memory";
import { srcset } from "../core/picture";
import { daysFrom, forgetWeeks, keepDays, today } from "../core/weeks";
import { type Answers, type Field, type Mistakes, euros, fields, forgetKey, keyFor, mistakes, requestOf } from "./answers";
import { createBooking } from "./create";
import { sentence } from "./problems";
import { isSame } from "./clocks";
import type { Read, Reader } from "./reading";
import { CalComSlotPicker } from "./slot-picker";
import type { Step } from "./step";
import { t } from "./words";

interface Props {
  artist: Artist;
  /** The flash to book; null for a project. */
  flash: Flash | null;
  step: Step;
  /** What this browser holds unpaid for this very subject, if anything. */
  own: OwnHold | null;
  goTo: (step: Step) => void;
  backTo: (step: Step) => void;
  close: () => void;
  /** What is on offer has changed. */
  changed: () => void;
}

interface State {
  answers: Answers;
  /** What is wrong; shown from the first try on. */
  wrong: Mistakes;
  slot: Slot | null;
  /** The moment that was wanted and is taken. */
  near: string | null;
  /** What to say, and on which step. */
  alert: { text: string; step: Step } | null;
  /** This client's own booking that stands in the way: the same flash at another time. */
  rival: Held | null;
  /** The street, once the hold has told it. */
  street: string | null;
  sending: boolean;
  /** What is said while the browser does what the server asked for. */
  checking: string | null;
  online: boolean;
}

export class BookingDialog extends Component<Props, State> {
  override state: State = {
    answers: recall<Answers>("answers") ?? {},
    wrong: {},
    slot: recall<Slot>(this.slotKey()),
    near: null,
    alert: null,
    rival: null,
    street: null,
    sending: false,
    checking: null,
    online: navigator.onLine,
  };
  private element: HTMLDialogElement | null = null;
  private focusMistake = false;
  private Rival: typeof import("./rival/rival").Rival | null = null;
  private gone = false;
  /** Says how the server understands what is typed; there once somebody types. */
  private reader: Reader | null = null;
  private checking = false;

  override componentDidMount(): void {
    for (const change of ["online", "offline"]) addEventListener(change, this.connection);
    addEventListener("pageshow", this.awake);
    this.element?.showModal();
    const open = this.openStep();
    if (open < this.props.step) this.props.backTo(open);
    this.lookAtStep();
    // Asked for now, so that they are there when the form is filled in.
    const { artist, flash } = this.props;
    daysFrom(artist, flash, today(artist)).catch(() => null);
  }

  override componentDidUpdate(before: Props, { alert }: State): void {
    const { step } = this.props;
    const open = this.openStep();
    if (open < step) return this.props.backTo(open);
    if (before.step !== step) this.lookAtStep();
    else if (this.focusMistake) this.focusFirst("[aria-invalid=true]");
    else if (this.state.alert && alert !== this.state.alert) this.scrollUp();
    this.focusMistake = false;
  }

  override componentWillUnmount(): void {
    for (const change of ["online", "offline"]) removeEventListener(change, this.connection);
    removeEventListener("pageshow", this.awake);
    this.gone = true;
    // Closed before it goes, so that the focus returns to the button that opened it.
    this.element?.close();
  }

  override render({ artist, flash, step, own }: Props, { alert, rival, online }: State): ComponentChild {
    const subject = flash?.image ?? artist.hero_image ?? "/icon.svg";
    const { Rival } = this;
    const titles = { 1: flash ? t.detailsTitle : t.ideaTitle, 2: t.slotTitle, 3: t.summaryTitle };
    return (
      <dialog
        class="booking"
        aria-labelledby="step-title"
        ref={(element) => { this.element = element; }}
        onCancel={this.escape}
        onClose={() => !this.gone && this.props.close()}
        onClick={(event) => event.target === this.element && this.props.close()}
      >
        <div class="sheet-of-paper">
          <div class="subject" aria-hidden="true">
            <img src={subject} srcset={srcset(subject)} sizes="40vw" alt="" width={800} height={800} />
            <p>
              <span lang={flash ? foreign(artist.locale) : undefined}>{flash?.title ?? t.project}</span>
              <span>{flash ? money(flash.price_cents) : artist.display_name}</span>
            </p>
          </div>
          <div class="work">
            <header>
              {flash && <img class="thumb" src={small(flash.image)} alt="" width={60} height={60} />}
              <p class="step">
                <span lang={flash ? foreign(artist.locale) : undefined}>{flash?.title ?? t.project}</span> · {t.stepOf(step)}
              </p>
              <h2 id="step-title" tabIndex={-1}>
                {titles[step]}
              </h2>
              <button type="button" class="close" aria-label={t.close} onClick={this.props.close}>
                ×
              </button>
              <div class={`progress at-${step}`} aria-hidden="true" />
            </header>
            <div class="alerts" role="alert">
              {!online && <p class="alert">{t.offline}</p>}
              {alert?.step === step && <p class="alert">{alert.text}</p>}
              {rival && Rival && step === 3 && <Rival artist={artist} rival={rival} take={this.pay} refused={this.refused} />}
            </div>
            {flash?.state === "held" && !own && step === 1 && <p class="note">{t.heldNote}</p>}
            {step === 1 ? this.details() : step === 2 ? this.slots() : this.summary()}
          </div>
        </div>
      </dialog>
    );
  }

  // Step 1: who comes, and for what.

  private details(): VNode {
    return (
      <form class="details" noValidate onSubmit={this.checkDetails} key="details">
        <div class="fields">{fields(this.props.flash).map((field) => this.field(field))}</div>
        <footer>
          <button type="submit" class="button">
            {t.next}
          </button>
        </footer>
      </form>
    );
  }

  private field({ name, label, help, lines, type, autocomplete, inputmode, optional, most, heading }: Field): VNode {
    const error = this.state.wrong[name];
    const isRead = name === "phone" || name === "email";
    const described = [help && `${name}-help`, isRead && `${name}-said`, error && `${name}-error`].filter(Boolean).join(" ");
    const shared = {
      id: name,
      name,
      value: this.state.answers[name] ?? "",
      maxLength: most,
      required: !optional,
      ...(!lines && { enterKeyHint: "next" as const }),
      "aria-invalid": Boolean(error),
      ...(described && { "aria-describedby": described }),
      onInput: (event: { currentTarget: { value: string } }) => this.answer(name, event.currentTarget.value),
    };
    return (
      <div class={`field ${name}`} key={name}>
        {heading && <h3>{heading}</h3>}
        <label for={name}>{label}</label>
        {help && (
          <p class="help" id={`${name}-help`}>
            {help}
          </p>
        )}
        {lines ? (
          <textarea rows={lines} {...shared} />
        ) : (
          // The JSX types know each kind of input on its own, not the choice between them.
          <input type={(type ?? "text") as "text"} {...(autocomplete && { autocomplete })} {...(inputmode && { inputMode: inputmode })} {...shared} />
        )}
        {isRead && (
          <p class="said" role="status" id={`${name}-said`}>
            {this.reader?.said(name)}
          </p>
        )}
        {error && (
          <p class="error" id={`${name}-error`}>
            {error}
          </p>
        )}
      </div>
    );
  }

  private answer(name: Field["name"], value: string): void {
    const answers = { ...this.state.answers, [name]: value };
    remember("answers", answers);
    const wrong = { ...this.state.wrong };
    if (wrong[name]) {
      // After the first try, a field says at once when it is right.
      const still = mistakes(answers, this.props.flash)[name];
      if (still) wrong[name] = still;
      else delete wrong[name];
    }
    if (name === "phone" || name === "email") void this.reading().then((reader) => reader?.typed(name));
    const mended = this.state.alert?.text === t.invalid && Object.keys(wrong).length === 0;
    this.setState({ answers, wrong, ...(mended && { alert: null }) });
  }

  private async reading(): Promise<Reader | null> {
    try {
      const { Reader } = await import("./reading");
      const take = (name: Read, text: string): void => this.answer(name, text);
      this.reader ??= new Reader(this.props.artist, () => this.state.answers, take, () => !this.gone && this.forceUpdate());
    } catch {
      // Without it the booking itself says what is wrong.
    }
    return this.reader;
  }

  private readonly checkDetails = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (this.checking) return;
    this.checking = true;
    const { answers } = this.state;
    // A network that takes its time stops nobody.
    const patience = new Promise<undefined>((resolve) => setTimeout(resolve, 1500));
    const refused = await Promise.race([this.reading().then((reader) => reader?.refusals()), patience]);
    this.checking = false;
    if (this.gone || answers !== this.state.answers) return;
    const wrong = { ...mistakes(answers, this.props.flash), ...refused };
    if (Object.keys(wrong).length === 0) return this.advance(2);
    this.focusMistake = true;
    this.setState({ wrong, alert: { text: t.invalid, step: 1 } });
  };

  // Step 2: when.

  private slots(): VNode {
    const { artist, flash, own } = this.props;
    const { slot, near } = this.state;
    return (
      <form class="slots" noValidate onSubmit={this.checkSlot} key="slots">
        <CalComSlotPicker key={near} artist={artist} flash={flash} slot={slot} own={own} near={near} choose={this.chooseSlot} />
        <footer>
          <button type="button" class="link" onClick={() => this.props.backTo(1)}>
            {t.back}
          </button>
          <p class="chosen" aria-hidden="true">
            {slot && t.chosen(longDay(civilDate(slot.start)), clock(slot.start, slot.start_turn))}
          </p>
          <button type="submit" class="button">
            {t.next}
          </button>
        </footer>
      </form>
    );
  }

  private readonly chooseSlot = (slot: Slot | null): void => {
    remember(this.slotKey(), slot);
    this.setState({ slot, alert: slot ? null : { text: t.slotTaken, step: 2 } });
  };

  private readonly checkSlot = (event: Event): void => {
    event.preventDefault();
    if (this.state.slot) this.advance(3);
    else this.setState({ alert: { text: t.chooseSlot, step: 2 } });
  };

  // Step 3: what it costs, and the payment.

  private summary(): VNode | null {
    const { artist, flash, own } = this.props;
    const { slot, answers, sending, checking, street } = this.state;
    if (!slot) return null;
    const deposit = flash?.deposit_cents ?? artist.project.deposit_cents;
    const arrhes = artist.deposit_nature === "arrhes";
    const minutes = (Date.parse(slot.end) - Date.parse(slot.start)) / 60_000;
    const mine = own && isSame(own.start, slot.start) ? own.until : null;
    const place = artist.address ?? street ?? `${artist.city}\n${artist.address_shown === "with_summary" ? t.placeAtHold : t.placeLater}`;
    const payNow = (arrhes ? t.payArrhes : t.pay)(money(deposit));
    return (
      <form class="summary" onSubmit={this.pay} key="summary">
        <div class="appointment">
          <p class="when">
            <span>{longDay(civilDate(slot.start))}</span>
            <span>{t.fromTo(...hours(slot), span(minutes))}</span>
          </p>
          <button type="button" class="link" aria-label={t.changeSlot} onClick={() => this.props.backTo(2)}>
            {t.change}
          </button>
        </div>
        <dl>
          <Row name={t.with} value={artist.display_name} />
          <Row name={t.place} value={place} />
          {!flash && <Row name={t.ideaTitle} value={answers.description} as="told" />}
          {!flash && <Row name={t.bodyZone} value={answers.body_zone} />}
          {!flash && answers.budget?.trim() && <Row name={t.yourBudget} value={money(Math.round(euros(answers.budget) * 100))} />}
          <Row name={t.details} value={[answers.name, "\n", <Address key="email" of={answers.email ?? ""} />, "\n", this.reader?.phone ?? answers.phone]} />
          <Row name={t.price} value={flash ? money(flash.price_cents) : t.priceLater} />
          {flash && <Row name={t.rest} value={money(flash.price_cents - deposit)} />}
          <Row name={arrhes ? t.arrhesNow : t.depositNow} value={money(deposit)} as="strong" />
        </dl>
        <div class="terms">
          <p>
            {refund(artist, slot)} {language === "fr" ? artist.policy.way_fr : artist.policy.way_en}
          </p>
          <p>{mine ? t.heldUntil(deadline(mine, artist)) : t.holdNote(artist.hold_minutes)}</p>
          <p>{t.secure}</p>
          <p role="status">{sending && checking}</p>
        </div>
        <footer>
          <button type="button" class="link" onClick={() => this.props.backTo(2)}>
            {t.back}
          </button>
          <button type="submit" class="button" aria-disabled={sending}>
            {this.holdsFirst() ? (sending ? t.holding : t.hold) : sending ? t.opening : payNow}
          </button>
        </footer>
      </form>
    );
  }

  private readonly pay = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    const { artist, flash, changed } = this.props;
    const { slot, answers, sending } = this.state;
    if (sending || !slot) return;
    this.setState({ sending: true, checking: null, alert: null, rival: null });
    const readFirst = this.holdsFirst();
    const body = requestOf(artist, flash, answers, slot);
    try {
      let made = await this.create(body);
      if (!made.checkout_url && made.status !== "confirmed") {
        // The key still stands for a booking of before that has lapsed since: this is a new wish.
        forgetKey();
        made = await this.create(body);
      }
      this.keep(made);
      if (readFirst && made.checkout_url) {
        const { artist: told } = await getBooking(made.booking_id);
        changed();
        return this.setState({ street: told.address ?? told.city, sending: false, alert: { text: t.addressTold, step: 3 } });
      }
      leaveFor(made.checkout_url ?? `/booking/success?id=${encodeURIComponent(made.booking_id)}`);
      // The button stays as it is until the page has gone, or comes back through `awake`.
    } catch (problem) {
      this.setState({ sending: false });
      this.refused(problem instanceof Problem ? problem : new Problem("internal"));
    }
  };

  /** Sends the wish, and proves what is asked for: again if the answer came too late, or others were faster meanwhile. */
  private async create(body: string): Promise<Held> {
    let proof: string | undefined;
    for (let tries = 0; ; tries++) {
      try {
        return await createBooking(body, keyFor(body), proof);
      } catch (problem) {
        if (!(problem instanceof Problem && problem.puzzle) || tries === 3) throw problem;
        const { said, solve } = await import("./proof");
        this.setState({ checking: said(problem.puzzle) });
        proof = await solve(problem.puzzle);
      }
    }
  }

  /** The street is told with the hold, to be read before paying: then the first press holds, and the second pays. */
  private holdsFirst(): boolean {
    return this.props.artist.address_shown === "with_summary" && this.state.street === null;
  }

  private readonly refused = (problem: Problem): void => {
    const { flash, artist, changed, backTo } = this.props;
    const say = (text: string, step: Step): void => this.setState({ alert: { text, step } });
    const words = sentence(problem);
    switch (problem.slug) {
      case "slot-taken":
      case "too-far-ahead":
        forgetKey();
        forgetWeeks();
        if (problem.slots) keepDays(artist, flash, problem.slots);
        remember(this.slotKey(), null);
        say(words, 2);
        this.setState({ near: this.state.slot?.start ?? null, slot: null });
        return backTo(2);
      case "invalid": {
        const wrong: Mistakes = {};
        const rest: string[] = [];
        for (const { pointer, detail } of problem.errors) {
          const field = fields(flash).find((each) => each.pointer === pointer);
          if (field) wrong[field.name] = detail;
          else rest.push(detail);
        }
        this.focusMistake = Object.keys(wrong).length > 0;
        const step = this.focusMistake ? 1 : 2;
        say([words, ...rest].join(" "), step);
        this.setState({ wrong });
        return backTo(step);
      }
      case "flash-yours":
        if (!problem.own) break;
        return void this.meet(problem.own).catch(() => say(words, 3));
      case "flash-taken":
        changed();
        break;
      case "not-found":
      case "opens-soon":
        changed();
        break;
      case "idempotency-mismatch":
        forgetKey();
    }
    say(words, 3);
  };

  /** The client holds this flash for another time: what can be done is fetched by those few. Fails where the line is cut. */
  private async meet(rival: Held): Promise<void> {
    this.keep(rival);
    this.props.changed();
    this.Rival ??= (await import("./rival/rival")).Rival;
    this.setState({ rival });
  }

  private keep({ booking_id: id, start, end, start_turn, end_turn, refundable_until, hold_expires_at: until }: Held): void {
    const { artist, flash } = this.props;
    const turns = { start_turn: start_turn ?? null, end_turn: end_turn ?? null };
    if (until) keepHold({ id, artist: artist.slug, flash: flash?.id ?? null, start, end, ...turns, refundable_until, until });
  }

  // What all steps share.

  /** The last step that what is known so far allows. */
  private openStep(): Step {
    if (this.props.step > 1 && Object.keys(mistakes(this.state.answers, this.props.flash)).length > 0) return 1;
    return this.state.slot ? 3 : 2;
  }

  private advance(step: Step): void {
    this.setState({ alert: null, wrong: {}, near: null });
    this.props.goTo(step);
  }

  private lookAtStep(): void {
    this.scrollUp();
    this.focusFirst(this.focusMistake ? "[aria-invalid=true]" : "h2");
  }

  private scrollUp(): void {
    this.element?.scrollTo(0, 0);
    this.element?.querySelector(".work")?.scrollTo(0, 0);
  }

  private focusFirst(selector: string): void {
    this.element?.querySelector<HTMLElement>(selector)?.focus();
  }

  private slotKey(): string {
    return `chosen:${this.props.artist.slug}:${this.props.flash?.id ?? "project"}`;
  }

  private readonly escape = (event: Event): void => {
    event.preventDefault();
    this.props.close();
  };

  private readonly connection = (): void => this.setState({ online: navigator.onLine });

  /** Back from the payment page through the browser's memory: the button must work again. */
  private readonly awake = (event: PageTransitionEvent): void => {
    if (event.persisted) this.setState({ sending: false });
  };
}

function Row({ name, value, as }: { name: string; value: ComponentChildren; as?: "strong" | "told" }): VNode {
  return (
    <div class={as ?? ""}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The smallest size of a picture, for a thumbnail. */
function small(path: string): string {
  return srcset(path)?.split(" ")[0] ?? path;
}

/** What comes back if this very appointment is cancelled: until a date, or not any more. */
function refund({ policy, deposit_nature: nature }: Artist, { refundable_until: until }: Slot): string {
  const { full_refund_hours: hours, late_refund_percent: late } = policy;
  const arrhes = nature === "arrhes";
  if (!until) return t.notRefundable(hours, late, arrhes);
  return t.refundable(`${shortDay(civilDate(until))}, ${clock(until)}`, late, arrhes);
}
