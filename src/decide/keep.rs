//! Keep or end a loss-making customer: what each way of going on is worth, and which is advised.
//!
//! Everything is expected to the horizon and discounted, `V = L · (λ · (m · s − c) − u)` as in [`Drivers`]. Ending a customer
//! saves only what it costs that can be avoided, and loses its contribution, what it brings by recommending us and what we
//! learn from it. So, against ending (which is worth 0),
//!
//! * **keep**: `L λ m s + P − avoidable + network + learning`, where `avoidable = a_o · L λ c · (1 − fixed_orders) + a_c · L u · (1 − fixed)`
//!   and `P` is what stays of the cost of products within `m`;
//! * **reprice**: the same at prices raised by the smallest `p` at which the customer bears its full cost:
//!   `(m s + p s − c) · L λ (1 − ε p) = L u`, where purchases fall by `ε · p`. It is offered up to a largest rise;
//! * **serve differently**: the same with the avoidable cost of another way, for what changing costs.
//!
//! What the customer costs beyond `avoidable` is fixed, and `P` with it: it stays when the customer goes, and others bear it. That
//! is the difference between what ending seems to save at full cost and what it saves. The best way is advised, in this order where
//! several are equally good to the minor unit; ending is never advised for a customer with a role.
//!
//! ```
//! use whalecurve::{decide::keep::{Advice, Case, decide}, schema::{decisions::KeepSettings, equity::Drivers}};
//!
//! // 10 · 2 purchases of 50.00 keep 20 %: 200.00. Serving costs 10 · 2 · 6 = 120.00, keeping 10 · 12 = 120.00: a loss of 40.00.
//! let drivers = Drivers { p_alive: 1.0, lifetime: 10.0, purchase_rate: 2.0, spend: 50.0, margin_rate: 0.2, order_cost: 6.0, sustaining_rate: 12.0 };
//! let case = Case { drivers, fixed: 0.5, ..Case::default() };
//! let settings = KeepSettings { max_price_rise: 0.03, price_elasticity: 0.0, ..KeepSettings::default() };
//! let found = decide(&case, &settings, 100.0);
//! // Half of what keeping costs is fixed: 200 − 120 − 60 = 20 would be lost by ending. 4 % on 1,000.00 would bear all.
//! assert_eq!((found.advice, found.keep, found.fixed_cost, found.price_rise), (Advice::Keep, 20.0, 60.0, Some(0.04)));
//! assert_eq!(found.reprice, None); // more than is allowed
//! ```
//!
//! Source: Horngren, Datar & Rajan, Cost Accounting (2012), ch. 11: relevant costs of dropping a customer; Kaplan & Narayanan,
//! Measuring and managing customer profitability (2001), on what to do about unprofitable customers.

use crate::schema::{decisions::KeepSettings, equity::Drivers};

/// What is known of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// What its expected value is made of.
    pub drivers: Drivers,
    /// Cost of products within its margin that stays when it goes, and that ends with it, to the horizon, discounted, major units.
    pub products: [f64; 2],
    /// Share of the cost of serving its purchases that stays when it goes, 0 to 1.
    pub fixed_orders: f64,
    /// Share of the cost of keeping it that stays when it goes, 0 to 1.
    pub fixed: f64,
    /// What it brings by recommending us, major units.
    pub network: f64,
    /// What we learn from it, major units.
    pub learning: f64,
    /// Other ways to serve it.
    pub ways: Vec<Way>,
    /// Whether it is of a strategic use that its own profit does not show.
    pub has_role: bool,
}

/// Another way to serve a customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// Its number.
    pub number: u32,
    /// Cost of products, of serving purchases and of keeping the customer over what they are now, `>= 0`, of what ends with it:
    /// what stays when the customer goes is no way's to save.
    pub cost_factors: [f64; 3],
    /// Purchases over what they are now, `>= 0`.
    pub purchase_factor: f64,
    /// What changing costs once, major units.
    pub cost: f64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Leave it as it is.
    Keep,
    /// Raise its prices.
    Reprice,
    /// Serve it in another way.
    Serve,
    /// End it.
    End,
}

impl Advice {
    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Reprice => "reprice",
            Self::Serve => "serve_differently",
            Self::End => "end",
        }
    }
}

/// What each way of going on is worth against ending, major units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What is advised.
    pub advice: Advice,
    /// What it contributes before cost to serve.
    pub contribution: f64,
    /// Cost that ends with it.
    pub avoidable_cost: f64,
    /// Cost that stays when it goes.
    pub fixed_cost: f64,
    /// As it is.
    pub keep: f64,
    /// The rise of prices at which it bears its full cost, relative; `None` where none does, or none is needed.
    pub price_rise: Option<f64>,
    /// With that rise; `None` where it is more than is allowed.
    pub reprice: Option<f64>,
    /// The best other way to serve it, and what that is worth; `None` where none is worth more than keeping it as it is.
    pub serve: Option<(u32, f64)>,
}

/// Rises of prices are told in steps of a hundredth of a percent, upwards.
const PRICE_STEPS: f64 = 10_000.0;

/// What to do about a customer.
///
/// * `minor_per_major`: what is worth the same to the minor unit is equally good.
#[must_use]
pub fn decide(case: &Case, settings: &KeepSettings, minor_per_major: f64) -> Verdict {
    let minor = |worth: f64| (worth * minor_per_major).round_ties_even();
    let now = Parts::new(case, settings, &case.drivers, [1.0; 3]);
    let more = case.network + case.learning;
    let keep = now.worth() + more;
    let price_rise = price_rise(&case.drivers, settings.price_elasticity);
    let reprice = price_rise.filter(|rise| *rise <= settings.max_price_rise).map(|rise| {
        let at = |drivers: &Drivers| Drivers {
            purchase_rate: drivers.purchase_rate * (1.0 - settings.price_elasticity * rise),
            margin_rate: drivers.margin_rate + rise,
            ..*drivers
        };
        Parts::new(case, settings, &at(&case.drivers), [1.0; 3]).worth() + more
    });
    let serve = case.ways.iter().map(|way| {
        let purchase_rate = case.drivers.purchase_rate * way.purchase_factor;
        let changed = Drivers { purchase_rate, ..case.drivers };
        (way.number, Parts::new(case, settings, &changed, way.cost_factors).worth() + more - way.cost)
    });
    // Of equally good ways the first one.
    let serve = serve.reduce(|best, next| if minor(next.1) > minor(best.1) { next } else { best });
    let serve = serve.filter(|(_, worth)| minor(*worth) > minor(keep));
    let ways = [
        (Advice::Keep, Some(keep)),
        (Advice::Reprice, reprice),
        (Advice::Serve, serve.map(|serve| serve.1)),
        (Advice::End, (!case.has_role).then_some(0.0)),
    ];
    let best = |best: (Advice, f64), (advice, worth): (Advice, Option<f64>)| match worth {
        Some(worth) if minor(worth) > minor(best.1) => (advice, worth),
        _ => best,
    };
    let advice = ways.into_iter().fold((Advice::Keep, keep), best).0;
    Verdict {
        advice,
        contribution: now.contribution,
        avoidable_cost: now.avoidable,
        fixed_cost: now.fixed,
        keep,
        price_rise,
        reprice,
        serve,
    }
}

/// What a customer's value is made of, as far as ending it changes it.
struct Parts {
    contribution: f64,
    avoidable: f64,
    fixed: f64,
}

impl Parts {
    /// * `factors`: cost that ends with the customer over what it is now.
    fn new(case: &Case, settings: &KeepSettings, drivers: &Drivers, [products, orders, keeping]: [f64; 3]) -> Self {
        let purchases = drivers.lifetime * drivers.purchase_rate;
        let (of_orders, of_keeping) = (purchases * drivers.order_cost, drivers.lifetime * drivers.sustaining_rate);
        let avoidable = [
            settings.avoidable_order_cost * of_orders * (1.0 - case.fixed_orders),
            settings.avoidable_customer_cost * of_keeping * (1.0 - case.fixed),
        ];
        // Cost of products goes with purchases.
        let now = case.drivers.lifetime * case.drivers.purchase_rate;
        let [stays, ends] = case.products.map(|cost| if now > 0.0 { cost * (purchases / now) } else { 0.0 });
        let contribution = purchases * drivers.margin_rate * drivers.spend + stays + ends * (1.0 - products);
        let fixed = of_orders + of_keeping - avoidable.iter().sum::<f64>() + stays;
        Self { contribution, avoidable: avoidable[0] * orders + avoidable[1] * keeping, fixed }
    }

    fn worth(&self) -> f64 {
        self.contribution - self.avoidable
    }
}

/// The smallest rise of prices at which a customer bears its full cost: the smaller positive root of
/// `−ε A p² + (A − ε q) p + (q − U) = 0` with `A = L λ s`, `q = L λ (m s − c)`, `U = L u`.
fn price_rise(drivers: &Drivers, elasticity: f64) -> Option<f64> {
    let sales = drivers.lifetime * drivers.purchase_rate * drivers.spend;
    let after_orders = drivers.margin_rate * sales - drivers.lifetime * drivers.purchase_rate * drivers.order_cost;
    let loss = drivers.lifetime * drivers.sustaining_rate - after_orders;
    if !(loss > 0.0 && sales > 0.0) {
        return None;
    }
    let slope = sales - elasticity * after_orders;
    let rise = if elasticity > 0.0 {
        let square = slope * slope - 4.0 * elasticity * sales * loss;
        // The form that does not cancel: 2c / (b + √(b² − 4ac)).
        (slope > 0.0 && square >= 0.0).then(|| 2.0 * loss / (slope + libm::sqrt(square)))?
    } else {
        loss / sales
    };
    // Up, but not for what is rounding alone.
    let up = libm::ceil(rise * PRICE_STEPS - 1e-6) / PRICE_STEPS;
    (elasticity * up < 1.0).then_some(up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drivers() -> impl Strategy<Value = Drivers> {
        (0.1..10.0, 0.1..9.0, 1.0..90.0, -0.2..1.0, 0.0..20.0, 0.0..90.0).prop_map(
            |(lifetime, purchase_rate, spend, margin_rate, order_cost, sustaining_rate)| Drivers {
                p_alive: 1.0,
                lifetime,
                purchase_rate,
                spend,
                margin_rate,
                order_cost,
                sustaining_rate,
            },
        )
    }

    fn case(drivers: Drivers) -> Case {
        Case { drivers, ..Case::default() }
    }

    /// 1,000.00 of sales that keep 200.00, at 120.00 for orders and 120.00 for keeping.
    const LOSING: Drivers = Drivers {
        p_alive: 1.0,
        lifetime: 10.0,
        purchase_rate: 2.0,
        spend: 50.0,
        margin_rate: 0.2,
        order_cost: 6.0,
        sustaining_rate: 12.0,
    };

    #[test]
    fn all_four_ways_are_advised_when_they_are_best() {
        let settings = KeepSettings { price_elasticity: 0.0, ..KeepSettings::default() };
        let never = KeepSettings { max_price_rise: 0.0, ..settings };
        // All cost is avoidable: ending saves 40.00, a rise of 4 % bears all.
        let found = decide(&case(LOSING), &settings, 100.0);
        assert_eq!((found.advice, found.price_rise), (Advice::Reprice, Some(0.04)));
        assert!((found.keep + 40.0).abs() < 1e-9 && found.reprice.unwrap().abs() < 1e-9);
        assert_eq!(decide(&case(LOSING), &never, 100.0).advice, Advice::End);
        // Half the cost to serve, for 30.00: 200 − 120 − 30 = 50.
        let way = Way { number: 3, cost_factors: [1.0, 0.5, 0.5], purchase_factor: 1.0, cost: 30.0 };
        let found = decide(&Case { ways: vec![way], ..case(LOSING) }, &settings, 100.0);
        assert_eq!((found.advice, found.serve), (Advice::Serve, Some((3, 50.0))));
        // It recommends us for 45.00: worth keeping.
        let found = decide(&Case { network: 25.0, learning: 20.0, ..case(LOSING) }, &never, 100.0);
        assert_eq!(found.advice, Advice::Keep);
        assert!((found.keep - 5.0).abs() < 1e-9);
    }

    #[test]
    fn cost_that_stays_when_the_customer_goes_is_no_reason_to_end_it() {
        let never = KeepSettings { max_price_rise: 0.0, ..KeepSettings::default() };
        // Of 120.00 for keeping 60.00 stay: 200 − 120 − 60 = 20 would be lost. Of 120.00 for orders three quarters: 110.
        let found = decide(&Case { fixed: 0.5, ..case(LOSING) }, &never, 100.0);
        assert_eq!(
            (found.advice, found.keep, found.avoidable_cost, found.fixed_cost),
            (Advice::Keep, 20.0, 180.0, 60.0)
        );
        let found = decide(&Case { fixed: 0.5, fixed_orders: 0.75, ..case(LOSING) }, &never, 100.0);
        assert_eq!((found.keep, found.avoidable_cost, found.fixed_cost), (110.0, 90.0, 150.0));
    }

    #[test]
    fn cost_of_products_that_stays_is_no_reason_to_end_it_and_what_ends_may_be_saved_by_another_way() {
        let never = KeepSettings { max_price_rise: 0.0, ..KeepSettings::default() };
        // Within the 20 % that are kept: 50.00 stay and 30.00 end. 200 + 50 − 240 = 10.
        let with = Case { products: [50.0, 30.0], ..case(LOSING) };
        let found = decide(&with, &never, 100.0);
        assert_eq!(
            (found.advice, found.keep, found.contribution, found.avoidable_cost, found.fixed_cost),
            (Advice::Keep, 10.0, 250.0, 240.0, 50.0)
        );
        let way =
            |products: f64| Way { number: 0, cost_factors: [products, 1.0, 1.0], purchase_factor: 1.0, cost: 0.0 };
        let found = decide(&Case { ways: vec![way(0.0)], ..with.clone() }, &never, 100.0);
        assert_eq!((found.advice, found.serve), (Advice::Serve, Some((0, 40.0))));
        // What saves nothing is no other way.
        assert_eq!(decide(&Case { ways: vec![way(1.0)], ..with }, &never, 100.0).serve, None);
    }

    #[test]
    fn of_ways_that_are_worth_the_same_to_the_cent_the_first_is_advised() {
        // A loss of less than a cent.
        let drivers =
            Drivers { lifetime: 3.0, purchase_rate: 1.0, spend: 1.0, margin_rate: 0.1, order_cost: 0.1, ..LOSING };
        let drivers = Drivers { sustaining_rate: 0.0, ..drivers };
        let with = Case { network: -1e-9, ..case(drivers) };
        assert_eq!(decide(&with, &KeepSettings::default(), 100.0).advice, Advice::Keep);
        assert_eq!(decide(&with, &KeepSettings::default(), 1e12).advice, Advice::End);
    }

    #[test]
    fn a_customer_with_a_role_is_never_ended_by_the_number_alone() {
        let never = KeepSettings { max_price_rise: 0.0, ..KeepSettings::default() };
        assert_eq!(decide(&case(LOSING), &never, 100.0).advice, Advice::End);
        assert_eq!(decide(&Case { has_role: true, ..case(LOSING) }, &never, 100.0).advice, Advice::Keep);
    }

    #[test]
    fn a_customer_who_buys_less_at_higher_prices_needs_a_larger_rise() {
        // (200 + 1000 p − 120)(1 − p) = 120: −1000 p² + 920 p − 40 = 0, p = 0.04574….
        let found = decide(&case(LOSING), &KeepSettings::default(), 100.0);
        assert_eq!(found.price_rise, Some(0.0458));
        // So elastic that no price bears the cost.
        let found = decide(&case(LOSING), &KeepSettings { price_elasticity: 10.0, ..KeepSettings::default() }, 100.0);
        assert_eq!((found.price_rise, found.reprice, found.advice), (None, None, Advice::End));
    }

    proptest! {
        #[test]
        fn the_rise_bears_the_full_cost_and_a_step_less_does_not(drivers in drivers(), elasticity in 0.0..3.0) {
            if let Some(rise) = price_rise(&drivers, elasticity) {
                let full = |rise: f64| {
                    let raised = Drivers {
                        purchase_rate: drivers.purchase_rate * (1.0 - elasticity * rise),
                        margin_rate: drivers.margin_rate + rise,
                        ..drivers
                    };
                    raised.value()
                };
                // Of two steps around the vertex of the parabola one may be past it.
                prop_assert!(full(rise) >= -1e-3 * drivers.spend * drivers.lifetime * drivers.purchase_rate);
                prop_assert!(full(rise - 1.0 / PRICE_STEPS) < 1e-9);
            }
        }

        #[test]
        fn a_better_customer_is_never_worth_less(drivers in drivers(), more in 0.0..50.0, fixed in 0.0..1.0) {
            let settings = KeepSettings::default();
            let worse = Case { fixed, ..case(drivers) };
            let better = Case { network: more, ..worse.clone() };
            prop_assert!(decide(&better, &settings, 100.0).keep >= decide(&worse, &settings, 100.0).keep);
            let ended = |case: &Case| decide(case, &settings, 100.0).advice == Advice::End;
            prop_assert!(!ended(&better) || ended(&worse));
        }

        #[test]
        fn parts_sum_to_the_expected_value(drivers in drivers(), fixed in 0.0..1.0, stays in 0.0..9.0) {
            let found = decide(&Case { fixed, products: [stays, 1.0], ..case(drivers) }, &KeepSettings::default(), 100.0);
            let sum = found.contribution - found.avoidable_cost - found.fixed_cost;
            prop_assert!((sum - drivers.value()).abs() < 1e-9 * drivers.value().abs().max(1.0));
        }
    }
}
