//! `whalecurve compare` through the whole flow.

use insta::assert_snapshot;

use crate::{
    golden::spring_distribution::{HEAD, job},
    support::{Job, cents, days, decimals, integers, optional_floats, whalecurve},
};

const ACTIVITIES: &str = "drivers: {cases: {sum: cases}}\nactivities:\n";

/// Cost-to-serve by what customers used.
const BY_DRIVER: &str = "  order_taking: {level: order, method: driver, driver: orders, cost: 12500.00}
  visits: {level: customer, method: driver, driver: visits, cost: 1280.00}
  delivery: {level: order, method: driver, driver: miles, cost: 3120.00}
  handling: {level: order, method: driver, driver: cases, cost: 53665.00}
  expediting: {level: order, method: driver, driver: expedited, cost: 300.00}
";

/// The same cost in one pool.
const BY_REVENUE: &str = "  service: {level: customer, method: revenue, cost: 70865.00}\n";

/// Spring Distribution, with its cost by what customers used.
fn spring() -> Job {
    job(&format!("{HEAD}{ACTIVITIES}{BY_DRIVER}"))
}

/// Runs the command in the job's folder; the comparison stands in `compared`.
fn compare(job: &Job, configs: &[&str], more: &[&str]) -> std::process::Output {
    let configs: Vec<String> = configs.iter().map(|name| job.path(name).to_str().unwrap().to_owned()).collect();
    let output = job.path("compared");
    let mut arguments = vec!["compare", "--output", output.to_str().unwrap()];
    arguments.extend(configs.iter().map(String::as_str));
    arguments.extend(more);
    whalecurve(&arguments)
}

fn tables(job: &Job, configs: &[&str], more: &[&str]) -> String {
    let done = compare(job, configs, more);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn driver_against_revenue_is_what_pencil_and_paper_say() {
    let job = spring();
    let told = tables(&job, &["whalecurve.yaml"], &["--methods", "config,revenue"]);
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert_snapshot!(told, @r"
    Methods, 5 customers, USD

    method        cost  economic profit  losing  peak %    Gini  Stobachoff
    -------  ---------  ---------------  ------  ------  ------  ----------
    config   70,865.00        90,787.00       1  103.69  0.5600      0.3590
    revenue  70,865.00        90,787.00       0  100.00  0.4692      0.3193

    Pairs of methods, USD

    a       b        cost moved      %    rank  top 10 %  bottom 10 %
    ------  -------  ----------  -----  ------  --------  -----------
    config  revenue    7,433.00  10.49  1.0000    100.00       100.00

    Change of a customer's profit, USD

    a       b        sign changes  their profit      99 %   largest
    ------  -------  ------------  ------------  --------  --------
    config  revenue             1      4,619.13  4,993.54  4,993.54
    ");
    let output = job.path("compared");
    assert_eq!(decimals(&output, "method_comparison", "cost_moved"), [743_300]);
    assert_eq!(decimals(&output, "method_comparison", "sign_change_amount"), [461_913]);
    assert_eq!(optional_floats(&output, "method_comparison", "rank_correlation"), [Some(1.0)]);
    assert!((optional_floats(&output, "method_comparison", "peak_a")[0].unwrap() - 1.036_855).abs() < 5e-7);
    assert_eq!(optional_floats(&output, "method_comparison", "mean_percentage_error"), [None]);
}

#[test]
fn what_a_method_leaves_to_nobody_is_told() {
    let job = spring();
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let without = config.replace("product_cost: product_cost", "").replace(", product_cost: cost", "");
    job.text("plain.yaml", &without);
    let done = compare(&job, &["plain.yaml"], &["--methods", "revenue,cost"]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    let note = "note: cost leaves 70,865.00 USD unassigned, which no customer's profit is less by\n";
    assert!(told.contains(note) && told.matches("note: ").count() == 1, "{told}");
}

#[test]
fn a_comparison_says_of_the_config_what_its_run_says() {
    let job = spring();
    let told = tables(&job, &["whalecurve.yaml"], &["--methods", "config,average", "--format", "markdown"]);
    job.run(&[]);
    let (cost, profit) = (job.sum("customer_cost", "amount"), job.sum("customer_profit_total", "economic_profit"));
    assert_eq!((cost, profit), (7_086_500, 9_078_700));
    assert!(told.contains("| config | 70,865.00 | 90,787.00 | 1 |"), "{told}");
}

#[test]
fn the_truth_has_no_error_and_others_have_theirs() {
    let job = spring();
    // The truth is the cost by driver but for T, who really cost 70.90 more.
    job.text("truth.csv", "id,cost\nP,2980\nQ,7355\nR,34240\nS,19200\nT,7160.90\nnobody,5\n");
    let truth = job.path("truth.csv");
    let more = [
        "--methods",
        "config,revenue",
        "--truth",
        truth.to_str().unwrap(),
        "--truth-customer",
        "id",
        "--truth-cost",
        "cost",
    ];
    tables(&job, &["whalecurve.yaml"], &more);
    let output = job.path("compared");
    // Pairs: config and revenue, config and truth, revenue and truth.
    assert_eq!(decimals(&output, "method_comparison", "euclidean_distance").len(), 2);
    assert_eq!(decimals(&output, "method_comparison", "euclidean_distance")[0], 7_090);
    let errors = optional_floats(&output, "method_comparison", "mean_percentage_error");
    assert!((errors[1].unwrap() - 7_090.0 / 716_090.0 / 5.0).abs() < 1e-15);
    assert_eq!(optional_floats(&output, "method_comparison", "share_within_5_percent"), [None, Some(1.0), Some(0.0)]);
}

#[test]
fn several_configs_over_one_reading_give_what_each_gives_alone() {
    let job = spring();
    job.text("by_revenue.yaml", &format!("{HEAD}{ACTIVITIES}{BY_REVENUE}"));
    let both = tables(&job, &["whalecurve.yaml", "by_revenue.yaml"], &[]);
    let output = job.path("compared");
    let figures = |column: &str| decimals(&output, "method_comparison", column);
    let (moved, change) = (figures("cost_moved"), figures("change_max"));
    assert_eq!((moved, change), (vec![743_300], vec![499_354]));
    assert!(both.contains("whalecurve") && both.contains("by_revenue"), "{both}");
    let turned = tables(&job, &["by_revenue.yaml", "whalecurve.yaml"], &[]);
    assert_eq!(decimals(&output, "method_comparison", "cost_moved"), [743_300]);
    assert!(turned.contains("by_revenue  whalecurve    7,433.00"), "{turned}");
}

#[test]
fn threads_change_no_byte() {
    let job = spring();
    let digest = |threads: &str| {
        let told = tables(
            &job,
            &["whalecurve.yaml"],
            &["--methods", "config,average,even,revenue,cost", "--threads", threads],
        );
        let manifest = std::fs::read_to_string(job.path("compared/run_manifest.json")).unwrap();
        (told, manifest)
    };
    assert_eq!(digest("1"), digest("8"));
}

#[test]
fn comparisons_that_cannot_be_made() {
    let job = spring();
    let told = |configs: &[&str], more: &[&str]| {
        let done = compare(&job, configs, more);
        assert!(done.stdout.is_empty() && !job.path("compared").exists());
        format!("exit code {}\n{}", done.status.code().unwrap(), job.without_folder(&done.stderr).trim_end())
    };
    assert_snapshot!(told(&["whalecurve.yaml"], &["--methods", "config"]), @r"
    exit code 2
    error: 1 method to compare: there must be at least two
      hint: name more with --methods: config, average, even, revenue, cost
    ");
    assert_snapshot!(told(&["whalecurve.yaml"], &["--methods", "config,truth"]), @r"
    exit code 2
    error: method truth needs a table of true costs
      hint: name the table with --truth, as in: --truth company/truth
    ");
    job.text("other.yaml", &format!("{HEAD}{ACTIVITIES}{BY_DRIVER}").replace("sum: cases", "count: lines"));
    assert_snapshot!(told(&["whalecurve.yaml", "other.yaml"], &[]), @r"
    exit code 2
    error: other: `drivers` differs from whalecurve: one reading of the ledger serves configs that read the same
      hint: compare configs that differ in activities and resources alone
    ");
    job.text("truth.csv", "customer_id,true_cost_to_serve\nP,2980\nQ,7355\n");
    let truth = job.path("truth.csv");
    assert_snapshot!(told(&["whalecurve.yaml"], &["--methods", "config", "--truth", truth.to_str().unwrap()]), @r"
    exit code 3
    error: truth: 3 of 5 customers of the run are not in the table
    ");
    assert!(told(&["whalecurve.yaml"], &["--methods", "driver"]).contains("expected one of config, average"));
}

#[test]
fn what_traced_activities_cost_is_spread_too_once_nothing_is_traced() {
    let traced = "  traced: {path: traced.csv, columns: {customer_id: c, activity: a, amount: m}}\ndrivers:";
    let config =
        format!("{HEAD}{ACTIVITIES}  calls: {{level: customer, method: traced}}\n").replace("drivers:", traced);
    let job = spring();
    job.text("whalecurve.yaml", &config).text("traced.csv", "c,a,m\nP,calls,10.00\nP,calls,5.00\nT,calls,35.00\n");
    tables(&job, &["whalecurve.yaml"], &["--methods", "config,average"]);
    let output = job.path("compared");
    let figures = |column: &str| decimals(&output, "method_comparison", column);
    assert_eq!((figures("cost_a"), figures("cost_b")), (vec![5_000], vec![5_000]));
    // 15 and 35 against 10 each: P and T bear 5 and 25 less, the others 10 more.
    assert_eq!(figures("cost_moved"), [3_000]);
}

#[test]
fn a_baseline_spreads_the_capacity_that_nobody_used_too() {
    let pools = "  pools: {path: pools.csv, columns: {activity: a, amount: m, capacity: k}}\ndrivers:";
    let activity = "  delivery: {level: order, method: driver, driver: miles}\n";
    let job = spring();
    // 1,560 of 3,120 miles are driven.
    job.text("whalecurve.yaml", &format!("{HEAD}{ACTIVITIES}{activity}").replace("drivers:", pools));
    job.text("pools.csv", "a,m,k\ndelivery,3120.00,3120\n");
    tables(&job, &["whalecurve.yaml"], &["--methods", "config,average"]);
    let output = job.path("compared");
    let figures = |column: &str| decimals(&output, "method_comparison", column);
    assert_eq!((figures("cost_a"), figures("cost_b")), (vec![156_000], vec![312_000]));
}

#[test]
fn a_baseline_spreads_what_was_traced_in_periods_without_a_pool() {
    let job = Job::new(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  traced: {path: t.csv, columns: {customer_id: c, activity: a, amount: m, period: p}}
  pools: {path: p.csv, columns: {activity: a, amount: m, period: p}}
activities:
  freight: {level: order, method: traced}
",
    );
    let ledger = vec![("c", integers([1, 2, 1])), ("d", days([1, 2, 40])), ("a", cents([100, 200, 300]))];
    job.parquet("l.parquet", ledger).text("p.csv", "a,m,p\nfreight,40.00,1970-01\n");
    job.text("t.csv", "c,a,m,p\n1,freight,30.00,1970-01\n2,freight,25.00,1970-02\n");
    tables(&job, &["whalecurve.yaml"], &["--methods", "config,average"]);
    let figures = |column: &str| decimals(&job.path("compared"), "method_comparison", column);
    assert_eq!((figures("cost_a"), figures("cost_b")), (vec![5_500], vec![6_500]));
}
