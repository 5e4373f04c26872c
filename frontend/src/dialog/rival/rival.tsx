// The client wants another slot for the flash that they hold themselves: pay there, or take this one instead.

import { Component, type ComponentChild } from "preact";
import { type Artist, type Held, Problem, leaveFor, releaseBooking } from "../../core/api";
import { civilDate, clock, deadline, longDay } from "../../core/format";
import { forgetHold } from "../../core/hold";
import { forgetWeeks } from "../../core/weeks";
import { t } from "./words";

interface Props {
  /** On whose clock it is told. */
  artist: Artist;
  rival: Held;
  /** Asks again for the slot that is wanted now. */
  take: () => Promise<void>;
  refused: (problem: Problem) => void;
}

export class Rival extends Component<Props, { busy: boolean }> {
  override state = { busy: false };

  override render({ artist, rival }: Props, { busy }: { busy: boolean }): ComponentChild {
    const { start, start_turn: turn, hold_expires_at: until, checkout_url: page } = rival;
    return (
      <>
        <p class="alert">
          {t.flashYours(longDay(civilDate(start)), clock(start, turn), until ? deadline(until, artist) : "")}
        </p>
        <p class="choices">
          {page && (
            <button type="button" class="button" onClick={() => leaveFor(page)}>
              {t.resume}
            </button>
          )}
          <button type="button" class="button quiet" aria-disabled={busy} onClick={() => void this.swap()}>
            {t.swap}
          </button>
        </p>
      </>
    );
  }

  /** Gives the other slot back, and takes this one. */
  private async swap(): Promise<void> {
    const { rival, take, refused } = this.props;
    if (this.state.busy) return;
    this.setState({ busy: true });
    try {
      await releaseBooking(rival.booking_id);
    } catch (problem) {
      this.setState({ busy: false });
      if (problem instanceof Problem && problem.slug === "already-paid") {
        return leaveFor(`/booking/success?id=${encodeURIComponent(rival.booking_id)}`);
      }
      return refused(problem instanceof Problem ? problem : new Problem("internal"));
    }
    forgetHold(rival.booking_id);
    forgetWeeks();
    await take();
  }
}
