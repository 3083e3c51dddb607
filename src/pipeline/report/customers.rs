//! Columns of customers, added up: profit, cost to serve, P(alive), value.

use super::super::finished::{Finished, Rows, Scaled};
use crate::{
    publish::PublishError,
    report::page::{
        base::{Base, Known},
        result::Risk,
        value::{Value, bands, fan},
    },
    schema::{money::Currency, quantiles::DEFAULT_QUANTILES},
    units::MinorSum,
};

/// Money of `customer_profit_total` whose sums the report tells.
const SUMS: [&str; 17] = [
    "gross_sales",
    "returns",
    "discount",
    "net_revenue",
    "product_cost",
    "product_activity_cost",
    "cm1",
    "order_cost",
    "cm2",
    "customer_cost",
    "cm3",
    "below_cost",
    "capital_charge",
    "bad_debt",
    "commissions",
    "acquisition_cost",
    "economic_profit",
];

/// What stands between a customer's product margin and what is left of it: its cost to serve.
pub(in crate::pipeline) const COST_TO_SERVE: [&str; 3] = ["order_cost", "customer_cost", "below_cost"];

/// Sums of all customers, and three columns of theirs, in the order of the outputs.
pub(super) struct Profits {
    pub(super) sums: Vec<(&'static str, MinorSum)>,
    pub(super) sales: Vec<i64>,
    pub(super) cost: Vec<i64>,
    pub(super) profit: Vec<i64>,
}

/// From `customer_profit_total`; `None` when it was not written.
pub(super) fn profits(source: &Finished) -> Result<Option<Profits>, PublishError> {
    if source.columns("customer_profit_total").is_empty() {
        return Ok(None);
    }
    let mut found = Profits { sums: SUMS.map(|name| (name, 0)).to_vec(), sales: vec![], cost: vec![], profit: vec![] };
    source.each("customer_profit_total", &SUMS, |rows| {
        for (name, sum) in &mut found.sums {
            let column = rows.scaled(name)?;
            *sum += (0..rows.len()).map(|row| column.sum_of(row)).sum::<MinorSum>();
        }
        let (sales, profit) = (rows.scaled("net_revenue")?, rows.scaled("economic_profit")?);
        let costs = COST_TO_SERVE.iter().map(|name| rows.scaled(name)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..rows.len() {
            found.sales.push(sales.minor(row));
            found.profit.push(profit.minor(row));
            found.cost.push(costs.iter().map(|cost| cost.minor(row)).sum());
        }
        Ok(())
    })?;
    Ok(Some(found))
}

/// What is known of customers' future.
#[derive(Default)]
pub(super) struct Values {
    pub(super) base: Option<Base>,
    pub(super) risk: Option<Risk>,
    pub(super) value: Option<Value>,
    /// Growth potential of every customer; empty without a forecast.
    pub(super) growth: Vec<i64>,
}

/// From `customer_value`.
///
/// * `profits`: of the same customers, for the sales of those at risk.
pub(super) fn values(
    source: &Finished,
    profits: Option<&Profits>,
    smallest: u64,
    currency: &Currency,
) -> Result<Values, PublishError> {
    if source.manifest["forecast"].is_null() || source.columns("customer_value").is_empty() {
        return Ok(Values::default());
    }
    let (names, levels) = quantiles(source, "customer_value", "lifetime_value_p");
    let mut wanted = vec!["frequency", "recency", "age", "p_alive", "expected_value", "lifetime_value_mean"];
    wanted.push("growth_potential");
    wanted.extend(names.iter().map(String::as_str));
    let mut gathered = Gathered { fan: vec![Vec::new(); names.len()], ..Gathered::default() };
    source.each("customer_value", &wanted, |rows| gathered.add(rows, &names, profits))?;
    let unit = source.manifest["forecast"]["time_unit"].as_str().unwrap_or("day").to_owned();
    let value = (!gathered.expected.is_empty()).then(|| Value {
        bands: bands(&gathered.expected, currency, smallest),
        levels,
        fan: fan(&gathered.mean, &gathered.fan, smallest),
        ..Value::default()
    });
    let base = Base::of(&gathered.known, &unit);
    Ok(Values { risk: base.as_ref().map(|_| gathered.risk), base, value, growth: gathered.growth })
}

/// Names of a dataset's quantile columns and their probabilities, ascending.
pub(in crate::pipeline) fn quantiles(source: &Finished, dataset: &str, prefix: &str) -> (Vec<String>, Vec<f64>) {
    let is_quantile =
        |name: &String| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let names: Vec<String> = source.columns(dataset).into_iter().filter(is_quantile).collect();
    let asked = source.manifest["forecast"]["quantiles"].as_array();
    let levels: Vec<f64> = match asked {
        Some(levels) => levels.iter().filter_map(serde_json::Value::as_f64).collect(),
        None => DEFAULT_QUANTILES.iter().map(|quantile| quantile.level()).collect(),
    };
    if levels.len() == names.len() { (names, levels) } else { (Vec::new(), Vec::new()) }
}

#[derive(Default)]
struct Gathered {
    /// Rows seen.
    seen: usize,
    known: Vec<Known>,
    risk: Risk,
    expected: Vec<i64>,
    /// Simulated means, and a column a quantile, of customers that have them.
    mean: Vec<i64>,
    fan: Vec<Vec<i64>>,
    growth: Vec<i64>,
}

impl Gathered {
    fn add(&mut self, rows: &Rows, names: &[String], profits: Option<&Profits>) -> Result<(), PublishError> {
        let (frequency, recency, age) = (rows.integers("frequency")?, rows.floats("recency")?, rows.floats("age")?);
        let (alive, expected) = (rows.floats("p_alive")?, rows.scaled("expected_value")?);
        let (mean, growth) = (rows.scaled("lifetime_value_mean")?, rows.scaled("growth_potential")?);
        let fan = names.iter().map(|name| rows.scaled(name)).collect::<Result<Vec<Scaled<'_>>, _>>()?;
        for row in 0..rows.len() {
            self.growth.push(growth.minor(row));
            self.expected.extend(expected.at(row).map(|value| value as i64));
            if mean.at(row).is_some() {
                self.mean.push(mean.minor(row));
                self.fan.iter_mut().zip(&fan).for_each(|(column, quantile)| column.push(quantile.minor(row)));
            }
            let known = frequency.at(row).zip(recency.at(row)).zip(age.at(row)).zip(alive.at(row));
            if let Some((((frequency, recency), age), p_alive)) = known {
                self.known.push(Known { frequency, silent: age - recency, p_alive });
                self.risk.known += 1;
                if p_alive < 0.5 {
                    self.risk.customers += 1;
                    let sales = profits.and_then(|profits| profits.sales.get(self.seen + row));
                    self.risk.net_revenue += sales.map_or(0, |sales| MinorSum::from(*sales));
                }
            }
        }
        self.seen += rows.len();
        Ok(())
    }
}
