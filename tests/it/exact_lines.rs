//! What a line brings and costs, exact to the last digit before it is rounded once.

use std::{fmt::Write as _, sync::Arc};

use arrow_array::{ArrayRef, Decimal128Array};

use crate::support::{Job, cents, days, integers, text};

/// A decimal column with `scale` digits after the point.
fn decimals(scale: i8, values: impl IntoIterator<Item = i128>) -> ArrayRef {
    Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(38, scale).unwrap())
}

#[test]
fn a_unit_cost_of_four_digits_costs_what_the_quantity_times_it_is() {
    let quantities = [100, 1_000, 1];
    for csv in [false, true] {
        let path = if csv { "products.csv, format: csv" } else { "products.parquet" };
        let job = Job::new(&format!(
            "
version: 1
currency: EUR
as_of: 1970-12-31
outputs: [customer_profit_total]
inputs:
  transactions:
    path: ledger.parquet
    columns: {{customer_id: c, date: d, amount: a, quantity: q, product_id: p}}
  products: {{path: {path}, columns: {{product_id: p, unit_cost: u}}}}
"
        ));
        let ids = || text(["a", "b", "c"]);
        job.parquet(
            "ledger.parquet",
            vec![
                ("c", integers([1, 2, 3])),
                ("d", days([1, 2, 3])),
                ("a", cents([100_000; 3])),
                ("q", integers(quantities)),
                ("p", ids()),
            ],
        );
        job.parquet("products.parquet", vec![("p", ids()), ("u", decimals(4, [149; 3]))]);
        let rows = ["a", "b", "c"].iter().fold("p,u\n".to_owned(), |mut rows, id| {
            let _ = writeln!(rows, "{id},0.0149");
            rows
        });
        job.text("products.csv", &rows).run(&[]);
        assert_eq!(job.decimals("customer_profit_total", "product_cost"), [149, 1_490, 1]);
    }
}

const PRICED: &str = "
version: 1
currency: EUR
as_of: 1970-12-31
outputs: [customer_profit_total, rejected]
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: c, date: d, quantity: q, unit_price: p}}
";

#[test]
fn a_quantity_times_a_price_of_twenty_digits_each_is_worked_out_and_a_null_is_told_as_one() {
    let one = 10_i128.pow(20);
    let wide = |values: Vec<Option<i128>>| -> ArrayRef {
        Arc::new(Decimal128Array::from_iter(values).with_precision_and_scale(38, 20).unwrap())
    };
    let job = Job::new(PRICED);
    let third = one / 3;
    job.parquet(
        "ledger.parquet",
        vec![
            ("c", integers([1, 2, 3, 4])),
            ("d", days([1, 1, 1, 1])),
            ("q", wide(vec![Some(2 * one), None, Some(one), Some(third)])),
            ("p", wide(vec![Some(one / 2), Some(one), None, Some(third)])),
        ],
    );
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [100]);
    let null = "the quantity or the unit price is null";
    let beyond = "quantity × unit price is not a finite number in range";
    assert_eq!(job.texts("rejected", "reason"), [beyond, null, null]);
}
