//! A proof of work: a little arithmetic that a browser does before it may go on where many ask at once. It slows down whoever
//! asks in thousands, needs nobody outside, and asks nothing of a person.
//!
//! A native program solves it in a few hundredths of a second: no count rests on it.
//!
//! A puzzle is many small parts rather than a large one: sixteen parts take about as long for everybody, while one of their
//! size together would take some people five times as long as others. The server keeps nothing: the challenge is signed, and
//! what was solved once is used up in the statement that it was solved for.

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::db::Db;
use crate::domain::time::after;

/// The header that carries a solution.
pub const HEADER: &str = "x-proof";

/// How long a puzzle may be solved, and its solution be used.
pub const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// How many parts a puzzle of level 1, 2, 3 has. Each is 2^[`BITS`] hashes in the mean; together half a second to a second
/// and a half on a telephone (facts in docs/decisions.md).
const PARTS: [u8; 3] = [16, 20, 24];

/// How many bits at the beginning of each part's hash must be zero.
const BITS: u32 = 13;

/// How many bytes of the signature are hashed: a try fits one block of SHA-256.
const SEED: usize = 16;

/// What is to be solved.
///
/// For each `part` from 0 a `number` such that SHA-256 of the seed (the last 32 hexadecimal digits of the
/// challenge, as 16 bytes), the part and the number (4 bytes each, the highest first) begins with `bits` zero bits.
///
/// The solution is the challenge, a full stop, and the numbers in decimal, commas between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Puzzle {
    /// Goes back as it is.
    pub challenge: String,
    /// How many numbers are to be found.
    pub parts: u8,
    /// How many zero bits each hash begins with.
    pub bits: u32,
    /// Until when the solution must be there.
    pub expires_at: Timestamp,
    /// For how long the slot will be held, in minutes.
    pub hold_minutes: i64,
}

/// A puzzle that somebody has solved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// How hard it was.
    pub level: u8,
    /// Its name, to use it up.
    pub nonce: String,
}

/// A puzzle of this level (from 1 on), for whoever asks for `subject`. The nonce is new each time.
pub fn pose(db: &Db, subject: &str, level: u8, nonce: u128, hold: SignedDuration, now: Timestamp) -> Puzzle {
    let expires_at = after(now, LIFE);
    let terms = format!("{level:02x}{:010x}{nonce:032x}", expires_at.as_second());
    Puzzle {
        challenge: format!("{terms}{}", hex::encode(db.sign("proof", &signed(subject, &terms)).as_ref())),
        parts: parts(level),
        bits: BITS,
        expires_at,
        hold_minutes: hold.as_mins(),
    }
}

/// What a solution proves, if it is one, of a puzzle of ours, for this subject, and in time.
pub fn solved(db: &Db, solution: &str, subject: &str, now: Timestamp) -> Option<Solved> {
    let (challenge, numbers) = solution.split_once('.')?;
    let (terms, tag) = challenge.split_at_checked(44)?;
    if !db.is_signed("proof", &signed(subject, terms), &bytes(tag)?) {
        return None;
    }
    let level = u8::from_str_radix(terms.get(..2)?, 16).ok()?;
    let expires_at = i64::from_str_radix(terms.get(2..12)?, 16).ok()?;
    if expires_at < now.as_second() {
        return None;
    }
    let seed = bytes(tag)?.split_off(SEED);
    let mut part = 0_u32;
    for number in numbers.split(',') {
        let number: u32 = number.parse().ok()?;
        if part == u32::from(parts(level)) || zeros(&seed, part, number) < BITS {
            return None;
        }
        part += 1;
    }
    (part == u32::from(parts(level))).then(|| Solved { level, nonce: terms[12..].to_owned() })
}

/// Solves a puzzle: what a browser does in `frontend/src/dialog/proof.ts`, for tests and for machines of our own.
pub fn solve(challenge: &str, parts: u32, bits: u32) -> String {
    let tag = bytes(challenge.get(44..).unwrap_or_default()).unwrap_or_default();
    let seed = tag.get(SEED..).unwrap_or_default();
    let numbers =
        (0..parts).map(|part| (0..u32::MAX).find(|number| zeros(seed, part, *number) >= bits).unwrap_or_default());
    format!("{challenge}.{}", numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}

fn parts(level: u8) -> u8 {
    PARTS[usize::from(level.clamp(1, 3)) - 1]
}

fn signed(subject: &str, terms: &str) -> Vec<u8> {
    [terms.as_bytes(), subject.as_bytes()].concat()
}

fn zeros(seed: &[u8], part: u32, number: u32) -> u32 {
    let mut block = [0; SEED + 8];
    for (place, byte) in block.iter_mut().zip(seed.iter().chain(&part.to_be_bytes()).chain(&number.to_be_bytes())) {
        *place = *byte;
    }
    let hash = digest(&SHA256, &block);
    hash.as_ref().iter().take(4).fold(0, |all, byte| (all << 8) | u32::from(*byte)).leading_zeros()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2027-02-01T08:00:00Z";
    const HOLD: SignedDuration = SignedDuration::from_mins(30);

    fn db(password: &str) -> Db {
        Db::new(&format!("postgres://inkflow_app:{password}@db.test/postgres"), None).expect("a URL")
    }

    fn now() -> Timestamp {
        NOW.parse().expect("an instant")
    }

    #[test]
    fn a_puzzle_is_solved_for_its_subject_and_in_its_time() {
        let puzzle = pose(&db("a"), "lea jo@example.fr", 2, 7, HOLD, now());
        assert_eq!((puzzle.parts, puzzle.bits, puzzle.hold_minutes), (20, 13, 30));
        let solution = solve(&puzzle.challenge, puzzle.parts.into(), puzzle.bits);
        let expected = Solved { level: 2, nonce: format!("{:032x}", 7) };
        assert_eq!(solved(&db("a"), &solution, "lea jo@example.fr", now()), Some(expected.clone()));
        let last = puzzle.expires_at;
        assert_eq!(solved(&db("a"), &solution, "lea jo@example.fr", last), Some(expected));
        let late = last.checked_add(SignedDuration::from_secs(1)).expect("in range");
        assert_eq!(solved(&db("a"), &solution, "lea jo@example.fr", late), None);
        assert_eq!(solved(&db("a"), &solution, "noa jo@example.fr", now()), None);
        assert_eq!(solved(&db("b"), &solution, "lea jo@example.fr", now()), None, "signed by somebody else");
    }

    #[test]
    fn what_is_altered_short_or_not_solved_proves_nothing() {
        let puzzle = pose(&db("a"), "s", 1, 7, HOLD, now());
        let solution = solve(&puzzle.challenge, puzzle.parts.into(), puzzle.bits);
        assert!(solved(&db("a"), &solution, "s", now()).is_some());
        let (fewer, _last) = solution.rsplit_once(',').expect("numbers");
        let harder = format!("03{}", &solution[2..]);
        let later = format!("{}f{}", &solution[..11], &solution[12..]);
        let zeros = format!("{}.{}", puzzle.challenge, ["0"; 16].join(","));
        for wrong in [
            "",
            ".",
            "x.1",
            &puzzle.challenge,
            fewer,
            &format!("{solution},0"),
            &format!("{solution},"),
            &harder,
            &later,
            &zeros,
            &solution.to_uppercase().replace('A', "é"),
            &solution[1..],
        ] {
            assert_eq!(solved(&db("a"), wrong, "s", now()), None, "{wrong}");
        }
    }
}
