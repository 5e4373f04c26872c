// What an artist does with a booking, in a row of the list and on its own page alike: confirm and take it back, cancel,
// and say afterwards what became of it; on its own page, where its money is told, also what moves that money. The server
// decides; what it answers is what is shown.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { money } from "../core/format";
import { act, readBooking } from "./api";
import { CancelDialog } from "./cancel-dialog";
import type { Saying } from "./form";
import { is, sentence } from "./problems";
import { RefundDialog } from "./refund-dialog";
import type { Action, Detail, Shown } from "./types";
import { t } from "./words";

interface Props {
  booking: Shown;
  /** The same whole, on the booking's own page. */
  whole?: Detail;
  changed: (booking: Detail) => void;
}

/** How long a confirmation can still be taken back, in whole seconds. */
export function secondsToUndo({ undo_until: until }: Shown): number {
  return until ? Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000)) : 0;
}

export function Actions({ booking, whole, changed }: Props): VNode {
  const [busy, setBusy] = useState<Action | null>(null);
  const [saying, say] = useState<Saying | null>(null);
  const [asking, ask] = useState<"cancel" | "refund" | null>(null);
  const said = useRef<HTMLParagraphElement>(null);
  const { name } = booking.client;

  // The pressed button is gone: the focus goes to what came of it, with what can be done next right behind.
  useEffect(() => {
    if (saying && (document.activeElement === document.body || document.activeElement === null)) said.current?.focus();
  }, [saying]);

  const run = async (action: Exclude<Action, "cancel" | "refund">, done: string): Promise<void> => {
    if (busy) return;
    setBusy(action);
    say(null);
    try {
      changed(await act(booking.id, action, booking.version));
      say({ good: true, text: done });
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
      if (["changed-meanwhile", "not-possible", "too-late"].some((slug) => is(problem, slug)))
        await lookAgain(booking.id, changed);
    } finally {
      setBusy(null);
    }
  };

  const can = (action: Action): boolean => booking.actions.includes(action);
  const undo = can("undo_confirm");
  const accept = whole && can("accept");
  // Where there is something else to be decided, calling it off is the other answer, and says what it does.
  const isAnswer = accept || can("put_back");
  const answered = (saying: Saying | null): void => {
    ask(null);
    if (saying) say(saying);
  };
  const refund = booking.cancellation?.refund_cents ?? 0;
  return (
    <div class="deeds">
      {saying && (
        <p class={saying.good ? "done" : "alert"} ref={said} tabIndex={-1} role={saying.good ? "status" : "alert"}>
          {saying.text}
        </p>
      )}
      {can("confirm") && (
        <button
          type="button"
          class="button"
          aria-label={t.booking.confirmFor(name)}
          aria-disabled={busy !== null}
          onClick={() => void run("confirm", t.booking.confirmed)}
        >
          {busy === "confirm" ? t.booking.confirming : t.booking.confirm}
        </button>
      )}
      {undo && (
        <Undo
          key={booking.undo_until}
          booking={booking}
          busy={busy === "undo_confirm"}
          undo={() => void run("undo_confirm", t.booking.undone)}
          over={() => {
            say(null);
            void lookAgain(booking.id, changed);
          }}
        />
      )}
      {can("complete") && (
        <button
          type="button"
          class="button"
          aria-label={t.booking.completeFor(name)}
          aria-disabled={busy !== null}
          onClick={() => void run("complete", t.booking.completed)}
        >
          {busy === "complete" ? t.moment : t.booking.complete}
        </button>
      )}
      {can("no_show") && (
        <button
          type="button"
          class="button quiet"
          aria-label={t.booking.noShowFor(name)}
          aria-disabled={busy !== null}
          onClick={() => void run("no_show", t.booking.missed)}
        >
          {busy === "no_show" ? t.moment : t.booking.noShow}
        </button>
      )}
      {can("put_back") && (
        <button
          type="button"
          class="button"
          aria-label={t.booking.putBackFor(name)}
          aria-disabled={busy !== null}
          onClick={() => void run("put_back", t.booking.wasPutBack)}
        >
          {busy === "put_back" ? t.moment : t.booking.putBack}
        </button>
      )}
      {accept && (
        <button
          type="button"
          class="button"
          aria-disabled={busy !== null}
          onClick={() => void run("accept", t.booking.accepted)}
        >
          {busy === "accept" ? t.moment : t.booking.accept(money(whole.money.balance_cents))}
        </button>
      )}
      {whole && can("refund") && (
        <button
          type="button"
          class={booking.dispute?.inquiry ? "button quiet" : "link"}
          aria-label={t.booking.refundFor(name)}
          onClick={() => ask("refund")}
        >
          {t.booking.refund}
        </button>
      )}
      {can("cancel") && !undo && (
        <button
          type="button"
          class={isAnswer ? "button quiet" : "link"}
          aria-label={t.booking.cancelFor(name)}
          onClick={() => ask("cancel")}
        >
          {isAnswer && refund > 0 ? t.cancelling.goRefund(money(refund)) : t.booking.cancel}
        </button>
      )}
      {asking === "cancel" && <CancelDialog booking={booking} changed={changed} close={answered} />}
      {asking === "refund" && whole && (
        <RefundDialog booking={whole} changed={changed} again={() => lookAgain(booking.id, changed)} close={answered} />
      )}
    </div>
  );
}

async function lookAgain(id: string, changed: (booking: Detail) => void): Promise<Detail | null> {
  try {
    const now = await readBooking(id);
    changed(now);
    return now;
  } catch {
    // The page looks again by itself.
    return null;
  }
}

interface UndoProps {
  booking: Shown;
  busy: boolean;
  undo: () => void;
  over: () => void;
}

function Undo({ booking, busy, undo, over }: UndoProps): VNode {
  const [left, setLeft] = useState(secondsToUndo(booking));
  const end = useRef(over);
  end.current = over;
  useEffect(() => {
    if (!booking.undo_until) return;
    // Where the two clocks differ there is nothing to count, but the way back closes all the same.
    if (secondsToUndo(booking) === 0) {
      const later = setTimeout(() => end.current(), 10_000);
      return () => clearTimeout(later);
    }
    const timer = setInterval(() => {
      const seconds = secondsToUndo(booking);
      setLeft(seconds);
      if (seconds > 0) return;
      clearInterval(timer);
      end.current();
    }, 500);
    return () => clearInterval(timer);
  }, [booking]);
  return (
    <button
      type="button"
      class="button quiet undo"
      aria-label={t.booking.undoFor(booking.client.name)}
      aria-disabled={busy}
      // The second press of a double click belongs to the button that was here before.
      onClick={(event) => event.detail < 2 && undo()}
    >
      {t.booking.undo}
      {left > 0 && (
        <span class="left" aria-hidden="true">
          {t.booking.undoLeft(left)}
        </span>
      )}
    </button>
  );
}
