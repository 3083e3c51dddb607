//! Our part of the market, and customers still to be won, as columns.

use super::{Ledgers, foretold::Valuation, worlds::World};
use crate::{
    contract::ContractError,
    equity::market::{self, MarketShare},
    forecast::predict,
    publish::dataset::Values,
    schema::equity::{MarketValue, Part, PlannedCustomers},
    units::{Minor, MinorSum, QUANTITY_SCALE},
};

impl Ledgers {
    /// Every part of the market, what our customers in it are worth, and what the others' are; nothing without the table.
    ///
    /// All customers are the sum of the segments where the table gives each of them, in one way, and not all, and no row of it was
    /// set aside.
    ///
    /// * `expected`: value of every customer, minor units.
    fn market(&self, expected: &[Minor]) -> Vec<(Part, MinorSum, Vec<MarketValue>)> {
        let ledgers = self;
        let Some(market) = &ledgers.ahead.plans.market else { return Vec::new() };
        let mut own = vec![0; ledgers.segment_names.len()];
        for (segment, value) in ledgers.segment_of.iter().zip(expected) {
            own[usize::from(*segment)] += MinorSum::from(*value);
        }
        let all: MinorSum = own.iter().sum();
        let mut parts: Vec<(Part, MinorSum, Vec<MarketValue>)> = market
            .chunk_by(|a, b| a.part == b.part)
            .map(|rows| {
                let own = if let Part::Segment(number) = rows[0].part { own[usize::from(number)] } else { all };
                (rows[0].part, own, rows.to_vec())
            })
            .collect();
        let whole = market.iter().all(|row| row.competitor.is_none());
        let alike = whole || market.iter().all(|row| row.competitor.is_some());
        if alike
            && ledgers.ahead.plans.market_is_whole
            && ledgers.segment.is_some()
            && parts.len() == own.len()
            && parts[0].0 != Part::All
        {
            let mut rows: Vec<MarketValue> = Vec::new();
            let mut sorted: Vec<&MarketValue> = market.iter().collect();
            sorted.sort_by(|a, b| a.competitor.cmp(&b.competitor));
            for of in sorted.chunk_by(|a, b| a.competitor == b.competitor) {
                let customers = of.iter().map(|row| row.customers).try_fold(0_i64, |sum, own| sum.checked_add(own?));
                let equity = of.iter().map(|row| row.equity).sum();
                rows.push(MarketValue { part: Part::All, competitor: of[0].competitor.clone(), customers, equity });
            }
            parts.insert(0, (Part::All, all, rows));
        }
        parts
    }

    /// That no part of the market is worth less as a whole than our customers in it.
    ///
    /// * `expected`: value of every customer, minor units.
    ///
    /// # Errors
    /// [`ContractError::Setting`] where one is.
    pub(super) fn check_market(&self, expected: &[Minor]) -> Result<(), ContractError> {
        let market = self.market(expected);
        let less = |(_, own, rows): &&(Part, MinorSum, Vec<MarketValue>)| {
            rows.iter().any(|row| row.competitor.is_none() && row.equity < *own)
        };
        let found = market.iter().filter(less).count();
        if found == 0 {
            return Ok(());
        }
        let what = format!(
            "market: in {found} of {} parts the whole market is worth less than our customers in it: give what all customers \
             are worth, ours included, to the horizon of the forecast, or name competitors",
            market.len()
        );
        Err(ContractError::Setting(what))
    }
}

impl World<'_> {
    /// The market of this world; nothing without a forecast.
    pub(super) fn market(&self) -> Vec<(Part, MinorSum, Vec<MarketValue>)> {
        self.expected_by_customer().map_or_else(Vec::new, |expected| self.found.ledgers.market(&expected))
    }

    /// `equity_share`.
    pub(super) fn equity_share_columns(&self) -> Vec<Values> {
        let ledgers = &self.found.ledgers;
        let market = self.market();
        let mut rows: Vec<(&str, &str, i64, MarketShare<'_>)> = Vec::new();
        for (part, own, others) in &market {
            let (segmentation, name, customers) = match part {
                Part::Segment(number) => {
                    let count = ledgers.segment_of.iter().filter(|segment| *segment == number).count();
                    ("segment", ledgers.segment_names[usize::from(*number)].as_str(), count)
                }
                Part::All | Part::Channel(_) => ("all", "all", self.customers()),
            };
            let shares = market::shares(*own, others).into_iter();
            rows.extend(shares.map(|share| (segmentation, name, customers as i64, share)));
        }
        let count = |(.., customers, share): &(&str, &str, i64, MarketShare<'_>)| {
            if share.who == "(own)" { customers.checked_mul(QUANTITY_SCALE) } else { share.customers }
        };
        vec![
            Values::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.1.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.3.who.to_owned())).collect()),
            Values::Scaled(rows.iter().map(count).collect()),
            Values::Sum(rows.iter().map(|row| Some(row.3.equity)).collect()),
            Values::Float(rows.iter().map(|row| row.3.share).collect()),
        ]
    }

    /// Rows of the plan with what they are worth; nothing without a forecast of new customers.
    fn planned(&self) -> Vec<Planned<'_>> {
        let ledgers = &self.found.ledgers;
        let forecast = self.settings.forecast.as_ref().zip(self.found.value.as_ref());
        let (Some(plan), Some((setting, value))) = (&ledgers.ahead.plans.acquisition, forecast) else {
            return Vec::new();
        };
        if value.new_customers.is_empty() {
            return Vec::new();
        }
        let per_major = self.settings.currency.minor_per_major() as f64;
        let mut rows: Vec<Planned<'_>> = Vec::with_capacity(plan.len());
        for row in plan {
            let (by, group) = self.named(row.part);
            let each = expected_of(value, by, group);
            let days = f64::from(row.date) - f64::from(ledgers.as_of);
            let factor = predict::timing_in_days(setting).factor(days);
            let (worth, cost) = market::planned(row.customers, each.unwrap_or(0.0), row.cost, factor, per_major);
            rows.push(Planned { row, by, group, each, factor, value: each.map(|_| worth), cost });
        }
        rows.sort_by_key(|planned| (planned.by, planned.group, planned.row.date));
        rows
    }

    /// What a part is called: way of grouping, and group.
    fn named(&self, part: Part) -> (&'static str, &str) {
        let ledgers = &self.found.ledgers;
        match part {
            Part::All => ("all", "all"),
            Part::Segment(number) => ("segment", &ledgers.segment_names[usize::from(number)]),
            Part::Channel(number) => {
                let names = ledgers.of_forecast.get("channel").map_or(&[] as &[String], |(names, _)| names);
                ("channel", names.get(usize::from(number)).map_or("(none)", String::as_str))
            }
        }
    }

    /// `acquisition_value`.
    pub(super) fn acquisition_columns(&self) -> Vec<Values> {
        let per_major = self.settings.currency.minor_per_major() as f64;
        let rows = self.planned();
        let each = |value: f64| (value * per_major).round_ties_even() as Minor;
        let scaled = |of: &dyn Fn(&Planned<'_>) -> Option<Minor>| Values::Scaled(rows.iter().map(of).collect());
        vec![
            Values::Text(rows.iter().map(|planned| Some(planned.by.to_owned())).collect()),
            Values::Text(rows.iter().map(|planned| Some(planned.group.to_owned())).collect()),
            Values::Date(rows.iter().map(|planned| Some(planned.row.date)).collect()),
            scaled(&|planned| Some(planned.row.customers)),
            scaled(&|planned| planned.each.map(each)),
            Values::Float(rows.iter().map(|planned| Some(planned.factor)).collect()),
            scaled(&|planned| planned.value),
            scaled(&|planned| Some(planned.cost)),
            scaled(&|planned| planned.value.map(|value| value - planned.cost)),
        ]
    }

    /// Rows of the plan that nothing can be told of, and all.
    pub(super) fn untold_plan(&self) -> (usize, usize) {
        let rows = self.planned();
        (rows.iter().filter(|planned| planned.value.is_none()).count(), rows.len())
    }

    /// Columns of the plan in `customer_equity`: of an empty one zero. What nobody knows the value of has no cost either: the sum would be of the cost
    /// alone.
    pub(super) fn plan_total_columns(&self) -> [Values; 4] {
        let mut rows = self.planned();
        let plan = &self.found.ledgers.ahead.plans.acquisition;
        let is_empty = self.found.value.is_some() && plan.as_ref().is_some_and(Vec::is_empty);
        rows.retain(|planned| planned.value.is_some());
        let customers: i128 = rows.iter().map(|planned| i128::from(planned.row.customers)).sum();
        let value: MinorSum = rows.iter().filter_map(|planned| planned.value).map(MinorSum::from).sum();
        let cost: MinorSum = rows.iter().map(|planned| MinorSum::from(planned.cost)).sum();
        let with = self.expected_total().map(|expected| expected + value - cost);
        let told = is_empty || !rows.is_empty();
        [Some(customers), Some(value), Some(cost), with].map(|sum| Values::Sum(vec![sum.filter(|_| told)]))
    }
}

/// A row of the plan with what it is worth at `as_of`.
struct Planned<'a> {
    row: &'a PlannedCustomers,
    by: &'static str,
    group: &'a str,
    /// What one such customer is expected to be worth, major units.
    each: Option<f64>,
    factor: f64,
    value: Option<Minor>,
    cost: Minor,
}

/// What the next customer of a group is expected to contribute, major units; `None` where nobody of the group has a purchase.
pub(super) fn expected_of(value: &Valuation, by: &str, group: &str) -> Option<f64> {
    let grouped = value.new_customers.iter().find(|grouped| grouped.by == by)?;
    let at = grouped.names.iter().position(|name| name == group)?;
    Some(grouped.expected[at].value)
}
