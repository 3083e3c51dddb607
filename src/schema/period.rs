//! Calendar periods of a run, as consecutive integers, and the civil calendar behind them.

use std::ops::{Range, RangeInclusive};

use serde::{Deserialize, Serialize};

use crate::units::Day;

/// How long one period of the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// One period: everything.
    Whole,
    /// Calendar years.
    Year,
    /// Calendar quarters.
    Quarter,
    /// Calendar months.
    Month,
    /// Days: for the purchase days of a forecast, not for configs.
    Day,
}

/// A period as an integer: consecutive periods differ by one.
pub type Period = i32;

/// Days that can be written with a year of four digits: 0001-01-01 to 9999-12-31.
pub const CALENDAR: RangeInclusive<Day> = -719_162..=2_932_896;

/// The label of the one period of a [`PeriodKind::Whole`] run, and of costs that belong to no period.
pub const ALL: &str = "all";

impl PeriodKind {
    /// The period that holds `day`.
    #[must_use]
    pub fn of(self, day: Day) -> Period {
        let (year, month, _) = match self {
            Self::Whole => return 0,
            Self::Day => return day,
            Self::Year | Self::Quarter | Self::Month => civil_from_day(day),
        };
        match self {
            Self::Whole | Self::Day | Self::Year => year,
            Self::Quarter => year * 4 + (month - 1) / 3,
            Self::Month => year * 12 + month - 1,
        }
    }

    /// `all`, `1997`, `1997-Q1` or `1997-03`: sorts as text as the periods do.
    #[must_use]
    pub fn label(self, period: Period) -> String {
        match self {
            Self::Whole => ALL.to_owned(),
            Self::Year => format!("{period:04}"),
            Self::Quarter => format!("{:04}-Q{}", period.div_euclid(4), period.rem_euclid(4) + 1),
            Self::Month => format!("{:04}-{:02}", period.div_euclid(12), period.rem_euclid(12) + 1),
            Self::Day => format_day(period),
        }
    }

    /// The inverse of [`Self::label`]; `None` when the text is no period of this kind.
    #[must_use]
    pub fn parse(self, label: &str) -> Option<Period> {
        let label = label.trim();
        let period = match self {
            Self::Whole => 0,
            Self::Year => label.parse().ok()?,
            Self::Quarter => {
                let (year, quarter) = label.split_once("-Q").or_else(|| label.split_once('Q'))?;
                year.parse::<i32>().ok()?.checked_mul(4)?.checked_add(quarter.parse().ok()?)?.checked_sub(1)?
            }
            Self::Month => {
                let (year, month) = label.split_once('-')?;
                year.parse::<i32>().ok()?.checked_mul(12)?.checked_add(month.parse().ok()?)?.checked_sub(1)?
            }
            Self::Day => parse_day(label)?,
        };
        let canonical = self.label(period);
        (canonical == label || canonical.replace("-Q", "Q") == label).then_some(period)
    }

    /// Days from the first day of the period to the first day of the next; `None` for [`Self::Whole`].
    #[must_use]
    pub fn days(self, period: Period) -> Option<i32> {
        Some(self.first_day(period + 1)? - self.first_day(period)?)
    }

    /// The last twelve whole months, or four whole quarters, that end on or before `as_of`; `None` for other kinds. The period
    /// that holds `as_of` is one of them only where `as_of` is its last day.
    #[must_use]
    pub fn last_year(self, as_of: Day) -> Option<Range<Period>> {
        let periods = match self {
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Whole | Self::Year | Self::Day => return None,
        };
        let open = self.first_open(as_of);
        Some(open - periods..open)
    }

    /// The period of the day after `as_of`: every one before it has ended.
    #[must_use]
    pub fn first_open(self, as_of: Day) -> Period {
        self.of(as_of.saturating_add(1))
    }

    /// First day of the period; `None` for [`Self::Whole`].
    #[must_use]
    pub fn first_day(self, period: Period) -> Option<Day> {
        match self {
            Self::Whole => None,
            Self::Year => Some(day_from_civil(period, 1, 1)),
            Self::Quarter => Some(day_from_civil(period.div_euclid(4), period.rem_euclid(4) * 3 + 1, 1)),
            Self::Month => Some(day_from_civil(period.div_euclid(12), period.rem_euclid(12) + 1, 1)),
            Self::Day => Some(period),
        }
    }
}

/// Proleptic Gregorian (year, month 1–12, day 1–31) of days since 1970-01-01.
///
/// Source: Neri & Schneider, Euclidean affine functions and their application to calendar algorithms (2022), §6.
#[must_use]
pub fn civil_from_day(day: Day) -> (i32, i32, i32) {
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as i32, day_of_month as i32)
}

/// Days since 1970-01-01 of a proleptic Gregorian date. The inverse of [`civil_from_day`].
#[must_use]
pub fn day_from_civil(year: i32, month: i32, day: i32) -> Day {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as Day
}

/// `1997-09-30`.
#[must_use]
pub fn format_day(day: Day) -> String {
    let (year, month, day) = civil_from_day(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads `1997-09-30`; `None` when it is no date of the calendar.
#[must_use]
pub fn parse_day(text: &str) -> Option<Day> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let parsed = day_from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    (format_day(parsed) == text).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_days_have_their_known_numbers() {
        assert_eq!(parse_day("1970-01-01"), Some(0));
        assert_eq!(parse_day("1997-09-30"), Some(10_134));
        assert_eq!(parse_day("2000-02-29"), Some(11_016));
        assert_eq!(parse_day("1900-02-29"), None);
        assert_eq!(parse_day("0001-01-01"), Some(-719_162));
        for far in ["1000000000-Q1", "1000000000-01", "2147483647-12", "-2147483648-01"] {
            assert_eq!((PeriodKind::Quarter.parse(far), PeriodKind::Month.parse(far)), (None, None), "{far}");
        }
    }

    #[test]
    fn the_last_year_is_of_whole_periods_that_have_ended() {
        let labels = |kind: PeriodKind, as_of: &str| {
            let range = kind.last_year(parse_day(as_of).unwrap()).unwrap();
            (range.len(), kind.label(range.start), kind.label(range.end - 1))
        };
        let months = |as_of| labels(PeriodKind::Month, as_of);
        assert_eq!(months("1997-09-30"), (12, "1996-10".to_owned(), "1997-09".to_owned()));
        assert_eq!(months("1997-09-29"), (12, "1996-09".to_owned(), "1997-08".to_owned()));
        // The February of a leap year, which ends within 366 days of the next one's end, is not a thirteenth month.
        assert_eq!(months("1997-02-28"), (12, "1996-03".to_owned(), "1997-02".to_owned()));
        let quarters = |as_of| labels(PeriodKind::Quarter, as_of);
        assert_eq!(quarters("1997-12-31"), (4, "1997-Q1".to_owned(), "1997-Q4".to_owned()));
        assert_eq!(quarters("1997-12-30"), (4, "1996-Q4".to_owned(), "1997-Q3".to_owned()));
        for kind in [PeriodKind::Whole, PeriodKind::Year, PeriodKind::Day] {
            assert_eq!(kind.last_year(10_134), None);
        }
    }

    proptest! {
        #[test]
        fn civil_dates_round_trip(day in -719_162..2_932_896_i32) {
            let (year, month, of_month) = civil_from_day(day);
            prop_assert_eq!(day_from_civil(year, month, of_month), day);
            prop_assert_eq!(parse_day(&format_day(day)), Some(day));
        }

        #[test]
        fn a_day_lies_in_its_period_and_labels_sort_as_periods(day in 0..40_000_i32, step in 1..3_000_i32) {
            for kind in [PeriodKind::Year, PeriodKind::Quarter, PeriodKind::Month] {
                let period = kind.of(day);
                prop_assert!(kind.first_day(period) <= Some(day) && Some(day) < kind.first_day(period + 1));
                prop_assert_eq!(kind.parse(&kind.label(period)), Some(period));
                let later = kind.of(day + step);
                prop_assert_eq!(kind.label(period).cmp(&kind.label(later)), period.cmp(&later));
            }
        }
    }
}
