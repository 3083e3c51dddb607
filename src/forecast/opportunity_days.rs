//! Purchase days cut into opportunities to buy: calendar terms, counted back from the end of the day of the forecast.

use super::opportunities::DiscreteHistory;
use crate::numeric::discounting::Timing;
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

/// What a unit at each opportunity up to the horizon is worth, on its last day.
///
/// * `days_per_unit`: days in a model time unit. * `timing`: in model time units.
#[must_use]
pub fn worth(as_of: Day, term: RenewalTerm, horizon_days: u32, days_per_unit: f64, timing: Timing) -> Vec<f64> {
    let start = as_of.saturating_add(1);
    let number = term.renewals(start, start.saturating_add_unsigned(horizon_days));
    let last_day = |opportunity: u32| f64::from(term.renewal(start, opportunity).abs_diff(start));
    (1..=number).map(|opportunity| timing.factor(last_day(opportunity) / days_per_unit)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::period::parse_day;

    pub(in crate::forecast) const YEAR: RenewalTerm = RenewalTerm::Months(12);

    pub(in crate::forecast) fn day(text: &str) -> Day {
        parse_day(text).unwrap()
    }

    pub(in crate::forecast) fn log(customers: &[&[&str]]) -> PurchaseLog {
        let mut log = PurchaseLog { first: vec![0], day: Vec::new() };
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

    #[test]
    fn opportunities_to_come_are_whole_and_worth_their_last_day() {
        let rate = |delta: f64| Timing { delta, period: None };
        let found = worth(day("1998-12-31"), YEAR, 731, 365.25, rate(libm::log(1.1)));
        assert_eq!(found.len(), 2);
        assert!((found[0] - libm::pow(1.1, -365.0 / 365.25)).abs() < 1e-15);
        assert!(worth(day("1998-12-31"), YEAR, 364, 365.25, rate(0.1)).is_empty());
        assert!(worth(day("1998-12-31"), RenewalTerm::Months(1), 365, 30.4375, rate(0.0)).iter().all(|f| *f >= 1.0));
    }
}
