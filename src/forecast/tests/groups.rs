//! Groups drawn towards all: their laws, and what pooling is worth on ledgers whose truth is known.

use super::recovery::draw_as;
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::{Fit, FitEnd};
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::groups::{Groups, GroupsError, Members};
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::summary::Summary;
use crate::forecast::uncertainty::Around;
use crate::numeric::distributions::standard_normal;
use crate::numeric::philox::Stream;
use crate::schema::settings::PurchaseKind;

const POOLABLE: [PurchaseKind; 3] = [PurchaseKind::BgNbd, PurchaseKind::MbgNbd, PurchaseKind::ParetoNbd];
const SPEND: GammaGamma = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
/// The centre of the true parameters, in weeks.
const CENTRE: [f64; 4] = [0.5, 6.0, 0.8, 2.5];

fn summary(purpose: u64, [r, alpha, a, b]: [f64; 4], customers: u64) -> Summary {
    let drawn = draw_as(purpose, &BgNbd { r, alpha, a, b }, &SPEND, customers, 546, 7.0);
    let mut summary = Summary::new();
    summary.insert(&drawn.x, &drawn.recency, &drawn.age).unwrap();
    summary
}

/// Groups whose logarithms of the parameters spread by these standard deviations.
fn groups(set: u64, sizes: &[u64], spread: [f64; 4]) -> (Vec<Members>, Vec<[f64; 4]>) {
    let one = |(at, size): (usize, &u64)| {
        let mut stream = Stream::new(77, at as u64, set);
        let truth = std::array::from_fn(|k| CENTRE[k] * libm::exp(spread[k] * standard_normal(&mut stream)));
        let summary = summary(1_000 * set + at as u64, truth, *size);
        (Members { name: format!("g{at:02}"), summary }, truth)
    };
    sizes.iter().enumerate().map(one).unzip()
}

fn base(kind: PurchaseKind, members: &[Members], days_per_unit: f64) -> Fit<PurchaseModel> {
    let mut whole = Summary::new();
    for group in members {
        whole.combine(&group.summary);
    }
    PurchaseModel::fit(kind, &whole, &[], days_per_unit)
}

/// Logarithm of the purchases that a new customer makes in a year.
fn ln_purchases(parameters: [f64; 4]) -> f64 {
    let [r, alpha, a, b] = parameters;
    BgNbd { r, alpha, a, b }.expected_purchases(0.0, 0.0, 0.0, 52.0).unwrap().ln()
}

#[test]
fn pooled_groups_are_nearer_the_truth_than_fits_of_their_own_and_than_one_fit_for_all() {
    // Small and large groups that buy at different rates and leave at different rates. Pooling must win by a fifth of the
    // squared error of either, summed over three ledgers: a margin that was fixed before the first run.
    let sizes: Vec<u64> = (0..20).map(|i| [40, 80, 150, 600][i % 4]).collect();
    let (mut pooled, mut own, mut common) = (0.0, 0.0, 0.0);
    for set in 1..=3 {
        let (members, truth) = groups(set, &sizes, [0.0, 0.5, 0.4, 0.0]);
        let base = base(PurchaseKind::BgNbd, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        let one = base.fitted().unwrap().parameters();
        let error = |parameters: [f64; 4], truth: [f64; 4]| (ln_purchases(parameters) - ln_purchases(truth)).powi(2);
        for (group, truth) in found.groups.iter().zip(truth) {
            pooled += error(group.parameters, truth);
            own += error(group.own_parameters.unwrap_or(one), truth);
            common += error(one, truth);
        }
    }
    assert!(pooled < 0.8 * own && pooled < 0.8 * common, "pooled {pooled}, own {own}, common {common}");
}

#[test]
fn large_groups_keep_their_own_parameters_and_small_ones_are_drawn_to_the_rest() {
    let sizes: Vec<u64> = (0..16).map(|i| if i % 2 == 0 { 30 } else { 2_000 }).collect();
    let (members, _) = groups(5, &sizes, [0.0, 0.5, 0.0, 0.0]);
    for kind in POOLABLE {
        let found = Groups::fit(&base(kind, &members, 7.0), &members, 7.0).unwrap();
        assert!(
            found.varies.contains(&"alpha".to_owned()) || found.varies.contains(&"r".to_owned()),
            "{kind:?} {found:?}"
        );
        for pair in found.groups.chunks(2) {
            assert!((0.0..=1.0).contains(&pair[0].weight) && (0.0..=1.0).contains(&pair[1].weight));
            assert!(pair[1].weight > pair[0].weight, "{kind:?} {} {}", pair[0].weight, pair[1].weight);
            // A penalised likelihood is no higher than the group's own, no lower than under one fit for all.
            for group in pair {
                let own = group.own_log_likelihood.unwrap();
                assert!(group.log_likelihood <= own + 1e-6 * own.abs(), "{kind:?} {}", group.name);
            }
        }
        let apart = found.pooled.unwrap();
        assert!(apart.p_value < 1e-6 && apart.degrees_of_freedom as usize >= found.varies.len());
    }
}

#[test]
fn equal_groups_are_the_common_fit_to_the_last_bit() {
    let one = summary(9, CENTRE, 700);
    let members: Vec<Members> =
        ["a", "b", "c", "d"].map(|name| Members { name: name.into(), summary: one.clone() }).into();
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        assert!(found.is_one() && found.pooled.is_none());
        for group in &found.groups {
            assert_eq!(group.parameters, base.fitted().unwrap().parameters());
            assert_eq!(group.weight, 0.0);
        }
        assert!(found.separate.unwrap().statistic < 1e-6);
    }
}

#[test]
fn groups_of_one_population_cost_little_against_the_common_fit() {
    // A variance is kept that brings the likelihood more than 1, which chance does for some of ten ledgers; what is then
    // drawn apart stays near: the error of the common fit grows by a quarter at most.
    let (mut pooled, mut common, mut told_apart) = (0.0, 0.0, 0);
    for set in 11..=20 {
        let (members, _) = groups(set, &[150; 12], [0.0; 4]);
        let base = base(PurchaseKind::BgNbd, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        told_apart += usize::from(!found.is_one());
        let one = base.fitted().unwrap().parameters();
        for group in &found.groups {
            pooled += (ln_purchases(group.parameters) - ln_purchases(CENTRE)).powi(2);
            common += (ln_purchases(one) - ln_purchases(CENTRE)).powi(2);
        }
    }
    assert!(told_apart <= 5 && pooled < 1.25 * common, "{told_apart} {pooled} {common}");
}

#[test]
fn one_group_is_the_common_fit() {
    let members = vec![Members { name: "all".into(), summary: summary(3, CENTRE, 500) }];
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        assert_eq!(found.groups[0].parameters, base.fitted().unwrap().parameters());
        assert_eq!(found.groups[0].standard_errors.map(Vec::from), base.standard_errors);
        assert!(found.separate.is_none() && found.pooled.is_none());
    }
}

#[test]
fn the_unit_of_time_changes_nothing_but_the_unit() {
    let (members, _) = groups(6, &[100, 300, 50, 800, 200, 120], [0.0, 0.6, 0.3, 0.0]);
    for kind in POOLABLE {
        let found = [1.0, 7.0].map(|unit| Groups::fit(&base(kind, &members, unit), &members, unit).unwrap());
        let [days, weeks] = &found;
        assert_eq!(days.varies, weeks.varies);
        // Scales are the second parameter and, of Pareto/NBD, the fourth.
        let scale = [1.0, 7.0, 1.0, if kind == PurchaseKind::ParetoNbd { 7.0 } else { 1.0 }];
        for (left, right) in days.groups.iter().zip(&weeks.groups) {
            assert!((left.weight - right.weight).abs() < 1e-5, "{kind:?} {left:?} {right:?}");
            for (k, scale) in scale.iter().enumerate() {
                let ratio = left.parameters[k] / right.parameters[k] / scale;
                assert!((ratio - 1.0).abs() < 1e-4, "{kind:?} {k} {ratio}");
            }
        }
    }
}

#[test]
fn the_order_of_groups_says_nothing() {
    let (members, _) = groups(7, &[100, 300, 50, 800, 200, 120], [0.3, 0.6, 0.0, 0.0]);
    let mut other = members.clone();
    other.reverse();
    for (at, group) in other.iter_mut().enumerate() {
        group.name = format!("h{at}");
    }
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        let (found, turned) = (Groups::fit(&base, &members, 7.0).unwrap(), Groups::fit(&base, &other, 7.0).unwrap());
        for (left, right) in found.groups.iter().zip(turned.groups.iter().rev()) {
            for k in 0..4 {
                assert!((left.parameters[k] / right.parameters[k] - 1.0).abs() < 1e-6, "{kind:?} {left:?} {right:?}");
            }
        }
    }
}

#[test]
fn a_group_without_a_maximum_of_its_own_has_parameters_all_the_same() {
    let (mut members, _) = groups(8, &[400, 300, 500, 600], [0.0, 0.6, 0.0, 0.0]);
    // Nobody bought again; everybody who did buys on; one customer.
    let mut add = |name: &str, x: &[u32], recency: &[u32], age: &[u32]| {
        let mut summary = Summary::new();
        summary.insert(x, recency, age).unwrap();
        members.push(Members { name: name.into(), summary });
    };
    add("h0", &[0; 40], &[0; 40], &[300; 40]);
    add("h1", &[20, 25, 22, 21], &[299, 300, 298, 300], &[300; 4]);
    add("h2", &[3], &[50], &[400]);
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        assert!(matches!(found.groups[4].own, FitEnd::Failed { .. }) && found.groups[4].own_parameters.is_none());
        let rate = |at: usize| found.groups[at].parameters[0] / found.groups[at].parameters[1];
        let mean = found.mean[0] / found.mean[1];
        assert!(!found.is_one() && rate(4) < mean && mean < rate(5), "{kind:?} {} {mean} {}", rate(4), rate(5));
        for group in &found.groups {
            assert!(group.parameters.iter().all(|p| p.is_finite() && *p > 0.0) && group.log_likelihood.is_finite());
        }
        // In the test of separate fits it has the supremum of its likelihood, 1.
        let apart: f64 = found.groups.iter().map(|group| group.own_log_likelihood.unwrap_or(0.0)).sum();
        let test = found.separate.unwrap();
        let statistic = 2.0 * (apart - base.log_likelihood.unwrap());
        assert!((test.statistic - statistic).abs() < 1e-6 * statistic, "{kind:?} {test:?} {statistic}");
        assert_eq!(test.degrees_of_freedom, 24);
    }
}

#[test]
fn the_mean_and_every_group_are_at_their_maxima() {
    let (members, _) = groups(4, &[100, 300, 150, 800, 200, 120, 90, 60], [0.0, 0.6, 0.4, 0.0]);
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        let ln_likelihood = |at: usize, ln: [f64; 4]| {
            let model = base.fitted().unwrap().with_parameters(ln.map(f64::exp));
            let summary = &members[at].summary;
            match model {
                PurchaseModel::BgNbd(model) => model.log_likelihood(summary, 7.0),
                PurchaseModel::MbgNbd(model) => model.log_likelihood(summary, 7.0),
                PurchaseModel::ParetoNbd(model) => model.log_likelihood(summary, 7.0),
                PurchaseModel::BgCnbdK(_) => unreachable!(),
            }
        };
        let slope = |at: usize, k: usize| {
            let ln = found.groups[at].parameters.map(f64::ln);
            let moved = |by: f64| std::array::from_fn(|i| ln[i] + if i == k { by } else { 0.0 });
            (ln_likelihood(at, moved(1e-4)) - ln_likelihood(at, moved(-1e-4))) / 2e-4
        };
        for k in 0..4 {
            let slopes: Vec<f64> = (0..members.len()).map(|at| slope(at, k)).collect();
            // The mean is where the groups' slopes cancel, a parameter that does not vary where that of all is level.
            assert!(slopes.iter().sum::<f64>().abs() < 2e-3, "{kind:?} {k} {slopes:?}");
            if !found.correlated {
                let variance = found.covariance[k][k];
                for (at, slope) in slopes.iter().enumerate() {
                    // Penalised: the slope is the distance from the mean over the variance.
                    let away = found.groups[at].parameters[k].ln() - found.mean[k].ln();
                    assert!((away - variance * slope).abs() < 1e-4, "{kind:?} {k} {at}: {away} {variance} {slope}");
                }
            }
        }
    }
}

#[test]
fn what_a_common_fit_at_a_limit_leaves_open_stays_open_and_the_rest_is_pooled() {
    // Hardly any dropout: only its mean is known, and that it is small.
    let members: Vec<Members> = (0..6)
        .map(|at: u32| Members {
            name: format!("g{at}"),
            summary: summary(900 + u64::from(at), [0.826, 5.0 + 3.0 * f64::from(at), 0.003_44, 6.75], 700),
        })
        .collect();
    let mut open = 0;
    for kind in POOLABLE {
        let base = base(kind, &members, 7.0);
        // At a limit, or at a maximum of which hardly anything is known.
        open += usize::from(Around::new(&base, base.fitted().unwrap().parameters()).is_none());
        let found = Groups::fit(&base, &members, 7.0).unwrap();
        assert!(found.at_rest && !found.is_one(), "{kind:?} {found:?}");
        for (mean, common) in found.mean.iter().zip(base.fitted().unwrap().parameters()) {
            assert!((1e-3..1e3).contains(&(mean / common)), "{kind:?} {:?} {base:?}", found.mean);
        }
        let rate: Vec<f64> = found.groups.iter().map(|group| group.parameters[0] / group.parameters[1]).collect();
        assert!(rate.windows(2).all(|pair| pair[0] > pair[1]), "{kind:?} {rate:?}");
    }
    assert!(open > 0, "some common fit is open");
}

#[test]
fn draws_have_the_standard_errors_of_the_groups() {
    let (members, _) = groups(4, &[100, 300, 150, 800, 200, 120, 90, 60], [0.0, 0.6, 0.4, 0.0]);
    let base = base(PurchaseKind::BgNbd, &members, 7.0);
    let model = *base.fitted().unwrap();
    let found = Groups::fit(&base, &members, 7.0).unwrap();
    let draws: Vec<Vec<PurchaseModel>> =
        (0..20_000).map(|number| found.draw(&model, (1, number), &mut Stream::new(1, number, 2))).collect();
    assert_eq!(draws[0].len(), members.len() + 1);
    let n = draws.len() as f64;
    for (at, group) in found.groups.iter().enumerate() {
        for k in 0..4 {
            let ln = |draw: &Vec<PurchaseModel>| draw[at].parameters()[k].ln();
            let mean = draws.iter().map(ln).sum::<f64>() / n;
            let sd = (draws.iter().map(|draw| (ln(draw) - mean).powi(2)).sum::<f64>() / n).sqrt();
            let error = group.standard_errors.unwrap()[k] / group.parameters[k];
            assert!((mean - group.parameters[k].ln()).abs() < 4.5 * error / n.sqrt(), "{at} {k}: {mean}");
            assert!((sd / error - 1.0).abs() < 4.5 / (2.0 * n).sqrt(), "{at} {k}: {sd} {error}");
        }
    }
    // A group's draws are its own: without the first group's name they are what they were.
    let mut fewer = found.clone();
    fewer.groups.remove(0);
    let again = fewer.draw(&model, (1, 5), &mut Stream::new(1, 5, 2));
    assert_eq!(again, draws[5][1..]);
}

#[test]
fn groups_have_the_same_bits_for_any_number_of_threads() {
    let (members, _) = groups(4, &[100, 300, 150, 800, 200, 120], [0.0, 0.6, 0.4, 0.0]);
    for kind in POOLABLE {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Groups::fit(&base(kind, &members, 7.0), &members, 7.0).unwrap())
        };
        let one = run(1);
        assert!(one == run(2) && one == run(8));
    }
}

#[test]
fn a_model_of_regular_purchases_is_refused() {
    let members = vec![Members { name: "all".into(), summary: summary(3, CENTRE, 200) }];
    let ln_gaps = vec![0.0; 200];
    let base = PurchaseModel::fit(PurchaseKind::BgCnbdK, &members[0].summary, &ln_gaps, 7.0);
    if base.fitted().is_ok() {
        let error = Groups::fit(&base, &members, 7.0).unwrap_err();
        assert!(matches!(error, GroupsError::Kind { .. }), "{error}");
    }
    let failed = Fit::failed("BG/NBD", &["r", "alpha", "a", "b"], 0, "no data");
    assert!(matches!(Groups::fit(&failed, &members, 7.0), Err(GroupsError::NotFitted(_))));
}

#[test]
fn a_penalised_fit_is_finite_where_the_likelihood_has_no_maximum_and_fades_with_the_data() {
    let mut silent = Summary::new();
    silent.insert(&[0; 50], &[0; 50], &[200; 50]).unwrap();
    let many = summary(21, CENTRE, 20_000);
    for kind in POOLABLE {
        let fit = PurchaseModel::fit_penalised(kind, &silent, 0.1, 7.0);
        assert_eq!(fit.end, FitEnd::Converged, "{kind:?} {fit:?}");
        let plain = PurchaseModel::fit(kind, &many, &[], 7.0);
        let (free, held) =
            (plain.fitted().unwrap().parameters(), |penalty| PurchaseModel::fit_penalised(kind, &many, penalty, 7.0));
        let weak = held(1e-9);
        for (left, right) in free.iter().zip(weak.fitted().unwrap().parameters()) {
            assert!((left / right - 1.0).abs() < 1e-4, "{kind:?} {left} {right}");
        }
        assert!((weak.log_likelihood.unwrap() - plain.log_likelihood.unwrap()).abs() < 1e-6);
        // A strong one holds shapes at 1 and scales at the mean age.
        let age: f64 = many.iter().map(|(h, w)| f64::from(h.age) * w as f64).sum::<f64>() / 20_000.0 / 7.0;
        let strong = held(1e9);
        let [r, alpha, third, _] = strong.fitted().unwrap().parameters();
        assert!((r - 1.0).abs() < 1e-3 && (alpha / age - 1.0).abs() < 1e-3 && (third - 1.0).abs() < 1e-3);
        // The unit of time says nothing.
        let days = PurchaseModel::fit_penalised(kind, &silent, 0.1, 1.0).fitted().unwrap().parameters();
        let weeks = fit.fitted().unwrap().parameters();
        assert!((days[0] / weeks[0] - 1.0).abs() < 1e-6 && (days[1] / weeks[1] / 7.0 - 1.0).abs() < 1e-6);
    }
}
