//! The portfolio example through the binary: every number that `datasets/portfolio/README.md` works out by hand.

use std::path::Path;

use arrow_array::{Array, BooleanArray, StringArray};
use insta::assert_snapshot;

use crate::support::{Job, cents, days, decimals, integers, optional_floats, read, root, run, text};

/// The customers, in the order of the outputs.
const CUSTOMERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(&root().join("datasets/portfolio/whalecurve.yaml"), &folder.path().join("out"), &[]);
    folder
}

fn texts(output: &Path, dataset: &str, column: &str) -> Vec<Option<String>> {
    let values = |batch: &arrow_array::RecordBatch| {
        let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
        array.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    };
    read(output, dataset).iter().flat_map(values).collect()
}

/// Customers of whom a flag is true.
fn flagged(output: &Path, column: &str) -> String {
    let values = |batch: &arrow_array::RecordBatch| {
        let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<BooleanArray>().unwrap();
        (0..array.len()).map(|row| array.is_valid(row) && array.value(row)).collect::<Vec<_>>()
    };
    let flags: Vec<bool> = read(output, "customer_segment").iter().flat_map(values).collect();
    assert_eq!(flags.len(), CUSTOMERS.len());
    CUSTOMERS.iter().zip(flags).filter(|(_, flag)| *flag).map(|(name, _)| *name).collect()
}

#[test]
fn groups_and_ways_to_serve_are_those_worked_out_by_hand() {
    let folder = example();
    let out = folder.path().join("out");
    let money = |column: &str| decimals(&out, "customer_segment", column);
    assert_eq!(money("present_profit"), [120_000, -112_000, 18_000, -44_000, -32_000, -16_000, 40_000, 40_000]);
    let group = |row: usize| texts(&out, "customer_segment", "portfolio_group")[row].clone().unwrap();
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(group),
        ["invest", "re_engineer", "nurture", "re_engineer", "let_go", "re_engineer"]
    );
    let ways = texts(&out, "customer_segment", "best_way_to_serve");
    let ways: Vec<&str> = ways.iter().map(|way| way.as_deref().unwrap_or("-")).collect();
    assert_eq!(ways, ["-", "web", "-", "phone", "web", "phone", "-", "-"]);
    assert_eq!(money("profit_if_re_engineered"), [4_000, 5_200, 0, 9_600]);
    assert_eq!(decimals(&out, "customer_value", "learning_potential")[4], 25_000);
    assert_eq!(decimals(&out, "customer_value", "pipeline_value")[0], 18_178);
}

#[test]
fn roles_are_those_worked_out_by_hand() {
    let folder = example();
    let out = folder.path().join("out");
    assert_eq!(flagged(&out, "high_lifetime_value"), "A");
    assert_eq!(flagged(&out, "benchmark"), "FG");
    assert_eq!(flagged(&out, "inspiration"), "H");
    assert_eq!(flagged(&out, "cost_magnet"), "BD");
    assert_eq!(flagged(&out, "protected_by_role"), "BDF");
    let influence = decimals(&out, "customer_segment", "referral_influence");
    assert_eq!(influence, [0, 0, 0, 0, 0, 2_833_333, 333_333, 0]);
    let ratio = optional_floats(&out, "customer_segment", "fixed_cost_ratio")[1].unwrap();
    assert!((ratio - (1_600.0 / 4_560.0) / (4_800.0 / 21_200.0)).abs() < 1e-12);
}

#[test]
fn payment_grades_are_those_worked_out_by_hand() {
    let folder = example();
    let out = folder.path().join("out");
    let grades: Vec<String> = texts(&out, "customer_payment", "grade").into_iter().flatten().collect();
    assert_eq!(grades.concat(), "AECE");
    let late = optional_floats(&out, "customer_payment", "days_late")[1].unwrap();
    let weight = |quarters: f64| libm::exp2(-quarters / 4.0);
    let weights = [7.0, 5.0, 3.0, 1.0].map(weight);
    let by_hand = (10.0 * weights[1] + 30.0 * weights[2] + 60.0 * weights[3]) / weights.iter().sum::<f64>();
    assert!((late - by_hand).abs() < 1e-12 && by_hand > 33.0 && by_hand < 34.0, "{late}");
    assert_eq!(optional_floats(&out, "customer_payment", "days_late_trend")[1], Some(12.5));
    assert_eq!(optional_floats(&out, "customer_payment", "default_probability")[0], Some(0.005));
}

#[test]
fn a_decline_falls_into_parts_that_add_up() {
    let folder = example();
    let out = folder.path().join("out");
    let column = |name: &str| decimals(&out, "customer_decline", name);
    assert_eq!(texts(&out, "customer_decline", "customer_id").into_iter().flatten().collect::<String>(), "BE");
    assert_eq!(column("change"), [-232_000, -34_000]);
    assert_eq!(column("volume"), [-120_000, -4_000]);
    assert_eq!(column("price_mix"), [-20_000, 0]);
    assert_eq!(column("product_cost"), [0, 0]);
    assert_eq!(column("cost_to_serve"), [-92_000, -30_000]);
    assert_eq!(texts(&out, "customer_decline", "before")[0].as_deref(), Some("2022-Q1 to 2022-Q4"));
}

#[test]
fn every_segmentation_partitions_the_customers_and_adds_up_to_the_whole() {
    let folder = example();
    let out = folder.path().join("out");
    let of = texts(&out, "segment_value", "segmentation");
    let names = texts(&out, "segment_value", "segment");
    let (revenue, profit) =
        (decimals(&out, "segment_value", "net_revenue"), decimals(&out, "segment_value", "economic_profit"));
    let mut kinds: Vec<String> = of.iter().flatten().cloned().collect();
    kinds.dedup();
    let expected = [
        "benchmark",
        "channel",
        "cluster",
        "cohort_year",
        "cost_magnet",
        "credit_grade",
        "high_lifetime_value",
        "inspiration",
        "parent",
        "portfolio_group",
        "rfm_cell",
        "user_segment",
        "value_tier",
    ];
    assert_eq!(kinds, expected);
    for kind in expected {
        let rows: Vec<usize> = (0..of.len()).filter(|row| of[*row].as_deref() == Some(kind)).collect();
        assert_eq!(rows.iter().map(|row| revenue[*row]).sum::<i128>(), 2_120_000, "{kind}");
        let whole: i128 = decimals(&out, "customer_value", "base_potential").iter().sum();
        assert_eq!(rows.iter().map(|row| profit[*row]).sum::<i128>(), whole, "{kind}");
    }
    let revenue_of = |kind: &str, name: &str| {
        (0..of.len())
            .find(|row| of[*row].as_deref() == Some(kind) && names[*row].as_deref() == Some(name))
            .map(|row| revenue[row])
    };
    assert_eq!(revenue_of("parent", "North"), Some(1_280_000));
    assert_eq!(revenue_of("parent", "(none)"), Some(670_000));
    assert_eq!(revenue_of("user_segment", "key"), Some(1_280_000));
    assert_eq!(revenue_of("user_segment", "lapsed"), Some(10_000));
    assert_eq!(revenue_of("user_segment", "online"), Some(550_000));
    assert_eq!(revenue_of("user_segment", "(other)"), Some(280_000));
    // Joint draws of every group are there, and their means add up to the whole within the rounding of a mean.
    let means = decimals(&out, "segment_value", "lifetime_value_mean");
    assert_eq!(means.len(), of.len(), "every segment has an interval");
    let equity = decimals(&out, "customer_equity", "equity_mean")[0];
    for kind in expected {
        let sum: i128 = (0..of.len()).filter(|row| of[*row].as_deref() == Some(kind)).map(|row| means[row]).sum();
        assert!((sum - equity).abs() <= 11, "{kind}: {sum} {equity}");
    }
}

#[test]
fn moves_between_groups_hold_every_customer_and_all_money() {
    let folder = example();
    let out = folder.path().join("out");
    let of = texts(&out, "segment_migration", "segmentation");
    let period = texts(&out, "segment_migration", "period");
    let customers: Vec<i64> = read(&out, "segment_migration")
        .iter()
        .flat_map(|batch| {
            let column = batch.column_by_name("customers").unwrap();
            column.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap().values().to_vec()
        })
        .collect();
    let revenue = decimals(&out, "segment_migration", "net_revenue");
    for kind in ["profit", "value_tier"] {
        let rows = |quarter: &str| -> Vec<usize> {
            (0..of.len())
                .filter(|row| of[*row].as_deref() == Some(kind) && period[*row].as_deref() == Some(quarter))
                .collect()
        };
        for quarter in ["2022-Q1", "2022-Q2", "2022-Q4", "2023-Q3"] {
            assert_eq!(rows(quarter).iter().map(|row| customers[*row]).sum::<i64>(), 8, "{kind} {quarter}");
        }
        assert_eq!(rows("2022-Q1").iter().map(|row| revenue[*row]).sum::<i128>(), 295_000, "{kind}");
    }
    // From 2022-Q4 to 2023-Q1: B turns from +300 to −240, H comes with +100, E from nothing to −80.
    let (from, to) = (texts(&out, "segment_migration", "from"), texts(&out, "segment_migration", "to"));
    let told: Vec<String> = (0..of.len())
        .filter(|row| of[*row].as_deref() == Some("profit") && period[*row].as_deref() == Some("2022-Q4"))
        .map(|row| format!("{} → {}: {}", from[row].as_ref().unwrap(), to[row].as_ref().unwrap(), customers[row]))
        .collect();
    assert_eq!(
        told,
        [
            "idle → losing: 1",
            "losing → losing: 2",
            "not_yet → profitable: 1",
            "profitable → losing: 1",
            "profitable → profitable: 3"
        ]
    );
}

#[test]
fn a_product_that_earns_least_may_be_the_door_of_the_best_customers() {
    let folder = example();
    let out = folder.path().join("out");
    assert_eq!(texts(&out, "product_entry", "product_id").into_iter().flatten().collect::<String>(), "basictrial");
    assert_eq!(decimals(&out, "product_entry", "margin"), [686_000, 58_000]);
    let role: Vec<String> = texts(&out, "product_entry", "role").into_iter().flatten().collect();
    assert_eq!(role, ["earns", "opens"]);
    assert_eq!(optional_floats(&out, "product_entry", "second_purchase_share"), [Some(0.8), Some(1.0)]);
    let value = decimals(&out, "customer_value", "expected_value");
    let sum = |rows: &[usize]| rows.iter().map(|row| value[*row]).sum::<i128>();
    assert_eq!(decimals(&out, "product_entry", "expected_value"), [sum(&[1, 2, 3, 4, 5]), sum(&[0, 6, 7])]);
}

#[test]
fn concentration_tells_the_two_top_fifths_apart() {
    let folder = example();
    let out = folder.path().join("out");
    let all =
        texts(&out, "concentration", "segmentation").iter().position(|name| name.as_deref() == Some("all")).unwrap();
    let share = |column: &str| optional_floats(&out, "concentration", column)[all];
    // Two of eight: A and B sell 12,800 of 21,200; B and D cost most to serve, A and C earn most.
    assert_eq!(share("top_20_share_of_sales"), Some(12_800.0 / 21_200.0));
    assert_eq!(share("overlap_sales_cost"), Some(0.5));
    assert_eq!(share("overlap_profit_cost"), Some(0.0));
    let profit: Vec<i128> = decimals(&out, "customer_value", "base_potential");
    let total: i128 = profit.iter().sum();
    let top = profit[0] + profit[2];
    assert_eq!(share("top_20_share_of_profit"), Some(top as f64 / total as f64));
}

/// Four customers: one pays in time, two late, of one nobody knows.
fn late_payers(more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nperiod: year\nas_of: 1970-12-31\ninputs:\n  transactions: {{path: l.parquet, columns: \
         {{customer_id: c, date: d, amount: a}}}}\n  receivables: {{path: r.csv, columns: {{customer_id: c, balance: b, \
         days_late: l, period: p}}}}\n{more}"
    ));
    job.parquet("l.parquet", vec![("c", integers(1..=4)), ("d", days([9; 4])), ("a", cents([100_000; 4]))]);
    job.text("r.csv", "c,b,l,p\n1,100.00,0,1970\n2,100.00,45,1970\n3,100.00,90,1970\n4,100.00,,1970\n");
    job
}

#[test]
fn bad_debt_by_grade_is_the_balance_times_the_probability_of_the_grade() {
    let job = late_payers("bad_debt: {by_grade: true, loss: 0.60}\n");
    job.run(&[]);
    // A 0.5 %, D 10 %, E 25 %, and without a grade that of C, 3 %, each of 60.00.
    assert_eq!(job.decimals("customer_profit_total", "bad_debt"), [30, 600, 1_500, 180]);
    let other = late_payers("bad_debt: {by_grade: true, probability_per_year: 0.5, loss: 0.60}\n");
    other.run(&[]);
    assert_eq!(other.decimals("customer_profit_total", "bad_debt"), [30, 600, 1_500, 3_000]);
    // Grades are groups, and columns of the user's own ones: null of whom nothing is known.
    let own = late_payers(
        "portfolio:\n  segments: {known: \"default_probability < 0.2\", unknown: \"grade IS NULL\", late: \"grade = 'E'\"}\n",
    );
    own.run(&[]);
    let (of, names) = (own.texts("segment_value", "segmentation"), own.texts("segment_value", "segment"));
    let counts = own.whole_numbers("segment_value", "customers");
    let found = |kind: &str| -> Vec<String> {
        let rows = (0..of.len()).filter(|row| of[*row] == kind && counts[*row] != Some(0));
        rows.map(|row| format!("{} {}", names[row], counts[row].unwrap())).collect()
    };
    assert_eq!(found("credit_grade"), ["(none) 1", "A 1", "D 1", "E 1"]);
    assert_eq!(found("user_segment"), ["known 2", "late 1", "unknown 1"]);
    assert_snapshot!(late_payers("bad_debt: {by_grade: true, probability: 0.5, loss: 0.60}\n").failure(), @r"
    exit code 2
    whalecurve.yaml:8:28: `bad_debt.probability` has no effect with by_grade
      hint: probabilities of grades are for a year: give probability_per_year for customers without a grade
    ");
}

#[test]
fn a_year_of_bad_debt_by_grade_is_the_same_in_periods_of_any_length() {
    let year = |period: &str, labels: &[&str]| -> i128 {
        let job = Job::new(&format!(
            "version: 1\ncurrency: EUR\nperiod: {period}\nas_of: 2023-12-31\ninputs:\n  transactions: {{path: l.parquet, \
             columns: {{customer_id: c, date: d, amount: a}}}}\n  receivables: {{path: r.csv, columns: {{customer_id: c, balance: \
             b, days_late: l, period: p}}}}\nbad_debt: {{by_grade: true, loss: 0.60}}\n"
        ));
        job.parquet("l.parquet", vec![("c", integers([1])), ("d", days([19_400])), ("a", cents([500_000]))]);
        let lines: Vec<String> = labels.iter().map(|label| format!("1,1000.00,90,{label}\n")).collect();
        job.text("r.csv", &format!("c,b,l,p\n{}", lines.concat()));
        job.run(&[]);
        job.sum("customer_profit_total", "bad_debt")
    };
    // E: 1,000.00 · 0.25 · 0.60 a year, of 365 days.
    assert_eq!(year("year", &["2023"]), 15_000);
    assert!((year("quarter", &["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"]) - 15_000).abs() <= 2);
    let months: Vec<String> = (1..=12).map(|month| format!("2023-{month:02}")).collect();
    assert!((year("month", &months.iter().map(String::as_str).collect::<Vec<_>>()) - 15_000).abs() <= 6);
}

#[test]
fn mistakes_in_the_portfolio_are_told_all_at_once() {
    let job = late_payers(
        "bad_debt: {by_grade: true, loss: 0.60, days: 30}
portfolio:
  rfm_cuts: {recency: [90, 30], frequency: [1], monetary: [5.00]}
  value_tier_cuts: {lead: 1.00, gold: 5.00}
  ways_to_serve: {phone: {drivers: {visit: 0.2}}, none: {}}
  roles: {high_lifetime_value: 2}
  credit: {days_late: [30, 15, 0, 60], half_life: 0}
  clusters: {clusters: 1, columns: []}
",
    );
    assert_snapshot!(job.failure(), @r"
    exit code 2
    whalecurve.yaml:8:40: `bad_debt.days` has no effect with by_grade
    whalecurve.yaml:10:23: `portfolio.rfm_cuts.recency` is not one to nine ascending numbers, like [30, 90, 180, 365]
    whalecurve.yaml:11:39: `portfolio.value_tier_cuts.gold` is not below the tier before it: name the best tier first
    whalecurve.yaml:12:37: `portfolio.ways_to_serve.phone.drivers.visit` is no driver that an activity of the config goes by
    whalecurve.yaml:12:51: `portfolio.ways_to_serve.none` changes nothing
      hint: name what changes, as in: phone: {drivers: {visits: 0.2, calls: 1.5}}
    whalecurve.yaml:13:32: `portfolio.roles.high_lifetime_value` is `2`, expected a number from 0 to 1, at most 12 digits after the point
    whalecurve.yaml:14:23: `portfolio.credit.days_late` is not 4 numbers, none smaller than the one before it
    whalecurve.yaml:14:51: `portfolio.credit.half_life` is `0`, expected a number above 0
    whalecurve.yaml:15:24: `portfolio.clusters.clusters` is `1`, expected a whole number from 2 to 50
    whalecurve.yaml:15:36: `portfolio.clusters.columns` is an empty list, expected names of output columns, like [net_revenue, cm3, frequency]
    ");
}

#[test]
fn an_expression_that_cannot_be_evaluated_stops_the_run_with_its_reason() {
    for (text, reason) in [
        ("net_revenu > 5", "no column `net_revenu`; did you mean `net_revenue`?"),
        ("net_revenue > AVG(net_revenue)", "it adds up over several rows; an expression is about one"),
        ("net_revenue", "it is neither true nor false"),
        ("net_revenue >", "portfolio: `mine`: "),
        ("frequency > 'often'", "cannot compare"),
        ("value_tier + 1 = 2", "portfolio: `mine`: "),
    ] {
        let job = late_payers(&format!("portfolio: {{segments: {{mine: \"{text}\"}}}}\n"));
        // Told before anything is read.
        std::fs::remove_file(job.path("l.parquet")).unwrap();
        let told = job.failure();
        assert!(
            told.starts_with("exit code 2\nwhalecurve.yaml:8:30: portfolio: ") && told.contains(reason),
            "{text}: {told}"
        );
    }
}

#[test]
fn a_column_without_numbers_is_no_distance_between_customers() {
    let job = late_payers("portfolio: {clusters: {clusters: 2, columns: [value_tier]}}\n");
    std::fs::remove_file(job.path("l.parquet")).unwrap();
    let told = job.failure();
    let place = "whalecurve.yaml:8:46: portfolio: `clusters`: `value_tier` holds no numbers";
    assert!(told.starts_with(&format!("exit code 2\n{place}")), "{told}");
}

#[test]
fn names_that_outputs_give_to_other_groups_and_columns_that_stand_twice_are_refused() {
    let job = late_payers(
        "portfolio:
  value_tiers: {gold: 0.5, not_yet: 0.5}
  segments: {(other): \"net_revenue > 5\"}
  clusters: {clusters: 2, columns: [net_revenue, cm3, net_revenue]}
",
    );
    assert_snapshot!(job.failure(), @r"
    exit code 2
    whalecurve.yaml:9:28: `portfolio.value_tiers.not_yet` has a name that outputs give to customers who have not come yet
      hint: call it otherwise
    whalecurve.yaml:10:14: `portfolio.segments.(other)` has a name that outputs give to customers of whom no expression is true
      hint: call it otherwise
    whalecurve.yaml:11:55: `portfolio.clusters.columns` names `net_revenue` twice
    ");
    let told = late_payers("portfolio: {value_tier_cuts: {gold: 5.00, not_yet: 1.00}}\n").failure();
    assert!(told.contains("`portfolio.value_tier_cuts.not_yet` has a name that outputs give to"), "{told}");
}

#[test]
fn who_has_no_channel_has_none_in_an_expression_either() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\nas_of: 2024-12-31\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, \
         amount: a}}\n  customers: {path: c.csv, columns: {customer_id: id, segment: s, channel: w}}\nportfolio:\n  segments: \
         {not_web: \"channel <> 'web'\", nowhere: \"channel IS NULL AND segment IS NULL\"}\n",
    );
    let ledger = vec![("c", text(["a", "b", "c"])), ("d", days([19_700; 3])), ("a", cents([500; 3]))];
    job.parquet("l.parquet", ledger);
    job.text("c.csv", "id,s,w\na,,\nb,x,web\nc,x,field\n");
    job.run(&[]);
    let groups = job.optional_texts("customer_segment", "user_segment");
    assert_eq!(groups, ["nowhere", "(other)", "not_web"].map(|name| Some(name.to_owned())));
    // Nor has anybody, where the column holds nothing.
    job.text("c.csv", "id,s,w\na,,\nb,x,\nc,x,\n");
    job.run(&[]);
    let groups = job.optional_texts("customer_segment", "user_segment");
    assert_eq!(groups, ["nowhere", "(other)", "(other)"].map(|name| Some(name.to_owned())));
}

/// The example with its ledger and tables in another order of rows, and words of its config changed.
fn shuffled(changes: &[(&str, &str)]) -> Job {
    let folder = root().join("datasets/portfolio");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut config = text("whalecurve.yaml");
    for (from, to) in changes {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    let job = Job::new(&config);
    for name in ["customers", "service", "referrals", "pipeline", "lessons", "interactions", "payments"] {
        let table = text(&format!("{name}.csv"));
        let (head, rows) = table.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().rev().collect();
        job.text(&format!("{name}.csv"), &format!("{head}\n{}\n", rows.join("\n")));
    }
    let ledger = text("ledger.csv");
    let rows: Vec<Vec<&str>> = ledger.lines().rev().map(|line| line.split(',').collect()).collect();
    let rows = &rows[..rows.len() - 1];
    let money = |column: usize| cents(rows.iter().map(|row| row[column].replace('.', "").parse::<i64>().unwrap()));
    let day = |text: &str| whalecurve::schema::period::parse_day(text).unwrap();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", crate::support::text(rows.iter().map(|row| row[0]))),
            ("date", days(rows.iter().map(|row| day(row[1])))),
            ("product", crate::support::text(rows.iter().map(|row| row[2]))),
            ("units", integers(rows.iter().map(|row| row[3].parse::<i64>().unwrap()))),
            ("amount", money(4)),
            ("cost", money(5)),
        ],
    );
    job
}

#[test]
fn rows_in_another_order_and_other_threads_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let config = root().join("datasets/portfolio/whalecurve.yaml");
    let digest = |manifest: serde_json::Value| manifest["result_digest"].as_str().unwrap().to_owned();
    let committed = digest(run(&config, &folder.path().join("out"), &["--threads", "1"]));
    assert_eq!(digest(shuffled(&[]).run(&["--threads", "2"])), committed);
}

#[test]
fn segments_of_simulated_columns_come_after_the_simulation_and_money_is_compared_to_the_cent() {
    let job = shuffled(&[
        ("net_revenue >= 3000.00 AND channel = 'field'", "net_revenue >= 1200.00 AND net_revenue < 1600.00"),
        ("channel = 'web'", "lifetime_value_mean > 100"),
    ]);
    job.run(&[]);
    let groups = job.optional_texts("customer_segment", "user_segment");
    let of = |group: &str| -> String {
        CUSTOMERS.iter().zip(&groups).filter(|(_, own)| own.as_deref() == Some(group)).map(|(name, _)| *name).collect()
    };
    assert_eq!(of("key"), "FH", "1,200.00 is reached, 1,600.00 of D is not below");
    assert!(of("online").contains('A') && !of("online").contains('D'), "{}", of("online"));
    let kinds = job.texts("segment_value", "segmentation");
    let means = job.decimals("segment_value", "lifetime_value_mean");
    let own = kinds.iter().filter(|kind| *kind == "user_segment").count();
    assert_eq!((own, means.len()), (4, kinds.len() - 4), "no joint draws of groups that the draws make");
}

#[test]
fn a_what_if_is_one_more_way_to_serve() {
    let job = shuffled(&[(
        "portfolio:\n",
        "overrides: {name: half_price_visits, activities: {visits: {rate: 40}}}\nportfolio:\n",
    )]);
    job.run(&[]);
    let ways = job.optional_texts("customer_segment", "best_way_to_serve");
    // D: −440 + 8 · 40 = −120 is less than 52; E: −320 + 160 = −160 less than 0; F: −160 + 160 = 0 less than 96; B −480.
    assert_eq!(ways[1].as_deref(), Some("web"));
    let alone = shuffled(&[
        ("portfolio:\n", "overrides: {name: half_price_visits, activities: {visits: {rate: 40}}}\nportfolio:\n"),
        (
            "    phone: {drivers: {visits: 0.2, calls: 1.5}}\n    web: {activities: {visits: 0, calls: 0, order_handling: 4}}\n",
            "    none: {drivers: {visits: 1}}\n",
        ),
    ]);
    alone.run(&[]);
    let ways = alone.optional_texts("customer_segment", "best_way_to_serve");
    assert_eq!((ways[1].as_deref(), ways[0].as_deref()), (Some("half_price_visits"), None));
    // B, D, E and F of the base, then of the scenario, where nothing is left to change.
    assert_eq!(alone.decimals("customer_segment", "profit_if_re_engineered"), [-48_000, -12_000, -16_000, 0]);
}

#[test]
fn cost_of_activities_on_products_is_product_cost_and_no_cost_to_serve() {
    let job = Job::new(
        "
version: 1
currency: EUR
as_of: 2023-12-31
period: year
inputs: {transactions: {path: ledger.parquet, columns: {customer_id: customer, date: day, amount: amount}}}
drivers: {orders: {count_distinct: day}}
activities:
  picking: {level: order, layer: cm1, method: driver, driver: orders, cost: 30.00}
  handling: {level: order, method: driver, driver: orders, cost: 60.00}
",
    );
    // Two orders of 100.00 in 2022, one of 10.00 in 2023; each bears 10.00 of picking and 20.00 of handling.
    let date = |text: &str| whalecurve::schema::period::parse_day(text).unwrap();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(["A", "A", "A"])),
            ("day", days(["2022-03-01", "2022-05-01", "2023-03-01"].map(date))),
            ("amount", cents([10_000, 10_000, 1_000])),
        ],
    );
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit", "product_activity_cost"), [2_000, 1_000]);
    assert_eq!(job.decimals("concentration", "cost_to_serve")[0], 6_000, "handling alone");
    let part = |name: &str| job.decimals("customer_decline", name)[0];
    assert_eq!((part("profit_before"), part("profit_now"), part("change")), (14_000, -2_000, -16_000));
    // By hand: an order less at 90.00 after picking, 90.00 less for the other one, 20.00 of handling saved.
    let parts = ["volume", "price_mix", "product_cost", "cost_to_serve", "lateness", "other"].map(part);
    assert_eq!(parts, [-9_000, -9_000, 0, 2_000, 0, 0]);
    // A year of which the ledger has a part alone is not beside a whole one: here twelve months up to May 2023.
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = config.replace("as_of: 2023-12-31", "as_of: 2023-05-31").replace("period: year", "period: month");
    job.text("whalecurve.yaml", &config);
    job.run(&[]);
    assert_eq!(job.texts("customer_decline", "customer_id"), Vec::<String>::new());
}

#[test]
fn another_way_to_serve_is_told_of_a_customer_who_is_idle_in_the_last_period_too() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\nperiod: month\nas_of: 1970-03-31\ninputs:\n  transactions: {path: l.parquet, columns: \
         {customer_id: c, date: d, amount: a}}\n  pools: {path: p.csv, columns: {activity: activity, amount: amount, period: \
         period}}\ndrivers: {orders: {count_distinct: day}}\nactivities: {handling: {level: order, method: driver, driver: \
         orders}}\nportfolio: {ways_to_serve: {phone: {activities: {handling: 0.5}}}}\n",
    );
    // The second buys in January alone.
    let columns = vec![("c", integers([1, 2, 1])), ("d", days([9, 9, 69])), ("a", cents([1_000; 3]))];
    job.parquet("l.parquet", columns);
    job.text("p.csv", "activity,period,amount\nhandling,1970-01,30.00\nhandling,1970-03,30.00\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "economic_profit"), [-2_500, -500]);
    assert_eq!(job.texts("customer_segment", "best_way_to_serve"), ["phone"; 2]);
    assert_eq!(job.decimals("customer_segment", "profit_if_re_engineered"), [-250, 250]);
}
