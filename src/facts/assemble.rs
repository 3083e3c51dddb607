//! From a full summary to sorted fact tables: distinct counts first, then one global order of (customer, period).

use rayon::prelude::*;

use super::{
    FactsError, LedgerSummary,
    columns::CellsMut,
    orders::Counts,
    partition::{NO_PERIOD, Partition},
};
use crate::{
    numeric::keys::{Key, Keys, published_hash, unhash_int},
    schema::{
        facts::{Cells, Customers},
        period::Period,
        settings::ReturnsPolicy,
    },
    units::QUANTITY_SCALE,
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

/// Cells read ahead at a time, 12 KiB with their rests.
const READ_AHEAD: usize = 128;

/// Where a cell stands: the last two say partition and cell.
type Place = (u32, u32);

/// What the columns are made of.
#[derive(Clone, Copy)]
struct Sources<'a> {
    partitions: &'a [Partition],
    counts: &'a [Counts],
    returns: ReturnsPolicy,
    drivers: &'a [DriverSource],
}

impl LedgerSummary {
    /// The customers, and one row a customer and period, both sorted by id.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when sales net of returns leave 64 bits.
    pub fn finish(
        mut self,
        returns: ReturnsPolicy,
        drivers: &[DriverSource],
    ) -> Result<(Customers, Cells), FactsError> {
        let wanted: Vec<(u32, Distinct)> = drivers
            .iter()
            .filter_map(|source| match source {
                DriverSource::Distinct { bit, what } => Some((*bit, *what)),
                _ => None,
            })
            .collect();
        let counts: Vec<Counts> = self
            .partitions
            .par_iter_mut()
            .map(|partition| {
                let counts = Counts::new(&partition.orders, &partition.cells, &wanted);
                partition.close();
                counts
            })
            .collect();
        let (ids, rows) = if matches!(self.ids, Keys::Int(_)) { self.integer_rows() } else { self.text_rows() };
        let hash = (0..ids.len()).into_par_iter().map(|i| published_hash(ids.get(i))).collect();
        let mut cells = Cells::default();
        let sources = Sources { partitions: &self.partitions, counts: &counts, returns, drivers };
        CellsMut::resize(&mut cells, rows.len(), drivers.len())
            .chunks(CHUNK)
            .into_par_iter()
            .zip(rows.par_chunks(CHUNK))
            .try_for_each(|(mut chunk, rows)| sources.fill(&mut chunk, rows))?;
        Ok((Customers { ids, hash }, cells))
    }

    /// Customers in order, and (customer number, place) of every cell, sorted by customer and period.
    fn integer_rows(&self) -> (Keys, Vec<(u32, Place)>) {
        let mut sorted: Vec<(i64, Period, Place)> = self
            .partitions
            .par_iter()
            .enumerate()
            .flat_map_iter(|(part, partition)| {
                let id = move |(cell, sums): (usize, &super::cell::Cell)| {
                    (unhash_int(sums.identity), sums.period, (part as u32, cell as u32))
                };
                partition.cells.iter().enumerate().map(id)
            })
            .collect();
        sorted.par_sort_unstable();
        let mut ids: Vec<i64> = Vec::new();
        let mut rows = Vec::with_capacity(sorted.len());
        for &(id, period, place) in &sorted {
            if ids.last() != Some(&id) {
                ids.push(id);
            }
            if period != NO_PERIOD {
                rows.push((ids.len() as u32 - 1, place));
            }
        }
        (Keys::Int(ids), rows)
    }

    /// The same for text ids.
    fn text_rows(&self) -> (Keys, Vec<(u32, Place)>) {
        let mut sorted: Vec<(Key<'_>, Period, Place)> = self
            .partitions
            .iter()
            .enumerate()
            .flat_map(|(part, partition)| {
                let id = move |(cell, sums): (usize, &super::cell::Cell)| {
                    (partition.key(sums.identity), sums.period, (part as u32, cell as u32))
                };
                partition.cells.iter().enumerate().map(id)
            })
            .collect();
        sorted.par_sort_unstable();
        let mut ids = self.ids.empty_like();
        let mut rows = Vec::with_capacity(sorted.len());
        let mut previous = None;
        for (id, period, place) in sorted {
            if previous != Some(id) {
                ids.push(id);
                previous = Some(id);
            }
            if period != NO_PERIOD {
                rows.push((ids.len() as u32 - 1, place));
            }
        }
        (ids, rows)
    }
}

impl Sources<'_> {
    /// Reads cells that are about to be wanted, and does nothing with them: such reads do not wait for each other, while the
    /// many columns of a row leave room for the cells of two or three.
    fn read_ahead(self, rows: &[(u32, Place)]) {
        let sums = rows.iter().fold(0, |all, &(_, (part, cell))| {
            let partition = &self.partitions[part as usize];
            all ^ partition.cells[cell as usize].identity ^ partition.rests[cell as usize].discount as u64
        });
        std::hint::black_box(sums);
    }

    /// Fills a chunk of the columns.
    fn fill(self, columns: &mut CellsMut<'_>, rows: &[(u32, Place)]) -> Result<(), FactsError> {
        for (row, &(customer, (part, cell))) in rows.iter().enumerate() {
            if row % READ_AHEAD == 0 {
                self.read_ahead(&rows[row..rows.len().min(row + READ_AHEAD)]);
            }
            let partition = &self.partitions[part as usize];
            let (sums, rest) = (&partition.cells[cell as usize], &partition.rests[cell as usize]);
            let (gross, returned) = match self.returns {
                ReturnsPolicy::Net => {
                    let net = sums.purchases.checked_sub(rest.returns);
                    (net.ok_or(FactsError::Overflow { what: "gross sales" })?, 0)
                }
                ReturnsPolicy::Separate | ReturnsPolicy::Drop | ReturnsPolicy::Purchases => {
                    (sums.purchases, rest.returns)
                }
            };
            let counts = self.counts[part as usize].of(cell as usize);
            columns.customer[row] = customer;
            columns.period[row] = sums.period;
            columns.gross_sales[row] = gross;
            columns.returns[row] = returned;
            columns.discount[row] = rest.discount;
            columns.product_cost[row] = sums.product_cost;
            columns.units[row] = sums.quantity;
            columns.lines[row] = sums.lines.into();
            columns.orders[row] = counts[0].into();
            columns.purchase_days[row] = counts[1];
            columns.first_purchase[row] = sums.first_purchase;
            columns.last_purchase[row] = sums.last_purchase;
            columns.purchase_revenue[row] = sums.purchase_revenue;
            columns.first_day_revenue[row] = rest.first_day_revenue;
            columns.last_activity[row] = sums.last_activity(rest);
            let mut distinct = counts[2..].iter();
            for (column, source) in columns.drivers.iter_mut().zip(self.drivers) {
                column[row] = match source {
                    DriverSource::Added(n) => partition.added(*n, cell as usize),
                    DriverSource::Distinct { .. } => {
                        distinct.next().map_or(0, |count| i64::from(*count) * QUANTITY_SCALE)
                    }
                    DriverSource::Table => 0,
                };
            }
        }
        Ok(())
    }
}
