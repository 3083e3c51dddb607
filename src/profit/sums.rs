//! Whether what customers' cells add up to fits 64 bits, so that whoever adds them up later need not look.

use rayon::prelude::*;

use super::ProfitError;
use crate::{
    schema::{facts::Cells, margins::Margins},
    units::Minor,
};

/// Refuses customers whose sums of a column (or of columns that are added up together) over all their cells may leave 64 bits: those of
/// which the amounts without their signs do.
///
/// * `first_cell`: where each customer's cells begin, and their number at the end.
///
/// # Errors
/// [`ProfitError`] with the first such column.
pub fn check_sums(first_cell: &[usize], cells: &Cells, margins: &Margins) -> Result<(), ProfitError> {
    let Margins { product_activity_cost, order_cost, customer_cost, below_cost, .. } = margins;
    let [charge, bad_debt, commissions, acquisition] = margins.economic.parts();
    let together: [(&'static str, &[&[Minor]]); 11] = [
        ("gross sales", &[&cells.gross_sales]),
        ("returns", &[&cells.returns]),
        ("product cost", &[&cells.product_cost]),
        ("units", &[&cells.units]),
        ("net revenue", &[&margins.net_revenue]),
        ("CM1", &[&margins.cm1]),
        ("CM2", &[&margins.cm2]),
        ("CM3", &[&margins.cm3]),
        ("activity cost", &[product_activity_cost, order_cost, customer_cost, below_cost]),
        ("economic cost", &[charge, bad_debt, commissions, acquisition]),
        ("economic profit", &[&margins.economic_profit]),
    ];
    let most_cells = first_cell.windows(2).map(|range| range[1] - range[0]).max().unwrap_or(0) as u128;
    let fits = |sum: u128| sum <= i64::MAX as u128;
    for (what, columns) in together {
        let largest =
            |column: &&[Minor]| u128::from(column.par_iter().map(|value| value.unsigned_abs()).max().unwrap_or(0));
        // Hardly ever is it near.
        if fits(columns.iter().map(largest).sum::<u128>() * most_cells) {
            continue;
        }
        let of = |range: &[usize]| -> u128 {
            let sum = |column: &&[Minor]| {
                column[range[0]..range[1]].iter().map(|value| u128::from(value.unsigned_abs())).sum::<u128>()
            };
            columns.iter().map(sum).sum()
        };
        if first_cell.par_windows(2).any(|range| !fits(of(range))) {
            return Err(ProfitError { what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::economic::EconomicCost;

    /// Nothing in this many cells.
    fn empty(cells: usize) -> (Cells, Margins) {
        let none = || vec![0; cells];
        let economic =
            EconomicCost { capital_charge: none(), bad_debt: none(), commissions: none(), acquisition_cost: none() };
        let margins = Margins {
            net_revenue: none(),
            product_activity_cost: none(),
            cm1: none(),
            order_cost: none(),
            cm2: none(),
            customer_cost: none(),
            cm3: none(),
            below_cost: none(),
            economic,
            economic_profit: none(),
        };
        let cells =
            Cells { gross_sales: none(), returns: none(), product_cost: none(), units: none(), ..Cells::default() };
        (cells, margins)
    }

    #[test]
    fn periods_that_fit_and_customers_that_do_not_are_refused() {
        let of = |units: [i64; 3]| {
            let (mut cells, margins) = empty(3);
            cells.units = units.to_vec();
            check_sums(&[0, 2, 3], &cells, &margins)
        };
        let half = i64::MAX / 2;
        assert_eq!(of([half, half, i64::MAX]), Ok(()));
        assert_eq!(of([half, half + 2, 0]), Err(ProfitError { what: "units" }));
        assert_eq!(of([half, -half - 2, 0]), Err(ProfitError { what: "units" }));
    }

    #[test]
    fn columns_that_are_added_up_are_looked_at_together() {
        let (cells, mut margins) = empty(2);
        margins.order_cost = vec![i64::MAX / 2, 0];
        margins.below_cost = vec![i64::MAX / 2, 0];
        let check = |margins: &Margins| check_sums(&[0, 1, 2], &cells, margins);
        assert_eq!(check(&margins), Ok(()));
        margins.below_cost[0] += 2;
        assert_eq!(check(&margins), Err(ProfitError { what: "activity cost" }));
    }
}
