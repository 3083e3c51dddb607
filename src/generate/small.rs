//! The small tables: products, activities, cost pools.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int32Array, StringArray};
use arrow_schema::DataType;
use camino::Utf8Path;

use super::catalogue::Catalogue;
use super::costs::{ACTIVITIES, Pool};
use super::error::GenerateError;
use super::tables::{MONEY, QUANTITY, decimals, schema, write_whole};

/// The folders that [`write()`] writes into.
pub(super) const FOLDERS: [&str; 3] = ["activities", "pools", "products"];

/// Writes [`FOLDERS`] within `dir`.
pub(super) fn write(catalogue: &Catalogue, pools: &[Pool], dir: &Utf8Path) -> Result<(), GenerateError> {
    write_products(catalogue, dir)?;
    write_activities(dir)?;
    write_pools(pools, dir)
}

/// By ascending identifier.
fn write_products(catalogue: &Catalogue, dir: &Utf8Path) -> Result<(), GenerateError> {
    let schema = schema(&[
        ("product_id", DataType::Int32),
        ("category", DataType::Utf8),
        ("list_price", MONEY),
        ("unit_cost", MONEY),
    ]);
    let mut products = catalogue.products.clone();
    products.sort_unstable_by_key(|product| product.id);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(products.iter().map(|product| product.id))),
        Arc::new(StringArray::from_iter_values(products.iter().map(|product| product.category))),
        decimals(&MONEY, products.iter().map(|product| product.price as i64)),
        decimals(&MONEY, products.iter().map(|product| product.cost as i64)),
    ];
    write_whole(&dir.join("products"), 0, &schema, &[], columns)
}

fn write_activities(dir: &Utf8Path) -> Result<(), GenerateError> {
    let text = DataType::Utf8;
    let schema =
        schema(&[("activity", text.clone()), ("level", text.clone()), ("method", text.clone()), ("driver?", text)]);
    let drivers: StringArray = ACTIVITIES.iter().map(|activity| activity.method().1).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(ACTIVITIES.iter().map(|activity| activity.name))),
        Arc::new(StringArray::from_iter_values(ACTIVITIES.iter().map(|activity| activity.level))),
        Arc::new(StringArray::from_iter_values(ACTIVITIES.iter().map(|activity| activity.method().0))),
        Arc::new(drivers),
    ];
    write_whole(&dir.join("activities"), 0, &schema, &[], columns)
}

fn write_pools(pools: &[Pool], dir: &Utf8Path) -> Result<(), GenerateError> {
    let schema =
        schema(&[("activity", DataType::Utf8), ("amount", MONEY), ("used", MONEY), ("practical_capacity?", QUANTITY)]);
    let capacities: Decimal128Array = pools.iter().map(|pool| pool.capacity.map(i128::from)).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(pools.iter().map(|pool| pool.activity))),
        decimals(&MONEY, pools.iter().map(|pool| pool.amount)),
        decimals(&MONEY, pools.iter().map(|pool| pool.used)),
        Arc::new(capacities.with_data_type(QUANTITY)),
    ];
    write_whole(&dir.join("pools"), 0, &schema, &[], columns)
}
