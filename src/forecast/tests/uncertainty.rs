//! Draws of the parameters of a fit.

use super::cdnow::{sample, summary};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::Fit;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::spend_model::SpendModel;
use crate::forecast::uncertainty::{Around, draw_parameters, has_covariance};
use crate::numeric::philox::Stream;
use crate::schema::forecasting::SpendKind;

#[test]
fn draws_have_the_mean_and_the_covariance_of_the_fit() {
    let fit = BgNbd::fit(&summary(&sample()), 7.0).map(PurchaseModel::BgNbd);
    let theta = fit.fitted().unwrap().parameters();
    let around = Around::new(&fit, theta).unwrap();
    let mut stream = Stream::new(1, 2, 3);
    let draws: Vec<[f64; 4]> = (0..40_000).map(|_| around.draw(&mut stream).map(f64::ln)).collect();
    let n = draws.len() as f64;
    let covariance = fit.covariance.as_ref().unwrap();
    let ln = |i: usize, j: usize| covariance[i][j] / (theta[i] * theta[j]);
    for i in 0..4 {
        let mean = draws.iter().map(|draw| draw[i]).sum::<f64>() / n;
        assert!((mean - theta[i].ln()).abs() < 4.0 * (ln(i, i) / n).sqrt(), "{i}: {mean}");
        for j in 0..=i {
            let product = |draw: &[f64; 4]| (draw[i] - theta[i].ln()) * (draw[j] - theta[j].ln());
            let found = draws.iter().map(product).sum::<f64>() / n;
            // Wishart: the variance of an entry is (σij² + σii σjj)/n.
            let error = ((ln(i, j).powi(2) + ln(i, i) * ln(j, j)) / n).sqrt();
            assert!((found - ln(i, j)).abs() < 4.0 * error, "{i} {j}: {found} is not {}", ln(i, j));
        }
    }
}

#[test]
fn a_fit_without_a_covariance_is_not_drawn() {
    let fit = BgNbd::fit(&summary(&sample()), 7.0).map(PurchaseModel::BgNbd);
    let failed = Fit::failed("Gamma-Gamma", &["p", "q", "gamma"], 0, "nothing to fit");
    assert!(draw_parameters(&fit, None, &failed, 1_000, 1).is_empty());
    let mut open = fit.clone();
    open.covariance = None;
    assert!(has_covariance(&fit) && !has_covariance(&open));
}

#[test]
fn draws_of_normal_spend_have_the_spread_of_its_variances_and_none_below_nought() {
    // The sample hardly knows the spread within customers: 2.8 ± 19.8, a variance of 8 ± 112.
    let sample = sample();
    let purchases = BgNbd::fit(&summary(&sample), 7.0).map(PurchaseModel::BgNbd);
    let spend = SpendModel::fit(SpendKind::Normal, &sample.x, &sample.total);
    let fitted = spend.fitted().unwrap().parameters();
    let errors = spend.standard_errors.clone().unwrap();
    let draws: Vec<[f64; 3]> = draw_parameters(&purchases, None, &spend, 1_000, 1)
        .iter()
        .map(|draw| draw.spend.unwrap().1.parameters())
        .collect();
    assert_eq!(draws.len(), 100);
    let spread = 2.0 * fitted[1] * errors[1];
    for [mean, within, between] in &draws {
        assert!((mean - fitted[0]).abs() < 5.0 * errors[0]);
        assert!(*within > 0.0 && within * within < fitted[1] * fitted[1] + 5.0 * spread, "{within}");
        assert!((between - fitted[2]).abs() < 6.0 * errors[2], "{between}");
    }
    // Half a normal distribution of the variance has its median at about 0.67 of the spread.
    let mut within: Vec<f64> = draws.iter().map(|draw| draw[1] * draw[1]).collect();
    within.sort_by(f64::total_cmp);
    assert!(within[50] > 0.4 * spread && within[50] < 1.0 * spread, "{} {spread}", within[50]);
}
