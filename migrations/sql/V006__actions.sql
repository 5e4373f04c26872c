-- What the artist's actions need: a confirmation that can be taken back, the terms of a cancellation, a missed appointment.

alter table bookings
    -- What the artist keeps of the money that a called-off booking had received: the rest is owed to the client, and
    -- "refunded" means that this much is left. Null while no terms apply.
    add column kept_cents bigint,
    -- The client did not come.
    add column no_show boolean not null default false,
    -- Until when a confirmation by hand can be taken back, and when the hold ends that would come back.
    add column undo_until timestamptz,
    add column undo_hold_expires_at timestamptz,
    -- For the artist's eyes only.
    add column note text not null default '',
    add constraint bookings_kept_of_cancelled check (kept_cents is null or (status = 'cancelled' and kept_cents >= 0)),
    -- A client can only have missed what took place.
    add constraint bookings_no_show_is_completed check (not no_show or status = 'completed'),
    -- Money makes a confirmation final: from then on it is cancelled by the policy, not taken back.
    add constraint bookings_undo_of_unpaid check (undo_until is null or (status = 'confirmed' and payment_status = 'unpaid')),
    add constraint bookings_undo_hold_needs_undo check (undo_hold_expires_at is null or undo_until is not null),
    add constraint bookings_note_is_short check (length(note) <= 2000);

-- As in V003, and back from a confirmation by hand to the hold it came from.
create or replace function bookings_guard() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    if new.status <> old.status
        and not (
            (old.status = 'pending' and new.status in ('confirmed', 'cancelled'))
            or (old.status = 'confirmed' and new.status in ('cancelled', 'completed'))
            or (old.status = 'confirmed' and new.status = 'pending' and old.undo_until is not null)
            -- Money that arrives after the hold ran out revives the booking, when the slot is still free.
            or (old.status = 'cancelled' and new.status = 'confirmed'
                and old.cancel_reason in ('hold_expired', 'payment_failed'))
        )
    then
        raise exception 'a booking cannot go from % to %', old.status, new.status
            using errcode = 'check_violation', constraint = 'bookings_status_transition';
    end if;
    if (new.status, new.payment_status, new.scheduled_at, new.ends_at, new.no_show)
        is distinct from (old.status, old.payment_status, old.scheduled_at, old.ends_at, old.no_show)
        and new.version <= old.version
    then
        raise exception 'a booking changes state only with a higher version'
            using errcode = 'check_violation', constraint = 'bookings_version_rises';
    end if;
    if new.id <> old.id or new.artist_id <> old.artist_id or new.acompte_amount <> old.acompte_amount then
        raise exception 'a booking keeps its id, its artist and its deposit'
            using errcode = 'check_violation', constraint = 'bookings_terms_are_fixed';
    end if;
    return new;
end
$$;
