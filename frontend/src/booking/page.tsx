// After the payment page: what the database says about a booking, never what the address suggests. Looked at until it is
// known, and what can still be done.

import { Component, type ComponentChild, type VNode, render } from "preact";
import { type Booking, type Checked, Problem, checkBooking, getBooking, leaveFor, releaseBooking } from "../core/api";
import { forgetHold } from "../core/hold";
import { HoldClock } from "../core/hold-clock";
import { language } from "../core/language";
import { remember } from "../core/memory";
import { Boundary } from "../failure/boundary";
import { type Face, faceOf, unknownFace, unreadFace } from "./face";
import { Ticket } from "./ticket";
import { speak, t } from "./words";

/** Seconds between two looks: quick at first, as the payment's message is a matter of seconds, then patient. */
const QUICK = [1, 2, 4, 8, 8, 8, 8, 8];
const SLOW = 20;
const GIVE_UP_AFTER = 40;
/** From this look on, what Stripe says of an open payment page is no haste. */
const DOUBT_AFTER = 3;

interface State {
  booking: Booking | null;
  failure: "unknown" | "unread" | null;
  turn: number;
  /** What Stripe said of the payment; undefined until it was asked. */
  payment: Checked["payment"] | undefined;
  releasing: boolean;
  trouble: string;
}

class BookingPage extends Component<{ id: string; stopped: boolean }, State> {
  override state: State = { booking: null, failure: null, turn: 0, payment: undefined, releasing: false, trouble: "" };
  private timer = 0;

  override componentDidMount(): void {
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.again();
    });
    addEventListener("online", this.again);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.timer) this.again();
    });
    void this.look();
  }

  override render(): ComponentChild {
    const { booking, failure, trouble } = this.state;
    const face = failure === "unknown" ? unknownFace() : booking ? this.face(booking) : failure ? unreadFace() : null;
    document.title = `${face?.title ?? t.yourBooking} · InkFlow`;
    if (!face) {
      return (
        <div class="verdict">
          <h1>{t.yourBooking}</h1>
          <p class="lead" role="status">
            {t.loading}
          </p>
        </div>
      );
    }
    return (
      <>
        <div class={`verdict ${face.tone}`}>
          <h1>{face.title}</h1>
          <div role="status">
            {face.text.map((text) => (
              <p class="lead" key={text}>
                {text}
              </p>
            ))}
          </div>
          {!booking && (
            <p class="actions">
              {failure === "unknown" ? (
                <a class="button" href="/">
                  {t.toHome}
                </a>
              ) : (
                <button type="button" class="button" onClick={this.again}>
                  {t.retry}
                </button>
              )}
            </p>
          )}
        </div>
        {booking && (
          <>
            <Ticket booking={booking} payable={this.payable(booking) !== null} />
            {trouble && (
              <p class="alert" role="alert">
                {trouble}
              </p>
            )}
            {booking.terms && <p class="help">{booking.terms[language]}</p>}
            {this.actions(booking)}
            {booking.status === "confirmed" && <Next />}
          </>
        )}
      </>
    );
  }

  private face(booking: Booking): Face {
    return faceOf(booking, {
      payable: Boolean(this.payable(booking)),
      unpaid: this.isUnpaid(),
      long: this.state.turn > QUICK.length,
    });
  }

  /** Where to pay, for who left the payment page without paying: only once Stripe was asked, so that nobody pays twice. */
  private payable({ status, hold_lapsed: lapsed, checkout_url: url }: Booking): string | null {
    const { payment } = this.state;
    const asked = payment !== undefined && payment !== "processing" && payment !== "paid";
    return this.props.stopped && asked && status === "pending" && !lapsed ? url : null;
  }

  /** Whoever typed the address of the page after the payment: Stripe itself says that there is none. */
  private isUnpaid(): boolean {
    return !this.props.stopped && this.state.payment === "open" && this.state.turn > DOUBT_AFTER;
  }

  private actions(booking: Booking): VNode {
    const { releasing } = this.state;
    const payable = this.payable(booking);
    const over = booking.status === "cancelled" || booking.hold_lapsed;
    const artist = `/artist/${encodeURIComponent(booking.artist.slug)}?lang=${language}`;
    return (
      <div class="actions">
        {payable && booking.hold_expires_at && (
          <HoldClock
            key={booking.hold_expires_at}
            until={booking.hold_expires_at}
            endsSoon={t.holdEndsSoon}
            onEnd={this.again}
          />
        )}
        {payable && (
          <button type="button" class="button" onClick={() => leaveFor(payable)}>
            {t.resume}
          </button>
        )}
        {payable && (
          <button
            type="button"
            class="button quiet"
            aria-disabled={releasing}
            onClick={() => void this.release(booking)}
          >
            {releasing ? t.releasing : t.release}
          </button>
        )}
        {booking.status === "pending" && !booking.hold_lapsed && this.isUnpaid() && (
          <a class="button quiet" href={`/booking/cancel?id=${encodeURIComponent(booking.booking_id)}`}>
            {t.toPayment}
          </a>
        )}
        {booking.status === "confirmed" && (
          <a
            class="button"
            href={`/api/bookings/${encodeURIComponent(booking.booking_id)}/calendar.ics`}
            download="rendez-vous.ics"
          >
            {t.addToCalendar}
          </a>
        )}
        {booking.status === "confirmed" && booking.links && (
          <p class="elsewhere">
            <a class="link" href={booking.links.google} rel="noopener">
              {t.inGoogle}
            </a>
            <a class="link" href={booking.links.outlook} rel="noopener">
              {t.inOutlook}
            </a>
          </p>
        )}
        {booking.status === "confirmed" && isOfTheWeb(booking.calendar_url) && (
          <a class="button quiet" href={booking.calendar_url} rel="noopener">
            {t.openCalendar}
          </a>
        )}
        <a class={over ? "button" : "link"} href={artist}>
          {over || payable ? t.otherSlot : t.backToArtist(booking.artist.display_name)}
        </a>
      </div>
    );
  }

  private readonly again = (): void => {
    clearTimeout(this.timer);
    void this.look();
  };

  private async look(): Promise<void> {
    this.timer = 0;
    try {
      if (!/^[0-9a-f-]{36}$/i.test(this.props.id)) throw new Problem("not-found");
      const booking = await getBooking(this.props.id);
      this.take(booking);
      // Who stopped is looked up once, who paid until it is known.
      if (isAwaited(booking) && !(this.props.stopped && this.state.payment !== undefined)) await this.check(booking);
    } catch (problem) {
      if (problem instanceof Problem && ["not-found", "malformed", "invalid"].includes(problem.slug)) {
        this.setState({ failure: "unknown", booking: null });
      } else {
        this.setState({ failure: "unread" });
        this.later();
      }
    }
  }

  private take(booking: Booking): void {
    this.setState({ booking, failure: null });
    const { open, watched } = this.face(booking);
    if (open || watched) this.later();
    if (!open) forgetHold(booking.booking_id);
    if (booking.acompte_paid) {
      // What was typed has served.
      for (const kept of ["answers", "key"]) remember(kept, null);
    }
  }

  /** Has Stripe asked at once: its own message may be late, or lost. */
  private async check({ booking_id: id }: Booking): Promise<void> {
    const payment = await checkBooking(id);
    // Asked a moment ago, it is not asked again: what it said then still holds.
    if (payment !== null || this.state.payment === undefined) this.setState({ payment });
    if (payment === "paid" || payment === "closed") this.take(await getBooking(id));
  }

  private later(): void {
    const { turn } = this.state;
    clearTimeout(this.timer);
    if (turn >= GIVE_UP_AFTER) return;
    this.timer = window.setTimeout(() => void this.look(), (QUICK[turn] ?? SLOW) * 1000);
    this.setState({ turn: turn + 1 });
  }

  private async release({ booking_id: id }: Booking): Promise<void> {
    if (this.state.releasing) return;
    this.setState({ releasing: true, trouble: "" });
    try {
      await releaseBooking(id);
      this.take(await getBooking(id));
    } catch (problem) {
      // It may have been paid in the meantime: what the database says decides.
      if (!(problem instanceof Problem && problem.slug === "already-paid")) this.setState({ trouble: t.releaseFailed });
      this.again();
    }
    this.setState({ releasing: false });
  }
}

/** True while a payment may be on its way that nobody has told of. */
function isAwaited({ status, payment_status: payment, hold_lapsed: lapsed, checkout_url: url }: Booking): boolean {
  return payment === "unpaid" && (status === "confirmed" || (status === "pending" && (lapsed || url !== null)));
}

function Next(): VNode {
  return (
    <section class="after" aria-labelledby="after-title">
      <h2 id="after-title">{t.nextTitle}</h2>
      <ol>
        <li>{t.nextMail}</li>
        <li>{t.nextBefore}</li>
        <li>{t.nextThere}</li>
      </ol>
    </section>
  );
}

function isOfTheWeb(address: string | null | undefined): address is string {
  return /^https?:\/\//.test(address ?? "");
}

export async function start(place: HTMLElement): Promise<void> {
  await speak();
  const id = new URLSearchParams(location.search).get("id") ?? "";
  render(
    <Boundary root="booking">
      <BookingPage id={id} stopped={place.dataset["visit"] === "cancel"} />
    </Boundary>,
    place,
  );
}
