//! Activities, the services that a customer truly uses, and what they truly cost.
//!
//! Every activity has a unit rate in whole cents; a customer's true cost is quantity × rate, exact without rounding.
//! A pool holds the capacity that was paid for: what nobody used is idle, and part of the pool but of no customer.
//!
//! Source: Kaplan & Anderson, Time-driven activity-based costing (2004): rate = cost / practical capacity.

use serde::Serialize;

use super::company::Channel;
use super::process::Customer;
use crate::numeric::distributions::poisson;
use crate::numeric::philox::Stream;
use crate::units::QUANTITY_SCALE;

/// What one customer used over the whole span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Services {
    /// Orders.
    pub(super) orders: u64,
    /// Returned lines.
    pub(super) returns: u64,
    /// Deliveries: one an order, and split deliveries.
    pub(super) deliveries: u64,
    /// Expedited deliveries.
    pub(super) expedites: u64,
    /// Picking time in tenths of a minute.
    pub(super) picking: u64,
    /// Calls.
    pub(super) calls: u64,
    /// Sales visits.
    pub(super) visits: u64,
    /// Purchases less returns and discounts in cents, `>= 0`.
    pub(super) net_revenue: u64,
}

/// Split deliveries an order at demandingness 1.
const SPLIT_DELIVERIES: f64 = 0.3;
/// Expedited deliveries an order at demandingness 1.
const EXPEDITES: f64 = 0.05;
/// Picking time of a purchase line, in tenths of a minute: a fixed part, and one in proportion to demandingness.
const PICKING: (f64, f64) = (10.0, 8.0);

impl Services {
    /// Draws the services of a customer whose orders are known: Poisson counts with means in proportion to orders,
    /// demandingness and the channel's habits.
    pub(super) fn draw(customer: &Customer, channel: &Channel, ledger: LedgerUse, stream: &mut Stream) -> Self {
        let LedgerUse { orders, returns, lines, net_revenue } = ledger;
        let effort = orders as f64 * customer.demandingness;
        let picking = lines as f64 * (PICKING.0 + PICKING.1 * customer.demandingness);
        Self {
            orders,
            returns,
            deliveries: orders + poisson(SPLIT_DELIVERIES * effort, stream),
            expedites: poisson(EXPEDITES * effort, stream),
            picking: libm::rint(picking) as u64,
            calls: poisson(channel.calls_per_order * effort, stream),
            visits: poisson(channel.visits_per_order * effort, stream),
            net_revenue,
        }
    }
}

/// What the ledger says of a customer's use of services.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LedgerUse {
    pub(super) orders: u64,
    pub(super) returns: u64,
    /// Purchase lines.
    pub(super) lines: u64,
    /// Cents.
    pub(super) net_revenue: u64,
}

/// Where an activity's driver quantities stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// In `driver_quantities`.
    Table(&'static str),
    /// In the ledger itself: name and definition in the config.
    Ledger(&'static str, &'static str),
    /// Net revenue.
    Revenue,
    /// The same for every customer.
    Average,
}

/// An activity with its true unit rate.
pub(super) struct Activity {
    pub(super) name: &'static str,
    pub(super) level: &'static str,
    pub(super) driver: Driver,
    /// Cents a unit; per 1,000 cents of net revenue for [`Driver::Revenue`].
    pub(super) rate: u64,
    /// Units of the driver in one counted unit, times [`QUANTITY_SCALE`].
    unit: i64,
    /// Idle capacity in percent of the used one.
    idle: u64,
    counted: fn(&Services) -> u64,
}

/// The company's activities.
pub(super) const ACTIVITIES: [Activity; 9] = [
    activity("storage", "product", Driver::Revenue, 25, 0, |services| services.net_revenue),
    activity("order_handling", "order", Driver::Ledger("orders", "{count_distinct: order}"), 310, 10, |services| {
        services.orders
    }),
    Activity {
        unit: QUANTITY_SCALE / 10,
        ..activity("picking", "order", Driver::Table("picking_minutes"), 8, 15, |services| services.picking)
    },
    activity("delivery", "order", Driver::Table("deliveries"), 720, 8, |services| services.deliveries),
    activity("expediting", "order", Driver::Table("expedites"), 2_800, 20, |services| services.expedites),
    activity(
        "returns_handling",
        "order",
        Driver::Ledger("returns", "{count: lines, where: \"quantity < 0\"}"),
        950,
        12,
        |services| services.returns,
    ),
    activity("phone_support", "customer", Driver::Table("calls"), 650, 18, |services| services.calls),
    activity("field_visits", "customer", Driver::Table("visits"), 9_500, 12, |services| services.visits),
    activity("account_upkeep", "customer", Driver::Average, 2_400, 0, |_| 1),
];

const fn activity(
    name: &'static str,
    level: &'static str,
    driver: Driver,
    rate: u64,
    idle: u64,
    counted: fn(&Services) -> u64,
) -> Activity {
    Activity { name, level, driver, rate, unit: QUANTITY_SCALE, idle, counted }
}

impl Activity {
    /// The method's and the driver's name, as in `activities`.
    pub(super) fn method(&self) -> (&'static str, Option<&'static str>) {
        match self.driver {
            Driver::Table(name) | Driver::Ledger(name, _) => ("driver", Some(name)),
            Driver::Revenue => ("revenue", None),
            Driver::Average => ("average", None),
        }
    }

    /// A customer's driver quantity, scaled by [`QUANTITY_SCALE`].
    pub(super) fn quantity(&self, services: &Services) -> i64 {
        (self.counted)(services) as i64 * self.unit
    }

    /// A customer's true cost in cents: quantity × rate; a share of net revenue is rounded to the cent once.
    pub(super) fn cost(&self, services: &Services) -> u64 {
        let counted = (self.counted)(services);
        match self.driver {
            Driver::Revenue => ((u128::from(counted) * u128::from(self.rate) + 500) / 1_000) as u64,
            Driver::Table(_) | Driver::Ledger(..) | Driver::Average => counted * self.rate,
        }
    }
}

/// A customer's true cost-to-serve in cents: Σ over [`ACTIVITIES`].
pub(super) fn cost_to_serve(services: &Services) -> u64 {
    ACTIVITIES.iter().map(|activity| activity.cost(services)).sum()
}

/// A cost pool over the whole span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// The activity's name.
    pub activity: &'static str,
    /// What was paid, idle capacity included, in cents.
    pub amount: i64,
    /// What customers used, in cents: Σ of their true cost.
    pub used: i64,
    /// Capacity that was paid for in driver units, scaled by [`QUANTITY_SCALE`]; `None` without a driver.
    pub capacity: Option<i64>,
}

/// Sums of what all customers used, per activity: counted units and cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used([(u64, u64); ACTIVITIES.len()]);

impl Used {
    /// Adds one customer.
    pub(super) fn insert(&mut self, services: &Services) {
        for ((units, cents), activity) in self.0.iter_mut().zip(&ACTIVITIES) {
            *units += (activity.counted)(services);
            *cents += activity.cost(services);
        }
    }

    /// The pools: capacity is what was used and some idle capacity, in whole units, paid at the unit rate.
    pub(super) fn pools(&self) -> Vec<Pool> {
        let pool = |((units, cents), activity): (&(u64, u64), &Activity)| match activity.driver {
            Driver::Revenue | Driver::Average => {
                Pool { activity: activity.name, amount: *cents as i64, used: *cents as i64, capacity: None }
            }
            Driver::Table(_) | Driver::Ledger(..) => {
                let capacity = units + (units * activity.idle).div_ceil(100);
                Pool {
                    activity: activity.name,
                    amount: (capacity * activity.rate) as i64,
                    used: *cents as i64,
                    capacity: Some(capacity as i64 * activity.unit),
                }
            }
        };
        self.0.iter().zip(&ACTIVITIES).map(pool).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: Services = Services {
        orders: 4,
        returns: 1,
        deliveries: 5,
        expedites: 2,
        picking: 183,
        calls: 3,
        visits: 1,
        net_revenue: 45_020,
    };

    #[test]
    fn a_customers_cost_is_quantity_times_rate() {
        // 1,125.5 → 1,126 storage; 4·310; 183·8; 5·720; 2·2,800; 950; 3·650; 9,500; 2,400.
        assert_eq!(cost_to_serve(&SERVICES), 1_126 + 1_240 + 1_464 + 3_600 + 5_600 + 950 + 1_950 + 9_500 + 2_400);
    }

    #[test]
    fn a_pool_is_its_capacity_at_the_unit_rate() {
        let mut used = Used::default();
        used.insert(&SERVICES);
        used.insert(&Services { picking: 17, ..Services::default() });
        let pools = used.pools();
        // 200 tenths of a minute, 15 % idle: 23 minutes at 80 cents.
        let picking = Pool { activity: "picking", amount: 1_840, used: 1_600, capacity: Some(23 * QUANTITY_SCALE) };
        assert_eq!(pools[2], picking);
        assert_eq!(pools[8], Pool { activity: "account_upkeep", amount: 4_800, used: 4_800, capacity: None });
    }
}
