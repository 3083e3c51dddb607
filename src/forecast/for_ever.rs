//! Discounted purchases for ever (DERT) where a customer leaves after a purchase.
//!
//! Of a customer with phase rate `λ` and dropout probability `p` who is alive, the `i`-th purchase from now on is made with
//! probability `(1−p)^{i−1}` and comes after `ki − j` phases, `j` having passed: discounted at the rate `δ` it is worth
//! `z^{ki−j}` with `z = λ/(λ+δ)`. Summed over `i`, with `p ~ Beta(a, b)`,
//!
//! `D(λ) = z^{k−j} ₂F₁(1, b; a+b; z^k)`,
//!
//! and the expectation over `λ ~ Gamma(shape+j, scale)` is one integral. `k = 1`, `j = 0` are BG/NBD and MBG/NBD.
//!
//! Where things count at the end of their period `for_ever_per_period` has other values at the same
//! rates.
//!
//! Source: the probability generating function of the beta-geometric distribution, `₂F₁(1, b; a+b+1; z) a/(a+b)`, and the
//! Laplace transform of a sum of exponentials; for Pareto/NBD see Fader, Hardie & Lee, RFM and CLV (2005).

use super::for_ever_per_period::{AtEnds, at_any_time};
use super::histories::Histories;
use super::pareto_nbd::ParetoNbd;
use super::population::Population;
use super::purchase_model::{Dropout, PurchaseModel, WhileAlive};
use crate::numeric::discounting::{Periods, Timing};
use crate::numeric::hypergeometric::{HypergeometricError, gauss};
use crate::numeric::special::ln_gamma;
use rayon::prelude::*;
use std::collections::VecDeque;

/// Steps of the trapezoidal rule in `ln λ`, for shapes up to 4 and, in standard deviations, above. The integrand is
/// analytic up to `π/2` off the real line, so the error is of order `e^{−π²/step}`, and `e^{−2π²/step²}` of a normal peak.
pub(super) const STEP: f64 = 0.25;
pub(super) const STEP_IN_DEVIATIONS: f64 = 0.5;
/// A term below this share of the sum ends it on its side.
pub(super) const FORGOTTEN: f64 = 1e-18;

impl PurchaseModel {
    /// Discounted purchases expected for ever given the customer's history (DERT): P(alive) times
    /// [`PurchaseModel::residual_for_ever`].
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    /// * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// # Errors
    /// [`HypergeometricError`] where the discount is so small that the sum of purchases does not converge.
    ///
    /// Source: Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42 (2005), 415–430.
    pub fn discounted_purchases_for_ever(
        &self,
        x: f64,
        t_x: f64,
        age: f64,
        delta: f64,
    ) -> Result<f64, HypergeometricError> {
        let p_alive = self.p_alive(x, t_x, age);
        if p_alive == 0.0 { Ok(0.0) } else { Ok(p_alive * self.residual_for_ever(x, t_x, age, delta)?) }
    }

    /// Discounted purchases expected for ever of a customer who is alive at `T`.
    ///
    /// The integral of the module's `D(λ)` by the trapezoidal rule in `ln λ`; for Pareto/NBD
    /// [`ParetoNbd::residual`]. Relative error below 1e-10. Without discounting it is `(a+b−1)/(a−1)`, infinite for
    /// `a <= 1`, and `(r+x)/(α+T) · (β+T)/(s−1)` for Pareto/NBD, infinite for `s <= 1`.
    ///
    /// # Errors
    /// As [`PurchaseModel::discounted_purchases_for_ever`].
    pub fn residual_for_ever(&self, x: f64, t_x: f64, age: f64, delta: f64) -> Result<f64, HypergeometricError> {
        Ahead::new(self, x, Timing { delta, period: None }).residual(x, t_x, age, delta)
    }

    /// The same where what happens in a period from `T` on counts at the period's end.
    ///
    /// By `for_ever_per_period`, relative error below 1e-9.
    ///
    /// * `periods`: with a rate above 0; without one [`PurchaseModel::residual_for_ever`] is what is meant.
    ///
    /// # Errors
    /// As [`PurchaseModel::discounted_purchases_for_ever`].
    pub fn residual_for_ever_per_period(
        &self,
        x: f64,
        t_x: f64,
        age: f64,
        periods: Periods,
    ) -> Result<f64, HypergeometricError> {
        Ahead::new(self, x, Timing { delta: periods.delta, period: Some(periods.length) }).residual(
            x,
            t_x,
            age,
            periods.delta,
        )
    }
}

/// All purchases to come of a customer whose phase rate is known, at rates on a grid in `ln λ` that customers of one frequency
/// share: what is known of each weighs the same values differently.
struct Future {
    k: u32,
    a: f64,
    b: f64,
    delta: f64,
    step: f64,
    /// Where things count at the end of their period.
    ends: Option<AtEnds>,
    /// What is to come at `ln λ = step · n`, for `n` from `from` on.
    from: i64,
    known: VecDeque<Given>,
}

/// What is to come at a rate.
#[derive(Debug, Clone)]
enum Given {
    /// `ln z`, and the sum beyond the first purchase.
    WhenItHappens(f64, f64),
    /// All of it, by the phases behind the customer.
    AtEnds(Vec<f64>),
}

impl Future {
    /// * `shape`: largest shape of what is known of the rate.
    fn new(k: u32, (a, b): (f64, f64), timing: Timing, shape: f64) -> Self {
        let step = STEP.min(STEP_IN_DEVIATIONS / libm::sqrt(shape));
        let ends = timing.periods().filter(|_| timing.delta > 0.0).map(|periods| AtEnds::new(k, (a, b), periods));
        Self { k, a, b, delta: timing.delta, step, ends, from: 0, known: VecDeque::new() }
    }

    /// `ln z` and `₂F₁(1, b; a+b; z^k)` where things count when they happen, by Pfaff's transformation, whose argument keeps its digits where `z^k` is near 1.
    fn given(&self, n: i64) -> Result<Given, HypergeometricError> {
        let Self { k, a, b, delta, .. } = *self;
        if let Some(ends) = &self.ends {
            return Ok(Given::AtEnds(ends.of_rate(libm::exp(self.step * n as f64))));
        }
        let ln_z = -libm::log1p(delta * libm::exp(-self.step * n as f64));
        let missing = -libm::expm1(f64::from(k) * ln_z);
        let kept = libm::exp(f64::from(k) * ln_z);
        // Where z vanishes, only the first purchase counts.
        let beyond = if kept == 0.0 { 1.0 } else { gauss(1.0, a, a + b, -kept / missing)? / missing };
        Ok(Given::WhenItHappens(ln_z, beyond))
    }

    /// The same, remembered.
    fn at(&mut self, n: i64) -> Result<&Given, HypergeometricError> {
        if self.known.is_empty() {
            self.from = n;
        }
        while n < self.from {
            let value = self.given(self.from - 1)?;
            self.known.push_front(value);
            self.from -= 1;
        }
        while n - self.from >= self.known.len() as i64 {
            let value = self.given(self.from + self.known.len() as i64)?;
            self.known.push_back(value);
        }
        Ok(&self.known[(n - self.from) as usize])
    }

    /// The expectation of `z^{first} ₂F₁(1, b; a+b; z^k)` over rates `Gamma(shape, scale)`.
    ///
    /// * `first`: phases to the first purchase.
    fn expected(&mut self, shape: f64, scale: f64, first: u32) -> Result<f64, HypergeometricError> {
        let ln_mean = libm::log(shape / scale);
        let ln_front = shape * libm::log(shape) - ln_gamma(shape);
        let (step, behind) = (self.step, (self.k - first) as usize);
        let middle = libm::round(ln_mean / step) as i64;
        let mut height = |n: i64| -> Result<f64, HypergeometricError> {
            let u = step * n as f64 - ln_mean;
            let ln_weight = ln_front + shape * (u - libm::exp(u));
            Ok(match self.at(n)? {
                Given::WhenItHappens(ln_z, beyond) => libm::exp(ln_weight + f64::from(first) * ln_z) * beyond,
                Given::AtEnds(of) => libm::exp(ln_weight) * of[behind],
            })
        };
        let mut sum = height(middle)?;
        for direction in [1, -1] {
            for n in 1_i64.. {
                let term = height(middle + direction * n)?;
                sum += term;
                if term <= FORGOTTEN * sum {
                    break;
                }
            }
        }
        Ok(self.step * sum)
    }
}

/// Customers of one model and frequency whose discounted purchases for ever are asked for.
enum Ahead {
    /// Customers who may leave at any time, and the period at whose end things count.
    AnyTime(ParetoNbd, Option<f64>),
    /// Customers who leave after a purchase: the futures that they share; without discounting they need none.
    AfterPurchase { model: PurchaseModel, alpha: f64, shape: f64, future: Future },
}

impl Ahead {
    fn new(model: &PurchaseModel, x: f64, timing: Timing) -> Self {
        let WhileAlive { r, alpha, phases, dropout } = model.while_alive();
        match (model, dropout) {
            (PurchaseModel::ParetoNbd(model), _) => Self::AnyTime(*model, timing.period),
            (_, Dropout::AnyTime { s, beta }) => Self::AnyTime(ParetoNbd { r, alpha, s, beta }, timing.period),
            (_, Dropout::AfterPurchase { a, b }) => {
                let shape = r + f64::from(phases) * x;
                let most = shape + f64::from(phases - 1);
                let future = Future::new(phases, (a, b + x), timing, most);
                Self::AfterPurchase { model: *model, alpha, shape, future }
            }
        }
    }

    /// The same future of a model whose rates have another scale.
    fn of(&mut self, other: &PurchaseModel) -> &mut Self {
        match (&mut *self, other) {
            (Self::AfterPurchase { model, alpha, .. }, _) => (*model, *alpha) = (*other, other.while_alive().alpha),
            (Self::AnyTime(model, _), PurchaseModel::ParetoNbd(other)) => *model = *other,
            // Customers of one future have models of one kind.
            (Self::AnyTime(..), _) => {}
        }
        self
    }

    /// Of a customer who is alive at `T`.
    fn residual(&mut self, x: f64, t_x: f64, age: f64, delta: f64) -> Result<f64, HypergeometricError> {
        let (model, alpha, shape, future) = match self {
            Self::AnyTime(model, Some(length)) if delta > 0.0 => {
                let ParetoNbd { r, alpha, s, beta } = *model;
                let periods = Periods { length: *length, delta };
                return Ok(at_any_time((r + x) / (alpha + age), s, beta + age, periods));
            }
            Self::AnyTime(model, _) => return Ok(model.residual(x, age, f64::INFINITY, delta).discounted_purchases),
            Self::AfterPurchase { model, alpha, shape, future } => (model, *alpha, *shape, future),
        };
        if delta == 0.0 {
            let Future { a, b, .. } = *future;
            return Ok(if a > 1.0 { (a + b - 1.0) / (a - 1.0) } else { f64::INFINITY });
        }
        let passed = match model {
            PurchaseModel::BgCnbdK(model) => model.phases_passed(x as u32, t_x, age),
            _ => vec![1.0],
        };
        let total: f64 = passed.iter().sum();
        let mut sum = 0.0;
        for (j, weight) in (0..).zip(&passed) {
            sum += weight / total * future.expected(shape + f64::from(j), alpha + age, future.k - j)?;
        }
        Ok(sum)
    }
}

/// Most futures that are told apart in one sum over customers: each takes some milliseconds.
pub const MOST_FUTURES: usize = 10_000;

/// What customers share who have one future: everything but the rate's scale.
type Shared = (Option<[u64; 3]>, u32);

impl Population {
    /// Discounted purchases expected for ever of every history, in their order:
    /// [`PurchaseModel::discounted_purchases_for_ever`]; `None` of one where the sum does not converge, and of all where
    /// parameters of dropout and frequency tell more than [`MOST_FUTURES`] futures apart.
    ///
    /// * `p_alive`: of every history. * `days_per_unit`: days in a model time unit, as in the fit.
    /// * `timing`: in model time units, with a rate above 0.
    #[must_use]
    pub fn discounted_purchases_for_ever(
        &self,
        histories: &Histories,
        p_alive: &[f64],
        days_per_unit: f64,
        timing: Timing,
    ) -> Option<Vec<Option<f64>>> {
        let Histories { frequency, recency, age, .. } = histories;
        let shared: Vec<Option<[u64; 3]>> = self.models().iter().map(shared).collect();
        let key = |row: u32| -> Shared { (shared[self.number_of(row as usize)], frequency[row as usize]) };
        let place = |row: u32| (self.number_of(row as usize), age[row as usize], recency[row as usize], row);
        let mut rows: Vec<u32> = (0..frequency.len() as u32).collect();
        rows.par_sort_unstable_by_key(|row| (key(*row), place(*row)));
        let chunks: Vec<&[u32]> = rows.chunk_by(|l, r| key(*l) == key(*r)).collect();
        if chunks.len() > MOST_FUTURES && shared.iter().any(Option::is_some) {
            return None;
        }
        let of_chunk = |rows: &&[u32]| -> Vec<(u32, Option<f64>)> {
            let x = f64::from(frequency[rows[0] as usize]);
            let mut ahead = Ahead::new(&self.model_of(rows[0] as usize), x, timing);
            // Equal futures lie side by side.
            let mut last: Option<((usize, u32, u32), Option<f64>)> = None;
            let remembers = self.models()[0].remembers_silence();
            let mut of_row = |row: &u32| {
                let (number, age, recency, _) = place(*row);
                let future = (number, age, if remembers { recency } else { 0 });
                let p_alive = p_alive[*row as usize];
                if p_alive == 0.0 {
                    return (*row, Some(0.0));
                }
                let found = if let Some(known) = last.filter(|known| known.0 == future) {
                    known.1
                } else {
                    let time = |days: u32| f64::from(days) / days_per_unit;
                    let found = ahead.of(&self.models()[number]).residual(x, time(recency), time(age), timing.delta);
                    found.ok().filter(|value| value.is_finite())
                };
                last = Some((future, found));
                (*row, found.map(|residual| p_alive * residual))
            };
            rows.iter().map(&mut of_row).collect()
        };
        let found: Vec<Vec<(u32, Option<f64>)>> = chunks.par_iter().map(of_chunk).collect();
        let mut placed = vec![None; frequency.len()];
        for (row, value) in found.into_iter().flatten() {
            placed[row as usize] = value;
        }
        Some(placed)
    }
}

/// The bits of `r`, `a` and `b` of a model whose customers leave after a purchase.
fn shared(model: &PurchaseModel) -> Option<[u64; 3]> {
    let WhileAlive { r, dropout, .. } = model.while_alive();
    match (model, dropout) {
        (PurchaseModel::ParetoNbd(_), _) | (_, Dropout::AnyTime { .. }) => None,
        (_, Dropout::AfterPurchase { a, b }) => Some([r, a, b].map(f64::to_bits)),
    }
}
