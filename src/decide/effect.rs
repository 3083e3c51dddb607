//! What an action changes of a customer's expected value.
//!
//! The value is `V = L · (λ · (m · s − c) − u)` ([`Drivers`]). An action with effects `r` (retention), `f` (frequency), `g`
//! (margin) and `k` (cost to serve) makes it
//!
//! `V′ = L′ · (λ′ (1 + f) · ((m + g) · s − c (1 + k)) − u (1 + k))`
//!
//! and is expected to gain `probability · (V′ − V)`. Frequency scales purchases while a customer stays; margin is added to what
//! is kept of a unit of spend; cost to serve scales what serving and keeping the customer costs. Retention is the share of the
//! loss of customers that is prevented; what it makes of `L` and `λ` is told in [`staying`](super::staying).
//!
//! ```
//! use whalecurve::{
//!     decide::effect::gain,
//!     schema::{decisions::{EFFECT_SCALE, Effect}, equity::Drivers},
//! };
//!
//! let customer = Drivers { p_alive: 1.0, lifetime: 10.0, purchase_rate: 2.0, spend: 50.0, margin_rate: 0.4, order_cost: 5.0, sustaining_rate: 1.0 };
//! // 10 · (2 · (20 − 5) − 1) = 290; half as many purchases again: 10 · (3 · 15 − 1) = 440.
//! let more = Effect { frequency: 500_000, probability: EFFECT_SCALE, ..Effect::default() };
//! assert!((gain(&customer, &more, None, f64::INFINITY) - 150.0).abs() < 1e-9);
//! // At no more than two purchases and a half: 10 · (2.5 · 15 − 1) = 365.
//! assert!((gain(&customer, &more, None, 2.5) - 75.0).abs() < 1e-9);
//! // It stays half as long again, and keeps its rate: 15 · 29 = 435.
//! assert!((gain(&customer, &Effect { frequency: 0, ..more }, Some((15.0, 2.0)), f64::INFINITY) - 145.0).abs() < 1e-9);
//! ```

use crate::schema::{
    decisions::{EFFECT_SCALE, Effect},
    equity::Drivers,
};

/// Expected gain of an action, major units.
///
/// * `prolonged`: expected time alive and purchases a unit of it with the action's retention, as
///   [`prolonged`](super::staying::prolonged) tells; `None`: it has none.
/// * `most_often`: most purchases a unit of time: 1 where that is an opportunity to buy, else infinity.
#[must_use]
pub fn gain(customer: &Drivers, effect: &Effect, prolonged: Option<(f64, f64)>, most_often: f64) -> f64 {
    let mut acted = acted(customer, effect, prolonged);
    acted.purchase_rate = acted.purchase_rate.min(most_often);
    share(effect.probability) * (acted.value() - customer.value())
}

/// The customer if the action works.
fn acted(customer: &Drivers, effect: &Effect, prolonged: Option<(f64, f64)>) -> Drivers {
    let cost = 1.0 + share(effect.cost_to_serve);
    let (lifetime, purchase_rate) = prolonged.unwrap_or((customer.lifetime, customer.purchase_rate));
    Drivers {
        lifetime,
        purchase_rate: purchase_rate * (1.0 + share(effect.frequency)),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decide::staying::{Known, Scene, prolonged};
    use crate::numeric::discounting::Timing;

    proptest! {
        #[test]
        fn more_retention_frequency_and_margin_never_make_a_purchase_worth_having_worth_less(
            stays in 0.01..0.99, rate in 0.1..5.0, more in 0..1_000_000_i64,
        ) {
            // Alive at the horizon with `stays`, leaving at one rate.
            let loss = -libm::log(stays) / 52.0;
            let lifetime = (1.0 - stays) / loss;
            let customer = Drivers {
                p_alive: 1.0,
                lifetime,
                purchase_rate: rate,
                spend: 40.0,
                margin_rate: 0.5,
                order_cost: 2.0,
                sustaining_rate: 0.1,
            };
            let known = Known { p_alive_at_horizon: stays, rate_now: rate };
            let certain = Effect { probability: EFFECT_SCALE, ..Effect::default() };
            let longer = prolonged(&customer, known, share(more), &Scene::new(52.0, Timing { delta: 0.0, period: None }));
            prop_assert!(gain(&customer, &certain, Some(longer), f64::INFINITY) >= -1e-6);
            for effect in [
                Effect { frequency: more, ..certain },
                Effect { margin: more, ..certain },
                Effect { cost_to_serve: -more, ..certain },
            ] {
                prop_assert!(gain(&customer, &effect, None, f64::INFINITY) >= -1e-9, "{:?}", effect);
            }
            prop_assert!(gain(&customer, &certain, None, f64::INFINITY).abs() < 1e-12);
            let half = Effect { frequency: more, probability: EFFECT_SCALE / 2, ..Effect::default() };
            let all = Effect { probability: EFFECT_SCALE, ..half };
            prop_assert!((2.0 * gain(&customer, &half, None, f64::INFINITY) - gain(&customer, &all, None, f64::INFINITY)).abs() < 1e-9);
        }
    }
}
