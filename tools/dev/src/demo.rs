//! The demo data of `make dev`: two artists, their hours and their eight drawn flashes.
//!
//! One source for the seed and the stand-ins. It must never be written into a database that is not the laptop's.

use base64::Engine as _;
use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use tokio_postgres::types::{Json, Type};
use uuid::{Uuid, uuid};

use crate::{calcom, supabase};

/// An artist of the demo, with everything the seed writes about them.
#[derive(Debug, Serialize)]
pub struct Artist {
    /// The primary key, the same on every laptop.
    pub id: Uuid,
    /// The subject of the artist's account at the auth stand-in.
    pub user_id: Uuid,
    /// The last segment of the artist's page.
    pub slug: &'static str,
    /// The name as the page shows it.
    pub display_name: &'static str,
    /// Where the artist's mails go, and the login of the demo account.
    pub email: &'static str,
    /// Two or three sentences under the name.
    pub bio: &'static str,
    pub city: &'static str,
    /// The full postal address, shown once a client has booked.
    pub address: &'static str,
    /// The path of the picture at the top of the page.
    pub hero_image: &'static str,
    /// The IANA zone in which the opening hours are meant.
    pub timezone: &'static str,
    /// The share of a flash's price that is asked as deposit.
    pub deposit_percent: i16,
    /// The least deposit, in euros.
    pub deposit_minimum: &'static str,
    /// The deposit of a custom project, in euros.
    pub project_deposit: &'static str,
    /// The length of a custom project's appointment.
    pub project_duration_minutes: i32,
    /// How long before an appointment it can still be booked.
    pub minimum_notice_minutes: i32,
    /// The rest between two appointments.
    pub buffer_minutes: i32,
    /// Until when a cancellation gives the whole deposit back.
    pub policy_full_refund_hours: i32,
    /// What a later cancellation still gives back.
    pub policy_late_refund_percent: i16,
    /// How often a client may move an appointment.
    pub policy_free_moves: i16,
    /// The artist's Cal.com account, where there is one.
    #[serde(skip)]
    pub calcom: Option<CalcomAccount>,
    /// Opening hours: ISO weekday, then minutes since local midnight.
    #[serde(skip)]
    pub hours: &'static [Hours],
    /// The flashes in the order of the gallery.
    #[serde(skip)]
    pub flashes: &'static [Flash],
}

impl Artist {
    /// The artist's account at Supabase Auth; the stand-in is set up with it.
    pub fn account(&self) -> supabase::User {
        supabase::User { id: self.user_id, email: self.email.to_owned(), password: PASSWORD.to_owned() }
    }

    /// The calendar of an artist who has one: narrower hours than the studio's own, and lengths for all that is offered.
    pub fn calendar(&self) -> Option<calcom::User> {
        let account = self.calcom.as_ref()?;
        let offered = self.flashes.iter().map(|flash| flash.duration_minutes);
        let mut lengths = vec![u32::try_from(self.project_duration_minutes).ok()?];
        for minutes in offered.filter_map(|minutes| u32::try_from(minutes).ok()) {
            if !lengths.contains(&minutes) {
                lengths.push(minutes);
            }
        }
        let days = [Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday];
        Some(calcom::User {
            username: account.username.to_owned(),
            name: self.display_name.to_owned(),
            email: self.email.to_owned(),
            api_key: account.api_key.to_owned(),
            time_zone: self.timezone.to_owned(),
            hours: calcom::Hours::on(&days, "10:00", "18:30"),
            event_types: vec![calcom::EventType {
                id: u64::try_from(account.event_type_id).ok()?,
                lengths,
                // The artist's yes is InkFlow's payment: what is held shows as unconfirmed, and already takes the time.
                requires_confirmation: true,
                blocks_while_pending: true,
                minimum_notice_minutes: u32::try_from(self.minimum_notice_minutes).ok()?,
                slot_interval_minutes: Some(30),
                location: self.address.to_owned(),
                ..calcom::EventType::default()
            }],
        })
    }
}

/// What the demo knows of an artist's Cal.com account; the stand-in is set up from the same values.
#[derive(Debug)]
pub struct CalcomAccount {
    /// The name in the public booking link.
    pub username: &'static str,
    /// The event type that carries the bookings.
    pub event_type_id: i64,
    /// The key the functions present; stored encrypted.
    pub api_key: &'static str,
    /// What the account's webhooks are signed with; stored encrypted.
    pub webhook_secret: &'static str,
}

/// One opening of one weekday.
#[derive(Debug, Serialize)]
pub struct Hours {
    id: Uuid,
    weekday: i16,
    opens_minute: i32,
    closes_minute: i32,
}

/// A drawing that can be booked as it is.
#[derive(Debug, Serialize)]
pub struct Flash {
    /// The primary key, the same on every laptop.
    pub id: Uuid,
    /// The title under the drawing.
    pub title: &'static str,
    /// The path of the drawing on the site.
    pub image: &'static str,
    /// The price in euros.
    pub price: &'static str,
    /// The deposit in euros; none leaves it to the artist's rule.
    pub deposit: Option<&'static str>,
    pub duration_minutes: i32,
    /// Whether it may be tattooed more than once.
    pub repeatable: bool,
}

/// The password of both demo accounts at the auth stand-in.
pub const PASSWORD: &str = "encre-de-demo";

/// Léa Marchetti: Lyon, opening hours of her own, no calendar outside.
pub const LEA: Artist = Artist {
    id: uuid!("019aa000-0000-7000-8000-00000000000a"),
    user_id: uuid!("019aa000-0000-7000-8000-0000000000aa"),
    slug: "lea-marchetti",
    display_name: "Léa Marchetti",
    email: "lea@marchetti.example",
    bio: "Trait fin, botanique et gravure. Je dessine chaque pièce à la main, à l’encre, pour une seule peau à la fois. \
          Atelier privé sur les pentes de la Croix-Rousse : un rendez-vous, une table, du temps.",
    city: "Lyon",
    address: "14 montée de la Grande-Côte, 69001 Lyon",
    hero_image: "/hero/lea-marchetti.svg",
    timezone: "Europe/Paris",
    deposit_percent: 30,
    deposit_minimum: "50.00",
    project_deposit: "80.00",
    project_duration_minutes: 180,
    minimum_notice_minutes: 24 * 60,
    buffer_minutes: 30,
    policy_full_refund_hours: 72,
    policy_late_refund_percent: 0,
    policy_free_moves: 1,
    calcom: None,
    hours: &[
        hours(0xa1, TUESDAY, 10 * 60, 19 * 60),
        hours(0xa2, WEDNESDAY, 10 * 60, 13 * 60),
        hours(0xa3, WEDNESDAY, 14 * 60, 19 * 60),
        hours(0xa4, THURSDAY, 10 * 60, 19 * 60),
        // The evening session: until midnight, which `time` could not say.
        hours(0xa5, FRIDAY, 10 * 60, 13 * 60),
        hours(0xa6, FRIDAY, 14 * 60, 24 * 60),
        hours(0xa7, SATURDAY, 10 * 60, 13 * 60),
        hours(0xa8, SATURDAY, 14 * 60, 19 * 60),
    ],
    flashes: &[
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f1"),
            title: "Hirondelle",
            image: "/flash/hirondelle.svg",
            price: "150.00",
            deposit: Some("50.00"),
            duration_minutes: 120,
            repeatable: true,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f2"),
            title: "Pivoine ouverte",
            image: "/flash/pivoine.svg",
            price: "380.00",
            deposit: None,
            duration_minutes: 240,
            repeatable: false,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f3"),
            title: "Phalène de nuit",
            image: "/flash/phalene.svg",
            price: "260.00",
            deposit: None,
            duration_minutes: 180,
            repeatable: false,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f4"),
            title: "Croissant et fougères",
            image: "/flash/lune.svg",
            price: "180.00",
            deposit: None,
            duration_minutes: 120,
            repeatable: false,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f5"),
            title: "La main qui voit",
            image: "/flash/main.svg",
            price: "220.00",
            deposit: None,
            duration_minutes: 150,
            repeatable: false,
        },
    ],
};

/// Noa Keller: Strasbourg, whose calendar is Cal.com.
pub const NOA: Artist = Artist {
    id: uuid!("019aa000-0000-7000-8000-00000000000b"),
    user_id: uuid!("019aa000-0000-7000-8000-0000000000bb"),
    slug: "noa-keller",
    display_name: "Noa Keller",
    email: "noa@keller.example",
    bio: "Noir dense et lignes franches, entre tradition américaine et estampe japonaise. \
          Des pièces lisibles à trois mètres, qui vieillissent bien. Atelier au centre, sur rendez-vous.",
    city: "Strasbourg",
    address: "9 rue du Fossé-des-Tanneurs, 67000 Strasbourg",
    hero_image: "/hero/noa-keller.svg",
    timezone: "Europe/Paris",
    deposit_percent: 25,
    deposit_minimum: "60.00",
    project_deposit: "100.00",
    project_duration_minutes: 120,
    minimum_notice_minutes: 12 * 60,
    buffer_minutes: 0,
    policy_full_refund_hours: 96,
    policy_late_refund_percent: 50,
    policy_free_moves: 2,
    calcom: Some(CalcomAccount {
        username: "noa-keller",
        event_type_id: 4_210_001,
        api_key: "cal_test_noa_6f1d2c9b7a5e4038",
        webhook_secret: "whsec_noa_4b1c7d2e9f8a6053",
    }),
    // Wider than Noa's Cal.com schedule: the studio's own doors. Cal.com decides within them.
    hours: &[
        hours(0xb1, MONDAY, 9 * 60, 19 * 60),
        hours(0xb2, TUESDAY, 9 * 60, 19 * 60),
        hours(0xb3, WEDNESDAY, 9 * 60, 19 * 60),
        hours(0xb4, THURSDAY, 9 * 60, 19 * 60),
        hours(0xb5, FRIDAY, 9 * 60, 19 * 60),
        hours(0xb6, SATURDAY, 9 * 60, 19 * 60),
    ],
    flashes: &[
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f6"),
            title: "Dague et ruban",
            image: "/flash/dague.svg",
            price: "200.00",
            deposit: Some("60.00"),
            duration_minutes: 120,
            repeatable: true,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f7"),
            title: "Serpent lové",
            image: "/flash/serpent.svg",
            price: "340.00",
            deposit: None,
            duration_minutes: 210,
            repeatable: false,
        },
        Flash {
            id: uuid!("019aa000-0000-7000-8000-0000000000f8"),
            title: "Carpe et vague",
            image: "/flash/carpe.svg",
            price: "480.00",
            deposit: None,
            duration_minutes: 300,
            repeatable: false,
        },
    ],
};

const MONDAY: i16 = 1;
const TUESDAY: i16 = 2;
const WEDNESDAY: i16 = 3;
const THURSDAY: i16 = 4;
const FRIDAY: i16 = 5;
const SATURDAY: i16 = 6;

const fn hours(id: u128, weekday: i16, opens_minute: i32, closes_minute: i32) -> Hours {
    let id = Uuid::from_u128(0x019a_a000_0000_7000_8000_0000_0000_0000 | (0xa000 + id));
    Hours { id, weekday, opens_minute, closes_minute }
}

/// What the seed needs from the outside.
#[derive(Debug)]
pub struct Seed<'a> {
    /// The moment the demo starts from; the artists' days off are set after it.
    pub now: Timestamp,
    /// `ENCRYPTION_KEY` as the functions get it: base64 of 32 bytes.
    pub encryption_key: &'a str,
}

/// What stopped the seed.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Writes the demo artists that the database does not have yet and returns how many those were.
///
/// What is there already stays as the newcomer left it, save for the encrypted calendar key, which is
/// written anew because `ENCRYPTION_KEY` may be another one than last time.
///
/// # Errors
/// The key is not 32 bytes of base64, or the database refused (it is not the schema's owner, or not migrated).
pub async fn seed(client: &tokio_postgres::Client, options: &Seed<'_>) -> Result<u64, Error> {
    let mut created = 0;
    for artist in [&LEA, &NOA] {
        let calcom = artist.calcom.as_ref();
        let api_key =
            calcom.map(|account| seal(options.encryption_key, artist.id, account.api_key, &nonce()?)).transpose()?;
        let webhook_secret = calcom
            .map(|account| seal(options.encryption_key, artist.id, account.webhook_secret, &nonce()?))
            .transpose()?;
        created += client
            .execute_typed(
                ARTIST_WITH_ALL_THAT_IS_HERS,
                &[
                    (&Json(artist), Type::JSONB),
                    (&calcom.map(|account| account.username), Type::TEXT),
                    (&calcom.map(|account| account.event_type_id), Type::INT8),
                    (&api_key, Type::BYTEA),
                    (&Json(artist.hours), Type::JSONB),
                    (&Json(artist.flashes), Type::JSONB),
                    (&Json(days_off(artist, options.now)?), Type::JSONB),
                ],
            )
            .await?;
        if let (Some(api_key), Some(webhook_secret)) = (api_key, webhook_secret) {
            client
                .execute_typed(
                    r"update artists set cal_com_api_key = $2, cal_com_webhook_secret = $3
                     where id = $1 and cal_com_event_type_id is not null",
                    &[(&artist.id, Type::UUID), (&api_key, Type::BYTEA), (&webhook_secret, Type::BYTEA)],
                )
                .await?;
        }
    }
    Ok(created)
}

/// Children are written only beside their artist, so that hours a newcomer deletes do not come back.
/// Foreign keys are checked at the end of the statement, when the artist is there.
const ARTIST_WITH_ALL_THAT_IS_HERS: &str = "
with artist as (
    insert into artists (
        id, user_id, slug, display_name, email, bio, city, address, hero_image, timezone,
        deposit_percent, deposit_minimum, project_deposit, project_duration_minutes,
        minimum_notice_minutes, buffer_minutes,
        policy_full_refund_hours, policy_late_refund_percent, policy_free_moves, takes_deposits,
        cal_com_username, cal_com_event_type_id, cal_com_api_key, cal_com_create_at
    )
    select
        a.id, a.user_id, a.slug, a.display_name, a.email, a.bio, a.city, a.address, a.hero_image, a.timezone,
        a.deposit_percent, a.deposit_minimum, a.project_deposit, a.project_duration_minutes,
        a.minimum_notice_minutes, a.buffer_minutes,
        a.policy_full_refund_hours, a.policy_late_refund_percent, a.policy_free_moves, true,
        $2, $3, $4, 'booking'
    from jsonb_populate_record(null::artists, $1) as a
    on conflict (id) do nothing
    returning id
), opening as (
    insert into availability (id, artist_id, weekday, opens_minute, closes_minute)
    select h.id, artist.id, h.weekday, h.opens_minute, h.closes_minute
    from artist, jsonb_populate_recordset(null::availability, $5) as h
), drawing as (
    insert into flashes (id, artist_id, title, image, price, deposit, duration_minutes, repeatable, position)
    select f.id, artist.id, f.title, f.image, f.price, f.deposit, f.duration_minutes, f.repeatable, f.position
    from artist, rows from (
        jsonb_to_recordset($6) as (
            id uuid, title text, image text, price numeric, deposit numeric, duration_minutes integer, repeatable boolean
        )
    ) with ordinality as f (id, title, image, price, deposit, duration_minutes, repeatable, position)
), away as (
    insert into time_off (id, artist_id, starts_at, ends_at, note)
    select t.id, artist.id, t.starts_at, t.ends_at, t.note
    from artist, jsonb_populate_recordset(null::time_off, $7) as t
)
select id from artist";

#[derive(Debug, Serialize)]
struct TimeOff {
    id: Uuid,
    starts_at: Timestamp,
    ends_at: Timestamp,
    note: &'static str,
}

/// Léa is away for two days in the week after next, so that the first page of slots stays full.
fn days_off(artist: &Artist, now: Timestamp) -> Result<Vec<TimeOff>, Error> {
    if artist.slug != LEA.slug {
        return Ok(Vec::new());
    }
    let zone = TimeZone::get(artist.timezone)?;
    let first = now.to_zoned(zone).start_of_day()?.checked_add(10.days())?;
    Ok(vec![TimeOff {
        id: uuid!("019aa000-0000-7000-8000-00000000c001"),
        starts_at: first.timestamp(),
        ends_at: first.checked_add(2.days())?.timestamp(),
        note: "Convention de tatouage de Turin",
    }])
}

fn nonce() -> Result<[u8; 12], Error> {
    let mut nonce = [0; 12];
    SystemRandom::new().fill(&mut nonce).map_err(|_| "the system gave no random bytes")?;
    Ok(nonce)
}

/// Encrypts a secret of an artist as the functions expect to read it.
///
/// AES-256-GCM: nonce, ciphertext, tag. The artist's id is authenticated with it, so that a row's secret
/// copied into another artist's row opens nothing.
///
/// # Errors
/// The key is not 32 bytes of base64.
pub fn seal(encryption_key: &str, artist: Uuid, secret: &str, nonce: &[u8; 12]) -> Result<Vec<u8>, Error> {
    let key = base64::engine::general_purpose::STANDARD.decode(encryption_key)?;
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "ENCRYPTION_KEY is not 32 bytes")?;
    let mut text = secret.as_bytes().to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(artist.as_bytes()), &mut text)
        .map_err(|_| "the secret is too long to encrypt")?;
    Ok([nonce.as_slice(), &text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_sealed_key_is_what_another_aes_gcm_makes_of_it() {
        // Made with OpenSSL's AES-256-GCM through Node.js: nonce, ciphertext, tag.
        let expected: [u8; 43] = [
            0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, //
            0x2b, 0x7a, 0xb2, 0x39, 0x0d, 0x8c, 0x25, 0xea, 0x61, 0x14, 0x3a, 0x8b, 0xae, 0x0a, 0x18, //
            0x59, 0xa1, 0xc3, 0x84, 0x77, 0x6a, 0x1e, 0xf6, 0xf4, 0xe0, 0x9c, 0xdf, 0x32, 0x65, 0xd5, 0xb7,
        ];
        let nonce = std::array::from_fn(|i| 100 + u8::try_from(i).expect("twelve bytes"));
        let artist = uuid!("0199f3a0-7c00-7e5a-8a00-00000000000b");
        assert_eq!(seal(KEY, artist, "cal_test_vector", &nonce).expect("the key is good"), expected);
    }

    #[test]
    fn a_short_key_is_refused() {
        let error = seal("c2hvcnQ=", LEA.id, "x", &[0; 12]).expect_err("five bytes are no key");
        assert_eq!(error.to_string(), "ENCRYPTION_KEY is not 32 bytes");
    }

    #[test]
    fn every_drawing_of_the_demo_is_on_the_site() {
        let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../../frontend/public");
        let drawings = [&LEA, &NOA].into_iter().flat_map(|artist| {
            std::iter::once(artist.hero_image).chain(artist.flashes.iter().map(|flash| flash.image))
        });
        for drawing in drawings {
            assert!(std::fs::exists(format!("{site}{drawing}")).expect("readable"), "{drawing} is missing");
        }
    }

    #[test]
    fn days_off_start_at_local_midnight_beyond_the_first_week() {
        let now: Timestamp = "2026-11-23T21:30:00Z".parse().expect("a time");
        let days = days_off(&LEA, now).expect("in range");
        assert_eq!(days[0].starts_at, "2026-12-02T23:00:00Z".parse().expect("a time"));
        assert_eq!(days[0].ends_at, "2026-12-04T23:00:00Z".parse().expect("a time"));
    }
}
