//! The table of costs in infra/README.md is computed: whoever changes a price or an assumption changes the sums.

use crate::rules::read;

/// `max(0, 2*n - 10)/1e6`: numbers, n, the four operations, brackets and `max`.
struct Sum<'a> {
    text: &'a [u8],
    at: usize,
    n: f64,
}

impl Sum<'_> {
    fn of(text: &str, n: f64) -> f64 {
        let mut sum = Sum { text: text.as_bytes(), at: 0, n };
        let value = sum.terms();
        assert_eq!(sum.at, sum.text.len(), "{text} is not read beyond {}", &text[sum.at..]);
        value
    }

    fn next(&mut self) -> u8 {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn takes(&mut self, mark: u8) -> bool {
        let is = self.next() == mark;
        self.at += usize::from(is);
        is
    }

    fn terms(&mut self) -> f64 {
        let mut value = self.factors();
        loop {
            if self.takes(b'+') {
                value += self.factors();
            } else if self.takes(b'-') {
                value -= self.factors();
            } else {
                return value;
            }
        }
    }

    fn factors(&mut self) -> f64 {
        let mut value = self.one();
        loop {
            if self.takes(b'*') {
                value *= self.one();
            } else if self.takes(b'/') {
                value /= self.one();
            } else {
                return value;
            }
        }
    }

    fn one(&mut self) -> f64 {
        if self.takes(b'n') {
            return self.n;
        }
        if self.takes(b'(') {
            let value = self.terms();
            assert!(self.takes(b')'));
            return value;
        }
        self.next();
        if self.text[self.at..].starts_with(b"max(") {
            self.at += 4;
            let first = self.terms();
            assert!(self.takes(b','));
            let value = first.max(self.terms());
            assert!(self.takes(b')'));
            return value;
        }
        let begin = self.at;
        while self.text.get(self.at).is_some_and(|letter| letter.is_ascii_digit() || b".e".contains(letter)) {
            self.at += 1;
        }
        let number = std::str::from_utf8(&self.text[begin..self.at]).expect("ASCII");
        number.parse().unwrap_or_else(|_| panic!("no number: {number:?}"))
    }
}

fn shown(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[test]
fn the_table_of_costs_says_what_its_arithmetic_says() {
    let readme = read("infra/README.md");
    let table = readme.split_once("| part | arithmetic |").expect("the table").1.split_once("\n\n").expect("its end").0;
    let bookings: Vec<f64> = table
        .lines()
        .next()
        .expect("its head")
        .split('|')
        .filter_map(|cell| cell.trim().replace(' ', "").parse().ok())
        .collect();
    assert_eq!(bookings, [1e3, 1e5, 1e6]);
    let mut sums = [0.0; 3];
    let mut rows = 0;
    for row in table.lines().skip(2) {
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        if cells[0] == "**AWS a month**" {
            let said: Vec<&str> = cells[cells.len() - 3..].iter().map(|cell| cell.trim_matches('*')).collect();
            assert_eq!(said, sums.map(|sum: f64| format!("{sum:.0}")), "the last row");
            continue;
        }
        rows += 1;
        for (at, n) in bookings.iter().enumerate() {
            let value = Sum::of(cells[1].trim_matches('`'), *n);
            sums[at] += value;
            assert_eq!(cells[2 + at], shown(value), "{}, {n} bookings", cells[0]);
        }
    }
    assert!(rows >= 15, "{rows}");
}
