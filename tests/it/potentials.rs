//! The four potentials of customers through the binary: what moves between them, what is discounted, and bad rows.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, floats, integers, text};

/// Thirty customers over a year of months; customer `c` buys every `c % 5 + 3` weeks until it stops.
fn ledger() -> Vec<(i64, i32, i64)> {
    let start = 18_993; // 2022-01-01
    let line = |customer: i64, n: i64| {
        (customer, start + (customer * 5 + n * 7 * (customer % 5 + 3)) as i32, 1_000 * customer)
    };
    (1..=30).flat_map(|customer| (0..=customer % 7).map(move |n| line(customer, n))).collect()
}

/// A job over it, with more tables and more of the config.
fn job(tables: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 2022-12-31
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
{tables}
activities:
  picking: {{level: order, method: revenue, cost: 5000.00}}
forecast: {{model: mbg_nbd, horizon: 52w, discount_rate_per_year: 0.10, paths: 100}}
{more}"
    ));
    write(&job, &ledger());
    job
}

fn write(job: &Job, rows: &[(i64, i32, i64)]) {
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers(rows.iter().map(|row| row.0))),
            ("d", days(rows.iter().map(|row| row.1))),
            ("a", cents(rows.iter().map(|row| row.2))),
        ],
    );
}

const REFERRALS: &str = "  referrals: {path: r.csv, columns: {referrer: by, referred: whom, date: on, weight: w}}";

fn value(job: &Job, column: &str) -> Vec<i128> {
    job.decimals("customer_value", column)
}

/// `value · share`, half to even, for shares that are hundredths.
fn part(value: i128, hundredths: i128) -> i128 {
    whalecurve::numeric::decimal::divide_half_even(value * hundredths, 100)
}

#[test]
fn a_chain_of_referrals_passes_value_on_and_nothing_is_counted_twice() {
    let job = job(REFERRALS, "portfolio: {networking: {new_share: 0.40, decay: 0.25, acquisition_cost: 50.00}}\n");
    // 1 won 2, 2 won 3; 4 and 5 won 6, three to one.
    job.text("r.csv", "by,whom,on,w\n1,2,2022-01-11,\n2,3,,1\n4,6,2022-01-31,3\n5,6,2022-01-31,1\n");
    job.run(&[]);
    let expected = value(&job, "expected_value");
    let new = value(&job, "networking_new");
    let from_3 = part(expected[2], 40);
    let from_2 = part(40 * expected[1] + 25 * from_3, 1);
    assert_eq!((new[1], new[0], new[2]), (from_3, from_2, 0));
    let from_6 = part(expected[5], 40);
    assert_eq!(new[3] + new[4], from_6);
    assert!((4 * new[3] - 3 * from_6).abs() < 4 && expected[5] > 1_000, "three to one");
    // 60 % of 50.00 for each, and a quarter of what 2 received for 3.
    let saved = value(&job, "networking_saved");
    assert_eq!(saved[..6], [3_750, 3_000, 0, 2_250, 750, 0]);
    let (received, given) = (value(&job, "networking_potential"), value(&job, "networking_given"));
    assert_eq!(received.iter().sum::<i128>(), given.iter().sum::<i128>());
    assert_eq!((received[1], given[1], given[0]), (from_3 + 3_000, received[0], 0));
    let totals = [("base_potential", 1), ("growth_potential", 1), ("total_potential", -1)];
    assert_eq!(totals.map(|(column, sign)| sign * job.sum("customer_value", column)).iter().sum::<i128>(), 0);
    let ranks = job.whole_numbers("customer_value", "rank_by_networking");
    let best = received.iter().max().unwrap();
    assert_eq!(ranks.iter().position(|rank| *rank == Some(1)), received.iter().position(|money| money == best));
    assert!(job.whole_numbers("customer_value", "rank_by_learning").iter().all(Option::is_none));
}

#[test]
fn a_referral_of_who_never_bought_or_had_bought_before_brings_nothing() {
    let tables = format!("  customers: {{path: c.csv, columns: {{customer_id: id}}}}\n{REFERRALS}");
    let job = job(&tables, "portfolio: {networking: {new_share: 0.50, decay: 0.50, acquisition_cost: 40.00}}\n");
    let ids: Vec<String> = (1..=40).map(|id| format!("{id}\n")).collect();
    job.text("c.csv", &format!("id\n{}", ids.concat()));
    // 31 to 33 never bought; 33 won 2, who came on 2022-01-11, and 3 won 4 long after it came.
    job.text("r.csv", "by,whom,on,w\n1,31,,\n1,32,2022-05-01,\n1,33,,\n33,2,2022-01-11,\n3,4,2022-06-01,\n");
    job.run(&[]);
    assert_eq!(job.texts("rejected", "rule"), ["late_referral"]);
    let (saved, expected) = (value(&job, "networking_saved"), value(&job, "expected_value"));
    // Half of 40.00 for 2, and half of that again for who won 33.
    assert_eq!((saved[0], saved[2], saved[32]), (1_000, 0, 2_000));
    assert_eq!(value(&job, "networking_new")[0], part(part(expected[1], 50), 50));
    let influence = job.decimals("customer_segment", "referral_influence");
    assert_eq!((influence[0], influence[2], influence[32]), (500_000, 0, 1_000_000));
}

#[test]
fn what_is_wrong_of_one_more_thing_known_of_a_customer_costs_it_no_revenue() {
    let failure = |columns: &str, row: &str| {
        let job = job(&format!("  customers: {{path: c.csv, columns: {{customer_id: id, {columns}}}}}"), "");
        job.text("c.csv", &format!("id,a,b\n{row}\n"));
        job.failure()
    };
    assert_snapshot!(failure("benchmark: a", "1,maybe,"), @r"
    exit code 3
    error: customers: rule `invalid_flag` is broken by 1 of 1 rows: benchmark is neither yes nor no; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(failure("wallet: a, wallet_probability: b", "1,5.00,1.2"), @r"
    exit code 3
    error: customers: rule `invalid_probability` is broken by 1 of 1 rows: the probability to win the wallet is not between 0 and 1; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn pipeline_wallet_and_learning_are_what_a_pocket_calculator_says() {
    let tables = "  customers: {path: c.csv, columns: {customer_id: id, wallet: wallet, wallet_probability: p}}
  opportunities: {path: o.csv, columns: {customer_id: id, amount: a, probability: p, date: d, margin: m}}
  learning: {path: k.csv, columns: {customer_id: id, value: v, date: d, half_life: h}}";
    let job = job(tables, "");
    let ids = (4..=30).map(|id| format!("{id},,\n")).collect::<Vec<_>>().concat();
    // Customer 3 has bought 4 times 30.00 this year; customer 2 has no probability.
    job.text("c.csv", &format!("id,wallet,p\n1,0,0.5\n2,500,\n3,1120.00,0.25\n{ids}"));
    // Customer 7: a year ahead 1000 · 0.5 · 0.4 / 1.1, and half a year 200 · 1 · −0.5 / 1.1^(1/2) = −95.35.
    job.text("o.csv", "id,a,p,d,m\n7,1000,0.5,2023-12-31,0.4\n7,200.00,1,2023-07-02,-0.5\n8,1000,0.5,2023-12-31,\n");
    job.text("k.csv", "id,v,d,h\n9,1000,2022-12-31,90\n9,1000,2022-10-02,90\n10,1000,2021-12-31,\n");
    job.run(&[]);
    let pipeline = value(&job, "pipeline_value");
    let factor = |days: f64| libm::exp(-libm::log(1.1) * days / 365.25);
    let by_hand = 20_000.0 * factor(365.0) - 10_000.0 * factor(183.0);
    assert_eq!(pipeline[6], by_hand.round_ties_even() as i128);
    assert!(by_hand > 8_600.0 && by_hand < 8_700.0, "181.83 − 95.34");
    // Everybody keeps the same part of revenue after cost in proportion to it.
    let (sales, kept) = (job.sum("customer_profit_total", "net_revenue"), job.sum("customer_profit_total", "cm2"));
    let rate = kept as f64 / sales as f64;
    assert!((pipeline[7] as f64 - 50_000.0 * rate * factor(365.0)).abs() < 2.0 + 1e-3 * pipeline[7] as f64);
    // (1,120 − 120) · 0.25 · rate; nulls are left out: customers 1 and 3.
    let wallet = value(&job, "wallet_value");
    assert_eq!((wallet.len(), wallet[0]), (2, 0));
    assert!((wallet[1] as f64 - 25_000.0 * rate).abs() < 30.0, "{} {rate}", wallet[1]);
    let learning = value(&job, "learning_potential");
    assert_eq!(learning[7..11], [0, 150_000, 100_000, 0]);
    let growth = value(&job, "growth_potential");
    assert_eq!(growth[6], value(&job, "expected_value")[6] + pipeline[6]);
    let total = value(&job, "total_potential");
    assert_eq!(total[8], value(&job, "base_potential")[8] + growth[8] + learning[8]);
}

#[test]
fn a_cost_that_does_not_come_again_lowers_no_pipeline() {
    let of = |activities: &str| {
        let tables = "  opportunities: {path: o.csv, columns: {customer_id: id, amount: a, probability: p, date: d}}";
        let job = job(tables, "");
        job.text("o.csv", "id,a,p,d\n7,1000,0.5,2023-12-31\n8,1000,0.5,2023-12-31\n");
        let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        job.text("whalecurve.yaml", &config.replace("activities:\n", &format!("activities:\n{activities}")));
        job.run(&[]);
        value(&job, "pipeline_value")
    };
    let migration =
        |level: &str| format!("  migration: {{level: {level}, method: revenue, cost: 9000.00, recurring: false}}\n");
    let without = of("");
    assert!(without[6] > 0);
    assert_eq!((of(&migration("order")), of(&migration("product"))), (without.clone(), without));
}

#[test]
fn a_customer_who_returned_all_it_bought_has_a_pipeline_of_its_size() {
    let tables = "  opportunities: {path: o.csv, columns: {customer_id: id, amount: a, probability: p, date: d}}";
    let job = job(tables, "");
    let mut rows = ledger();
    // Customer 31 bought 10,000.00 and sent all of it back: 18,993 is 2022-01-01.
    rows.extend([(31, 19_100, 1_000_000), (31, 19_110, -1_000_000)]);
    write(&job, &rows);
    job.text("o.csv", "id,a,p,d\n31,1000,1,2022-12-31\n31,1000,1,2023-01-01\n");
    job.run(&[]);
    let found = value(&job, "pipeline_value");
    assert!(found[30].abs() <= 100_000, "{}", found[30]);
}

#[test]
fn referrals_in_any_order_of_rows_give_the_same_bytes() {
    let digest = |reversed: bool| {
        let job = job(REFERRALS, "");
        let mut rows: Vec<String> = (1..=30)
            .flat_map(|a| [(a, a % 30 + 1), (a, a % 7 + 1)])
            .filter(|(a, b)| a != b)
            .map(|(a, b)| format!("{a},{b},2022-01-06,{}", a + b))
            .collect();
        rows.sort();
        rows.dedup();
        if reversed {
            rows.reverse();
        }
        job.text("r.csv", &format!("by,whom,on,w\n{}\n", rows.join("\n")));
        let manifest = job.run(&[]);
        let balance = &manifest["balances"]["referrals"];
        assert!(balance["rules"]["cyclic_referral"][1]["rows"].as_u64().unwrap() > 0, "{balance}");
        let (received, given) =
            (job.sum("customer_value", "networking_potential"), job.sum("customer_value", "networking_given"));
        assert_eq!(received, given);
        manifest["result_digest"].clone()
    };
    assert_eq!(digest(false), digest(true));
}

#[test]
fn bad_rows_stand_in_rejected_with_their_reason() {
    let tables = "  referrals: {path: r.csv, columns: {referrer: by, referred: whom, date: on, weight: w}}
  opportunities: {path: o.csv, columns: {customer_id: id, amount: a, probability: p, date: d, margin: m}}
  learning: {path: k.csv, columns: {customer_id: id, value: v, date: d, half_life: h}}";
    let job = job(tables, "");
    job.text("r.csv", "by,whom,on,w\n5,5,2022-02-01,1\n5,999,2022-02-01,1\n1,2,2022-01-01,1\n2,1,2022-01-01,1\n1,5,2022-06-01,1\n1,3,2022-01-01,-1\n1,4,soon,1\n1,4,2023-01-01,1\n,4,2022-01-01,1\n");
    job.text("o.csv", "id,a,p,d,m\n1,5,1.2,2023-05-01,0.5\n1,5,0.5,2022-12-31,0.5\n1,5,0.5,2023-05-01,40\n1,-5,0.5,2023-05-01,0.4\n77,5,0.5,2023-05-01,0.4\n1,5,0.5,,0.4\n");
    job.text("k.csv", "id,v,d,h\n1,100,2022-05-01,0\n1,,2022-05-01,9\n1,100,2023-05-01,9\n");
    job.run(&[]);
    let rows = job
        .texts("rejected", "table")
        .into_iter()
        .zip(job.texts("rejected", "rule"))
        .zip(job.texts("rejected", "reason"));
    let told: Vec<String> = rows.map(|((table, rule), reason)| format!("{table} {rule}: {reason}")).collect();
    assert_snapshot!(told.join("\n"));
    assert!(value(&job, "networking_potential").iter().sum::<i128>() != 0, "1 won 2, who came later");
}

#[test]
fn a_circle_of_referrals_stops_the_run_where_the_contract_says_so() {
    let job = job(REFERRALS, "contract: {referrals: {cyclic_referral: error}}\n");
    job.text("r.csv", "by,whom,on,w\n1,2,2022-01-01,1\n2,1,2022-01-01,1\n");
    assert_snapshot!(job.failure());
}

#[test]
fn potentials_without_a_forecast_are_what_was_earned_and_learned() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: \
         a}}\n  learning: {path: k.csv, columns: {customer_id: id, value: v, date: d}}\n",
    );
    write(&job, &ledger());
    job.text("k.csv", "id,v,d\n9,10.00,2022-01-31\n");
    job.run(&[]);
    assert_eq!(value(&job, "base_potential"), value(&job, "historical_value"));
    assert_eq!(value(&job, "learning_potential").iter().sum::<i128>(), 1_000);
    for column in ["growth_potential", "networking_potential", "total_potential", "pipeline_value"] {
        assert!(value(&job, column).is_empty(), "{column}");
    }
}

#[test]
fn a_wallet_needs_its_probability_and_periods() {
    let job = job("  customers: {path: c.csv, columns: {customer_id: id, wallet: wallet}}", "");
    assert_snapshot!(job.failure());
    let yearly = Job::new(
        "version: 1\ncurrency: EUR\nperiod: year\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: \
         d, amount: a}}\n  customers: {path: c.csv, columns: {customer_id: id, wallet: w, wallet_probability: p}}\n",
    );
    assert_snapshot!(yearly.failure());
}

#[test]
fn tables_may_be_parquet_with_integer_ids_floats_and_booleans() {
    let tables = "  customers: {path: c.parquet, columns: {customer_id: id, wallet: w, wallet_probability: p, benchmark: b, parent: \
                  k}}
  referrals: {path: r.parquet, columns: {referrer: by, referred: whom, date: on, weight: w}}
  opportunities: {path: o.parquet, columns: {customer_id: id, amount: a, probability: p, date: d, margin: m}}
  learning: {path: k.parquet, columns: {customer_id: id, value: v, date: d, half_life: h}}
  interactions: {path: i.parquet, columns: {customer_id: id, kind: k, date: d, weight: w}}";
    let job = job(tables, "");
    let ids = || integers(1..=30);
    let flags: arrow_array::BooleanArray = (1..=30).map(|id| Some(id == 4)).collect();
    let columns: Vec<(&str, arrow_array::ArrayRef)> = vec![
        ("id", ids()),
        ("w", cents((1..=30).map(|_| 500_000))),
        ("p", floats((1..=30).map(|_| 0.25))),
        ("b", std::sync::Arc::new(flags)),
        ("k", integers((1..=30).map(|id| id / 10))),
    ];
    job.parquet("c.parquet", columns);
    let one = |day: i32| days([day]);
    job.parquet(
        "r.parquet",
        vec![("by", integers([1])), ("whom", integers([2])), ("on", one(19_000)), ("w", integers([2]))],
    );
    job.parquet(
        "o.parquet",
        vec![
            ("id", integers([3])),
            ("a", cents([10_000])),
            ("p", floats([0.5])),
            ("d", one(19_400)),
            ("m", floats([0.5])),
        ],
    );
    job.parquet(
        "k.parquet",
        vec![("id", integers([3])), ("v", cents([100])), ("d", one(19_357)), ("h", integers([30]))],
    );
    job.parquet(
        "i.parquet",
        vec![("id", integers([3])), ("k", text(["idea"])), ("d", one(19_000)), ("w", floats([1.5]))],
    );
    job.run(&[]);
    assert_eq!(job.sum("rejected", "amount"), 0);
    assert!(job.texts("rejected", "rule").is_empty());
    assert_eq!(value(&job, "learning_potential")[2], 100);
    assert!(value(&job, "pipeline_value")[2] > 2_400 && value(&job, "wallet_value").len() == 30);
    assert!(value(&job, "networking_new")[0] != 0);
    let parents = job.texts("segment_value", "segmentation").into_iter().zip(job.texts("segment_value", "segment"));
    let parents: Vec<String> = parents.filter(|(kind, _)| kind == "parent").map(|(_, name)| name).collect();
    assert_eq!(parents, ["0", "1", "2", "3"]);
}
