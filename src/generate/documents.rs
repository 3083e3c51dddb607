//! What stands beside the tables: the config that runs the company, its true parameters, and a page about it.

use std::fmt::Write as _;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::Summary;
use super::company::{
    ACQUISITION_DAYS, AS_OF, Company, LINES_PER_CUSTOMER, PROMOTION_SHARE, Population, R, SPAN_WEEKS, SPEND_RATE_SCALE,
    SPEND_RATE_SHAPE, SPEND_SHAPE, START,
};
use super::costs::{ACTIVITIES, Driver};
use super::customers::HORIZON_WEEKS;
use super::error::{GenerateError, io};
use crate::schema::period::format_day;

/// Writes `parameters.json`, `README.md` and `whalecurve.yaml` into `dir`.
pub(super) fn write(company: &Company, summary: &Summary, dir: &Utf8Path) -> Result<(), GenerateError> {
    let parameters = serde_json::to_string_pretty(&parameters(company, summary))? + "\n";
    for (name, text) in
        [("parameters.json", parameters), ("README.md", readme(company, summary)), ("whalecurve.yaml", config(summary))]
    {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(io(&path))?;
    }
    Ok(())
}

fn parameters(company: &Company, summary: &Summary) -> Value {
    let channels: Vec<Value> = company
        .channels
        .iter()
        .map(|channel| {
            json!({
                "channel": channel.name,
                "share": channel.share,
                "alpha": channel.alpha,
                "a": channel.a,
                "b": channel.b,
                "mean_demandingness": channel.demand,
                "calls_per_order": channel.calls_per_order,
                "visits_per_order": channel.visits_per_order,
                "mean_days_to_pay": channel.days_to_pay,
            })
        })
        .collect();
    let rates: Vec<Value> =
        ACTIVITIES.iter().map(|activity| json!({"activity": activity.name, "rate": rate(activity)})).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": company.scenario.seed,
        "customers": summary.customers,
        "transactions": summary.transactions,
        "population": match company.scenario.population {
            Population::ByChannel => "by_channel",
            Population::One => "one",
        },
        "start": format_day(START),
        "as_of": format_day(AS_OF),
        "span_weeks": SPAN_WEEKS,
        "time_unit": "week",
        "bg_nbd": { "r": R, "channels": channels },
        "gamma_gamma": { "p": SPEND_SHAPE, "q": SPEND_RATE_SHAPE, "gamma": SPEND_RATE_SCALE },
        "expected_orders_per_customer": company.orders_per_customer,
        "return_probability_per_order": company.return_probability,
        "promotion_share": PROMOTION_SHARE,
        "unit_rates": rates,
    })
}

/// The true unit rate in words.
fn rate(activity: &super::costs::Activity) -> String {
    let major = activity.rate as f64 / 100.0;
    match activity.driver {
        Driver::Revenue => format!("{:.1} % of net revenue", activity.rate as f64 / 10.0),
        Driver::Average => format!("{major:.2} a customer"),
        // The only driver that is counted in parts of its unit: tenths of a minute.
        Driver::Table("picking_minutes") => format!("{:.2} a unit of picking_minutes", major * 10.0),
        Driver::Table(name) | Driver::Ledger(name, _) => format!("{major:.2} a unit of {name}"),
    }
}

fn config(summary: &Summary) -> String {
    let mut drivers = String::new();
    for activity in &ACTIVITIES {
        if let Driver::Ledger(name, definition) = activity.driver {
            // Writing to a String cannot fail.
            let _ = writeln!(drivers, "  {name}: {definition}");
        }
    }
    format!(
        "\
version: 1
name: Generated company, seed {seed}
currency: EUR
as_of: {as_of}
seed: {seed}

inputs:
  transactions:
    path: transactions
    columns:
      customer_id: customer_id
      date: date
      order_id: order_id
      amount: amount
      quantity: quantity
      discount: discount
      product_id: product_id
  customers: {{path: customers, columns: {{customer_id: customer_id, segment: channel}}}}
  products: {{path: products, columns: {{product_id: product_id, unit_cost: unit_cost}}}}
  pools: {{path: pools, columns: {{activity: activity, amount: amount, capacity: practical_capacity}}}}
  activities: {{path: activities, columns: {{activity: activity, level: level, method: method, driver: driver}}}}
  driver_quantities:
    path: driver_quantities
    columns: {{customer_id: customer_id, driver: driver, quantity: quantity}}
  receivables: {{path: receivables, columns: {{customer_id: customer_id, balance: balance}}}}
  referrals: {{path: referrals, columns: {{referrer: referrer_id, referred: referred_id, date: date}}}}

drivers:
{drivers}
capital_charge: {{rate_per_year: 0.10}}

forecast:
  model: bg_nbd
  spend: gamma_gamma
  time_unit: week
  horizon: {horizon} weeks
  discount_rate_per_year: 0.10
",
        seed = summary.seed,
        as_of = format_day(AS_OF),
        horizon = HORIZON_WEEKS,
    )
}

fn readme(company: &Company, summary: &Summary) -> String {
    let mut channels = String::new();
    for channel in &company.channels {
        let _ = writeln!(
            channels,
            "| {} | {} | {R} | {:.6} | {} | {:.6} |",
            channel.name, channel.share, channel.alpha, channel.a, channel.b
        );
    }
    let mut activities = String::new();
    for (activity, pool) in ACTIVITIES.iter().zip(&summary.pools) {
        let _ =
            writeln!(activities, "| {} | {} | {} | {} |", activity.name, activity.level, rate(activity), money(pool));
    }
    let mixing = match company.scenario.population {
        Population::ByChannel => {
            "Each channel is a population of its own: an estimate over all customers mixes four populations and is the \
             truth of none of them; estimate by channel to recover the parameters."
        }
        Population::One => "All channels share their parameters: an estimate over all customers must recover them.",
    };
    format!(
        "\
# A generated company

{customers} customers, {transactions} ledger lines, seed {seed}, whalecurve {version}. Synthetic: no line of it is about
anybody. The same size, seed and version give the same bytes. Run it with `whalecurve run whalecurve.yaml`.

## Process

The ledger spans {SPAN_WEEKS} weeks, {start} to {as_of}. Customers are acquired evenly over the first {acquisition} days,
with their first order. Then BG/NBD (Fader, Hardie & Lee 2005): while alive a customer orders at rate λ ~ Gamma(r, α) a
week, and drops out after each repeat order (never after the first) with probability p ~ Beta(a, b). An order's spend is
Gamma(p, ν) with ν ~ Gamma(q, γ), independent of the rate: p {SPEND_SHAPE}, q {SPEND_RATE_SHAPE}, γ {SPEND_RATE_SCALE}
(Fader & Hardie 2013). Times are continuous; the ledger has the day. Two orders of one day
are one purchase day, so estimates from purchase days find rates low, by more the more often customers order.

| channel | share | r | α | a | b |
|---|---|---|---|---|---|
{channels}
{mixing}

Expected orders a customer: {orders:.4}. An order's spend is split exactly over its lines; `amount` is before `discount`,
net revenue is amount less discount. Returns are lines with negative amount and quantity, 1 to 30 days after their
order, with the order's `order_id`, at most one an order and none of discounted orders. A company has at least
{LINES_PER_CUSTOMER} lines a customer.

## Costs

Demandingness is lognormal over customers, with a mean of its own for each channel; deliveries, expedites, calls, visits
and picking time follow from it and from orders. `truth` has every customer's true cost: quantity × unit rate. A pool's
`amount` pays for capacity, of which customers `used` a part.

| activity | level | true rate | used of pool |
|---|---|---|---|
{activities}
`parameters.json` has all parameters; `truth` has each customer's rate (λ), dropout (p), whether it is alive at the end,
mean spend (p/ν), and its expected purchases in the {HORIZON_WEEKS} weeks after, given those: (1 − exp(−λpt))/p.
",
        customers = summary.customers,
        transactions = summary.transactions,
        seed = summary.seed,
        version = env!("CARGO_PKG_VERSION"),
        start = format_day(START),
        as_of = format_day(AS_OF),
        acquisition = ACQUISITION_DAYS,
        orders = company.orders_per_customer,
    )
}

/// `used of amount` in major units.
fn money(pool: &super::Pool) -> String {
    let major = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    format!("{} of {}", major(pool.used), major(pool.amount))
}
