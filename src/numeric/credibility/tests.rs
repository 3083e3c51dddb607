//! Rates that are drawn to their group's: laws, and what is found again in drawn data.

use super::*;
use crate::numeric::{philox::Stream, ziggurat::standard_normal};
use proptest::prelude::*;

/// Everybody in one group.
fn one(of: &[u32]) -> Grouped<'_> {
    Grouped { of, groups: 1 }
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-9), "{found} is not {expected}");
}

/// Customers of some groups with these means: what each has shown, its exposure and its group.
fn drawn(customers: u32, means: &[f64], (within, between): (f64, f64)) -> (Vec<f64>, Vec<f64>, Vec<u32>) {
    let mut stream = Stream::new(7, 11, 13);
    let mut row = |number: u32| {
        let group = number % means.len() as u32;
        let exposure = 1.0 + stream.below(20) as f64;
        let rate = means[group as usize] + libm::sqrt(between) * standard_normal(&mut stream);
        (rate * exposure + libm::sqrt(within * exposure) * standard_normal(&mut stream), exposure, group)
    };
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (own, exposure, group) in (0..customers).map(&mut row) {
        columns.0.push(own);
        columns.1.push(exposure);
        columns.2.push(group);
    }
    columns
}

/// Bühlmann & Gisler, chapter 4, with the variances given: `Z = w / (w + σ²/τ²)`, the mean weighted by `Z`.
#[test]
fn given_variances_make_the_textbooks_weights_and_mean() {
    let found = Credibility { within: 6.0, between: 2.0, between_groups: 0.0 };
    let (own, exposure) = ([3.0, 18.0], [1.0, 3.0]);
    let (first, second) = (0.25, 0.5);
    close(found.weight(1.0), first, 1e-15);
    close(found.weight(3.0), second, 1e-15);
    let mean = (first * 3.0 + second * 6.0) / (first + second);
    let rates = found.rates(&own, &exposure, one(&[0, 0]));
    close(rates[0], first * 3.0 + (1.0 - first) * mean, 1e-14);
    close(rates[1], second * 6.0 + (1.0 - second) * mean, 1e-14);
}

/// Chapter 6, two groups of one customer each: precisions 1/8 and 1/4 of their means, 1/(ω² + 8) and 1/(ω² + 4) of the base's.
#[test]
fn given_variances_draw_groups_to_the_base() {
    let found = Credibility { within: 6.0, between: 2.0, between_groups: 4.0 };
    let means = found.means(&[3.0, 18.0], &[1.0, 3.0], Grouped { of: &[0, 1], groups: 3 });
    let base = (3.0 / 12.0 + 6.0 / 8.0) / (1.0 / 12.0 + 1.0 / 8.0);
    close(means[0], (4.0 * 3.0 + 8.0 * base) / 12.0, 1e-14);
    close(means[1], (4.0 * 6.0 + 4.0 * base) / 8.0, 1e-14);
    close(means[2], base, 1e-14);
}

#[test]
fn variances_of_drawn_rates_are_found_again() {
    for (within, between) in [(1.0, 0.0), (1.0, 0.05), (1.0, 2.0), (0.0, 1.0)] {
        let (own, exposure, of) = drawn(40_000, &[0.1, 0.5, 1.0], (within, between));
        let found = Credibility::fit(&own, &exposure, Grouped { of: &of, groups: 3 });
        // Standard errors are about 2 % of a variance, and of the other one's share in it.
        assert!((found.within - within).abs() < 0.1 * (within + between), "{found:?}");
        assert!((found.between - between).abs() < 0.05 * between + 0.01 * within, "{found:?}");
        // The variance of 0.1, 0.5 and 1: 0.203.
        close(found.between_groups, 0.203, 0.2);
    }
}

/// The mean squared error of the rates against the drawn truth is below that of the own rates and of the group's mean.
#[test]
fn rates_are_nearer_to_the_truth_than_own_rates_and_than_means() {
    let (customers, between) = (5_000, 0.1);
    let mut stream = Stream::new(3, 5, 7);
    let truth: Vec<f64> = (0..customers).map(|_| 1.0 + libm::sqrt(between) * standard_normal(&mut stream)).collect();
    let exposure: Vec<f64> = truth.iter().map(|_| 1.0 + stream.below(20) as f64).collect();
    let noise = |(rate, w): (&f64, &f64)| rate * w + libm::sqrt(*w) * standard_normal(&mut stream);
    let own: Vec<f64> = truth.iter().zip(&exposure).map(noise).collect();
    let of = vec![0; own.len()];
    let found = Credibility::fit(&own, &exposure, one(&of));
    let error = |rates: &dyn Fn(usize) -> f64| -> f64 {
        truth.iter().enumerate().map(|(row, rate)| (rates(row) - rate) * (rates(row) - rate)).sum()
    };
    let rates = found.rates(&own, &exposure, one(&of));
    let mean = found.means(&own, &exposure, one(&of))[0];
    let drawn = error(&|row| rates[row]);
    assert!(drawn < 0.8 * error(&|row| own[row] / exposure[row]) && drawn < 0.8 * error(&|_| mean));
}

#[test]
fn equal_rates_stay_and_rates_without_noise_are_everybodys_own() {
    let exposure: Vec<f64> = (1..=60).map(f64::from).collect();
    let of = vec![0; 60];
    let same: Vec<f64> = exposure.iter().map(|w| 0.3 * w).collect();
    for rate in Credibility::fit(&same, &exposure, one(&of)).rates(&same, &exposure, one(&of)) {
        close(rate, 0.3, 1e-12);
    }
    // As far apart with little exposure as with much.
    let apart: Vec<f64> = exposure.iter().enumerate().map(|(row, w)| (0.2 + 0.4 * (row % 2) as f64) * w).collect();
    let found = Credibility::fit(&apart, &exposure, one(&of));
    assert!(found.within < 1e-2 * found.between, "{found:?}");
    for ((own, w), rate) in apart.iter().zip(&exposure).zip(found.rates(&apart, &exposure, one(&of))) {
        close(rate, own / w, 0.01);
    }
}

#[test]
fn little_that_is_known_has_an_answer_all_the_same() {
    let rates = |own: &[f64], exposure: &[f64], of: &[u32], groups: usize| {
        let grouped = Grouped { of, groups };
        let found = Credibility::fit(own, exposure, grouped);
        (found.rates(own, exposure, grouped), found.group_rates(own, exposure, grouped))
    };
    assert_eq!(rates(&[], &[], &[], 1), (vec![], vec![0.0]));
    assert_eq!(rates(&[5.0], &[0.0], &[0], 1), (vec![0.0], vec![0.0]));
    assert_eq!(rates(&[5.0], &[2.0], &[0], 2), (vec![2.5], vec![2.5, 2.5]));
    // Without exposure the group's, whatever was shown; the other group's are exact as well.
    for (rate, expected) in
        rates(&[6.0, 3.0, 9.0, 4.0], &[2.0, 1.0, 0.0, 4.0], &[0, 0, 0, 1], 2).0.into_iter().zip([3.0, 3.0, 3.0, 1.0])
    {
        close(rate, expected, 1e-14);
    }
    // Nothing tells noise from differences: a mean exposure weighs half.
    let (found, _) = rates(&[2.0, 4.0], &[1.0, 1.0], &[0, 0], 1);
    assert_eq!(found, [2.5, 3.5]);
    // No group has two customers: they are customers of one.
    assert_eq!(rates(&[2.0, 4.0], &[1.0, 1.0], &[0, 1], 2).0, found);
}

#[test]
fn one_customer_out_of_all_measure_hardly_moves_what_others_are_believed() {
    let (mut own, exposure, of) = drawn(5_000, &[0.4], (0.5, 0.02));
    let before = Credibility::fit(&own, &exposure, one(&of));
    own[0] = -100.0 * exposure[0];
    let after = Credibility::fit(&own, &exposure, one(&of));
    assert!((before.weight(10.0) - after.weight(10.0)).abs() < 0.1, "{before:?} {after:?}");
}

proptest! {
    #[test]
    fn rates_lie_between_own_and_group_scale_with_money_and_exposure_and_keep_what_all_have_shown(
        rows in prop::collection::vec((-50.0..100.0_f64, 0.01..30.0_f64, 0..4_u32), 2..60),
        scale in 0.01..100.0_f64,
    ) {
        let (own, rest): (Vec<f64>, Vec<(f64, u32)>) = rows.iter().map(|row| (row.0, (row.1, row.2))).unzip();
        let (exposure, of): (Vec<f64>, Vec<u32>) = rest.into_iter().unzip();
        let grouped = Grouped { of: &of, groups: 4 };
        let found = Credibility::fit(&own, &exposure, grouped);
        let (rates, means) = (found.rates(&own, &exposure, grouped), found.means(&own, &exposure, grouped));
        let sum: f64 = rates.iter().zip(&exposure).map(|(rate, w)| rate * w).sum();
        let size: f64 = own.iter().map(|own| own.abs()).sum();
        prop_assert!((sum - own.iter().sum::<f64>()).abs() < 1e-6 * size);
        for (row, rate) in rates.iter().enumerate() {
            let (shown, mean) = (own[row] / exposure[row], means[of[row] as usize]);
            prop_assert!(*rate >= shown.min(mean) - 1e-9 * shown.abs() && *rate <= shown.max(mean) + 1e-9 * shown.abs());
        }
        // More exposure, more weight.
        prop_assert!(found.weight(2.0) >= found.weight(1.0));
        // In another order, another currency and another unit of exposure, they are the same rates.
        let back = |column: &[f64]| -> Vec<f64> { column.iter().rev().copied().collect() };
        let of_back: Vec<u32> = of.iter().rev().copied().collect();
        let others = [
            (back(&own), back(&exposure), of_back, 1.0),
            (own.iter().map(|own| own * scale).collect(), exposure.clone(), of.clone(), scale),
            (own.clone(), exposure.iter().map(|w| w * scale).collect(), of.clone(), 1.0 / scale),
        ];
        for (number, (own, exposure, of, factor)) in others.into_iter().enumerate() {
            let grouped = Grouped { of: &of, groups: 4 };
            let mut other = Credibility::fit(&own, &exposure, grouped).rates(&own, &exposure, grouped);
            if number == 0 {
                other.reverse();
            }
            for (rate, other) in rates.iter().zip(other) {
                prop_assert!((rate * factor - other).abs() < 1e-6 * factor * size, "{} {}", rate * factor, other);
            }
        }
    }
}
