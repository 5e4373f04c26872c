//! What the artist's dashboard reads and writes. Each statement begins with the user of the token: whose booking it is,
//! is decided in the flight that reads or changes it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bookings::{booking, booking_columns, euros_opt};
use super::{Db, RELAY_AFTER, Repeat, get, get_all_named, get_json, get_named, get_zone, insert_jobs, job_rows};
use crate::auth::Account;
use crate::domain::booking::{Actor, Booking, BookingKind, HistoryKind};
use crate::domain::calendar::CalendarState;
use crate::domain::contact::Locale;
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::{JobState, MailState, Occasion, Task, TaskKind, Template};
use crate::domain::money::Cents;
use crate::domain::named::named;
use crate::domain::refusal::Refusal;
use crate::error::Error;

named! {
    /// Which bookings a list is of.
    Filter {
        /// What waits for the artist, then what comes, then the rest backwards.
        All = "all",
        /// What waits for the artist.
        Todo = "todo",
        /// What comes.
        Upcoming = "upcoming",
        /// What took place.
        Past = "past",
        /// What was called off.
        Cancelled = "cancelled",
    }
}

named! {
    /// What waits for the artist.
    Todo {
        /// Somebody holds a slot: take it on, or not.
        Confirm = "confirm",
        /// Money came otherwise than asked, could not go back, or is contested.
        Payment = "payment",
        /// It was called off in Cal.com, and the artist decides.
        CalledOff = "called_off",
        /// Cal.com disagrees.
        Calendar = "calendar",
        /// A job will not be done by itself.
        Job = "job",
        /// The appointment is over: did it take place?
        Outcome = "outcome",
    }
}

named! {
    /// What the artist may do with a booking.
    Action {
        /// Take it on without its deposit.
        Confirm = "confirm",
        /// Take that back.
        UndoConfirm = "undo_confirm",
        /// Put it back into Cal.com.
        PutBack = "put_back",
        /// Call it off.
        Cancel = "cancel",
        /// Say that it took place.
        Complete = "complete",
        /// Say that nobody came.
        NoShow = "no_show",
    }
}

/// Where a page of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0: waits for the artist, 1: comes, 2: the rest.
    pub group: i32,
    /// The start of the last booking.
    pub start: Timestamp,
    /// Its id.
    pub id: Uuid,
}

/// What a list is asked for.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The user of the token.
    pub user: Account,
    /// Which bookings.
    pub filter: Filter,
    /// Words that must occur.
    pub words: Option<&'a str>,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// Only those that begin from here on.
    pub from: Option<Timestamp>,
    /// Only those that begin before this.
    pub until: Option<Timestamp>,
    /// The most rows.
    pub limit: i64,
}

/// What a list shows of a booking.
#[derive(Clone)]
pub struct Listed {
    /// Where it stands in the list.
    pub place: Place,
    /// The booking.
    pub booking: Booking,
    /// What is booked.
    pub kind: BookingKind,
    /// What it is called; empty for a project.
    pub title: String,
    /// The whole price; none for a project.
    pub price: Option<Cents>,
    /// The client's name.
    pub client_name: String,
    /// Their address.
    pub client_email: String,
    /// Their number.
    pub client_phone: String,
    /// Their language.
    pub client_locale: Locale,
    /// Whether Cal.com knows.
    pub calendar_state: CalendarState,
    /// The jobs that will not be done by themselves.
    pub failed_jobs: i64,
    /// What the artist must do.
    pub todo: Vec<Todo>,
    /// The picture of its flash.
    pub flash_image: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The zone on whose clock it is told.
    pub zone: TimeZone,
    /// The artist's present one.
    pub home: TimeZone,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed").field("id", &self.booking.id).finish_non_exhaustive()
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The artist's language.
    pub locale: Locale,
    /// Their zone.
    pub zone: TimeZone,
    /// The bookings, in order.
    pub entries: Vec<Listed>,
}

/// The columns of a [`Listed`], from `bookings b`, `artists a` and `flashes f`; `$2` is now.
macro_rules! listed_columns {
    () => {
        concat!(
            booking_columns!(),
            r", b.type, b.title, b.price::text, b.client_name, b.client_email, b.client_phone, b.client_locale,
             b.calendar_state, b.created_at, coalesce(b.timezone, a.timezone) as zone, a.timezone as home, f.image as flash_image, dashboard_todo(b, $2) as todo,
             (select count(*) from outbox o where o.booking_id = b.id and o.outcome in ('dead', 'discarded')
                 and job_failed(o.outcome, o.last_error)) as failed_jobs"
        )
    };
}

fn listed(row: &Row, group: i32) -> Result<Listed, Error> {
    let booking = booking(row)?;
    Ok(Listed {
        place: Place { group, start: booking.starts_at, id: booking.id.uuid() },
        kind: get_named(row, "type", BookingKind::parse)?,
        title: get(row, "title")?,
        price: euros_opt(row, "price")?,
        client_name: get(row, "client_name")?,
        client_email: get(row, "client_email")?,
        client_phone: get(row, "client_phone")?,
        client_locale: Locale::from_tag(get(row, "client_locale")?),
        calendar_state: get_named(row, "calendar_state", CalendarState::parse)?,
        failed_jobs: get(row, "failed_jobs")?,
        todo: get_all_named(row, "todo", Todo::parse)?,
        flash_image: get(row, "flash_image")?,
        created_at: get(row, "created_at")?,
        zone: get_zone(row, "zone")?,
        home: get_zone(row, "home")?,
        booking,
    })
}

/// What every part of a list asks of a booking: the words, the dates, and that it comes after the page before.
macro_rules! part {
    ($group:literal, $from:literal, $where:literal, $beyond:literal, $order:literal) => {
        concat!(
            "(select ",
            $group,
            " as grp, b.scheduled_at, b.id from ",
            $from,
            r" where ($3::text is null or b.search like folded($3)) and ($8::timestamptz is null or b.scheduled_at >= $8)
             and ($9::timestamptz is null or b.scheduled_at < $9) and ($4 < ",
            $group,
            " or ($4 = ",
            $group,
            " and (b.scheduled_at, b.id) ",
            $beyond,
            " ($5, $6))) and ",
            $where,
            " order by b.scheduled_at ",
            $order,
            ", b.id ",
            $order,
            " limit $7)"
        )
    };
}

const TODO: &str = part!("0", "waiting w join bookings b on b.id = w.id", "true", ">", "asc");
// `(select id from me)` and no join: so the planner knows that there is one artist, whose bookings the index has in order.
// No appointment is longer than a day, so that one that ends later than now began at most a day ago.
const UPCOMING: &str = part!(
    "1",
    "bookings b",
    r"b.artist_id = (select id from me) and b.status in ('pending', 'confirmed') and b.scheduled_at > $2::timestamptz - interval '25 hours' and b.ends_at > $2
     and not exists (select from waiting w where w.id = b.id)",
    ">",
    "asc"
);
const REST: &str = part!(
    "2",
    "bookings b",
    "b.artist_id = (select id from me) and not (b.status in ('pending', 'confirmed') and b.ends_at > $2) and not exists (select from waiting w where w.id = b.id)",
    "<",
    "desc"
);
const PAST: &str = part!(
    "2",
    "bookings b",
    "b.artist_id = (select id from me) and (b.status = 'completed' or (b.status = 'confirmed' and b.ends_at <= $2))",
    "<",
    "desc"
);
const CANCELLED: &str =
    part!("2", "bookings b", "b.artist_id = (select id from me) and b.status = 'cancelled'", "<", "desc");

/// The statement of a view, for the test that asks Postgres how it goes about it.
pub fn list_sql(filter: Filter) -> String {
    let parts: &[&str] = match filter {
        Filter::All => &[TODO, UPCOMING, REST],
        Filter::Todo => &[TODO],
        Filter::Upcoming => &[UPCOMING],
        Filter::Past => &[PAST],
        Filter::Cancelled => &[CANCELLED],
    };
    let waiting = match filter {
        Filter::All | Filter::Todo => "select w.* from me cross join lateral dashboard_waiting(me.id, $2) w",
        Filter::Upcoming | Filter::Past | Filter::Cancelled => "select null::uuid as id where false",
    };
    format!(
        r"with me as materialized (select * from artists where user_id = account($1)), waiting as materialized ({waiting}),
         page as materialized (
             select grp, id, row_number() over (order by grp, case when grp < 2 then scheduled_at end,
                 case when grp < 2 then id end, scheduled_at desc, id desc) as place
             from ({}) parts order by place limit $7
         )
         select a.locale as artist_locale, a.timezone, page.grp, {}
         from me a left join page on true left join bookings b on b.id = page.id left join flashes f on f.id = b.flash_id
         order by page.place",
        parts.join(" union all "),
        listed_columns!(),
    )
}

/// A page of a list of the artist's bookings. One flight.
///
/// # Errors
/// The account has no artist, or the database failed.
pub async fn list(db: &Db, question: &Question<'_>, now: Timestamp) -> Result<Page, Error> {
    let place = question.after.unwrap_or(Place { group: -1, start: Timestamp::UNIX_EPOCH, id: Uuid::nil() });
    let pattern = question.words.map(pattern);
    let rows = db
        .rows(
            Repeat::Safe,
            &list_sql(question.filter),
            &[
                (&question.user, Type::UUID_ARRAY),
                (&now, Type::TIMESTAMPTZ),
                (&pattern, Type::TEXT),
                (&place.group, Type::INT4),
                (&place.start, Type::TIMESTAMPTZ),
                (&place.id, Type::UUID),
                (&question.limit, Type::INT8),
                (&question.from, Type::TIMESTAMPTZ),
                (&question.until, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let first = rows.first().ok_or(Error::NoArtist)?;
    Ok(Page {
        locale: Locale::from_tag(get(first, "artist_locale")?),
        zone: get_zone(first, "timezone")?,
        entries: rows
            .iter()
            .filter_map(|row| get::<Option<i32>>(row, "grp").transpose().map(|group| listed(row, group?)))
            .collect::<Result<_, _>>()?,
    })
}

/// What `like` looks for. A number is found however it is grouped, and with the prefix that it is stored with.
fn pattern(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && words.chars().all(|c| c.is_ascii_digit() || " .-+()/".contains(c));
    let sought = if is_number { digits.trim_start_matches('0').to_owned() } else { words };
    let escaped = sought.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// One line of the history.
#[derive(Debug, Clone, Deserialize)]
pub struct TimelineLine {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: HistoryKind,
    /// Details.
    pub data: Value,
}

/// A mail on record.
#[derive(Debug, Clone, Deserialize)]
pub struct MailRow {
    /// Which of the mails.
    pub template: Template,
    /// Tells two of them apart.
    pub occasion: Occasion,
    /// To whom.
    pub recipient: String,
    /// What became of it.
    pub status: MailState,
    /// When it went out.
    pub sent_at: Option<Timestamp>,
    /// Why it was refused.
    pub error: Option<String>,
}

/// A job of a booking.
#[derive(Debug, Clone, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: TaskKind,
    /// Which mail, of one that sends one.
    pub template: Option<Template>,
    /// Tells two wanted mails of one template apart.
    pub occasion: Option<Occasion>,
    /// How often it was begun.
    pub attempts: i32,
    /// Until when somebody is at it.
    pub locked_until: Option<Timestamp>,
    /// How it ended, once it has.
    pub outcome: Option<JobState>,
    /// What happened last.
    pub last_error: Option<String>,
    /// It will not be done by itself.
    pub failed: bool,
}

/// Everything the dashboard shows of one booking.
#[derive(Debug)]
pub struct Detail {
    /// What the list shows.
    pub listed: Listed,
    /// What the client wants, of a project: description, place on the body, budget.
    pub project: Option<(String, String, Option<Cents>)>,
    /// The artist's note.
    pub note: String,
    /// What Cal.com said.
    pub calendar_note: Option<String>,
    /// The history, oldest first.
    pub timeline: Vec<TimelineLine>,
    /// The mails, oldest first.
    pub mails: Vec<MailRow>,
    /// The jobs, oldest first.
    pub jobs: Vec<JobRow>,
}

/// Reads one booking of the artist. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn detail(db: &Db, user: Account, id: BookingId, now: Timestamp) -> Result<Detail, Error> {
    const SQL: &str = concat!(
        "select ",
        listed_columns!(),
        r", b.note, b.calendar_note, b.project_description, b.project_body_zone,
         b.project_budget::text, b.id is null as missing,
         (select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'actor', e.actor, 'kind', e.kind, 'data', e.data)
             order by e.id), '[]') from booking_events e where e.booking_id = b.id) as timeline,
         (select coalesce(jsonb_agg(jsonb_build_object('template', m.template, 'occasion', m.occurrence,
             'recipient', m.recipient, 'status', m.status, 'sent_at', m.sent_at, 'error', m.error)
             order by m.created_at, m.id), '[]') from email_deliveries m where m.booking_id = b.id) as mails,
         (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'kind', o.kind, 'template', o.args->'template',
             'occasion', o.args->'occurrence', 'attempts', o.attempts, 'locked_until', o.locked_until,
             'outcome', o.outcome, 'last_error', o.last_error,
             'failed', coalesce(job_failed(o.outcome, o.last_error), false)) order by o.created_at, o.id), '[]')
             from outbox o where o.booking_id = b.id) as jobs
         from artists a left join bookings b on b.id = $3 and b.artist_id = a.id left join flashes f on f.id = b.flash_id
         where a.user_id = account($1)"
    );
    let row = db
        .row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ), (&id.uuid(), Type::UUID)])
        .await?
        .ok_or(Error::NoArtist)?;
    if get(&row, "missing")? {
        return Err(Error::NotFound);
    }
    let project = match get::<Option<String>>(&row, "project_description")? {
        None => None,
        Some(description) => {
            let zone = get::<Option<String>>(&row, "project_body_zone")?.unwrap_or_default();
            Some((description, zone, euros_opt(&row, "project_budget")?))
        }
    };
    Ok(Detail {
        listed: listed(&row, 0)?,
        project,
        note: get(&row, "note")?,
        calendar_note: get(&row, "calendar_note")?,
        timeline: get_json(&row, "timeline")?,
        mails: get_json(&row, "mails")?,
        jobs: get_json(&row, "jobs")?,
    })
}

/// What came of a write to one booking: no artist, not theirs, or what the statement says.
fn found(row: Option<Row>) -> Result<Row, Error> {
    let row = row.ok_or(Error::NoArtist)?;
    if get(&row, "found")? { Ok(row) } else { Err(Error::NotFound) }
}

/// Keeps the artist's note. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn write_note(db: &Db, user: Account, id: BookingId, note: &str, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"with me as (select id from artists where user_id = account($1)), noted as (
             update bookings b set note = $3, updated_at = $4 from me where b.id = $2 and b.artist_id = me.id returning b.id
         ) select exists (select from noted) as found from me";
    let params = [
        (&user as _, Type::UUID_ARRAY),
        (&id.uuid() as _, Type::UUID),
        (&note as _, Type::TEXT),
        (&now as _, Type::TIMESTAMPTZ),
    ];
    found(db.row(Repeat::Safe, SQL, &params).await?).map(drop)
}

/// Lets a job that had failed begin anew, and writes that into the history. One flight.
///
/// # Errors
/// The account has no artist, the booking or the job is not theirs, the job has not failed, or the database failed.
pub async fn retry_job(db: &Db, user: Account, id: BookingId, job: JobId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"with me as (select id from artists where user_id = account($1)), mine as (
             select o.id, o.kind, b.id as booking_id from me join bookings b on b.artist_id = me.id
             join outbox o on o.booking_id = b.id where b.id = $2 and o.id = $3
         ), again as (
             update outbox o set done_at = null, outcome = null, last_error = null, attempts = 0, locked_until = null, relay_at = $5
             from mine where o.id = mine.id and job_failed(o.outcome, o.last_error) returning o.id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select mine.booking_id, $4, 'artist', 'job_retried', jsonb_build_object('kind', mine.kind) from mine, again
         ) select exists (select from mine) as found, exists (select from again) as again from me";
    let relay_at = now.saturating_add(RELAY_AFTER).unwrap_or(now);
    let row = db
        .row(
            // Sent twice, the second finds a job that has not failed: said to be impossible, and done all the same.
            Repeat::Unsafe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&id.uuid(), Type::UUID),
                (&job.uuid(), Type::UUID),
                (&now, Type::TIMESTAMPTZ),
                (&relay_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let row = found(row)?;
    if get(&row, "again")? { Ok(()) } else { Err(Refusal::NotPossible.into()) }
}

/// Adds a job for a booking of the artist, unless the same wish is there already, and writes into the history what was
/// asked. Gives the new job. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn add_job(
    db: &Db,
    user: Account,
    task: &Task,
    history: (HistoryKind, Value),
    now: Timestamp,
) -> Result<Option<JobId>, Error> {
    const SQL: &str = concat!(
        r"with me as (select id from artists where user_id = account($1)), mine as materialized (
             select b.id from me join bookings b on b.artist_id = me.id where b.id = $2
         ), jobs as (",
        insert_jobs!("$3", "mine, "),
        r"), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select mine.id, $4, 'artist', $5, $6 from mine, jobs
         ) select exists (select from mine) as found, (select id from jobs) as job from me"
    );
    let jobs = job_rows(std::slice::from_ref(task), 0, now, now);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&task.booking().map(|booking| booking.uuid()), Type::UUID),
                (&jobs, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&history.0.name(), Type::TEXT),
                (&history.1, Type::JSONB),
            ],
        )
        .await?;
    Ok(get::<Option<Uuid>>(&found(row)?, "job")?.map(JobId::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_is_taken_literally() {
        assert_eq!(pattern("  jo   martin "), "%jo martin%");
        assert_eq!(pattern("100%_\\"), "%100\\%\\_\\\\%");
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for written in ["06 12 34 56 78", "0612345678", "06.12.34.56.78", "(0)6-12-34-56-78"] {
            assert_eq!(pattern(written), "%612345678%");
        }
        assert_eq!(pattern("+33 6 12 34"), "%3361234%");
        assert_eq!(pattern("12"), "%12%", "two digits may be part of a title");
    }
}
