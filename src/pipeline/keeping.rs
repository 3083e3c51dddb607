//! Whom to keep: what ending each loss-making customer would save, and other ways to serve it.

use rayon::prelude::*;

use super::{
    RunError,
    earnings::{Earnings, all_is_kept},
    foretold::{Foretold, Valuation},
    newcomers::spent,
    recurring::{PARTS, Recurring, recurring},
    results::Findings,
};
use crate::{
    decide::keep::{self, Case, Verdict, Way},
    schema::{equity::Drivers, settings::Settings},
    units::Minor,
};

/// What is advised of a loss-making customer.
pub(super) struct Kept {
    pub(super) customer: u32,
    /// Row in the forecast.
    pub(super) row: usize,
    pub(super) verdict: Verdict,
}

/// * `scene`: the what-if beside the base. * `drivers`: of the base, as `value` has them.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn keep(
    settings: &Settings,
    (found, scene): (&Findings, Option<&Findings>),
    (forecast, value): (&Foretold, &Valuation),
    drivers: &[Drivers],
) -> Result<Vec<Kept>, RunError> {
    let (ledgers, customers) = (&found.ledgers, forecast.customers());
    let per_major = settings.currency.minor_per_major() as f64;
    let money = (&found.margins, &found.costs.layers);
    // Who has left a contract cannot be ended.
    let losing = |row: usize, customer: u32| found.economic_profit[customer as usize] < 0 && !forecast.has_left(row);
    let bore = recurring(settings, found, |customer| found.economic_profit[customer] < 0);
    let earned = Earnings::new(ledgers, money, customers, per_major);
    // Where all of an amount is kept, cost of products stands with that of orders: it goes into the margin, as everybody else's.
    let spent = all_is_kept(settings).then(|| spent(&ledgers.facts, customers, per_major));
    let apart = |(row, drivers): (usize, &Drivers)| match &spent {
        Some(spent) => without_products(drivers, earned.order_cost[row], spent[row] - earned.margin[row]),
        None => *drivers,
    };
    let drivers: Vec<Drivers> = drivers.iter().enumerate().map(apart).collect();
    let products = |of: fn(&Recurring) -> Minor| -> Result<Vec<f64>, RunError> {
        let cost: Vec<Minor> = bore.iter().map(of).collect();
        if cost.iter().all(|cost| *cost == 0) {
            return Ok(vec![0.0; drivers.len()]);
        }
        let without = forecast.drivers_without(settings, ledgers, money, value, &cost)?;
        Ok(without.iter().zip(&drivers).map(|(without, with)| of_sales(without) - of_sales(with)).collect())
    };
    let (products_stay, products_end) = (products(|bore| bore.stays[0])?, products(|bore| bore.ends[0])?);
    let shares = Shares { earned: &earned, per_major };
    let served = Served::new(settings, scene);
    let (networking, learning) = (found.potentials.networking(), found.potentials.learning.as_deref());
    let major = |known: Option<&[Minor]>, customer: u32| {
        known.map_or(0.0, |column| column[customer as usize] as f64 / per_major)
    };
    let of = |(row, customer): (usize, &u32)| {
        let bore = &bore[*customer as usize];
        let (fixed_orders, fixed) = shares.fixed(row, bore);
        let case = Case {
            drivers: drivers[row],
            products: [products_stay[row], products_end[row]],
            fixed_orders,
            fixed,
            network: major(networking, *customer),
            learning: major(learning, *customer),
            ways: served.ways(*customer as usize, bore),
            has_role: found.portfolio.roles.any(*customer as usize),
        };
        Kept { customer: *customer, row, verdict: keep::decide(&case, &settings.decisions.keep, per_major) }
    };
    let rows = customers.par_iter().enumerate();
    Ok(rows.filter(|(row, customer)| losing(*row, **customer)).map(of).collect())
}

/// What sales leave to the horizon after the cost of serving them, `L λ (m s − c)`.
fn of_sales(drivers: &Drivers) -> f64 {
    drivers.lifetime * drivers.purchase_rate * (drivers.margin_rate * drivers.spend - drivers.order_cost)
}

/// The same drivers with the cost of products within the margin: the cost of orders that was, in the proportion of what both cost
/// to date.
fn without_products(drivers: &Drivers, of_orders: f64, of_products: f64) -> Drivers {
    let share = of_products / (of_orders + of_products);
    if !((0.0..=1.0).contains(&share) && drivers.spend != 0.0) {
        return *drivers;
    }
    let products = share * drivers.order_cost;
    Drivers {
        margin_rate: drivers.margin_rate - products / drivers.spend,
        order_cost: drivers.order_cost - products,
        ..*drivers
    }
}

/// Of what cost to serve is made.
struct Shares<'a> {
    earned: &'a Earnings,
    per_major: f64,
}

impl Shares<'_> {
    fn of(&self, part: Minor, cost: f64) -> f64 {
        if cost > 0.0 { (part as f64 / self.per_major / cost).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Shares of the cost of orders and of keeping the customer that stay when it goes.
    fn fixed(&self, row: usize, bore: &Recurring) -> (f64, f64) {
        let [orders, keeping] = [self.earned.order_cost[row], self.earned.customer_cost[row]];
        (self.of(bore.stays[1], orders), self.of(bore.stays[2], keeping))
    }
}

/// Other ways to serve customers: those of the config, then the what-if.
struct Served {
    /// What customers would bear under the what-if.
    other: Option<Vec<Recurring>>,
}

impl Served {
    fn new(settings: &Settings, scene: Option<&Findings>) -> Self {
        // Other prices are no way to serve.
        let scenario = settings.scenario.as_ref().filter(|scenario| scenario.prices.is_empty());
        let other = scenario.zip(scene).map(|(scenario, scene)| recurring(&scenario.settings, scene, |_| false));
        Self { other }
    }

    /// Ways to serve a customer: each saves of the future cost of products, orders and keeping that ends with the customer the
    /// share that it would have saved of the present one.
    fn ways(&self, customer: usize, bore: &Recurring) -> Vec<Way> {
        let now = bore.present.map(|cost| cost as f64);
        let what_if = self.other.as_ref().map(|bore| {
            let then = bore[customer].present;
            std::array::from_fn(|part| now[part] - then[part] as f64)
        });
        let way = |(number, saved): (u32, [f64; PARTS])| {
            let cost_factors: [f64; PARTS] =
                std::array::from_fn(
                    |part| {
                        if now[part] > 0.0 { (1.0 - saved[part] / now[part]).max(0.0) } else { 1.0 }
                    },
                );
            Way { number, cost_factors, purchase_factor: 1.0, cost: 0.0 }
        };
        (0..).zip(bore.saved.iter().copied().chain(what_if)).map(way).collect()
    }
}
