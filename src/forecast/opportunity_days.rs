//! Purchase days cut into opportunities to buy: calendar terms, counted back from the end of the day of the forecast.

use super::contract_calendar::ContractCalendar;
use super::opportunities::DiscreteHistory;
use crate::schema::purchases::PurchaseLog;
use crate::schema::renewals::RenewalTerm;
use crate::units::Day;
use rayon::prelude::*;

/// Histories of the customers who have bought up to `as_of`, each with its row in the log.
///
/// The last opportunity ends with `as_of`, so that all are whole. The one of a customer's first purchase is not counted;
/// purchases of one opportunity are one.
#[must_use]
pub fn histories(log: &PurchaseLog, as_of: Day, term: RenewalTerm) -> Vec<(u32, DiscreteHistory)> {
    let end = as_of.saturating_add(1);
    let history = |customer: usize| {
        let days = log.of(customer);
        let days = &days[..days.partition_point(|day| *day <= as_of)];
        let first = term.terms_back(*days.first()?, end);
        let (mut frequency, mut recency) = (0, 0);
        for day in days {
            let opportunity = first - term.terms_back(*day, end);
            if opportunity > recency {
                (frequency, recency) = (frequency + 1, opportunity);
            }
        }
        Some((customer as u32, DiscreteHistory { opportunities: first - 1, frequency, recency }))
    };
    (0..log.customers()).into_par_iter().filter_map(history).collect()
}

/// What a unit at each opportunity up to the horizon is worth, on its last day. The first opportunity begins on the day after the
/// calendar's `as_of`; a horizon of whole time units has as many.
#[must_use]
pub fn worth(calendar: &ContractCalendar) -> Vec<f64> {
    let start = calendar.as_of.saturating_add(1);
    let within = || calendar.term.renewals(start, start.saturating_add_unsigned(calendar.horizon_days));
    let number = calendar.whole_units().unwrap_or_else(within);
    (1..=number).map(|opportunity| calendar.factor(calendar.last_day(calendar.term, opportunity))).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::forecasting::Discounting;
    use crate::schema::period::parse_day;

    pub(in crate::forecast) const YEAR: RenewalTerm = RenewalTerm::Months(12);

    pub(in crate::forecast) fn day(text: &str) -> Day {
        parse_day(text).unwrap()
    }

    pub(in crate::forecast) fn log(customers: &[&[&str]]) -> PurchaseLog {
        let mut log = PurchaseLog { first: vec![0], ..PurchaseLog::default() };
        for days in customers {
            log.day.extend(days.iter().map(|text| day(text)));
            log.first.push(log.day.len());
        }
        log
    }

    #[test]
    fn purchases_of_a_year_are_one_and_the_first_year_is_not_counted() {
        let log = log(&[
            &["1995-06-01", "1995-12-31", "1996-01-01", "1996-03-01", "1998-12-31"],
            &["1998-01-01"],
            &["1999-01-01"],
            &[],
            &["1994-12-31", "2001-06-01"],
        ]);
        let found = histories(&log, day("1998-12-31"), YEAR);
        let told: Vec<_> = found.iter().map(|(row, h)| (*row, h.frequency, h.recency, h.opportunities)).collect();
        // What happens after the day of the forecast is not known.
        assert_eq!(told, [(0, 2, 3, 3), (1, 0, 0, 0), (4, 0, 0, 4)]);
        // Opportunities end with that day, whatever the calendar year.
        let found = histories(&log, day("1996-02-29"), YEAR);
        assert_eq!((found[0].1.frequency, found[0].1.opportunities), (0, 0));
    }

    fn calendar(as_of: &str, (term, days_per_unit): (RenewalTerm, f64), horizon_days: u32) -> ContractCalendar {
        let (delta, discounting) = (libm::log(1.1) * days_per_unit / 365.25, Discounting::Continuous);
        ContractCalendar { as_of: day(as_of), term, days_per_unit, horizon_days, delta, discounting }
    }

    const YEARS: (RenewalTerm, f64) = (YEAR, 365.25);
    const MONTHS: (RenewalTerm, f64) = (RenewalTerm::Months(1), 30.4375);

    #[test]
    fn opportunities_to_come_are_whole_and_worth_their_last_day() {
        let found = worth(&calendar("1998-12-31", YEARS, 731));
        assert_eq!(found.len(), 2);
        assert!((found[0] - libm::pow(1.1, -365.0 / 365.25)).abs() < 1e-15);
        assert!(worth(&calendar("1998-12-31", YEARS, 340)).is_empty());
        let undiscounted = ContractCalendar { delta: 0.0, ..calendar("1998-12-31", MONTHS, 365) };
        assert_eq!(worth(&undiscounted), [1.0; 12]);
    }

    #[test]
    fn a_horizon_of_whole_years_has_as_many_whatever_the_leap_days() {
        for year in 1995..2010 {
            for (horizon, years) in [(365, 1), (1_096, 3), (1_826, 5), (3_653, 10)] {
                assert_eq!(worth(&calendar(&format!("{year}-12-31"), YEARS, horizon)).len(), years, "{year}");
                assert_eq!(worth(&calendar(&format!("{year}-02-28"), YEARS, horizon)).len(), years, "{year}");
            }
            assert_eq!(worth(&calendar(&format!("{year}-01-31"), MONTHS, 91)).len(), 3, "{year}");
        }
        // 52 weeks are a year, 50 are none.
        assert_eq!(worth(&calendar("2001-12-31", YEARS, 364)).len(), 1);
        assert!(worth(&calendar("2001-12-31", YEARS, 350)).is_empty());
        // Two years and a half have two.
        assert_eq!(worth(&calendar("2001-12-31", YEARS, 913)).len(), 2);
    }

    #[test]
    fn opportunities_count_at_the_end_of_the_periods_of_the_calendar() {
        for as_of in ["2001-12-31", "2003-12-31", "2002-02-28", "2004-02-29", "2005-06-30"] {
            for (term, horizon, discounting) in
                [(YEARS, 1_826, Discounting::PerYear), (MONTHS, 365, Discounting::PerMonth)]
            {
                let calendar = ContractCalendar { discounting, ..calendar(as_of, term, horizon) };
                for (number, factor) in (1..).zip(worth(&calendar)) {
                    let expected = libm::exp(-calendar.delta * f64::from(number));
                    assert!((factor - expected).abs() < 1e-15, "{as_of} {number}: {factor} is not {expected}");
                }
            }
        }
    }
}
