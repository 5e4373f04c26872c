-- Outside a transaction.
-- What V023 promises of new rows is true of the old ones.
alter table payments validate constraint payments_kind_known;
alter table payments validate constraint payments_sign_fits_kind;
alter table bookings validate constraint bookings_payment_status_known;
alter table bookings validate constraint bookings_kept_not_negative;
alter table outbox validate constraint outbox_kind_known;

-- What came of a payment before anybody knew whose it is, for the moment when somebody does.
drop index concurrently if exists stripe_events_of_nobody;
create index concurrently stripe_events_of_nobody on stripe_events ((payload->>'payment_intent')) where booking_id is null;

-- Written once, and this once under their new name.
do $$
begin
    update payments set kind = 'dispute_withdrawn' where kind = 'dispute_lost';
end
$$;
