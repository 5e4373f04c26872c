-- Who takes a chair, moves an appointment or changes what becomes of it takes turns with everybody who does so for the same
-- artist. `bookings_no_overlap` looks at every new version of a row, and two transactions that have both written wait for
-- each other's: a deadlock, which Postgres ends a second later by failing one of them. A client who only lost a race would
-- wait for that second, and so would the one who won it.
--
-- Until the transaction ends. An insert looks at committed versions only, so it waits for nobody while it has the turn.
create function bookings_turn() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(new.artist_id::text, 1));
    return new;
end
$$;

-- The columns of the statements that change a booking's state or its page at Stripe. Notes and marks of a look do not wait.
create trigger bookings_turn before insert or update of status, scheduled_at, ends_at, stripe_checkout_session_id on bookings
    for each row execute function bookings_turn();
