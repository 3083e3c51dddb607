//! BG/BB on a holdout: fitted to the opportunities up to a cut and asked for those after it.
//!
//! The holdout is a whole number of opportunities, the last ones up to the end. What is scored is at how many of them a
//! customer bought, against the distribution that the model says.

use super::bg_bb::BgBb;
use super::holdout::HoldoutError;
use super::observed::{Assessment, Observed, Past, Step};
use super::opportunities::{DiscreteHistory, Opportunities};
use super::opportunity_days;
use super::scores::DistributionScores;
use crate::numeric::sums::Compensated;
use crate::schema::purchases::PurchaseLog;
use crate::schema::renewals::RenewalTerm;
use crate::units::Day;

/// A ledger's opportunities, cut in two.
#[derive(Debug)]
pub struct OpportunityHoldout {
    /// What happened after the cut, one a customer who had bought by then; steps are opportunities.
    pub observed: Observed,
    history: Vec<DiscreteHistory>,
    summary: Opportunities,
    /// Opportunities with a repeat purchase, of those as many before the cut as there are after it.
    last: Vec<f64>,
    /// Share of the customers who bought at the last opportunity but one that bought at the last one as well.
    retention: f64,
}

/// What is said of the customers of one history.
struct Foretold {
    history: DiscreteHistory,
    /// Expected purchases up to each opportunity of the holdout.
    expected: Vec<f64>,
    /// Probability of each number of purchases in it.
    probability: Vec<f64>,
}

impl OpportunityHoldout {
    /// Cuts a log: the holdout is as many opportunities up to `end` as are nearest to the last `days` days.
    ///
    /// # Errors
    /// [`HoldoutError::NoOpportunity`], [`HoldoutError::NoCalibration`], [`HoldoutError::Opportunities`].
    pub fn new(log: &PurchaseLog, end: Day, days: u32, term: RenewalTerm) -> Result<Self, HoldoutError> {
        let after = end.saturating_add(1);
        let opportunities = nearest(term, after, days);
        if opportunities == 0 {
            return Err(HoldoutError::NoOpportunity { days });
        }
        let cut = term.before(after, opportunities) - 1;
        let (customer, history): (Vec<u32>, Vec<DiscreteHistory>) =
            opportunity_days::histories(log, cut, term).into_iter().unzip();
        if history.is_empty() {
            return Err(HoldoutError::NoCalibration);
        }
        let frequency: Vec<u32> = history.iter().map(|history| history.frequency).collect();
        let column = |of: fn(&DiscreteHistory) -> u32| -> Vec<u32> { history.iter().map(of).collect() };
        let mut summary = Opportunities::new();
        summary.insert(&frequency, &column(|h| h.recency), &column(|h| h.opportunities))?;

        let mut bought_at = vec![0_u64; opportunities as usize];
        let (mut actual, mut last) = (Vec::new(), Vec::new());
        let (mut before, mut again) = (0_u64, 0_u64);
        for row in &customer {
            let bought = back(log.of(*row as usize), cut, end, |day| term.terms_back(day, after));
            for number in &bought {
                bought_at[(opportunities - number) as usize] += 1;
            }
            actual.push(bought.len() as u32);
            // The first purchase's opportunity is the furthest back; it is no repeat.
            let past = back(log.of(*row as usize), Day::MIN, cut, |day| term.terms_back(day, cut + 1));
            last.push(past.iter().skip(1).filter(|number| **number <= opportunities).count() as f64);
            if past.contains(&2) {
                before += 1;
                again += u64::from(past.contains(&1));
            }
        }
        let mut sum = 0;
        let step = |(number, bought): (u32, u64)| {
            sum += bought;
            let day = term.before(after, opportunities - number) - 1;
            Step { day, over: f64::from(number) / f64::from(opportunities), actual: sum }
        };
        let steps = (1..).zip(bought_at).map(step).collect();
        let observed = Observed { cut, days: end.abs_diff(cut), frequency, actual, steps };
        let retention = if before == 0 { 0.0 } else { again as f64 / before as f64 };
        Ok(Self { observed, history, summary, last, retention })
    }

    /// Opportunities in the holdout.
    #[must_use]
    pub fn opportunities(&self) -> u32 {
        self.observed.steps.len() as u32
    }

    /// Fits BG/BB up to the cut and asks it for the holdout. A fit without an estimate has no outcome.
    #[must_use]
    pub fn model(&self) -> Assessment<BgBb> {
        let fit = BgBb::fit(&self.summary);
        let outcome = fit.fitted().ok().map(|model| {
            let told: Vec<Foretold> = self.summary.iter().map(|(history, _)| self.foretell(*model, history)).collect();
            let mut expected = Vec::with_capacity(self.history.len());
            let mut tracked = vec![Compensated::default(); self.observed.steps.len()];
            let mut distribution = DistributionScores::default();
            for (history, actual) in self.history.iter().zip(&self.observed.actual) {
                let of = &told[told.partition_point(|other| other.history < *history)];
                expected.push(of.expected.last().copied().unwrap_or(0.0));
                tracked.iter_mut().zip(&of.expected).for_each(|(sum, value)| sum.add(*value));
                distribution.add(1.0, &of.probability, *actual);
            }
            let tracked = tracked.into_iter().map(Compensated::value).collect();
            self.observed.outcome(expected, tracked, Some(distribution))
        });
        Assessment { method: "bg_bb", fit: Some(fit), outcome }
    }

    fn foretell(&self, model: BgBb, history: DiscreteHistory) -> Foretold {
        let DiscreteHistory { frequency: x, recency, opportunities: n } = history;
        let ahead = self.opportunities();
        Foretold {
            history,
            expected: (1..=ahead).map(|periods| model.expected_purchases(x, recency, n, periods)).collect(),
            probability: (0..=ahead).map(|y| model.probability_of_purchases(x, recency, n, ahead, y)).collect(),
        }
    }

    /// The three baselines; the retention formula's period is an opportunity.
    ///
    /// # Errors
    /// [`HoldoutError::Baseline`].
    pub fn baselines(&self) -> Result<Vec<Assessment<BgBb>>, HoldoutError> {
        let age: Vec<f64> = self.history.iter().map(|history| f64::from(history.opportunities)).collect();
        Ok(self.observed.baselines(&Past {
            horizon: f64::from(self.opportunities()),
            last: &self.last,
            age: &age,
            shortest: 1.0,
            periods: self.opportunities(),
            retention: self.retention,
        })?)
    }
}

/// How many terms before `end` come nearest to so many days.
fn nearest(term: RenewalTerm, end: Day, days: u32) -> u32 {
    let start = end.saturating_sub_unsigned(days);
    let more = term.terms_back(start, end);
    if more == 0 {
        return 0;
    }
    let (longer, shorter) = (term.before(end, more), term.before(end, more - 1));
    if start.abs_diff(longer) <= start.abs_diff(shorter) { more } else { more - 1 }
}

/// Opportunities, counted back, in which the days after `from` up to `to` lie, the furthest one first.
fn back(days: &[Day], from: Day, to: Day, number: impl Fn(Day) -> u32) -> Vec<u32> {
    let below = |limit: Day| days.partition_point(|day| *day <= limit);
    let mut found: Vec<u32> = days[below(from)..below(to)].iter().map(|day| number(*day)).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::opportunity_days::tests::{YEAR, day, log};

    #[test]
    fn a_cut_counts_the_opportunities_on_either_side_of_it() {
        let log = log(&[
            // Twice in 1996, and in two of the three years of the holdout.
            &["1995-06-01", "1996-01-01", "1996-12-31", "1999-01-01", "1999-02-01", "2001-12-31"],
            &["1995-01-01", "1998-06-30", "2000-05-05"],
            &["1998-12-31"],
            // Came after the cut.
            &["1999-01-01"],
        ]);
        for days in [1_095, 1_096, 1_000, 1_250] {
            let holdout = OpportunityHoldout::new(&log, day("2001-12-31"), days, YEAR).unwrap();
            assert_eq!((holdout.opportunities(), holdout.observed.cut), (3, day("1998-12-31")), "{days}");
            assert_eq!(holdout.observed.days, 1_096);
            assert_eq!(holdout.observed.frequency, [1, 1, 0]);
            assert_eq!(holdout.observed.actual, [2, 1, 0]);
            let steps: Vec<(Day, u64)> = holdout.observed.steps.iter().map(|step| (step.day, step.actual)).collect();
            assert_eq!(steps, [(day("1999-12-31"), 1), (day("2000-12-31"), 2), (day("2001-12-31"), 3)]);
            assert_eq!(holdout.last, [1.0, 1.0, 0.0]);
        }
        assert!(matches!(
            OpportunityHoldout::new(&log, day("2001-12-31"), 182, YEAR),
            Err(HoldoutError::NoOpportunity { days: 182 })
        ));
        let early = OpportunityHoldout::new(&log, day("2001-12-31"), 3_653, YEAR);
        assert!(matches!(early, Err(HoldoutError::NoCalibration)));
    }

    #[test]
    fn baselines_go_by_opportunities() {
        let log = log(&[
            // At the last two opportunities before the cut, and at both before them.
            &["1994-06-01", "1995-06-01", "1996-06-01", "1997-06-01", "1998-06-01"],
            // At the last but one alone.
            &["1996-01-01", "1997-01-01"],
            &["1997-07-01"],
        ]);
        let holdout = OpportunityHoldout::new(&log, day("2000-12-31"), 731, YEAR).unwrap();
        assert_eq!(holdout.observed.actual, [0; 3]);
        let found = holdout.baselines().unwrap();
        let expected = |row: usize| found[row].outcome.as_ref().unwrap().expected.clone();
        assert_eq!((found[0].method, expected(0)), ("last_period", vec![2.0, 1.0, 0.0]));
        assert_eq!((found[1].method, expected(1)), ("mean_of_past", vec![2.0, 1.0, 0.0]));
        // Of three customers who bought in 1997 one did in 1998: 1/3 + 1/9.
        let formula = expected(2);
        let worked = [4.0 / 9.0, 2.0 / 9.0, 0.0];
        assert!(formula.iter().zip(worked).all(|(found, expected)| (found - expected).abs() < 1e-12), "{formula:?}");
    }
}
