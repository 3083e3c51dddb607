//! From a full summary to sorted fact tables: distinct counts first, then one global order of (customer, period).

use rayon::prelude::*;

use super::{
    LedgerSummary,
    partition::{NO_PERIOD, Partition, Triple, field, month_of},
};
use crate::{
    numeric::keys::{Key, Keys, published_hash},
    schema::{
        facts::{Cells, Customers},
        lines::PURCHASE,
        settings::ReturnsPolicy,
    },
    units::{Day, QUANTITY_SCALE, Quantity},
};

/// Where a driver column of [`Cells`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverSource {
    /// The n-th additive column of the lines.
    Added(usize),
    /// Distinct count over the lines whose mask has this bit set.
    Distinct {
        /// Bit of the mask.
        bit: u32,
        /// What is counted.
        what: Distinct,
    },
    /// Filled in later, from the `driver_quantities` table.
    Table,
}

/// What a distinct count counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// Orders.
    Orders,
    /// Days.
    Days,
    /// Calendar months.
    Months,
}

/// Cells in one chunk of a parallel gather.
const CHUNK: usize = 16_384;

/// Chunks that are gathered before they are moved to their place: what is held twice.
const CHUNKS_AT_A_TIME: usize = 16;

impl LedgerSummary {
    /// The customers, and one row a customer and period, both sorted by id.
    #[must_use]
    pub fn finish(mut self, returns: ReturnsPolicy, drivers: &[DriverSource]) -> (Customers, Cells) {
        let counted: Vec<Counted> = self.partitions.par_iter_mut().map(|part| Counted::new(part, drivers)).collect();
        let order = self.sorted_rows();
        let (ids, customer) = self.customers(&order);
        let hash = (0..ids.len()).into_par_iter().map(|i| published_hash(ids.get(i))).collect();
        let rows: Vec<(Row, u32)> =
            order.into_iter().zip(customer).filter(|(row, _)| self.cell_of(*row).1 != NO_PERIOD).collect();
        let mut cells = with_capacity(rows.len(), drivers.len());
        for chunks in rows.chunks(CHUNK * CHUNKS_AT_A_TIME) {
            let gathered: Vec<Cells> =
                chunks.par_chunks(CHUNK).map(|chunk| self.gather(chunk, &counted, returns, drivers)).collect();
            for chunk in gathered {
                append(&mut cells, chunk);
            }
        }
        (Customers { ids, hash }, cells)
    }

    /// Every (partition, cell), sorted by customer id, then period.
    fn sorted_rows(&self) -> Vec<Row> {
        if matches!(self.ids, Keys::Int(_)) {
            let mut rows: Vec<(i64, i32, Row)> = self
                .partitions
                .par_iter()
                .enumerate()
                .flat_map_iter(|(part, partition)| {
                    partition.cells.iter().enumerate().map(move |(cell, &(identity, period))| {
                        (crate::numeric::keys::unhash_int(identity), period, (part as u32, cell as u32))
                    })
                })
                .collect();
            rows.par_sort_unstable();
            return rows.into_iter().map(|(_, _, row)| row).collect();
        }
        let mut rows: Vec<Row> = self
            .partitions
            .iter()
            .enumerate()
            .flat_map(|(part, partition)| (0..partition.cells.len()).map(move |cell| (part as u32, cell as u32)))
            .collect();
        rows.par_sort_unstable_by_key(|row| {
            let (identity, period) = self.cell_of(*row);
            (self.partitions[row.0 as usize].key(identity), period)
        });
        rows
    }

    fn cell_of(&self, row: Row) -> (u64, i32) {
        self.partitions[row.0 as usize].cells[row.1 as usize]
    }

    /// Distinct ids in order, and the customer number of every row.
    fn customers(&self, order: &[Row]) -> (Keys, Vec<u32>) {
        let mut ids = self.ids.empty_like();
        let mut number = Vec::with_capacity(order.len());
        let mut previous: Option<(u32, u64)> = None;
        for row in order {
            let identity = self.cell_of(*row).0;
            if previous != Some((row.0, identity)) {
                previous = Some((row.0, identity));
                match (&mut ids, self.partitions[row.0 as usize].key(identity)) {
                    (Keys::Int(values), Key::Int(value)) => values.push(value),
                    (ids, key) => ids.push(key),
                }
            }
            number.push(ids.len() as u32 - 1);
        }
        (ids, number)
    }

    fn gather(
        &self,
        rows: &[(Row, u32)],
        counted: &[Counted],
        returns: ReturnsPolicy,
        drivers: &[DriverSource],
    ) -> Cells {
        let mut cells = with_capacity(rows.len(), drivers.len());
        for &((part, cell), customer) in rows {
            let partition = &self.partitions[part as usize];
            let stride = partition.stride();
            let words = &partition.words[cell as usize * stride..][..stride];
            let counts = &counted[part as usize];
            cells.customer.push(customer);
            cells.period.push(partition.cells[cell as usize].1);
            let (gross, returned) = match returns {
                ReturnsPolicy::Net => (words[field::PURCHASES] - words[field::RETURNS], 0),
                ReturnsPolicy::Separate | ReturnsPolicy::Drop => (words[field::PURCHASES], words[field::RETURNS]),
            };
            cells.gross_sales.push(gross);
            cells.returns.push(returned);
            cells.discount.push(words[field::DISCOUNT]);
            cells.product_cost.push(words[field::PRODUCT_COST]);
            cells.units.push(words[field::QUANTITY]);
            cells.lines.push(words[field::LINES] as u64);
            cells.orders.push(counts.orders[cell as usize]);
            cells.purchase_days.push(counts.days[cell as usize]);
            cells.first_purchase.push(words[field::FIRST_PURCHASE] as Day);
            cells.last_purchase.push(words[field::LAST_PURCHASE] as Day);
            cells.purchase_revenue.push(words[field::PURCHASE_REVENUE]);
            cells.first_day_revenue.push(words[field::FIRST_DAY_REVENUE]);
            cells.last_activity.push(words[field::LAST_ACTIVITY] as Day);
            let mut distinct = counts.drivers.iter().map(|column| column[cell as usize]);
            for (column, source) in cells.drivers.iter_mut().zip(drivers) {
                column.push(match source {
                    DriverSource::Added(n) => words[field::ADDED + n],
                    DriverSource::Distinct { .. } => distinct.next().unwrap_or(0),
                    DriverSource::Table => 0,
                });
            }
        }
        cells
    }
}

/// (partition, cell).
type Row = (u32, u32);

/// Distinct counts of one partition's cells.
struct Counted {
    orders: Vec<u64>,
    days: Vec<u32>,
    /// One column a [`DriverSource::Distinct`], scaled as a quantity.
    drivers: Vec<Vec<Quantity>>,
}

impl Counted {
    /// Counts, and drops what was counted.
    fn new(partition: &mut Partition, drivers: &[DriverSource]) -> Self {
        let cells = partition.cells.len();
        let triples = std::mem::take(&mut partition.triples);
        let wanted: Vec<(u32, Distinct)> = drivers
            .iter()
            .filter_map(|source| match source {
                DriverSource::Distinct { bit, what } => Some((*bit, *what)),
                _ => None,
            })
            .collect();
        let mut counts =
            Self { orders: vec![0; cells], days: vec![0; cells], drivers: vec![vec![0; cells]; wanted.len()] };
        let (first, mut by_cell) = group_by_cell(triples, cells);
        for cell in 0..cells {
            let triples = &mut by_cell[first[cell] as usize..first[cell + 1] as usize];
            triples.sort_unstable();
            counts.orders[cell] = count_distinct(triples, PURCHASE, Distinct::Orders);
            for (column, (bit, what)) in counts.drivers.iter_mut().zip(&wanted) {
                if *what == Distinct::Orders {
                    column[cell] = count_distinct(triples, *bit, *what) as i64 * QUANTITY_SCALE;
                }
            }
            triples.sort_unstable_by_key(|triple| triple.1);
            counts.days[cell] = count_distinct(triples, PURCHASE, Distinct::Days) as u32;
            for (column, (bit, what)) in counts.drivers.iter_mut().zip(&wanted) {
                if *what != Distinct::Orders {
                    column[cell] = count_distinct(triples, *bit, *what) as i64 * QUANTITY_SCALE;
                }
            }
        }
        counts
    }
}

/// Triples of each cell as (order, day, mask), by counting sort.
fn group_by_cell(triples: Vec<Triple>, cells: usize) -> (Vec<u32>, Vec<(u64, Day, u32)>) {
    let mut first = vec![0_u32; cells + 1];
    for triple in &triples {
        first[triple.cell as usize + 1] += 1;
    }
    for cell in 0..cells {
        first[cell + 1] += first[cell];
    }
    let mut next = first.clone();
    let mut grouped = vec![(0, 0, 0); triples.len()];
    for triple in triples {
        let slot = &mut next[triple.cell as usize];
        grouped[*slot as usize] = (triple.order, triple.day, triple.mask);
        *slot += 1;
    }
    (first, grouped)
}

/// Distinct values among the triples with `bit`; they stand sorted by what is counted.
fn count_distinct(triples: &[(u64, Day, u32)], bit: u32, what: Distinct) -> u64 {
    let mut previous = None;
    let mut count = 0;
    for (order, day, _) in triples.iter().filter(|triple| triple.2 & bit != 0) {
        let value = match what {
            Distinct::Orders => *order,
            Distinct::Days => u64::from(*day as u32),
            Distinct::Months => u64::from(month_of(*day) as u32),
        };
        count += u64::from(previous != Some(value));
        previous = Some(value);
    }
    count
}

/// Empty columns with room for `rows` cells.
fn with_capacity(rows: usize, drivers: usize) -> Cells {
    Cells {
        customer: Vec::with_capacity(rows),
        period: Vec::with_capacity(rows),
        gross_sales: Vec::with_capacity(rows),
        returns: Vec::with_capacity(rows),
        discount: Vec::with_capacity(rows),
        product_cost: Vec::with_capacity(rows),
        units: Vec::with_capacity(rows),
        lines: Vec::with_capacity(rows),
        orders: Vec::with_capacity(rows),
        purchase_days: Vec::with_capacity(rows),
        first_purchase: Vec::with_capacity(rows),
        last_purchase: Vec::with_capacity(rows),
        purchase_revenue: Vec::with_capacity(rows),
        first_day_revenue: Vec::with_capacity(rows),
        last_activity: Vec::with_capacity(rows),
        drivers: (0..drivers).map(|_| Vec::with_capacity(rows)).collect(),
    }
}

fn append(all: &mut Cells, mut chunk: Cells) {
    all.customer.append(&mut chunk.customer);
    all.period.append(&mut chunk.period);
    all.gross_sales.append(&mut chunk.gross_sales);
    all.returns.append(&mut chunk.returns);
    all.discount.append(&mut chunk.discount);
    all.product_cost.append(&mut chunk.product_cost);
    all.units.append(&mut chunk.units);
    all.lines.append(&mut chunk.lines);
    all.orders.append(&mut chunk.orders);
    all.purchase_days.append(&mut chunk.purchase_days);
    all.first_purchase.append(&mut chunk.first_purchase);
    all.last_purchase.append(&mut chunk.last_purchase);
    all.purchase_revenue.append(&mut chunk.purchase_revenue);
    all.first_day_revenue.append(&mut chunk.first_day_revenue);
    all.last_activity.append(&mut chunk.last_activity);
    for (column, more) in all.drivers.iter_mut().zip(&mut chunk.drivers) {
        column.append(more);
    }
}
