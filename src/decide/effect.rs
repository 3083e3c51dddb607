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
//!     decide::effect::{Change, difference},
//!     schema::equity::Drivers,
//! };
//!
//! let customer = Drivers { p_alive: 1.0, lifetime: 10.0, purchase_rate: 2.0, spend: 50.0, margin_rate: 0.4, order_cost: 5.0, sustaining_rate: 1.0 };
//! // 10 · (2 · (20 − 5) − 1) = 290; half as many purchases again: 10 · (3 · 15 − 1) = 440.
//! let more = Change { purchases: 1.5, ..Change::NONE };
//! assert!((difference(&customer, &more, None, f64::INFINITY) - 150.0).abs() < 1e-9);
//! // At no more than two purchases and a half: 10 · (2.5 · 15 − 1) = 365.
//! assert!((difference(&customer, &more, None, 2.5) - 75.0).abs() < 1e-9);
//! // It stays half as long again, and keeps its rate: 15 · 29 = 435.
//! assert!((difference(&customer, &Change::NONE, Some((15.0, 2.0)), f64::INFINITY) - 145.0).abs() < 1e-9);
//! ```

use crate::schema::{
    decisions::{EFFECT_SCALE, Effect},
    equity::Drivers,
};

/// What actions that work change of a customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Share of the loss of customers that is prevented, at most 1.
    pub retention: f64,
    /// Factor of the purchases while the customer stays.
    pub purchases: f64,
    /// What is added to what is kept of a unit of sales.
    pub margin: f64,
    /// Factor of the cost of serving and keeping.
    pub cost: f64,
}

impl Change {
    /// Nothing is done.
    pub const NONE: Self = Self { retention: 0.0, purchases: 1.0, margin: 0.0, cost: 1.0 };

    /// Both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            retention: self.retention + other.retention - self.retention * other.retention,
            purchases: self.purchases * other.purchases,
            margin: self.margin + other.margin,
            cost: self.cost * other.cost,
        }
    }
}

impl From<&Effect> for Change {
    fn from(effect: &Effect) -> Self {
        Self {
            retention: share(effect.retention),
            purchases: 1.0 + share(effect.frequency),
            margin: share(effect.margin),
            cost: 1.0 + share(effect.cost_to_serve),
        }
    }
}

/// What is gained when a change happens, major units: `V′ − V`.
///
/// * `prolonged`: expected time alive and purchases a unit of it with the change's retention, as
///   [`prolonged`](super::staying::prolonged) tells; `None`: it has none.
/// * `most_often`: most purchases a unit of time: 1 where that is an opportunity to buy, else infinity.
#[must_use]
pub fn difference(customer: &Drivers, change: &Change, prolonged: Option<(f64, f64)>, most_often: f64) -> f64 {
    let (lifetime, purchase_rate) = prolonged.unwrap_or((customer.lifetime, customer.purchase_rate));
    let acted = Drivers {
        lifetime,
        purchase_rate: (purchase_rate * change.purchases).min(most_often),
        margin_rate: customer.margin_rate + change.margin,
        order_cost: customer.order_cost * change.cost,
        sustaining_rate: customer.sustaining_rate * change.cost,
        ..*customer
    };
    acted.value() - customer.value()
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

    #[test]
    fn what_two_actions_change_is_what_one_changes_of_the_other() {
        let of = |retention, frequency, margin, cost_to_serve| {
            Change::from(&Effect { retention, frequency, margin, cost_to_serve, ..Effect::default() })
        };
        // Of what one leaves of the loss the other prevents its share.
        let both = of(500_000, 200_000, 10_000, -100_000).and(&of(200_000, -500_000, 20_000, 100_000));
        for (found, expected) in [(both.retention, 0.6), (both.purchases, 0.6), (both.margin, 0.03), (both.cost, 0.99)]
        {
            assert!((found - expected).abs() < 1e-12, "{both:?}");
        }
        let one = of(300_000, 70_000, -10_000, 20_000);
        assert_eq!(Change::NONE.and(&one), one);
    }

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
            let longer = prolonged(&customer, known, share(more), &Scene::new(52.0, Timing { delta: 0.0, period: None }));
            prop_assert!(difference(&customer, &Change::NONE, Some(longer), f64::INFINITY) >= -1e-6);
            for change in [
                Effect { frequency: more, ..Effect::default() },
                Effect { margin: more, ..Effect::default() },
                Effect { cost_to_serve: -more, ..Effect::default() },
            ] {
                let change = Change::from(&change);
                prop_assert!(difference(&customer, &change, None, f64::INFINITY) >= -1e-9, "{:?}", change);
            }
            prop_assert!(difference(&customer, &Change::NONE, None, f64::INFINITY).abs() < 1e-12);
        }
    }
}
