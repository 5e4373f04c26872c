// POST /api/bookings/create
import { createHash, randomUUID } from "node:crypto";
import { DateTime } from "luxon";
import { rows, warmUp } from "./database.js";
import { insertJobs, mail, send } from "./jobs.js";
import { bookableUntil, durationOf, freeSlots, hasLapsed, local, reach } from "./schedule.js";
import { stripe } from "./stripe.js";
import { Refusal, bodyOf, serve } from "./web.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const site = process.env.PUBLIC_URL;
const setting = (name, otherwise) => Number(process.env[name] ?? otherwise);
const limits = {
  requests: setting("RATE_LIMIT_BOOKINGS_PER_HOUR", 20),
  client: setting("MAX_HOLDS_PER_CLIENT", 3),
  artist: setting("MAX_HOLDS_PER_ARTIST", 30),
};

const HOLD = `jsonb_build_object('id', b.id, 'status', b.status, 'hold_expires_at', b.hold_expires_at,
  'checkout_expires_at', b.checkout_expires_at, 'session', b.stripe_checkout_session_id, 'checkout_url', b.checkout_url,
  'title', b.title, 'nature', b.policy->'nature', 'deposit', b.acompte_amount::text, 'email', b.client_email,
  'locale', b.client_locale, 'start', b.scheduled_at, 'end', b.ends_at, 'account', b.stripe_account_id)`;

const ASK = `with counted as (
    insert into rate_limits (bucket, window_start, count) values ('create-booking:' || encode($8::bytea, 'hex'), $9, 1)
    on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning count
  ) select a.*, (select count from counted) as requests,
  (select count(*)::int from bookings b where b.status = 'pending' and b.hold_expires_at > $10
    and (b.client_email = $6 or b.client_origin = $8)) as holds_by_client,
  (select count(*)::int from bookings b where b.status = 'pending' and b.hold_expires_at > $10 and b.artist_id = a.artist_id) as holds_on_artist,
  (select ${HOLD} from bookings b where b.artist_id = a.artist_id and b.status = 'pending' and b.hold_expires_at > $10
    and b.scheduled_at = $5 and b.client_email = $6 and b.client_phone = $7 and b.flash_id is not distinct from $2::uuid) as own,
  i.request_hash, (select ${HOLD} from bookings b where b.id = i.booking_id) as earlier
  from agenda($1, $2::uuid, $3, $4) a left join idempotency_keys i on i.scope = 'create-booking' and i.key = $11`;

const WRITE = `with claimed as (
    insert into idempotency_keys (scope, key, request_hash, booking_id, created_at)
    select 'create-booking', $4::text, $5::bytea, ($2::jsonb->>'id')::uuid, $3::timestamptz where $4::text is not null
    on conflict (scope, key) do nothing returning key
  ), held as (
    insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
      flash_id, unique_flash_id, project_description, project_body_zone, project_budget,
      client_name, client_email, client_phone, client_locale, client_origin, client_wide,
      hold_expires_at, checkout_expires_at, stripe_account_id, calendar_state, created_at, updated_at)
    select r.id, $1::uuid, r.type, 'pending', r.scheduled_at, r.ends_at, r.acompte_amount, r.price, r.title, r.policy,
      r.flash_id, r.unique_flash_id, r.project_description, r.project_body_zone, r.project_budget,
      r.client_name, r.client_email, r.client_phone, r.client_locale, $7::bytea, $7::bytea,
      r.hold_expires_at, r.checkout_expires_at, r.stripe_account_id, 'off', $3, $3
    from jsonb_to_record($2::jsonb) as r(id uuid, type text, scheduled_at timestamptz, ends_at timestamptz,
      acompte_amount numeric, price numeric, title text, policy jsonb, flash_id uuid, unique_flash_id uuid,
      project_description text, project_body_zone text, project_budget numeric,
      client_name text, client_email text, client_phone text, client_locale text,
      hold_expires_at timestamptz, checkout_expires_at timestamptz, stripe_account_id text)
    where $4::text is null or exists (select from claimed)
    returning id
  ), history as (
    insert into booking_events (booking_id, at, actor, kind) select id, $3, 'client', 'held' from held
  ), jobs as (${insertJobs("$6", "held")})
  select exists (select from held) as held, array(select id from jobs) as jobs`;

const OPENED = `update bookings set stripe_checkout_session_id = $2, checkout_url = $3, updated_at = $4
  where id = $1 and status = 'pending' returning id`;

const text = (value, longest) => typeof value === "string" && value.trim() !== "" && value.length <= longest;

function parse(event) {
  if (!/^application\/json\b/i.test(event.headers["content-type"] ?? ""))
    throw new Refusal(415, "unsupported-media-type", "The body must be JSON");
  let body;
  try {
    body = JSON.parse(bodyOf(event));
  } catch {
    throw new Refusal(400, "malformed", "The request cannot be read");
  }
  const { artist, type, flash_id: flash, project = {}, client = {}, start, locale = "fr" } = body;
  const errors = [];
  const wrong = (pointer, detail) => errors.push({ pointer: `#${pointer}`, detail });
  if (!artist) wrong("/artist", "Ce champ est obligatoire.");
  if (Number.isNaN(Date.parse(start)))
    wrong("/start", "L’heure doit être au format RFC 3339, par exemple 2026-12-01T09:00:00Z.");
  if (!text(client.name, 100)) wrong("/client/name", "Ce champ est obligatoire.");
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(client.email ?? "")) wrong("/client/email", "L’adresse n’est pas complète.");
  const phone = (client.phone ?? "")
    .replace(/[\s.()-]/g, "")
    .replace(/^00/, "+")
    .replace(/^0/, "+33");
  if (!/^\+[1-9]\d{6,14}$/.test(phone)) wrong("/client/phone", "Ce numéro n’existe pas.");
  if (type !== "flash" && type !== "project") wrong("/type", "Doit être « flash » ou « project ».");
  if (type === "project" && !text(project.description, 2000))
    wrong("/project/description", "Ce champ est obligatoire.");
  if (type === "project" && !text(project.body_zone, 100)) wrong("/project/body_zone", "Ce champ est obligatoire.");
  if (errors.length) throw new Refusal(422, "invalid", "Some fields need your attention", { errors });
  return {
    artist,
    type,
    flash: type === "flash" ? flash : null,
    project,
    start: Date.parse(start),
    locale,
    name: client.name.trim(),
    email: client.email.trim().toLowerCase(),
    phone,
  };
}

const cents = (euros) => Math.round(Number(euros) * 100);

function deposit(agenda) {
  if (!agenda.flash_id) return agenda.project_deposit;
  if (agenda.flash_deposit) return agenda.flash_deposit;
  const share = Math.round((cents(agenda.flash_price) * agenda.deposit_percent) / 100);
  return (Math.min(cents(agenda.flash_price), Math.max(share, cents(agenda.deposit_minimum))) / 100).toFixed(2);
}

const isLive = (hold, now) =>
  hold.status === "pending" && hold.hold_expires_at !== null && Date.parse(hold.hold_expires_at) > now;

function answer(hold, zone, now) {
  return [
    201,
    {
      booking_id: hold.id,
      status: hold.status,
      checkout_url: isLive(hold, now) ? hold.checkout_url : null,
      hold_expires_at: hold.hold_expires_at && local(+new Date(hold.hold_expires_at), zone),
      deposit_cents: cents(hold.deposit),
      currency: "eur",
      start: local(+new Date(hold.start), zone),
      end: local(+new Date(hold.end), zone),
    },
  ];
}

/** Brings a hold to the point where it can be paid, whether it is new or was left half-way. */
async function takeUp(hold, zone, jobs, now) {
  if (hold.checkout_url || !isLive(hold, now)) return answer(hold, zone, now);
  const nature = hold.locale === "en" ? "Deposit" : hold.nature === "arrhes" ? "Arrhes" : "Acompte";
  const title = `${nature} – ${hold.title || (hold.locale === "en" ? "Custom project" : "Projet sur mesure")}`;
  const metadata = { booking_id: hold.id };
  const opening = stripe.checkout.sessions.create(
    {
      mode: "payment",
      allowed_payment_method_types: ["card"],
      adaptive_pricing: { enabled: false },
      line_items: [
        {
          quantity: 1,
          price_data: { currency: "eur", unit_amount: cents(hold.deposit), product_data: { name: title } },
        },
      ],
      payment_intent_data: { description: title, metadata },
      metadata,
      client_reference_id: hold.id,
      customer_email: hold.email,
      locale: hold.locale,
      expires_at: Math.floor(Date.parse(hold.checkout_expires_at) / 1000),
      success_url: `${site}/booking/success?id=${hold.id}`,
      cancel_url: `${site}/booking/cancel?id=${hold.id}`,
    },
    { idempotencyKey: `checkout:${hold.id}:1`, stripeAccount: hold.account ?? undefined },
  );
  const [session] = await Promise.all([opening, send(jobs, 600)]);
  const opened = await rows(OPENED, [hold.id, session.id, session.url, new Date(now)]);
  if (!opened.length) {
    await stripe.checkout.sessions.expire(session.id);
    throw new Refusal(503, "try-again", "Try again in a moment");
  }
  return answer({ ...hold, session: session.id, checkout_url: session.url }, zone, now);
}

async function create(event) {
  const now = Date.now();
  const wish = parse(event);
  const key = event.headers["idempotency-key"] ?? null;
  const hash = createHash("sha256").update(bodyOf(event)).digest();
  const address = (event.headers[process.env.CLIENT_IP_HEADER] ?? "").replace(/:\d+$/, "");
  const origin = createHash("sha256").update(address).digest();
  const around = new Date(wish.start - 48 * HOUR).toISOString().slice(0, 10);
  const window = reach(around, 11);
  const hour = new Date(Math.floor(now / HOUR) * HOUR);
  const [agenda] = await rows(ASK, [
    wish.artist,
    wish.flash,
    ...window,
    new Date(wish.start),
    wish.email,
    wish.phone,
    origin,
    hour,
    new Date(now),
    key,
  ]);
  if (!agenda) throw new Refusal(404, "not-found", "Not found");
  if (agenda.request_hash) {
    if (!agenda.request_hash.equals(hash))
      throw new Refusal(409, "idempotency-mismatch", "This idempotency key belongs to another request");
    if (!agenda.earlier) throw new Refusal(409, "request-in-progress", "The same request is in progress");
    return takeUp(agenda.earlier, agenda.timezone, [], now);
  }
  if (agenda.own) return takeUp(agenda.own, agenda.timezone, [], now);
  if (agenda.requests > limits.requests) throw new Refusal(429, "too-many-requests", "Too many requests");
  if (agenda.holds_by_client >= limits.client || agenda.holds_on_artist >= limits.artist)
    throw new Refusal(429, "too-many-holds", "Too many unpaid bookings");
  if (wish.flash && !agenda.flash_id) throw new Refusal(404, "not-found", "Not found");

  const date = DateTime.fromMillis(wish.start, { zone: agenda.timezone }).toISODate();
  if (date > bookableUntil(agenda, now)) throw new Refusal(409, "too-far-ahead", "This date cannot be booked yet");
  const taken = (slug) =>
    new Refusal(409, slug, "This slot is no longer free", { slots: freeSlots(agenda, date, 7, now) });
  if (agenda.flash_holder && !hasLapsed(agenda.flash_holder, now)) throw taken("flash-taken");
  const slot = freeSlots(agenda, date, 1, now)[0].slots.find(([start]) => start === wish.start);
  if (!slot) throw taken("slot-taken");

  const id = randomUUID();
  const ends = now + setting("HOLD_MINUTES", 30) * MINUTE;
  const unique = agenda.flash_id && !agenda.flash_repeatable;
  const hold = {
    id,
    status: "pending",
    hold_expires_at: new Date(ends),
    checkout_expires_at: new Date(ends + 5 * MINUTE),
    checkout_url: null,
    title: agenda.flash_title ?? "",
    nature: agenda.deposit_nature,
    deposit: deposit(agenda),
    email: wish.email,
    locale: wish.locale,
    start: new Date(slot[0]),
    end: new Date(slot[1]),
    account: agenda.stripe_account_id,
  };
  const row = {
    id,
    type: wish.type,
    scheduled_at: hold.start,
    ends_at: new Date(slot[0] + durationOf(agenda) * MINUTE),
    acompte_amount: hold.deposit,
    price: agenda.flash_price,
    title: hold.title,
    policy: {
      full_refund_hours: agenda.policy_full_refund_hours,
      late_refund_percent: agenda.policy_late_refund_percent,
      free_moves: agenda.policy_free_moves,
      nature: agenda.deposit_nature,
    },
    flash_id: agenda.flash_id,
    unique_flash_id: unique ? agenda.flash_id : null,
    project_description: wish.project.description?.trim(),
    project_body_zone: wish.project.body_zone?.trim(),
    project_budget: wish.project.budget ? Number(wish.project.budget).toFixed(2) : null,
    client_name: wish.name,
    client_email: wish.email,
    client_phone: wish.phone,
    client_locale: wish.locale,
    hold_expires_at: hold.hold_expires_at,
    checkout_expires_at: hold.checkout_expires_at,
    stripe_account_id: hold.account,
  };
  const jobs = [mail(id, "client_held", "1", now, 600_000)];
  let written;
  try {
    [written] = await rows(WRITE, [
      agenda.artist_id,
      JSON.stringify(row),
      new Date(now),
      key,
      key && hash,
      JSON.stringify(jobs),
      origin,
    ]);
  } catch (error) {
    if (error.constraint === "bookings_no_overlap") throw taken("slot-taken");
    if (error.constraint === "bookings_one_live_per_unique_flash") throw taken("flash-taken");
    throw error;
  }
  if (!written.held) throw new Refusal(409, "request-in-progress", "The same request is in progress");
  return takeUp(hold, agenda.timezone, written.jobs, now);
}

warmUp().then(() => serve("POST", create));
