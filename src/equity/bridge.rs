//! The bridge of customer equity between two days: who came, who was lost, and what changed of those who stayed.
//!
//! The expected value of a customer is, with everything to the horizon and discounted,
//!
//! `V = L · (λ · (m · s − c) − u)`
//!
//! * `L`: expected time alive, the probability of being alive at all included;
//! * `λ`: expected purchases a unit of that time; `s`: expected amount of a purchase;
//! * `m`: margin of a unit of spend; `c`: cost of serving a purchase; `u`: cost of keeping the customer a unit of time.
//!
//! A customer who had not bought by the opening day is **acquired** with all its closing value. One whose P(alive) fell below
//! a threshold is **lost**, with all of its change. Of the others one driver after the other takes its closing value, in this
//! order: `L` (retention), `λ` and `s` (spend), `m` (margin), `c` and `u` (cost to serve), the discount rate. Every step is a
//! difference of values in whole minor units, so the steps of a customer, of a segment and of all sum exactly.
//!
//! ```
//! use whalecurve::equity::bridge::{Driven, Drivers, Step, bridge};
//!
//! let before = Drivers { p_alive: 0.8, lifetime: 2.0, purchase_rate: 5.0, spend: 10.0, margin_rate: 0.5, order_cost: 1.0, sustaining_rate: 2.0 };
//! let after = Drivers { p_alive: 0.9, lifetime: 3.0, purchase_rate: 4.0, spend: 12.0, margin_rate: 0.4, order_cost: 0.8, sustaining_rate: 1.0 };
//! let closing = Driven { drivers: after, value: 4_200 };
//! // 2·(5·(5−1)−2) = 36, 3·(5·4−2) = 54, 3·(4·(6−1)−2) = 54, 3·(4·(4.8−1)−2) = 39.60, 3·(4·(4.8−0.8)−1) = 45 at the old rate.
//! let opening = Driven { drivers: before, value: 3_600 };
//! let steps = bridge(&[Some(opening)], &[Some(closing)], 0.5, true, 100.0)[0];
//! assert_eq!(steps.amount(Step::Opening), 3_600);
//! assert_eq!([Step::Retention, Step::Spend, Step::Margin, Step::CostToServe].map(|step| steps.amount(step)), [1_800, 0, -1_440, 540]);
//! // A higher discount rate has made 45.00 into 42.00.
//! assert_eq!((steps.amount(Step::DiscountRate), steps.amount(Step::Closing)), (-300, 4_200));
//! ```
//!
//! Source: the drivers are those of Rust, Lemon & Zeithaml, Return on Marketing, J. Marketing 68 (2004), 109–127, in the
//! order of a price-volume analysis; sequential substitution: Horngren, Datar & Rajan, Cost Accounting (2012), ch. 7.

use rayon::prelude::*;

pub use crate::schema::equity::{Driven, Drivers};
use crate::units::Minor;

/// A step of the bridge, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Equity at the opening day.
    Opening,
    /// Customers who came.
    Acquired,
    /// Customers who were lost.
    Lost,
    /// Time that customers are expected to stay.
    Retention,
    /// What they are expected to buy while they stay: how often, and for how much.
    Spend,
    /// What is kept of sales.
    Margin,
    /// What serving and keeping them costs.
    CostToServe,
    /// The discount rate.
    DiscountRate,
    /// Equity at the closing day: the sum of all steps before.
    Closing,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 9] = [
        Self::Opening,
        Self::Acquired,
        Self::Lost,
        Self::Retention,
        Self::Spend,
        Self::Margin,
        Self::CostToServe,
        Self::DiscountRate,
        Self::Closing,
    ];

    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Acquired => "acquired",
            Self::Lost => "lost",
            Self::Retention => "retention",
            Self::Spend => "spend",
            Self::Margin => "margin",
            Self::CostToServe => "cost_to_serve",
            Self::DiscountRate => "discount_rate",
            Self::Closing => "closing",
        }
    }
}

/// The bridge of one customer, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    amounts: [Minor; 9],
    /// Whether the customer is at each step.
    here: [bool; 9],
}

impl Steps {
    /// What a step adds (the first and the last one: what equity is).
    #[must_use]
    pub fn amount(&self, step: Step) -> Minor {
        self.amounts[step as usize]
    }

    /// Whether the customer counts at a step.
    #[must_use]
    pub fn counts(&self, step: Step) -> bool {
        self.here[step as usize]
    }

    fn set(&mut self, step: Step, amount: Minor) {
        self.amounts[step as usize] = amount;
        self.here[step as usize] = true;
    }
}

/// The bridge of every customer.
///
/// * `opening`: one a customer; `None` without a purchase by that day.
/// * `closing`: likewise, drivers at the opening discount rate, values at the closing one.
/// * `lost_below`: P(alive) below which a customer is lost who was above or at it, 0 to 1.
/// * `other_rate`: whether the discount rates of both days differ. Where they do not, the step before that of the rate takes
///   what rounding leaves, which is a minor unit a customer at most.
/// * `per_major`: minor units in a major one.
#[must_use]
pub fn bridge(
    opening: &[Option<Driven>],
    closing: &[Option<Driven>],
    lost_below: f64,
    other_rate: bool,
    per_major: f64,
) -> Vec<Steps> {
    let one = |(before, after): (&Option<Driven>, &Option<Driven>)| {
        let mut steps = Steps::default();
        let minor = |drivers: &Drivers| in_minor(drivers, per_major);
        match (before, after) {
            (None, None) => {}
            (None, Some(after)) => {
                steps.set(Step::Acquired, after.value);
                steps.set(Step::Closing, after.value);
            }
            // Nobody who has bought is unknown later: the ledger only grows.
            (Some(before), None) => {
                steps.set(Step::Opening, before.value);
                steps.set(Step::Lost, -before.value);
            }
            (Some(before), Some(after)) => {
                steps.set(Step::Opening, before.value);
                steps.set(Step::Closing, after.value);
                if before.drivers.p_alive >= lost_below && after.drivers.p_alive < lost_below {
                    steps.set(Step::Lost, after.value - before.value);
                } else {
                    stay(&mut steps, before, after, other_rate, &minor);
                }
            }
        }
        steps
    };
    opening.par_iter().zip(closing).map(one).collect()
}

/// An expected value in minor units, half to even.
#[must_use]
pub fn in_minor(drivers: &Drivers, per_major: f64) -> Minor {
    (drivers.value() * per_major).round_ties_even() as Minor
}

fn stay(steps: &mut Steps, before: &Driven, after: &Driven, other_rate: bool, minor: &impl Fn(&Drivers) -> Minor) {
    let new = &after.drivers;
    let mut now = before.drivers;
    let mut value = before.value;
    let mut step = |step: Step, next: Minor| {
        steps.set(step, next - value);
        value = next;
    };
    now.lifetime = new.lifetime;
    step(Step::Retention, minor(&now));
    (now.purchase_rate, now.spend) = (new.purchase_rate, new.spend);
    step(Step::Spend, minor(&now));
    now.margin_rate = new.margin_rate;
    step(Step::Margin, minor(&now));
    let served = if other_rate { minor(new) } else { after.value };
    step(Step::CostToServe, served);
    step(Step::DiscountRate, after.value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drivers() -> impl Strategy<Value = Drivers> {
        (0.0..1.0, 0.0..10.0, 0.0..9.0, -5.0..90.0, -1.0..1.0, 0.0..20.0, 0.0..30.0).prop_map(
            |(p_alive, lifetime, purchase_rate, spend, margin_rate, order_cost, sustaining_rate)| Drivers {
                p_alive,
                lifetime,
                purchase_rate,
                spend,
                margin_rate,
                order_cost,
                sustaining_rate,
            },
        )
    }

    /// A customer at both days, the closing value apart from its drivers as another discount rate makes it.
    fn customer() -> impl Strategy<Value = (Option<Driven>, Option<Driven>)> {
        let driven = || (drivers(), -9_000..90_000_i64).prop_map(|(drivers, value)| Driven { drivers, value });
        (prop::option::of(driven()), prop::option::weighted(0.9, driven()))
    }

    proptest! {
        #[test]
        fn the_steps_of_every_customer_sum_to_its_closing_value(
            customers in prop::collection::vec(customer(), 1..60), lost_below in 0.0..1.0, other in any::<bool>(),
        ) {
            let (opening, closing): (Vec<_>, Vec<_>) = customers.into_iter().unzip();
            let found = bridge(&opening, &closing, lost_below, other, 100.0);
            for (steps, (before, after)) in found.iter().zip(opening.iter().zip(&closing)) {
                let sum: Minor = Step::ALL[..8].iter().map(|step| steps.amount(*step)).sum();
                prop_assert_eq!(sum, steps.amount(Step::Closing));
                prop_assert_eq!(steps.amount(Step::Closing), after.map_or(0, |after| after.value));
                prop_assert_eq!(steps.amount(Step::Opening), before.map_or(0, |before| before.value));
                // A customer comes, is lost or stays: one of the three.
                let ways = [Step::Acquired, Step::Lost, Step::Retention].iter().filter(|step| steps.counts(**step));
                prop_assert_eq!(ways.count(), usize::from(before.is_some() || after.is_some()));
            }
        }

        #[test]
        fn what_did_not_change_adds_nothing(before in drivers()) {
            let same = Driven { drivers: before, value: in_minor(&before, 100.0) };
            let steps = bridge(&[Some(same)], &[Some(same)], 0.5, true, 100.0)[0];
            for step in &Step::ALL[1..8] {
                prop_assert_eq!(steps.amount(*step), 0);
            }
        }
    }

    #[test]
    fn a_customer_whose_silence_has_grown_too_long_is_lost_with_all_of_its_change() {
        let mut before = Drivers { p_alive: 0.7, lifetime: 1.0, purchase_rate: 1.0, spend: 50.0, ..Drivers::default() };
        before.margin_rate = 1.0;
        let drivers = Drivers { p_alive: 0.1, lifetime: 0.2, ..before };
        let after = Driven { drivers, value: 1_000 };
        let before = Driven { drivers: before, value: 5_000 };
        let steps = bridge(&[Some(before)], &[Some(after)], 0.5, false, 100.0)[0];
        assert_eq!((steps.amount(Step::Opening), steps.amount(Step::Lost)), (5_000, -4_000));
        assert!(!steps.counts(Step::Retention));
        // A lower threshold: the customer stays, for a shorter time.
        let steps = bridge(&[Some(before)], &[Some(after)], 0.1, false, 100.0)[0];
        assert_eq!((steps.amount(Step::Retention), steps.amount(Step::Lost)), (-4_000, 0));
    }
}
