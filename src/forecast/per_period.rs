//! Expectations discounted period by period, as spreadsheets and most published lifetime values have it.
//!
//! What happens in the `k`-th period from the day of the forecast counts at that period's end: `e^{−δkP}` for a period `P`.
//! With the cumulative expectation `M(t)` of purchases that is `Σ_k e^{−δkP} (M(kP) − M((k−1)P))`, and the same of the time
//! alive. The last period may be cut by the horizon; it counts at its whole end.
//!
//! Source: Fader & Hardie, Customer-Base Valuation in a Contractual Setting, Marketing Science 29 (2010), on discounting
//! at the period's end; Gupta et al., Modeling Customer Lifetime Value, J. Service Research 9 (2006), equation 1.

use super::bg_nbd::{BgNbd, Residual};
use super::pareto_nbd::ParetoNbd;
use super::population::Population;
use super::predict::Histories;
use super::purchase_model::PurchaseModel;
use crate::numeric::discounting::Periods;
use crate::numeric::hypergeometric::HypergeometricError;
use crate::numeric::quadrature::{Rule, doubling_panels};
use std::sync::LazyLock;

static WIDE: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);
static NARROW: LazyLock<Rule<8>> = LazyLock::new(Rule::legendre);
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

/// The residual's own panels, cut at the ends of the periods.
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
    let panels: Vec<f64> = doubling_panels(first, horizon).map(|panel| panel.1).collect();
    let mut sum = NOTHING;
    for (start, end, factor) in spans(horizon, periods) {
        let mut from = start;
        while from < end {
            let panel = panels.partition_point(|to| *to <= from);
            let to = panels.get(panel).map_or(end, |to| to.min(end));
            let narrow = to - from < NARROW_SHARE * (0.5 * first + from);
            let nodes: Vec<(f64, f64)> =
                if narrow { NARROW.on(from, to).collect() } else { WIDE.on(from, to).collect() };
            for (u, weight) in nodes {
                let purchases = weight * model.intensity(x, age, u)?;
                sum.purchases += purchases;
                sum.discounted_purchases += factor * purchases;
                sum.discounted_alive_time += factor * weight * model.survival(x, age, u)?;
            }
            from = to;
        }
    }
    Ok(sum)
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
