// A part of the deposit goes back and nothing is called off: how much, what is left then, and what the client hears of it.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { money } from "../core/format";
import { refund } from "./api";
import { useAsk } from "./ask";
import { Said, TextField } from "./fields";
import { type Saying, cents, euros, useSending } from "./form";
import { is } from "./problems";
import type { Detail } from "./types";
import { t } from "./words";

interface Props {
  booking: Detail;
  changed: (booking: Detail) => void;
  /** Reads the booking again, and gives what it is now. */
  again: () => Promise<Detail | null>;
  close: (saying: Saying | null) => void;
}

export function RefundDialog({ booking, changed, again, close }: Props): VNode {
  const { dialog, leave } = useAsk(close);
  const most = booking.money.refundable_cents;
  const [text, setText] = useState(() => euros(most, t.decimal));
  const { wrong, saying, busy, form, send, mend } = useSending<"amount">({ "/amount_cents": "amount" });
  const { name } = booking.client;
  const typed = cents(text);
  const amount = typed !== null && typed > 0 && typed <= most ? typed : null;

  const go = (event: Event): void => {
    event.preventDefault();
    void send(
      () => (amount === null ? { amount: t.refunding.wrong(money(most)) } : {}),
      async () => {
        if (amount === null) return "";
        try {
          changed(await refund(booking.id, booking.version, amount));
        } catch (problem) {
          if (["changed-meanwhile", "not-possible"].some((slug) => is(problem, slug))) {
            const now = await again();
            if (now && !now.actions.includes("refund")) leave({ good: false, text: t.problem.notPossible });
          }
          throw problem;
        }
        leave({ good: true, text: t.refunding.done(name, money(amount)) });
        return "";
      },
    );
  };

  return (
    <dialog
      class="ask"
      ref={dialog}
      aria-labelledby="refund-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) leave(null);
      }}
      onClick={(event) => event.target === dialog.current && !busy && leave(null)}
    >
      <form ref={form} onSubmit={go}>
        <h2 id="refund-title" tabIndex={-1}>
          {t.refunding.title(name)}
        </h2>
        <Said saying={saying && !saying.good ? saying : null} />
        {booking.dispute?.inquiry && <p>{t.refunding.inquiry}</p>}
        <TextField
          name="amount"
          label={t.refunding.amount}
          help={t.refunding.most(money(most))}
          error={wrong.amount}
          value={text}
          set={(value) => {
            mend("amount");
            setText(value);
          }}
          inputmode="decimal"
          autocomplete="off"
          narrow
        />
        <div aria-live="polite" class="outcome">
          {amount !== null && (
            <dl class="facts-list">
              <div>
                <dt>{t.cancelling.back}</dt>
                <dd>{money(amount)}</dd>
              </div>
              <div>
                <dt>{t.cancelling.kept}</dt>
                <dd>{money(most - amount)}</dd>
              </div>
              {booking.status === "confirmed" && booking.rest_cents !== null && (
                <div>
                  <dt>{t.detail.rest}</dt>
                  <dd>{money(booking.rest_cents + amount)}</dd>
                </div>
              )}
            </dl>
          )}
        </div>
        <p class="help">{t.refunding.told[booking.status === "cancelled" ? "cancelled" : "stands"]}</p>
        <div class="actions">
          <button type="button" class="button quiet" onClick={() => leave(null)}>
            {t.refunding.keep}
          </button>
          <button type="submit" class="button danger" aria-disabled={busy}>
            {busy ? t.moment : amount === null ? t.refunding.go : t.refunding.goAmount(money(amount))}
          </button>
        </div>
      </form>
    </dialog>
  );
}
