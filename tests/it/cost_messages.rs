//! Bad input of costs: each kind gets one clear error with the rule, the object and the money at stake.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers};

/// Three customers of two quarters; every activity and pool of `costs` costs something in the config or in `pools`.
fn failure(costs: &str) -> String {
    failure_with("", costs, &[])
}

fn failure_with(inputs: &str, costs: &str, tables: &[(&str, &str)]) -> String {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nperiod: quarter\ninputs:\n  transactions: {{path: l.parquet, columns: {{customer_id: \
         c, date: d, amount: a}}}}\n  customers: {{path: customers.csv, columns: {{customer_id: c, segment: s}}}}\n\
         {inputs}drivers: {{lines: count}}\n{costs}"
    ));
    job.text("customers.csv", "c,s\n1,north\n2,south\n3,\n");
    for (name, content) in tables {
        job.text(name, content);
    }
    let columns = vec![("c", integers([1, 2, 1, 3])), ("d", days([1, 2, 100, 101])), ("a", cents([100, 300, 200, 10]))];
    job.parquet("l.parquet", columns);
    job.failure()
}

const POOLS: &str = "  pools: {path: p.csv, columns: {activity: a, amount: m, period: p, currency: c, capacity: q}}\n";

#[test]
fn a_missing_driver() {
    let desk = "activities: {desk: {level: order, rule: R-1, method: driver, driver: lins, cost: 40.00}}\n";
    let table = "  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q, period: p}}\n";
    let told = [failure(desk), failure_with(table, desk, &[("q.csv", "c,d,q,p\n1,calls,1,1970-Q1\n")])];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_loop() {
    let desk = "activities: {desk: {level: order, method: average, cost: 1.00}}\n";
    let pools = "resources: {pools: {it: {cost: 40.00, rule: R-2, to: {hr: 1}}, hr: {rule: R-3, to: {it: 1}}, rent: {cost: \
                 5.00, to: {desk: 1}}}}\n";
    let of_costs = "activities:\n  desk: {level: order, rule: R-4, method: cost, of: [fee], cost: 40.00}\n  fee: {level: \
                    order, method: cost, of: [desk], cost: 2.00}\n";
    assert_snapshot!([failure(&format!("{desk}{pools}")), failure(of_costs)].join("\n"));
}

#[test]
fn percentages_over_100() {
    let of = |cost: &str| {
        format!(
            "activities: {{desk: {{level: order, rule: R-5, method: percent, shares: {{north: 60, south: 40.5}}{cost}}}}}\n"
        )
    };
    let pools = [("p.csv", "a,m,p,c,q\ndesk,40.00,1970-Q1,EUR,\n")];
    assert_snapshot!([failure(&of(", cost: 40.00")), failure_with(POOLS, &of(""), &pools)].join("\n"));
}

#[test]
fn a_rule_without_a_target() {
    let desk = "activities: {desk: {level: order, method: average, cost: 1.00}}\n";
    let pool = |to: &str| format!("resources: {{pools: {{it: {{cost: 40.00, rule: R-6, to: {{{to}: 1}}}}}}}}\n");
    let activities = "  activities: {path: a.csv, columns: {activity: a, level: l, method: m}}\n";
    let table = [("a.csv", "a,l,m\nvisits,order,average\n")];
    let segment = "activities: {desk: {level: order, rule: R-7, method: percent, shares: {nrth: 100}, cost: 40.00}}\n";
    let told =
        [failure(&format!("{desk}{}", pool("dsk"))), failure_with(activities, &pool("dsk"), &table), failure(segment)];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_term_of_a_time_equation_that_does_not_exist() {
    let of = |time: &str| {
        format!("activities: {{desk: {{level: order, rule: R-8, method: time_driven, time: {time}, cost: 40.00}}}}\n")
    };
    let table = "  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q, period: p}}\n";
    let calls = [("q.csv", "c,d,q,p\n1,calls,1,1970-Q1\n")];
    assert_snapshot!([failure(&of("2 + 3*lins")), failure_with(table, &of("2 + 3*cals"), &calls)].join("\n"));
}

#[test]
fn a_capacity_of_zero() {
    let desk =
        "activities: {desk: {level: order, rule: R-9, method: driver, driver: lines, capacity: 0, cost: 40.00}}\n";
    let minutes = "activities: {desk: {level: order, rule: R-9, method: driver, driver: lines, capacity: {people: 2, days: \
                   0, hours: 8, share: 0.8}, cost: 40.00}}\n";
    let of_pools = "activities: {desk: {level: order, rule: R-9, method: driver, driver: lines}}\n";
    let pools = [("p.csv", "a,m,p,c,q\ndesk,40.00,1970-Q1,EUR,0\n")];
    let activities =
        "  activities: {path: a.csv, columns: {activity: a, level: l, method: m, driver: d, capacity: q}}\n";
    let table =
        [("a.csv", "a,l,m,d,q\ndesk,order,driver,lines,0\n"), ("p.csv", "a,m,p,c,q\ndesk,40.00,1970-Q1,EUR,\n")];
    // Several objects, one with a rule of its own in every quarter, in the money that the table has.
    let several = "activities: {desk: {level: order, rules: [{id: R-9, valid_to: 1970-03-31, method: driver, driver: lines}, \
                   {id: R-13, version: 2, valid_from: 1970-04-01, method: average}]}}\nresources: {pools: {it: {rule: \
                   R-14, to: {desk: 1}}}}\n";
    let of_several = [(
        "p.csv",
        "a,m,p,c,q\ndesk,40.00,1970-Q1,EUR,0\ndesk,-2.00,1970-Q2,EUR,-1\nit,7.00,1970-Q1,USD,0\nit,1.00,1970-Q1,USD,x\n",
    )];
    let told = [
        failure(desk),
        failure(minutes),
        failure_with(POOLS, of_pools, &pools),
        failure_with(POOLS, several, &of_several),
        failure_with(&format!("{POOLS}{activities}"), "", &table),
    ];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn an_expired_rule() {
    let of = |rule: &str, cost: &str| {
        format!(
            "activities: {{desk: {{level: order, rule: {rule}, valid_to: 1970-03-31, method: driver, driver: lines{cost}}}}}\n"
        )
    };
    let pools = [("p.csv", "a,m,p,c,q\ndesk,7.00,1970-Q1,EUR,\ndesk,40.00,1970-Q2,EUR,\n")];
    let resource = "activities: {desk: {level: order, method: average}}\nresources: {pools: {it: {cost: 40.00, rule: R-11, \
                    valid_to: 1970-03-31, to: {desk: 1}}}}\n";
    let told = [
        failure(&of("{id: R-10, version: 4}", ", cost: 40.00")),
        failure_with(POOLS, &of("R-10", ""), &pools),
        failure(resource),
    ];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_gap_in_the_exchange_rates() {
    let inputs = format!("{POOLS}  fx: {{path: fx.csv, columns: {{currency: c, rate: r, period: p}}}}\n");
    let desk = "activities: {desk: {level: order, rule: R-12, method: average}}\n";
    let tables = [
        ("p.csv", "a,m,p,c,q\ndesk,7.00,1970-Q1,USD,\ndesk,40.00,1970-Q2,USD,\n"),
        ("fx.csv", "c,r,p\nUSD,0.9,1970-Q1\n"),
    ];
    // Two objects without a rate, of which one has no rule by another name.
    let both =
        "activities: {desk: {level: order, rule: R-12, method: average}, fees: {level: order, method: average}}\n";
    let of_both = [("p.csv", "a,m,p,c,q\ndesk,7.00,1970-Q1,USD,\nfees,5.00,1970-Q1,USD,\n"), ("fx.csv", "c,r,p\n")];
    assert_snapshot!([failure_with(&inputs, desk, &tables), failure_with(&inputs, both, &of_both)].join("\n"));
}

/// What is found out only when the cost flows has the rule, the money and a hint that can be followed.
#[test]
fn what_is_refused_at_run_time_has_its_rule_and_advice_that_the_config_takes() {
    let table = "  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q, period: p}}\n";
    let calls = [("q.csv", "c,d,q,p\n1,calls,1,1970-Q1\n")];
    let told = |costs: &str| failure_with(table, costs, &calls);
    let desk = "activities: {desk: {level: order, method: average}}\n";
    let pool = |rest: &str| told(&format!("{desk}resources: {{pools: {{it: {{cost: 40.00, rule: R-15, {rest}}}}}}}\n"));
    let weight = pool("to: {desk: {driver: cals}}");
    assert!(weight.contains("resource `it`, rule `R-15`: driver `cals` is neither"), "{weight}");
    let dual = told(
        "activities: {desk: {level: order, method: dual_rate, fixed: 1.00, budgeted: cals, driver: lines, cost: 40.00}}\n",
    );
    let percent = told(
        "activities: {desk: {level: order, method: percent, shares: {north: 100}, by: {driver: cals}, cost: 40.00}}\n",
    );
    for told in [&weight, &dual, &percent] {
        assert!(told.contains("40.00 EUR are at stake"), "{told}");
        assert!(told.ends_with("hint: mend its name, or add its rows to inputs.driver_quantities"), "{told}");
    }
    let given = pool("capacity: 1, to: {desk: {driver: lines}}");
    assert!(given.contains("rule `R-15`: `it` gives more than its capacity; 40.00 EUR are at stake"), "{given}");
    let of = |name: &str, other: &str| {
        format!(
            "  {name}: {{level: order, method: driver, driver: lines, capacity: 9, unused_to: {other}, cost: 20.00}}\n"
        )
    };
    let circle = told(&format!("activities:\n{}{}", of("a", "b"), of("b", "a")));
    assert!(
        circle.contains("activity `a`: its unused cost comes back to it by `unused_to`, through a, b; 40.00 EUR"),
        "{circle}"
    );
    assert!(circle.ends_with("hint: let one of them keep its unused cost, or hand it to another activity"), "{circle}");
}

#[test]
fn no_message_repeats_a_cell() {
    // The unknown activity of a row stays with the row.
    let desk = "activities: {desk: {level: order, method: average}}\n";
    let told = failure_with(POOLS, desk, &[("p.csv", "a,m,p,c,q\nsecret,40.00,1970-Q1,EUR,\n")]);
    assert!(!told.contains("secret") && told.contains("40.00 EUR"), "{told}");
}

#[test]
fn rows_of_a_pool_that_disagree_on_its_capacity() {
    let desk = "activities: {desk: {level: order, rule: R-9, method: driver, driver: lines}}\n";
    let of = |second: &str| {
        let rows = format!("a,m,p,c,q\ndesk,40.00,1970-Q1,EUR,9\ndesk,-2.00,1970-Q1,EUR,{second}\n");
        failure_with(POOLS, desk, &[("p.csv", &rows)])
    };
    assert_snapshot!(of("8"), @r"
    exit code 3
    error: pools: rows of desk (rule `R-9`) in 1970-Q1 give 2 capacities, where a pool has one: give it on one row, or the same on all; 42.00 EUR are at stake
    ");
}

#[test]
fn a_standard_rate_of_zero_or_less() {
    let of = |rate: &str| {
        failure(&format!(
            "activities: {{desk: {{level: order, rule: R-10, method: standard_rate, driver: lines, rate: {rate}, cost: 40.00}}}}\n"
        ))
    };
    let table = "  activities: {path: a.csv, columns: {activity: a, level: l, method: m, driver: d, rate: r}}\n";
    let rows = [("a.csv", "a,l,m,d,r\ndesk,order,standard_rate,lines,-1\n")];
    assert_snapshot!([of("0"), of("-0.5"), failure_with(table, "", &rows)].join("\n"), @r"
    exit code 2
    whalecurve.yaml:8:91: `activities.desk.rate` is `0`, expected a rate above zero; rule `R-10`, 40.00 EUR are at stake
    exit code 2
    whalecurve.yaml:8:91: `activities.desk.rate` is `-0.5`, expected a rate above zero; rule `R-10`, 40.00 EUR are at stake
    exit code 3
    error: activities: activity `desk` has a standard rate that is not above zero
    ");
}

#[test]
fn fixed_amounts_of_an_activity_without_a_cost() {
    let desk = "activities: {desk: {level: order, rule: R-11, method: fixed_amount, each: 2.00}}\n";
    let rows = [("p.csv", "a,m,p,c,q\ndesk,0.00,1970-Q1,EUR,\n")];
    assert_snapshot!(failure_with(POOLS, desk, &rows), @r"
    exit code 3
    error: activity `desk`, rule `R-11` in 1970-Q1: the fixed amounts are more than the pool of 0.00; 4.00 EUR are at stake
      hint: lower the fixed amounts, or spread the whole pool by a driver
    ");
}

/// `cals` is a slip of a driver that another activity takes from the table; `vists` of one that nobody takes is a cell.
#[test]
fn a_missing_driver_may_be_meant_to_be_one_of_the_table_that_the_config_names() {
    let table = "  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q, period: p}}\n";
    let desk = |driver: &str| {
        format!(
            "activities: {{phone: {{level: order, method: driver, driver: calls, cost: 1.00}}, desk: {{level: order, method: driver, driver: {driver}, cost: 40.00}}}}\n"
        )
    };
    let rows = [("q.csv", "c,d,q,p\n1,calls,1,1970-Q1\n1,visits,1,1970-Q1\n")];
    let told = [failure_with(table, &desk("cals"), &rows), failure_with(table, &desk("vists"), &rows)];
    assert_snapshot!(told.join("\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 1 of 2 rows; its policy is warn
    error: activity `desk`: driver `cals` is neither in `drivers` nor in driver_quantities (did you mean `calls`?); known drivers: calls, lines, and 1 of the table; 40.00 EUR are at stake
      hint: mend its name, add its rows to inputs.driver_quantities, or say no_driver: unassigned
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 1 of 2 rows; its policy is warn
    error: activity `desk`: driver `vists` is neither in `drivers` nor in driver_quantities; known drivers: calls, lines, and 1 of the table; 40.00 EUR are at stake
      hint: mend its name, add its rows to inputs.driver_quantities, or say no_driver: unassigned
    ");
}
