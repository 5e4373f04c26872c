//! Strangers' bytes at every door: what the doors expect, bent in a thousand ways. No panic, no hang, and never a 500 that
//! somebody who signs nothing could bring about. `tools/fuzz/` goes on where this stops.

use std::path::PathBuf;
use std::time::Duration;

use chaos::Dice;
use chaos::hostile::{Door, House};

/// How often each door is knocked at, unless `HOSTILE_KNOCKS` says otherwise.
const KNOCKS: u64 = 400;

/// How long an answer may take on a busy machine. The retries of a service that does not answer are part of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the doors expect.
fn expected(door: Door) -> Vec<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: PathBuf| std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let folder = |name: &str| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(root.join(name)).expect("the samples").flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.into_iter().map(read).collect::<Vec<_>>()
    };
    let body_of = |name: &str| {
        let sample: serde_json::Value = serde_json::from_slice(&read(root.join("events").join(name))).expect("JSON");
        sample["body"].as_str().expect("a body").as_bytes().to_vec()
    };
    match door {
        Door::StripeEvent | Door::StripeAnswer => folder("events/stripe"),
        Door::StripeSignature => vec![b"t=1801469400,v1=00,v0=11\n{}".to_vec(), b"t=1,v1=".to_vec()],
        Door::CalcomEvent => folder("events/calcom"),
        Door::SlotsQuery => vec![
            b"artist=lea-marchetti&date=2026-12-01&days=7&flash=019aa000-0000-7000-8000-0000000000f1".to_vec(),
            b"artist=noa-keller&days=31&days=1".to_vec(),
        ],
        Door::BookingBody => vec![body_of("create-booking.flash.json"), body_of("create-booking.project.json")],
        Door::BookingPath => vec![b"019aa000-0000-7000-8000-0000000000b0".to_vec()],
        Door::CalcomAnswer => vec![
            br#"{"status":"success","data":{"2026-12-01":[{"start":"2026-12-01T09:00:00.000+01:00"}]}}"#.to_vec(),
            br#"{"status":"success","data":{"uid":"u","status":"accepted","start":"2026-12-01T09:00:00Z","end":"2026-12-01T10:00:00Z","metadata":{}}}"#.to_vec(),
            br#"{"status":"error","error":{"code":"BadRequestException","message":"no"}}"#.to_vec(),
        ],
        Door::Token => vec![
            b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTlhYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwYWEifQ.c2ln".to_vec(),
            b"eyJhbGciOiJub25lIn0.e30.".to_vec(),
        ],
    }
}

/// Pieces that parsers trip over.
fn nasty(dice: &mut Dice) -> Vec<u8> {
    let pieces: [&[u8]; 16] = [
        b"\0",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"\\u0000",
        b"9223372036854775808",
        b"-1e999",
        b"1e-999",
        b"null",
        b"{}",
        b"[]",
        b"\"",
        b"%00%ff%2e%2e%2f",
        b"';drop table bookings;--",
        "\u{202e}é\u{1f5a4}".as_bytes(),
        b"..",
    ];
    match dice.below(20) {
        0 => vec![b'['; 20_000],
        1 => b"{\"a\":".repeat(4_000),
        2 => vec![b'a'; 300_000],
        3 => b"&x=1".repeat(3_000),
        _ => dice.pick(&pieces).to_vec(),
    }
}

/// The same, bent.
fn bent(dice: &mut Dice, from: &[u8]) -> Vec<u8> {
    let mut data = from.to_vec();
    for _ in 0..=dice.below(4) {
        let at = usize::try_from(dice.roll() % (data.len() as u64 + 1)).unwrap_or_default();
        match dice.below(6) {
            0 if !data.is_empty() => {
                let at = at.min(data.len() - 1);
                data[at] ^= 1 << dice.below(8);
            }
            1 => data.truncate(at),
            2 => {
                let end = (at + usize::from(dice.below(20))).min(data.len());
                data.drain(at..end);
            }
            3 => {
                let again = data[at.min(data.len())..].to_vec();
                data.extend(again);
            }
            4 => {
                // A value of another kind in a place where one was expected.
                if let Some(colon) = data[at..].iter().position(|byte| *byte == b':').map(|found| at + found + 1) {
                    let end =
                        data[colon..].iter().position(|byte| *byte == b',').map_or(data.len(), |found| colon + found);
                    let piece = nasty(dice);
                    data.splice(colon..end, piece);
                }
            }
            _ => {
                let piece = nasty(dice);
                data.splice(at..at, piece);
            }
        }
    }
    data
}

#[test]
fn every_door_answers_whatever_is_thrown_at_it() {
    let house = House::open().expect("it opens");
    let knocks = std::env::var("HOSTILE_KNOCKS").ok().and_then(|text| text.parse().ok()).unwrap_or(KNOCKS);
    for (number, door) in Door::ALL.into_iter().enumerate() {
        let expected = expected(door);
        let mut dice = Dice::new(number as u64);
        for knock in 0..knocks {
            let from = dice.pick(&expected);
            let data = if knock < expected.len() as u64 { from } else { bent(&mut dice, &from) };
            let status = house.knock_within(door, &data, PATIENCE);
            let told =
                || format!("{door:?}, knock {knock}: {:?}", String::from_utf8_lossy(&data[..data.len().min(2_000)]));
            match (door, status) {
                (_, None) => panic!("it hangs: {}", told()),
                // Only Stripe can sign an event. One that nobody listens to is taken; one that we cannot read comes again
                // until we are mended.
                (Door::StripeEvent, Some(200 | 500)) => {}
                (Door::Token, Some(status)) => assert_eq!(status, 0, "a forged token is believed: {}", told()),
                (Door::CalcomAnswer | Door::StripeAnswer, Some(_)) => {}
                (_, Some(status)) => {
                    assert!((400..500).contains(&status) || status == 503, "{status}: {}", told());
                }
            }
        }
    }
}
