//! Contracts: likelihoods of sBG and `BdW` with analytic derivatives, and their maxima.
//!
//! Customers who face chance `t` renew with probability `r(t)` whatever their cohort, so that the likelihood is a product
//! of binomials over chances: `Σ_t renewed_t ln r(t) + lost_t ln(1 − r(t))`, which equals
//! `Σ lost_t ln(S(t−1) − S(t)) + kept_t ln S(t)`.
//!
//! Source: Fader & Hardie, Journal of Interactive Marketing 21 (2007), 76–90; Fader et al., Journal of
//! Interactive Marketing 43 (2018), 1–16.

use super::beta_geometric::{BetaLimit, ShiftedBetaGeometric, beta_limit};
use super::beta_weibull::{BetaDiscreteWeibull, power_step};
use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use super::tenures::{Chance, Tenures};
use crate::numeric::newton::{Bounds, Evaluation, Maximum, maximise};
use crate::numeric::special::{ln_beta_shift, polygamma_rise, trigamma};

/// Parameters are searched in this range; β in units of the chances to leave per customer lost.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;
/// Duration dependence is searched in this range: `t^c` is level below and a cliff above.
pub(super) const SMALLEST_POWER: f64 = 1e-4;
pub(super) const LARGEST_POWER: f64 = 64.0;
/// A power within this factor of the range's end has left for a limit model.
pub(super) const NEAR_POWER: f64 = 2.0;
/// `t^c` stays below `e^{600}`.
const LN_LARGEST_AGE: f64 = 600.0;

/// The ends of the parameter space, by `α, β` and, of `BdW`, `c`.
const WAYS_OUT: [WayOut; 4] = [
    WayOut { limit: LimitModel::EqualDropout, towards: &[1, 1], idle: &[] },
    WayOut { limit: LimitModel::LeaveAtFirstChanceOrNever, towards: &[-1, -1], idle: &[] },
    WayOut { limit: LimitModel::LeaveAtFirstChanceOrNever, towards: &[0, 0, -1], idle: &[] },
    WayOut { limit: LimitModel::DegenerateDuration, towards: &[0, 0, 1], idle: &[] },
];

impl ShiftedBetaGeometric {
    /// Fit by maximum likelihood to the counts of tenures.
    ///
    /// Damped Newton on `(ln α, ln β)` with the analytic Hessian. The log-likelihood has no multinomial constant, as in
    /// the paper.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` where nobody was lost, `Boundary` where the likelihood rises
    /// towards one probability for all or towards leaving at the first chance or never.
    #[must_use]
    pub fn fit(tenures: &Tenures) -> Fit<Self> {
        let names = ["alpha", "beta"];
        let Some(base) = Base::new(tenures) else {
            return Fit::failed("sBG", &names, tenures.customers(), NOBODY_LOST);
        };
        let (maximum, bounds) = base.fit_geometric();
        let gone = |point: &[f64; 2]| limit_of_shapes(point, &bounds).into_iter().collect();
        let ends = Ends { ways: &WAYS_OUT[..2], again: &[] };
        let evaluate = |ln: &[f64; 2]| geometric(&base.chances, ln);
        settle_narrow(&(&maximum).into(), gone, &bounds, ends, evaluate, |point, maximum, limits| {
            let [alpha, beta] = point.map(libm::exp);
            let model = Self { alpha, beta };
            Fit::at_judged_maximum("sBG", &names, tenures.customers(), maximum, &[alpha, beta], model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    #[must_use]
    pub fn log_likelihood(&self, tenures: &Tenures) -> f64 {
        Self::evaluation(tenures, &[self.alpha, self.beta].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `α, β`, at those logarithms.
    #[must_use]
    pub fn evaluation(tenures: &Tenures, ln: &[f64; 2]) -> Evaluation<2> {
        geometric(&tenures.chances(), ln)
    }
}

impl BetaDiscreteWeibull {
    /// Fit by maximum likelihood to the counts of tenures.
    ///
    /// Damped Newton on `(ln α, ln β, ln c)` with the analytic Hessian, from the sBG fit.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` where nobody was lost, `Boundary` as for sBG and at the ends of
    /// `c`, `Ridge` where the chances are too few (two or less) to tell three parameters.
    #[must_use]
    pub fn fit(tenures: &Tenures) -> Fit<Self> {
        let names = ["alpha", "beta", "c"];
        let Some(base) = Base::new(tenures) else {
            return Fit::failed("BdW", &names, tenures.customers(), NOBODY_LOST);
        };
        let (geometric, shapes) = base.fit_geometric();
        let most = f64::from(base.chances.last().map_or(1, |chance| chance.number)).max(2.0);
        let largest = LARGEST_POWER.min(LN_LARGEST_AGE / libm::log(most));
        let bounds = Bounds {
            lower: [shapes.lower[0], shapes.lower[1], libm::log(SMALLEST_POWER)],
            upper: [shapes.upper[0], shapes.upper[1], libm::log(largest)],
        };
        // Where sBG has gone to a limit, the derivatives are too level there to come back.
        let inside = |i: usize| {
            let near = libm::log(NEAR) + 1.0;
            geometric.point[i].clamp(shapes.lower[i] + near, shapes.upper[i] - near)
        };
        let runs = runs(&base.chances);
        let maximum = maximise([inside(0), inside(1), 0.0], &bounds, |ln| weibull(&runs, ln));
        let near = libm::log(NEAR_POWER);
        let gone = |point: &[f64; 3]| {
            let mut gone: Vec<LimitModel> = limit_of_shapes(point, &bounds).into_iter().collect();
            if point[2] < bounds.lower[2] + near {
                gone.push(LimitModel::LeaveAtFirstChanceOrNever);
            } else if point[2] > bounds.upper[2] - near {
                gone.push(LimitModel::DegenerateDuration);
            }
            gone
        };
        let ends = Ends { ways: &WAYS_OUT, again: &[] };
        let evaluate = |ln: &[f64; 3]| weibull(&runs, ln);
        settle_narrow(&(&maximum).into(), gone, &bounds, ends, evaluate, |point, maximum, limits| {
            let [alpha, beta, c] = point.map(libm::exp);
            let model = Self { alpha, beta, c };
            Fit::at_judged_maximum("BdW", &names, tenures.customers(), maximum, &[alpha, beta, c], model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    #[must_use]
    pub fn log_likelihood(&self, tenures: &Tenures) -> f64 {
        Self::evaluation(tenures, &[self.alpha, self.beta, self.c].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `α, β, c`, at those logarithms.
    #[must_use]
    pub fn evaluation(tenures: &Tenures, ln: &[f64; 3]) -> Evaluation<3> {
        weibull(&runs(&tenures.chances()), ln)
    }
}

const NOBODY_LOST: &str = "no customer was lost at a chance to renew, so nothing is known of retention";

/// The chances of a base that has lost somebody.
struct Base {
    chances: Vec<Chance>,
    /// Chances faced per customer lost.
    per_loss: f64,
}

impl Base {
    fn new(tenures: &Tenures) -> Option<Self> {
        let chances = tenures.chances();
        let lost: u64 = chances.iter().map(|chance| chance.lost).sum();
        let faced: u64 = chances.iter().map(|chance| chance.renewed + chance.lost).sum();
        (lost > 0).then(|| Self { chances, per_loss: faced as f64 / lost as f64 })
    }

    /// The sBG maximum, and the box it was sought in.
    fn fit_geometric(&self) -> (Maximum<2>, Bounds<2>) {
        let shift = libm::log(self.per_loss);
        let (low, high) = (libm::log(SMALLEST), libm::log(LARGEST));
        let bounds = Bounds { lower: [low, low + shift], upper: [high, high + shift] };
        (maximise([0.0, shift], &bounds, |ln| geometric(&self.chances, ln)), bounds)
    }
}

/// The limit that the first two parameters, `α` and `β`, have gone to.
fn limit_of_shapes<const N: usize>(point: &[f64; N], bounds: &Bounds<N>) -> Option<LimitModel> {
    let near = libm::log(NEAR);
    let low = [0, 1].map(|i| point[i] < bounds.lower[i] + near);
    let high = [0, 1].map(|i| point[i] > bounds.upper[i] - near);
    beta_limit(low, high, point[0] - point[1]).map(|limit| match limit {
        BetaLimit::ZeroOrOne => LimitModel::LeaveAtFirstChanceOrNever,
        BetaLimit::One => LimitModel::LeaveAtFirstChance,
        // Somebody was lost, so the probability is small at most.
        BetaLimit::Zero | BetaLimit::Equal => LimitModel::EqualDropout,
    })
}

/// sBG: `r(t) = (β+k)/(α+β+k)` with `k = t−1`; log-likelihood and its derivatives by `ln α, ln β`.
fn geometric(chances: &[Chance], ln: &[f64; 2]) -> Evaluation<2> {
    let [alpha, beta] = ln.map(libm::exp);
    let [mut value, mut by_alpha, mut by_beta, mut alpha_2, mut both, mut beta_2] = [0.0; 6];
    for chance in chances {
        let (renewed, lost) = (chance.renewed as f64, chance.lost as f64);
        let survived = beta + f64::from(chance.number - 1);
        let total = alpha + survived;
        let (leaves, share, own) = (alpha / total, beta / total, beta / survived);
        value -= renewed * libm::log1p(alpha / survived) + lost * libm::log1p(survived / alpha);
        by_alpha += lost * (survived / total) - renewed * leaves;
        by_beta += renewed * own * leaves - lost * share;
        alpha_2 -= (renewed + lost) * leaves * (survived / total);
        both += (renewed + lost) * leaves * share;
        beta_2 += renewed * own * (1.0 - own) - (renewed + lost) * share * (1.0 - share);
    }
    Evaluation { value, gradient: [by_alpha, by_beta], hessian: [[alpha_2, both], [both, beta_2]] }
}

/// Chances in a row that the same customers faced; a run of more than one lost nobody.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Chances had before the run, and with it.
    before: u32,
    after: u32,
    renewed: u64,
    lost: u64,
}

/// Chances without a loss joined, so that a long life costs one term: their retention rates multiply to `S(to)/S(from)`.
fn runs(chances: &[Chance]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &Chance { number, renewed, lost } in chances {
        match runs.last_mut() {
            Some(run) if run.lost == 0 && lost == 0 && run.renewed == renewed => run.after = number,
            _ => runs.push(Run { before: number - 1, after: number, renewed, lost }),
        }
    }
    runs
}

/// `BdW`: log-likelihood and its derivatives by `ln α, ln β, ln c`, through `ρ = ln S(after)/S(before)` of a run.
///
/// `renewed ρ + lost ln(1 − e^ρ)` has the slope `renewed − lost e` and the bend `−lost e (1+e)` by `ρ`, where
/// `e = 1/(e^{−ρ} − 1)`.
fn weibull(runs: &[Run], ln: &[f64; 3]) -> Evaluation<3> {
    let parameters = ln.map(libm::exp);
    let mut sum = Evaluation { value: 0.0, gradient: [0.0; 3], hessian: [[0.0; 3]; 3] };
    for run in runs {
        let (renewed, lost) = (run.renewed as f64, run.lost as f64);
        let Evaluation { value: rho, gradient: slope, hessian: bend } = ln_retention(run.before, run.after, parameters);
        sum.value += renewed * rho;
        let (mut first, mut second) = (renewed, 0.0);
        if lost > 0.0 {
            let odds = 1.0 / libm::expm1(-rho);
            sum.value += lost * libm::log(-libm::expm1(rho));
            first -= lost * odds;
            second -= lost * odds * (1.0 + odds);
        }
        for i in 0..3 {
            sum.gradient[i] += first * slope[i];
            for j in 0..3 {
                sum.hessian[i][j] += first * bend[i][j] + second * (slope[i] * slope[j]);
            }
        }
    }
    sum
}

/// `ρ = ln B(α, z₂) − ln B(α, z₁)` at `z = β + t^c`, `t` going `from` … `to`, and its derivatives by `ln α, ln β, ln c`.
///
/// With `f(z) = ψ(z) − ψ(z+α)`, `∂ρ/∂z₂ = f(z₂)` and `∂ρ/∂z₁ = −f(z₁)`.
fn ln_retention(from: u32, to: u32, [alpha, beta, c]: [f64; 3]) -> Evaluation<3> {
    let (before, step) = power_step(from, to, c);
    let (start, end) = (beta + before, beta + before + step);
    let (alpha_1, alpha_2) = polygamma_rise(alpha + start, step);
    let f = |z: f64| {
        let (first, second) = polygamma_rise(z, alpha);
        (-first, -second)
    };
    let ((f_start, g_start), (f_end, g_end)) = (f(start), f(end));
    // First and second derivative of t^c by ln c.
    let moves = |t: u32, power: f64| {
        let by_ln = if t <= 1 { 0.0 } else { c * libm::log(f64::from(t)) };
        (power * by_ln, power * by_ln * (1.0 + by_ln))
    };
    let ((start_1, start_2), (end_1, end_2)) = (moves(from, before), moves(to, before + step));
    let by_alpha = -alpha * alpha_1;
    let by_beta = beta * (f_end - f_start);
    let by_c = f_end * end_1 - f_start * start_1;
    let alpha_beta = -alpha * beta * alpha_2;
    let alpha_c = alpha * (trigamma(alpha + start) * start_1 - trigamma(alpha + end) * end_1);
    let beta_c = beta * (g_end * end_1 - g_start * start_1);
    Evaluation {
        value: ln_beta_shift(alpha, start, step),
        gradient: [by_alpha, by_beta, by_c],
        hessian: [
            [by_alpha - alpha * alpha * alpha_2, alpha_beta, alpha_c],
            [alpha_beta, by_beta + beta * beta * (g_end - g_start), beta_c],
            [alpha_c, beta_c, g_end * end_1 * end_1 + f_end * end_2 - g_start * start_1 * start_1 - f_start * start_2],
        ],
    }
}
