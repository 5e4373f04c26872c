with counted as (
    insert into rate_limits (bucket, window_start, count)
    select distinct 'create-booking:' || encode(n.network, 'hex'), $8::timestamptz, 1
    from (values ($7), ($11)) n (network) order by 1
    on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count
) select a.*, hold_load(a.artist_id, $6, null, $7, $11, a.flash_id, $9) as load,
(select count from counted where bucket = 'create-booking:' || encode($7, 'hex')) as requests_near,
(select count from counted where bucket = 'create-booking:' || encode($11, 'hex')) as requests_wide,
(select
/* hold_json */
    jsonb_build_object('id', b.id, 'status', b.status, 'hold_expires_at', b.hold_expires_at, 'checkout_expires_at',
    b.checkout_expires_at, 'checkout_attempt', b.checkout_attempt, 'session', b.stripe_checkout_session_id,
    'checkout_url', b.checkout_url, 'title', b.title, 'policy', b.policy, 'created_at', b.created_at, 'timezone',
    coalesce(b.timezone, (select zone.timezone from artists zone where zone.id = b.artist_id)), 'deposit',
    b.acompte_amount::text, 'name', b.client_name, 'email', b.client_email, 'phone', b.client_phone, 'locale',
    b.client_locale, 'start', b.scheduled_at, 'end', b.ends_at, 'account', b.stripe_account_id)
/* end */
from bookings b where b.artist_id = a.artist_id and b.status = 'pending' and b.hold_expires_at > $9
    and b.scheduled_at = $5 and b.client_email = $6
    and b.flash_id is not distinct from $2) as own,
(select
/* hold_json */
    jsonb_build_object('id', b.id, 'status', b.status, 'hold_expires_at', b.hold_expires_at, 'checkout_expires_at',
    b.checkout_expires_at, 'checkout_attempt', b.checkout_attempt, 'session', b.stripe_checkout_session_id,
    'checkout_url', b.checkout_url, 'title', b.title, 'policy', b.policy, 'created_at', b.created_at, 'timezone',
    coalesce(b.timezone, (select zone.timezone from artists zone where zone.id = b.artist_id)), 'deposit',
    b.acompte_amount::text, 'name', b.client_name, 'email', b.client_email, 'phone', b.client_phone, 'locale',
    b.client_locale, 'start', b.scheduled_at, 'end', b.ends_at, 'account', b.stripe_account_id)
/* end */
from bookings b where b.unique_flash_id = a.flash_id and b.status = 'pending' and b.hold_expires_at > $9
    and b.client_email = $6) as own_flash,
i.request_hash,
(select
/* hold_json */
    jsonb_build_object('id', b.id, 'status', b.status, 'hold_expires_at', b.hold_expires_at, 'checkout_expires_at',
    b.checkout_expires_at, 'checkout_attempt', b.checkout_attempt, 'session', b.stripe_checkout_session_id,
    'checkout_url', b.checkout_url, 'title', b.title, 'policy', b.policy, 'created_at', b.created_at, 'timezone',
    coalesce(b.timezone, (select zone.timezone from artists zone where zone.id = b.artist_id)), 'deposit',
    b.acompte_amount::text, 'name', b.client_name, 'email', b.client_email, 'phone', b.client_phone, 'locale',
    b.client_locale, 'start', b.scheduled_at, 'end', b.ends_at, 'account', b.stripe_account_id)
/* end */
from bookings b where b.id = i.booking_id) as earlier
from agenda($1, $2, $3, $4) a left join idempotency_keys i on i.scope = 'create-booking' and i.key = $10
