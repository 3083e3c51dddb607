//! Covariates that tell nothing, tell it twice, or tell too much.

use super::{fit_sample, levels, numbers, of_sample};
use crate::forecast::covariates::{CovariateError, CovariateFit, Wanted, fit};
use crate::forecast::fit::{FitEnd, LimitModel};
use crate::forecast::tests::cdnow::{Sample, WEEK, close, sample};
use crate::schema::covariates::{Covariate, NO_LEVEL};
use crate::schema::settings::PurchaseKind;

fn refit(sample: &Sample, covariates: &[Covariate], rate: &[usize]) -> Result<CovariateFit, CovariateError> {
    let rows = [sample.x.as_slice(), &sample.recency, &sample.age];
    fit(PurchaseKind::ParetoNbd, rows, covariates, Wanted { rate, dropout: &[] }, WEEK)
}

#[test]
fn what_follows_from_other_covariates_is_dropped_and_told() {
    let sample = sample();
    let [amount, month] = of_sample(&sample);
    let twice = numbers("cents", sample.first.iter().map(|money| 100.0 * money + 7.0).collect());
    let same = numbers("same", vec![0.1; sample.x.len()]);
    let one = levels("one", &vec!["x"; sample.x.len()]);
    let alone = refit(&sample, &[amount.clone(), month.clone()], &[0, 1]).unwrap();
    let found = refit(&sample, &[amount, twice, same, one, month], &[0, 1, 2, 3, 4]).unwrap();
    assert_eq!(found.fit.names, alone.fit.names);
    close(found.fit.log_likelihood.unwrap(), alone.fit.log_likelihood.unwrap(), 1e-13);
    assert_eq!(
        found.fit.notes[..3],
        [
            "covariate `same` is left out: all customers who have it have the same number",
            "covariate `one` is left out: all customers have the same level",
            "rate: the effect of cents is dropped: it follows from the effects before it",
        ]
    );
}

#[test]
fn a_missing_number_counts_as_average_with_an_effect_of_its_own() {
    let sample = sample();
    let holes: Vec<f64> =
        sample.first.iter().enumerate().map(|(row, money)| if row % 10 == 3 { f64::NAN } else { *money }).collect();
    let known: Vec<f64> = holes.iter().copied().filter(|money| !money.is_nan()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let found = refit(&sample, &[numbers("amount", holes.clone())], &[0]).unwrap();
    assert_eq!(found.fit.names[4..], ["alpha:amount".to_owned(), format!("alpha:amount={NO_LEVEL}")]);
    assert!(found.fit.notes[0].starts_with("covariate `amount` is missing for 236 customers"), "{:?}", found.fit.notes);
    // The same as the mean put in by hand, beside a level for having none.
    let filled: Vec<f64> = holes.iter().map(|money| if money.is_nan() { mean } else { *money }).collect();
    let missing: Vec<&str> = holes.iter().map(|money| if money.is_nan() { "yes" } else { "no" }).collect();
    let by_hand = refit(&sample, &[numbers("amount", filled), levels("missing", &missing)], &[0, 1]).unwrap();
    close(found.fit.log_likelihood.unwrap(), by_hand.fit.log_likelihood.unwrap(), 1e-12);
    let pairs = found.fit.fitted().unwrap().effects.iter().zip(&by_hand.fit.fitted().unwrap().effects);
    for (left, right) in pairs {
        close(left.coefficient, right.coefficient, 1e-6);
    }
}

#[test]
fn a_level_in_which_nobody_buys_again_has_no_finite_estimate() {
    let sample = sample();
    // One in three of those who never came back.
    let level: Vec<&str> =
        sample.x.iter().enumerate().map(|(row, x)| if *x == 0 && row % 3 == 0 { "gone" } else { "other" }).collect();
    let found = refit(&sample, &[levels("kind", &level)], &[0]).unwrap();
    assert_eq!(found.fit.end, FitEnd::Boundary { limit_models: vec![LimitModel::UnboundedEffect] });
    assert!(found.fit.notes[0].starts_with("alpha:kind=gone has no finite estimate"), "{:?}", found.fit.notes);
    let model = found.fit.fitted().unwrap();
    assert!(model.effects[0].coefficient < -8.0 && found.accuracy().is_none());
    // Everybody else is as without those of that level.
    let rest: Vec<usize> = (0..level.len()).filter(|row| level[*row] == "other").collect();
    let pick = |column: &[u32]| -> Vec<u32> { rest.iter().map(|row| column[*row]).collect() };
    let rows = [pick(&sample.x), pick(&sample.recency), pick(&sample.age)];
    let wanted = Wanted { rate: &[], dropout: &[] };
    let alone = fit(PurchaseKind::ParetoNbd, [&rows[0], &rows[1], &rows[2]], &[], wanted, WEEK).unwrap();
    for (with, without) in model.base.parameters().into_iter().zip(alone.fit.fitted().unwrap().base.parameters()) {
        close(with, without, 1e-3);
    }
}

#[test]
fn covariates_that_cannot_be_used_are_named() {
    let sample = sample();
    let message = |covariate: Covariate| refit(&sample, &[covariate], &[0]).unwrap_err().to_string();
    assert_eq!(message(numbers("age", vec![1.0])), "covariate `age` has 1 rows, expected 2357");
    let mut infinite = sample.first.clone();
    infinite[5] = f64::INFINITY;
    assert_eq!(message(numbers("age", infinite)), "covariate `age` has a number in row 5 that is not finite");
    let many: Vec<String> = (0..sample.x.len()).map(|row| (row % 101).to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(message(levels("code", &many)), "covariate `code` has 101 levels, at most 100 are estimated");
    let rows = [sample.x.as_slice(), &sample.recency, &sample.age];
    let error = fit(PurchaseKind::BgCnbdK, rows, &[], Wanted { rate: &[], dropout: &[] }, WEEK).unwrap_err();
    assert_eq!(error.to_string(), "bg_cnbd_k has no covariates; bg_nbd, mbg_nbd and pareto_nbd have");
}

#[test]
fn without_repeat_purchases_no_fit_predicts() {
    let month = levels("month", &["a", "b", "a"]);
    for kind in super::KINDS {
        let wanted = Wanted { rate: &[0], dropout: &[0] };
        let found = fit(kind, [&[0; 3], &[0; 3], &[9; 3]], std::slice::from_ref(&month), wanted, WEEK).unwrap();
        assert!(matches!(found.fit.end, FitEnd::Failed { .. }));
        assert!(found.fit.fitted().is_err() && found.likelihood_ratio().is_none());
    }
}

#[test]
fn huge_and_tiny_numbers_are_standardised_without_overflow() {
    let sample = sample();
    let base = fit_sample(PurchaseKind::ParetoNbd, &sample, &[0], &[]);
    for unit in [1e-200, 1e200] {
        let scaled = numbers("money", sample.first.iter().map(|money| money * unit).collect());
        let found = refit(&sample, &[scaled], &[0]).unwrap();
        let [left, right] = [&base, &found].map(|found| found.fit.fitted().unwrap().effects[0].coefficient);
        close(right * unit, left, 1e-6);
    }
}

#[test]
fn without_dropout_effects_on_it_are_not_blamed() {
    // Everybody bought last a few days before the end, at very different rates.
    let histories: Vec<(u32, u32)> = (1..40).map(|i| (1 + i * i % 37, 360 - 350 / (1 + i * i % 37) / 2)).collect();
    let column = |pick: fn(&(u32, u32)) -> u32| -> Vec<u32> { histories.repeat(20).iter().map(pick).collect() };
    let rows = [column(|h| h.0), column(|h| h.1), vec![364; 39 * 20]];
    let half: Vec<&str> = (0..39 * 20).map(|row| if row % 3 == 0 { "a" } else { "b" }).collect();
    let wanted = Wanted { rate: &[0], dropout: &[0] };
    let found =
        fit(PurchaseKind::BgNbd, [&rows[0], &rows[1], &rows[2]], &[levels("half", &half)], wanted, WEEK).unwrap();
    assert_eq!(found.fit.end, FitEnd::Boundary { limit_models: vec![LimitModel::NoDropout] });
    assert!(!found.fit.notes.iter().any(|note| note.contains("no finite estimate")), "{:?}", found.fit.notes);
    let model = found.fit.fitted().unwrap();
    assert!(model.effects[0].coefficient.abs() < 1.0 && model.base.parameters().iter().all(|p| p.is_finite()));
}
