//! Every order of every customer: what its lines add up to, for quantities that are worked out order by order.
//!
//! The same fold as by customer, under keys of customer and order together. Memory grows with distinct orders, not with
//! lines.

use super::{
    FactsError, Layout, LedgerSummary,
    assemble::DriverSource,
    packed::{Packed, sum},
};
use crate::{
    numeric::keys::{Key, KeyIndex, Keys, TextColumn},
    schema::{
        facts::{Cells, NO_DAY},
        lines::LineBatch,
        period::{Period, PeriodKind},
        settings::ReturnsPolicy,
    },
    units::Quantity,
};

/// Summary of any slice of the ledger by customer and order.
#[derive(Debug)]
pub struct OrderSummary {
    summary: LedgerSummary,
    period: PeriodKind,
}

/// Orders with a purchase line, sorted by customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderSums {
    /// Row of the customer.
    pub customer: Vec<u32>,
    /// Period of the order's first purchase day.
    pub period: Vec<Period>,
    /// Sums of additive drivers over the order's lines, one column a driver.
    pub drivers: Vec<Vec<Quantity>>,
}

impl OrderSummary {
    /// An empty summary.
    ///
    /// * `layout`: of the summary by customer: an order has its additive drivers, and the period of its first purchase.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let own = Layout { period: PeriodKind::Whole, distinct: 0, ..layout };
        Self { summary: LedgerSummary::new(own, &Keys::Text(TextColumn::default())), period: layout.period }
    }

    /// Packs a batch of accepted lines for this summary.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when the lines of one order leave 64 bits.
    pub fn pack(&self, mut lines: LineBatch) -> Result<Packed, FactsError> {
        let mut keys = TextColumn::default();
        let mut key = Vec::new();
        for (row, order) in lines.order.iter().enumerate() {
            key.clear();
            match lines.customer.get(row) {
                Key::Int(id) => key.extend_from_slice(&id.to_le_bytes()),
                Key::Text(id) => key.extend_from_slice(id),
            }
            key.extend_from_slice(&order.to_le_bytes());
            keys.push(&key);
        }
        lines.customer = Keys::Text(keys);
        // Its order is the key already.
        lines.order.fill(0);
        self.summary.pack(&lines)
    }

    /// Adds a wave of packed lines, in parallel over partitions.
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range; the summary must then be dropped.
    pub fn fold(&mut self, wave: &[Packed]) -> Result<(), FactsError> {
        self.summary.fold(wave)
    }

    /// The orders, each with its customer; an order without a purchase line is none.
    ///
    /// * `customers`: ids of the run's customers, of the kind of the lines' ids.
    /// * `drivers`: where the columns come from, as for the customers; other than additive ones are zero.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when sales net of returns leave 64 bits.
    pub fn finish(
        self,
        returns: ReturnsPolicy,
        customers: &Keys,
        drivers: &[DriverSource],
    ) -> Result<OrderSums, FactsError> {
        let kind = self.period;
        let additive = |source: &DriverSource| match source {
            DriverSource::Added(_) => *source,
            DriverSource::Distinct { .. } | DriverSource::Table => DriverSource::Table,
        };
        let sources: Vec<DriverSource> = drivers.iter().map(additive).collect();
        let (orders, cells) = self.summary.finish(returns, &sources)?;
        let index = KeyIndex::new(customers);
        let owner = |cell: usize| {
            let Key::Text(key) = orders.ids.get(cells.customer[cell] as usize) else { return None };
            let (id, _) = key.split_last_chunk::<8>()?;
            match customers {
                Keys::Int(_) => index.get(Key::Int(i64::from_le_bytes(*id.first_chunk()?))),
                Keys::Text(_) => index.get(Key::Text(id)),
            }
        };
        let bought = (0..cells.len()).filter(|cell| cells.first_purchase[*cell] != NO_DAY);
        let mut rows: Vec<(u32, usize)> = bought.filter_map(|cell| Some((owner(cell)?, cell))).collect();
        rows.sort_unstable();
        Ok(OrderSums {
            customer: rows.iter().map(|(customer, _)| *customer).collect(),
            period: rows.iter().map(|(_, cell)| kind.of(cells.first_purchase[*cell])).collect(),
            drivers: cells.drivers.iter().map(|column| picked(column, &rows)).collect(),
        })
    }
}

fn picked(column: &[Quantity], rows: &[(u32, usize)]) -> Vec<Quantity> {
    rows.iter().map(|(_, cell)| column[*cell]).collect()
}

/// Sums of additive drivers of rows that are orders already, one a row and period: in the period of its first purchase line
/// an order has those of all its periods; one without a purchase line is none.
///
/// # Errors
/// [`FactsError::Overflow`] when a sum leaves 64 bits.
pub fn of_cells(cells: &Cells) -> Result<OrderSums, FactsError> {
    let mut sums = OrderSums { drivers: vec![Vec::new(); cells.drivers.len()], ..OrderSums::default() };
    let all: Vec<usize> = (0..cells.len()).collect();
    for order in all.chunk_by(|a, b| cells.customer[*a] == cells.customer[*b]) {
        let Some(first) = order.iter().find(|cell| cells.first_purchase[**cell] != NO_DAY) else { continue };
        sums.customer.push(cells.customer[*first]);
        sums.period.push(cells.period[*first]);
        for (sums, column) in sums.drivers.iter_mut().zip(&cells.drivers) {
            let total = order.iter().try_fold(0, |total, cell| sum(total, column[*cell], "driver quantity"))?;
            sums.push(total);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::schema::lines::PURCHASE;

    /// Customer, order, day, whether it is a purchase, what it adds.
    type Line = (u8, u8, i32, bool, i64);

    fn batch(lines: &[Line], ids: &Keys) -> LineBatch {
        let mut batch = LineBatch::with_capacity(ids, 1, lines.len());
        for &(customer, order, day, purchase, adds) in lines {
            let text = "0".repeat(usize::from(customer));
            batch.customer.push(match ids {
                Keys::Int(_) => Key::Int(i64::from(customer) - 3),
                Keys::Text(_) => Key::Text(text.as_bytes()),
            });
            batch.day.push(day);
            batch.order.push(u64::from(order) * 0x30);
            batch.amount.push(if purchase { 100 } else { -100 });
            batch.discount.push(0);
            batch.product_cost.push(0);
            batch.quantity.push(1_000_000);
            batch.mask.push(if purchase { PURCHASE } else { 0 });
            batch.added[0].push(adds);
        }
        batch
    }

    proptest! {
        #[test]
        fn orders_are_those_of_a_customer_whatever_the_ids_the_order_of_lines_and_the_cut(
            lines in prop::collection::vec((1..6_u8, 0..4_u8, 0..90_i32, any::<bool>(), 0..50_i64), 1..120),
            step in 1..40_usize,
        ) {
            let mut plain: BTreeMap<(u8, u8), (Option<i32>, i64)> = BTreeMap::new();
            for &(customer, order, day, purchase, adds) in &lines {
                let (first, sum) = plain.entry((customer, order)).or_default();
                *sum += adds;
                if purchase {
                    *first = Some(first.map_or(day, |first| first.min(day)));
                }
            }
            let of: BTreeSet<u8> = lines.iter().map(|line| line.0).collect();
            let number = |customer: u8| of.iter().position(|known| *known == customer).unwrap() as u32;
            let mut expected: Vec<(u32, Period, i64)> = plain
                .iter()
                .filter_map(|((customer, _), (first, sum))| {
                    Some((number(*customer), PeriodKind::Month.of((*first)?), *sum))
                })
                .collect();
            expected.sort_unstable();
            for ids in [Keys::Int(Vec::new()), Keys::Text(TextColumn::default())] {
                let layout = Layout { period: PeriodKind::Month, added: 1, distinct: 0 };
                let mut summary = OrderSummary::new(layout);
                let mut customers = LedgerSummary::new(layout, &ids);
                for part in lines.chunks(step) {
                    let batch = batch(part, &ids);
                    customers.insert(std::slice::from_ref(&batch)).unwrap();
                    let packed = summary.pack(batch).unwrap();
                    summary.fold(&[packed]).unwrap();
                }
                let drivers = [DriverSource::Added(0)];
                let (customers, _) = customers.finish(ReturnsPolicy::Separate, &drivers).unwrap();
                let found = summary.finish(ReturnsPolicy::Separate, &customers.ids, &drivers).unwrap();
                let mut rows: Vec<(u32, Period, i64)> = found
                    .customer
                    .iter()
                    .zip(&found.period)
                    .zip(&found.drivers[0])
                    .map(|((customer, period), sum)| (*customer, *period, *sum))
                    .collect();
                rows.sort_unstable();
                prop_assert_eq!(&rows, &expected);
            }
        }
    }
}
