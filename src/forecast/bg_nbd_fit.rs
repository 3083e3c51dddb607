//! BG/NBD and MBG/NBD: likelihood with analytic derivatives, and its maximum.
//!
//! The two models differ in one number: the chances to drop out that a customer has had before the first repeat
//! purchase, `c = 0` in BG/NBD and `c = 1` in MBG/NBD. A customer with `x` repeat purchases has then survived `x + c − 1`
//! chances and perhaps the last one; without any chance yet (`x + c = 0`) there is nothing to have survived.
//!
//! The likelihood of one history is taken apart into factors of `x` alone, of `T` alone and of `t_x` alone, and one
//! logistic term that joins them. The first three come from tables, so a history costs one exponential.
//!
//! Source: Fader, Hardie & Lee, Marketing Science 24 (2005), 275–284, equation 7; with the chance at the first purchase
//! Batislam, Denizel & Filiztekin, Int. J. of Research in Marketing 24 (2007), 201–209.

use super::bg_nbd::BgNbd;
use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use super::summary::{History, Summary};
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::numeric::special::{ln_beta_rise, rise};
use crate::numeric::sums::chunked;

/// BG/NBD: the first chance to drop out comes after the first repeat purchase.
pub(super) const BG_NBD: Family = Family {
    model: "BG/NBD",
    chances_before_repeat: 0,
    at_once_or_never: LimitModel::DropoutAtOnceOrNever,
    at_once: LimitModel::DropoutAtOnce,
};

pub(super) const NAMES: [&str; 4] = ["r", "alpha", "a", "b"];
/// Parameters are searched in this range; α in units of the mean age.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;

/// Where a search that has lost the dropout begins again, after the two parameters of buying: logarithms of the two of
/// dropout, `a` and `b` (`γ` and `δ` of BG/BB), for rare, unequal and frequent dropout.
pub(super) const AGAIN: [&[f64]; 3] =
    [&[f64::NAN, f64::NAN, -6.0, 2.0], &[f64::NAN, f64::NAN, -4.0, -1.0], &[f64::NAN, f64::NAN, -1.0, 1.0]];

/// Value, four first and ten second derivatives.
pub(super) const TERMS: usize = 15;

/// What sets one model of the family apart from the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// Model name.
    pub(super) model: &'static str,
    /// Chances to drop out that a customer has had before the first repeat purchase.
    pub(super) chances_before_repeat: u32,
    /// The limit for `a, b → 0`.
    pub(super) at_once_or_never: LimitModel,
    /// The limit for `a → ∞` or `b → 0` alone.
    pub(super) at_once: LimitModel,
}

/// The likelihood of a summary.
struct Likelihood<'a> {
    histories: &'a [(History, u64)],
    /// Runs of equal frequency: (frequency, customers).
    frequencies: Vec<(u32, f64)>,
    days_per_unit: f64,
    longest: u32,
    /// Chances to drop out before the first repeat purchase.
    chances_before_repeat: u32,
}

/// What depends on one number of days, or on the frequency, only.
struct Tables {
    /// By days.
    elapsed: Vec<Elapsed>,
    /// `ln(b+n−1)` by the chances `n = x + c` that a customer has had; unused at `n = 0`.
    ln_kept: Vec<f64>,
}

/// What depends on one time `t`.
#[derive(Debug, Clone, Copy)]
struct Elapsed {
    /// `ln(1 + t/α)`.
    ln_growth: f64,
    /// `α/(α+t)`.
    start_share: f64,
    /// `t/(α+t)`.
    passed_share: f64,
}

impl BgNbd {
    /// Fit by maximum likelihood to the counts of equal histories.
    ///
    /// Damped Newton on `(ln r, ln α, ln a, ln b)` with the analytic Hessian. The likelihood is that of equation 7: a
    /// density per model time unit, so another unit shifts its logarithm by `Σx ln` of the ratio.
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`; `α` is in that unit.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` without any repeat purchase or age, `Boundary` where the
    /// likelihood rises towards a simpler model (most often NBD: nobody drops out). A maximum that lies above all of these,
    /// however little, has converged.
    #[must_use]
    pub fn fit(summary: &Summary, days_per_unit: f64) -> Fit<Self> {
        let mut fit = BG_NBD.fit(summary, days_per_unit, |[r, alpha, a, b]| Self { r, alpha, a, b });
        let customers = summary.customers();
        let once = customers - summary.repeaters();
        if once > 0 && fit.fitted().is_ok() {
            fit.notes.push(always_alive((BG_NBD.model, "mbg_nbd"), once, customers));
        }
        fit.notes.extend(dropout_unknown(summary).filter(|_| fit.fitted().is_ok()));
        fit
    }

    /// Log-likelihood of the counts at these parameters.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    ///
    /// Source: equation 7.
    #[must_use]
    pub fn log_likelihood(&self, summary: &Summary, days_per_unit: f64) -> f64 {
        let ln = [self.r, self.alpha, self.a, self.b].map(libm::log);
        BG_NBD.evaluation(summary, days_per_unit, &ln).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, a, b`, at those logarithms.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn evaluation(summary: &Summary, days_per_unit: f64, ln: &[f64; 4]) -> Evaluation<4> {
        BG_NBD.evaluation(summary, days_per_unit, ln)
    }
}

/// What BG/NBD and BG/CNBD-k take for granted of customers who bought once.
///
/// * `other`: what the model without this is called in a config.
pub(super) fn always_alive((model, other): (&str, &str), once: u64, customers: u64) -> String {
    format!(
        "{once} of {customers} customers bought once: {model} puts dropout after a repeat purchase only, so it gives each \
         of them P(alive) = 1 however long they have been silent; `forecast.model: {other}` lets them be gone, and `auto` \
         compares the models on a holdout"
    )
}

/// That the likelihood of a model with dropout after repeat purchases only is level in it: a customer who bought once cannot have
/// dropped out, and one whose second purchase was on the last day says nothing either.
pub(super) fn dropout_unknown(summary: &Summary) -> Option<String> {
    let tells = |history: &History| history.frequency > 1 || (history.frequency == 1 && history.recency < history.age);
    let none = summary.iter().all(|(history, _)| !tells(&history));
    none.then(|| {
        "no history tells of dropout, as nobody has bought a third time or been silent since a second: its parameters are not \
         determined, and P(alive) and what is expected follow from where the search stopped"
            .to_owned()
    })
}

/// Where parameters are searched.
///
/// * `age`: mean age in model time units.
pub(super) fn search_range(age: f64) -> Bounds<4> {
    let (low, high, shift) = (libm::log(SMALLEST), libm::log(LARGEST), libm::log(age));
    Bounds { lower: [low, low + shift, low, low], upper: [high, high + shift, high, high] }
}

/// Logarithms of the parameters that a search starts from.
///
/// * `rate`: repeat purchases a customer and model time unit.
pub(super) fn start(rate: f64) -> [f64; 4] {
    [0.5, 0.5 / rate, 0.8, 2.4].map(libm::log)
}

impl Family {
    /// Maximum likelihood: what `BgNbd::fit` documents, without the notes that are BG/NBD's own.
    ///
    /// * `build`: the model with these `r, α, a, b`.
    pub(super) fn fit<P>(&self, summary: &Summary, days_per_unit: f64, build: impl Fn([f64; 4]) -> P) -> Fit<P> {
        let customers = summary.customers();
        let failed = |why| Fit::failed(self.model, &NAMES, customers, why);
        let has_unit = days_per_unit.is_finite() && days_per_unit > 0.0;
        if !has_unit {
            return failed("the model time unit must be a positive number of days");
        }
        let repeaters = summary.repeaters();
        if repeaters == 0 {
            return failed("no customer bought a second time, so nothing is known of purchase rates or dropout");
        }
        let histories: Vec<(History, u64)> = summary.iter().collect();
        let likelihood = Likelihood::new(&histories, days_per_unit, self.chances_before_repeat);
        let age = likelihood.mean_age(customers);
        let rate = summary.purchases() as f64 / customers as f64 / age;
        let bounds = search_range(age);
        let maximum = maximise(start(rate), &bounds, |ln| likelihood.evaluate(ln));
        let gone = |point: &[f64; 4]| self.limit_models(point, &bounds);
        let ways = self.ways_out();
        let ends = Ends { ways: &ways, again: &AGAIN };
        let evaluate = |ln: &[f64; 4]| likelihood.evaluate(ln);
        settle_narrow(&(&maximum).into(), gone, &bounds, ends, evaluate, |point, maximum, limits| {
            let parameters = point.map(libm::exp);
            Fit::at_judged_maximum(self.model, &NAMES, customers, maximum, &parameters, build(parameters), limits)
        })
    }

    /// The ends of the parameter space, by `r, α, a, b`.
    pub(super) fn ways_out(&self) -> [WayOut; 4] {
        [
            WayOut { limit: LimitModel::NoDropout, towards: &[0, 0, -1], idle: &[3] },
            WayOut { limit: LimitModel::EqualDropout, towards: &[0, 0, 1, 1], idle: &[] },
            WayOut { limit: self.at_once_or_never, towards: &[0, 0, -1, -1], idle: &[] },
            WayOut { limit: LimitModel::EqualRates, towards: &[1, 1], idle: &[] },
        ]
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, a, b`, at those logarithms.
    pub(super) fn evaluation(&self, summary: &Summary, days_per_unit: f64, ln: &[f64; 4]) -> Evaluation<4> {
        self.evaluate(&summary.iter().collect::<Vec<_>>(), days_per_unit, ln)
    }

    /// The same of distinct histories with their numbers of customers, in the order of a summary.
    pub(super) fn evaluate(&self, histories: &[(History, u64)], days_per_unit: f64, ln: &[f64; 4]) -> Evaluation<4> {
        Likelihood::new(histories, days_per_unit, self.chances_before_repeat).evaluate(ln)
    }

    /// Adds one history's log-likelihood and its derivatives by the logarithms of its own `r, α, a, b`, without the factor
    /// `Γ(r+x)/Γ(r)`.
    ///
    /// * `ln`: those logarithms. * `days_per_unit`: days in a model time unit.
    pub(super) fn add_alone(
        &self,
        sum: &mut [f64; TERMS],
        ln: &[f64; 4],
        days_per_unit: f64,
        history: History,
        weight: f64,
    ) {
        let [r, alpha, a, b] = ln.map(libm::exp);
        let (x, chances) = (history.frequency, history.frequency + self.chances_before_repeat);
        let [age, recency] =
            [history.age, history.recency].map(|days| Elapsed::new(f64::from(days) / days_per_unit, alpha));
        add_history(sum, [r, ln[2], b], (age, recency, ln_kept(b, chances)), (x, chances), weight);
        let (dropout, both) = (rise(b, chances), rise(a + b, chances));
        sum[0] += weight * (ln_beta_rise(a, b, chances) - f64::from(x) * ln[1]);
        sum[2] -= weight * f64::from(x);
        sum[3] -= weight * a * both.digamma;
        sum[4] += weight * b * (dropout.digamma - both.digamma);
        sum[12] -= weight * (a * both.digamma + a * a * both.trigamma);
        sum[13] -= weight * a * b * both.trigamma;
        sum[14] += weight * (b * (dropout.digamma - both.digamma) + b * b * (dropout.trigamma - both.trigamma));
    }

    /// The simpler models that the parameters have gone to.
    pub(super) fn limit_models(&self, point: &[f64; 4], bounds: &Bounds<4>) -> Vec<LimitModel> {
        let near = libm::log(NEAR);
        let low: [bool; 4] = std::array::from_fn(|i| point[i] < bounds.lower[i] + near);
        let high: [bool; 4] = std::array::from_fn(|i| point[i] > bounds.upper[i] - near);
        let mut limits = Vec::new();
        if high[0] || high[1] {
            limits.push(LimitModel::EqualRates);
        } else if low[0] || low[1] {
            limits.push(LimitModel::DegenerateRates);
        }
        match ((low[2], high[2]), (low[3], high[3])) {
            ((true, _), (true, _)) => limits.push(self.at_once_or_never),
            ((true, _), _) | ((_, false), (_, true)) => limits.push(LimitModel::NoDropout),
            ((_, true), (_, true)) => limits.push(LimitModel::EqualDropout),
            ((_, true), _) | (_, (true, _)) => limits.push(self.at_once),
            _ => {}
        }
        limits
    }
}

impl<'a> Likelihood<'a> {
    fn new(histories: &'a [(History, u64)], days_per_unit: f64, chances_before_repeat: u32) -> Self {
        let frequencies = histories
            .chunk_by(|l, r| l.0.frequency == r.0.frequency)
            .map(|run| (run[0].0.frequency, run.iter().map(|(_, weight)| weight).sum::<u64>() as f64))
            .collect();
        let longest = histories.iter().map(|(history, _)| history.age).max().unwrap_or(0);
        Self { histories, frequencies, days_per_unit, longest, chances_before_repeat }
    }

    /// Mean age in model time units; at least a day.
    fn mean_age(&self, customers: u64) -> f64 {
        let days: u128 = self.histories.iter().map(|(h, weight)| u128::from(h.age) * u128::from(*weight)).sum();
        (days as f64 / customers.max(1) as f64).max(1.0) / self.days_per_unit
    }

    /// Log-likelihood and its derivatives by the logarithms of `r, α, a, b`.
    fn evaluate(&self, ln: &[f64; 4]) -> Evaluation<4> {
        let [r, alpha, a, b] = ln.map(libm::exp);
        let tables = Tables::new(alpha, b, self);
        let mut terms = chunked::<TERMS, _>(self.histories.len(), |rows| {
            let mut sum = [0.0; TERMS];
            for (history, weight) in &self.histories[rows] {
                let [age, recency] = [history.age, history.recency].map(|days| tables.elapsed[days as usize]);
                let chances = history.frequency + self.chances_before_repeat;
                let known = (age, recency, tables.ln_kept[chances as usize]);
                add_history(&mut sum, [r, ln[2], b], known, (history.frequency, chances), *weight as f64);
            }
            sum
        });
        self.add_frequencies(&mut terms, r, ln[1], a, b);
        let [value, gr, gl, ga, gb, rr, rl, ra, rb, ll, la, lb, aa, ab, bb] = terms;
        Evaluation {
            value,
            gradient: [gr, gl, ga, gb],
            hessian: [[rr, rl, ra, rb], [rl, ll, la, lb], [ra, la, aa, ab], [rb, lb, ab, bb]],
        }
    }

    /// `Γ(r+x)/Γ(r) · α^{−x} · B(a, b+x+c)/B(a, b)`, from differences between neighbouring frequencies.
    fn add_frequencies(&self, terms: &mut [f64; TERMS], r: f64, ln_alpha: f64, a: f64, b: f64) {
        let (mut at, mut survived, mut value) = (0, 0, 0.0);
        let [mut first_r, mut second_r, mut first_b, mut second_b, mut first_ab, mut second_ab] = [0.0; 6];
        for &(x, weight) in &self.frequencies {
            let chances = x + self.chances_before_repeat - survived;
            let reached = f64::from(survived);
            let rate = rise(r + f64::from(at), x - at);
            let (dropout, both) = (rise(b + reached, chances), rise(a + b + reached, chances));
            value += rate.ln_gamma + ln_beta_rise(a, b + reached, chances) - f64::from(x - at) * ln_alpha;
            first_r += rate.digamma;
            second_r += rate.trigamma;
            first_b += dropout.digamma;
            second_b += dropout.trigamma;
            first_ab += both.digamma;
            second_ab += both.trigamma;
            (at, survived) = (x, x + self.chances_before_repeat);
            terms[0] += weight * value;
            terms[1] += weight * r * first_r;
            terms[2] -= weight * f64::from(x);
            terms[3] -= weight * a * first_ab;
            terms[4] += weight * b * (first_b - first_ab);
            terms[5] += weight * (r * first_r + r * r * second_r);
            terms[12] -= weight * (a * first_ab + a * a * second_ab);
            terms[13] -= weight * a * b * second_ab;
            terms[14] += weight * (b * (first_b - first_ab) + b * b * (second_b - second_ab));
        }
    }
}

impl Tables {
    fn new(alpha: f64, b: f64, likelihood: &Likelihood<'_>) -> Self {
        let time = |day: u32| f64::from(day) / likelihood.days_per_unit;
        let most = likelihood.frequencies.last().map_or(0, |&(x, _)| x) + likelihood.chances_before_repeat;
        Self {
            elapsed: (0..=likelihood.longest).map(|day| Elapsed::new(time(day), alpha)).collect(),
            ln_kept: (0..=most).map(|chances| ln_kept(b, chances)).collect(),
        }
    }
}

impl Elapsed {
    fn new(t: f64, alpha: f64) -> Self {
        Self { ln_growth: libm::log1p(t / alpha), start_share: alpha / (alpha + t), passed_share: t / (alpha + t) }
    }
}

/// `ln(b+n−1)`.
fn ln_kept(b: f64, chances: u32) -> f64 {
    libm::log(b + f64::from(chances.max(1) - 1))
}

/// One history's `−(r+x) ln(1+T/α) + ln(1 + e^ζ)` and its derivatives, with
/// `ζ = ln a/(b+n−1) + (r+x) ln (α+T)/(α+t_x)` the log-odds of having dropped out at `t_x`, the last of `n = x + c`
/// chances.
///
/// The last term is absent for `n = 0`.
#[inline]
fn add_history(
    sum: &mut [f64; TERMS],
    [r, ln_a, b]: [f64; 3],
    (age, recency, ln_kept): (Elapsed, Elapsed, f64),
    (frequency, chances): (u32, u32),
    weight: f64,
) {
    let x = f64::from(frequency);
    let Elapsed { ln_growth: growth, start_share: start, passed_share: elapsed } = age;
    sum[0] -= weight * (r + x) * growth;
    sum[1] -= weight * r * growth;
    sum[2] += weight * (r + x) * elapsed;
    sum[5] -= weight * r * growth;
    sum[6] += weight * r * elapsed;
    sum[9] -= weight * (r + x) * start * elapsed;
    if chances == 0 {
        return;
    }
    let later = growth - recency.ln_growth;
    let log_odds = ln_a - ln_kept + (r + x) * later;
    let small = libm::exp(-log_odds.abs());
    let (likely, unlikely) = (1.0 / (1.0 + small), small / (1.0 + small));
    let (dead, alive) = if log_odds > 0.0 { (likely, unlikely) } else { (unlikely, likely) };
    sum[0] += weight * (log_odds.max(0.0) + libm::log1p(small));
    // First and second derivatives of ζ by ln r, ln α, ln a, ln b.
    let shares = recency.passed_share - elapsed;
    let before_last = f64::from(chances) - 1.0;
    let kept = b / (b + before_last);
    let slope = [r * later, (r + x) * shares, 1.0, -kept];
    let curved = start * elapsed - recency.start_share * recency.passed_share;
    let bend = [r * later, (r + x) * curved, 0.0, -kept * before_last / (b + before_last)];
    let first = weight * dead;
    let second = first * alive;
    let mut at = 5;
    for i in 0..4 {
        sum[1 + i] += first * slope[i];
        for j in i..4 {
            sum[at] += second * slope[i] * slope[j];
            at += 1;
        }
    }
    sum[5] += first * bend[0];
    sum[6] += first * r * shares;
    sum[9] += first * bend[1];
    sum[14] += first * bend[3];
}
