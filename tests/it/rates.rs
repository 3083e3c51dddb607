//! Contribution rates through the binary: customers are drawn to their segment, and told alike wherever a rate is used.

use std::{fmt::Write as _, fs};

use whalecurve::schema::period::day_from_civil;

use crate::{
    contracts::optional_days,
    support::{Job, cents, days, decimals, integers, optional_floats},
};

/// Random numbers of a fixed sequence, 0 to 1.
fn uniform() -> impl FnMut() -> f64 {
    let mut random = 12_345_u64;
    move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((random >> 11) as f64 / (1_u64 << 53) as f64).max(1e-12)
    }
}

/// Customers who buy for 10.00 or 20.00 now and then: those of segment `high` leave 60 % of it, those of `low` 10 %.
fn margins(column: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 1998-09-28
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: id, date: day, amount: amount, product_cost: cost}}}}
  customers: {{path: c.csv, columns: {{customer_id: id, {column}: part}}}}
forecast: {{model: mbg_nbd, horizon: 1y, discount_rate_per_year: 0.1, paths: 0{more}}}
"
    ));
    let (mut id, mut day, mut amount, mut cost, mut uniform) = (vec![], vec![], vec![], vec![], uniform());
    let mut table = "id,part\n".to_owned();
    for customer in 0..600_i64 {
        let high = customer % 2 == 0;
        writeln!(table, "{customer},{}", if high { "high" } else { "low" }).unwrap();
        let mut now = 300.0 * uniform();
        while now < 490.0 {
            let spent = if uniform() < 0.5 { 1_000 } else { 2_000 };
            id.push(customer);
            day.push(10_000 + now as i32);
            amount.push(spent);
            cost.push(spent * if high { 4 } else { 9 } / 10);
            now += 1.0 - 80.0 * uniform().ln();
            if uniform() < 0.3 {
                break;
            }
        }
    }
    let columns = vec![("id", integers(id)), ("day", days(day)), ("amount", cents(amount)), ("cost", cents(cost))];
    job.parquet("l.parquet", columns).text("c.csv", &table);
    job
}

#[test]
fn segments_with_exact_margins_have_exact_values_down_to_who_bought_once() {
    // By segment, whatever the models are pooled by; without segments, by what they are pooled by.
    for (column, more) in [("segment", ""), ("segment", ", pool_by: cohort_year"), ("channel", ", pool_by: channel")] {
        let job = margins(column, more);
        job.run(&[]);
        let rates = job.floats("customer_value", "margin_rate");
        let (spend, purchases) = (
            job.floats("customer_value", "expected_spend"),
            job.floats("customer_value", "expected_discounted_purchases"),
        );
        let values = job.decimals("customer_value", "expected_value");
        let once = job.whole_numbers("customer_value", "frequency").iter().filter(|x| **x == Some(0)).count();
        assert!(once > 100, "{once}");
        for row in 0..600 {
            let margin = if row % 2 == 0 { 0.6 } else { 0.1 };
            let expected = 100.0 * margin * spend[row] * purchases[row];
            assert!((values[row] as f64 - expected).abs() < 0.51, "{more} {row}: {} {expected}", values[row]);
            // Where groups have levels of spend, a rate is for an amount without its level.
            assert!(!more.is_empty() || (rates[row] - margin).abs() < 1e-9, "{row}: {}", rates[row]);
        }
        // The next customer of either group has its margin too.
        let by = job.texts("new_customer_value", "grouping");
        let next = job.decimals("new_customer_value", "expected_value").into_iter().zip(&by);
        let next: Vec<f64> = next.filter(|(_, by)| *by == column).map(|(value, _)| value as f64).collect();
        let spent = job.floats("new_customer_value", "expected_purchases").into_iter().zip(&by);
        assert_eq!(spent.filter(|(_, by)| *by == column).count(), 2);
        assert!((next[0] / next[1] - 6.0).abs() < 1.0, "{next:?}");
    }
}

#[test]
fn customers_of_a_plan_are_worth_its_price_from_the_first_day_on() {
    let job = Job::new(
        "
version: 1
currency: EUR
as_of: 2020-06-15
inputs:
  transactions: {path: t.parquet, columns: {customer_id: c, date: d, amount: a}}
  contracts: {path: c.parquet, columns: {customer_id: c, start: s, end: e}}
  customers: {path: plans.csv, columns: {customer_id: id, segment: plan}}
forecast: {model: beta_geometric, time_unit: month, horizon: 12 months, discount_rate_per_year: 0.1, paths: 0}
",
    );
    let (mut uniform, mut plans) = (uniform(), "id,plan\n".to_owned());
    let (mut payer, mut paid, mut fee, mut start, mut end) = (vec![], vec![], vec![], vec![], vec![]);
    let month = |number: i32| day_from_civil(2018 + number / 12, number % 12 + 1, 10);
    for customer in 0..600_i64 {
        let price = if customer % 2 == 0 { 10_000 } else { 1_000 };
        writeln!(plans, "{customer},{}", if customer % 2 == 0 { "pro" } else { "basic" }).unwrap();
        let first = (30.0 * uniform()) as i32;
        let leaves = 0.02 + 0.2 * uniform();
        let left = (first..30).find(|_| uniform() < leaves);
        start.push(month(first));
        end.push(left.map(|last| month(last + 1) - 1).filter(|day| *day < month(29)));
        for number in first..=left.unwrap_or(29).min(29) {
            payer.push(customer);
            paid.push(month(number));
            fee.push(price);
        }
    }
    job.parquet("t.parquet", vec![("c", integers(payer)), ("d", days(paid)), ("a", cents(fee))]);
    job.parquet("c.parquet", vec![("c", integers(0..600)), ("s", days(start)), ("e", optional_days(end))]);
    job.text("plans.csv", &plans);
    job.run(&[]);
    let (values, periods) = (
        job.decimals("customer_value", "expected_value"),
        job.floats("customer_value", "expected_discounted_purchases"),
    );
    for (row, (value, periods)) in values.iter().zip(&periods).enumerate() {
        let price = if row % 2 == 0 { 10_000.0 } else { 1_000.0 };
        assert!((*value as f64 - price * periods).abs() < 0.51, "{row}: {value} of {periods} periods");
    }
    let next = job.decimals("new_customer_value", "expected_value").into_iter();
    let next: Vec<i128> = next
        .zip(job.texts("new_customer_value", "grouping"))
        .filter_map(|(value, by)| (by == "segment").then_some(value))
        .collect();
    let [basic, pro] = next[..] else { panic!("{next:?}") };
    assert!(basic > 0 && (pro - 10 * basic).abs() <= 10, "{next:?}");
}

#[test]
fn without_a_mean_of_spend_one_time_buyers_have_that_of_the_fit_whoever_else_is_there() {
    let job = margins("segment", "");
    let model = job.path("model.json");
    assert!(job.command("fit", &["--model", model.to_str().unwrap()]).status.success());
    let mut saved: serde_json::Value = serde_json::from_str(&fs::read_to_string(&model).unwrap()).unwrap();
    assert!(saved.get("mean_amount").is_none(), "its model has a mean");
    for (name, value) in [("p", 6.0), ("q", 0.9), ("gamma", 15.0)] {
        saved["spend"]["parameters"][name] = value.into();
    }
    saved["mean_amount"] = 15.0.into();
    fs::write(&model, saved.to_string()).unwrap();
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let spend = |name: &str, only: &str| {
        let other = config.replace("path: l.parquet", &format!("path: l.parquet{only}"));
        job.text("whalecurve.yaml", &other);
        let out = job.path(name);
        let done = job.command("project", &["--model", model.to_str().unwrap(), "--output", out.to_str().unwrap()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let frequency = whole(&out);
        let spend = optional_floats(&out, "customer_value", "expected_spend").into_iter().zip(frequency);
        spend.filter(|(_, x)| *x == 0).find_map(|(spend, _)| spend).unwrap()
    };
    // Gamma-Gamma after one purchase of 15: p (γ + 15) / (p + q − 1).
    let expected = 6.0 * (15.0 + 15.0) / 5.9;
    for (name, only) in [("all", ""), ("some", ", where: \"id < 60\"")] {
        let found = spend(name, only);
        assert!((found - expected).abs() < 1e-9, "{name}: {found} is not {expected}");
    }
    assert!(decimals(&job.path("some"), "customer_value", "expected_value").len() < 600);
}

/// Repeat purchases of every customer; 0 of one without a purchase.
fn whole(out: &std::path::Path) -> Vec<i64> {
    let of = |batch: &arrow_array::RecordBatch| {
        let column = batch.column_by_name("frequency").unwrap().clone();
        let column = column.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap().clone();
        column.values().to_vec()
    };
    crate::support::read(out, "customer_value").iter().flat_map(of).collect()
}
