// A cancellation: what happens to the money is said before the button that does it, and exactly that is sent.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { money } from "../core/format";
import { cancel, readBooking } from "./api";
import { useAsk } from "./ask";
import { RadioField } from "./fields";
import type { Saying } from "./form";
import { is, sentence } from "./problems";
import type { Cancellation, Detail, Shown } from "./types";
import { t } from "./words";

type Canceller = "artist" | "client";

interface Props {
  booking: Shown;
  changed: (booking: Detail) => void;
  close: (saying: Saying | null) => void;
}

export function CancelDialog({ booking, changed, close }: Props): VNode {
  const { dialog, leave } = useAsk(close, () => void look());
  const [fresh, setFresh] = useState<Detail | null>(null);
  const [chosen, choose] = useState<Canceller | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const { name } = booking.client;

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

  // Nobody is asked who cancels where it makes no difference: a hold that nobody has paid simply ends.
  const terms: Record<Canceller, Cancellation | null> = {
    artist: fresh?.cancellation ?? null,
    client: fresh?.cancellation_by_client ?? null,
  };
  const by = terms.client ? chosen : "artist";
  const outcome = by && terms[by];
  // Where a bank decides, or nothing is here to be shared, there are no two sums: the API's own sentence says how it is.
  const plain = outcome && (outcome.refund_cents > 0 || (outcome.kept_cents > 0 && !fresh?.dispute));

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
              help: inShort(terms[each], fresh),
            }))}
          />
        )}
        <div aria-live="polite" class="outcome">
          {outcome ? (
            <>
              <p class="lead">
                {outcome.refund_cents > 0
                  ? t.cancelling.refund(money(outcome.refund_cents), name)
                  : plain
                    ? t.cancelling.keepAll(money(outcome.kept_cents))
                    : outcome.sentence}
              </p>
              {plain && (
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
              {plain && outcome.owed_beyond_cents > 0 && (
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

/** What a cancellation does with the money, beside the name of who cancels. */
function inShort(terms: Cancellation | null, { dispute }: Detail): string {
  if (!terms) return "";
  const { refund_cents: back, kept_cents: kept } = terms;
  if (back === 0 && dispute) return t.cancelling.notNow;
  return t.cancelling.terms(money(back), kept > 0 ? money(kept) : null);
}
