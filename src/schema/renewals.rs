//! When contracts come up for renewal, by the calendar.

use super::period::{civil_from_day, day_from_civil};
use crate::units::Day;

/// Time between two renewals of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalTerm {
    /// So many days.
    Days(u32),
    /// So many calendar months: from the 31st of one to the last day of another that is shorter.
    Months(u32),
}

impl RenewalTerm {
    /// The term of a forecast's time unit: a month of a contract is a month of the calendar, a year has twelve.
    #[must_use]
    pub fn of_time_unit(unit: &str) -> Option<Self> {
        match unit {
            "day" => Some(Self::Days(1)),
            "week" => Some(Self::Days(7)),
            "month" => Some(Self::Months(1)),
            "year" => Some(Self::Months(12)),
            _ => None,
        }
    }

    /// The day of the `n`-th renewal of a contract that began on `start`.
    #[must_use]
    pub fn renewal(self, start: Day, n: u32) -> Day {
        match self {
            Self::Days(days) => start.saturating_add_unsigned(days.saturating_mul(n)),
            Self::Months(months) => add_months(start, i64::from(months) * i64::from(n)),
        }
    }

    /// The day that is `n` terms before `end`.
    #[must_use]
    pub fn before(self, end: Day, n: u32) -> Day {
        match self {
            Self::Days(days) => end.saturating_sub_unsigned(days.saturating_mul(n)),
            Self::Months(months) => add_months(end, -i64::from(months) * i64::from(n)),
        }
    }

    /// In which term before `end` a day lies, counted back from 1: the first one ends with the day before `end`; 0 for
    /// `end` and later days.
    #[must_use]
    pub fn terms_back(self, day: Day, end: Day) -> u32 {
        if day >= end {
            return 0;
        }
        match self {
            Self::Days(days) => end.abs_diff(day).div_ceil(days),
            Self::Months(months) => {
                let (from, to) = (civil_from_day(day), civil_from_day(end));
                let apart = (to.0 - from.0) * 12 + to.1 - from.1;
                let least = apart.unsigned_abs() / months;
                if self.before(end, least) <= day { least } else { least + 1 }
            }
        }
    }

    /// Renewals of a contract that began on `start` which come up to `day`, that day included.
    #[must_use]
    pub fn renewals(self, start: Day, day: Day) -> u32 {
        if day <= start {
            return 0;
        }
        match self {
            Self::Days(days) => day.abs_diff(start) / days,
            Self::Months(months) => {
                let (from, to) = (civil_from_day(start), civil_from_day(day));
                let apart = (to.0 - from.0) * 12 + to.1 - from.1;
                let most = apart.unsigned_abs() / months;
                if self.renewal(start, most) > day { most - 1 } else { most }
            }
        }
    }

    /// The renewal that did not come: of a contract that began on `start` and was over from `day` on, the nearest one,
    /// at least the first.
    ///
    /// Contracts end a day early or late, and some in the middle of a term.
    #[must_use]
    pub fn missed(self, start: Day, day: Day) -> u32 {
        let before = self.renewals(start, day);
        let (last, next) = (self.renewal(start, before), self.renewal(start, before + 1));
        if day - last <= next - day { before.max(1) } else { before + 1 }
    }
}

/// The same day of another month, or its last one.
fn add_months(day: Day, months: i64) -> Day {
    let (year, month, of_month) = civil_from_day(day);
    let month = i64::from(year) * 12 + i64::from(month) - 1 + months;
    let (year, month) = (month.div_euclid(12) as i32, month.rem_euclid(12) as i32 + 1);
    let next = if month == 12 { day_from_civil(year + 1, 1, 1) } else { day_from_civil(year, month + 1, 1) };
    day_from_civil(year, month, of_month).min(next - 1)
}

#[cfg(test)]
mod tests {
    use super::super::period::parse_day;
    use super::*;

    fn day(text: &str) -> Day {
        parse_day(text).unwrap()
    }

    #[test]
    fn renewals_follow_the_calendar() {
        let (month, year) = (RenewalTerm::Months(1), RenewalTerm::Months(12));
        let start = day("2000-01-31");
        for (n, expected) in [(0, "2000-01-31"), (1, "2000-02-29"), (2, "2000-03-31"), (13, "2001-02-28")] {
            assert_eq!(month.renewal(start, n), day(expected));
        }
        assert_eq!(year.renewal(day("2000-02-29"), 1), day("2001-02-28"));
        assert_eq!(year.renewal(day("1999-12-15"), 2), day("2001-12-15"));
        assert_eq!(RenewalTerm::Days(7).renewal(start, 3), start + 21);
        assert_eq!(month.renewals(start, day("2000-02-28")), 0);
        assert_eq!(month.renewals(start, day("2000-02-29")), 1);
        assert_eq!(year.renewals(day("2000-01-01"), day("2007-01-01")), 7);
        assert_eq!(year.renewals(day("2000-01-01"), day("2006-12-31")), 6);
        assert_eq!(year.renewals(day("2000-01-01"), day("1999-01-01")), 0);
        for term in [month, year, RenewalTerm::Days(1), RenewalTerm::Days(7)] {
            for start in (day("1999-11-28")..day("2000-03-03")).step_by(3) {
                for n in 0..60 {
                    let at = term.renewal(start, n);
                    assert_eq!(term.renewals(start, at), n, "{term:?} {start} {n}");
                    assert!(n == 0 || term.renewals(start, at - 1) == n - 1, "{term:?} {start} {n}");
                }
            }
        }
    }

    #[test]
    fn terms_before_an_end_cover_every_day_once() {
        let end = day("2001-01-01");
        assert_eq!(RenewalTerm::Months(12).terms_back(day("2000-01-01"), end), 1);
        assert_eq!(RenewalTerm::Months(12).terms_back(day("1999-12-31"), end), 2);
        assert_eq!(RenewalTerm::Months(1).terms_back(day("2000-11-30"), end), 2);
        for term in [RenewalTerm::Months(1), RenewalTerm::Months(12), RenewalTerm::Days(1), RenewalTerm::Days(7)] {
            for end in (day("2000-02-26")..day("2000-04-02")).step_by(2) {
                assert_eq!(term.terms_back(end, end), 0);
                for n in 1..40 {
                    let (first, last) = (term.before(end, n), term.before(end, n - 1) - 1);
                    assert!(first <= last, "{term:?} {end} {n}");
                    assert_eq!((term.terms_back(first, end), term.terms_back(last, end)), (n, n), "{term:?} {end} {n}");
                }
            }
        }
    }

    #[test]
    fn a_contract_misses_the_renewal_that_is_nearest_to_its_end() {
        let year = RenewalTerm::Months(12);
        let start = day("2000-01-01");
        for (over, expected) in [
            ("2000-01-02", 1),
            ("2000-12-31", 1),
            ("2001-01-01", 1),
            ("2001-01-03", 1),
            ("2001-06-20", 1),
            ("2001-07-20", 2),
            ("2007-01-01", 7),
        ] {
            assert_eq!(year.missed(start, day(over)), expected, "{over}");
        }
    }
}
