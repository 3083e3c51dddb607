//! From CM3 to economic profit through the whole flow: what tables say is what results say.

use insta::assert_snapshot;
use proptest::prelude::*;

use crate::{
    equity::cdnow,
    support::{Job, cents, days, integers},
};

/// A monthly run of three customers: 1 buys in January and March 1997, 2 in February; 3 and 4 never buy.
fn job(more: &str, sections: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nperiod: month\nas_of: 1997-03-31\ninputs:\n  transactions: {{path: ledger.parquet, \
         columns: {{customer_id: customer, date: day, amount: amount, discount: discount}}}}\n{more}{sections}"
    ));
    // 1997-01-10, 1997-02-10, 1997-03-10.
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers([1, 2, 1, 1])),
            ("day", days([9_871, 9_902, 9_930, 9_931])),
            ("amount", cents([100_000, 50_000, 40_000, -60_000])),
            ("discount", cents([10_000, 0, 0, 0])),
        ],
    );
    job
}

const CUSTOMERS: &str = "  customers: {path: customers.csv, columns: {customer_id: id, acquisition_cost: won_for}}\n";

#[test]
fn acquisition_cost_stands_in_the_period_of_the_first_purchase_and_none_is_lost() {
    let job = job(CUSTOMERS, "");
    job.text("customers.csv", "id,won_for\n2,30.10\n1,20\n4,\n3,5.05\n,7.00\n");
    let manifest = job.run(&[]);
    assert_eq!(job.texts("customer_profit", "period"), ["1997-01", "1997-03", "1997-02", "1997-03"]);
    // Customer 3 never bought: its cost stands in the last period. Customer 4 cost nothing and has no row.
    assert_eq!(job.decimals("customer_profit", "acquisition_cost"), [2_000, 0, 3_010, 505]);
    assert_eq!(job.decimals("customer_profit_total", "acquisition_cost"), [2_000, 3_010, 505, 0]);
    assert_eq!(job.decimals("customer_profit", "economic_profit"), [88_000, -20_000, 46_990, -505]);
    // The row without an id is rejected with its money: input = accepted + rejected.
    let money = |bucket: &str| manifest["balances"]["customers"][bucket]["amount"].as_i64().unwrap();
    assert_eq!((money("input"), money("accepted"), money("rejected")), (6_215, 5_515, 700));
    assert_eq!(job.sum("customer_profit", "acquisition_cost"), i128::from(money("accepted")));
}

#[test]
fn what_customers_have_been_worth_ties_to_their_profit_and_the_last_year_is_of_whole_months() {
    // Profit as above: customer 1 earns 880 in January and loses 200 in March, 2 earns 469.90 in February, 3 and 4 nothing.
    let worth = |period: &str, as_of: &str| {
        let config = |text: &str| {
            format!(
                "version: 1\ncurrency: EUR\nperiod: {text}\nas_of: {as_of}\ninputs:\n  transactions: {{path: \
                 ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount, discount: discount}}}}\n\
                 {CUSTOMERS}"
            )
        };
        let job = job(CUSTOMERS, "");
        job.text("whalecurve.yaml", &config(period));
        job.text("customers.csv", "id,won_for\n2,30.10\n1,20\n4,\n3,5.05\n");
        job.run(&[]);
        job
    };
    let job = worth("month", "1997-03-31");
    assert_eq!(job.decimals("customer_value", "historical_value"), [68_000, 46_990, -505, 0]);
    assert_eq!(job.decimals("customer_value", "acquisition_cost"), [2_000, 3_010, 505, 0]);
    assert_eq!(job.decimals("customer_value", "historical_value_before_acquisition"), [70_000, 50_000, 0, 0]);
    assert_eq!(job.decimals("customer_value", "current_value"), [68_000, 46_990, -505, 0]);
    let total = job.sum("customer_profit_total", "economic_profit");
    assert_eq!((job.sum("customer_value", "historical_value"), total), (114_485, 114_485));
    // March is not over, so neither its loss nor the cost of customer 3 counts; the quarter is not over either.
    let current = |period: &str, as_of: &str| worth(period, as_of).decimals("customer_value", "current_value");
    assert_eq!(current("month", "1997-03-30"), [88_000, 46_990, 0, 0]);
    assert_eq!(current("quarter", "1997-03-30"), [0, 0, 0, 0]);
    assert_eq!(current("quarter", "1997-03-31"), [68_000, 46_990, -505, 0]);
    // A year later January is gone; the cost of customer 3 stands in the last period.
    assert_eq!(current("month", "1998-01-31"), [-20_000, 46_990, -505, 0]);
    // Without months or quarters nobody knows.
    for period in ["year", "whole"] {
        // Nulls are left out of what is read.
        assert_eq!(current(period, "1997-03-31"), [0; 0], "{period}");
    }
}

#[test]
fn an_acquisition_cost_that_is_no_number_stops_the_run_with_the_rest_of_the_story() {
    let job = job(CUSTOMERS, "");
    job.text("customers.csv", "id,won_for\n1,20\n2,much\n1,3.50\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: customers: rule `duplicate_customer` is broken by 1 of 3 rows (20.00 EUR): the customer id stands more than once; its policy is error
    customers: rule `invalid_amount` is broken by 1 of 3 rows: the acquisition cost is not a finite number in range; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn write_offs_are_bad_debt_to_the_cent() {
    let job = job("  receivables: {path: r.csv, columns: {customer_id: c, write_off: w, date: d}}\n", "");
    job.text(
        "r.csv",
        "c,w,d\n1,10.00,1997-01-05\n1,2.50,1997-01-06\n2,,1997-02-01\n3,100,1997-02-02\n2,-0.75,1997-03-01\n",
    );
    let manifest = job.run(&[]);
    // Customer 3 is nobody: neither in the ledger nor in a customers table.
    assert_eq!(job.decimals("customer_profit", "bad_debt"), [1_250, 0, 0, -75]);
    assert_eq!(job.decimals("customer_profit_total", "economic_profit"), [70_000 - 1_250, 50_075]);
    let balance = &manifest["balances"]["receivables"];
    assert_eq!(balance["accepted"]["amount"], 1_175);
    assert_eq!(balance["rejected"]["amount"], 10_000);
}

#[test]
fn probabilities_of_customers_go_before_the_common_one() {
    let receivables = "  receivables:\n    path: r.csv\n    columns: {customer_id: c, balance: b, default_probability: p, period: m}\n";
    let job = job(receivables, "bad_debt: {probability: 0.02, loss: 0.60}\n");
    job.text("r.csv", "c,b,p,m\n1,1000,0.10,1997-01\n2,1000,,1997-02\n1,-500,0.10,1997-03\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit", "bad_debt"), [6_000, 0, 1_200]);
    job.text("r.csv", "c,b,p,m\n1,1000,1.10,1997-01\n");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    std::fs::remove_dir_all(job.path("out")).unwrap();
    job.text("whalecurve.yaml", &format!("{config}contract: {{receivables: {{invalid_probability: error}}}}\n"));
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: receivables: rule `invalid_probability` is broken by 1 of 1 rows (1000.00 EUR): the probability of default is null or not between 0 and 1; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn ninety_days_of_sales_and_commissions_need_no_table() {
    let sections = "capital_charge: {rate_per_year: 0.10, days: 90}\nbad_debt: {probability: 0.02, loss: 0.60}\n\
                    commissions: {rate: 0.05, of: gross_sales}\n";
    let job = job("", sections);
    job.run(&[]);
    // Net revenue 900.00, -200.00 and 500.00: × 90 / 365 × 10 %.
    assert_eq!(job.decimals("customer_profit", "capital_charge"), [2_219, -493, 1_233]);
    // × 90 / 365 × 2 % × 60 %, nothing on what we owe.
    assert_eq!(job.decimals("customer_profit", "bad_debt"), [266, 0, 148]);
    // Gross sales 1,000.00, 400.00 and 500.00.
    assert_eq!(job.decimals("customer_profit", "commissions"), [5_000, 2_000, 2_500]);
    assert_eq!(job.decimals("customer_profit", "economic_profit"), [82_515, -21_507, 46_119]);
}

#[test]
fn commission_is_taken_back_when_the_config_says_so() {
    let commissions = |clawback: bool| {
        let job = job("", &format!("commissions: {{rate: 0.05, clawback: {clawback}}}\n"));
        job.run(&[]);
        job.decimals("customer_profit", "commissions")
    };
    assert_eq!(commissions(false), [4_500, 0, 2_500]);
    assert_eq!(commissions(true), [4_500, -1_000, 2_500]);
}

/// Ten customers, two purchases each, with a forecast; `customers` rows are `id,cost`.
fn forecast(cost: i64, sections: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {{path: ledger.parquet, columns: {{customer_id: c, date: d, \
         amount: a}}}}\n{CUSTOMERS}{sections}forecast: {{model: pareto_nbd, horizon: 52 weeks, paths: 0}}\n"
    ));
    let rows = 0..40_i64;
    job.parquet(
        "ledger.parquet",
        vec![
            ("c", integers(rows.clone().map(|row| row % 13))),
            ("d", days(rows.clone().map(|row| (row * row * 7 % 400) as i32))),
            ("a", cents(rows.clone().map(|row| 1_000 + 37 * (row % 11)))),
        ],
    );
    let lines = (0..13).map(|id| format!("{id},{cost}\n")).collect::<Vec<_>>().concat();
    job.text("customers.csv", &format!("id,won_for\n{lines}"));
    job.run(&[]);
    job
}

#[test]
fn what_winning_a_customer_cost_does_not_come_again() {
    let (free, dear) = (forecast(0, ""), forecast(500, ""));
    assert_eq!(dear.sum("customer_profit_total", "acquisition_cost"), 650_000);
    let expected = |job: &Job| job.decimals("customer_value", "expected_value");
    assert_eq!(expected(&dear), expected(&free));
}

#[test]
fn bad_debt_and_commissions_lower_the_value_of_what_is_to_come() {
    let free = forecast(0, "");
    // 3 % of sales and 7 % of sales: what is kept of them is 90 %, of every customer's future too.
    let sections = "bad_debt: {probability: 0.05, loss: 0.60, days: 365}\ncommissions: {rate: 0.07}\n";
    let less = forecast(0, sections);
    let values = free.decimals("customer_value", "expected_value");
    for (before, after) in values.into_iter().zip(less.decimals("customer_value", "expected_value")) {
        // Bad debt and commission of a period are whole cents, so the rate is 90 % but for those.
        assert!(before > 0 && (before * 90 - after * 100).abs() <= before / 10, "{before} {after}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn every_cent_of_acquisition_cost_and_write_offs_is_in_the_results_or_rejected(
        won in prop::collection::vec((0..9_i64, -5_000..50_000_i64), 1..20),
        lost in prop::collection::vec((0..9_i64, 0..3_u8, -5_000..50_000_i64), 1..20),
    ) {
        // One customer of the ledger stands in the table once: a ledger of which nothing is accepted is an error.
        let mut won: Vec<(i64, i64)> = won.into_iter().filter(|row| row.0 != 1).collect();
        won.push((1, 700));
        let receivables = "  receivables: {path: r.csv, columns: {customer_id: c, write_off: w, period: m}}\n";
        let policies = "contract: {customers: {duplicate_customer: reject}, receivables: {duplicate_key: reject}}\n";
        let job = job(&format!("{CUSTOMERS}{receivables}"), policies);
        let money = |cents: i64| format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
        let won_lines = won.iter().map(|(id, cents)| format!("{id},{}\n", money(*cents))).collect::<Vec<_>>().concat();
        let lost_line = |(id, month, cents): &(i64, u8, i64)| format!("{id},{},1997-0{}\n", money(*cents), month + 1);
        let lost_lines = lost.iter().map(lost_line).collect::<Vec<_>>().concat();
        job.text("customers.csv", &format!("id,won_for\n{won_lines}")).text("r.csv", &format!("c,w,m\n{lost_lines}"));
        let manifest = job.run(&[]);
        let amount = |table: &str, bucket: &str| i128::from(manifest["balances"][table][bucket]["amount"].as_i64().unwrap());
        let sum = |cents: &mut dyn Iterator<Item = i64>| i128::from(cents.sum::<i64>());
        prop_assert_eq!(amount("customers", "input"), sum(&mut won.iter().map(|row| row.1)));
        prop_assert_eq!(amount("receivables", "input"), sum(&mut lost.iter().map(|row| row.2)));
        for (table, column) in [("customers", "acquisition_cost"), ("receivables", "bad_debt")] {
            prop_assert_eq!(amount(table, "input"), amount(table, "accepted") + amount(table, "rejected"));
            for dataset in ["customer_profit", "customer_profit_total"] {
                prop_assert_eq!(job.sum(dataset, column), amount(table, "accepted"));
            }
        }
        let parts = ["capital_charge", "bad_debt", "commissions", "acquisition_cost"];
        let cost: i128 = parts.iter().map(|part| job.sum("customer_profit", part)).sum();
        prop_assert_eq!(job.sum("customer_profit", "economic_profit"), job.sum("customer_profit", "cm3") - cost);
    }
}

#[test]
fn capital_in_receivables_comes_with_sales_and_is_no_cost_of_time() {
    // A year of 365 days: 45 days of sales at 8 % are 0.986 % of them, whenever they were.
    let without = cdnow("", "");
    let with = cdnow("", "capital_charge: {rate_per_year: 0.08, days: 45}\n");
    without.run(&[]);
    with.run(&[]);
    assert!(with.sum("customer_profit_total", "capital_charge") > 10_000);
    let of = |job: &Job, column: &str| job.floats("customer_value", column);
    let rates = of(&without, "margin_rate").into_iter().zip(of(&with, "margin_rate"));
    let mut all = 0;
    for (without, with) in rates {
        // A cell's charge is rounded to the cent.
        assert!((without - with - 0.08 * 45.0 / 365.0).abs() < 1e-3, "{without} {with}");
        all += 1;
    }
    assert_eq!(all, 2_357);
    for (without, with) in of(&without, "cost_per_time").into_iter().zip(of(&with, "cost_per_time")) {
        assert!(without > 0.0 && (without - with).abs() < 1e-12, "{without} {with}");
    }
}
