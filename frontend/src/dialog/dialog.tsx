// The booking dialog: who, when, and what it costs. It holds a slot and leads to the payment; the page owns the history.

import { Component, type ComponentChild } from "preact";
import { type Artist, type Flash, type Held, Problem, type Slot, getBooking, leaveFor } from "../core/api";
import { money } from "../core/format";
import type { OwnHold } from "../core/hold";
import { foreign } from "../core/language";
import { recall, remember } from "../core/memory";
import { srcset } from "../core/picture";
import { daysFrom, today } from "../core/weeks";
import { type Answers, type FieldName, type Mistakes, mend, mistakes, requestOf } from "./answers";
import { book, holdsFirst, keep } from "./book";
import { DetailsStep } from "./details-step";
import type { Reader } from "./reading";
import { type Alert, refusalOf } from "./refusal";
import { SlotStep } from "./slot-step";
import type { Step } from "./step";
import { SummaryStep } from "./summary-step";
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
  alert: Alert | null;
  /** This client's own booking that stands in the way: the same flash at another time. */
  rival: Held | null;
  /** The street, once the hold has told it. */
  street: string | null;
  sending: boolean;
  /** What is said while the browser does what the server asked for. */
  checking: string | null;
  online: boolean;
}

const MISTAKE = "[aria-invalid=true]";

export class BookingDialog extends Component<Props, State> {
  override state: State = {
    answers: recall<Answers>("answers") ?? {},
    wrong: {},
    slot: recall<Slot>(slotKey(this.props)),
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
  private rivals: typeof import("./rival/rival") | null = null;
  private gone = false;
  /** Says how the server understands what is typed; there once somebody types. */
  private reader: Reader | null = null;
  private waiting = false;

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
    else if (this.focusMistake) focusFirst(this.element, MISTAKE);
    else if (this.state.alert && alert !== this.state.alert) scrollUp(this.element);
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
    const Rival = this.rivals?.Rival;
    const titles = { 1: flash ? t.detailsTitle : t.ideaTitle, 2: t.slotTitle, 3: t.summaryTitle };
    return (
      <dialog
        class="booking"
        aria-labelledby="step-title"
        ref={(element) => {
          this.element = element;
        }}
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
                <span lang={flash ? foreign(artist.locale) : undefined}>{flash?.title ?? t.project}</span>
                {` · ${t.stepOf(step)}`}
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
              {rival && Rival && step === 3 && (
                <Rival artist={artist} rival={rival} take={this.pay} refused={this.refused} />
              )}
            </div>
            {flash?.state === "held" && !own && step === 1 && <p class="note">{t.heldNote}</p>}
            {this.form()}
          </div>
        </div>
      </dialog>
    );
  }

  private form(): ComponentChild {
    const { step } = this.props;
    const { slot } = this.state;
    const known = { ...this.props, ...this.state, reader: this.reader };
    if (step === 1) return <DetailsStep {...known} answer={this.answer} check={this.checkDetails} />;
    if (step === 2) return <SlotStep {...known} choose={this.chooseSlot} check={this.checkSlot} />;
    return slot && <SummaryStep {...known} slot={slot} pay={this.pay} />;
  }

  // What is typed.

  private readonly answer = (name: FieldName, value: string): void => {
    const { flash } = this.props;
    const answers = { ...this.state.answers, [name]: value };
    remember("answers", answers);
    const wrong = mend(this.state.wrong, name, answers, flash);
    if (name === "phone" || name === "email") void this.reading().then((reader) => reader?.typed(name));
    const mended = this.state.alert?.text === t.invalid && Object.keys(wrong).length === 0;
    this.setState({ answers, wrong, ...(mended && { alert: null }) });
  };

  private async reading(): Promise<Reader | null> {
    try {
      const { artist } = this.props;
      const part = await import("./reading");
      this.reader ??= new part.Reader(
        artist,
        () => this.state.answers,
        this.answer,
        () => !this.gone && this.forceUpdate(),
      );
    } catch {
      // Without it the booking itself says what is wrong.
    }
    return this.reader;
  }

  private readonly checkDetails = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (this.waiting) return;
    this.waiting = true;
    const { answers } = this.state;
    // A network that takes its time stops nobody.
    const patience = new Promise<undefined>((resolve) => setTimeout(resolve, 1500));
    const refused = await Promise.race([this.reading().then((reader) => reader?.refusals()), patience]);
    this.waiting = false;
    if (this.gone || answers !== this.state.answers) return;
    const wrong = { ...mistakes(answers, this.props.flash), ...refused };
    if (Object.keys(wrong).length === 0) return this.advance(2);
    this.focusMistake = true;
    this.setState({ wrong, alert: { text: t.invalid, step: 1 } });
  };

  // The slot.

  private readonly chooseSlot = (slot: Slot | null): void => {
    remember(slotKey(this.props), slot);
    this.setState({ slot, alert: slot ? null : { text: t.slotTaken, step: 2 } });
  };

  private readonly checkSlot = (event: Event): void => {
    event.preventDefault();
    if (this.state.slot) this.advance(3);
    else this.setState({ alert: { text: t.chooseSlot, step: 2 } });
  };

  // The hold, and the way to the payment.

  private readonly pay = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    const { artist, flash, changed } = this.props;
    const { slot, answers, sending, street } = this.state;
    if (sending || !slot) return;
    this.setState({ sending: true, checking: null, alert: null, rival: null });
    const body = requestOf(artist, flash, answers, slot);
    try {
      const made = await book(body, (checking) => this.setState({ checking }));
      keep(made, artist, flash);
      if (holdsFirst(artist, street) && made.checkout_url) {
        const { artist: told } = await getBooking(made.booking_id);
        changed();
        return this.setState({
          street: told.address ?? told.city,
          sending: false,
          alert: { text: t.addressTold, step: 3 },
        });
      }
      leaveFor(made.checkout_url ?? `/booking/success?id=${encodeURIComponent(made.booking_id)}`);
      // The button stays as it is until the page has gone, or comes back through `awake`.
    } catch (problem) {
      this.setState({ sending: false });
      this.refused(problem instanceof Problem ? problem : new Problem("internal"));
    }
  };

  private readonly refused = (problem: Problem): void => {
    const { artist, flash, changed, backTo } = this.props;
    const { alert, wrong, gone } = refusalOf(problem, artist, flash);
    if (problem.slug === "flash-yours" && problem.own) {
      return void this.meet(problem.own).catch(() => this.setState({ alert }));
    }
    if (gone === "offer") changed();
    this.setState({ alert });
    if (gone === "slot") {
      remember(slotKey(this.props), null);
      this.setState({ near: this.state.slot?.start ?? null, slot: null });
    }
    if (wrong) {
      this.focusMistake = alert.step === 1;
      this.setState({ wrong });
    }
    if (alert.step < 3) backTo(alert.step);
  };

  /** The client holds this flash for another time: what can be done is fetched by those few. Fails where the line is cut. */
  private async meet(rival: Held): Promise<void> {
    const { artist, flash, changed } = this.props;
    keep(rival, artist, flash);
    changed();
    this.rivals ??= await import("./rival/rival");
    this.setState({ rival });
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
    scrollUp(this.element);
    focusFirst(this.element, this.focusMistake ? MISTAKE : "h2");
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

/** Under which the chosen slot is remembered. */
function slotKey({ artist, flash }: Props): string {
  return `chosen:${artist.slug}:${flash?.id ?? "project"}`;
}

function scrollUp(dialog: HTMLElement | null): void {
  dialog?.scrollTo(0, 0);
  dialog?.querySelector(".work")?.scrollTo(0, 0);
}

function focusFirst(dialog: HTMLElement | null, selector: string): void {
  dialog?.querySelector<HTMLElement>(selector)?.focus();
}

/** The smallest size of a picture, for a thumbnail. */
function small(path: string): string {
  return srcset(path)?.split(" ")[0] ?? path;
}
