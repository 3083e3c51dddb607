//! Continuous survival: likelihoods of the exponential-gamma and Weibull-gamma models with analytic derivatives, and their
//! maxima.
//!
//! A customer who left at `t` has the density `f(t)`, one who is still there at `t` the probability `S(t)`, and one who is in
//! the records only because it stayed until `e` is given that: divided by `S(e)`. With `z = c ln t − ln α` and
//! `L(z) = ln(1+e^z)`, `ln S = −r L` and `ln f = ln r + ln c − ln t + z − (1+r) L`.
//!
//! Source: Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data (2002), 3.2 and 1.4 (censoring and
//! truncation); Morrison & Schmittlein (1980).

use super::contract_fit::{LARGEST_POWER, NEAR_POWER, SMALLEST_POWER};
use super::durations::{Duration, Durations};
use super::exponential_gamma::ExponentialGamma;
use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use super::weibull_gamma::{WeibullGamma, softplus};
use crate::numeric::newton::{Bounds, Evaluation, Maximum, WideMaximum, maximise};
use crate::numeric::sums::chunked;

/// Parameters are searched in this range; α in units of the time of a typical departure.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;
/// Room for `t^c` of the first departures and of those still there, in `ln α`.
const LN_POWERS: f64 = 300.0;
/// The ends of the parameter space of the exponential-gamma model, by `r, α`.
const RATES_OUT: [WayOut; 2] = [
    WayOut { limit: LimitModel::ExponentialLifetimes, towards: &[1, 1], idle: &[] },
    WayOut { limit: LimitModel::LeaveFromTheStartOrNever, towards: &[0, -1], idle: &[] },
];
/// The same of the Weibull-gamma model, by `r, α, c`.
const DURATIONS_OUT: [WayOut; 4] = [
    WayOut { limit: LimitModel::WeibullLifetimes, towards: &[1, 1], idle: &[] },
    WayOut { limit: LimitModel::LeaveFromTheStartOrNever, towards: &[0, 0, -1], idle: &[] },
    WayOut { limit: LimitModel::ParetoAfterMinimum, towards: &[-1, 0, 1], idle: &[] },
    WayOut { limit: LimitModel::DegenerateDuration, towards: &[0, 0, 1], idle: &[] },
];

/// Value, three first and six second derivatives (upper triangle, row by row) by `ln r, ln α, ln c`.
const TERMS: usize = 10;

const NOBODY_LOST: &str = "no customer was lost, so nothing is known of retention";
const WRONG_UNIT: &str = "the model time unit must be a positive number of days";

impl ExponentialGamma {
    /// Fit by maximum likelihood to the counts of durations.
    ///
    /// Damped Newton on `(ln r, ln α)` with the analytic Hessian. The likelihood is a density per model time unit, so
    /// another unit shifts its logarithm by the number of lost customers times `ln` of the ratio.
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`; `α` is in that unit.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` where nobody was lost, `Boundary` where the likelihood rises towards
    /// one rate for all customers (exponential lifetimes) or towards leaving at the start or
    /// never.
    #[must_use]
    pub fn fit(durations: &Durations, days_per_unit: f64) -> Fit<Self> {
        let names = ["r", "alpha"];
        let base = match Base::new(durations, days_per_unit) {
            Ok(base) => base,
            Err(why) => return Fit::failed("exponential-gamma", &names, durations.customers(), why),
        };
        let (scaled, bounds) = base.fit_exponential();
        let gone = |point: &[f64; 2]| limits_of_rates(point, &bounds);
        let ends = Ends { ways: &RATES_OUT, again: &[] };
        let evaluate = |ln: &[f64; 2]| base.scaled.exponential(ln);
        settle_narrow(&(&scaled).into(), gone, &bounds, ends, evaluate, |point, scaled, limits| {
            let maximum = base.in_units(scaled, point, 1.0, |ln| base.times.exponential(ln));
            let [r, alpha] = [0, 1].map(|i| libm::exp(maximum.point[i]));
            let (model, slope) = (Self { r, alpha }, [r, alpha]);
            Fit::at_judged_maximum("exponential-gamma", &names, base.customers, &maximum, &slope, model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn log_likelihood(&self, durations: &Durations, days_per_unit: f64) -> f64 {
        Self::evaluation(durations, days_per_unit, &[self.r, self.alpha].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α`, at those logarithms.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn evaluation(durations: &Durations, days_per_unit: f64, ln: &[f64; 2]) -> Evaluation<2> {
        Times::new(durations, libm::log(days_per_unit)).exponential(ln)
    }
}

impl WeibullGamma {
    /// Fit by maximum likelihood to the counts of durations.
    ///
    /// Damped Newton on `(ln r, ln α, ln c)` with the analytic Hessian, from the exponential-gamma fit, in a time unit in
    /// which departures come at about 1.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`; `α` is in that unit to the power `c`.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` where nobody was lost, `Boundary` where the likelihood rises towards
    /// one Weibull distribution for all customers, or at the ends of `c`.
    #[must_use]
    pub fn fit(durations: &Durations, days_per_unit: f64) -> Fit<Self> {
        let names = ["r", "alpha", "c"];
        let base = match Base::new(durations, days_per_unit) {
            Ok(base) => base,
            Err(why) => return Fit::failed("Weibull-gamma", &names, durations.customers(), why),
        };
        let (exponential, shapes) = base.fit_exponential();
        let bounds = Bounds {
            lower: [shapes.lower[0], shapes.lower[1] - LN_POWERS, libm::log(SMALLEST_POWER)],
            upper: [shapes.upper[0], shapes.upper[1] + LN_POWERS, libm::log(LARGEST_POWER)],
        };
        // Where the exponential-gamma fit has gone to a limit, the derivatives are too level there to come back.
        let most = 3.0;
        let excess = (exponential.point[0] - most).max(0.0);
        let start = [exponential.point[0] - excess, exponential.point[1] - excess, 0.0];
        let scaled = maximise(start, &bounds, |ln| base.scaled.weibull(ln));
        let gone = |point: &[f64; 3]| limits_of_durations(point, &bounds);
        let ends = Ends { ways: &DURATIONS_OUT, again: &[] };
        let evaluate = |ln: &[f64; 3]| base.scaled.weibull(ln);
        settle_narrow(&(&scaled).into(), gone, &bounds, ends, evaluate, |point, scaled, limits| {
            let c = libm::exp(point[2]);
            let maximum = base.in_units(scaled, point, c, |ln| base.times.weibull(ln));
            let [r, alpha] = [0, 1].map(|i| libm::exp(maximum.point[i]));
            let (model, slope) = (Self { r, alpha, c }, [r, alpha, c]);
            Fit::at_judged_maximum("Weibull-gamma", &names, base.customers, &maximum, &slope, model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn log_likelihood(&self, durations: &Durations, days_per_unit: f64) -> f64 {
        Self::evaluation(durations, days_per_unit, &[self.r, self.alpha, self.c].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, c`, at those logarithms.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn evaluation(durations: &Durations, days_per_unit: f64, ln: &[f64; 3]) -> Evaluation<3> {
        Times::new(durations, libm::log(days_per_unit)).weibull(ln)
    }
}

/// A base that has lost somebody, in model time units and in units of a typical departure.
struct Base {
    customers: u64,
    times: Times,
    scaled: Times,
    /// Logarithm of the geometric mean of the departures, model time units.
    ln_scale: f64,
    /// Time seen per customer lost, in units of that mean.
    per_loss: f64,
}

impl Base {
    fn new(durations: &Durations, days_per_unit: f64) -> Result<Self, &'static str> {
        let has_unit = days_per_unit.is_finite() && days_per_unit > 0.0;
        if !has_unit {
            return Err(WRONG_UNIT);
        }
        let lost = durations.lost();
        if lost == 0 {
            return Err(NOBODY_LOST);
        }
        let ln_unit = libm::log(days_per_unit);
        let departures = durations.iter().filter(|(duration, _)| duration.lost);
        let ln_sum: f64 = departures.map(|(d, weight)| weight as f64 * libm::log(f64::from(d.exit))).sum();
        let ln_scale = ln_sum / lost as f64 - ln_unit;
        let per_loss = durations.exposure() as f64 / lost as f64 / libm::exp(ln_scale + ln_unit);
        let times = Times::new(durations, ln_unit);
        let scaled = Times::new(durations, ln_unit + ln_scale);
        Ok(Self { customers: durations.customers(), times, scaled, ln_scale, per_loss })
    }

    /// The exponential-gamma maximum in scaled time, and the box it was sought in.
    fn fit_exponential(&self) -> (Maximum<2>, Bounds<2>) {
        let (low, high, shift) = (libm::log(SMALLEST), libm::log(LARGEST), libm::log(self.per_loss));
        let bounds = Bounds { lower: [low, low + shift], upper: [high, high + shift] };
        (maximise([0.0, shift], &bounds, |ln| self.scaled.exponential(ln)), bounds)
    }

    /// A maximum in scaled time as one in model time units: `ln α` grows by `c` times the logarithm of the scale.
    fn in_units<const N: usize>(
        &self,
        scaled: &WideMaximum,
        mut point: [f64; N],
        c: f64,
        evaluate: impl Fn(&[f64; N]) -> Evaluation<N>,
    ) -> WideMaximum {
        point[1] += c * self.ln_scale;
        WideMaximum { point: point.to_vec(), evaluation: evaluate(&point).into(), ..scaled.clone() }
    }
}

/// The limit that `r` and `α` of the exponential-gamma model have gone to.
fn limits_of_rates(point: &[f64; 2], bounds: &Bounds<2>) -> Vec<LimitModel> {
    let near = libm::log(NEAR);
    if (0..2).any(|i| point[i] > bounds.upper[i] - near) {
        vec![LimitModel::ExponentialLifetimes]
    } else if (0..2).any(|i| point[i] < bounds.lower[i] + near) {
        vec![LimitModel::LeaveFromTheStartOrNever]
    } else {
        vec![]
    }
}

/// The limits that `r, α, c` of the Weibull-gamma model have gone to.
fn limits_of_durations(point: &[f64; 3], bounds: &Bounds<3>) -> Vec<LimitModel> {
    let (near, near_power) = (libm::log(NEAR), libm::log(NEAR_POWER));
    let [ln_r, ln_alpha, ln_c] = *point;
    let equal = ln_r > bounds.upper[0] - near;
    let steep = ln_c > bounds.upper[2] - near_power;
    let mut limits = Vec::new();
    if equal {
        limits.push(LimitModel::WeibullLifetimes);
    }
    if !equal && (ln_alpha < bounds.lower[1] + near || (steep && ln_r < 0.0)) {
        limits.push(LimitModel::ParetoAfterMinimum);
    } else if steep {
        limits.push(LimitModel::DegenerateDuration);
    } else if ln_c < bounds.lower[2] + near_power {
        limits.push(LimitModel::LeaveFromTheStartOrNever);
    }
    limits
}

/// Logarithms of distinct durations, with their number of customers.
struct Times {
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Row {
    ln_exit: f64,
    /// `None` where the records hold the start.
    ln_entry: Option<f64>,
    lost: bool,
    weight: f64,
}

impl Times {
    /// * `ln_unit`: logarithm of the days in a time unit.
    fn new(durations: &Durations, ln_unit: f64) -> Self {
        let ln = |days: u32| libm::log(f64::from(days)) - ln_unit;
        let row = |(Duration { exit, entry, lost }, weight): (Duration, u64)| Row {
            ln_exit: ln(exit),
            ln_entry: (entry > 0).then(|| ln(entry)),
            lost,
            weight: weight as f64,
        };
        Self { rows: durations.iter().map(row).collect() }
    }

    fn exponential(&self, ln: &[f64; 2]) -> Evaluation<2> {
        let [value, r, alpha, _, rr, ra, _, aa, _, _] = self.sum(ln[0], ln[1], 0.0);
        Evaluation { value, gradient: [r, alpha], hessian: [[rr, ra], [ra, aa]] }
    }

    fn weibull(&self, ln: &[f64; 3]) -> Evaluation<3> {
        let [value, r, alpha, c, rr, ra, rc, aa, ac, cc] = self.sum(ln[0], ln[1], ln[2]);
        Evaluation { value, gradient: [r, alpha, c], hessian: [[rr, ra, rc], [ra, aa, ac], [rc, ac, cc]] }
    }

    fn sum(&self, ln_r: f64, ln_alpha: f64, ln_c: f64) -> [f64; TERMS] {
        let (r, c) = (libm::exp(ln_r), libm::exp(ln_c));
        chunked::<TERMS, _>(self.rows.len(), |rows| {
            let mut sum = [0.0; TERMS];
            for row in &self.rows[rows] {
                let mut terms = [0.0; TERMS];
                let at_exit = Level::new(c * row.ln_exit, ln_alpha);
                if row.lost {
                    terms[0] = ln_r + ln_c - row.ln_exit + at_exit.z;
                    (terms[1], terms[2], terms[3], terms[9]) = (1.0, -1.0, 1.0 + at_exit.w, at_exit.w);
                    at_exit.subtract(1.0, 0.0, &mut terms);
                }
                at_exit.subtract(r, r, &mut terms);
                if let Some(ln_entry) = row.ln_entry {
                    Level::new(c * ln_entry, ln_alpha).subtract(-r, -r, &mut terms);
                }
                sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += row.weight * term);
            }
            sum
        })
    }
}

/// `L(z) = ln(1+e^z)` at one time: `z = w − ln α` with `w = c ln t`, so that `∂z/∂ln α = −1` and `∂z/∂ln c = w`.
struct Level {
    z: f64,
    w: f64,
    value: f64,
    slope: f64,
    bend: f64,
}

impl Level {
    fn new(w: f64, ln_alpha: f64) -> Self {
        let z = w - ln_alpha;
        let (value, slope) = softplus(z);
        let small = libm::exp(-z.abs());
        Self { z, w, value, slope, bend: small / ((1.0 + small) * (1.0 + small)) }
    }

    /// Subtract `factor · L` and its derivatives, where `factor` has the derivative `by_r` (itself or 0) by `ln r`.
    fn subtract(&self, factor: f64, by_r: f64, terms: &mut [f64; TERMS]) {
        let Self { w, value, slope, bend, .. } = *self;
        terms[0] -= factor * value;
        terms[1] -= by_r * value;
        terms[2] += factor * slope;
        terms[3] -= factor * slope * w;
        terms[4] -= by_r * value;
        terms[5] += by_r * slope;
        terms[6] -= by_r * slope * w;
        terms[7] -= factor * bend;
        terms[8] += factor * bend * w;
        terms[9] -= factor * (bend * w * w + slope * w);
    }
}
