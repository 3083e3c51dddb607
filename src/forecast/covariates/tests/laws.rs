//! What covariates must and must not change.

use super::{KINDS, fit_sample, levels, numbers, of_sample};
use crate::forecast::covariates::fit::evaluation;
use crate::forecast::covariates::{Assigned, CovariateFit, Design, Wanted, fit};
use crate::forecast::fit::{Fit, FitEnd};
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::spend_model::SpendModel;
use crate::forecast::summary::Summary;
use crate::forecast::tests::cdnow::{Sample, WEEK, close, sample};
use crate::forecast::uncertainty::{Several, draw_parameters};
use crate::numeric::newton::WideEvaluation;
use crate::schema::covariates::Covariate;
use crate::schema::forecasting::SpendKind;
use crate::schema::settings::PurchaseKind;

const ALL: Wanted<'_> = Wanted { rate: &[0, 1], dropout: &[0, 1] };
/// Two searches that reach one maximum by different ways.
const SAME: f64 = 1e-7;

/// Histories with extremes, and covariates of every kind, a missing number among them.
fn histories() -> ([Vec<u32>; 3], [Covariate; 2]) {
    let x = vec![0, 0, 1, 1, 2, 3, 7, 40, 600, 0, 1, 2];
    let recency = vec![0, 0, 1, 200, 30, 250, 250, 100, 900, 0, 12, 40];
    let age = vec![0, 250, 250, 200, 260, 251, 270, 260, 1000, 250, 250, 41];
    let number = vec![0.5, 3.0, -2.0, 1.5, f64::NAN, 0.0, 8.0, 2.5, 1.0, -1.0, 0.1, f64::NAN];
    let level = ["x", "y", "x", "z", "x", "y", "z", "x", "x", "y", "z", "x"];
    ([x, recency, age], [numbers("number", number), levels("level", &level)])
}

fn evaluate(kind: PurchaseKind, rows: &[Vec<u32>; 3], design: &Design, point: &[f64]) -> WideEvaluation {
    evaluation(kind, [&rows[0], &rows[1], &rows[2]], design, WEEK, point).unwrap()
}

#[test]
fn derivatives_are_those_of_the_likelihood() {
    const STEP: f64 = 1e-4;
    let (rows, covariates) = histories();
    for kind in KINDS {
        let design = Design::new(kind, 12, &covariates, ALL).unwrap();
        let size = 4 + design.places.len();
        // Number, missing number and two levels, on the rate and on each parameter of dropout.
        assert_eq!(size, 4 + 4 * if kind == PurchaseKind::ParetoNbd { 2 } else { 3 });
        let wave = |i: usize| 0.4 * libm::sin(2.0 + 3.0 * i as f64);
        let at: Vec<f64> = [-0.4, 1.5, -0.2, 0.9].into_iter().chain((4..size).map(wave)).collect();
        let here = evaluate(kind, &rows, &design, &at);
        let scale = here.value.abs();
        for i in 0..size {
            let shifted = |by: f64| {
                let mut point = at.clone();
                point[i] += by;
                evaluate(kind, &rows, &design, &point)
            };
            let (up, down) = (shifted(STEP), shifted(-STEP));
            let slope = (up.value - down.value) / (2.0 * STEP);
            assert!((slope - here.gradient[i]).abs() < 3e-7 * scale, "{kind:?} {i}: {slope}, {}", here.gradient[i]);
            for j in 0..size {
                let bend = (up.gradient[j] - down.gradient[j]) / (2.0 * STEP);
                let found = here.hessian[i][j];
                assert!((bend - found).abs() < 3e-7 * scale, "{kind:?} {i} {j}: {bend}, {found}");
            }
        }
    }
}

#[test]
fn without_an_effect_the_likelihood_is_the_plain_one() {
    let (rows, covariates) = histories();
    let mut summary = Summary::new();
    summary.insert(&rows[0], &rows[1], &rows[2]).unwrap();
    for kind in KINDS {
        let design = Design::new(kind, 12, &covariates, ALL).unwrap();
        let parameters = [0.6, 5.0, 0.8, 2.5];
        let mut point = parameters.map(f64::ln).to_vec();
        point.resize(4 + design.places.len(), 0.0);
        let plain = PurchaseModel::fit(kind, &summary, &[], WEEK).fitted().unwrap().with_parameters(parameters);
        let expected = match plain {
            PurchaseModel::BgNbd(model) => model.log_likelihood(&summary, WEEK),
            PurchaseModel::MbgNbd(model) => model.log_likelihood(&summary, WEEK),
            PurchaseModel::ParetoNbd(model) => model.log_likelihood(&summary, WEEK),
            PurchaseModel::BgCnbdK(_) => unreachable!("not asked for"),
        };
        close(evaluate(kind, &rows, &design, &point).value, expected, 1e-12);
    }
}

#[test]
fn a_pattern_has_the_likelihood_of_the_plain_model_at_its_own_parameters() {
    let (rows, covariates) = histories();
    for kind in KINDS {
        let design = Design::new(kind, 12, &covariates, ALL).unwrap();
        let wave = |i: usize| 0.4 * libm::sin(2.0 + 3.0 * i as f64);
        let point: Vec<f64> =
            [-0.4, 1.5, -0.2, 0.9].into_iter().chain((4..4 + design.places.len()).map(wave)).collect();
        let mut sum = 0.0;
        for row in 0..12 {
            let mut own: [f64; 4] = std::array::from_fn(|i| point[i]);
            design.visit(design.pattern()[row] as usize, |effect, parameter, slope| {
                own[parameter] += slope * point[4 + effect];
            });
            let mut summary = Summary::new();
            summary.insert(&rows[0][row..=row], &rows[1][row..=row], &rows[2][row..=row]).unwrap();
            sum += match kind {
                PurchaseKind::ParetoNbd => {
                    crate::forecast::pareto_nbd::ParetoNbd::evaluation(&summary, WEEK, &own).value
                }
                PurchaseKind::MbgNbd => crate::forecast::mbg_nbd::MbgNbd::evaluation(&summary, WEEK, &own).value,
                _ => crate::forecast::bg_nbd::BgNbd::evaluation(&summary, WEEK, &own).value,
            };
        }
        close(evaluate(kind, &rows, &design, &point).value, sum, 1e-12);
    }
}

fn refit(kind: PurchaseKind, sample: &Sample, covariates: &[Covariate]) -> CovariateFit {
    fit(kind, [&sample.x, &sample.recency, &sample.age], covariates, ALL, WEEK).unwrap()
}

/// Predictions by row.
fn models(found: &CovariateFit, covariates: &[Covariate]) -> Vec<[f64; 4]> {
    let assigned = found.fit.fitted().unwrap().assign(covariates, covariates[0].values.len()).unwrap();
    assigned.of.iter().map(|model| assigned.models[*model as usize].parameters()).collect()
}

#[test]
fn another_unit_divides_the_coefficient_and_another_zero_moves_its_centre_alone() {
    let sample = sample();
    let [amount, month] = of_sample(&sample);
    let other = numbers("first_amount", sample.first.iter().map(|money| 100.0 * money - 12_345.0).collect());
    for kind in KINDS {
        let found = refit(kind, &sample, &[amount.clone(), month.clone()]);
        let moved = refit(kind, &sample, &[other.clone(), month.clone()]);
        assert_eq!((&found.fit.end, &moved.fit.end), (&FitEnd::Converged, &FitEnd::Converged));
        let (one, two) = (found.fit.fitted().unwrap(), moved.fit.fitted().unwrap());
        for (left, right) in one.base.parameters().into_iter().zip(two.base.parameters()) {
            close(right, left, SAME);
        }
        let accuracy = found.accuracy().unwrap().into_iter().zip(moved.accuracy().unwrap());
        for ((left, right), (of_left, of_right)) in one.effects.iter().zip(&two.effects).zip(accuracy) {
            let unit = if left.level.is_none() { 100.0 } else { 1.0 };
            assert!((unit * right.coefficient - left.coefficient).abs() < 1e-6 * of_left.standard_error);
            close(unit * of_right.standard_error, of_left.standard_error, SAME);
            if left.level.is_none() {
                close(right.centre, 100.0 * left.centre - 12_345.0, 1e-12);
            }
        }
    }
}

#[test]
fn another_reference_level_changes_no_prediction() {
    let sample = sample();
    let [amount, _] = of_sample(&sample);
    // All but January are the more frequent level.
    let renamed: Vec<String> = sample.age.iter().map(|age| if *age >= 242 { "a" } else { "b" }.to_owned()).collect();
    let names: Vec<&str> = renamed.iter().map(String::as_str).collect();
    let two = levels("month", &names);
    for kind in KINDS {
        let first = [amount.clone(), two.clone()];
        let found = refit(kind, &sample, &first);
        // As a number the same covariate has the other level for its zero, and another base.
        let number = numbers("month", sample.age.iter().map(|age| f64::from(u8::from(*age < 242))).collect());
        let second = [amount.clone(), number];
        let other = refit(kind, &sample, &second);
        close(other.fit.log_likelihood.unwrap(), found.fit.log_likelihood.unwrap(), 1e-12);
        for (left, right) in models(&found, &first).iter().zip(models(&other, &second)) {
            for (left, right) in left.iter().zip(right) {
                close(right, *left, 1e-6);
            }
        }
    }
}

#[test]
fn order_of_rows_and_number_of_threads_change_no_bit() {
    let sample = sample();
    let backwards = |values: &[u32]| -> Vec<u32> { values.iter().rev().copied().collect() };
    let mirrored = Sample {
        x: backwards(&sample.x),
        recency: backwards(&sample.recency),
        age: backwards(&sample.age),
        total: Vec::new(),
        squares: Vec::new(),
        first: sample.first.iter().rev().copied().collect(),
    };
    for kind in KINDS {
        let run = |threads: usize, sample: &Sample| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| refit(kind, sample, &of_sample(sample)))
        };
        let one = run(1, &sample);
        assert_eq!(one.fit, run(3, &sample).fit);
        assert_eq!(one.fit, run(2, &mirrored).fit);
        let there = models(&run(1, &mirrored), &of_sample(&mirrored));
        assert!(models(&one, &of_sample(&sample)).iter().eq(there.iter().rev()));
    }
}

#[test]
fn a_rate_effect_multiplies_the_mean_rate_and_a_dropout_effect_the_mean_dropout_rate() {
    let sample = sample();
    let found = fit_sample(PurchaseKind::ParetoNbd, &sample, &[1], &[1]);
    let model = found.fit.fitted().unwrap();
    let [r, alpha, s, beta] = model.base.parameters();
    let models = models(&found, &of_sample(&sample));
    for (part, level, row) in [(0, "january", 242..400), (1, "march", 0..214)] {
        let at = sample.age.iter().position(|age| row.contains(age)).unwrap();
        let own = models[at];
        let effects: Vec<_> = model.effects.iter().filter(|effect| effect.level.as_deref() == Some(level)).collect();
        let (mean, before) = [(own[0] / own[1], r / alpha), (own[2] / own[3], s / beta)][part];
        close(mean / before, effects[part].coefficient.exp(), 1e-12);
    }
}

#[test]
fn a_fitted_model_serves_other_customers_and_refuses_what_it_does_not_know() {
    let sample = sample();
    let found = fit_sample(PurchaseKind::MbgNbd, &sample, &[0, 1], &[0, 1]);
    let model = found.fit.fitted().unwrap();
    let all = models(&found, &of_sample(&sample));
    // Three customers of the sample, without the others.
    let rows = [5, 900, 2_000];
    let few = of_sample(&sample).map(|Covariate { name, values }| Covariate { name, values: values.of_rows(&rows) });
    let assigned = model.assign(&few, 3).unwrap();
    for (row, of) in rows.iter().zip(&assigned.of) {
        assert_eq!(assigned.models[*of as usize].parameters(), all[*row as usize]);
    }
    let refused = |covariates: &[Covariate]| model.assign(covariates, 3).unwrap_err().to_string();
    let amount = few[0].clone();
    assert_eq!(refused(std::slice::from_ref(&amount)), "covariate `month` of the model is not there");
    let april = levels("month", &["april", "march", "april"]);
    assert_eq!(
        refused(&[amount.clone(), april]),
        "covariate `month`: 2 customers have levels that nobody in the fitted model had"
    );
    assert_eq!(
        refused(&[amount.clone(), numbers("month", vec![1.0, 2.0, 3.0])]),
        "covariate `month` had levels in the fitted model"
    );
    // Everybody in the fit had a number: who has none counts as average.
    let none = numbers("first_amount", vec![f64::NAN; 3]);
    let february = levels("month", &["february"; 3]);
    let average = model.assign(&[none, february], 3).unwrap();
    assert_eq!(average.models, [model.base]);
}

#[test]
fn what_moves_a_customer_gives_its_model_at_the_fitted_coefficients() {
    let (rows, covariates) = histories();
    for kind in KINDS {
        let found = fit(kind, [&rows[0], &rows[1], &rows[2]], &covariates, ALL, WEEK).unwrap();
        let Ok(model) = found.fit.fitted() else { continue };
        let (assigned, moving) = (model.assign(&covariates, 12).unwrap(), model.moving(&covariates, 12).unwrap());
        // Two customers share theirs.
        assert_eq!((assigned.models.len(), moving.sets()), (11, 11));
        let again = moving.models(model.base.parameters(), moving.coefficients());
        for (one, other) in assigned.models.iter().zip(&again) {
            for (one, other) in one.parameters().iter().zip(other.parameters()) {
                close(*one, other, 1e-13);
            }
        }
        // Other coefficients: twice the effects.
        let twice: Vec<f64> = moving.coefficients().iter().map(|coefficient| 2.0 * coefficient).collect();
        let base = model.base.parameters();
        for (one, other) in moving.models(base, &twice).iter().zip(&again) {
            for ((one, other), base) in one.parameters().iter().zip(other.parameters()).zip(base) {
                close((one / base).ln(), 2.0 * (other / base).ln(), 1e-12);
            }
        }
    }
}

#[test]
fn draws_of_effects_have_the_spread_and_the_correlation_of_the_fit() {
    let sample = sample();
    let covariates = of_sample(&sample);
    for kind in KINDS {
        let found = fit_sample(kind, &sample, &[0, 1], &[0]);
        let model = found.fit.fitted().unwrap();
        let moving = model.moving(&covariates, sample.x.len()).unwrap();
        let Assigned { models, of } = model.assign(&covariates, sample.x.len()).unwrap();
        let population = Population::new(models, of).unwrap();
        let purchases = found.fit.clone().map(|model| model.base);
        let spend = Fit::failed("Gamma-Gamma", &["p", "q", "gamma"], 0, "nothing to fit").map(SpendModel::GammaGamma);
        assert!(
            draw_parameters(&purchases, Some(Several::Covariates(&moving, &population)), &spend, 100, 1).is_empty()
        );
        let spend = SpendModel::fit(SpendKind::GammaGamma, &sample.x, &sample.total, &[]);
        let draws = draw_parameters(&purchases, Some(Several::Covariates(&moving, &population)), &spend, 1_000, 1);
        assert_eq!(draws.len(), 100);
        // Two customers who differ in the money of the first purchase alone: ln α differs by the effect times the money.
        let january = |row: &usize| sample.age[*row] >= 242;
        let first = (0..sample.x.len()).find(january).unwrap();
        let second =
            (first + 1..sample.x.len()).filter(january).find(|row| sample.first[*row] > sample.first[first] + 20.0);
        let second = second.unwrap();
        let more = sample.first[second] - sample.first[first];
        let effects: Vec<[f64; 2]> = draws
            .iter()
            .map(|draw| {
                let alpha = |row: usize| draw.model.model_of(row).parameters()[1].ln();
                [(alpha(first) - alpha(second)) / more, alpha(first)]
            })
            .collect();
        let n = effects.len() as f64;
        let mean = |i: usize| effects.iter().map(|effect| effect[i]).sum::<f64>() / n;
        let centre = [mean(0), mean(1)];
        let moment = |i: usize, j: usize| {
            effects.iter().map(|effect| (effect[i] - centre[i]) * (effect[j] - centre[j])).sum::<f64>() / (n - 1.0)
        };
        // Effects stand behind the four parameters.
        let covariance = found.fit.covariance.as_ref().unwrap();
        let at = model.effects.iter().position(|effect| effect.level.is_none()).unwrap();
        assert_eq!(model.effects[at].parameter, "alpha");
        let error = covariance[4 + at][4 + at].sqrt();
        assert!((centre[0] - model.effects[at].coefficient).abs() < 4.0 * error / n.sqrt(), "{centre:?}");
        // The standard deviation of a hundred errs by 7 %.
        assert!((moment(0, 0).sqrt() / error - 1.0).abs() < 0.3, "{} is not {error}", moment(0, 0).sqrt());
        // The first customer's own ln α: that of the average one less its effects, with all that they share.
        let ln_alpha = covariance[1][1].sqrt() / model.base.parameters()[1];
        assert!(moment(1, 1).sqrt() > 0.5 * ln_alpha && moment(1, 1).sqrt() < 3.0 * ln_alpha, "{ln_alpha}");
    }
}
