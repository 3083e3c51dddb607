//! What customers who buy at opportunities are worth: closed form, simulation, and the laws of both.

use super::cdnow::close;
use crate::forecast::beta_geometric::Horizon;
use crate::forecast::bg_bb::BgBb;
use crate::forecast::opportunities::DiscreteHistory;
use crate::forecast::opportunity_value::{Expected, OpportunityCustomers, OpportunitySettings, simulate};
use crate::forecast::simulate::{Segmentation, Simulation};
use crate::forecast::stratified::Strata;
use crate::numeric::discounting::Timing;

const GIVEN: BgBb = BgBb { alpha: 1.2035, beta: 0.7497, gamma: 0.6567, delta: 2.7834 };
const PATHS: u32 = 4_000;

fn history(frequency: u32, recency: u32, opportunities: u32) -> DiscreteHistory {
    DiscreteHistory { opportunities, frequency, recency }
}

fn ten_percent() -> Timing {
    Timing { delta: libm::log(1.1), period: None }
}

fn worth(opportunities: u32, rate: f64) -> Vec<f64> {
    (1..=opportunities).map(|j| libm::pow(1.0 + rate, -f64::from(j))).collect()
}

#[test]
fn expectations_are_those_of_the_model_at_any_discount() {
    for (x, t_x, n) in [(0, 0, 6), (3, 4, 6), (6, 6, 6), (0, 0, 0), (40, 60, 80)] {
        let for_ever = |n| Some(GIVEN.opportunities_for_ever(n, ten_percent()).unwrap());
        let found = GIVEN.expected(history(x, t_x, n), &worth(12, 0.1), for_ever(n));
        close(found.p_alive, GIVEN.p_alive_now(x, t_x, n), 1e-15);
        close(found.purchases, GIVEN.expected_purchases(x, t_x, n, 12), 1e-13);
        let discounted = GIVEN.discounted_purchases(x, t_x, n, Horizon::Periods(12), 0.1).unwrap();
        close(found.discounted_purchases, discounted, 1e-13);
        close(found.discounted_life * GIVEN.purchase_probability(x, n), discounted, 1e-13);
        let for_ever = GIVEN.discounted_purchases(x, t_x, n, Horizon::Forever, 0.1).unwrap();
        close(found.discounted_for_ever.unwrap(), for_ever, 1e-13);
        close(found.p_alive_at_horizon, GIVEN.p_alive_after(x, t_x, n, 12), 1e-13);
        let some: f64 = (1..=12).map(|y| GIVEN.probability_of_purchases(x, t_x, n, 12, y)).sum();
        close(found.probability_of_purchase, some, 1e-9);
    }
    let nothing = GIVEN.expected(history(3, 4, 6), &[], None);
    let p_alive = GIVEN.p_alive_now(3, 4, 6);
    assert_eq!(nothing, Expected { p_alive, ..Expected::default() });
}

/// REFERENCE: Fader, Hardie & Shang 2010, their parameters with two digits.
#[test]
fn purchases_for_ever_have_their_published_value() {
    let rounded = BgBb { alpha: 1.20, beta: 0.75, gamma: 0.66, delta: 2.78 };
    let found =
        rounded.expected(history(3, 4, 6), &worth(5, 0.1), rounded.opportunities_for_ever(6, ten_percent()).ok());
    close(found.discounted_for_ever.unwrap(), 1.621_379_185_842_64, 1e-13);
    assert!(found.discounted_purchases < found.discounted_for_ever.unwrap());
}

struct Base {
    history: Vec<DiscreteHistory>,
    contribution: Vec<f64>,
    sustaining: Vec<f64>,
    key: Vec<u64>,
    segment: Vec<u16>,
}

fn base(customers: u32) -> Base {
    let known = [history(0, 0, 6), history(1, 1, 6), history(3, 4, 6), history(6, 6, 6), history(2, 2, 3)];
    Base {
        history: (0..customers).map(|i| known[i as usize % 5]).collect(),
        contribution: (0..customers).map(|i| f64::from(i % 7) * 4.0 - 3.0).collect(),
        sustaining: (0..customers).map(|i| f64::from(i % 3) * 0.7).collect(),
        key: (0..customers).map(|i| u64::from(i) * 104_729).collect(),
        segment: (0..customers).map(|i| (i % 2) as u16).collect(),
    }
}

fn run(models: Vec<BgBb>, paths: u32, base: &Base) -> Simulation {
    let settings = OpportunitySettings {
        models,
        worth: worth(8, 0.05),
        strata: Strata { paths, seed: 7, quantiles: vec![0.05, 0.5, 0.95], worst_one_in: 20, minor_per_major: 100.0 },
    };
    let Base { history, contribution, sustaining, key, segment } = base;
    let customers = OpportunityCustomers { history, contribution, sustaining, key };
    simulate(&settings, &customers, &[Segmentation { segment, segments: 2 }], &|_| {}).unwrap()
}

#[test]
fn the_simulation_agrees_with_the_closed_form_within_four_of_its_standard_errors() {
    let base = base(210);
    let found = run(vec![GIVEN], PATHS, &base);
    let mut total = 0.0;
    for (row, lifetime) in found.lifetime.iter().enumerate() {
        let Expected { discounted_purchases, discounted_life, .. } =
            GIVEN.expected(base.history[row], &worth(8, 0.05), None);
        let expected = base.contribution[row] * discounted_purchases - base.sustaining[row] * discounted_life;
        total += expected;
        let gap = (lifetime.mean - expected).abs();
        assert!(gap <= 4.0 * lifetime.mean_error + 1e-9, "{row}: {lifetime:?} is not {expected}");
        let quantiles = &found.quantiles[row * 3..row * 3 + 3];
        assert!(quantiles.is_sorted() && lifetime.shortfall <= quantiles[0] + 1e-9, "{quantiles:?} {lifetime:?}");
    }
    let totals = found.totals[0].whole();
    let values: Vec<f64> = totals.iter().map(|total| *total as f64 / 100.0).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64;
    assert!((mean - total).abs() < 4.0 * libm::sqrt(variance / values.len() as f64), "{mean} is not {total}");
    // Customers live independently: the variance of the total is the sum of theirs, to its own error of √(2/4000).
    let expected: f64 = found.lifetime.iter().map(|lifetime| lifetime.sd * lifetime.sd).sum();
    assert!((variance / expected - 1.0).abs() < 4.0 * 0.0224, "{variance} is not {expected}");
}

/// With one a purchase and nothing for life, a path's value is its number of purchases.
#[test]
fn drawn_numbers_of_purchases_have_the_probabilities_of_the_model() {
    let base = Base {
        history: vec![history(3, 4, 6); 25],
        contribution: vec![1.0; 25],
        sustaining: vec![0.0; 25],
        key: (0..25).collect(),
        segment: (0..25).collect(),
    };
    let settings = OpportunitySettings {
        models: vec![GIVEN],
        worth: vec![1.0; 6],
        strata: Strata { paths: PATHS, seed: 7, quantiles: vec![], worst_one_in: 20, minor_per_major: 1.0 },
    };
    let Base { history, contribution, sustaining, key, segment } = &base;
    let customers = OpportunityCustomers { history, contribution, sustaining, key };
    let found = simulate(&settings, &customers, &[Segmentation { segment, segments: 25 }], &|_| {}).unwrap();
    let n = 25.0 * f64::from(PATHS);
    for purchases in 0..=6_u32 {
        let count: usize = (0..25)
            .map(|customer| found.totals[0].segment(customer).iter().filter(|n| **n == i128::from(purchases)).count())
            .sum();
        let expected = GIVEN.probability_of_purchases(3, 4, 6, 6, purchases);
        let error = libm::sqrt(expected * (1.0 - expected) / n);
        let share = count as f64 / n;
        assert!((share - expected).abs() < 4.0 * error, "{purchases}: {share} is not {expected} ± {error}");
    }
}

#[test]
fn a_customers_result_depends_neither_on_threads_nor_on_who_else_is_simulated() {
    let (all, few) = (base(300), base(35));
    let models = vec![GIVEN, BgBb { alpha: 0.9, ..GIVEN }];
    let run_with = |threads, base: &Base| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(models.clone(), 151, base))
    };
    let one = run_with(1, &all);
    assert!(one == run_with(2, &all) && one == run_with(8, &all));
    let alone = run_with(2, &few);
    assert_eq!((&alone.lifetime[..], &alone.quantiles[..]), (&one.lifetime[..35], &one.quantiles[..105]));
}
