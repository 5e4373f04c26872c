// What banks say of a booking's payments: the dispute that waits, at the top of the page, and each of them with its figures.

import type { VNode } from "preact";
import { money } from "../core/format";
import { Part } from "./parts";
import type { Detail, Dispute } from "./types";
import { shortMoment } from "./when";
import { t } from "./words";

/** Where a dispute is answered. */
function AtStripe({ dispute: { id }, text, name }: { dispute: Dispute; text: string; name?: string }): VNode {
  return (
    <a
      class="link"
      href={`https://dashboard.stripe.com/disputes/${encodeURIComponent(id)}`}
      rel="noopener noreferrer"
      {...(name && { "aria-label": name })}
    >
      {text}
    </a>
  );
}

/** The open dispute that is to be looked at first: what the bank wants, until when, and where it is answered. */
export function DisputeAlert({ booking: { dispute, status } }: { booking: Detail }): VNode | null {
  if (!dispute) return null;
  const { inquiry, needs_response: waits, due_by: due } = dispute;
  const words = t.dispute.open;
  const amount = money(dispute.amount_cents);
  const appeal = dispute.status === "appeal_needs_response";
  const until = waits && due ? shortMoment(due) : null;
  return (
    <div class="alert">
      <p>
        {inquiry ? words.inquiry(amount) : words.dispute(amount)}{" "}
        {waits ? (appeal ? words.appeal(until) : words.answer(until)) : words.reviewed}
      </p>
      {inquiry && <p>{words.nothingTaken}</p>}
      {!inquiry && status === "cancelled" && <p>{words.cancelled}</p>}
      <p>
        <AtStripe dispute={dispute} text={waits ? t.dispute.answer : t.dispute.see} />
      </p>
    </div>
  );
}

export function Disputes({ booking }: { booking: Detail }): VNode | null {
  const { disputes } = booking.money;
  if (disputes.length === 0) return null;
  return (
    <Part title={t.dispute.title}>
      <ul class="lines">
        {disputes.map((dispute) => {
          const { id, inquiry, status, reason, due_by: due } = dispute;
          const kind = inquiry ? t.dispute.inquiry : t.dispute.dispute;
          const amount = money(dispute.amount_cents);
          return (
            <li key={id}>
              <span>
                <strong>
                  {kind}, {amount}
                </strong>
                <span class="told">{t.dispute.status[status] ?? status}</span>
                <small>{t.dispute.because(t.dispute.reason[reason] ?? reason)}</small>
                <small>{t.dispute.since(shortMoment(dispute.opened_at))}</small>
                {dispute.needs_response && due && <small>{t.dispute.until(shortMoment(due))}</small>}
                <AtStripe dispute={dispute} text={t.dispute.see} name={t.dispute.seeOf(kind, amount)} />
              </span>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
