//! Estimates against the truth of a generated company.

use crate::support::{decimals, read, run, sum, whalecurve};

/// Storage goes by net revenue, and the truth rounds each customer's share to the cent by itself.
const ROUNDING: i128 = 1;

#[test]
fn every_customers_allocated_cost_is_its_true_cost_and_idle_capacity_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let company = folder.path().join("company");
    let generated = whalecurve(&[
        "generate",
        "--customers",
        "400",
        "--transactions",
        "4000",
        "--seed",
        "11",
        company.to_str().unwrap(),
    ]);
    assert!(generated.status.success());
    let output = folder.path().join("out");
    run(&company.join("whalecurve.yaml"), &output, &[]);
    let truth = decimals(&company, "truth", "true_cost_to_serve");
    let cost: Vec<i128> = ["product_activity_cost", "order_cost", "customer_cost"]
        .map(|column| decimals(&output, "customer_profit_total", column))
        .into_iter()
        .reduce(|sum, column| sum.iter().zip(column).map(|(a, b)| a + b).collect())
        .unwrap();
    assert_eq!(truth.len(), 400);
    assert!(truth.iter().zip(&cost).all(|(truth, cost)| (truth - cost).abs() <= ROUNDING));
    let idle = sum(&company, "pools", "amount") - sum(&company, "pools", "used");
    assert_eq!(sum(&output, "pool_balance", "unused"), idle);
    assert_eq!(read(&output, "capacity_use").iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 7);
}
