//! Axes: nice ticks over integers, and the straight line from values to places.

/// Evenly spaced ticks; the step is 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    first: i128,
    last: i128,
    /// Distance between neighbours.
    pub(super) step: i128,
}

/// Fewest ticks that can cover every range: one below, zero, one above.
pub(super) const FEWEST: usize = 3;

impl Ticks {
    /// The closest ticks that cover `low..=high` with at most `most` of them (at least [`FEWEST`]), and two at least.
    ///
    /// * `low`, `high`: magnitudes up to `10^36`.
    pub(super) fn covering(low: i128, high: i128, most: usize) -> Self {
        let (low, high) = (low.min(high), low.max(high));
        let most = most.max(FEWEST) as i128;
        let mut ticks = Self::with_step(low, high, 1);
        for step in (0..=36).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i128.pow(power))) {
            ticks = Self::with_step(low, high, step);
            if ticks.last - ticks.first < most {
                break;
            }
        }
        ticks
    }

    fn with_step(low: i128, high: i128, step: i128) -> Self {
        let first = low.div_euclid(step);
        let last = -(-high).div_euclid(step);
        Self { first, last: last.max(first + 1), step }
    }

    /// Ticks from low to high.
    pub(super) fn values(self) -> impl Iterator<Item = i128> {
        (self.first..=self.last).map(move |index| index * self.step)
    }

    /// Lowest tick.
    pub(super) fn low(self) -> i128 {
        self.first * self.step
    }

    /// Highest tick.
    pub(super) fn high(self) -> i128 {
        self.last * self.step
    }
}

/// How many labels of one `extent` stand on `length` without touching, with half an extent of air between them.
pub(super) fn most_ticks(length: f64, extent: f64) -> usize {
    ((length / (1.5 * extent)) as usize + 1).max(FEWEST)
}

/// The straight line from a range of values to a range of places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear {
    values: (f64, f64),
    places: (f64, f64),
}

impl Linear {
    /// Maps `values.0` to `places.0` and `values.1` to `places.1`.
    pub(super) fn new(values: (f64, f64), places: (f64, f64)) -> Self {
        Self { values, places }
    }

    /// The place of a value.
    pub(super) fn at(self, value: f64) -> f64 {
        let share = (value - self.values.0) / (self.values.1 - self.values.0);
        self.places.0 + share * (self.places.1 - self.places.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn customers_and_profit_of_cdnow_get_twenty_percent_steps() {
        let values = |high, most| Ticks::covering(0, high, most).values().collect::<Vec<_>>();
        assert_eq!(values(100, 6), [0, 20, 40, 60, 80, 100]);
        assert_eq!(values(120, 8), [0, 20, 40, 60, 80, 100, 120]);
        assert_eq!(values(1_000, 8), [0, 200, 400, 600, 800, 1_000]);
        assert_eq!(values(0, 8), [0, 1]);
    }

    #[test]
    fn the_ends_of_a_range_stand_at_the_ends_of_the_axis() {
        let scale = Linear::new((-100.0, 100.0), (500.0, 100.0));
        assert_eq!([-100.0, 0.0, 100.0].map(|value| scale.at(value).to_string()), ["500", "300", "100"]);
    }

    /// Integers of every magnitude up to 10³⁶.
    fn integer() -> impl Strategy<Value = i128> {
        (-1_000_000..1_000_000_i128, 0..30_u32).prop_map(|(digits, power)| digits * 10_i128.pow(power))
    }

    proptest! {
        #[test]
        fn ticks_cover_the_range_with_few_nice_steps(a in integer(), b in integer(), most in 0..12_usize) {
            let ticks = Ticks::covering(a, b, most);
            let values: Vec<i128> = ticks.values().collect();
            prop_assert!(ticks.low() <= a.min(b) && a.max(b) <= ticks.high());
            prop_assert!((2..=most.max(FEWEST)).contains(&values.len()), "{values:?}");
            prop_assert!(values.windows(2).all(|pair| pair[1] - pair[0] == ticks.step));
            prop_assert_eq!((values[0], values[values.len() - 1]), (ticks.low(), ticks.high()));
            let digits = ticks.step.to_string();
            prop_assert!(["1", "2", "5"].contains(&digits.trim_end_matches('0')), "{digits}");
        }

        #[test]
        fn ticks_waste_less_than_a_step_at_each_end(a in integer(), b in integer(), most in 3..12_usize) {
            let ticks = Ticks::covering(a, b, most);
            prop_assert!(a.min(b) - ticks.low() < ticks.step);
            prop_assert!(ticks.high() - a.max(b) <= ticks.step);
        }
    }
}
