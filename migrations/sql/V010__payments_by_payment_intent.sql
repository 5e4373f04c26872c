-- News of a refund or a dispute names the payment and nothing else. When no booking carries that payment any more, the
-- ledger is asked; without this index all of it is read.
create index payments_by_payment_intent on payments (stripe_payment_intent_id);
