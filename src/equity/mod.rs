//! Customer equity: quantiles of joint totals, the whale curve and its concentration.
//!
//! ```
//! use whalecurve::equity::{distribution, whale_curve};
//!
//! let curve = whale_curve(&[300, -100, 500, 0]);
//! assert_eq!(curve.points, [(1, 500), (2, 800), (3, 800), (4, 700)]);
//! assert_eq!((curve.peak, curve.peak_customers, curve.losing), (800, 2, 1));
//!
//! // Five simulated futures of the whole base.
//! let equity = distribution(&[70, 90, 110, 130, 600], &[0.05, 0.5]).expect("there are paths");
//! assert_eq!((equity.mean, equity.quantiles), (200, vec![70, 110]));
//! ```

use rayon::prelude::*;

use crate::units::{Minor, MinorSum};

/// Mean, standard deviation and quantiles of a total over simulated futures, in minor units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Mean, half to even.
    pub mean: MinorSum,
    /// Standard deviation (n − 1), half to even.
    pub sd: MinorSum,
    /// Quantiles as asked: the smallest total that is reached with at least that probability.
    pub quantiles: Vec<MinorSum>,
}

/// The distribution of a total; `None` without paths.
#[must_use]
pub fn distribution(paths: &[MinorSum], quantiles: &[f64]) -> Option<Distribution> {
    let n = i128::try_from(paths.len()).ok().filter(|n| *n > 0)?;
    let mut sorted = paths.to_vec();
    sorted.par_sort_unstable();
    let mean = crate::numeric::decimal::divide_half_even(sorted.iter().sum(), n);
    let squares: f64 = sorted.iter().map(|total| ((total - mean) as f64) * ((total - mean) as f64)).sum();
    let sd = libm::sqrt(squares / (n - 1).max(1) as f64).round_ties_even() as i128;
    let at = |q: &f64| sorted[((q * n as f64).ceil() as usize).clamp(1, sorted.len()) - 1];
    Some(Distribution { mean, sd, quantiles: quantiles.iter().map(at).collect() })
}

/// The whale curve: cumulative profit over customers sorted best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhaleCurve {
    /// (customers so far, their cumulated profit), ascending; holds the peak and the end.
    pub points: Vec<(u64, MinorSum)>,
    /// Customers up to the peak: those that earn something.
    pub peak_customers: u64,
    /// Profit at the peak.
    pub peak: MinorSum,
    /// Profit of all.
    pub total: MinorSum,
    /// Customers with a loss.
    pub losing: u64,
}

/// Points of a whale curve of very many customers.
const MAX_POINTS: usize = 10_000;

/// The whale curve of `profit`, best customer first. Above ten thousand customers every k-th point is kept, with the
/// peak and the end.
///
/// Source: Kaplan & Narayanan, Measuring and managing customer profitability (2001).
#[must_use]
pub fn whale_curve(profit: &[Minor]) -> WhaleCurve {
    let mut sorted = profit.to_vec();
    sorted.par_sort_unstable_by(|a, b| b.cmp(a));
    let step = sorted.len().div_ceil(MAX_POINTS).max(1);
    let peak_customers = sorted.partition_point(|value| *value > 0);
    let mut curve = WhaleCurve {
        points: Vec::with_capacity(sorted.len() / step + 2),
        peak_customers: peak_customers as u64,
        peak: 0,
        total: 0,
        losing: (sorted.len() - sorted.partition_point(|value| *value >= 0)) as u64,
    };
    for (rank, value) in sorted.iter().enumerate() {
        curve.total += MinorSum::from(*value);
        curve.peak = curve.peak.max(curve.total);
        let rank = rank + 1;
        if rank % step == 0 || rank == peak_customers || rank == sorted.len() {
            curve.points.push((rank as u64, curve.total));
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whale_curve_of_spring_distribution_has_its_published_shape() {
        // REFERENCE: profits of P, Q, R, S, T in cents; curve S, R, Q, P, T, peak 103.6855 %.
        let curve = whale_curve(&[201_200, 1_154_500, 3_872_000, 4_185_600, -334_600]);
        assert_eq!(curve.total, 9_078_700);
        let shares: Vec<i128> = curve.points.iter().map(|point| point.1 * 1_000_000 / curve.total).collect();
        assert_eq!(shares, [461_035, 887_527, 1_014_693, 1_036_855, 1_000_000]);
        assert_eq!((curve.peak_customers, curve.losing, curve.peak), (4, 1, 9_413_300));
    }

    #[test]
    fn quantiles_are_totals_that_were_simulated() {
        let paths: Vec<i128> = (1..=100).collect();
        let found = distribution(&paths, &[0.05, 0.5, 0.95]).unwrap();
        assert_eq!(found.quantiles, [5, 50, 95]);
        assert_eq!(found.mean, 50);
    }
}
