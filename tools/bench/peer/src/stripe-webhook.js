// POST /api/webhooks/stripe, as far as a payment goes: what the other events would add is not measured.
import { randomUUID } from "node:crypto";
import { rows, warmUp } from "./database.js";
import { insertJobs, job, mail, send } from "./jobs.js";
import { stripe } from "./stripe.js";
import { Refusal, bodyOf, serve } from "./web.js";

const secrets = process.env.STRIPE_WEBHOOK_SECRETS.split(",");

const FIND = `select b.id, b.artist_id, b.version, b.status, b.payment_problem, b.acompte_amount::text, b.currency, b.stripe_payment_intent_id,
    a.cal_com_event_type_id is not null as has_calendar,
    (select coalesce(jsonb_agg(jsonb_build_object('kind', p.kind, 'stripe_id', p.stripe_id)), '[]') from payments p where p.booking_id = b.id) as ledger,
    exists (select from stripe_events e where e.id = $2) as event_is_known
  from bookings b join artists a on a.id = b.artist_id where b.id = $1`;

const APPLY = `with locked as materialized (
    select id, artist_id from bookings where id = $1 and version = $2 for update
  ), seen as (
    insert into stripe_events (id, type, api_version, account, livemode, created_at, received_at, booking_id, outcome, payload)
    select e->>'id', e->>'type', e->>'api_version', e->>'account', (e->>'livemode')::boolean, (e->>'created_at')::timestamptz,
      $4::timestamptz, locked.id, $5::text, e->'payload' from locked, (select $3::jsonb as e) as event
    on conflict (id) do nothing returning id
  ), go as materialized (
    select * from locked where exists (select from seen)
  ), moved as (
    update bookings b set status = 'confirmed', payment_status = 'paid', cancel_reason = null, hold_expires_at = null,
      stripe_payment_intent_id = $6, confirmed_at = $4, client_origin = null, version = b.version + 1, updated_at = $4
    from go where b.id = go.id returning b.id
  ), history as (
    insert into booking_events (booking_id, at, actor, kind, data)
    select go.id, $4, h.actor, h.kind, h.data from go, jsonb_to_recordset($7::jsonb) as h(actor text, kind text, data jsonb)
  ), ledger as (
    insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id, occurred_at, recorded_at)
    select l.id, go.id, go.artist_id, l.kind, l.amount, l.currency, l.stripe_id, l.stripe_id, l.occurred_at, $4
    from go, jsonb_to_record($8::jsonb) as l(id uuid, kind text, amount bigint, currency text, stripe_id text, occurred_at timestamptz)
    on conflict (kind, stripe_id) do nothing
  ), jobs as (${insertJobs("$9", "go")})
  select exists (select from locked) as found, exists (select from go) as went, array(select id from jobs) as jobs`;

function verified(event) {
  for (const secret of secrets) {
    try {
      return stripe.webhooks.constructEvent(bodyOf(event), event.headers["stripe-signature"] ?? "", secret);
    } catch (error) {
      if (error.type !== "StripeSignatureVerificationError")
        throw new Refusal(400, "malformed", "The request cannot be read");
    }
  }
  throw new Refusal(401, "unauthenticated", "Not authenticated");
}

async function paid(event, session, now) {
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const [booking] = await rows(FIND, [session.metadata?.booking_id ?? session.client_reference_id, event.id]);
    if (!booking) return "unknown_booking";
    if (booking.event_is_known) return "known_event";
    const payment = session.payment_intent;
    if (booking.ledger.some((entry) => entry.kind === "capture" && entry.stripe_id === payment))
      return "already_applied";
    const asAsked =
      session.amount_total === Math.round(Number(booking.acompte_amount) * 100) &&
      session.currency === booking.currency;
    if (booking.status !== "pending" || !asAsked)
      throw new Refusal(500, "internal", "Only a hold that is paid as asked is measured");
    const version = booking.version + 1;
    const jobs = [mail(booking.id, "artist_confirmed", "1", now), mail(booking.id, "client_confirmed", "1", now)];
    if (booking.has_calendar)
      jobs.unshift(job({ kind: "sync_calendar", booking: booking.id }, `sync_calendar:${booking.id}:${version}`, now));
    const at = new Date(event.created * 1000);
    const data = { payment_intent: payment, amount_cents: session.amount_total, currency: session.currency };
    const [done] = await rows(APPLY, [
      booking.id,
      booking.version,
      JSON.stringify({
        id: event.id,
        type: event.type,
        api_version: event.api_version,
        account: event.account,
        livemode: event.livemode,
        created_at: at,
        payload: session,
      }),
      new Date(now),
      "confirmed",
      payment,
      JSON.stringify([
        { actor: "stripe", kind: "payment_received", data },
        { actor: "system", kind: "confirmed", data },
      ]),
      JSON.stringify({
        id: randomUUID(),
        kind: "capture",
        amount: session.amount_total,
        currency: session.currency,
        stripe_id: payment,
        occurred_at: at,
      }),
      JSON.stringify(jobs),
    ]);
    if (!done.found) continue;
    if (!done.went) return "known_event";
    await send(done.jobs);
    return "confirmed";
  }
  throw new Refusal(503, "try-again", "Try again in a moment");
}

async function webhook(request) {
  const now = Date.now();
  const event = verified(request);
  const session = event.data.object;
  const outcome =
    event.type === "checkout.session.completed" && session.payment_status === "paid"
      ? await paid(event, session, now)
      : "ignored";
  return [200, { received: true, outcome }];
}

warmUp().then(() => serve("POST", webhook));
