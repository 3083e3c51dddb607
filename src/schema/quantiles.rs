//! Quantiles that a run tells, and the names of their columns.

use serde::{Serialize, Serializer};

/// Steps of a probability: six digits after the point.
const STEPS: u32 = 1_000_000;

/// A probability above 0 and below 1, in millionths, at which a distribution is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantile(u32);

/// Quantiles of a run whose config does not say.
pub const DEFAULT_QUANTILES: [Quantile; 5] =
    [Quantile(50_000), Quantile(250_000), Quantile(500_000), Quantile(750_000), Quantile(950_000)];

impl Serialize for Quantile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.level())
    }
}

impl Quantile {
    /// Digits after the point that a level may have.
    pub const DIGITS: u8 = 6;

    /// The quantile at `millionths` of a millionth, `None` unless that is above 0 and below 1.
    #[must_use]
    pub fn new(millionths: i128) -> Option<Self> {
        u32::try_from(millionths).ok().filter(|millionths| (1..STEPS).contains(millionths)).map(Self)
    }

    /// The probability.
    #[must_use]
    pub fn level(self) -> f64 {
        f64::from(self.0) / f64::from(STEPS)
    }

    /// Its percentage without trailing zeros: `5`, `97.5`.
    #[must_use]
    pub fn percent(self) -> String {
        percent(self.0)
    }

    /// The percentage between it and a higher one: `90` from 5 % to 95 %.
    #[must_use]
    pub fn percent_up_to(self, higher: Self) -> String {
        percent(higher.0.saturating_sub(self.0))
    }

    /// How its columns end: `p` and the percentage with two digits before the point, which is written `_`: `p05`, `p50`,
    /// `p97_5`, `p00_1`. Names sort as the quantiles do.
    #[must_use]
    pub fn suffix(self) -> String {
        let percent = self.percent();
        let (whole, digits) = percent.split_once('.').map_or((percent.as_str(), ""), |(whole, digits)| (whole, digits));
        if digits.is_empty() { format!("p{whole:0>2}") } else { format!("p{whole:0>2}_{digits}") }
    }

    /// What it is, in words: `median`, `5 % quantile`.
    #[must_use]
    pub fn words(self) -> String {
        if self.0 == STEPS / 2 { "median".to_owned() } else { format!("{} % quantile", self.percent()) }
    }
}

fn percent(millionths: u32) -> String {
    let text = format!("{}.{:04}", millionths / (STEPS / 100), millionths % (STEPS / 100));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_named_by_its_percentage() {
        for (millionths, level, suffix, words) in [
            (50_000, 0.05, "p05", "5 % quantile"),
            (500_000, 0.5, "p50", "median"),
            (975_000, 0.975, "p97_5", "97.5 % quantile"),
            (1_000, 0.001, "p00_1", "0.1 % quantile"),
            (1, 0.000_001, "p00_0001", "0.0001 % quantile"),
            (999_999, 0.999_999, "p99_9999", "99.9999 % quantile"),
            (100_000, 0.1, "p10", "10 % quantile"),
        ] {
            let quantile = Quantile::new(millionths).unwrap();
            assert_eq!((quantile.level(), quantile.suffix(), quantile.words()), (level, suffix.into(), words.into()));
        }
        assert_eq!(DEFAULT_QUANTILES[0].percent_up_to(DEFAULT_QUANTILES[4]), "90");
        assert_eq!((Quantile::new(0), Quantile::new(1_000_000), Quantile::new(-1)), (None, None, None));
    }

    #[test]
    fn names_of_columns_sort_as_the_quantiles_do() {
        let mut names: Vec<String> =
            [1, 9, 10, 1_000, 9_999, 10_000, 10_001, 99_999, 100_000, 975_000, 975_001, 999_999]
                .map(|millionths| Quantile::new(millionths).unwrap().suffix())
                .to_vec();
        assert!(names.is_sorted(), "{names:?}");
        names.dedup();
        assert_eq!(names.len(), 12);
    }
}
