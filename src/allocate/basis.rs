//! The quantity of every cell that a cost is divided in proportion to.

use rayon::prelude::*;

use super::{
    composite::composite,
    costing::known_drivers,
    count,
    negative::Weight,
    refusal::Refusal,
    rows::{Ground, Reach},
    spread::{AllocateError, Histogram},
    time_equation::TimeEquation,
};
use crate::{
    numeric::decimal::Decimal,
    schema::costing::Basis,
    units::{Minor, QUANTITY_SCALE, Quantity},
};

/// One quantity a cell, scaled by 10⁶; without a copy where the cells have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// 1 in every cell with a ledger line. Cells that other tables or a policy have made count for nothing.
    Active,
    /// 1 in the first of these cells of every customer.
    FirstActive,
    /// A column of the cells' drivers.
    Driver(usize),
    /// Made for this run.
    Made(Vec<Quantity>),
}

impl Column {
    #[inline]
    pub(super) fn at(&self, ground: &Ground<'_>, row: usize) -> Quantity {
        let one = |counts: bool| if counts { QUANTITY_SCALE } else { 0 };
        match self {
            Self::Active => one(ground.cells.lines[row] > 0),
            Self::FirstActive => one(ground.is_first_active(row)),
            Self::Driver(column) => ground.cells.drivers[*column][row],
            Self::Made(quantities) => quantities[row],
        }
    }
}

/// Rows of one slice of a summary.
const SLICE: usize = 65_536;

/// The summary of a column over the rows that a pool reaches.
///
/// * `segment`: only this segment's rows.
pub(super) fn summarise(column: &Column, ground: &Ground<'_>, reach: Reach<'_>, segment: Option<u16>) -> Histogram {
    summarise_rows(column, ground, reach, |row| segment.is_none_or(|segment| ground.segment_of(row) == segment))
}

/// The summary of a column over some of the rows that a pool reaches.
pub(super) fn summarise_rows(
    column: &Column,
    ground: &Ground<'_>,
    reach: Reach<'_>,
    in_scope: impl Fn(usize) -> bool + Sync,
) -> Histogram {
    let in_scope = |row: &usize| in_scope(*row);
    let quantities = |from: usize| -> Vec<Quantity> {
        let rows = (from..reach.len().min(from + SLICE)).map(|at| reach.row(at));
        rows.filter(in_scope).map(|row| column.at(ground, row)).collect()
    };
    let slices: Vec<usize> = (0..reach.len()).step_by(SLICE).collect();
    // Few distinct quantities are counted slice by slice; many are sorted once, all together.
    let few: Option<Vec<Histogram>> = slices
        .par_iter()
        .map(|from| {
            let quantities = quantities(*from);
            count::few(&quantities).map(Histogram::of_classes)
        })
        .collect();
    let Some(parts) = few else {
        let parts: Vec<Vec<Quantity>> = slices.par_iter().map(|from| quantities(*from)).collect();
        return Histogram::sorted(&parts.concat());
    };
    let mut whole = Histogram::default();
    for part in &parts {
        whole.combine(part);
    }
    whole
}

/// What a basis is made of.
pub(super) struct Sources<'a> {
    pub(super) ground: &'a Ground<'a>,
    /// Names of the cells' drivers.
    pub(super) drivers: &'a [String],
    /// Whether the pool is one period's: then every customer has one cell at most.
    pub(super) one_period: bool,
    /// The cost of an activity on every cell; `None` when it is not known yet.
    pub(super) cost_of: &'a dyn Fn(&str) -> Option<Vec<Minor>>,
}

impl Sources<'_> {
    /// The column of a basis.
    ///
    /// # Errors
    /// [`Refusal`]: a driver that is not there, an equation that cannot be evaluated, a quantity that leaves 64 bits.
    pub(super) fn column(&self, basis: &Basis) -> Result<Column, Refusal> {
        Ok(match basis {
            Basis::Average => Column::Active,
            Basis::Even if self.one_period => Column::Active,
            Basis::Even => Column::FirstActive,
            Basis::Revenue => {
                let cells = self.ground.cells;
                Column::Made(self.money((0..cells.len()).into_par_iter().map(|row| Some(cells.net_revenue(row))))?)
            }
            Basis::Cost(of) => Column::Made(self.cost(of)?),
            Basis::Driver(name) => Column::Driver(self.driver(name)?),
            Basis::Composite(parts) => Column::Made(composite_of(parts, |name| self.quantities(name))?),
            Basis::Time { equation, drivers } => {
                let rows = self.ground.cells.len();
                let mut times = time_of(equation, drivers, rows, |name| self.quantities(name))?;
                // A constant is nobody's who has nothing to do with the equation.
                let named: Vec<usize> =
                    drivers.iter().filter_map(|name| self.drivers.iter().position(|known| known == name)).collect();
                let all = times.par_iter_mut().enumerate();
                all.filter(|(row, _)| !takes_part(basis, &named, self.ground, *row)).for_each(|(_, time)| *time = 0);
                Column::Made(times)
            }
        })
    }

    fn driver(&self, name: &str) -> Result<usize, Refusal> {
        let column = self.drivers.iter().position(|driver| driver == name);
        column.ok_or_else(|| Refusal::MissingDriver {
            driver: name.to_owned(),
            meant: String::new(),
            known: known_drivers(self.drivers),
            excusable: false,
        })
    }

    fn quantities(&self, name: &str) -> Result<&[Quantity], Refusal> {
        Ok(&self.ground.cells.drivers[self.driver(name)?])
    }

    /// Money as a quantity: major units, scaled by 10⁶.
    fn money(&self, minor: impl IndexedParallelIterator<Item = Option<Minor>>) -> Result<Vec<Quantity>, Refusal> {
        let digits = 6_u32.saturating_sub(u32::from(self.ground.exponent));
        let scale = 10_i64.pow(digits);
        let quantities: Option<Vec<Quantity>> = minor.map(|minor| minor?.checked_mul(scale)).collect();
        Ok(quantities.ok_or(AllocateError::TooLarge)?)
    }

    fn cost(&self, of: &[String]) -> Result<Vec<Quantity>, Refusal> {
        let cells = self.ground.cells;
        let mut sum = vec![0_i64; cells.len()];
        for name in of {
            let made;
            let column: &[Minor] = if name == "product_cost" {
                &cells.product_cost
            } else {
                made = (self.cost_of)(name).ok_or_else(|| Refusal::UnknownCost { name: name.clone() })?;
                &made
            };
            for (sum, cost) in sum.iter_mut().zip(column) {
                *sum = sum.checked_add(*cost).ok_or(AllocateError::TooLarge)?;
            }
        }
        self.money(sum.into_par_iter().map(Some))
    }
}

/// A composite driver.
///
/// * `quantities`: one quantity a row of the driver with a name.
pub(super) fn composite_of<'q>(
    parts: &[(String, Decimal)],
    quantities: impl Fn(&str) -> Result<&'q [Quantity], Refusal>,
) -> Result<Vec<Quantity>, Refusal> {
    let parts = parts.iter().map(|(name, weight)| Ok((*weight, quantities(name)?)));
    Ok(composite(&parts.collect::<Result<Vec<_>, Refusal>>()?)?)
}

/// The time of every row by an equation over drivers.
///
/// * `quantities`: one quantity a row of the driver with a name.
pub(super) fn time_of<'q>(
    equation: &str,
    drivers: &[String],
    rows: usize,
    quantities: impl Fn(&str) -> Result<&'q [Quantity], Refusal>,
) -> Result<Vec<Quantity>, Refusal> {
    let equation = TimeEquation::of_columns(equation, drivers, &[])?;
    let columns = equation.variables().iter().map(|name| quantities(name));
    Ok(equation.evaluate(rows, &columns.collect::<Result<Vec<_>, Refusal>>()?)?)
}

/// Whether a row has to do with a basis: a quantity of one of its drivers, or, where a zero counts too, a ledger line.
/// Cells that other tables or a policy have made have not.
///
/// * `drivers`: columns of the basis' drivers.
pub(super) fn takes_part(basis: &Basis, drivers: &[usize], ground: &Ground<'_>, row: usize) -> bool {
    let by_line = !matches!(basis, Basis::Driver(_) | Basis::Composite(_));
    by_line && ground.cells.lines[row] > 0 || drivers.iter().any(|driver| ground.cells.drivers[*driver][row] != 0)
}

/// Whether a row counts under a shift, which gives weight to a quantity of zero: with a ledger line or a quantity.
#[inline]
pub(super) fn is_shifted(column: &Column, ground: &Ground<'_>, row: usize) -> bool {
    ground.cells.lines[row] > 0 || column.at(ground, row) != 0
}

/// The quantity that a row counts with.
#[inline]
pub(super) fn weighed(column: &Column, weight: Weight, ground: &Ground<'_>, row: usize) -> Quantity {
    if matches!(weight, Weight::Above(_)) && !is_shifted(column, ground, row) {
        return 0;
    }
    // The summary has shown that every weight fits.
    weight.of(column.at(ground, row)).unwrap_or(0)
}
