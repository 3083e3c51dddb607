//! What a customer not yet acquired is expected to bring.

use crate::forecast::beta_geometric::ShiftedBetaGeometric;
use crate::forecast::beta_weibull::BetaDiscreteWeibull;
use crate::forecast::bg_bb::BgBb;
use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::contract_calendar::ContractCalendar;
use crate::forecast::contract_model::ContractModel;
use crate::forecast::contribution::Rates;
use crate::forecast::exponential_gamma::ExponentialGamma;
use crate::forecast::histories::Histories;
use crate::forecast::known_spend::fit_spend;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::newcomer::{ExpectedSpend, new_customers};
use crate::forecast::newcomer_futures::{NewcomerFutures, newcomer_futures};
use crate::forecast::newcomer_periods as periods;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::population::Population;
use crate::forecast::predict::{Models, expectations, fit_purchases, horizon, timing};
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::weibull_gamma::WeibullGamma;
use crate::numeric::discounting::Timing;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use crate::schema::forecasting::{Discounting, ModelChoice, SpendKind};
use crate::schema::renewals::RenewalTerm;
use crate::schema::settings::{ForecastSettings, PurchaseKind};

const P: ParetoNbd = ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 };

fn counting(delta: f64, period: Option<f64>) -> Timing {
    Timing { delta, period }
}

fn rates() -> Rates {
    Rates { margin_rate: vec![0.4, 0.2], order_cost: vec![1.5, 0.5], sustaining_rate: vec![0.05, 0.0] }
}

fn plain(mean: &[f64]) -> ExpectedSpend<'_> {
    ExpectedSpend { mean, added: None }
}

#[test]
fn purchases_of_a_new_customer_are_the_published_expectation() {
    // Fader & Hardie (2005), equation 17: E[X(t)] = rβ/(α(s−1)) [1 − (β/(β+t))^{s−1}].
    let ParetoNbd { r, alpha, s, beta } = P;
    for t in [1.0, 39.0, 104.0] {
        let published = r * beta / (alpha * (s - 1.0)) * (1.0 - (beta / (beta + t)).powf(s - 1.0));
        let found = PurchaseModel::from(P).newcomer(t, counting(0.0, None)).unwrap();
        assert!((found.purchases - 1.0 - published).abs() < 1e-10, "{t}: {} {published}", found.purchases);
        assert!((found.discounted_purchases - found.purchases).abs() < 1e-12);
        // ∫ (β/(β+u))^s du, the time alive.
        let alive = beta / (s - 1.0) * (1.0 - (beta / (beta + t)).powf(s - 1.0));
        assert!((found.discounted_alive_time - alive).abs() < 1e-9, "{t}");
    }
    // Batislam et al. (2007): a customer of MBG/NBD survives the first purchase with probability b/(a+b).
    let mbg = PurchaseModel::from(MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 });
    let at_once = mbg.newcomer(1e-6, counting(0.0, None)).unwrap().discounted_alive_time / 1e-6;
    assert!((at_once - 1.614 / 2.505).abs() < 1e-6, "{at_once}");
}

#[test]
fn discounting_lowers_what_comes_later_and_leaves_the_first_purchase() {
    let regular = BgCnbdK { k: 2, dropout: FirstDropout::AfterFirst, r: 0.6, alpha: 5.0, a: 0.8, b: 2.6 };
    let models: [PurchaseModel; 3] =
        [P.into(), BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }.into(), regular.into()];
    for model in models {
        let (now, later) =
            (model.newcomer(52.0, counting(0.0, None)).unwrap(), model.newcomer(52.0, counting(0.01, None)).unwrap());
        assert!(1.0 < later.discounted_purchases && later.discounted_purchases < now.discounted_purchases);
        assert!(later.discounted_alive_time < now.discounted_alive_time);
        let never = model.newcomer(52.0, counting(50.0, None)).unwrap();
        assert!((never.discounted_purchases - 1.0).abs() < 0.02, "{never:?}");
    }
}

#[test]
fn a_groups_newcomer_is_the_mean_of_its_customers_at_the_groups_rates() {
    let models: Vec<PurchaseModel> = vec![P.into(), ParetoNbd { r: 2.0, ..P }.into()];
    let population = Population::new(models.clone(), vec![0, 1, 1, 0, 1]).unwrap();
    let spend = [10.0, 30.0, 50.0, 20.0, 40.0];
    let found =
        new_customers(&population, plain(&spend), &[0, 0, 0, 1, 1], &rates(), (52.0, counting(0.002, None))).unwrap();
    let [rare, often] = [0, 1].map(|at: usize| models[at].newcomer(52.0, counting(0.002, None)).unwrap());
    let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    assert_eq!((found[0].customers, found[1].customers), (3, 2));
    // Worked: two of the first group buy often, and the three spend 30 on average.
    close(found[0].purchases, (rare.purchases + 2.0 * often.purchases) / 3.0);
    close(found[0].spend, 30.0 * found[0].purchases);
    let discounted = (rare.discounted_purchases + 2.0 * often.discounted_purchases) / 3.0;
    let alive = (rare.discounted_alive_time + 2.0 * often.discounted_alive_time) / 3.0;
    close(found[0].value, (0.4 * 30.0 - 1.5) * discounted - 0.05 * alive);
    close(found[1].value, (0.2 * 30.0 - 0.5) * 0.5 * (rare.discounted_purchases + often.discounted_purchases));
}

#[test]
fn one_model_for_all_gives_every_group_the_same_purchases() {
    let found =
        new_customers(&P.into(), plain(&[50.0; 4]), &[0, 1, 1, 1], &rates(), (39.0, counting(0.0, None))).unwrap();
    assert!((found[0].purchases - found[1].purchases).abs() < 1e-12 && found[0].value > found[1].value);
}

#[test]
fn what_comes_after_the_first_purchase_counts_at_the_end_of_its_period_where_that_is_the_convention() {
    // Pareto/NBD (Fader & Hardie 2005, equation 17), two years of 52 weeks at 10 % each: what is bought in the first
    // counts 1/1.1, what is bought in the second 1/1.21, the first purchase 1.
    let ParetoNbd { r, alpha, s, beta } = P;
    let by = |t: f64| r * beta / (alpha * (s - 1.0)) * (1.0 - (beta / (beta + t)).powf(s - 1.0));
    let expected = 1.0 + by(52.0) / 1.1 + (by(104.0) - by(52.0)) / 1.21;
    let delta = 1.1_f64.ln() / 52.0;
    let found = PurchaseModel::from(P).newcomer(104.0, counting(delta, Some(52.0))).unwrap();
    assert!((found.discounted_purchases - expected).abs() < 1e-10, "{found:?} {expected}");
    let at_once = PurchaseModel::from(P).newcomer(104.0, counting(delta, None)).unwrap();
    assert!(at_once.discounted_purchases > found.discounted_purchases + 0.01);
    let group = new_customers(&P.into(), plain(&[30.0]), &[0], &rates(), (104.0, counting(delta, Some(52.0)))).unwrap();
    let value = (0.4 * 30.0 - 1.5) * expected - 0.05 * found.discounted_alive_time;
    assert!((group[0].value - value).abs() < 1e-9);
}

#[test]
fn other_prices_add_to_what_a_purchase_brings_in_full() {
    let spend = ExpectedSpend { mean: &[10.0, 30.0], added: Some(&[1.0, -3.0]) };
    let found = new_customers(&P.into(), spend, &[0, 0], &rates(), (39.0, counting(0.0, None))).unwrap()[0];
    let newcomer = PurchaseModel::from(P).newcomer(39.0, counting(0.0, None)).unwrap();
    assert!((found.spend - 19.0 * newcomer.purchases).abs() < 1e-12);
    let per_purchase = 0.4 * 20.0 - 1.0 - 1.5;
    let value = per_purchase * newcomer.discounted_purchases - 0.05 * newcomer.discounted_alive_time;
    assert!((found.value - value).abs() < 1e-12);
}

/// Standard errors by which a mean of drawn futures may miss its expectation.
const ERRORS: f64 = 4.0;

/// New customers after the sample's fit: the model, their mean amount, and their drawn futures.
fn drawn(kind: PurchaseKind, discount_rate_per_year: f64) -> (PurchaseModel, f64, NewcomerFutures) {
    let sample = super::cdnow::sample();
    let rows = sample.x.len() as u32;
    let histories = Histories {
        customer: (0..rows).collect(),
        frequency: sample.x.clone(),
        recency: sample.recency.clone(),
        age: sample.age.clone(),
    };
    let settings = ForecastSettings { model: ModelChoice::One(kind), discount_rate_per_year, ..a_year() };
    let (summary, purchases) = fit_purchases(kind, &histories, &[], &settings).unwrap();
    let spend = fit_spend(SpendKind::GammaGamma, &histories, &sample.total, &[]);
    let models = Models { purchases, spend, mean_amount: None, population: None, groups: None, moving: None };
    let known = expectations(&summary, &models, &histories, &sample.total, &settings).unwrap();
    let keys: Vec<u64> = (0..u64::from(rows)).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    // Every third customer: fewer than are taken at most, and more.
    let members: Vec<u32> = (0..rows).step_by(3).collect();
    let means = known.mean_spend(&histories.frequency);
    let amount = members.iter().map(|row| means[*row as usize]).sum::<f64>() / members.len() as f64;
    let futures = newcomer_futures(&models, &known, (&members, None, &keys), None, &settings, 7).unwrap();
    (models.population().unwrap().model_of(0), amount, futures)
}

fn a_year() -> ForecastSettings {
    ForecastSettings {
        model: ModelChoice::One(PurchaseKind::BgNbd),
        holdout_days: None,
        grace_days: 0,
        contracts_from: None,
        spend: SpendKind::GammaGamma,
        days_per_unit: 7.0,
        time_unit: "week".to_owned(),
        horizon_days: 364,
        discount_rate_per_year: 0.1,
        discounting: Discounting::Continuous,
        paths: 10,
        parameter_uncertainty: false,
        simulated_waits: false,
        quantiles: Vec::new(),
        covariates: None,
        pool_by: None,
        penalty: None,
    }
}

/// The mean of draws lies within a few of its errors of what it should be.
fn has_mean(drawn: &[f64], expected: f64, what: &str) {
    let n = drawn.len() as f64;
    assert!(n >= 10_000.0);
    let mean = drawn.iter().sum::<f64>() / n;
    let variance = drawn.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    let miss = (mean - expected) / (variance / n).sqrt();
    assert!(miss.abs() < ERRORS, "{what}: {mean} {expected}, {miss} errors");
}

#[test]
fn the_mean_of_drawn_futures_is_what_a_new_customer_is_expected_to_do() {
    for kind in [PurchaseKind::BgNbd, PurchaseKind::MbgNbd, PurchaseKind::ParetoNbd] {
        let (model, amount, futures) = drawn(kind, 0.1);
        let (horizon, timing) = (horizon(&a_year()), timing(&a_year()));
        let newcomer = model.newcomer(horizon, timing).unwrap();
        has_mean(&futures.purchases, newcomer.discounted_purchases, "purchases");
        has_mean(&futures.alive_time, newcomer.discounted_alive_time, "time alive");
        has_mean(&futures.spend, amount * newcomer.discounted_purchases, "spend");
        // Who lives longest buys nothing for a while: some futures have one purchase, none has fewer.
        assert!(futures.purchases.iter().all(|purchases| *purchases >= 1.0 - 1e-6));
    }
}

#[test]
fn purchases_spend_and_time_alive_of_a_drawn_future_are_of_one_future() {
    // Under Pareto/NBD purchases go on at the rate λ until τ: E[(X−1) τ] = E[λ] E[τ²] = r/α ∫ 2u (β/(β+u))^s du, and spend
    // is the mean amount times purchases, whatever τ.
    let (model, amount, futures) = drawn(PurchaseKind::ParetoNbd, 0.0);
    let PurchaseModel::ParetoNbd(ParetoNbd { r, alpha, s, beta }) = model else { panic!("{model:?}") };
    let (steps, horizon) = (100_000, horizon(&a_year()));
    let step = horizon / f64::from(steps);
    let squared: f64 = (0..steps)
        .map(|at| step * (f64::from(at) + 0.5))
        .map(|u| step * 2.0 * u * libm::pow(beta / (beta + u), s))
        .sum();
    let product = |of: &[f64], less: f64| -> Vec<f64> {
        of.iter().zip(&futures.alive_time).map(|(value, alive)| (value - less) * alive).collect()
    };
    has_mean(&product(&futures.purchases, 1.0), r / alpha * squared, "purchases and time alive");
    let alive = model.newcomer(horizon, counting(0.0, None)).unwrap().discounted_alive_time;
    has_mean(&product(&futures.spend, 0.0), amount * (r / alpha * squared + alive), "spend and time alive");
}

/// Discounted years of a sum of draws, and how far its mean may be from what is expected.
fn drawn_mean(draws: u64, draw: impl Fn(&mut Stream) -> f64) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for number in 0..draws {
        let value = draw(&mut Stream::new(3, number, 5));
        sum += value;
        squares += value * value;
    }
    let mean = sum / draws as f64;
    (mean, ((squares / draws as f64 - mean * mean) / draws as f64).sqrt())
}

const NEW_YEAR: ContractCalendar = ContractCalendar {
    as_of: 10_957,
    term: RenewalTerm::Months(12),
    days_per_unit: 365.25,
    horizon_days: 1_827,
    delta: 0.095_310_179_804_324_87,
    discounting: Discounting::Continuous,
};

#[test]
fn a_new_contract_is_worth_what_drawn_contracts_are() {
    // Five renewals from 2000-01-01 (day 10,957) up to 2005-01-01, the first payment on the first day.
    let renewals = [366.0, 731.0, 1_096.0, 1_461.0, 1_827.0];
    let factor = |days: f64| 1.1_f64.powf(-days / 365.25);
    let paid = |chances: f64| 1.0 + renewals[..(chances as usize).min(5)].iter().map(|days| factor(*days)).sum::<f64>();
    let stayed = |years: f64| -libm::expm1(-NEW_YEAR.delta * years.min(1_827.0 / 365.25)) / NEW_YEAR.delta;
    let (alpha, beta, r, c) = (0.704, 1.182, 1.3, 1.4);
    let leaving = Beta::new(alpha, beta);
    // A geometric number of renewals made: (1−p)^n is left after n of them.
    let geometric = |stream: &mut Stream, c: f64| {
        let (p, level) = (leaving.draw(stream), stream.uniform());
        let mut made = 0.0_f64;
        while made < 6.0 && (1.0 - p).powf((made + 1.0).powf(c)) > level {
            made += 1.0;
        }
        made
    };
    let rate = Gamma::new(r);
    let time = |stream: &mut Stream, c: f64| {
        let rate = rate.draw(stream) / beta;
        (standard_exponential(stream) / rate).powf(1.0 / c)
    };
    for (model, drawn) in [
        (
            ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha, beta }),
            drawn_mean(40_000, |stream| paid(geometric(stream, 1.0))),
        ),
        (
            ContractModel::BetaWeibull(BetaDiscreteWeibull { alpha, beta, c }),
            drawn_mean(40_000, |stream| paid(geometric(stream, c))),
        ),
        (
            ContractModel::ExponentialGamma(ExponentialGamma { r, alpha: beta }),
            drawn_mean(40_000, |stream| stayed(time(stream, 1.0))),
        ),
        (
            ContractModel::WeibullGamma(WeibullGamma { r, alpha: beta, c }),
            drawn_mean(40_000, |stream| stayed(time(stream, c))),
        ),
    ] {
        let found = model.newcomer(&NEW_YEAR).unwrap();
        let (mean, error) = drawn;
        let miss = (found.discounted_purchases - mean) / error;
        assert!(miss.abs() < ERRORS, "{model:?}: {found:?} {mean}, {miss} errors");
        let later = ContractCalendar { delta: 0.0, ..NEW_YEAR };
        let undiscounted = model.newcomer(&later).unwrap();
        assert!((undiscounted.discounted_purchases - undiscounted.purchases).abs() < 1e-12);
        assert!(
            (undiscounted.purchases - found.purchases).abs() < 1e-12 && found.purchases > found.discounted_purchases
        );
        // Daily renewals: the one on the first day is the first payment, and no other.
        let daily = ContractCalendar { term: RenewalTerm::Days(1), days_per_unit: 1.0, horizon_days: 2, ..later };
        if let ContractModel::BetaGeometric(model) = model {
            let expected = 1.0 + model.survival(1) + model.survival(2);
            let found = ContractModel::BetaGeometric(model).newcomer(&daily).unwrap().purchases;
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}

#[test]
fn a_new_donor_is_worth_what_drawn_donors_are() {
    // Fader, Hardie & Shang (2010), five opportunities to come; to be kept for one costs 0.3 of a gift.
    let model = BgBb { alpha: 1.2035, beta: 0.7497, gamma: 0.6567, delta: 2.7834 };
    let worth: Vec<f64> = (1..=5).map(|year| 1.1_f64.powi(-year)).collect();
    let (buys, leaves) = (Beta::new(model.alpha, model.beta), Beta::new(model.gamma, model.delta));
    // Contributions of 0.4 · 4 − 0.6 = 1 and of 0.4 · 5 = 2.
    let rates = Rates { margin_rate: vec![0.4, 0.4], order_cost: vec![0.6, 0.0], sustaining_rate: vec![0.3, 0.0] };
    let newcomer = model.newcomer(&worth);
    let groups = periods::new_customers(newcomer, &[0, 1, 1], &[4.0, 5.0], &rates);
    let (mean, error) = drawn_mean(60_000, |stream| {
        let (p, theta) = (buys.draw(stream), leaves.draw(stream));
        let mut value = 1.0 - 0.3;
        for worth in &worth {
            if stream.uniform() < theta {
                break;
            }
            value += worth * (f64::from(u8::from(stream.uniform() < p)) - 0.3);
        }
        value
    });
    let miss = (groups[0].value - mean) / error;
    assert!(miss.abs() < ERRORS, "{groups:?} {mean}, {miss} errors");
    assert_eq!((groups[0].customers, groups[1].customers), (1, 2));
    assert!((groups[1].value - 2.0 * newcomer.discounted_purchases).abs() < 1e-12);
    assert!((groups[1].spend - 5.0 * newcomer.purchases).abs() < 1e-12);
}
