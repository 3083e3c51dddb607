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
    // Few customers with few purchases hardly tell the spread between them: 2.3 ± 5.9, a variance of 5 ± 26.
    let x = [2, 1, 3, 2, 1, 2, 4, 1, 2, 3];
    let total = [30.0, 8.0, 66.0, 24.0, 31.0, 50.0, 60.0, 6.0, 44.0, 45.0];
    let squares = [50.0, 0.0, 77.5, 40.0, 0.0, 22.5, 100.0, 0.0, 55.0, 65.0];
    let purchases = BgNbd::fit(&summary(&sample()), 7.0).map(PurchaseModel::BgNbd);
    let spend = SpendModel::fit(SpendKind::Normal, &x, &total, &squares);
    let fitted = spend.fitted().unwrap().parameters();
    let errors = spend.standard_errors.clone().unwrap();
    let draws: Vec<[f64; 3]> = draw_parameters(&purchases, None, &spend, 1_000, 1)
        .iter()
        .map(|draw| draw.spend.unwrap().1.parameters())
        .collect();
    assert_eq!(draws.len(), 100);
    for [mean, within, between] in &draws {
        assert!((mean - fitted[0]).abs() < 5.0 * errors[0]);
        assert!((within * within - fitted[1] * fitted[1]).abs() < 10.0 * fitted[1] * errors[1], "{within}");
        let spread = 2.0 * fitted[2] * errors[2];
        assert!(*between > 0.0 && between * between < fitted[2] * fitted[2] + 5.0 * spread, "{between}");
    }
    let mut variances: Vec<f64> = draws.iter().map(|draw| draw[2] * draw[2]).collect();
    variances.sort_by(f64::total_cmp);
    assert!(variances[80] - variances[20] > fitted[2] * errors[2], "{variances:?}");
}
