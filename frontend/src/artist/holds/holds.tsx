// What this browser holds of an artist: whether it can still be paid, and the bar that says so. Fetched by those who hold.

import { Component, type ComponentChild } from "preact";
import { type Booking, Problem, checkBooking, getBooking, leaveFor, releaseBooking } from "../../core/api";
import { civilDate, clock, isElsewhere, shortDay, whoseClock } from "../../core/format";
import { type OwnHold, forgetHold } from "../../core/hold";
import { HoldClock } from "../../core/hold-clock";
import { t } from "./words";

interface Live {
  hold: OwnHold;
  booking: Booking;
}

/** Those that can still be paid. Stripe is asked before anybody is asked to pay. */
export async function readHolds(kept: readonly OwnHold[]): Promise<Live[]> {
  const read = await Promise.all(
    kept.map(async (hold) => {
      let booking = await getBooking(hold.id);
      if (booking.checkout_url && (await checkBooking(hold.id)) === "paid") booking = await getBooking(hold.id);
      // Neither payable nor waiting for a verdict: it is over, one way or the other.
      if (booking.status !== "pending") forgetHold(hold.id);
      return { hold, booking };
    }),
  );
  return read.filter(({ booking }) => booking.checkout_url);
}

interface Props {
  held: Booking;
  /** Looks again what is held, and gives it. */
  look: () => Promise<Booking | null>;
  refresh: () => Promise<void>;
  say: (notice: string) => void;
  resume: (booking: string) => void;
}

export class HoldBar extends Component<Props, { releasing: boolean }> {
  override state = { releasing: false };

  override render({ held, resume }: Props, { releasing }: { releasing: boolean }): ComponentChild {
    const { hold_expires_at: until } = held;
    if (!until) return null;
    return (
      <aside aria-label={t.yourSlot}>
        <p>
          <strong>
            <span class="kept">{t.kept}</span> <span class="until">{t.until(clock(until))}</span>
          </strong>
          {isElsewhere(until) && (
            <span class="whose">
              <span>, </span>
              {whoseClock(held)}
            </span>
          )}{" "}
          <span class="what">
            {t.holdText(held.title, shortDay(civilDate(held.start)), clock(held.start, held.start_turn))}
          </span>
          <HoldClock key={until} until={until} endsSoon={t.holdEndsSoon} onEnd={this.lapsed} />
        </p>
        <p class="choices">
          <button
            type="button"
            class="link"
            aria-label={t.release}
            aria-disabled={releasing}
            onClick={() => void this.release()}
          >
            {releasing ? "…" : t.releaseShort}
          </button>
          <button type="button" class="button" aria-label={t.resume} onClick={() => resume(held.booking_id)}>
            {t.pay}
          </button>
        </p>
      </aside>
    );
  }

  /** By this browser's clock it is over: the server's is asked before anything is said. */
  private readonly lapsed = async (): Promise<void> => {
    if (await this.props.look()) return;
    this.props.say(t.holdLapsed);
    await this.props.refresh();
  };

  private async release(): Promise<void> {
    const { held, say, refresh } = this.props;
    if (this.state.releasing) return;
    this.setState({ releasing: true });
    try {
      await releaseBooking(held.booking_id);
      forgetHold(held.booking_id);
      say(t.released);
    } catch (problem) {
      if (problem instanceof Problem && problem.slug === "already-paid") {
        return leaveFor(`/booking/success?id=${encodeURIComponent(held.booking_id)}`);
      }
      say(t.releaseFailed);
    }
    this.setState({ releasing: false });
    await refresh();
  }
}
