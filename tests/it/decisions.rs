//! Decisions through whole runs: each can be made again from the columns shown; bad input is told.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use crate::{
    equity::{cdnow, number, rows, rows_of},
    support::{Job, root, run},
};

const ACTIONS: &str = "  actions:\n    path: actions.csv\n    columns: {action: action, cost: cost, value_tier: tier, segment: \
                       segment, frequency: frequency, margin: margin, cost_to_serve: serve, retention: retention, probability: \
                       probability, uncertainty: uncertainty}\n";
const HEAD: &str = "action,cost,tier,segment,frequency,margin,serve,retention,probability,uncertainty\n";

fn float(text: &str) -> f64 {
    text.parse().unwrap()
}

/// Columns of `customer_value` that an expected value is made of.
pub(crate) fn drivers(job: &Job) -> BTreeMap<String, Vec<f64>> {
    let names = [
        "customer_id",
        "expected_spend",
        "margin_rate",
        "cost_per_purchase",
        "cost_per_time",
        "expected_discounted_purchases",
        "expected_discounted_lifetime",
        "expected_value",
    ];
    let all = rows(job, "customer_value", &names);
    all.into_iter().map(|row| (row[0].clone(), row[1..].iter().map(|cell| float(cell)).collect())).collect()
}

#[test]
fn an_expected_value_is_what_its_columns_make_it() {
    let job = cdnow("", "");
    job.run(&[]);
    let all = drivers(&job);
    assert_eq!(all.len(), 2_357);
    for (customer, row) in all {
        let [spend, margin, order, time, purchases, lifetime, value] = row[..] else { unreachable!() };
        let made = 100.0 * ((margin * spend - order) * purchases - time * lifetime);
        assert!((made - value).abs() <= 0.5 + 1e-6, "{customer}: {made} {value}");
    }
}

#[test]
fn a_budget_goes_where_it_gains_most_and_every_gain_follows_from_the_columns_shown() {
    let job = cdnow(ACTIONS, "decisions: {invest: {budget: 400.00}}\n");
    job.text(
        "actions.csv",
        &format!("{HEAD}letter,0.20,,,0.05,,,,0.5,0.4\ncall,2.50,platinum,,0.30,,,,0.6,0.5\nclub,1.50,,odd,,0.01,,,,\nweb,0.40,,,,,-0.3,,,0.1\n"),
    );
    job.run(&[]);
    let all = drivers(&job);
    let names = ["customer_id", "action", "cost", "value_before", "gain", "chosen", "gain_sd"];
    let found = rows(&job, "decision_invest", &names);
    let tier: BTreeMap<String, String> = rows(&job, "customer_segment", &["customer_id", "value_tier"])
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let (mut spent, mut gain, mut customers) = (0, 0, Vec::new());
    for row in &found {
        let of = &all[&row[0]];
        let [spend, margin, order, time, purchases, lifetime, value] = of[..] else { unreachable!() };
        let worth = |purchases: f64, margin: f64, factor: f64| {
            (margin * spend - order * factor) * purchases - time * factor * lifetime
        };
        let (with, probability) = match row[1].as_str() {
            "letter" => (worth(purchases * 1.05, margin, 1.0), 0.5),
            "call" => (worth(purchases * 1.30, margin, 1.0), 0.6),
            "club" => (worth(purchases, margin + 0.01, 1.0), 1.0),
            _ => (worth(purchases, margin, 0.7), 1.0),
        };
        let expected = 100.0 * probability * (with - worth(purchases, margin, 1.0));
        assert!((number(&row[4]) as f64 - expected).abs() <= 0.5 + 1e-6, "{row:?} {expected}");
        assert!((number(&row[3]) as f64 - value).abs() < 0.5);
        assert!(row[1] != "call" || tier[&row[0]] == "platinum");
        assert!(row[1] != "club" || number(&row[0]) % 2 == 1);
        if row[5] == "true" {
            (spent, gain) = (spent + number(&row[2]), gain + number(&row[4]));
            customers.push(row[0].clone());
        }
    }
    let many = customers.len();
    customers.dedup();
    assert!(customers.len() == many && spent <= 40_000);
    let names = ["action", "customers", "spent", "gain", "gain_sd", "budget", "bound", "gap", "marginal_return"];
    let total = rows(&job, "decision_invest_total", &names);
    assert_eq!(total[0][..4], ["(all)", &many.to_string(), &spent.to_string(), &gain.to_string()]);
    let (bound, gap) = (number(&total[0][6]), number(&total[0][7]));
    // Within a cent of what nobody could pass, in a plan of thousands.
    assert!(bound - gain == gap && (0..=25).contains(&gap) && gain > 400_000, "{total:?}");
    for at in 1..4 {
        assert_eq!(total[1..].iter().map(|row| number(&row[at])).sum::<i128>(), number(&total[0][at]));
    }
    let sd: f64 = total[1..].iter().map(|row| float(&row[4]).powi(2)).sum::<f64>().sqrt();
    assert!((sd - float(&total[0][4])).abs() <= 2.0);
    // The curve is concave, the budget lies on it, and what the last of it gains is the marginal return.
    let names = ["spent", "gain", "customers", "marginal_return", "within_budget"];
    let curve = rows(&job, "decision_invest_curve", &names);
    let point = |at: usize| (number(&curve[at][0]), number(&curve[at][1]));
    for at in 1..curve.len() - 1 {
        let (before, now, after) = (point(at - 1), point(at), point(at + 1));
        assert!((now.1 - before.1) * (after.0 - now.0) >= (after.1 - now.1) * (now.0 - before.0), "{at}");
    }
    let within = curve.iter().filter(|row| row[4] == "true").count();
    assert!(point(within - 1).1 <= gain && bound <= point(within).1);
    let (last, next) = (float(&curve[within - 1][3]), float(&curve[within][3]));
    let marginal = float(&total[0][8]);
    assert!(next <= marginal && marginal <= last, "{next} {marginal} {last}");
}

#[test]
fn uncertainty_does_not_depend_on_the_rows_that_an_action_is_written_in() {
    let sd = |rows_of: &str| {
        let job = cdnow(ACTIONS, "decisions: {invest: {budget: 400.00}}\n");
        job.text("actions.csv", &format!("{HEAD}{rows_of}"));
        job.run(&[]);
        let total = rows(&job, "decision_invest_total", &["gain", "gain_sd"]);
        (number(&total[0][0]), number(&total[0][1]))
    };
    let (gain, one) = sd("mail,0.20,,,0.05,,,,,0.5\n");
    let by_segment = sd("mail,0.20,,odd,0.05,,,,,0.5\nmail,0.20,,even,0.05,,,,,0.5\n");
    assert!(gain > 1_000 && (2 * one - gain).abs() <= 1, "{gain} {one}");
    assert_eq!(by_segment.0, gain);
    assert!((by_segment.1 - one).abs() <= 1, "{by_segment:?} {one}");
    // Two actions are independent of each other.
    let two = sd("mail,0.20,,odd,0.05,,,,,0.5\npost,0.20,,even,0.05,,,,,0.5\n");
    assert!(two.0 == gain && two.1 < one, "{two:?} {one}");
}

#[test]
fn nothing_is_spent_of_nothing_but_what_is_for_nothing() {
    let job = cdnow(ACTIONS, "decisions: {invest: {budget: 0.00}}\n");
    job.text("actions.csv", &format!("{HEAD}letter,0.20,,,0.5,,,,,\nfriendliness,0,,,0.01,,,,,\n"));
    job.run(&[]);
    let total = rows(&job, "decision_invest_total", &["action", "customers", "spent", "gap"]);
    assert_eq!(total[0][2..], ["0", "0"]);
    assert_eq!(total[2][..3], ["letter", "0", "0"]);
    assert!(number(&total[1][1]) > 1_000);
    assert_eq!(total[1][1], total[0][1]);
}

#[test]
fn an_action_of_a_list_is_for_its_customers_alone() {
    let inputs =
        format!("{ACTIONS}  action_customers: {{path: listed.csv, columns: {{action: action, customer_id: id}}}}\n");
    let job = cdnow(&inputs, "decisions: {invest: {budget: 100.00}}\n");
    job.text("actions.csv", &format!("{HEAD}visit,1.00,,,0.5,,,,,\n"));
    job.text("listed.csv", "action,id\nvisit,0001\nvisit,0111\nvisit,9999\n");
    job.run(&[]);
    let found = rows(&job, "decision_invest", &["customer_id", "action"]);
    assert!(!found.is_empty() && found.iter().all(|row| ["0001", "0111"].contains(&row[0].as_str())), "{found:?}");
    assert_eq!(rows(&job, "rejected", &["table", "rule"]), [["action_customers", "unknown_customer"]]);
}

#[test]
fn the_money_of_keeping_repricing_and_ending_follows_from_the_columns_shown() {
    let settings = "decisions: {keep: {avoidable_order_cost: 0.9, avoidable_customer_cost: 0.75, max_price_rise: 0.3, \
                    price_elasticity: 0.5}}\n";
    let job = cdnow("", settings);
    job.run(&[]);
    let all = drivers(&job);
    let names = [
        "customer_id",
        "economic_profit",
        "expected_value",
        "expected_contribution",
        "avoidable_cost",
        "fixed_cost",
        "keep_value",
        "price_rise",
        "reprice_value",
        "advice",
        "advice_value",
    ];
    let found = rows(&job, "decision_keep", &names);
    let losing = job.whole_numbers("customer_equity", "losing_customers")[0].unwrap();
    assert_eq!(found.len() as i64, losing);
    let roles = rows(
        &job,
        "customer_segment",
        &["customer_id", "high_lifetime_value", "benchmark", "inspiration", "cost_magnet"],
    );
    let protected: Vec<String> =
        roles.into_iter().filter(|row| row[1..].iter().any(|role| role == "true")).map(|row| row[0].clone()).collect();
    let mut advised: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &found {
        let [spend, margin, order, time, purchases, lifetime, value] = all[&row[0]][..] else { unreachable!() };
        let near = |cell: &str, expected: f64| (float(cell) - 100.0 * expected).abs() <= 0.5 + 1e-6;
        assert!(number(&row[1]) < 0 && (number(&row[2]) as f64 - value).abs() < 0.5);
        let avoidable = 0.9 * order * purchases + 0.75 * time * lifetime;
        assert!(near(&row[3], margin * spend * purchases) && near(&row[4], avoidable), "{row:?}");
        assert!(near(&row[5], order * purchases + time * lifetime - avoidable));
        let keep = margin * spend * purchases - avoidable;
        assert!(near(&row[6], keep));
        let mut best = (keep, "keep");
        if row[7] != "-" {
            // At that rise the customer bears its full cost, half as many purchases in percent being lost.
            let rise = float(&row[7]);
            let left = purchases * (1.0 - 0.5 * rise);
            let full = ((margin + rise) * spend - order) * left - time * lifetime;
            assert!((-1e-9..0.05).contains(&full), "{row:?} {full}");
            assert_eq!(row[8] == "-", rise > 0.3);
            let worth = (margin + rise) * spend * left - 0.9 * order * left - 0.75 * time * lifetime;
            if rise <= 0.3 {
                assert!(near(&row[8], worth), "{row:?} {worth}");
                best = if worth > best.0 { (worth, "reprice") } else { best };
            }
        }
        // Who has a strategic role is never ended by the number alone.
        best = if best.0 < 0.0 && !protected.contains(&row[0]) { (0.0, "end") } else { best };
        assert_eq!(row[9], best.1, "{row:?}");
        assert!(near(&row[10], best.0));
        *advised.entry(best.1).or_default() += 1;
    }
    assert!(advised.len() == 3 && advised.values().all(|count| *count > 5), "{advised:?}");
}

#[test]
fn a_prospect_is_worth_what_a_new_customer_of_its_group_is_and_more_revenue_is_worth_more() {
    let inputs = "  prospects: {path: p.csv, columns: {prospect_id: id, segment: segment, channel: channel, expected_revenue: \
                  revenue, acquisition_cost: cost}}\n";
    let job = cdnow(inputs, "decisions: {prospects: {max_probability_of_loss: 0.6}}\n");
    job.text(
        "p.csv",
        "id,segment,channel,revenue,cost\nnobody,,,,\nweb,even,web,,\neven,even,,,1.00\nless,,,50,5.00\nmore,,,500,5.00\nnone,,,0,5.00\n",
    );
    job.run(&[]);
    let new: BTreeMap<String, Vec<String>> =
        rows(&job, "new_customer_value", &["group", "expected_spend", "expected_value", "acquisition_cost"])
            .into_iter()
            .map(|row| (row[0].clone(), row))
            .collect();
    let names = [
        "prospect_id",
        "group",
        "expected_revenue",
        "expected_value",
        "acquisition_cost",
        "probability_of_loss",
        "decision",
        "expected_cost_to_serve",
        "most_to_pay",
    ];
    let found: BTreeMap<String, Vec<String>> =
        rows(&job, "decision_prospect", &names).into_iter().map(|row| (row[0].clone(), row)).collect();
    for (prospect, group) in [("nobody", "all"), ("web", "web"), ("even", "even")] {
        assert_eq!(found[prospect][1], group);
        assert_eq!(found[prospect][2..4], new[group][1..3], "{prospect}");
    }
    assert_eq!(found["nobody"][4], new["all"][3]);
    assert_eq!(found["even"][4], "100");
    let of = |prospect: &str, at: usize| float(&found[prospect][at]);
    assert!(of("more", 3) > of("less", 3) && of("more", 5) < of("less", 5));
    assert_eq!((found["more"][6].as_str(), found["none"][6].as_str()), ("accept", "decline"));
    // Who spends nothing costs what serving costs.
    assert_eq!((of("none", 3), of("none", 8)), (-of("none", 7), 0.0));
    // Of new customers as they are 10,000 futures: their mean is the expectation.
    assert!(found.values().all(|row| (0.0..=1.0).contains(&float(&row[5]))));
}

#[test]
fn a_prospect_beyond_all_money_is_refused() {
    let inputs =
        "  prospects: {path: p.csv, columns: {prospect_id: id, expected_revenue: revenue, acquisition_cost: cost}}\n";
    // Serving costs more than is bought for, so that what a prospect loses grows with its revenue.
    let job = cdnow(inputs, "");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("cost: 98700.00", "cost: 98700000.00"));
    job.text("p.csv", "id,revenue,cost\nlarge,1000000000000000,1.00\n");
    let done = job.try_run(&[]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(3) && told.contains("decision_prospect"), "{told}");
}

#[test]
fn without_their_tables_decisions_are_empty_and_without_a_forecast_too() {
    let job = cdnow("", "");
    job.run(&[]);
    for dataset in [
        "decision_invest",
        "decision_invest_curve",
        "decision_prospect",
        "acquisition_value",
        "equity_share",
        "equity_bridge",
    ] {
        let first = if dataset == "decision_invest_curve" { "spent" } else { "" };
        let columns = crate::support::read(&job.path("out"), dataset);
        assert!(columns.iter().all(|batch| batch.num_rows() == 0), "{dataset} {first}");
    }
    let plain = Job::new(
        "version: 1\ncurrency: USD\ninputs:\n  transactions: {path: t.parquet, columns: {customer_id: customer_id, date: date, \
         amount: amount}}\n",
    );
    std::fs::copy(root().join("datasets/cdnow/transactions.parquet"), plain.path("t.parquet")).unwrap();
    plain.run(&[]);
    assert!(rows(&plain, "decision_keep", &["customer_id"]).is_empty());
    assert_eq!(rows(&plain, "segment_equity", &["segment", "equity"])[0], ["all", "-"]);
}

#[test]
fn what_decisions_cannot_use_is_told() {
    let told = |inputs: &str, more: &str, files: &[(&str, &str)]| {
        let job = cdnow(inputs, more);
        for (name, text) in files {
            job.text(name, text);
        }
        job.failure()
    };
    let invest = "decisions: {invest: {budget: 10.00}}\n";
    let action = |row: &str| told(ACTIONS, invest, &[("actions.csv", &format!("{HEAD}{row}\n"))]);
    assert_snapshot!(action("call,-2.50,,,0.3,,,,,"), @r"
    exit code 3
    error: actions: rule `invalid_amount` is broken by 1 of 1 rows: the cost is null, negative or not a finite number in range; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(action("call,2.50,gold plated,,0.3,,,,,"), @r"
    exit code 3
    error: actions: rule `unknown_group` is broken by 1 of 1 rows: no value tier has this name; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(action("call,2.50,,,-1.3,,,,,"), @r"
    exit code 3
    error: actions: rule `invalid_effect` is broken by 1 of 1 rows: frequency or cost_to_serve is not between -1 and 10: it is a relative change; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    let listed =
        format!("{ACTIONS}  action_customers: {{path: listed.csv, columns: {{action: action, customer_id: id}}}}\n");
    let files = [("actions.csv", &*format!("{HEAD}call,1,,,0.1,,,,,\n")), ("listed.csv", "action,id\nvisit,0001\n")];
    assert_snapshot!(told(&listed, invest, &files), @r"
    exit code 3
    error: action_customers: rule `unknown_action` is broken by 1 of 1 rows: the actions table does not hold the action; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(told("", "decisions: {invest: {budget: -1}, keep: {max_price_rise: 11}}\n", &[]), @r"
    exit code 2
    whalecurve.yaml:19:13: `decisions.invest` has no effect: `inputs.actions` is missing
      hint: name what may be done, as in: actions: {path: actions.csv, columns: {action: action, cost: cost, frequency: more_orders}}
    whalecurve.yaml:19:30: `decisions.invest.budget` is negative
    whalecurve.yaml:19:58: `decisions.keep.max_price_rise` is `11`, expected a number from 0 to 10, at most 12 digits after the point
    ");
    let market = "  market: {path: m.csv, columns: {competitor: who, equity: equity, customers: n, value: each}}\n";
    assert_snapshot!(told(market, "", &[]), @r"
    exit code 2
    whalecurve.yaml:13:82: `inputs.market.columns` has both equity and value: two answers to what customers are worth
      hint: map either equity, or customers and value (what one of them is worth)
    ");
    let market = "  market: {path: m.csv, columns: {competitor: who, equity: equity}}\n";
    assert_snapshot!(told(market, "", &[("m.csv", "who,equity\nN2K,5\n,9\n")]), @r"
    exit code 3
    error: market: a segment, or all customers, has rows with and without a competitor: give the whole market, or everybody in it
    ");
}

#[test]
fn an_empty_list_restricts_no_action() {
    let listed =
        format!("{ACTIONS}  action_customers: {{path: listed.csv, columns: {{action: action, customer_id: id}}}}\n");
    let found = |inputs: &str, files: &[(&str, &str)]| {
        let job = cdnow(inputs, "decisions: {invest: {budget: 10.00}}\n");
        job.text("actions.csv", &format!("{HEAD}call,1.00,,,0.1,,,,,\n"));
        for (name, text) in files {
            job.text(name, text);
        }
        job.run(&[]);
        rows(&job, "decision_invest", &["customer_id", "action"])
    };
    assert_eq!(found(&listed, &[("listed.csv", "action,id\n")]), found(ACTIONS, &[]));
}

#[test]
fn an_action_all_of_whose_customers_are_rejected_is_for_nobody() {
    let listed =
        format!("{ACTIONS}  action_customers: {{path: listed.csv, columns: {{action: action, customer_id: id}}}}\n");
    let job = cdnow(&listed, "decisions: {invest: {budget: 10.00}}\n");
    job.text("actions.csv", &format!("{HEAD}call,1.00,,,0.1,,,,,\nletter,0.10,,,0.1,,,,,\n"));
    job.text("listed.csv", "action,id\ncall,unknown\n");
    job.run(&[]);
    assert_eq!(rows(&job, "rejected", &["table", "rule"]), [["action_customers", "unknown_customer"]]);
    let found = rows(&job, "decision_invest", &["action"]);
    assert!(!found.is_empty() && found.iter().all(|row| row[0] == "letter"));
}

#[test]
fn a_probability_outside_0_and_1_is_set_aside_with_its_reason() {
    let job = cdnow(ACTIONS, "decisions: {invest: {budget: 10.00}}\n");
    job.text("actions.csv", &format!("{HEAD}call,1.00,,,0.1,,,,1.5,\nletter,0.10,,,0.1,,,,0.5,\n"));
    job.run(&[]);
    assert_eq!(rows(&job, "rejected", &["table", "rule"]), [["actions", "invalid_probability"]]);
    let total = rows(&job, "decision_invest_total", &["action"]);
    assert_eq!(total, [["(all)"], ["letter"]]);
}

#[test]
fn the_example_gives_the_figures_that_its_page_works_out() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    run(&root().join("datasets/decisions/whalecurve.yaml"), &output, &[]);
    let of = |dataset: &str, key: (&str, &str), columns: &[&str]| -> Vec<String> {
        let names: Vec<&str> = [key.0].iter().chain(columns).copied().collect();
        let found = rows_of(&output, dataset, &names);
        found.into_iter().find(|row| row[0] == key.1).unwrap_or_else(|| panic!("{dataset} {key:?}"))[1..].to_vec()
    };
    let shares: Vec<Vec<String>> = rows_of(&output, "equity_share", &["competitor", "equity"]);
    assert_eq!(shares, [["(own)", "963377"], ["N2K", "2000000"], ["Tower", "900000"]]);
    let share: f64 = float(&of("equity_share", ("competitor", "(own)"), &["share_of_equity"])[0]);
    assert!((share - 0.2494).abs() < 0.000_05);
    let plan = rows_of(&output, "acquisition_value", &["value_per_customer", "value", "cost"]);
    assert_eq!(plan[0], ["2011", "767031", "228868"]);
    let equity = rows_of(&output, "customer_equity", &["planned_value", "planned_cost", "equity_with_plan"]);
    assert_eq!(equity[0], ["1133577", "365241", "1731713"]);
    let bridge = rows_of(&output, "equity_bridge", &["amount"]).into_iter().take(9);
    let bridge: Vec<String> = bridge.map(|row| row[0].clone()).collect();
    assert_eq!(bridge.join(" "), "546684 0 -108009 63816 125177 -18 335727 0 963377");
    let gains: Vec<Vec<String>> = rows_of(&output, "decision_invest", &["customer_id", "action", "gain", "chosen"]);
    let own: Vec<String> = gains.iter().filter(|row| row[0] == "0001").map(|row| row[1..].join(" ")).collect();
    assert_eq!(own, ["apology 21 false", "club 42 false", "newsletter 33 false", "self_service 503 true"]);
    let total = of("decision_invest_total", ("action", "(all)"), &["spent", "gain", "bound"]);
    assert_eq!(total, ["30000", "508713", "508731"]);
    let names = [
        "expected_contribution",
        "avoidable_cost",
        "fixed_cost",
        "keep_value",
        "price_rise",
        "reprice_value",
        "advice",
    ];
    assert_eq!(
        of("decision_keep", ("customer_id", "0111"), &names),
        ["147", "84", "85", "62", "0.0817", "85", "reprice"]
    );
    assert_eq!(of("decision_keep", ("customer_id", "0348"), &names), ["592", "621", "697", "-30", "-", "-", "end"]);
    let names = ["expected_revenue", "expected_value", "expected_cost_to_serve", "most_to_pay", "decision"];
    assert_eq!(of("decision_prospect", ("prospect_id", "A"), &names), ["8719", "2011", "1651", "2011", "accept"]);
    assert_eq!(of("decision_prospect", ("prospect_id", "B"), &names), ["50000", "19347", "1651", "19347", "accept"]);
    assert_eq!(of("decision_prospect", ("prospect_id", "C"), &names), ["1000", "-1231", "1651", "0", "decline"]);
}
