//! Expectations discounted period by period, as spreadsheets and most published lifetime values have it.
//!
//! What happens in the `k`-th period from the day of the forecast counts at that period's end: `e^{−δkP}` for a period `P`.
//! With the cumulative expectation `M(t)` of purchases that is `Σ_k e^{−δkP} (M(kP) − M((k−1)P))`, and the same of the time
//! alive. The last period may be cut by the horizon; it counts at its whole end.
//!
//! Source: Fader & Hardie, Customer-Base Valuation in a Contractual Setting, Marketing Science 29 (2010), on discounting
//! at the period's end; Gupta et al., Modeling Customer Lifetime Value, J. Service Research 9 (2006), equation 1.

use super::bg_nbd::{BgNbd, Residual};
use super::histories::Histories;
use super::pareto_nbd::ParetoNbd;
use super::population::Population;
use super::purchase_model::PurchaseModel;
use crate::numeric::discounting::Periods;
use crate::numeric::hypergeometric::HypergeometricError;
use crate::numeric::quadrature::{Integrals, Rule, doubling_panels};
use std::{iter::Peekable, sync::LazyLock};

static FINE: LazyLock<Rule<32>> = LazyLock::new(Rule::legendre);
static WIDE: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);
static NARROW: LazyLock<Rule<8>> = LazyLock::new(Rule::legendre);
/// Periods on a panel above which their purchases are differences of one integral along it, and no longer a quadrature each.
pub(super) const MANY: usize = 4;
/// A panel of less than this share of the way to the singularity needs eight nodes for a relative error of 1e-15.
const NARROW_SHARE: f64 = 0.35;

impl PurchaseModel {
    /// What is left until the horizon for a customer who is alive at `T`, discounted period by period.
    ///
    /// The periods' purchases and times alive come from closed forms (Pareto/NBD; purchases of (M)BG/CNBD-k) or from
    /// quadrature as in [`PurchaseModel::residual`], with its errors.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    /// * `horizon`: model time units, `>= 0`, finite.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`].
    pub fn residual_per_period(
        &self,
        x: f64,
        t_x: f64,
        age: f64,
        horizon: f64,
        periods: Periods,
    ) -> Result<Residual, HypergeometricError> {
        match self {
            Self::BgNbd(model) => by_quadrature(model, x, age, horizon, periods),
            Self::MbgNbd(model) => by_quadrature(&model.while_alive(), x, age, horizon, periods),
            Self::ParetoNbd(model) => Ok(by_differences(model, x, age, horizon, periods)),
            Self::BgCnbdK(model) => {
                let spans: Vec<(f64, f64, f64)> = spans(horizon, periods).collect();
                Ok(model.residual_of_spans(x as u32, t_x, age, &spans))
            }
        }
    }
}

impl Population {
    /// What is left until the horizon for the customer of every history, were it alive, discounted period by period.
    ///
    /// * `days_per_unit`: days in a model time unit, as in the fit. * `horizon`: model time units, `>= 0`, finite.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`], for the first history that has no value.
    pub fn residuals_per_period(
        &self,
        histories: &Histories,
        days_per_unit: f64,
        horizon: f64,
        periods: Periods,
    ) -> Result<Vec<Residual>, HypergeometricError> {
        self.by_future(histories, days_per_unit, |model, (x, t_x, age), rows| {
            Ok(vec![model.residual_per_period(x, t_x, age, horizon, periods)?; rows.len()])
        })
    }
}

/// Start, end and factor of every period up to the horizon.
fn spans(horizon: f64, periods: Periods) -> impl Iterator<Item = (f64, f64, f64)> {
    (1..=periods.until(horizon)).map(move |k| {
        let (from, to) = periods.span(k, horizon);
        (from, to, periods.factor(k))
    })
}

const NOTHING: Residual = Residual { purchases: 0.0, discounted_purchases: 0.0, discounted_alive_time: 0.0 };

/// The residual's own panels: where few periods end on one, it is cut there.
fn by_quadrature(
    model: &BgNbd,
    x: f64,
    age: f64,
    horizon: f64,
    periods: Periods,
) -> Result<Residual, HypergeometricError> {
    let (shape, scale) = (model.r + x, model.alpha + age);
    let hazard = shape / scale * model.a / (model.a + model.b + x);
    let first = (2.0 * scale).min(4.0 / hazard);
    let at = |u: f64| Ok([model.intensity(x, age, u)?, model.survival(x, age, u)?]);
    let mut sum = NOTHING;
    let mut add = |factor: f64, [purchases, alive]: [f64; 2]| {
        sum.purchases += purchases;
        sum.discounted_purchases += factor * purchases;
        sum.discounted_alive_time += factor * alive;
    };
    let mut spans = spans(horizon, periods).peekable();
    for (start, end) in doubling_panels(first, horizon) {
        let parts = parts_on((start, end), &mut spans);
        if parts.len() > MANY {
            let mut values = [[0.0; 2]; 32];
            for (values, (u, _)) in values.iter_mut().zip(FINE.on(start, end)) {
                *values = at(u)?;
            }
            let (integrals, mut before) = (Integrals::new(&FINE, (start, end), &values), [0.0; 2]);
            for (_, to, factor) in parts {
                let until = integrals.until(to);
                add(factor, [until[0] - before[0], until[1] - before[1]]);
                before = until;
            }
            continue;
        }
        for (from, to, factor) in parts {
            let narrow = to - from < NARROW_SHARE * (0.5 * first + from);
            let nodes: Vec<(f64, f64)> =
                if narrow { NARROW.on(from, to).collect() } else { WIDE.on(from, to).collect() };
            for (u, weight) in nodes {
                add(factor, at(u)?.map(|value| weight * value));
            }
        }
    }
    Ok(sum)
}

/// The parts of spans that lie on a panel, in turn; a span that goes on beyond it is met again.
pub(super) fn parts_on(
    (start, end): (f64, f64),
    spans: &mut Peekable<impl Iterator<Item = (f64, f64, f64)>>,
) -> Vec<(f64, f64, f64)> {
    let (mut parts, mut from) = (Vec::new(), start);
    while let Some(&(_, to, factor)) = spans.peek()
        && from < end
    {
        parts.push((from, to.min(end), factor));
        from = to.min(end);
        if to <= end {
            spans.next();
        }
    }
    parts
}

fn by_differences(model: &ParetoNbd, x: f64, age: f64, horizon: f64, periods: Periods) -> Residual {
    let (mut sum, mut before) = (NOTHING, NOTHING);
    for (_, end, factor) in spans(horizon, periods) {
        let by = model.residual(x, age, end, 0.0);
        sum.discounted_purchases += factor * (by.purchases - before.purchases);
        sum.discounted_alive_time += factor * (by.discounted_alive_time - before.discounted_alive_time);
        sum.purchases = by.purchases;
        before = by;
    }
    sum
}
