//! Who bears cost where a table beside the ledger names others than the ledger does: customers whom nobody knows, customers
//! who bought nothing, and periods that have not begun.

use crate::support::{Job, cents, days, integers};

/// Customers 1, 2 and 3 buy in January; 1 buys in March again.
fn job(columns: &str, rest: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  customers: {{path: customers.csv, columns: {{{columns}}}}}
  driver_quantities: {{path: q.csv, columns: {{customer_id: c, driver: d, quantity: q, period: p}}}}
{rest}"
    ));
    job.text("customers.csv", "c,s,w\n1,north,1.00\n2,north,2.00\n3,south,3.00\n4,south,4.00\n");
    job.text("q.csv", "c,d,q,p\n1,calls,1,1970-01\n2,calls,1,1970-01\n8,calls,1,1970-01\n9,calls,1,1970-01\n");
    let columns =
        vec![("c", integers([1, 2, 3, 1])), ("d", days([1, 2, 3, 65])), ("a", cents([1_000, 2_000, 3_000, 1_000]))];
    job.parquet("l.parquet", columns);
    job
}

const IDS: &str = "customer_id: c, segment: s";

/// Cost of an activity by customer, in the order of the ids.
fn costs(job: &Job, activity: &str) -> Vec<i128> {
    let names = job.texts("customer_cost", "activity").into_iter().zip(job.texts("customer_cost", "scenario"));
    let amounts = names.zip(job.decimals("customer_cost", "amount"));
    amounts
        .filter(|((name, world), amount)| name == activity && world == "base" && *amount != 0)
        .map(|row| row.1)
        .collect()
}

#[test]
fn an_id_that_can_be_no_customer_of_the_ledger_keeps_its_weight() {
    let table = "c,d,q,p\nX9,calls,3,1970-01\n,calls,4,1970-01\n2,calls,1,1970-01\n";
    let desk = "activities: {desk: {level: order, method: driver, driver: calls, cost: 80.00}}\n";
    let kept = job(IDS, desk);
    kept.text("q.csv", table);
    let done = kept.try_run(&[]);
    let told = kept.without_folder(&done.stderr);
    assert!(told.contains("rule `missing_customer` is broken by 2 of 3 rows; its policy is warn"), "{told}");
    assert_eq!((costs(&kept, "desk"), kept.sum("pool_balance", "unassigned_unknown_customer")), (vec![1_000], 7_000));
    let set_aside = job(IDS, &format!("contract: {{driver_quantities: {{missing_customer: reject}}}}\n{desk}"));
    set_aside.text("q.csv", table);
    set_aside.run(&[]);
    assert_eq!(costs(&set_aside, "desk"), [8_000]);
}

#[test]
fn a_quantity_that_cannot_be_read_has_no_weight_and_a_note_says_so() {
    let job = job(IDS, "activities: {desk: {level: order, method: driver, driver: calls, cost: 80.00}}\n");
    job.text("q.csv", "c,d,q,p\n1,calls,many,1970-01\n2,calls,1,1970-01\n");
    let told = job.without_folder(&job.try_run(&[]).stderr);
    assert!(
        told.contains("note: others bear the cost of 1 rows of driver_quantities whose quantity cannot be read"),
        "{told}"
    );
    assert!(told.contains("driver_quantities: 1 rows") && !told.contains("of driver_quantities: 1 rows"), "{told}");
    assert_eq!(costs(&job, "desk"), [8_000]);
}

#[test]
fn unknown_customers_count_one_by_one_in_a_time_and_in_every_part_of_a_dual_rate() {
    let job = job(
        IDS,
        "activities:
  excess: {level: order, method: time_driven, time: 'max(0, calls - 0.5)', cost: 100.00}
  hall: {level: order, method: dual_rate, driver: calls, budgeted: calls, fixed: 40.00, capacity: 2, over_use: rescale, cost: 100.00}
",
    );
    job.run(&[]);
    assert_eq!((costs(&job, "excess"), costs(&job, "hall")), (vec![2_500, 2_500], vec![2_500, 2_500]));
    assert_eq!(job.decimals("pool_balance", "unassigned_unknown_customer"), [5_000, 5_000]);
    assert_eq!(job.decimals("capacity_use", "cost"), [4_000]);
    let rates: Vec<_> =
        job.texts("activity_rate", "activity").into_iter().zip(job.decimals("activity_rate", "rate")).collect();
    // 100.00 for two minutes; 60.00 for four calls used, 40.00 for four budgeted.
    let of = |name: &str, rate| (name.to_owned(), rate);
    assert_eq!(rates, [of("excess", 50_000_000), of("hall", 15_000_000), of("hall", 10_000_000)]);
}

#[test]
fn even_is_over_customers_of_the_ledger_whatever_another_table_or_a_scenario_adds() {
    let rest = "  pools: {path: pools.csv, columns: {activity: a, amount: m, period: p}}
activities:
  even: {level: customer, method: even, cost: 90.00}
  march: {level: customer, method: even}
  desk: {level: order, method: driver, driver: calls}
";
    let of = |columns: &str, more: &[&str]| {
        let job = job(columns, rest);
        job.text("pools.csv", "a,m,p\nmarch,90.00,1970-03\ndesk,8.00,1970-03\n");
        job.run(more);
        (costs(&job, "even"), costs(&job, "march"))
    };
    let alone = (vec![3_000, 3_000, 3_000], vec![9_000]);
    assert_eq!(of(IDS, &[]), alone);
    // Customer 4 never bought, and has a row for what winning it cost.
    assert_eq!(of("customer_id: c, segment: s, acquisition_cost: w", &[]), alone);
    assert_eq!(of(IDS, &["--set", "activities.desk.no_driver=prior_period"]), alone);
}

#[test]
fn a_row_that_only_the_scenario_needs_is_in_the_scenario_alone() {
    let job = job(
        IDS,
        "  pools: {path: pools.csv, columns: {activity: a, amount: m, period: p}}
activities: {desk: {level: order, method: driver, driver: calls}}
",
    );
    job.text("pools.csv", "a,m,p\ndesk,8.00,1970-03\n");
    job.run(&["--set", "activities.desk.no_driver=prior_period"]);
    let rows = |name: &str| job.texts("customer_profit", "scenario").into_iter().filter(|world| world == name).count();
    // Customer 2 called in January and has no row of March in the base.
    assert_eq!((rows("base"), job.texts("customer_profit", "period").len()), (4, 9));
    assert_eq!(job.sum("customer_profit", "order_cost"), 400);
    let explained =
        |more: &[&str]| job.command("explain", &[&["--customer", "2", "--period", "1970-03"], more].concat());
    assert_eq!(explained(&[]).status.code(), Some(2));
    let told = String::from_utf8(explained(&["--set", "activities.desk.no_driver=prior_period"]).stdout).unwrap();
    assert!(told.contains("quantities of an earlier period"), "{told}");
}

#[test]
fn a_period_that_begins_after_as_of_is_after_it() {
    let job = job(
        IDS,
        "  pools: {path: pools.csv, columns: {activity: a, amount: m, period: p}}
as_of: 1970-03-31
activities: {desk: {level: order, method: driver, driver: calls}}
",
    );
    job.text("pools.csv", "a,m,p\ndesk,40.00,1970-03\ndesk,9.00,1970-04\n");
    job.text("q.csv", "c,d,q,p\n1,calls,1,1970-03\n2,calls,4,1970-04\n");
    job.run(&[]);
    assert_eq!(costs(&job, "desk"), [4_000]);
    assert_eq!(job.texts("pool_balance", "period"), ["1970-03"]);
    assert!(!job.texts("customer_profit", "period").contains(&"1970-04".to_owned()));
    assert_eq!(job.texts("rejected", "rule"), ["after_as_of", "after_as_of"]);
}

/// Customers 1 and 2 call in January, and nobody knows 9; in March nobody calls, and 2 buys nothing.
#[test]
fn known_channels_pay_for_nobody_unknown_and_an_earlier_period_serves_channels_too() {
    let columns = "customer_id: c, channel: s";
    let of = |activity: &str| {
        let job = job(columns, &format!("activities:\n  desk: {{level: channel, {activity}, cost: 100.00}}\n"));
        job.text("customers.csv", "c,s,w\n1,web,\n2,shop,\n")
            .text("q.csv", "c,d,q,p\n1,calls,1,1970-01\n2,calls,1,1970-01\n9,calls,2,1970-01\n");
        job.run(&["--cost-object", "channel"]);
        assert_eq!(job.sum("object_balance", "residual"), 0);
        let part = |column: &str| job.sum("object_balance", column);
        (part("allocated"), part("unassigned"), part("unused"), part("under_absorbed"))
    };
    assert_eq!(of("method: driver, driver: calls"), (5_000, 5_000, 0, 0));
    assert_eq!(of("push_down: true, method: driver, driver: calls"), (5_000, 5_000, 0, 0));
    assert_eq!(of("method: driver, driver: calls, capacity: 10"), (2_000, 2_000, 6_000, 0));
    assert_eq!(of("method: standard_rate, rate: 10, driver: calls"), (2_000, 2_000, 0, 6_000));

    let pools = "  pools: {path: p.csv, columns: {activity: a, amount: m, period: p}}\nactivities:\n  desk: {level: channel, method: driver, driver: calls, no_driver: prior_period}\n";
    let job = job(columns, pools);
    job.text("customers.csv", "c,s,w\n1,web,\n2,shop,\n3,web,\n")
        .text("q.csv", "c,d,q,p\n1,calls,1,1970-01\n2,calls,3,1970-01\n")
        .text("p.csv", "a,m,p\ndesk,100.00,1970-01\ndesk,100.00,1970-03\n");
    job.run(&["--cost-object", "channel"]);
    assert_eq!(job.texts("object_cost", "object_id"), ["shop", "shop", "web", "web"]);
    assert_eq!(job.decimals("object_cost", "amount"), [7_500, 7_500, 2_500, 2_500]);
}

#[test]
fn the_quantities_of_an_earlier_month_divide_what_a_resource_pool_sends() {
    let job = job(
        IDS,
        "  pools: {path: p.csv, columns: {activity: a, amount: m, period: p}}\nactivities:\n  desk: {level: order, method: driver, driver: calls, no_driver: prior_period}\nresources: {pools: {it: {to: {desk: 1}}}}\n",
    );
    job.text("q.csv", "c,d,q,p\n1,calls,1,1970-01\n2,calls,3,1970-01\n")
        .text("p.csv", "a,m,p\nit,100.00,1970-01\nit,100.00,1970-03\n");
    job.run(&[]);
    assert_eq!(costs(&job, "desk"), [2_500, 2_500, 7_500, 7_500]);
}
