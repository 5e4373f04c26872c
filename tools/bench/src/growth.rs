//! What becomes of an answer as the tables grow: the same question to databases of a thousand to ten million bookings, side
//! by side, and how many rows each answer looked at.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::lambda::Instance;
use crate::stats::Series;
use crate::work::{Desk, POLICY, Work, sql_id};
use crate::world::World;

/// Bookings of one artist; more bookings are more artists, as in a year that goes well.
const PER_ARTIST: u64 = 1_000;

/// The most rows of a table that is only reached by a key.
pub const REACHED_BY_KEY: u64 = 1_000_000;

/// Free space that the largest database needs, in bytes, with its indexes while they are made.
pub const ROOM_FOR_TEN_MILLION: u64 = 25 << 30;

/// A machine that takes longer than this for a million bookings would be at ten million for half an hour.
pub const TOO_SLOW_FOR_TEN_MILLION: Duration = Duration::from_secs(150);

/// Tables that grow with the business. Nobody may read one from end to end to answer a request.
pub const GROWING: &[&str] =
    &["bookings", "payments", "booking_events", "stripe_events", "outbox", "email_deliveries", "idempotency_keys"];

/// The work whose cost must not grow.
pub const STEADY: &[Work] = &[
    Work::Slots,
    Work::CreateBooking,
    Work::StripeWebhook,
    Work::Stray,
    Work::BookingStatus,
    Work::CalendarFile,
    Work::Stats,
    Work::Bookings,
    Work::Worker,
    Work::Sweeper,
];

/// Makes a database with so many bookings and all that goes with them.
///
/// Indexes are made after the rows, and foreign keys are not looked at while they are written: that they hold is known.
pub fn fill(world: &World, database: &str, bookings: u64) -> Result<()> {
    let client = world.owner(database)?;
    let (booking, artist, payment) = (sql_id('f'), sql_id('9'), sql_id('8'));
    // Past one, three in a hundred of the rows are what an artist sees of the future.
    let when = "date_trunc('day', now()) + (case when n % 1000 < 40 then n % 1000 + 1 else 39 - n % 1000 end) * interval '1 day' + interval '12 hours'";
    let last = bookings - 1;
    let mut statements = vec![
        "set session_replication_role = replica; set maintenance_work_mem = '512MB'; set synchronous_commit = off".to_owned(),
        r"create temp table taken_down as
             select conrelid::regclass::text as owner, format('alter table %s drop constraint %I', conrelid::regclass, conname) as down,
                 format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as up
             from pg_constraint where conrelid in ('bookings'::regclass, 'payments'::regclass) and contype in ('u', 'x')
             union all select indrelid::regclass::text, format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
             from pg_index where indrelid in ('bookings'::regclass, 'payments'::regclass)
                 and not exists (select from pg_constraint where conindid = indexrelid);
         do $$ declare step text; begin for step in select down from taken_down loop execute step; end loop; end $$"
            .to_owned(),
        format!(
            r"insert into artists (id, user_id, slug, display_name, email, minimum_notice_minutes, slot_step_minutes, project_duration_minutes, takes_deposits)
             select {artist}, {artist}, 'grown-' || n, 'Grown ' || n, 'grown-' || n || '@bench.example', 0, 60, 120, true
             from generate_series(0, {last} / {PER_ARTIST}) n;
             insert into availability (id, artist_id, weekday, opens_minute, closes_minute)
             select gen_random_uuid(), {artist}, weekday, 600, 1140
             from generate_series(0, least({last} / {PER_ARTIST}, 1000)) n, generate_series(1, 7) weekday"
        ),
        format!(
            r"insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy, payment_status,
                 project_description, client_name, client_email, client_phone, cancel_reason, stripe_checkout_session_id,
                 stripe_payment_intent_id, created_at, updated_at, confirmed_at)
             select {booking}, ('019aaaa9-0000-7000-8000-' || lpad(to_hex(n / {PER_ARTIST}), 12, '0'))::uuid, 'project',
                 case when n % 1000 < 40 then 'confirmed' when n % 8 = 0 then 'cancelled' else 'completed' end,
                 {when}, {when} + interval '2 hours', 50, 'Projet sur mesure', {POLICY},
                 case when n % 1000 >= 40 and n % 8 = 0 then 'refunded' else 'paid' end, 'Une pivoine au trait fin',
                 'Jo Martin ' || n, 'jo' || n || '@example.fr', '+33612345678',
                 case when n % 1000 >= 40 and n % 8 = 0 then 'client' end, 'cs_test_grown' || n, 'pi_grown' || n,
                 {when} - interval '20 days', {when} - interval '20 days', {when} - interval '20 days'
             from generate_series(0, {last}) n"
        ),
        format!(
            r"insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id,
                 occurred_at, recorded_at)
             select {payment}, {booking}, ('019aaaa9-0000-7000-8000-' || lpad(to_hex(n / {PER_ARTIST}), 12, '0'))::uuid, 'capture', 5000,
                 'eur', 'pi_grown' || n, 'pi_grown' || n, {when} - interval '20 days', {when} - interval '20 days'
             from generate_series(0, {last}) n"
        ),
    ];
    // Ten million of each would only test the disk.
    let last_key = last.min(REACHED_BY_KEY - 1);
    statements.push(format!(
        r"insert into booking_events (booking_id, at, actor, kind) select {booking}, now(), 'client', 'held' from generate_series(0, {last_key}) n;
         insert into stripe_events (id, type, livemode, created_at, received_at, booking_id, outcome, payload)
         select 'evt_grown' || n, 'checkout.session.completed', false, now(), now(), {booking}, 'confirmed', '{{}}'
         from generate_series(0, {last_key}) n;
         insert into outbox (id, kind, booking_id, dedupe_key, created_at, relay_at, done_at, outcome)
         select {booking}, 'send_email', {booking}, 'grown:' || n, now(), now(), now(), 'done' from generate_series(0, {last_key}) n;
         insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, created_at)
         select {booking}, {booking}, 'client_confirmed', '1', 'jo@example.fr', 'sent', now() from generate_series(0, {last_key}) n;
         insert into idempotency_keys (scope, key, request_hash, booking_id, created_at)
         select 'create-booking', 'grown-' || n, '\x00', {booking}, now() from generate_series(0, {last_key}) n"
    ));
    statements.push(
        r"do $$ declare step text; begin for step in select up from taken_down loop execute step; end loop; end $$;
         set session_replication_role = origin"
            .to_owned(),
    );
    statements.push("vacuum analyze".to_owned());
    for statement in statements {
        world.wait(client.batch_execute(&statement)).with_context(|| format!("filling {database}: {statement}"))?;
    }
    Ok(())
}

/// What one kind of work cost at one size.
#[derive(Debug)]
pub struct Cost {
    pub work: Work,
    /// How many bookings there are.
    pub bookings: u64,
    /// What an invocation took, in milliseconds.
    pub wall: Series,
    /// Rows that an invocation looked at, by table or by index.
    pub rows_read: f64,
    /// Growing tables that were read from end to end.
    pub read_whole: Vec<String>,
}

/// Asks databases of several sizes in turn.
pub fn measure(world: &World, databases: &[(&'static str, u64)], invocations: usize) -> Result<Vec<Cost>> {
    const TURN: usize = 10;
    let mut costs = Vec::new();
    let mut desks: Vec<Desk<'_>> = Vec::new();
    for (database, _) in databases {
        let mut desk = Desk::open(world, database)?;
        desk.ask_about_the_many();
        desk.prepare(invocations as u64 * 2 + 20)?;
        desks.push(desk);
    }
    for work in STEADY {
        let mut instances = Vec::new();
        for ((database, bookings), desk) in databases.iter().zip(&mut desks) {
            let program = world.function(work.function()).with("DATABASE_URL", &world.app_url(database, None));
            let (rows_read, read_whole) = rows_read(world, database, &program, *work, desk)?;
            costs.push(Cost { work: *work, bookings: *bookings, wall: Series::default(), rows_read, read_whole });
            let mut instance = Instance::start(&program)?;
            work.check(&instance.invoke(&desk.event(*work)?)?.answer)?;
            instances.push(instance);
        }
        let first = costs.len() - databases.len();
        let mut done = 0;
        while done < invocations {
            for ((instance, desk), cost) in instances.iter_mut().zip(&mut desks).zip(&mut costs[first..]) {
                for _ in 0..TURN {
                    let took = instance.invoke(&desk.event(*work)?)?;
                    work.check(&took.answer)?;
                    cost.wall.push_ms(took.wall);
                }
            }
            done += TURN;
        }
    }
    Ok(costs)
}

/// The rows that one invocation looks at in the growing tables, and those of them that were read from end to end.
///
/// The server counts for a connection when it ends, hence an instance for this alone.
pub fn rows_read(
    world: &World,
    database: &str,
    program: &crate::lambda::Program,
    work: Work,
    desk: &mut Desk<'_>,
) -> Result<(f64, Vec<String>)> {
    const INVOCATIONS: usize = 5;
    // What the invocations need is made before counting begins.
    let events: Vec<Vec<u8>> = (0..INVOCATIONS).map(|_| desk.event(work)).collect::<Result<_>>()?;
    let before = counters(world, database)?;
    {
        let mut instance = Instance::start(program)?;
        for event in &events {
            work.check(&instance.invoke(event)?.answer)?;
        }
    }
    // The server notices a moment later that its client is gone.
    let client = world.owner(database)?;
    for _ in 0..200 {
        let left =
            "select count(*) from pg_stat_activity where usename = 'inkflow_app' and datname = current_database()";
        if world.wait(client.query_one(left, &[]))?.get::<_, i64>(0) == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let after = counters(world, database)?;
    ensure!(before.len() == after.len(), "a table came or went while it was measured");
    let mut rows = 0;
    let mut whole = Vec::new();
    for ((table, scans, read), (_, scans_after, read_after)) in before.into_iter().zip(after) {
        rows += read_after - read;
        if scans_after > scans {
            whole.push(table);
        }
    }
    Ok((rows as f64 / INVOCATIONS as f64, whole))
}

/// Of each growing table: how often it was read from end to end, and how many of its rows were looked at.
fn counters(world: &World, database: &str) -> Result<Vec<(String, i64, i64)>> {
    let client = world.owner(database)?;
    let sql = r"select relname::text, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables
               where relname = any($1) order by relname";
    let rows = world.wait(client.query(sql, &[&GROWING]))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}
