// What an artist does with a booking, in a row of the list and on its own page alike: confirm and take it back, cancel,
// and say afterwards what became of it. The server decides; what it answers is what is shown.

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { money } from "../core/format";
import { act, cancel, readBooking } from "./api";
import { RadioField, type Saying } from "./form";
import { is, sentence } from "./problems";
import type { Action, Cancellation, Detail, Row } from "./types";
import { t } from "./words";

/** A row of the list, or what an action made of it. */
export type Shown = Row & Partial<Pick<Detail, "undo_until" | "cancellation">>;

interface Props {
  booking: Shown;
  changed: (booking: Detail) => void;
}

/** How long a confirmation can still be taken back, in whole seconds. */
export function secondsToUndo({ undo_until: until }: Shown): number {
  return until ? Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000)) : 0;
}

export function Actions({ booking, changed }: Props): VNode {
  const [busy, setBusy] = useState<Action | null>(null);
  const [saying, say] = useState<Saying | null>(null);
  const [cancelling, setCancelling] = useState(false);
  const said = useRef<HTMLParagraphElement>(null);
  const { name } = booking.client;

  // The pressed button is gone: the focus goes to what came of it, with what can be done next right behind.
  useEffect(() => {
    if (saying && (document.activeElement === document.body || document.activeElement === null)) said.current?.focus();
  }, [saying]);

  const run = async (action: Exclude<Action, "cancel">, done: string): Promise<void> => {
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
      {can("cancel") && !undo && (
        <button
          type="button"
          class={can("put_back") ? "button quiet" : "link"}
          aria-label={t.booking.cancelFor(name)}
          onClick={() => setCancelling(true)}
        >
          {can("put_back") && refund > 0 ? t.cancelling.goRefund(money(refund)) : t.booking.cancel}
        </button>
      )}
      {cancelling && (
        <CancelDialog
          booking={booking}
          changed={changed}
          close={(saying) => {
            setCancelling(false);
            if (saying) say(saying);
          }}
        />
      )}
    </div>
  );
}

async function lookAgain(id: string, changed: (booking: Detail) => void): Promise<void> {
  try {
    changed(await readBooking(id));
  } catch {
    // The list looks again by itself.
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

interface CancelProps extends Props {
  close: (saying: Saying | null) => void;
}

/** Says what happens to the money before the button that does it, and sends exactly that. */
function CancelDialog({ booking, changed, close }: CancelProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [fresh, setFresh] = useState<Detail | null>(null);
  const [chosen, choose] = useState<Canceller | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const { name } = booking.client;

  // Closed before it goes, so that the focus returns to the button that opened it.
  const leave = (saying: Saying | null): void => {
    dialog.current?.close();
    close(saying);
  };

  const look = async (): Promise<void> => {
    try {
      const detail = await readBooking(booking.id);
      if (detail.actions.includes("cancel") && detail.cancellation) return setFresh(detail);
      changed(detail);
      leave({ good: false, text: t.problem.notPossible });
    } catch (problem) {
      setTrouble(sentence(problem));
    }
  };

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector("h2")?.focus();
    void look();
  }, []);

  // Nobody is asked who cancels where it makes no difference: a hold that nobody has paid simply ends.
  const terms: Record<Canceller, Cancellation | null> = {
    artist: fresh?.cancellation ?? null,
    client: fresh?.cancellation_by_client ?? null,
  };
  const by = terms.client ? chosen : "artist";
  const outcome = by && terms[by];

  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || !fresh || !by || !outcome) return;
    const refund = outcome.refund_cents;
    setBusy(true);
    setTrouble("");
    try {
      const after = await cancel(booking.id, fresh.version, refund, by);
      changed(after);
      leave({ good: true, text: refund > 0 ? t.cancelling.doneRefund(name, money(refund)) : t.cancelling.done(name) });
    } catch (problem) {
      setTrouble(sentence(problem));
      if (["money-changed", "changed-meanwhile", "not-possible"].some((slug) => is(problem, slug))) await look();
    } finally {
      setBusy(false);
    }
  };

  return (
    <dialog
      class="ask"
      ref={dialog}
      aria-labelledby="cancel-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) leave(null);
      }}
      onClick={(event) => event.target === dialog.current && !busy && leave(null)}
    >
      <form onSubmit={(event) => void go(event)}>
        <h2 id="cancel-title" tabIndex={-1}>
          {t.cancelling.title(name)}
        </h2>
        <div role="alert">{trouble && <p class="alert">{trouble}</p>}</div>
        {fresh && terms.client && (
          <RadioField
            legend={t.cancelling.who}
            value={chosen ?? ("" as Canceller)}
            set={choose}
            options={(["artist", "client"] as const).map((each) => ({
              value: each,
              text: t.cancelling.by[each],
              help: inShort(terms[each]),
            }))}
          />
        )}
        <div aria-live="polite" class="outcome">
          {outcome ? (
            <>
              <p class="lead">
                {outcome.refund_cents > 0
                  ? t.cancelling.refund(money(outcome.refund_cents), name)
                  : outcome.kept_cents > 0
                    ? t.cancelling.keepAll(money(outcome.kept_cents))
                    : t.cancelling.nothing(name)}
              </p>
              {(outcome.refund_cents > 0 || outcome.kept_cents > 0) && (
                <dl class="facts-list">
                  <div>
                    <dt>{t.cancelling.back}</dt>
                    <dd>{money(outcome.refund_cents)}</dd>
                  </div>
                  <div>
                    <dt>{t.cancelling.kept}</dt>
                    <dd>{money(outcome.kept_cents)}</dd>
                  </div>
                  {outcome.owed_beyond_cents > 0 && (
                    <div>
                      <dt>{t.cancelling.beyond}</dt>
                      <dd>{money(outcome.owed_beyond_cents)}</dd>
                    </div>
                  )}
                </dl>
              )}
              {outcome.owed_beyond_cents > 0 && (
                <p class="alert">{t.cancelling.beyondText(money(outcome.owed_beyond_cents))}</p>
              )}
            </>
          ) : (
            !trouble && !fresh && <p class="lead">{t.cancelling.loading}</p>
          )}
        </div>
        {fresh && <p class="help">{fresh.status === "pending" ? t.cancelling.afterHold : t.cancelling.after}</p>}
        <div class="actions">
          <button type="button" class="button quiet" onClick={() => leave(null)}>
            {t.cancelling.keep}
          </button>
          {outcome ? (
            <button type="submit" class="button danger" aria-disabled={busy}>
              {busy
                ? t.cancelling.going
                : outcome.refund_cents > 0
                  ? t.cancelling.goRefund(money(outcome.refund_cents))
                  : t.cancelling.go}
            </button>
          ) : (
            trouble &&
            !fresh && (
              <button type="button" class="button" onClick={() => void look()}>
                {t.retry}
              </button>
            )
          )}
        </div>
      </form>
    </dialog>
  );
}

type Canceller = "artist" | "client";

/** What a cancellation does with the money, beside the name of who cancels. */
function inShort(terms: Cancellation | null): string {
  if (!terms) return "";
  const { refund_cents: back, kept_cents: kept } = terms;
  return t.cancelling.terms(money(back), kept > 0 ? money(kept) : null);
}
