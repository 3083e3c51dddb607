//! Profit and cost of objects other than customers, as columns of the output datasets.

use std::{ops::Range, sync::Arc};

use super::{
    cost_labels::CostLabels,
    objects::{ObjectBalance, ObjectResults},
    tables::{integers, labels, scaled},
};
use crate::{
    allocate::CostPlan,
    publish::dataset::Values,
    schema::{costing::Layer, objects::CostObject, period::ALL, settings::Settings},
    units::{Minor, MinorSum},
};

impl ObjectResults {
    /// Sums of a cell column by object; the last one is that of lines without an object, when there are any.
    fn by_object(&self, column: &[i64]) -> Vec<i64> {
        let mut sums: Vec<MinorSum> = vec![0; self.listed()];
        for (object, value) in self.objects.cells.customer.iter().zip(column) {
            sums[*object as usize] += MinorSum::from(*value);
        }
        // What leaves 64 bits is refused by the writer, which takes 18 digits.
        sums.into_iter().map(|sum| sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64).collect()
    }

    /// Objects with an id, and one more when there are lines without one.
    fn listed(&self) -> usize {
        let last = self.objects.cells.customer.last().map_or(0, |object| *object as usize + 1);
        self.objects.rows.len().max(last)
    }

    fn layers(&self) -> [&[Minor]; 8] {
        let margins = &self.margins;
        [
            &margins.product_activity_cost,
            &margins.cm1,
            &margins.order_cost,
            &margins.cm2,
            &margins.customer_cost,
            &margins.cm3,
            &margins.below_cost,
            &margins.economic_profit,
        ]
    }

    /// Margin of every object.
    pub(super) fn margin_by_object(&self) -> Vec<Minor> {
        self.by_object(&self.margins.economic_profit)
    }

    /// `product_profit`: sums over periods.
    pub(super) fn product_columns(&self) -> Vec<Values> {
        let cells = &self.objects.cells;
        let sum = |column: &[i64]| scaled(&self.by_object(column));
        let mut columns = vec![Values::Ids((0..self.listed() as u32).collect())];
        let sold =
            [&cells.gross_sales, &cells.returns, &cells.discount, &self.margins.net_revenue, &cells.product_cost];
        columns.extend(sold.into_iter().map(|column| sum(column)));
        columns.extend(self.layers().into_iter().map(sum));
        let lines: Vec<i64> = cells.lines.iter().map(|lines| *lines as i64).collect();
        columns.push(integers(self.by_object(&lines).into_iter()));
        columns.push(sum(&cells.units));
        let buyers = self.objects.buyers.as_deref().unwrap_or_default();
        let count = |of: &dyn Fn(usize) -> Option<u64>| {
            Values::Integer((0..self.listed()).map(|row| of(row).map(|count| count as i64)).collect())
        };
        columns.push(count(&|row| buyers.get(row).map(|buyers| buyers.customers)));
        columns.push(count(&|row| buyers.get(row).map(|buyers| buyers.entered)));
        columns
    }

    /// `object_profit`: one row a cell.
    pub(super) fn object_columns(&self, settings: &Settings) -> Vec<Values> {
        let cells = &self.objects.cells;
        let (period, names) = labels(&cells.period, settings);
        let mut columns =
            vec![Values::Ids(cells.customer.clone()), self.owners(&cells.customer), Values::Label(period, names)];
        let sold =
            [&cells.gross_sales, &cells.returns, &cells.discount, &self.margins.net_revenue, &cells.product_cost];
        columns.extend(sold.into_iter().map(|column| scaled(column)));
        columns.extend(self.layers().into_iter().map(scaled));
        let rows = 0..cells.len();
        let economic = |of: &dyn Fn(usize, Minor) -> Minor| {
            let value = |row: usize| self.economic.as_ref().map(|economic| of(row, economic[row]));
            Values::Scaled(rows.clone().map(value).collect())
        };
        columns.push(economic(&|_, cost| cost));
        columns.push(economic(&|row, cost| self.margins.economic_profit[row].saturating_sub(cost)));
        columns.push(integers(cells.orders.iter().map(|orders| *orders as i64)));
        columns.push(integers(cells.lines.iter().map(|lines| *lines as i64)));
        columns.push(scaled(&cells.units));
        columns
    }

    /// Labels that all parts of `object_cost` share.
    ///
    /// * `customers`: the plan of the customers.
    pub(super) fn labels(&self, customers: &CostPlan, settings: &Settings) -> CostLabels {
        CostLabels::new(&self.objects.cells.period, customers, settings)
    }

    /// One part of `object_cost`.
    pub(super) fn cost_columns(
        &self,
        settings: &Settings,
        labels: &CostLabels,
        range: Range<usize>,
    ) -> (Vec<Values>, usize) {
        let cells = &self.objects.cells;
        let costs = self.plan.chunk(&self.ground(settings), range.clone());
        let start = range.start;
        let found = |at: usize, number: usize| {
            let carried = self.quantities.get(number).map_or(0, |column| column[start + at]);
            let own = if self.stays[number].is_some() { 0 } else { costs.quantities[number][at] };
            (if carried == 0 { own } else { carried }, costs.amounts[number][at])
        };
        let (mut columns, rows) = labels.columns(&cells.customer, range, found);
        let owners = match columns.first() {
            Some(Values::Ids(objects)) => self.owners(objects),
            _ => self.owners(&[]),
        };
        columns.insert(1, owners);
        (columns, rows)
    }

    /// Whose each of some orders is; nobody's of other objects.
    fn owners(&self, objects: &[u32]) -> Values {
        Values::Customers(objects.to_vec(), Arc::clone(&self.objects.owners))
    }

    /// `product_balance` and `object_balance`.
    pub(super) fn balance_columns(&self, settings: &Settings) -> Vec<Values> {
        let rows = &self.balances;
        let setting = |row: &ObjectBalance| self.settings[row.activity].under(row.customers.rule);
        let text = |of: &dyn Fn(&ObjectBalance) -> Option<String>| Values::Text(rows.iter().map(of).collect());
        let money =
            |of: &dyn Fn(&ObjectBalance) -> Minor| Values::Scaled(rows.iter().map(|row| Some(of(row))).collect());
        let sum = |of: &dyn Fn(&ObjectBalance) -> MinorSum| Values::Sum(rows.iter().map(|row| Some(of(row))).collect());
        let label = |row: &ObjectBalance| {
            row.customers.period.map_or_else(|| ALL.to_owned(), |period| settings.period.label(period))
        };
        let reason = |row: &ObjectBalance| self.stays[row.activity].as_ref().map(ToString::to_string);
        vec![
            text(&|row| Some(self.plan.activities[row.activity].name.clone())),
            text(&|row| Some(label(row))),
            text(&|row| Some(setting(row).level.as_str().to_owned())),
            text(&|row| Some(Layer::as_str(setting(row).layer).to_owned())),
            text(&|row| Some(setting(row).method.as_str().to_owned())),
            text(&|row| row.customers.driver(&setting(row).method)),
            money(&|row| row.customers.own),
            money(&|row| row.customers.received),
            money(&|row| row.customers.sent),
            money(&|row| row.allocated),
            money(&|row| row.stays),
            text(&reason),
            money(&|row| row.customers.unused + row.own[0]),
            money(&|row| row.customers.over_driven + row.own[1]),
            money(&|row| row.customers.under_absorbed + row.own[2]),
            sum(&ObjectBalance::unassigned),
            sum(&ObjectBalance::residual),
        ]
    }

    /// What the objects are.
    pub(super) fn kind(&self) -> CostObject {
        self.objects.kind
    }
}

impl ObjectBalance {
    /// What nobody bears.
    pub(super) fn unassigned(&self) -> MinorSum {
        self.customers.unassigned_total() + MinorSum::from(self.own[3])
    }

    /// What came less what became of it: zero.
    pub(super) fn residual(&self) -> MinorSum {
        let sum = |of: &[Minor]| of.iter().map(|amount| MinorSum::from(*amount)).sum::<MinorSum>();
        let balance = &self.customers;
        let parts = [balance.unused, balance.over_driven, balance.under_absorbed];
        sum(&[balance.own, balance.received])
            - sum(&[balance.sent, self.allocated, self.stays])
            - sum(&parts)
            - sum(&self.own)
            - balance.unassigned_total()
    }
}
