//! Medians with their spread. A mean would tell of the worst interruption, not of the function.

use std::time::Duration;

/// A series of measurements of one thing.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<f64>);

impl Series {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// One more duration, kept in milliseconds.
    pub fn push_ms(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e3);
    }

    /// The measurements of another series of the same thing.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value below which `share` of the measurements lie; not a number when there are none.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let position = share * last as f64;
        let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
        below + (above - below) * position.fract()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Median and the middle half around it, as the tables show them.
    pub fn show(&self) -> String {
        format!("{} ({}–{})", short(self.median()), short(self.quantile(0.25)), short(self.quantile(0.75)))
    }
}

/// A number with as many digits as it is worth.
pub fn short(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// How often `above` is `below`.
pub fn times(above: f64, below: f64) -> String {
    format!("{} ×", short(above / below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Series {
        Series(values.to_vec())
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0]).median(), 2.5);
        assert_eq!(of(&[7.0]).quantile(0.99), 7.0);
    }

    #[test]
    fn one_interruption_moves_the_end_and_not_the_middle() {
        let series = of(&[1.0, 1.1, 0.9, 1.0, 80.0]);
        assert_eq!(series.median(), 1.0);
        assert!(series.quantile(0.99) > 70.0);
    }

    #[test]
    fn nothing_measured_shows_as_nothing() {
        assert_eq!(short(Series::default().median()), "–");
        assert_eq!(times(7.0, 2.0), "3.50 ×");
        assert_eq!(short(123.4), "123");
    }
}
