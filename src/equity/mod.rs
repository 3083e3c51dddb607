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
//! let equity = distribution(&[70, 90, 110, 130, 600], &[0.05, 0.5], 2).expect("there are paths");
//! assert_eq!((equity.mean, equity.quantiles), (200, vec![70, 110]));
//! // The worse half of them: 70, 90 and half of 110.
//! assert_eq!(equity.shortfall, 86);
//! ```

pub mod bridge;
pub mod doors;
pub mod market;

use rayon::prelude::*;

use crate::units::{Minor, MinorSum};

/// Mean, standard deviation, quantiles and expected shortfall of a total over simulated futures, in minor units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Mean, half to even.
    pub mean: MinorSum,
    /// Standard deviation (n − 1), half to even.
    pub sd: MinorSum,
    /// Quantiles as asked: the smallest total that is reached with at least that probability.
    pub quantiles: Vec<MinorSum>,
    /// Expected shortfall: mean of the worst totals, half to even.
    pub shortfall: MinorSum,
}

/// The distribution of a total; `None` without paths.
///
/// * `worst_one_in`: the expected shortfall is of the worst one in so many paths, `>= 1`.
#[must_use]
pub fn distribution(paths: &[MinorSum], quantiles: &[f64], worst_one_in: u16) -> Option<Distribution> {
    let n = i128::try_from(paths.len()).ok().filter(|n| *n > 0)?;
    let mut sorted = paths.to_vec();
    sorted.par_sort_unstable();
    let mean = crate::numeric::decimal::divide_half_even(sorted.iter().sum(), n);
    let squares: f64 = sorted.iter().map(|total| ((total - mean) as f64) * ((total - mean) as f64)).sum();
    let sd = libm::sqrt(squares / (n - 1).max(1) as f64).round_ties_even() as i128;
    let at = |q: &f64| sorted[((q * n as f64).ceil() as usize).clamp(1, sorted.len()) - 1];
    let shortfall = shortfall(&sorted, worst_one_in);
    Some(Distribution { mean, sd, quantiles: quantiles.iter().map(at).collect(), shortfall })
}

/// Monte Carlo standard error of the mean of a total, in minor units, half to even; `None` with a single path.
///
/// `sd/√n` of `n` independent paths: a bound, as paths whose kinds are allotted err less. Where `draws` of the parameters
/// share out the paths, draw `g` ruling paths `g`, `g + draws`, …, the draws' own means are what is independent.
///
/// Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), 1.1 and 4.3.
#[must_use]
pub fn mean_error(paths: &[MinorSum], draws: u32) -> Option<MinorSum> {
    let of = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (n > 1.0).then(|| libm::sqrt(squares / (n - 1.0) / n).round_ties_even() as MinorSum)
    };
    let values: Vec<f64> = paths.iter().map(|total| *total as f64).collect();
    if draws <= 1 {
        return of(&values);
    }
    let draws = draws as usize;
    let mean = |draw: usize| {
        let own: Vec<f64> = values.iter().skip(draw).step_by(draws).copied().collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    of(&(0..draws.min(values.len())).map(mean).collect::<Vec<f64>>())
}

/// Mean of the worst `n / worst_one_in` of `n` totals in ascending order, half to even. The total that straddles the
/// boundary counts with its part below: `v − Σ (v − vᵢ) · worst_one_in / n` over the totals below it.
///
/// Source: Rockafellar & Uryasev, Optimization of conditional value-at-risk (2000), equation 4, for gains.
fn shortfall(sorted: &[MinorSum], worst_one_in: u16) -> MinorSum {
    let one_in = usize::from(worst_one_in.max(1));
    let worst = &sorted[..sorted.len().div_ceil(one_in)];
    let Some((last, below)) = worst.split_last() else { return 0 };
    let missed: MinorSum = below.iter().map(|total| last - total).sum();
    let n = sorted.len() as i128;
    crate::numeric::decimal::divide_half_even(last * n - missed * one_in as i128, n)
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
    use proptest::prelude::*;

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
        let found = distribution(&paths, &[0.05, 0.5, 0.95], 20).unwrap();
        assert_eq!(found.quantiles, [5, 50, 95]);
        assert_eq!(found.mean, 50);
        // 1 to 5 are the worst 5 %.
        assert_eq!(found.shortfall, 3);
    }

    #[test]
    fn a_total_that_straddles_the_worst_counts_with_its_part() {
        // 5 % of 30 is one path and a half: (−900 + 100 / 2) / 1.5 = −566.67.
        let mut paths = vec![1_000; 30];
        (paths[7], paths[20]) = (-900, 100);
        assert_eq!(distribution(&paths, &[], 20).unwrap().shortfall, -567);
        // Fewer than twenty: the worst one.
        assert_eq!(distribution(&paths[..10], &[], 20).unwrap().shortfall, -900);
    }

    #[test]
    fn the_error_of_a_mean_is_that_of_paths_or_of_the_draws_that_rule_them() {
        // Variance of 1 … 100 is 841.67: the root of a hundredth of it.
        let paths: Vec<i128> = (1..=100).map(|total| 100 * total).collect();
        assert_eq!(mean_error(&paths, 1), Some(290));
        // Two draws: means of the odd and the even ones are 100 apart, whatever the number of paths.
        assert_eq!(mean_error(&paths, 2), Some(50));
        assert_eq!(mean_error(&[5], 1), None);
        assert_eq!(mean_error(&[5, 5, 5], 3), Some(0));
    }

    proptest! {
        #[test]
        fn the_shortfall_is_at_most_the_quantile_and_the_mean_and_both_when_all_are_equal(
            paths in prop::collection::vec(-1_000_000_i128..1_000_000, 1..200),
        ) {
            let found = distribution(&paths, &[0.05], 20).unwrap();
            prop_assert!(found.shortfall <= found.quantiles[0] && found.shortfall <= found.mean);
            prop_assert!(Some(&found.shortfall) >= paths.iter().min());
            prop_assert_eq!(distribution(&paths, &[], 1).unwrap().shortfall, found.mean);
            let equal = distribution(&vec![paths[0]; paths.len()], &[], 20).unwrap();
            prop_assert_eq!((equal.shortfall, equal.mean), (paths[0], paths[0]));
        }
    }
}
