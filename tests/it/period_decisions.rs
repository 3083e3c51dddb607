//! Decisions and the bridge of customers under contract, and of those who buy at opportunities.

use whalecurve::{
    forecast::{
        bg_bb::BgBb,
        contract_calendar::ContractCalendar,
        contract_model::ContractModel,
        opportunity_days::{self, worth},
    },
    schema::{
        forecasting::Discounting,
        period::{day_from_civil, parse_day},
        renewals::RenewalTerm,
    },
    units::Day,
};

use crate::{
    contracts::{SURVIVORS, cohort_of, fitted, optional_days},
    equity::rows,
    opportunities::{SMALL, donors},
    support::{Job, days, decimals, integers, run},
};

const INPUTS: &str = "inputs:
  actions: {path: a.csv, columns: {action: action, cost: cost, retention: retention, frequency: frequency, probability: p}}
  prospects: {path: p.csv, columns: {prospect_id: id, expected_revenue: revenue, acquisition_cost: cost}}";

/// The job with actions, prospects, what keeping its customers costs, and a bridge.
///
/// * `care`: cost of all customers, which each bears alike; 20.00 of every payment are gone as well.
fn deciding(job: Job, care: &str, bridge_from: &str, prospects: &str) -> Job {
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let more = format!(
        "drivers: {{payments: {{count_distinct: day}}}}
activities:
  handling: {{level: order, method: standard_rate, driver: payments, rate: 20.00, cost: 70000.00}}
  care: {{level: customer, method: average, cost: {care}}}
equity: {{bridge: {{from: {bridge_from}, lost_below: 0.5}}}}
decisions: {{invest: {{budget: 100.00}}, prospects: {{max_probability_of_loss: 0.5}}}}
"
    );
    let config = config.replace("inputs:", INPUTS).replace("currency:", "period: year\ncurrency:");
    job.text("whalecurve.yaml", &format!("{config}{more}"));
    job.text("a.csv", "action,cost,retention,frequency,p\nstay,2.00,0.4,,0.5\nmore,1.00,,0.1,1\nboth,4.00,0.4,0.1,\n");
    job.text("p.csv", &format!("id,revenue,cost\n{prospects}"));
    job
}

fn calendar(as_of: &str) -> ContractCalendar {
    ContractCalendar {
        as_of: parse_day(as_of).unwrap(),
        term: RenewalTerm::Months(12),
        days_per_unit: 365.25,
        horizon_days: 1_826,
        delta: libm::log(1.1),
        discounting: Discounting::Continuous,
    }
}

/// First day of everybody's contract.
fn begun() -> Day {
    day_from_civil(2000, 1, 1)
}

/// Contribution of a unit before and after what keeping the customer costs, discounted time and purchases, of every customer.
fn made_of(job: &Job) -> Vec<(f64, f64, f64, f64)> {
    let column = |name: &str| job.floats("customer_value", name);
    let (spend, margin) = (column("expected_spend"), column("margin_rate"));
    let (order, time) = (column("cost_per_purchase"), column("cost_per_time"));
    let (purchases, lifetime) = (column("expected_discounted_purchases"), column("expected_discounted_lifetime"));
    let values = job.decimals("customer_value", "expected_value");
    let of = |row: usize| {
        let sold = margin[row] * spend[row] - order[row];
        let value = 100.0 * (sold * purchases[row] - time[row] * lifetime[row]);
        assert!((value - values[row] as f64).abs() <= 0.5 + 1e-6, "{row}: {value} is not {}", values[row]);
        (sold, time[row], lifetime[row], purchases[row])
    };
    (0..values.len()).map(of).collect()
}

#[test]
fn who_is_under_contract_is_invested_in_for_what_it_stays_longer() {
    for name in ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"] {
        let job = deciding(cohort_of(&SURVIVORS, name, ""), "40000.00", "2004-12-31", "1,,30.00\n");
        let model = fitted(name, &job.run(&[]));
        let made = made_of(&job);
        // All who stayed have paid as often and cost as much; a period is one that is paid for.
        let stayed: Vec<_> = made.iter().filter(|row| row.2 > 0.0).collect();
        assert_eq!(stayed.len(), 241);
        assert!(stayed.iter().all(|row| row.2.to_bits() == row.3.to_bits()));
        let longer = model.prolonged(begun(), &calendar("2006-12-31"), 0.4).unwrap();
        assert!(longer > stayed[0].2 * 1.002, "{name}: {longer} {:?}", stayed[0]);
        let found = rows(&job, "decision_invest", &["customer_id", "action", "gain"]);
        assert_eq!(found.len(), 3 * 241, "{name}");
        for row in found {
            let (sold, time, lifetime, _) = made[row[0].parse::<usize>().unwrap()];
            let value = |lifetime: f64, more: f64| lifetime * (sold * (1.0 + more) - time);
            let (with, probability) = match row[1].as_str() {
                "both" => (value(longer, 0.1), 1.0),
                "more" => (value(lifetime, 0.1), 1.0),
                _ => (value(longer, 0.0), 0.5),
            };
            let expected = 100.0 * probability * (with - value(lifetime, 0.0));
            let gain: f64 = row[2].parse().unwrap();
            assert!((gain - expected).abs() <= 0.5 + 1e-6, "{name} {row:?}: {expected}");
        }
        let spent = rows(&job, "decision_invest_total", &["action", "spent"]);
        assert!(spent[0][0] == "(all)" && spent[0][1].parse::<i64>().unwrap() > 9_000, "{spent:?}");
    }
}

#[test]
fn a_loss_making_contract_is_kept_or_ended_and_one_that_has_ended_is_neither() {
    let job = deciding(cohort_of(&SURVIVORS, "beta_geometric", ""), "800000.00", "2004-12-31", "1,,30.00\n");
    job.run(&[]);
    let made = made_of(&job);
    let found = rows(&job, "decision_keep", &["customer_id", "advice", "expected_contribution", "avoidable_cost"]);
    // Everybody has lost money; those who left before cannot be ended.
    assert!(job.decimals("customer_profit_total", "economic_profit").iter().all(|profit| *profit < 0));
    assert_eq!(found.len(), 241);
    for row in found {
        let (sold, time, lifetime, _) = made[row[0].parse::<usize>().unwrap()];
        let cents = |text: &str| text.parse::<f64>().unwrap();
        let (contribution, avoidable) = (100.0 * (sold + 20.0) * lifetime, 100.0 * (20.0 + time) * lifetime);
        assert!((cents(&row[2]) - contribution).abs() < 1.0, "{row:?} {contribution}");
        assert!((cents(&row[3]) - avoidable).abs() < 1.0, "{row:?} {avoidable}");
        assert_eq!(row[1], if contribution > avoidable { "keep" } else { "end" }, "{row:?}");
    }
}

#[test]
fn a_prospect_of_a_contract_is_worth_the_next_customer_and_a_loss_if_it_leaves_too_soon() {
    let prospects = "1,,30.00\n2,,150.00\n3,1000.00,30.00\n";
    let job = deciding(cohort_of(&SURVIVORS, "beta_geometric", ""), "40000.00", "2004-12-31", prospects);
    let model = fitted("beta_geometric", &job.run(&[]));
    let ContractModel::BetaGeometric(sbg) = model else { panic!() };
    let next = job.decimals("new_customer_value", "expected_value")[0];
    let names = ["prospect_id", "expected_value", "probability_of_loss", "expected_revenue"];
    let found = rows(&job, "decision_prospect", &names);
    assert_eq!(found[0][1].parse::<i128>().unwrap(), next);
    assert_eq!(found[1][1].parse::<i128>().unwrap(), next);
    // Contribution of a period; 30.00 are earned with the first payment, 150.00 with as many as bring them.
    let (periods, value) = (model.newcomer(&calendar("2006-12-31")).unwrap().discounted_purchases, next as f64 / 100.0);
    let each = value / periods;
    assert!(each > 30.0);
    let paid = |number: u32| -> f64 { (0..number).map(|year| libm::pow(1.1, -f64::from(year))).sum() };
    let needed = (1..9).find(|number| each * paid(*number) > 150.0).unwrap();
    for (row, probability) in [(0, 0.0), (1, 1.0 - sbg.survival(needed - 1))] {
        let told: f64 = found[row][2].parse().unwrap();
        assert!((told - probability).abs() <= 1e-4, "{row}: {told} is not {probability}");
    }
    // A tenfold budget scales what is kept of it, not what serving it costs.
    let usual: f64 = found[0][3].parse::<f64>().unwrap() / 100.0;
    let scaled = found[2][1].parse::<f64>().unwrap() / 100.0;
    let expected = value + (1_000.0 / usual - 1.0) * 100.0 * periods;
    assert!((scaled - expected).abs() < 0.02, "{scaled} is not {expected}");
}

#[test]
fn the_bridge_of_contracts_loses_those_who_left_and_ends_at_equity() {
    for name in ["beta_geometric", "weibull_gamma"] {
        let job = cohort_of(&SURVIVORS, name, "");
        let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        let config = config.replace("currency:", "period: year\ncurrency:");
        job.text("whalecurve.yaml", &format!("{config}equity: {{bridge: {{from: 2004-12-31, lost_below: 0.5}}}}\n"));
        let model = fitted(name, &job.run(&[]));
        let bridge = rows(&job, "equity_bridge", &["segmentation", "component", "customers", "amount"]);
        let step = |step: &str| -> (i64, i128) {
            let row = bridge.iter().find(|row| row[0] == "all" && row[1] == step).unwrap();
            (row[2].parse().unwrap(), row[3].parse().unwrap())
        };
        // All pay 100.00 a year, in continuous time for as many days as years have.
        let paid = |as_of: &str| {
            let years = f64::from(parse_day(as_of).unwrap() - begun() + 1) / 365.25;
            if name == "beta_geometric" { 1.0 } else { libm::round(years) / years }
        };
        let each = |as_of: &str| {
            let discounted = model.prospect(begun(), &calendar(as_of)).unwrap().discounted;
            10_000.0 * discounted * paid(as_of)
        };
        let within = if name == "beta_geometric" { 0.5 } else { 0.002 * each("2004-12-31") };
        let close = |found: i128, customers: i64, each: f64| {
            assert!((found as f64 / customers as f64 - each).abs() <= within, "{name}: {found} {customers} {each}");
        };
        let opening = step("opening");
        assert_eq!((opening.0, step("acquired"), step("lost").0, step("closing").0), (1000, (0, 0), 48, 1000));
        close(opening.1, 289, each("2004-12-31"));
        close(-step("lost").1, 48, each("2004-12-31"));
        close(step("closing").1, 241, each("2006-12-31"));
        let parts = ["opening", "acquired", "lost", "retention", "spend", "margin", "cost_to_serve", "discount_rate"];
        assert_eq!(parts.iter().map(|name| step(name).1).sum::<i128>(), step("closing").1);
        assert_eq!(step("closing").1, job.decimals("customer_equity", "expected_value")[0]);
        // Who has stayed longer stays longer.
        assert!(step("retention").1 > 0 && step("margin").1.abs() <= 1000, "{bridge:?}");
    }
}

#[test]
fn donors_are_decided_about_by_their_opportunities() {
    let prospects = "1,,49.00\n2,,31.00\n";
    let (job, histories) = donors(&SMALL, "5y");
    let job = deciding(job, "1200.00", "1999-12-31", prospects);
    let manifest = job.run(&[]);
    let value = |parameter: &str| manifest["fits"]["bg_bb"]["parameters"][parameter].as_f64().unwrap();
    let model = BgBb { alpha: value("alpha"), beta: value("beta"), gamma: value("gamma"), delta: value("delta") };
    let worth = worth(&calendar("2001-12-31"));
    // Whole years are as many at both ends of the bridge, whatever the leap days.
    assert_eq!((worth.len(), opportunity_days::worth(&calendar("1999-12-31")).len()), (5, 5));
    let made = made_of(&job);
    let found = rows(&job, "decision_invest", &["customer_id", "action", "gain"]);
    assert!(found.len() > histories.len());
    for row in found.iter().filter(|row| row[1] != "more") {
        let at: usize = row[0].parse().unwrap();
        let ((sold, time, _, _), history) = (made[at], histories[at]);
        let alive = model.p_alive_now(history.frequency, history.recency, history.opportunities);
        let buys = model.purchase_probability(history.frequency, history.opportunities);
        let life = |prevented| alive * model.prolonged(history.opportunities, &worth, prevented);
        let value = |prevented, more: f64| life(prevented) * (buys * (1.0 + more) * sold - time);
        let (more, probability) = if row[1] == "both" { (0.1, 1.0) } else { (0.0, 0.5) };
        let expected = 100.0 * probability * (value(0.4, more) - value(0.0, 0.0));
        let gain: f64 = row[2].parse().unwrap();
        assert!((gain - expected).abs() <= 0.5 + 1e-6, "{row:?}: {expected}");
    }
    // 30.00 are left of a gift: one alone does not bring 49.00 back, and brings 31.00 to those who never give again a loss.
    let told = rows(&job, "decision_prospect", &["prospect_id", "expected_value", "probability_of_loss"]);
    let next = job.decimals("new_customer_value", "expected_value")[0];
    assert!(told.iter().all(|row| row[1].parse::<i128>().unwrap() == next));
    let never = model.probability_of_purchases(0, 0, 0, 5, 0);
    let loss: Vec<f64> = told.iter().map(|row| row[2].parse().unwrap()).collect();
    assert!(loss[1] >= never - 0.02 && loss[0] > loss[1], "{loss:?} {never}");
    let bridge = rows(&job, "equity_bridge", &["segmentation", "component", "amount"]);
    let amount = |step: &str| -> i128 {
        bridge.iter().find(|row| row[0] == "all" && row[1] == step).unwrap()[2].parse().unwrap()
    };
    let parts = ["opening", "acquired", "lost", "retention", "spend", "margin", "cost_to_serve", "discount_rate"];
    assert_eq!(parts.iter().map(|step| amount(step)).sum::<i128>(), amount("closing"));
    assert_eq!(amount("closing"), job.decimals("customer_equity", "expected_value")[0]);
    assert!(amount("opening") > 0 && amount("acquired") == 0);
}

#[test]
fn the_bridge_from_an_earlier_run_of_contracts_knows_who_came_back() {
    let job = cohort_of(&SURVIVORS, "beta_geometric", "");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = config.replace("currency:", "period: year\ncurrency:");
    // Left in the first year, and came back six years later.
    let table = job.path("c.parquet");
    std::fs::remove_file(&table).unwrap();
    let end = |customer: usize| SURVIVORS.iter().position(|left| customer >= *left);
    let rows: Vec<(i64, Day, Option<Day>)> = (0..1_000)
        .map(|customer| {
            let last = end(customer).map(|year| day_from_civil(1999 + year as i32, 12, 31));
            (customer as i64, begun(), last)
        })
        .chain([(999, day_from_civil(2006, 1, 1), None)])
        .collect();
    job.parquet(
        "c.parquet",
        vec![
            ("c", integers(rows.iter().map(|row| row.0))),
            ("s", days(rows.iter().map(|row| row.1))),
            ("e", optional_days(rows.iter().map(|row| row.2))),
        ],
    );
    job.text("whalecurve.yaml", &config.replace("as_of: 2006-12-31", "as_of: 2004-12-31"));
    let early = job.path("early");
    let told = job.command("run", &["--output", early.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let later = format!("{config}equity: {{bridge: {{from: early, lost_below: 0.5}}}}\n");
    job.text("whalecurve.yaml", &later);
    job.run(&[]);
    let bridge = rows_of_all(&job);
    let amount = |step: &str| bridge.iter().find(|row| row.0 == step).unwrap().1;
    assert_eq!(amount("opening"), decimals(&early, "customer_equity", "expected_value")[0]);
    assert_eq!(amount("closing"), job.decimals("customer_equity", "expected_value")[0]);
    // All pay 100.00 a period, but for the one who came back and has not paid since: half of its periods. That is its spend, and at
    // most half of 100.00 in each of the fewer than four periods ahead; its stay is retention.
    assert!(amount("spend").abs() <= 20_000 && amount("retention") > 300_000, "{bridge:?}");
    // Values that were discounted otherwise, or are of other models, are no opening of this bridge.
    let refused = |config: &str| {
        job.text("whalecurve.yaml", config);
        std::fs::remove_dir_all(job.path("out")).unwrap_or_default();
        let told = job.failure();
        told.lines()
            .find_map(|line| line.split_once("equity.bridge.from"))
            .map_or_else(|| told.clone(), |(_, why)| why.to_owned())
    };
    let yearly = later.replace("paths: 200", "paths: 200, discounting: per_year");
    assert_eq!(refused(&yearly), ": the earlier run discounts in another way");
    let plain = later.replace("model: beta_geometric", "model: bg_nbd");
    let contracts = plain.lines().find(|line| line.contains("contracts:")).unwrap().to_owned();
    assert_eq!(
        refused(&plain.replace(&format!("{contracts}\n"), "")),
        ": the earlier run was of another kind of model"
    );
}

/// Steps of all customers, with their amounts.
fn rows_of_all(job: &Job) -> Vec<(String, i128)> {
    let bridge = rows(job, "equity_bridge", &["segmentation", "component", "amount"]);
    let all = bridge.into_iter().filter(|row| row[0] == "all");
    all.map(|row| (row[1].clone(), row[2].parse().unwrap())).collect()
}

#[test]
fn an_explanation_speaks_of_periods_under_contract() {
    let job = cohort_of(&SURVIVORS, "beta_geometric", "");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &format!("{config}output: results\n"));
    run(&job.path("whalecurve.yaml"), &job.path("results"), &[]);
    let told = job.command("explain", &["--customer", "3"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("periods under contract of 100.00 EUR each"), "{told}");
}
