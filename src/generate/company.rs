//! The company: its size, its channels, and the parameters of the process that its customers follow.

use super::error::GenerateError;
use crate::numeric::hypergeometric::{HypergeometricError, gauss};
use crate::numeric::quadrature::Rule;
use crate::units::Day;

/// First day of every generated ledger: Monday, 2023-01-02.
pub const START: Day = 19_359;
/// Weeks from the first day of the ledger to its end.
pub const SPAN_WEEKS: u32 = 104;
/// [`SPAN_WEEKS`] in days.
pub(super) const SPAN_DAYS: usize = SPAN_WEEKS as usize * 7;
/// Customers are acquired in the first half of the span.
pub(super) const ACQUISITION_DAYS: f64 = SPAN_DAYS as f64 / 2.0;
/// Last day of every generated ledger: Sunday, 2024-12-29.
pub const AS_OF: Day = START + SPAN_DAYS as Day - 1;
/// Fewest ledger lines a customer: below it there is no room for repeat orders.
pub const LINES_PER_CUSTOMER: u64 = 2;
/// Most ledger lines a customer: beyond it customers would order so often that purchase days, which is all a ledger
/// shows, say nothing of their rates.
pub const MAX_LINES_PER_CUSTOMER: u64 = 10_000;
/// Most customers.
pub const MAX_CUSTOMERS: u64 = 1_000_000_000;
/// Most ledger lines.
pub const MAX_TRANSACTIONS: u64 = 100_000_000_000;

/// Ledger lines an order has on average, where the size leaves room for repeat orders.
const LINES_PER_ORDER: f64 = 2.5;
/// Share of ledger lines that are returns.
const RETURN_SHARE: f64 = 0.03;
/// An order has one returned line at most, and at most every second order has one.
const MAX_RETURN_PROBABILITY: f64 = 0.5;
/// Share of orders sold at a promotion; their lines carry a discount and cannot be returned.
pub(super) const PROMOTION_SHARE: f64 = 0.15;

/// Shape of the purchase rates over customers (the paper's `r`), the same for every channel.
pub(super) const R: f64 = 0.7;
/// Shape of an order's spend (`p` of the Gamma-Gamma model).
pub(super) const SPEND_SHAPE: f64 = 6.0;
/// Shape of the spend rates over customers (`q`).
pub(super) const SPEND_RATE_SHAPE: f64 = 4.0;
/// Scale of the spend rates over customers (`γ`): mean spend `p γ/(q−1)` is 120.00 an order.
pub(super) const SPEND_RATE_SCALE: f64 = 60.0;
/// Standard deviation of the logarithm of demandingness within a channel.
pub(super) const DEMAND_SIGMA: f64 = 0.8;

/// How large a company to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Customers, each with at least one order.
    pub customers: u64,
    /// Ledger lines, returns included: exactly this many are written.
    pub transactions: u64,
}

impl Size {
    /// Refuses a size that cannot be generated.
    ///
    /// # Errors
    /// [`GenerateError::NoCustomers`], [`GenerateError::TooFewTransactions`], [`GenerateError::TooManyTransactions`],
    /// [`GenerateError::TooLarge`].
    pub fn check(self) -> Result<(), GenerateError> {
        let Self { customers, transactions } = self;
        if customers == 0 {
            return Err(GenerateError::NoCustomers);
        }
        for (what, found, limit) in
            [("customers", customers, MAX_CUSTOMERS), ("transactions", transactions, MAX_TRANSACTIONS)]
        {
            if found > limit {
                return Err(GenerateError::TooLarge { what, found, limit });
            }
        }
        let needed = customers * LINES_PER_CUSTOMER;
        if transactions < needed {
            return Err(GenerateError::TooFewTransactions { customers, transactions, needed });
        }
        let limit = customers * MAX_LINES_PER_CUSTOMER;
        if transactions > limit {
            return Err(GenerateError::TooManyTransactions { customers, transactions, limit });
        }
        Ok(())
    }

    /// Expected repeat orders of one customer: lines / 2.5 − 1, and at least a quarter of the lines beyond the first.
    fn repeat_orders(self) -> f64 {
        let lines = self.transactions as f64 / self.customers as f64;
        (lines / LINES_PER_ORDER - 1.0).max((lines - 1.0) / 4.0)
    }
}

/// Whether channels differ in purchase rate and dropout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// Each channel is a BG/NBD population of its own; an estimate over all channels then mixes four populations and
    /// belongs to none of them.
    ByChannel,
    /// Every channel has the same parameters: the whole base is one BG/NBD population, whose parameters an estimate
    /// must recover.
    One,
}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// How large.
    pub size: Size,
    /// Key of every random stream.
    pub seed: u64,
    /// Whether channels differ.
    pub population: Population,
}

/// A sales channel, before its purchase rate is scaled to the company's size.
struct ChannelKind {
    name: &'static str,
    share: f64,
    rate: f64,
    dropout: (f64, f64),
    demand: f64,
    calls_per_order: f64,
    visits_per_order: f64,
    days_to_pay: f64,
}

const CHANNEL_KINDS: [ChannelKind; 4] = [
    ChannelKind {
        name: "web",
        share: 0.55,
        rate: 1.0,
        dropout: (0.8, 2.6),
        demand: 0.8,
        calls_per_order: 0.1,
        visits_per_order: 0.0,
        days_to_pay: 3.0,
    },
    ChannelKind {
        name: "field",
        share: 0.15,
        rate: 2.0,
        dropout: (0.9, 6.0),
        demand: 1.6,
        calls_per_order: 0.4,
        visits_per_order: 0.25,
        days_to_pay: 35.0,
    },
    ChannelKind {
        name: "phone",
        share: 0.20,
        rate: 0.8,
        dropout: (0.7, 2.4),
        demand: 1.1,
        calls_per_order: 1.5,
        visits_per_order: 0.0,
        days_to_pay: 20.0,
    },
    ChannelKind {
        name: "partner",
        share: 0.10,
        rate: 1.5,
        dropout: (1.2, 4.5),
        demand: 0.9,
        calls_per_order: 0.2,
        visits_per_order: 0.05,
        days_to_pay: 45.0,
    },
];

/// Dropout parameters of [`Population::One`].
const ONE_DROPOUT: (f64, f64) = (0.8, 2.6);

/// Sales regions and their shares of customers.
pub(super) const REGIONS: [(&str, f64); 5] =
    [("north", 0.30), ("south", 0.25), ("east", 0.15), ("west", 0.20), ("overseas", 0.10)];

/// A sales channel with the parameters of its customers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Channel {
    /// Name, as in `customers` and `truth`.
    pub(super) name: &'static str,
    /// Probability that a customer buys through it.
    pub(super) share: f64,
    /// BG/NBD `α` in weeks: rates are Gamma(`r`, `α`) a week.
    pub(super) alpha: f64,
    /// BG/NBD `a`: dropout probabilities are Beta(`a`, `b`).
    pub(super) a: f64,
    /// BG/NBD `b`.
    pub(super) b: f64,
    /// Mean demandingness of its customers.
    pub(super) demand: f64,
    /// Calls an order causes at demandingness 1.
    pub(super) calls_per_order: f64,
    /// Sales visits an order causes at demandingness 1.
    pub(super) visits_per_order: f64,
    /// Mean days from an order to its payment.
    pub(super) days_to_pay: f64,
}

/// A company with all its parameters: what [`super::process`] draws customers from.
#[derive(Clone, Debug)]
pub(super) struct Company {
    pub(super) scenario: Scenario,
    pub(super) channels: Vec<Channel>,
    /// Expected orders of one customer within the span, its first included.
    pub(super) orders_per_customer: f64,
    /// Probability that a line of an order without promotion is returned.
    pub(super) return_probability: f64,
}

impl Company {
    /// The company whose expected number of orders suits the scenario's size, slowed down to `pace` of it.
    ///
    /// * `pace`: in (0, 1]; 1 unless the drawn orders turned out to be more than the lines can hold.
    pub(super) fn new(scenario: Scenario, pace: f64) -> Result<Self, GenerateError> {
        let repeat_orders = scenario.size.repeat_orders() * pace;
        // Where customers order often, the same dropout an order would empty the base within weeks.
        let orders_per_dropout = (repeat_orders / 3.0).max(1.0);
        let mut channels: Vec<Channel> = CHANNEL_KINDS
            .iter()
            .map(|kind| {
                let (rate, (a, b)) = match scenario.population {
                    Population::ByChannel => (kind.rate, kind.dropout),
                    Population::One => (1.0, ONE_DROPOUT),
                };
                Channel {
                    name: kind.name,
                    share: kind.share,
                    alpha: 1.0 / rate,
                    a,
                    b: b * orders_per_dropout,
                    demand: kind.demand,
                    calls_per_order: kind.calls_per_order,
                    visits_per_order: kind.visits_per_order,
                    days_to_pay: kind.days_to_pay,
                }
            })
            .collect();
        let scale = alpha_scale(&channels, repeat_orders)?;
        for channel in &mut channels {
            channel.alpha *= scale;
        }
        let orders_per_customer = 1.0 + repeat_orders;
        let lines = scenario.size.transactions as f64 / scenario.size.customers as f64;
        let returnable_orders = orders_per_customer * (1.0 - PROMOTION_SHARE);
        let return_probability = (RETURN_SHARE * lines / returnable_orders).min(MAX_RETURN_PROBABILITY);
        Ok(Self { scenario, channels, orders_per_customer, return_probability })
    }

    /// Day of the ledger (from 0) on which customer `index` or any later one can be acquired at the earliest.
    pub(super) fn earliest_acquisition(&self, index: u64) -> f64 {
        index as f64 / self.scenario.size.customers as f64 * ACQUISITION_DAYS
    }
}

/// Halvings of the interval that holds the scale: its relative error ends below 1e-9.
const BISECTIONS: u32 = 34;
/// Doublings tried on the way to that interval.
const DOUBLINGS: u32 = 30;

/// The factor on every channel's `α` at which a customer's expected repeat orders are `target`.
fn alpha_scale(channels: &[Channel], target: f64) -> Result<f64, GenerateError> {
    let rule = Rule::<8>::legendre();
    let weeks = f64::from(SPAN_WEEKS);
    let repeat_orders = |scale: f64| -> Result<f64, HypergeometricError> {
        let mut sum = 0.0;
        for channel in channels {
            // Acquired uniformly in the first half, a customer is observed for half the span up to all of it.
            for (observed, weight) in rule.on(0.5 * weeks, weeks) {
                let expected = expected_purchases(R, channel.alpha * scale, channel.a, channel.b, observed)?;
                sum += channel.share * expected * weight / (0.5 * weeks);
            }
        }
        Ok(sum)
    };
    let no_rate = || GenerateError::NoRate { orders_per_customer: 1.0 + target };
    // Without dropout the expectation is r t / α.
    let mut high = R * weeks / target;
    let mut low = high;
    let mut steps = 0;
    while repeat_orders(low)? < target || repeat_orders(high)? > target {
        (low, high, steps) = (low * 0.5, high * 2.0, steps + 1);
        if steps > DOUBLINGS {
            return Err(no_rate());
        }
    }
    for _ in 0..BISECTIONS {
        let middle = libm::sqrt(low * high);
        if repeat_orders(middle)? > target { low = middle } else { high = middle }
    }
    Ok(libm::sqrt(low * high))
}

/// Expected repeat purchases of a new customer within `t` weeks:
/// `(a+b−1)/(a−1) · (1 − (α/(α+t))^r ₂F₁(r, b; a+b−1; t/(α+t)))`, for `a ≠ 1`.
///
/// # Errors
/// [`HypergeometricError`] where ₂F₁ has no value.
///
/// Source: Fader, Hardie & Lee, "Counting your customers" the easy way (2005), equation 9.
pub(super) fn expected_purchases(r: f64, alpha: f64, a: f64, b: f64, t: f64) -> Result<f64, HypergeometricError> {
    let series = gauss(r, b, a + b - 1.0, t / (alpha + t))?;
    let unvisited = libm::exp(r * libm::log(alpha / (alpha + t)));
    Ok((a + b - 1.0) / (a - 1.0) * (1.0 - unvisited * series))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(customers: u64, transactions: u64) -> Scenario {
        Scenario { size: Size { customers, transactions }, seed: 1, population: Population::ByChannel }
    }

    /// The bisection's own error, ten times over.
    const SCALE_ERROR: f64 = 1e-8;

    #[test]
    fn the_purchase_rates_give_the_orders_that_the_size_asks_for() {
        for (customers, transactions, repeat) in [(1_000, 10_000, 3.0), (1_000, 2_000, 0.25), (10, 5_000, 199.0)] {
            let company = Company::new(scenario(customers, transactions), 1.0).unwrap();
            let rule = Rule::<32>::legendre();
            let mut expected = 0.0;
            for channel in &company.channels {
                for (t, weight) in rule.on(52.0, 104.0) {
                    let Channel { alpha, a, b, share, .. } = *channel;
                    expected += share * weight / 52.0 * expected_purchases(R, alpha, a, b, t).unwrap();
                }
            }
            assert!((expected / repeat - 1.0).abs() < SCALE_ERROR, "{customers}: {expected} is not {repeat}");
        }
    }

    /// Digits to which the limit below is reached at `b = 10⁶`.
    const LIMIT_ERROR: f64 = 1e-3;

    #[test]
    fn without_dropout_the_expectation_is_that_of_the_nbd() {
        let expected = expected_purchases(0.7, 5.0, 1.5, 1e6, 39.0).unwrap();
        assert!((expected - 0.7 * 39.0 / 5.0).abs() < LIMIT_ERROR, "{expected}");
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        assert!(matches!(Size { customers: 0, transactions: 5 }.check(), Err(GenerateError::NoCustomers)));
        assert!(matches!(
            Size { customers: 3, transactions: 5 }.check(),
            Err(GenerateError::TooFewTransactions { needed: 6, .. })
        ));
        assert!(matches!(
            Size { customers: 3, transactions: u64::MAX }.check(),
            Err(GenerateError::TooLarge { what: "transactions", .. })
        ));
        assert!(matches!(
            Size { customers: 3, transactions: 30_001 }.check(),
            Err(GenerateError::TooManyTransactions { limit: 30_000, .. })
        ));
        assert!(Size { customers: 3, transactions: 6 }.check().is_ok());
    }

    #[test]
    fn shares_of_channels_and_regions_sum_to_one() {
        let channels: f64 = CHANNEL_KINDS.iter().map(|kind| kind.share).sum();
        let regions: f64 = REGIONS.iter().map(|(_, share)| share).sum();
        assert!((channels - 1.0).abs() < 1e-12 && (regions - 1.0).abs() < 1e-12);
    }
}
