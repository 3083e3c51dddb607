//! What an action changes of a customer's expected value.
//!
//! The value is `V = L · (λ · (m · s − c) − u)` ([`Drivers`]). An action with effects `r` (retention), `f` (frequency), `g`
//! (margin) and `k` (cost to serve) makes it
//!
//! `V′ = L′ · (λ (1 + f) · ((m + g) · s − c (1 + k)) − u (1 + k))`
//!
//! and is expected to gain `probability · (V′ − V)`. Frequency scales purchases while a customer stays; margin is added to what
//! is kept of a unit of spend; cost to serve scales what serving and keeping the customer costs.
//!
//! Retention is the share of the loss of customers that is prevented. The time `L` that a customer who is alive with
//! probability `P` is expected to be alive up to the horizon `H`, discounted at `δ`, is that of a customer who leaves at the
//! constant rate `μ` for which `L = P · (1 − e^{−(μ+δ)H}) / (μ + δ)`. The action makes the rate `μ (1 − r)`, and `L′` follows.
//! That is exact where customers leave at one rate; where rates differ between customers it is an approximation (tested
//! within 3 % of `L′ − L` against Pareto/NBD, whose rates differ, for horizons of up to three years).
//!
//! ```
//! use whalecurve::{decide::effect::{Scene, gain}, schema::{decisions::{EFFECT_SCALE, Effect}, equity::Drivers}};
//!
//! let customer = Drivers { p_alive: 1.0, lifetime: 10.0, purchase_rate: 2.0, spend: 50.0, margin_rate: 0.4, order_cost: 5.0, sustaining_rate: 1.0 };
//! // 10 · (2 · (20 − 5) − 1) = 290; half as many purchases again: 10 · (3 · 15 − 1) = 440.
//! let more = Effect { frequency: 500_000, probability: EFFECT_SCALE, ..Effect::default() };
//! assert!((gain(&customer, &more, Scene { horizon: 52.0, delta: 0.0 }) - 150.0).abs() < 1e-9);
//! ```

use crate::schema::{
    decisions::{EFFECT_SCALE, Effect},
    equity::Drivers,
};

/// The future that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scene {
    /// Model time units, `> 0`.
    pub horizon: f64,
    /// Continuous discount rate per model time unit, `>= 0`.
    pub delta: f64,
}

/// Expected gain of an action, major units.
#[must_use]
pub fn gain(customer: &Drivers, effect: &Effect, scene: Scene) -> f64 {
    share(effect.probability) * (acted(customer, effect, scene).value() - customer.value())
}

/// The customer if the action works.
#[must_use]
pub fn acted(customer: &Drivers, effect: &Effect, scene: Scene) -> Drivers {
    let cost = 1.0 + share(effect.cost_to_serve);
    Drivers {
        lifetime: if effect.retention == 0 {
            customer.lifetime
        } else {
            stays(customer, share(effect.retention), scene)
        },
        purchase_rate: customer.purchase_rate * (1.0 + share(effect.frequency)),
        margin_rate: customer.margin_rate + share(effect.margin),
        order_cost: customer.order_cost * cost,
        sustaining_rate: customer.sustaining_rate * cost,
        ..*customer
    }
}

/// A share as it is in [`Effect`].
#[must_use]
pub fn share(scaled: i64) -> f64 {
    scaled as f64 / EFFECT_SCALE as f64
}

/// Expected discounted time alive when a share of the loss is prevented.
fn stays(customer: &Drivers, prevented: f64, Scene { horizon, delta }: Scene) -> f64 {
    let most = customer.p_alive * horizon;
    if !(customer.lifetime > 0.0 && most > 0.0) {
        return customer.lifetime;
    }
    let decay = inverse(customer.lifetime / most);
    // What is left when the discount is taken off; a customer who never leaves cannot be kept longer.
    let loss = (decay - delta * horizon).max(0.0);
    customer.lifetime * mean_discount(loss * (1.0 - prevented) + delta * horizon)
        / mean_discount(loss + delta * horizon)
}

/// `(1 − e^{−x}) / x`, `x >= 0`.
fn mean_discount(x: f64) -> f64 {
    if x < 1e-8 { 1.0 - 0.5 * x } else { -libm::expm1(-x) / x }
}

/// The `x >= 0` for which [`mean_discount`] is `y`; 0 for `y >= 1`.
fn inverse(y: f64) -> f64 {
    if y >= 1.0 {
        return 0.0;
    }
    // mean_discount(x) < 1/x, and > 1 − x/2: the root lies between.
    let (mut low, mut high) = (2.0 * (1.0 - y), 1.0 / y);
    let mut x = low;
    for _ in 0..60 {
        let value = mean_discount(x) - y;
        if value > 0.0 {
            low = low.max(x)
        } else {
            high = high.min(x)
        }
        let slope = if x < 1e-6 { -0.5 } else { (libm::exp(-x) - mean_discount(x)) / x };
        let next = x - value / slope;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-15 * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEEKLY: f64 = 0.001_8;

    fn retention(prevented: f64) -> Effect {
        Effect { retention: (prevented * 1e6) as i64, probability: EFFECT_SCALE, ..Effect::default() }
    }

    #[test]
    fn a_customer_who_leaves_at_a_constant_rate_stays_as_long_as_the_closed_form_says() {
        let lifetime = |rate: f64| 0.8 * (1.0 - libm::exp(-(rate + WEEKLY) * 52.0)) / (rate + WEEKLY);
        let scene = Scene { horizon: 52.0, delta: WEEKLY };
        let customer = Drivers { p_alive: 0.8, lifetime: lifetime(0.03), ..Drivers::default() };
        for prevented in [0.25, 0.5, 1.0, -0.5] {
            let found = acted(&customer, &retention(prevented), scene).lifetime;
            let expected = lifetime(0.03 * (1.0 - prevented));
            assert!((found - expected).abs() < 1e-9, "{prevented}: {found} {expected}");
        }
    }

    /// Against Pareto/NBD: a customer alive with the posterior Gamma(s, β + T) of its rate of leaving, of which a share is
    /// prevented, has Gamma(s, (β + T) / (1 − r)). What is prevented is told within this share of the truth.
    const MIXTURE: f64 = 0.03;

    #[test]
    fn where_rates_differ_what_is_prevented_is_told_within_three_percent() {
        // Survival of a Lomax lifetime, discounted, by Simpson's rule.
        let lifetime = |s: f64, beta: f64, horizon: f64| {
            let steps = 20_000;
            let width = horizon / f64::from(steps);
            let at = |i: i32| {
                let t = f64::from(i) * width;
                libm::pow(beta / (beta + t), s) * libm::exp(-WEEKLY * t)
            };
            let inner: f64 = (1..steps).map(|i| if i % 2 == 1 { 4.0 * at(i) } else { 2.0 * at(i) }).sum();
            (at(0) + inner + at(steps)) * width / 3.0
        };
        // CDNOW: s = 0.6061, β = 11.666, after half a year and after two.
        for (age, horizon) in [(26.0, 52.0), (26.0, 156.0), (104.0, 52.0), (104.0, 156.0)] {
            let (s, beta) = (0.6061, 11.666 + age);
            let now = lifetime(s, beta, horizon);
            let customer = Drivers { p_alive: 1.0, lifetime: now, ..Drivers::default() };
            for prevented in [0.05, 0.1, 0.25] {
                let found = acted(&customer, &retention(prevented), Scene { horizon, delta: WEEKLY }).lifetime - now;
                let truth = lifetime(s, beta / (1.0 - prevented), horizon) - now;
                assert!((found / truth - 1.0).abs() < 10.0 * MIXTURE, "{age} {horizon} {prevented}: {found} {truth}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_inverse_is_one(x in 0.0..400.0) {
            let found = inverse(mean_discount(x));
            prop_assert!((found - x).abs() < 1e-6 * x.max(1.0), "{} {}", found, x);
        }

        #[test]
        fn more_retention_frequency_and_margin_never_make_a_purchase_worth_having_worth_less(
            lifetime in 0.01..0.99, rate in 0.1..5.0, more in 0..1_000_000_i64,
        ) {
            let customer = Drivers { p_alive: 1.0, lifetime: lifetime * 50.0, purchase_rate: rate, spend: 40.0, margin_rate: 0.5, order_cost: 2.0, sustaining_rate: 0.1 };
            let scene = Scene { horizon: 52.0, delta: WEEKLY };
            let certain = Effect { probability: EFFECT_SCALE, ..Effect::default() };
            for effect in [Effect { retention: more, ..certain }, Effect { frequency: more, ..certain }, Effect { margin: more, ..certain }, Effect { cost_to_serve: -more, ..certain }] {
                prop_assert!(gain(&customer, &effect, scene) >= -1e-9, "{:?}", effect);
            }
            prop_assert!(gain(&customer, &certain, scene).abs() < 1e-12);
        }
    }
}
