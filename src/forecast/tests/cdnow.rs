//! The CDNOW 1/10 sample: fits, values at given parameters, and the holdout sums.

use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::FitEnd;
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::summary::Summary;

pub(in crate::forecast) const WEEK: f64 = 7.0;
/// Published figures carry ten significant digits.
pub(in crate::forecast) const TEN_DIGITS: f64 = 5e-10;
/// Published standard errors carry six significant digits.
pub(in crate::forecast) const SIX_DIGITS: f64 = 5e-6;

/// Parameters of the published values (Fader, Hardie & Lee 2005, table 2, rounded as there).
const PUBLISHED: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

pub(in crate::forecast) struct Sample {
    pub(in crate::forecast) x: Vec<u32>,
    pub(in crate::forecast) recency: Vec<u32>,
    pub(in crate::forecast) age: Vec<u32>,
    pub(in crate::forecast) total: Vec<f64>,
    /// Sum of squares of the days after the first about their mean.
    pub(in crate::forecast) squares: Vec<f64>,
    /// Money of the day of the first purchase.
    pub(in crate::forecast) first: Vec<f64>,
}

/// Days since 1970-01-01 of a yyyymmdd date (Hinnant, `days_from_civil`).
fn day(yyyymmdd: i64) -> i64 {
    let (mut y, m, d) = (yyyymmdd / 10_000, yyyymmdd / 100 % 100, yyyymmdd % 100);
    y -= i64::from(m <= 2);
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Calibration to 1997-09-30: purchases of one day are one, the first is not counted.
pub(in crate::forecast) fn sample() -> Sample {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/cdnow/CDNOW_sample.txt");
    let end = day(19_970_930);
    let mut purchases = std::collections::BTreeMap::<String, std::collections::BTreeMap<i64, f64>>::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let on = day(fields[2].parse().unwrap());
        if on <= end {
            *purchases.entry(fields[1].to_owned()).or_default().entry(on).or_default() +=
                fields[4].parse::<f64>().unwrap();
        }
    }
    let mut sample = Sample { x: vec![], recency: vec![], age: vec![], total: vec![], squares: vec![], first: vec![] };
    for days in purchases.values() {
        let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
        sample.x.push(days.len() as u32 - 1);
        sample.recency.push((last - first) as u32);
        sample.age.push((end - first) as u32);
        let total: f64 = days.values().skip(1).sum();
        let mean = total / (days.len() as f64 - 1.0).max(1.0);
        sample.total.push(total);
        sample.squares.push(days.values().skip(1).map(|amount| (amount - mean).powi(2)).sum());
        sample.first.push(days[&first]);
    }
    sample
}

pub(in crate::forecast) fn summary(sample: &Sample) -> Summary {
    let mut summary = Summary::new();
    summary.insert(&sample.x, &sample.recency, &sample.age).unwrap();
    summary
}

pub(in crate::forecast) fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found} is not {expected}");
}

#[test]
fn bg_nbd_fits_the_sample_to_all_published_digits() {
    let sample = sample();
    let summary = summary(&sample);
    assert_eq!((summary.customers(), summary.purchases(), summary.repeaters()), (2357, 2457, 946));
    let fit = BgNbd::fit(&summary, WEEK);
    assert_eq!(fit.end, FitEnd::Converged);
    let found = fit.fitted().unwrap();
    close(found.r, 0.242_594_522_4, TEN_DIGITS);
    close(found.alpha, 4.413_602_019, TEN_DIGITS);
    close(found.a, 0.792_922_017_2, TEN_DIGITS);
    close(found.b, 2.425_906_777, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -9_582.429_207, TEN_DIGITS);
    let errors = fit.standard_errors.clone().unwrap();
    for (found, expected) in errors.iter().zip([0.012_557_4, 0.378_224, 0.185_734, 0.705_414]) {
        close(*found, expected, SIX_DIGITS);
    }
    assert!(fit.notes[0].starts_with("1411 of 2357 customers bought once"), "{:?}", fit.notes);
    // A weakness is told with what helps against it.
    assert!(fit.notes[0].contains("`forecast.model: mbg_nbd`") && fit.notes[0].contains("`auto`"), "{:?}", fit.notes);
}

#[test]
fn gamma_gamma_fits_the_sample_to_all_published_digits() {
    let sample = sample();
    let fit = GammaGamma::fit(&sample.x, &sample.total);
    assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 946));
    let found = fit.fitted().unwrap();
    close(found.p, 6.249_572_271, TEN_DIGITS);
    close(found.q, 3.744_224_667, TEN_DIGITS);
    close(found.gamma, 15.443_520_96, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -4_055.917_695, TEN_DIGITS);
    for (found, expected) in fit.standard_errors.clone().unwrap().iter().zip([1.190_06, 0.290_133, 4.159_42]) {
        close(*found, expected, SIX_DIGITS);
    }
}

#[test]
fn bg_nbd_predicts_the_published_values() {
    let b = PUBLISHED;
    let (t_x, age) = (216.0 / 7.0, 31.0);
    close(b.p_alive(26.0, t_x, age), 0.968_851_562_852, 1e-12);
    close(b.expected_purchases(26.0, t_x, age, 52.0).unwrap(), 25.756_492_215, TEN_DIGITS);
    close(b.expected_purchases(2.0, 30.43, 38.86, 39.0).unwrap(), 1.226_028_174_77, 5e-12);
    close(b.p_alive(2.0, 30.43, 38.86), 0.726_578_57, 5e-9);
    assert_eq!(b.p_alive(0.0, 0.0, 39.0), 1.0);
}

#[test]
fn bg_nbd_gives_the_published_log_likelihood_of_single_histories() {
    let model = BgNbd { r: 0.25, alpha: 4.0, a: 0.8, b: 2.5 };
    let single = |x: u32, t_x: u32, age: u32| {
        let mut summary = Summary::new();
        // With one day for a time unit; 200 purchases do not fit into 38 days, so a fifth of a day is the unit there.
        summary.insert(&[x], &[t_x], &[age]).unwrap();
        summary
    };
    close(model.log_likelihood(&single(0, 0, 40), 1.0), -0.599_473_82, 1e-8);
    close(model.log_likelihood(&single(200, 380, 400), 10.0), 100.795_693_09, 1e-10);
}

#[test]
fn holdout_purchases_of_the_sample_sum_to_the_published_figure() {
    let summary = summary(&sample());
    let found = PUBLISHED.predict(&summary, WEEK, 39.0, 0.0).unwrap();
    let sum: f64 = summary
        .iter()
        .zip(found.p_alive.iter().zip(&found.residual))
        .map(|((_, weight), (alive, residual))| weight as f64 * alive * residual.purchases)
        .sum();
    close(sum, 1_653.941_26, 5e-9);
}

#[test]
fn gamma_gamma_expects_the_published_spend() {
    let model = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
    close(model.conditional_mean(3.0, 105.0), 35.027_919_962_773_4, 1e-14);
    close(model.prior_mean(), 35.218_978_102_189_8, 1e-14);
    assert_eq!(GammaGamma { q: 0.9, ..model }.prior_mean(), f64::INFINITY);
}

/// The published equity is discounted by week ends: purchases of week `k` count `1.001^{−k}`. Discounting each purchase
/// at its own time gives half a week more, 73,984.54.
#[test]
fn equity_of_the_sample_is_the_published_figure() {
    let sample = sample();
    let summary = summary(&sample);
    let rows = summary.locate(&sample.x, &sample.recency, &sample.age).unwrap();
    let spend = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
    let purchases = |horizon: f64, delta: f64| PUBLISHED.predict(&summary, WEEK, horizon, delta).unwrap();
    let money = |found: &crate::forecast::bg_nbd::Predictions, purchases: &dyn Fn(usize) -> f64| -> f64 {
        rows.iter()
            .enumerate()
            .map(|(row, &at)| {
                let mean = spend.conditional_mean(f64::from(sample.x[row]), sample.total[row]);
                found.p_alive[at as usize] * purchases(at as usize) * mean
            })
            .sum()
    };
    let found = purchases(39.0, 0.0);
    close(money(&found, &|at| found.residual[at].purchases), 59_974.29, 1e-7);

    let mut equity = 0.0;
    let mut before = 0.0;
    for week in 1..=52 {
        let found = purchases(f64::from(week), 0.0);
        let so_far = money(&found, &|at| found.residual[at].purchases);
        equity += (so_far - before) * 1.001_f64.powi(-week);
        before = so_far;
    }
    close(equity, 73_947.52, 1e-7);

    let found = purchases(52.0, 1.001_f64.ln());
    close(money(&found, &|at| found.residual[at].discounted_purchases), 73_984.54, 1e-7);
}
