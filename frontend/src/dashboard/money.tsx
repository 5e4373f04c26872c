// The money of one booking: what came, what went and whither, what is left, and what is still owed to the client.

import type { VNode } from "preact";
import { amountIn } from "../booking/currency";
import { money } from "../core/format";
import { Facts, Part } from "./parts";
import type { Detail, Entry } from "./types";
import { shortMoment } from "./when";
import { t } from "./words";

const OURS = "eur";

export function Money({ booking }: { booking: Detail }): VNode {
  const { captured_cents: captured, refunded_cents: refunded, lost_cents: lost } = booking.money;
  const { balance_cents: balance, on_its_way_cents: coming, owed_cents: owed } = booking.money;
  const entries: readonly Entry[] = booking.money.entries;
  const words = t.detail;
  const facts: [string, string][] = [];
  if (booking.status === "pending" || captured > 0) facts.push([words.deposit, money(booking.deposit_cents)]);
  const others = inOthers(entries);
  if (captured > 0 || others.size === 0) facts.push([words.captured, money(captured)]);
  for (const [currency, sum] of others) facts.push([words.otherCurrency, amountIn(sum, currency)]);
  if (refunded > 0) facts.push([words.refunded, money(refunded)]);
  if (coming > 0) facts.push([words.onItsWay, money(coming)]);
  if (lost > 0) facts.push([words.taken, money(lost)]);
  if (refunded > 0 || lost > 0) facts.push([words.balance, money(balance)]);
  if (owed > 0) facts.push([words.owed, money(owed)]);
  if (booking.rest_cents !== null && !undecided(booking)) facts.push([words.rest, money(booking.rest_cents)]);
  return (
    <Part title={words.money}>
      <Facts facts={facts} />
      {coming > 0 && <p class="help">{words.onItsWayHelp}</p>}
      {owed > 0 && <p class="help">{whyOwed(booking)}</p>}
      {entries.length > 0 && (
        <details>
          <summary>{words.movements}</summary>
          <ul class="lines">
            {entries.map((entry) => (
              <li key={`${entry.kind}${entry.stripe_id}`}>
                <span>
                  {words.entry[entry.kind]}
                  <small>
                    {shortMoment(entry.at)}, <code>{entry.stripe_id}</code>
                  </small>
                </span>
                <span>{amountIn(entry.amount_cents, entry.currency ?? OURS)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>{words.policy}</summary>
        <p class="told">{booking.policy_sentence}</p>
      </details>
    </Part>
  );
}

/** What is left of payments in other currencies than the booking's, which no total counts. */
function inOthers(entries: readonly Entry[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { currency = OURS, amount_cents: amount } of entries)
    if (currency !== OURS) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return sums;
}

/** Why what is owed has not gone back yet; of a job that failed its own place tells. */
function whyOwed({ payment_problem: problem, payment_status: status, todo }: Detail): string {
  if (problem === "refund_failed") return t.detail.owedFailed;
  if (status === "disputed") return t.detail.owedDisputed;
  return todo.includes("job") ? "" : t.detail.owedSoon;
}

/** A payment that came otherwise than asked waits for the artist: nothing is settled until then. */
export function undecided({ status, payment_problem: problem }: Pick<Detail, "status" | "payment_problem">): boolean {
  return status === "pending" && problem === "mismatch";
}

/** What the line of a payment or of a dispute says beside its kind. */
export interface Told {
  amount: number | null;
  currency: string;
  inquiry: boolean;
}

export function told(data: unknown): Told {
  const { amount_cents: amount, currency, inquiry } = (data ?? {}) as Record<string, unknown>;
  return {
    amount: typeof amount === "number" ? Math.abs(amount) : null,
    currency: typeof currency === "string" ? currency : OURS,
    inquiry: inquiry === true,
  };
}

/** What came otherwise than asked, the latest of it, in words. */
export function cameAs({ timeline }: Detail): string | null {
  const line = timeline.filter(({ kind }) => kind === "payment_mismatch").at(-1);
  const { amount, currency } = told(line?.data);
  return amount === null ? null : amountIn(amount, currency);
}
