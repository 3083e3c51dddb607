//! Estimates against the truth of a generated company.

use crate::support::{decimals, floats_of, read, run, sum, whalecurve};

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

/// Groups of the portfolio, as they are sorted.
const GROUPS: [&str; 4] = ["invest", "let_go", "nurture", "re_engineer"];

/// Share of customers in the group that the truth puts them in, at least; what misses is the future, of which an estimate knows
/// what a customer's past says.
const AGREEMENT: f64 = 0.70;

fn texts(output: &std::path::Path, dataset: &str, column: &str) -> Vec<String> {
    let values = |batch: &arrow_array::RecordBatch| {
        let array = batch.column_by_name(column).unwrap();
        let array = array.as_any().downcast_ref::<arrow_array::StringArray>().unwrap();
        array.iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
    };
    read(output, dataset).iter().flat_map(values).collect()
}

/// Portfolio groups from what a run estimates against those from the truth: present profit from true costs, future from each
/// customer's true expected purchases, true mean spend and the company's contribution rate, cut at its own median.
///
/// `cargo test --release --test it confusion -- --nocapture` prints the matrix.
#[test]
fn portfolio_groups_from_estimates_against_the_truth_are_a_confusion_matrix_mostly_on_its_diagonal() {
    let folder = tempfile::tempdir().unwrap();
    let company = folder.path().join("company");
    let size = ["generate", "--customers", "10000", "--transactions", "100000", "--seed", "5"];
    assert!(whalecurve(&[&size[..], &[company.to_str().unwrap()]].concat()).status.success());
    let output = folder.path().join("out");
    run(&company.join("whalecurve.yaml"), &output, &[]);
    let money = |column: &str| decimals(&output, "customer_profit_total", column);
    let (revenue, product_cost, cm2) = (money("net_revenue"), money("product_cost"), money("cm2"));
    let cost = decimals(&company, "truth", "true_cost_to_serve");
    let charge = money("capital_charge");
    let rate = cm2.iter().sum::<i128>() as f64 / revenue.iter().sum::<i128>() as f64;
    let purchases = floats_of(&company, "truth", "expected_purchases_52_weeks");
    let spend = floats_of(&company, "truth", "mean_spend");
    let future: Vec<f64> = purchases.iter().zip(&spend).map(|(n, spend)| n * spend * rate).collect();
    let mut above: Vec<f64> = future.iter().copied().filter(|value| *value > 0.0).collect();
    above.sort_by(f64::total_cmp);
    let cut = above[(above.len() - 1) / 2];
    let truth = |row: usize| {
        let present = revenue[row] - product_cost[row] - cost[row] - charge[row];
        match (present > 0, future[row] >= cut) {
            (true, true) => 0,
            (false, false) => 1,
            (true, false) => 2,
            (false, true) => 3,
        }
    };
    let mut matrix = [[0_usize; 4]; 4];
    for (row, group) in texts(&output, "customer_segment", "portfolio_group").iter().enumerate() {
        let estimate = GROUPS.iter().position(|name| name == group).unwrap();
        matrix[truth(row)][estimate] += 1;
    }
    let mut told = format!("{:<12}{}\n", "true \\ found", GROUPS.map(|name| format!("{name:>12}")).concat());
    for (name, row) in GROUPS.iter().zip(matrix) {
        told.extend([format!("{name:<12}"), row.map(|count| format!("{count:>12}")).concat(), "\n".to_owned()]);
    }
    let hits: usize = (0..4).map(|group| matrix[group][group]).sum();
    let share = hits as f64 / revenue.len() as f64;
    std::io::Write::write_all(&mut std::io::stdout(), format!("{told}agreement {share:.4}\n").as_bytes()).unwrap();
    assert_eq!(matrix.iter().flatten().sum::<usize>(), 10_000);
    assert!(share > AGREEMENT && hits < 10_000, "{told}");
}
