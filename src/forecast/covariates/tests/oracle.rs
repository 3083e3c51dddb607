//! The CDNOW sample with the money and month of the first purchase.
//!
//! Expected values are a maximum found apart from this crate, in Python with scipy 1.16: the published likelihoods as they
//! stand (Fader & Hardie 2005, equation 18, with `scipy.special.hyp2f1`; Fader, Hardie & Lee 2005, equation 7, with
//! `betaln`) with each customer's own parameters, money centred at its mean and months as differences from February,
//! maximised by BFGS and Newton steps on fourth-order differences, standard errors from the differenced Hessian.

use super::{KINDS, fit_sample, of_sample};
use crate::forecast::covariates::CovariateFit;
use crate::forecast::fit::FitEnd;
use crate::forecast::tests::cdnow::{close, sample};
use crate::schema::settings::PurchaseKind;

/// The oracle's steps end within a millionth of a standard error; its differences leave its Hessian five to six digits.
const PARAMETERS: f64 = 5e-7;
const ERRORS: f64 = 2e-6;

fn check(found: &CovariateFit, log_likelihood: f64, expected: &[(f64, f64)]) {
    let fit = &found.fit;
    assert_eq!(fit.end, FitEnd::Converged, "{:?}", fit.notes);
    close(fit.log_likelihood.unwrap(), log_likelihood, 1e-12);
    let model = fit.fitted().unwrap();
    let coefficients = model.effects.iter().map(|effect| effect.coefficient);
    let parameters: Vec<f64> = model.base.parameters().into_iter().chain(coefficients).collect();
    let errors = fit.standard_errors.as_ref().unwrap();
    assert_eq!((parameters.len(), errors.len(), fit.names.len()), (expected.len(), expected.len(), expected.len()));
    for ((parameter, error), (value, of_value)) in parameters.iter().zip(errors).zip(expected) {
        assert!((parameter - value).abs() < PARAMETERS * of_value, "{parameter} is not {value} ± {of_value}");
        close(*error, *of_value, ERRORS);
    }
}

#[test]
fn pareto_nbd_with_covariates_finds_the_maximum_of_another_program() {
    let sample = sample();
    let found = fit_sample(PurchaseKind::ParetoNbd, &sample, &[0, 1], &[0]);
    let names = [
        "r",
        "alpha",
        "s",
        "beta",
        "alpha:first_amount",
        "alpha:month=january",
        "alpha:month=march",
        "beta:first_amount",
    ];
    assert_eq!(found.fit.names, names);
    let expected = [
        (0.575_711_016_14, 0.049_970_667),
        (11.135_969_830_6, 1.060_090_4),
        (0.589_915_851_652, 0.180_004_7),
        (11.385_684_725_2, 6.004_985_2),
        (0.007_492_917_538_74, 0.001_244_740_2),
        (0.022_143_465_618_2, 0.092_032_836),
        (-0.078_133_667_577_2, 0.095_543_173),
        (0.002_275_608_949_47, 0.002_744_490_4),
    ];
    check(&found, -9_571.550_454_050, &expected);
    // A category on dropout, too.
    let found = fit_sample(PurchaseKind::ParetoNbd, &sample, &[0, 1], &[0, 1]);
    let expected = [
        (0.579_406_393_194, 0.050_037_694),
        (10.673_880_439_1, 1.059_929_2),
        (0.558_765_402_161, 0.157_085_96),
        (8.392_095_334_46, 4.534_224),
        (0.007_593_625_612_12, 0.001_258_343_3),
        (-0.028_491_442_991_5, 0.104_966_97),
        (-0.179_289_787_918, 0.111_171_26),
        (0.002_497_417_817_34, 0.002_852_932_9),
        (-0.237_185_609_734, 0.240_932_34),
        (-0.493_063_809_518, 0.289_285_84),
    ];
    check(&found, -9_569.922_205_587, &expected);
}

#[test]
fn mbg_nbd_with_covariates_finds_the_maximum_of_another_program() {
    let found = fit_sample(PurchaseKind::MbgNbd, &sample(), &[0, 1], &[0]);
    assert_eq!(found.fit.names[6..], ["alpha:month=march", "a:first_amount", "b:first_amount"]);
    let expected = [
        (0.510_375_449_978, 0.065_297_854),
        (6.029_349_664_19, 0.733_164_86),
        (0.996_627_371_205, 0.188_725_14),
        (1.954_864_244_15, 0.617_945_08),
        (0.005_772_413_246_97, 0.001_647_266_4),
        (-0.042_175_382_010_7, 0.120_228_69),
        (-0.142_345_942_874, 0.124_178_67),
        (0.013_653_966_241_6, 0.008_132_572_4),
        (0.022_065_392_671_7, 0.009_158_576_6),
    ];
    check(&found, -9_558.158_119_304, &expected);
}

#[test]
fn bg_nbd_with_covariates_finds_the_maximum_of_another_program() {
    let found = fit_sample(PurchaseKind::BgNbd, &sample(), &[0, 1], &[0]);
    let expected = [
        (0.252_170_979_906, 0.013_219),
        (4.544_077_190_79, 0.512_944_54),
        (0.800_642_572_707, 0.203_971_73),
        (2.407_857_912_5, 0.741_525_24),
        (0.008_972_598_384_34, 0.001_664_458_4),
        (-0.033_544_785_876_7, 0.123_970_1),
        (-0.141_310_428_097, 0.128_173_33),
        (0.023_432_403_362_4, 0.012_150_905),
        (0.029_411_183_841_3, 0.012_608_725),
    ];
    check(&found, -9_558.255_360_352, &expected);
}

#[test]
fn the_likelihood_ratio_is_against_the_model_without_covariates() {
    let found = fit_sample(PurchaseKind::ParetoNbd, &sample(), &[0, 1], &[0]);
    close(found.plain.log_likelihood.unwrap(), -9_594.976_179, 5e-10);
    let ratio = found.likelihood_ratio().unwrap();
    close(ratio.statistic, 2.0 * (9_594.976_179 - 9_571.550_454), 1e-7);
    assert_eq!(ratio.degrees_of_freedom, 4);
    assert!(ratio.p_value < 1e-8);
    let accuracy = found.accuracy().unwrap();
    close(accuracy[0].z, 0.007_492_917_54 / 0.001_244_740_2, 5e-6);
    // Two-sided, of a standard normal beyond 6.0197 (R's 2*pnorm(-6.0197)).
    assert!((1.7e-9..1.8e-9).contains(&accuracy[0].p_value), "{}", accuracy[0].p_value);
    let told = "covariates raise the log-likelihood by 23.43 over the model without them (likelihood ratio 46.85, 4 degrees of \
                freedom, p = 1.64e-9)";
    assert_eq!(found.fit.notes, [told]);
    // Without an effect there is nothing to test.
    let none = fit_sample(PurchaseKind::ParetoNbd, &sample(), &[], &[]);
    assert!(none.likelihood_ratio().is_none());
}

#[test]
fn without_effects_the_fit_is_the_plain_one() {
    let sample = sample();
    assert_eq!(of_sample(&sample)[0].values.len(), sample.x.len());
    for kind in KINDS {
        let found = fit_sample(kind, &sample, &[], &[]);
        let (with, plain) = (found.fit.fitted().unwrap(), found.plain.fitted().unwrap());
        close(found.fit.log_likelihood.unwrap(), found.plain.log_likelihood.unwrap(), 1e-13);
        for (with, plain) in with.base.parameters().into_iter().zip(plain.parameters()) {
            close(with, plain, 1e-7);
        }
    }
}
