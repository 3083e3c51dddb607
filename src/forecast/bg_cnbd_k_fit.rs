//! (M)BG/CNBD-k: likelihood with analytic derivatives, its maximum, and the choice of `k`.
//!
//! With `n = r+kx`, `e` occasions of dropout, and `q_j` as in [`BgCnbdK`], the likelihood of one history is
//!
//! `Γ(r+kx)/Γ(r) · α^{−kx} (1+t_x/α)^{−n} · B(a, b+e)/B(a, b) · [Σ_{j<k} q_j + a/(b+e−1)] · (Π gap)^{k−1} / (k−1)!^x`;
//!
//! the second term in brackets is absent for `e = 0`. The gaps enter through the sum of their logarithms alone, and only
//! into the choice of `k`.

use super::bg_cnbd_k::{BgCnbdK, FirstDropout, MOST_PHASES};
use super::bg_nbd_fit::{AGAIN, BG_NBD, always_alive, dropout_unknown};
use super::fit::{Fit, LimitModel};
use super::jet::{Jet, Spread, TERMS, evaluation};
use super::limits::{Ends, settle_narrow};
use super::summary::{History, Summary};
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::numeric::special::{ln_beta_rise, ln_gamma, rise};
use crate::numeric::sums::{Compensated, chunked};

const NAMES: [&str; 4] = ["r", "alpha", "a", "b"];
/// Phases between two purchases that are tried in any case.
const PHASES: u32 = 12;
/// More are tried until this many have been less likely than the likeliest.
const PAST_THE_LIKELIEST: u32 = 3;
/// Parameters are searched in this range; α in units of the mean age.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;

/// The likelihood of a summary but for the gaps.
struct Likelihood<'a> {
    histories: &'a [(History, u64)],
    days_per_unit: f64,
    k: u32,
    dropout: FirstDropout,
}

impl BgCnbdK {
    /// Fit by maximum likelihood for every `k` from 1 to 12, for more as long as the likelihood rises, up to [`MOST_PHASES`], and keep the
    /// likeliest.
    ///
    /// * `ln_gaps`: one per customer in any order, `Σ ln` of the days between successive purchases, 0 without a repeat
    ///   purchase.
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`; `α` is in that unit.
    ///
    /// The returned [`Fit`] says how the likeliest ended, and in its notes how far the others stay behind, which failed, and
    /// that it is the last tried. `Failed` without any repeat purchase or with gaps that are not one finite number a customer.
    #[must_use]
    pub fn fit(summary: &Summary, ln_gaps: &[f64], days_per_unit: f64, dropout: FirstDropout) -> Fit<Self> {
        let value = |fit: &Fit<Self>| fit.log_likelihood.unwrap_or(f64::NEG_INFINITY);
        let (mut fits, mut best) = (Vec::new(), 0);
        for k in 1..=MOST_PHASES {
            if k > PHASES.max(best as u32 + 1 + PAST_THE_LIKELIEST) {
                break;
            }
            fits.push(Self::fit_with(summary, ln_gaps, days_per_unit, dropout, k));
            if value(&fits[fits.len() - 1]) > value(&fits[best]) {
                best = fits.len() - 1;
            }
        }
        let mut chosen = fits[best].clone();
        if chosen.fitted().is_err() {
            return chosen;
        }
        let tried = |wanted: bool| (1..).zip(&fits).filter(move |(_, fit)| fit.fitted().is_ok() == wanted);
        let behind = tried(true).map(|(k, fit): (u32, _)| format!("{k}: {:.2}", value(fit) - value(&chosen)));
        let behind = behind.collect::<Vec<_>>().join(", ");
        chosen.notes.push(format!("log-likelihood by k, less that of k = {}: {behind}", best + 1));
        let failed: Vec<String> = tried(false).map(|(k, _)| k.to_string()).collect();
        if !failed.is_empty() {
            chosen
                .notes
                .push(format!("the fit failed for k = {}, which was left out of the choice", failed.join(", ")));
        }
        if best as u32 + 1 == MOST_PHASES {
            chosen
                .notes
                .push(format!("k = {MOST_PHASES} is the last that is tried: purchases may come more regularly yet"));
        }
        let (customers, once) = (summary.customers(), summary.customers() - summary.repeaters());
        if dropout == FirstDropout::AfterRepeat && once > 0 {
            chosen.notes.push(always_alive((chosen.model(), "mbg_cnbd_k"), once, customers));
        }
        if dropout == FirstDropout::AfterRepeat {
            chosen.notes.extend(dropout_unknown(summary));
        }
        chosen
    }

    /// Fit by maximum likelihood for one `k`.
    ///
    /// Arguments and result as [`BgCnbdK::fit`].
    #[must_use]
    pub fn fit_with(
        summary: &Summary,
        ln_gaps: &[f64],
        days_per_unit: f64,
        dropout: FirstDropout,
        k: u32,
    ) -> Fit<Self> {
        let customers = summary.customers();
        let model = match dropout {
            FirstDropout::AfterRepeat => format!("BG/CNBD-{k}"),
            FirstDropout::AfterFirst => format!("MBG/CNBD-{k}"),
        };
        if let Some(why) = unusable(summary, ln_gaps, days_per_unit, k) {
            return Fit::failed(&model, &NAMES, customers, why);
        }
        let histories: Vec<(History, u64)> = summary.iter().collect();
        let likelihood = Likelihood { histories: &histories, days_per_unit, k, dropout };
        let days: u128 = histories.iter().map(|(h, weight)| u128::from(h.age) * u128::from(*weight)).sum();
        let age = (days as f64 / customers as f64).max(1.0) / days_per_unit;
        let rate = f64::from(k) * summary.purchases() as f64 / customers as f64 / age;
        let start = [0.5, 0.5 / rate, 0.8, 2.4].map(libm::log);
        let (low, high, shift) = (libm::log(SMALLEST), libm::log(LARGEST), libm::log(age));
        let bounds = Bounds { lower: [low, low + shift, low, low], upper: [high, high + shift, high, high] };
        let maximum = maximise(start, &bounds, |ln| likelihood.evaluate(ln));
        let gone = |point: &[f64; 4]| limit_models(point, &bounds);
        let evaluate = |ln: &[f64; 4]| likelihood.evaluate(ln);
        let ways = BG_NBD.ways_out();
        let ends = Ends { ways: &ways, again: &AGAIN };
        let mut fit = settle_narrow(&(&maximum).into(), gone, &bounds, ends, evaluate, |point, maximum, limits| {
            let parameters = point.map(libm::exp);
            let [r, alpha, a, b] = parameters;
            let built = Self { k, dropout, r, alpha, a, b };
            Fit::at_judged_maximum(&model, &NAMES, customers, maximum, &parameters, built, limits)
        });
        fit.log_likelihood = fit.log_likelihood.map(|value| value + gap_term(summary, ln_gaps, days_per_unit, k));
        fit
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, a, b`, at those logarithms.
    ///
    /// Arguments as [`BgCnbdK::fit_with`].
    #[must_use]
    pub fn evaluation(
        summary: &Summary,
        ln_gaps: &[f64],
        days_per_unit: f64,
        dropout: FirstDropout,
        k: u32,
        ln: &[f64; 4],
    ) -> Evaluation<4> {
        let histories: Vec<(History, u64)> = summary.iter().collect();
        let mut found = Likelihood { histories: &histories, days_per_unit, k, dropout }.evaluate(ln);
        found.value += gap_term(summary, ln_gaps, days_per_unit, k);
        found
    }
}

/// Why there is nothing to fit.
fn unusable(summary: &Summary, ln_gaps: &[f64], days_per_unit: f64, k: u32) -> Option<&'static str> {
    if !(days_per_unit.is_finite() && days_per_unit > 0.0) {
        Some("the model time unit must be a positive number of days")
    } else if k == 0 {
        Some("there must be at least one phase between two purchases")
    } else if ln_gaps.len() as u64 != summary.customers() || !ln_gaps.iter().all(|gap| gap.is_finite()) {
        Some("there must be one finite sum of logarithms of gaps for every customer")
    } else if summary.repeaters() == 0 {
        Some("no customer bought a second time, so nothing is known of purchase rates or dropout")
    } else {
        None
    }
}

/// `(k−1) Σ ln gap − Σx ln (k−1)!`, gaps in model time units.
fn gap_term(summary: &Summary, ln_gaps: &[f64], days_per_unit: f64, k: u32) -> f64 {
    let mut sum = Compensated::default();
    for &gap in ln_gaps {
        sum.add(gap);
    }
    let purchases = summary.purchases() as f64;
    let more = f64::from(k - 1);
    more * (sum.value() - purchases * libm::log(days_per_unit)) - purchases * ln_gamma(f64::from(k))
}

/// The simpler models that the parameters have gone to, as for BG/NBD.
fn limit_models(point: &[f64; 4], bounds: &Bounds<4>) -> Vec<LimitModel> {
    let near = libm::log(NEAR);
    let low: [bool; 4] = std::array::from_fn(|i| point[i] < bounds.lower[i] + near);
    let high: [bool; 4] = std::array::from_fn(|i| point[i] > bounds.upper[i] - near);
    let mut limits = Vec::new();
    if high[0] || high[1] {
        limits.push(LimitModel::EqualRates);
    } else if low[0] || low[1] {
        limits.push(LimitModel::DegenerateRates);
    }
    match (low[2], high[2], low[3], high[3]) {
        (true, _, true, _) => limits.push(LimitModel::DropoutAtOnceOrNever),
        (true, ..) | (_, false, _, true) => limits.push(LimitModel::NoDropout),
        (_, true, _, true) => limits.push(LimitModel::EqualDropout),
        (_, true, ..) | (_, _, true, _) => limits.push(LimitModel::DropoutAtOnce),
        _ => {}
    }
    limits
}

impl Likelihood<'_> {
    fn evaluate(&self, ln: &[f64; 4]) -> Evaluation<4> {
        let [r, alpha, a, b] = ln.map(libm::exp);
        let model = BgCnbdK { k: self.k, dropout: self.dropout, r, alpha, a, b };
        let mut terms = chunked::<TERMS, _>(self.histories.len(), |rows| {
            let mut sum = Jet::constant(0.0);
            for (history, weight) in &self.histories[rows] {
                self.add_history(&mut sum, &model, *history, *weight as f64);
            }
            sum.flat()
        });
        for run in self.histories.chunk_by(|l, r| l.0.frequency == r.0.frequency) {
            let weight: u64 = run.iter().map(|(_, weight)| weight).sum();
            self.add_frequency(&mut terms, &model, run[0].0.frequency, weight as f64);
        }
        evaluation(terms)
    }

    /// `Γ(r+kx)/Γ(r) · α^{−kx} · B(a, b+e)/B(a, b)`.
    fn add_frequency(&self, terms: &mut [f64; TERMS], model: &BgCnbdK, x: u32, weight: f64) {
        let BgCnbdK { r, alpha, a, b, .. } = *model;
        let (phases, occasions) = (self.k * x, self.dropout.occasions(x));
        let (rate, kept, both) = (rise(r, phases), rise(b, occasions), rise(a + b, occasions));
        let b_first = kept.digamma - both.digamma;
        terms[0] += weight * (rate.ln_gamma - f64::from(phases) * libm::log(alpha) + ln_beta_rise(a, b, occasions));
        terms[1] += weight * r * rate.digamma;
        terms[2] -= weight * f64::from(phases);
        terms[3] -= weight * a * both.digamma;
        terms[4] += weight * b * b_first;
        terms[5] += weight * (r * rate.digamma + r * r * rate.trigamma);
        terms[12] -= weight * (a * both.digamma + a * a * both.trigamma);
        terms[13] -= weight * a * b * both.trigamma;
        terms[14] += weight * (b * b_first + b * b * (kept.trigamma - both.trigamma));
    }

    /// `−n ln(1+t_x/α) + ln(Σ q_j + a/(b+e−1))` of one history.
    fn add_history(&self, sum: &mut Jet, model: &BgCnbdK, history: History, weight: f64) {
        let time = |days: u32| f64::from(days) / self.days_per_unit;
        let (recency, age) = (time(history.recency), time(history.age));
        let n = model.r + f64::from(self.k) * f64::from(history.frequency);
        sum.add(weight, &ln_fall(model, n, 0.0, recency));
        let fall = ln_fall(model, n, recency, age - recency);
        let z = (age - recency) / (model.alpha + age);
        let occasions = self.dropout.occasions(history.frequency);
        let inside = if occasions == 0 {
            sum.add(weight, &fall);
            self.phases(model, n, z, age, &Jet::constant(0.0))
        } else {
            let mut inside = self.phases(model, n, z, age, &fall);
            let left = model.b + f64::from(occasions) - 1.0;
            let kept = model.b / left;
            let mut ln_odds = Jet::constant(0.0);
            ln_odds.first = [0.0, 0.0, 1.0, -kept];
            ln_odds.second[9] = -kept * (1.0 - kept);
            inside.add_exponential(model.a / left, &ln_odds);
            inside
        };
        sum.add(weight, &inside.ln());
    }

    /// `e^f Σ_{j<k} (n)_j/j! z^j`.
    ///
    /// * `ln_first`: `f`, which a sum of its own might overflow without.
    fn phases(&self, model: &BgCnbdK, n: f64, z: f64, age: f64, ln_first: &Jet) -> Jet {
        let share = model.alpha / (model.alpha + age);
        let mut sum = Jet::constant(0.0);
        let (mut term, mut ln_term) = (libm::exp(ln_first.value), *ln_first);
        for j in 0..self.k {
            sum.add_exponential(term, &ln_term);
            // times (n+j) z/(j+1)
            let slope = model.r / (n + f64::from(j));
            term *= (n + f64::from(j)) * z / f64::from(j + 1);
            ln_term.first[0] += slope;
            ln_term.first[1] -= share;
            ln_term.second[0] += slope * (1.0 - slope);
            ln_term.second[4] -= share * (1.0 - share);
        }
        sum
    }
}

/// `−n ln((α+t+v)/(α+t))`.
fn ln_fall(model: &BgCnbdK, n: f64, t: f64, v: f64) -> Jet {
    let spread = Spread::new(model.alpha, t, v);
    let mut fall = Jet::constant(-n * spread.ln_growth);
    fall.first = [-model.r * spread.ln_growth, n * spread.slope, 0.0, 0.0];
    (fall.second[0], fall.second[1], fall.second[4]) = (fall.first[0], model.r * spread.slope, n * spread.curve);
    fall
}
