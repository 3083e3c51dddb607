//! Scores of forecasts against what happened: errors, ranks, and whole distributions.

use crate::numeric::sums::Compensated;

/// Central intervals whose coverage is scored.
pub const INTERVALS: [f64; 3] = [0.5, 0.8, 0.95];
/// Bins of the probability integral transform.
pub const BINS: usize = 10;
/// Groups of customers by expectation.
pub const DECILES: usize = 10;

/// Errors of expectations, one a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Sum of the expectations.
    pub expected: f64,
    /// Sum of what happened.
    pub actual: u64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
}

/// Scores of predictive distributions over many customers; sums, so that parts combine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DistributionScores {
    /// Customers.
    pub customers: f64,
    /// Sum of continuous ranked probability scores.
    pub crps: f64,
    /// Sum of `−ln P(actual)`.
    pub log_score: f64,
    /// Customers within each interval of [`INTERVALS`].
    pub covered: [f64; 3],
    /// Sum of the intervals' probabilities.
    pub nominal: [f64; 3],
    /// Customers by bin of the probability integral transform.
    pub pit: [f64; BINS],
}

/// One tenth of the customers by expectation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Decile {
    /// What happened.
    pub actual: f64,
    /// What was expected.
    pub expected: f64,
}

/// Errors of expectations.
#[must_use]
pub fn errors(expected: &[f64], actual: &[u32]) -> Errors {
    let (mut sum, mut absolute, mut square) = (Compensated::default(), Compensated::default(), Compensated::default());
    for (expected, actual) in expected.iter().zip(actual) {
        let off = expected - f64::from(*actual);
        sum.add(*expected);
        absolute.add(off.abs());
        square.add(off * off);
    }
    let n = expected.len().max(1) as f64;
    Errors {
        expected: sum.value(),
        actual: actual.iter().map(|n| u64::from(*n)).sum(),
        mae: absolute.value() / n,
        rmse: libm::sqrt(square.value() / n),
    }
}

impl DistributionScores {
    /// Adds a customer who made `actual` purchases.
    ///
    /// * `p_alive`: weight of the distribution; the rest of the weight stays at no purchase.
    /// * `while_alive`: probabilities of `0, 1, 2, …` purchases; what they lack of 1 lies above.
    ///
    /// The score is `Σ_n (F(n) − 1{actual <= n})²`; the transform is not randomised: a customer's mass is spread evenly from
    /// `F(actual−1)` to `F(actual)`.
    ///
    /// Sources: Gneiting & Raftery, Strictly proper scoring rules, JASA 102 (2007), 359–378; Czado, Gneiting & Held,
    /// Predictive model assessment for count data, Biometrics 65 (2009), 1254–1261.
    pub fn add(&mut self, p_alive: f64, while_alive: &[f64], actual: u32) {
        let actual = actual as usize;
        let at = |n: usize| {
            let gone = if n == 0 { 1.0 - p_alive } else { 0.0 };
            gone + p_alive * while_alive.get(n).copied().unwrap_or(0.0)
        };
        let mut limits = [(None, None, 0.0); 3];
        let (mut below, mut crps, mut before) = (0.0_f64, 0.0, 0.0);
        for n in 0..while_alive.len().max(actual + 1) {
            let lower = below;
            below = (below + at(n)).min(1.0);
            let off = if actual <= n { 1.0 - below } else { below };
            crps += off * off;
            if n == actual {
                before = lower;
            }
            for (limit, central) in limits.iter_mut().zip(INTERVALS) {
                let tail = 0.5 * (1.0 - central);
                if limit.0.is_none() && below >= tail {
                    (limit.0, limit.2) = (Some(n), lower);
                }
                if limit.1.is_none() && below >= 1.0 - tail {
                    limit.1 = Some(n);
                    limit.2 = below - limit.2;
                }
            }
        }
        self.customers += 1.0;
        self.crps += crps;
        // A count that the model holds for impossible to the last digit is scored as the smallest number.
        self.log_score -= libm::log(at(actual).max(f64::MIN_POSITIVE));
        for (i, (from, to, probability)) in limits.into_iter().enumerate() {
            let within = from.is_some_and(|from| from <= actual) && to.is_none_or(|to| actual <= to);
            self.covered[i] += f64::from(u8::from(within));
            self.nominal[i] += probability;
        }
        self.add_transform(before, (before + at(actual)).min(1.0));
    }

    fn add_transform(&mut self, from: f64, to: f64) {
        let bins = BINS as f64;
        if to <= from {
            self.pit[((from * bins) as usize).min(BINS - 1)] += 1.0;
            return;
        }
        for (bin, share) in (0..).zip(&mut self.pit) {
            let (left, right) = (f64::from(bin) / bins, f64::from(bin + 1) / bins);
            *share += (to.min(right) - from.max(left)).max(0.0) / (to - from);
        }
    }

    /// Adds other customers.
    pub fn combine(&mut self, other: &Self) {
        self.customers += other.customers;
        self.crps += other.crps;
        self.log_score += other.log_score;
        for i in 0..INTERVALS.len() {
            self.covered[i] += other.covered[i];
            self.nominal[i] += other.nominal[i];
        }
        for (mine, theirs) in self.pit.iter_mut().zip(&other.pit) {
            *mine += theirs;
        }
    }
}

/// Rows in descending order of a value, cut where it changes.
fn descending(value: &[f64]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..value.len() as u32).collect();
    rows.sort_by(|a, b| value[*b as usize].total_cmp(&value[*a as usize]));
    rows
}

/// Mean rank of each row, equal values sharing theirs.
fn ranks(value: &[f64]) -> Vec<f64> {
    let rows = descending(value);
    let mut ranks = vec![0.0; value.len()];
    let mut done = 0;
    for tie in rows.chunk_by(|a, b| value[*a as usize].total_cmp(&value[*b as usize]).is_eq()) {
        let rank = done as f64 + 0.5 * (tie.len() as f64 + 1.0);
        for row in tie {
            ranks[*row as usize] = rank;
        }
        done += tie.len();
    }
    ranks
}

/// Rank correlation; `None` where one side is constant.
///
/// Source: Spearman (1904); ties by mean ranks.
#[must_use]
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    let (left, right) = (ranks(left), ranks(right));
    let middle = 0.5 * (left.len() as f64 + 1.0);
    let (mut both, mut one, mut other) = (Compensated::default(), Compensated::default(), Compensated::default());
    for (l, r) in left.iter().zip(&right) {
        both.add((l - middle) * (r - middle));
        one.add((l - middle) * (l - middle));
        other.add((r - middle) * (r - middle));
    }
    let spread = libm::sqrt(one.value() * other.value());
    (spread > 0.0).then(|| both.value() / spread)
}

/// Twice the area between the diagonal and the curve of cumulative `amount` in descending order of `value`, equal values
/// sharing theirs; 0 for an order that tells nothing.
fn concentration(value: &[f64], amount: &[f64]) -> f64 {
    let rows = descending(value);
    let total: f64 = amount.iter().sum();
    let n = rows.len().max(1) as f64;
    let (mut height, mut area) = (0.0, 0.0);
    for tie in rows.chunk_by(|a, b| value[*a as usize].total_cmp(&value[*b as usize]).is_eq()) {
        let more: f64 = tie.iter().map(|row| amount[*row as usize]).sum();
        area += (height + 0.5 * more) / total * tie.len() as f64 / n;
        height += more;
    }
    2.0 * area - 1.0
}

/// Gini of the actual purchases in the order of the expectations, over that in their own order: 1 for the right order;
/// `None` where all did the same.
#[must_use]
pub fn normalised_gini(expected: &[f64], actual: &[u32]) -> Option<f64> {
    let amount: Vec<f64> = actual.iter().map(|n| f64::from(*n)).collect();
    let best = concentration(&amount, &amount);
    (best > 0.0).then(|| concentration(expected, &amount) / best)
}

/// Actual and expected purchases of each tenth of the customers in descending order of the expectations; equal
/// expectations share their actual purchases evenly, and a customer on the cut belongs to both sides in part.
#[must_use]
pub fn deciles(expected: &[f64], actual: &[u32]) -> [Decile; DECILES] {
    let rows = descending(expected);
    let width = rows.len() as f64 / DECILES as f64;
    let mut deciles = [Decile::default(); DECILES];
    let mut done = 0.0;
    for tie in rows.chunk_by(|a, b| expected[*a as usize].total_cmp(&expected[*b as usize]).is_eq()) {
        let bought: f64 = tie.iter().map(|row| f64::from(actual[*row as usize])).sum();
        let (each, foreseen) = (bought / tie.len() as f64, expected[tie[0] as usize]);
        let end = done + tie.len() as f64;
        let first = ((done / width) as usize).min(DECILES - 1);
        for (number, decile) in deciles.iter_mut().enumerate().skip(first) {
            let (from, to) = (width * number as f64, width * (number as f64 + 1.0));
            let inside = end.min(to) - done.max(from);
            if inside <= 0.0 {
                break;
            }
            decile.actual += inside * each;
            decile.expected += inside * foreseen;
        }
        done = end;
    }
    deciles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn errors_are_those_of_a_worked_example() {
        let found = errors(&[1.0, 0.5, 3.0], &[2, 0, 3]);
        assert_eq!((found.expected, found.actual), (4.5, 5));
        close(found.mae, 0.5);
        close(found.rmse, (1.25_f64 / 3.0).sqrt());
    }

    #[test]
    fn a_distribution_is_scored_by_its_distance_to_the_step_at_what_happened() {
        // P = 0.5 + 0.5·0.2, 0.5·0.5, 0.5·0.3 = 0.6, 0.25, 0.15; one purchase.
        let mut scores = DistributionScores::default();
        scores.add(0.5, &[0.2, 0.5, 0.3], 1);
        close(scores.crps, 0.36 + 0.15 * 0.15);
        close(scores.log_score, -(0.25_f64.ln()));
        // Quartiles 0 and 1; 10 % 0 and 90 % 2; all three cover it.
        assert!(scores.covered.iter().all(|share| share.to_bits() == 1.0_f64.to_bits()));
        close(scores.nominal[0], 0.85);
        close(scores.nominal[1], 1.0);
        // From 0.6 to 0.85: 0.4 in the seventh bin, 0.4 in the eighth, 0.2 in the ninth.
        for (bin, share) in [(5, 0.0), (6, 0.4), (7, 0.4), (8, 0.2), (9, 0.0)] {
            close(scores.pit[bin], share);
        }
    }

    #[test]
    fn a_point_forecast_that_is_right_scores_nothing_and_one_that_is_off_its_distance() {
        let score = |actual| {
            let mut scores = DistributionScores::default();
            scores.add(1.0, &[0.0, 0.0, 1.0], actual);
            scores
        };
        assert_eq!((score(2).crps, score(5).crps, score(0).crps), (0.0, 3.0, 2.0));
        assert!(score(5).covered.iter().all(|share| share.to_bits() == 0.0_f64.to_bits()));
        assert!(score(5).log_score > 700.0 && score(5).log_score.is_finite());
    }

    #[test]
    fn a_transform_of_the_true_distribution_is_flat() {
        // Poisson with mean 3, each count as often as its probability says.
        let mut p = vec![(-3.0_f64).exp()];
        for n in 1..60 {
            p.push(p[n - 1] * 3.0 / n as f64);
        }
        let mut whole = DistributionScores::default();
        for (n, weight) in p.iter().enumerate() {
            let mut one = DistributionScores::default();
            one.add(1.0, &p, n as u32);
            whole.pit.iter_mut().zip(one.pit).for_each(|(sum, share)| *sum += weight * share);
            (0..3).for_each(|i| whole.covered[i] += weight * one.covered[i]);
            whole.nominal = one.nominal;
        }
        whole.pit.iter().for_each(|share| assert!((share - 0.1).abs() < 1e-9));
        (0..3).for_each(|i| assert!((whole.covered[i] - whole.nominal[i]).abs() < 1e-9));
    }

    #[test]
    fn ranks_correlate_as_in_a_textbook_example() {
        // Ten people's IQ and hours of television a week: ρ = −29/165 (Wikipedia, Spearman's rank correlation).
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        close(spearman(&iq, &hours).unwrap(), -29.0 / 165.0);
        // Ties: ranks 1.5, 1.5, 3 against 1, 2, 3.
        close(spearman(&[5.0, 5.0, 1.0], &[9.0, 8.0, 7.0]).unwrap(), 0.75_f64.sqrt());
        assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_none());
    }

    #[test]
    fn the_right_order_has_gini_one_the_reverse_minus_one_and_no_order_none() {
        let actual = [0, 3, 1, 9, 4];
        let own: Vec<f64> = actual.iter().map(|n| f64::from(*n)).collect();
        let reversed: Vec<f64> = own.iter().map(|n| -n).collect();
        close(normalised_gini(&own, &actual).unwrap(), 1.0);
        close(normalised_gini(&reversed, &actual).unwrap(), -1.0);
        close(normalised_gini(&[2.0; 5], &actual).unwrap(), 0.0);
        assert!(normalised_gini(&own, &[2; 5]).is_none());
    }

    #[test]
    fn tenths_share_customers_on_a_cut_and_equal_expectations_share_purchases() {
        let expected: Vec<f64> = (0..15).map(|i| f64::from(15 - i)).collect();
        let actual: Vec<u32> = (0..15).map(|i| if i < 3 { 2 } else { 0 }).collect();
        let found = deciles(&expected, &actual);
        close(found[0].actual, 3.0);
        close(found[1].actual, 3.0);
        close(found[0].expected, 15.0 + 7.0);
        close(found.iter().map(|decile| decile.expected).sum::<f64>(), 120.0);
        let flat = deciles(&[1.0; 15], &actual);
        assert!(flat.iter().all(|decile| (decile.actual - 0.6).abs() < 1e-12));
    }
}
