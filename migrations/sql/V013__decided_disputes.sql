-- A dispute that the bank has decided asks nothing of the artist any more. Lost, its money has left the ledger and the
-- booking stays "disputed"; that it waits for an answer was said of it for ever.
create or replace function dashboard_todo(b bookings, moment timestamptz) returns text[]
language sql stable
return array_remove(array[
    -- Somebody holds a slot and has not paid yet.
    case when b.status = 'pending' and b.payment_status = 'unpaid' and b.hold_expires_at > moment then 'confirm' end,
    -- The bank contests a payment, or money that came otherwise than asked is still here.
    case when (b.payment_status = 'disputed' and not exists (
            select from public.payments d
            where d.booking_id = b.id and d.kind = 'dispute_lost' and d.stripe_payment_intent_id = b.stripe_payment_intent_id
        ))
        or (b.payment_problem is not null and (
            b.status = 'pending'
            or b.payment_status = 'refund_pending'
            or exists (
                select from public.payments p
                where p.booking_id = b.id and p.stripe_payment_intent_id is distinct from b.stripe_payment_intent_id
                group by p.stripe_payment_intent_id having sum(p.amount_cents) > 0
            )
        )) then 'payment' end,
    case when b.calendar_state in ('conflict', 'failed') and b.status in ('pending', 'confirmed') and b.ends_at > moment
        then 'calendar' end,
    -- A mail or a refund that was never made; not dragged along for ever.
    case when b.scheduled_at > moment - interval '30 days' and exists (
        select from public.outbox o
        where o.booking_id = b.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
    ) then 'job' end,
    -- It is over: did the client come?
    case when b.status = 'confirmed' and b.ends_at <= moment then 'outcome' end
], null);
