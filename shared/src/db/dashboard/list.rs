//! The artist's bookings as a list: what waits for the artist, then what comes, then the rest.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Filter, Todo};
use crate::auth::Account;
use crate::db::bookings::{booking, euros_opt};
use crate::db::{Db, Repeat, get, get_all_named, get_named, get_zone};
use crate::domain::booking::{Booking, BookingKind};
use crate::domain::calendar::CalendarState;
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::error::Error;

/// Where a page of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0: waits for the artist, 1: comes, 2: the rest.
    pub group: i32,
    /// The start of the last booking.
    pub start: Timestamp,
    pub id: Uuid,
}

/// What a list is asked for.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    pub user: Account,
    pub filter: Filter,
    /// Words that must occur.
    pub words: Option<&'a str>,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// Only those that begin from here on.
    pub from: Option<Timestamp>,
    /// Only those that begin before this.
    pub until: Option<Timestamp>,
    pub limit: i64,
}

/// What a list shows of a booking.
#[derive(Clone)]
pub struct Listed {
    /// Where it stands in the list.
    pub place: Place,
    pub booking: Booking,
    pub kind: BookingKind,
    /// The flash's title; empty for a project.
    pub title: String,
    /// The whole price; none for a project.
    pub price: Option<Cents>,
    pub client_name: String,
    pub client_email: String,
    pub client_phone: String,
    pub client_locale: Locale,
    pub calendar_state: CalendarState,
    /// The jobs that will not be done by themselves.
    pub failed_jobs: i64,
    pub todo: Vec<Todo>,
    pub flash_image: Option<String>,
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

#[derive(Debug)]
pub struct ListPage {
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
            crate::db::bookings::booking_columns!(),
            r", b.type, b.title, b.price::text, b.client_name, b.client_email, b.client_phone, b.client_locale,
             b.calendar_state, b.created_at, coalesce(b.timezone, a.timezone) as zone, a.timezone as home, f.image as flash_image, dashboard_todo(b, $2) as todo,
             (select count(*) from outbox o where o.booking_id = b.id and o.outcome in ('dead', 'discarded')
                 and job_failed(o.outcome, o.last_error)) as failed_jobs"
        )
    };
}

#[cfg(test)]
pub(in crate::db) use listed_columns;

pub(super) fn listed(row: &Row, group: i32) -> Result<Listed, Error> {
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
pub async fn list(db: &Db, question: &Selection<'_>, now: Timestamp) -> Result<ListPage, Error> {
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
    Ok(ListPage {
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
