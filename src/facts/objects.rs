//! Facts by another key than the customer: the same fold, with the object's id in the customer's place.

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    FactsError, Layout, LedgerSummary,
    assemble::DriverSource,
    buyers::{Pairs, ScatteredPairs},
    by_price::{ByPrice, PriceGroups},
    owned,
    packed::Packed,
};
use crate::{
    numeric::keys::{Key, Keys, TextColumn, published_hash},
    schema::{
        facts::Cells,
        lines::LineBatch,
        objects::{CostObject, ObjectKeys, Objects},
        period::PeriodKind,
        settings::ReturnsPolicy,
    },
};

/// Summary of any slice of the ledger by object.
#[derive(Debug)]
pub struct ObjectSummary {
    kind: CostObject,
    named: LedgerSummary,
    /// Lines without an object, under one key; those without an order under their customer's.
    without: LedgerSummary,
    /// Empty ids of the objects' kind, and of the customers'.
    kinds: (Keys, Keys),
    /// Whether distinct orders of an object are counted. Otherwise all its lines are taken for one order, so that
    /// memory grows with its days, not with its lines.
    counts_orders: bool,
    pairs: Option<Pairs>,
    /// The money of customers who pay other prices in a scenario, apart.
    prices: Option<ByPrice>,
}

impl ObjectSummary {
    /// An empty summary. An order is one of a customer: another customer's order of the same id is another one.
    ///
    /// * `ids`: of the kind of the objects' ids. * `customers`: of the kind of the customers'.
    /// * `counts_orders`: whether a driver counts distinct orders of products.
    #[must_use]
    pub fn new(kind: CostObject, layout: Layout, ids: &Keys, customers: &Keys, counts_orders: bool) -> Self {
        let (joined, nobody) = (Keys::Text(TextColumn::default()), Keys::Int(Vec::new()));
        let (named, without) = if kind == CostObject::Order { (&joined, customers) } else { (ids, &nobody) };
        Self {
            kind,
            named: LedgerSummary::new(layout, named),
            without: LedgerSummary::new(layout, without),
            kinds: (ids.empty_like(), customers.empty_like()),
            counts_orders,
            pairs: (kind == CostObject::Product).then(|| Pairs::new(ids)),
            prices: None,
        }
    }

    /// Adds the money of customers with other prices up apart, factor by factor.
    #[must_use]
    pub fn with_prices(mut self, groups: PriceGroups, period: PeriodKind) -> Self {
        self.prices = Some(ByPrice::new(groups, period, (&self.named.ids, &self.without.ids)));
        self
    }

    /// Adds a wave of accepted lines, each with its object: [`Self::pack`], then [`Self::fold`].
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range; the summary must then be dropped.
    pub fn insert(&mut self, wave: Vec<(LineBatch, ObjectKeys)>) -> Result<(), FactsError> {
        let packed: Vec<PackedObjects> =
            wave.into_iter().map(|(lines, objects)| self.pack(lines, objects)).collect::<Result<_, _>>()?;
        self.fold(packed)
    }

    /// Packs a batch of accepted lines for this summary.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when the lines of one order leave 64 bits.
    pub fn pack(&self, mut lines: LineBatch, mut objects: ObjectKeys) -> Result<PackedObjects, FactsError> {
        let pairs = self.pairs.is_some().then(|| Pairs::scatter(&lines, &objects));
        let of_orders = self.kind == CostObject::Order;
        // Whose lines without an object are.
        let mut whose = Keys::Int(vec![0; lines.len()]);
        if of_orders {
            objects.keys = owned::join(&objects.keys, &lines.customer);
            whose.clone_from(&lines.customer);
        }
        let prices = self.prices.as_ref().map_or(Ok(Vec::new()), |prices| prices.pack(&lines, (&objects, &whose)))?;
        let without = objects.missing.contains(&true).then(|| {
            let mut without = pick(&lines, &whose, |row| objects.missing[row]);
            // Lines without an order are one a day.
            if !self.counts_orders && !of_orders {
                without.order.fill(0);
            }
            self.without.pack(&without)
        });
        let mut named = if without.is_none() {
            lines.customer = objects.keys;
            lines
        } else {
            pick(&lines, &objects.keys, |row| !objects.missing[row])
        };
        // An order has one order, whatever its lines say of days.
        if !self.counts_orders || of_orders {
            named.order.fill(0);
        }
        Ok(PackedObjects { named: self.named.pack(&named)?, without: without.transpose()?, pairs, prices })
    }

    /// Adds a wave of packed lines, in parallel over partitions.
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range; the summary must then be dropped.
    pub fn fold(&mut self, wave: Vec<PackedObjects>) -> Result<(), FactsError> {
        let (mut named, mut without, mut pairs) = (Vec::with_capacity(wave.len()), Vec::new(), Vec::new());
        let mut prices = Vec::new();
        for packed in wave {
            prices.extend(packed.prices);
            named.push(packed.named);
            without.extend(packed.without);
            pairs.extend(packed.pairs);
        }
        if let Some(all) = &mut self.pairs {
            all.insert(&pairs);
        }
        if let Some(all) = &mut self.prices {
            all.fold(prices)?;
        }
        self.named.fold(&named)?;
        self.without.fold(&without)
    }

    /// The objects, and one row an object and period.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when sales net of returns, or revenue, leave 64 bits.
    pub fn finish(self, returns: ReturnsPolicy, drivers: &[DriverSource]) -> Result<Objects, FactsError> {
        let (mut rows, cells) = self.named.finish(returns, drivers)?;
        let (whose, without) = self.without.finish(returns, drivers)?;
        let (buyers, entries) = self.pairs.map(|pairs| pairs.finish(&rows.ids)).unzip();
        let cells = joined(cells, without, rows.ids.len() as u32);
        let by_price = self.prices.map_or(Ok(Vec::new()), |prices| prices.finish(returns, (&rows.ids, &whose.ids)))?;
        by_price.iter().map(|(_, cells)| cells).chain([&cells]).try_for_each(in_range)?;
        let (ids, mut owners) = self.kinds;
        if self.kind == CostObject::Order {
            (rows.ids, owners) = owned::split(&rows.ids, &ids, &owners);
            rows.hash = (0..rows.ids.len()).into_par_iter().map(|row| published_hash(rows.ids.get(row))).collect();
            rows.hash.extend(&whose.hash);
            (0..whose.len()).for_each(|row| owners.push(whose.ids.get(row)));
        } else {
            rows.hash.push(published_hash(Key::Text(b"")));
        }
        Ok(Objects { kind: self.kind, rows, owners: Arc::new(owners), cells, buyers, entries, by_price })
    }
}

/// Whether every cell's net revenue is one, so that the stages that follow need not ask.
fn in_range(cells: &Cells) -> Result<(), FactsError> {
    let beyond = (0..cells.len()).any(|cell| cells.checked_net_revenue(cell).is_none());
    if beyond { Err(FactsError::Overflow { what: "or another object's revenue" }) } else { Ok(()) }
}

/// A batch's lines, packed by object.
#[derive(Debug)]
pub struct PackedObjects {
    named: Packed,
    without: Option<Packed>,
    pairs: Option<ScatteredPairs>,
    /// Lines of customers with other prices: place of the factor, named objects, lines without one.
    prices: Vec<(u16, Packed, Packed)>,
}

/// Some of the lines, under other keys.
pub(super) fn pick(lines: &LineBatch, keys: &Keys, wanted: impl Fn(usize) -> bool) -> LineBatch {
    let rows: Vec<usize> = (0..lines.len()).filter(|row| wanted(*row)).collect();
    let mut picked = LineBatch::with_capacity(keys, lines.added.len(), rows.len());
    for &row in &rows {
        picked.customer.push(keys.get(row));
        picked.day.push(lines.day[row]);
        picked.order.push(lines.order[row]);
        picked.amount.push(lines.amount[row]);
        picked.discount.push(lines.discount[row]);
        picked.product_cost.push(lines.product_cost[row]);
        picked.quantity.push(lines.quantity[row]);
        picked.mask.push(lines.mask[row]);
        for (column, all) in picked.added.iter_mut().zip(&lines.added) {
            column.push(all[row]);
        }
    }
    picked
}

/// The cells of the named objects, then those of the lines without one, numbered from `number` on.
pub(super) fn joined(mut named: Cells, without: Cells, number: u32) -> Cells {
    named.customer.extend(without.customer.iter().map(|whose| number + whose));
    named.period.extend(without.period);
    named.gross_sales.extend(without.gross_sales);
    named.returns.extend(without.returns);
    named.discount.extend(without.discount);
    named.product_cost.extend(without.product_cost);
    named.units.extend(without.units);
    named.lines.extend(without.lines);
    named.orders.extend(without.orders);
    named.purchase_days.extend(without.purchase_days);
    named.first_purchase.extend(without.first_purchase);
    named.last_purchase.extend(without.last_purchase);
    named.purchase_revenue.extend(without.purchase_revenue);
    named.first_day_revenue.extend(without.first_day_revenue);
    named.last_activity.extend(without.last_activity);
    for (column, more) in named.drivers.iter_mut().zip(without.drivers) {
        column.extend(more);
    }
    named
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        numeric::keys::hash_int,
        schema::{
            facts::NO_DAY,
            lines::PURCHASE,
            objects::{Buyers, Newcomer},
        },
    };

    /// Customer, product (0 = none), day, amount.
    type Line = (i64, i64, i32, i64);

    const LAYOUT: Layout = Layout { period: PeriodKind::Month, added: 0, distinct: 0 };

    fn batch(lines: &[Line]) -> (LineBatch, ObjectKeys) {
        let mut batch = LineBatch::with_capacity(&Keys::Int(Vec::new()), 0, lines.len());
        for (row, &(customer, _, day, amount)) in lines.iter().enumerate() {
            batch.customer.push(Key::Int(customer));
            batch.day.push(day);
            batch.order.push(row as u64);
            batch.amount.push(amount);
            batch.discount.push(1);
            batch.product_cost.push(amount / 2);
            batch.quantity.push(amount.signum() * 1_000_000);
            batch.mask.push(if amount < 0 { 0 } else { PURCHASE });
        }
        let keys = Keys::Int(lines.iter().map(|line| line.1).collect());
        (batch, ObjectKeys { keys, missing: lines.iter().map(|line| line.1 == 0).collect() })
    }

    fn fold(lines: &[Line], step: usize) -> Objects {
        let ids = Keys::Int(Vec::new());
        let mut summary = ObjectSummary::new(CostObject::Product, LAYOUT, &ids, &ids, false);
        for wave in lines.chunks(3 * step) {
            summary.insert(wave.chunks(step).map(batch).collect()).unwrap();
        }
        summary.finish(ReturnsPolicy::Separate, &[]).unwrap()
    }

    #[test]
    fn a_customer_enters_with_every_product_of_its_first_purchase_day() {
        // Customer 1 begins with products 1 and 2 on day 5; customer 2 with an unnamed product, and buys 1 later;
        // customer 3 returns product 2 before it buys product 3.
        let lines =
            [(1, 1, 5, 10), (1, 2, 5, 10), (1, 3, 9, 10), (2, 0, 1, 10), (2, 1, 2, 10), (3, 2, 1, -5), (3, 3, 4, 10)];
        let objects = fold(&lines, 10);
        let buyers = |customers, entered| Buyers { customers, entered };
        assert_eq!(objects.rows.ids, Keys::Int(vec![1, 2, 3]));
        assert_eq!(objects.buyers, Some(vec![buyers(2, 1), buyers(1, 1), buyers(2, 1)]));
        // The line without a product is the last object.
        assert_eq!((objects.cells.customer.last(), objects.cells.gross_sales.last()), (Some(&3), Some(&10)));
    }

    proptest! {
        #[test]
        fn objects_add_up_to_the_lines_in_any_cut_into_batches(
            lines in prop::collection::vec((0..9_i64, 0..5_i64, -40..100_i32, -50..200_i64), 1..200), step in 1..40_usize,
        ) {
            let objects = fold(&lines, step);
            let cells = &objects.cells;
            let mut revenue: BTreeMap<(i64, i32), i64> = BTreeMap::new();
            let mut pairs: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
            for &(customer, product, day, amount) in &lines {
                *revenue.entry((product, PeriodKind::Month.of(day))).or_default() += amount - 1;
                if amount >= 0 && product > 0 {
                    pairs.entry(product).or_default().insert(customer);
                }
            }
            let ids = &objects.rows.ids;
            let id = |row: usize| match ids.len() as u32 {
                none if cells.customer[row] == none => 0,
                _ => ids.text(cells.customer[row] as usize).parse().unwrap(),
            };
            let found: BTreeMap<(i64, i32), i64> =
                (0..cells.len()).map(|row| ((id(row), cells.period[row]), cells.net_revenue(row))).collect();
            prop_assert_eq!(found, revenue);
            let mut began: BTreeMap<u64, (BTreeSet<i32>, BTreeSet<i64>)> = BTreeMap::new();
            for &(customer, product, day, amount) in &lines {
                if amount >= 0 {
                    let (days, products) = began.entry(hash_int(customer)).or_default();
                    days.insert(day);
                    products.extend((product > 0).then_some(product));
                }
            }
            let began: Vec<Newcomer> = began.into_iter().map(|(hash, (days, products))| {
                let mut days = days.into_iter();
                let (first, second) = (days.next().unwrap(), days.next().unwrap_or(NO_DAY));
                Newcomer { hash, first, second, products: products.len() as u32 }
            }).collect();
            prop_assert_eq!(&objects.entries.as_ref().unwrap().customers, &began);
            let entered = objects.entries.as_ref().unwrap().entered.len() as u64;
            prop_assert_eq!(entered, objects.buyers.iter().flatten().map(|buyers| buyers.entered).sum::<u64>());
            for (row, buyers) in objects.buyers.iter().flatten().enumerate() {
                let product: i64 = ids.text(row).parse().unwrap();
                prop_assert_eq!(buyers.customers as usize, pairs.get(&product).map_or(0, BTreeSet::len));
                let entered = pairs.get(&product).into_iter().flatten().filter(|customer| {
                    let own = || lines.iter().filter(|line| line.0 == **customer && line.3 >= 0);
                    let first = own().map(|line| line.2).min();
                    own().any(|line| line.1 == product && Some(line.2) == first)
                });
                prop_assert_eq!(buyers.entered as usize, entered.count());
            }
        }
    }
}
