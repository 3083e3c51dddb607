//! Levels of spend of groups: what is found, what is drawn towards all, and what must not change.

use super::cdnow::close;
use crate::forecast::contribution::Rates;
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::normal_spend::NormalSpend;
use crate::forecast::spend_levels::SpendLevels;
use crate::forecast::spend_model::SpendModel;
use crate::numeric::distributions::{Gamma, standard_normal};
use crate::numeric::philox::Stream;
use crate::schema::forecasting::SpendKind;

const GAMMA_GAMMA: GammaGamma = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
const NORMAL: NormalSpend = NormalSpend { mean: 5.0, within: 25.0, between: 12.0 };

/// Customers of groups of these sizes, whose amounts have these levels: purchases, totals, squares about the mean, groups.
fn customers(kind: SpendKind, groups: &[(u64, f64)]) -> (Vec<u32>, Vec<f64>, Vec<f64>, Vec<u32>) {
    let (mut x, mut total, mut squares, mut of) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (group, (size, level)) in (0..).zip(groups) {
        for customer in 0..*size {
            let mut stream = Stream::new(u64::from(group), customer, 31);
            let purchases = 1 + stream.below(9) as u32;
            let n = f64::from(purchases);
            x.push(purchases);
            of.push(group);
            total.push(match kind {
                SpendKind::GammaGamma => {
                    let GammaGamma { p, q, gamma } = GAMMA_GAMMA;
                    let rate = Gamma::new(q).draw(&mut stream) / gamma;
                    level * Gamma::new(p * n).draw(&mut stream) / rate
                }
                SpendKind::Normal => {
                    let mean = NORMAL.mean + level + NORMAL.between * standard_normal(&mut stream);
                    n * mean + NORMAL.within * n.sqrt() * standard_normal(&mut stream)
                }
            });
            let normal = |_| (NORMAL.within * standard_normal(&mut stream)).powi(2);
            squares.push((1..purchases).map(normal).sum());
        }
    }
    (x, total, squares, of)
}

fn names(groups: usize) -> Vec<String> {
    (0..groups).map(|group| format!("{group:02}")).collect()
}

#[test]
fn levels_of_large_groups_come_back_and_a_small_one_is_drawn_to_the_others() {
    for (kind, levels) in [(SpendKind::GammaGamma, [0.5, 0.8, 1.3, 2.0]), (SpendKind::Normal, [-20.0, -7.0, 6.0, 19.0])]
    {
        let groups: Vec<(u64, f64)> = levels.iter().map(|level| (4_000, *level)).chain([(3, levels[3])]).collect();
        let (x, total, squares, of) = customers(kind, &groups);
        let common = SpendModel::fit(kind, &x, &total, &squares);
        let (fit, found) = SpendLevels::fit(&common, &x, (&total, &squares), (&names(5), &of)).unwrap();
        assert!(fit.log_likelihood.unwrap() > common.log_likelihood.unwrap() + 100.0);
        // Levels are told apart, their mean is the model's own.
        let away = |group: usize| match kind {
            SpendKind::GammaGamma => (found.groups[group].level / found.groups[0].level).ln(),
            SpendKind::Normal => found.groups[group].level - found.groups[0].level,
        };
        let truth = |group: usize| match kind {
            SpendKind::GammaGamma => (levels[group] / levels[0]).ln(),
            SpendKind::Normal => levels[group] - levels[0],
        };
        let error = if kind == SpendKind::GammaGamma { 0.05 } else { 1.5 };
        for group in 1..4 {
            assert!((away(group) - truth(group)).abs() < error, "{kind:?} {group}: {} {}", away(group), truth(group));
            assert!(found.groups[group].weight > 0.98, "{:?}", found.groups);
        }
        let small = &found.groups[4];
        assert!(small.weight < 0.95 && small.weight > 0.05, "{small:?}");
        // The parameters that all share are those that they were drawn from.
        let shared = fit.fitted().unwrap().parameters();
        let expected = match kind {
            SpendKind::GammaGamma => [GAMMA_GAMMA.p, GAMMA_GAMMA.q],
            SpendKind::Normal => [NORMAL.within, NORMAL.between],
        };
        let at = usize::from(kind == SpendKind::Normal);
        for (found, expected) in shared[at..at + 2].iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 0.1, "{kind:?}: {shared:?}");
        }
    }
}

#[test]
fn groups_that_spend_alike_have_no_level_nor_has_one_group() {
    for kind in SpendKind::ALL {
        let level = if kind == SpendKind::GammaGamma { 1.0 } else { 0.0 };
        let (x, total, squares, of) = customers(kind, &[(800, level), (800, level), (50, level)]);
        let common = SpendModel::fit(kind, &x, &total, &squares);
        assert!(SpendLevels::fit(&common, &x, (&total, &squares), (&names(3), &of)).is_none(), "{kind:?}");
        assert!(SpendLevels::fit(&common, &x, (&total, &squares), (&names(1), &vec![0; x.len()])).is_none());
    }
}

#[test]
fn amounts_without_their_level_and_rates_with_it_are_worth_the_same() {
    for (kind, levels) in [(SpendKind::GammaGamma, [0.5, 2.0]), (SpendKind::Normal, [-20.0, 20.0])] {
        let (x, total, squares, of) = customers(kind, &[(500, levels[0]), (500, levels[1])]);
        let common = SpendModel::fit(kind, &x, &total, &squares);
        let (fit, found) = SpendLevels::fit(&common, &x, (&total, &squares), (&names(2), &of)).unwrap();
        let level = found.of_rows(&names(2), &of);
        let plain = found.without(&x, &total, &level);
        let rates =
            Rates { margin_rate: vec![0.4; 1000], order_cost: vec![3.0; 1000], sustaining_rate: vec![0.1; 1000] };
        let changed = found.rates(rates.clone(), &level);
        let model = fit.fitted().unwrap();
        for row in [0, 7, 499, 500, 999] {
            let mean = |total: f64| match model {
                SpendModel::GammaGamma(model) => model.conditional_mean(f64::from(x[row]), total),
                SpendModel::Normal(model) => model.conditional_mean(f64::from(x[row]), total),
            };
            // What the same customer is expected to spend by a model with the group's own scale or mean.
            let own = match *model {
                SpendModel::GammaGamma(GammaGamma { p, q, gamma }) => {
                    GammaGamma { p, q, gamma: gamma * level[row] }.conditional_mean(f64::from(x[row]), total[row])
                }
                SpendModel::Normal(model) => NormalSpend { mean: model.mean + level[row], ..model }
                    .conditional_mean(f64::from(x[row]), total[row]),
            };
            let with = found.with(&[mean(plain[row])], &[level[row]])[0];
            close(with, own, 1e-12);
            let brings = changed.margin_rate[row] * mean(plain[row]) - changed.order_cost[row];
            close(brings, 0.4 * own - 3.0, 1e-11);
        }
        assert!((changed.sustaining_rate[0] - 0.1).abs() < 1e-15);
        // A group that was not there is like the mean one.
        let strange = found.of_rows(&["zz".to_owned()], &[0]);
        close(1.0 + strange[0], 1.0 + if kind == SpendKind::GammaGamma { 1.0 } else { 0.0 }, 1e-15);
    }
}
