//! Columns of [`Cells`] as slices that can be cut into chunks, so that threads fill them in place.

use crate::{
    schema::{facts::Cells, period::Period},
    units::{Day, Minor, Quantity},
};

/// A range of rows of [`Cells`], column by column, to be filled.
pub(super) struct CellsMut<'a> {
    pub(super) customer: &'a mut [u32],
    pub(super) period: &'a mut [Period],
    pub(super) gross_sales: &'a mut [Minor],
    pub(super) returns: &'a mut [Minor],
    pub(super) discount: &'a mut [Minor],
    pub(super) product_cost: &'a mut [Minor],
    pub(super) units: &'a mut [Quantity],
    pub(super) lines: &'a mut [u64],
    pub(super) orders: &'a mut [u64],
    pub(super) purchase_days: &'a mut [u32],
    pub(super) first_purchase: &'a mut [Day],
    pub(super) last_purchase: &'a mut [Day],
    pub(super) purchase_revenue: &'a mut [Minor],
    pub(super) first_day_revenue: &'a mut [Minor],
    pub(super) last_activity: &'a mut [Day],
    pub(super) drivers: Vec<&'a mut [Quantity]>,
}

impl<'a> CellsMut<'a> {
    /// All rows of `cells`, which becomes `rows` zeros in every column.
    pub(super) fn resize(cells: &'a mut Cells, rows: usize, drivers: usize) -> Self {
        *cells = Cells {
            customer: vec![0; rows],
            period: vec![0; rows],
            gross_sales: vec![0; rows],
            returns: vec![0; rows],
            discount: vec![0; rows],
            product_cost: vec![0; rows],
            units: vec![0; rows],
            lines: vec![0; rows],
            orders: vec![0; rows],
            purchase_days: vec![0; rows],
            first_purchase: vec![0; rows],
            last_purchase: vec![0; rows],
            purchase_revenue: vec![0; rows],
            first_day_revenue: vec![0; rows],
            last_activity: vec![0; rows],
            drivers: (0..drivers).map(|_| vec![0; rows]).collect(),
        };
        Self {
            customer: &mut cells.customer,
            period: &mut cells.period,
            gross_sales: &mut cells.gross_sales,
            returns: &mut cells.returns,
            discount: &mut cells.discount,
            product_cost: &mut cells.product_cost,
            units: &mut cells.units,
            lines: &mut cells.lines,
            orders: &mut cells.orders,
            purchase_days: &mut cells.purchase_days,
            first_purchase: &mut cells.first_purchase,
            last_purchase: &mut cells.last_purchase,
            purchase_revenue: &mut cells.purchase_revenue,
            first_day_revenue: &mut cells.first_day_revenue,
            last_activity: &mut cells.last_activity,
            drivers: cells.drivers.iter_mut().map(Vec::as_mut_slice).collect(),
        }
    }

    /// The rows in chunks of `size`, the last one shorter.
    pub(super) fn chunks(self, size: usize) -> Vec<Self> {
        let mut chunks = Vec::with_capacity(self.customer.len().div_ceil(size));
        let mut rest = self;
        while rest.customer.len() > size {
            let (chunk, more) = rest.split_at(size);
            chunks.push(chunk);
            rest = more;
        }
        chunks.push(rest);
        chunks
    }

    fn split_at(self, row: usize) -> (Self, Self) {
        let customer = self.customer.split_at_mut(row);
        let period = self.period.split_at_mut(row);
        let gross_sales = self.gross_sales.split_at_mut(row);
        let returns = self.returns.split_at_mut(row);
        let discount = self.discount.split_at_mut(row);
        let product_cost = self.product_cost.split_at_mut(row);
        let units = self.units.split_at_mut(row);
        let lines = self.lines.split_at_mut(row);
        let orders = self.orders.split_at_mut(row);
        let purchase_days = self.purchase_days.split_at_mut(row);
        let first_purchase = self.first_purchase.split_at_mut(row);
        let last_purchase = self.last_purchase.split_at_mut(row);
        let purchase_revenue = self.purchase_revenue.split_at_mut(row);
        let first_day_revenue = self.first_day_revenue.split_at_mut(row);
        let last_activity = self.last_activity.split_at_mut(row);
        let (before, after) = self.drivers.into_iter().map(|column| column.split_at_mut(row)).unzip();
        let chunk = Self {
            customer: customer.0,
            period: period.0,
            gross_sales: gross_sales.0,
            returns: returns.0,
            discount: discount.0,
            product_cost: product_cost.0,
            units: units.0,
            lines: lines.0,
            orders: orders.0,
            purchase_days: purchase_days.0,
            first_purchase: first_purchase.0,
            last_purchase: last_purchase.0,
            purchase_revenue: purchase_revenue.0,
            first_day_revenue: first_day_revenue.0,
            last_activity: last_activity.0,
            drivers: before,
        };
        let rest = Self {
            customer: customer.1,
            period: period.1,
            gross_sales: gross_sales.1,
            returns: returns.1,
            discount: discount.1,
            product_cost: product_cost.1,
            units: units.1,
            lines: lines.1,
            orders: orders.1,
            purchase_days: purchase_days.1,
            first_purchase: first_purchase.1,
            last_purchase: last_purchase.1,
            purchase_revenue: purchase_revenue.1,
            first_day_revenue: first_day_revenue.1,
            last_activity: last_activity.1,
            drivers: after,
        };
        (chunk, rest)
    }
}
