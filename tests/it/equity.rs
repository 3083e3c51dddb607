//! Customer equity: its cuts, our part of the market, customers still to be won, the bridge, products as doors.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use insta::assert_snapshot;

use crate::support::{Job, cents, days, floats, integers, read, root, text};

/// The CDNOW sample with a customers table that cuts it by segment and channel, and more of a config.
pub(crate) fn cdnow(more_inputs: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: USD\nas_of: 1997-09-30\nperiod: month\ninputs:\n  transactions:\n    path: t.parquet\n    \
         where: \"date <= DATE '1997-09-30'\"\n    columns: {{customer_id: customer_id, date: date, amount: amount, \
         product_id: cds}}\n  customers:\n    path: customers.csv\n    columns: {{customer_id: id, segment: segment, channel: \
         channel, acquisition_cost: cost}}\n{more_inputs}drivers: {{orders: {{count_distinct: day}}}}\nactivities:\n  goods: \
         {{level: unit, method: revenue, cost: 98700.00}}\n  orders: {{level: order, method: driver, driver: orders, cost: \
         15400.00}}\n  upkeep: {{level: customer, method: average, cost: 25000.00}}\nforecast: {{model: pareto_nbd, horizon: \
         52 weeks, discount_rate_per_year: 0.10, paths: 50}}\n{more}"
    ));
    fs::copy(root().join("datasets/cdnow/transactions.parquet"), job.path("t.parquet")).unwrap();
    let line = |id: u32| {
        let channel = ["web", "shop", "phone"][id as usize % 3];
        format!("{id:04},{},{channel},{}.50\n", if id.is_multiple_of(2) { "even" } else { "odd" }, id % 5)
    };
    job.text("customers.csv", &format!("id,segment,channel,cost\n{}", (1..=2357).map(line).collect::<String>()));
    job
}

/// A column of a dataset as text, null as nothing.
fn column(output: &Path, dataset: &str, name: &str) -> Vec<Option<String>> {
    let of = |batch: &arrow_array::RecordBatch| -> Vec<Option<String>> {
        let array = batch.column_by_name(name).unwrap_or_else(|| unreachable!("{dataset}.{name}"));
        let any = array.as_any();
        let cell = |row: usize| {
            if let Some(texts) = any.downcast_ref::<StringArray>() {
                texts.value(row).to_owned()
            } else if let Some(sums) = any.downcast_ref::<Decimal128Array>() {
                sums.value(row).to_string()
            } else if let Some(numbers) = any.downcast_ref::<Int64Array>() {
                numbers.value(row).to_string()
            } else if let Some(numbers) = any.downcast_ref::<Float64Array>() {
                numbers.value(row).to_string()
            } else if let Some(days) = any.downcast_ref::<Date32Array>() {
                days.value(row).to_string()
            } else {
                any.downcast_ref::<BooleanArray>().unwrap().value(row).to_string()
            }
        };
        (0..array.len()).map(|row| array.is_valid(row).then(|| cell(row))).collect()
    };
    read(output, dataset).iter().flat_map(of).collect()
}

/// Rows of a job's dataset as texts, null as `-`.
pub(crate) fn rows(job: &Job, dataset: &str, names: &[&str]) -> Vec<Vec<String>> {
    rows_of(&job.path("out"), dataset, names)
}

/// The same of an output.
pub(crate) fn rows_of(output: &Path, dataset: &str, names: &[&str]) -> Vec<Vec<String>> {
    let columns: Vec<Vec<Option<String>>> = names.iter().map(|name| column(output, dataset, name)).collect();
    let cell = |column: &Vec<Option<String>>, row: usize| column[row].clone().unwrap_or_else(|| "-".to_owned());
    (0..columns[0].len()).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
}

pub(crate) fn number(text: &str) -> i128 {
    text.parse().unwrap()
}

/// Ways in which the sample's customers are cut.
const CUTS: [&str; 8] = [
    "channel",
    "cohort_month",
    "cost_magnet",
    "high_lifetime_value",
    "portfolio_group",
    "rfm_cell",
    "segment",
    "value_tier",
];

#[test]
fn every_cut_of_the_customers_adds_up_to_customer_equity_and_to_todays_sales() {
    let job = cdnow("", "equity: {cohort: month}\n");
    job.run(&[]);
    let equity = job.decimals("customer_equity", "expected_value")[0];
    let mut cuts: BTreeMap<String, [i128; 3]> = BTreeMap::new();
    for row in rows(&job, "segment_value", &["segmentation", "expected_value", "net_revenue", "customers"]) {
        let sums = cuts.entry(row[0].clone()).or_default();
        sums.iter_mut().zip(&row[1..]).for_each(|(sum, cell)| *sum += number(cell));
    }
    assert_eq!(cuts.keys().collect::<Vec<_>>(), CUTS);
    assert!(cuts.values().all(|sums| *sums == [equity, 17_311_555, 2_357]), "{cuts:?}");
    // The simulated totals of a path are the same customers', so their means add up to the cent of rounding.
    let mut means: BTreeMap<String, i128> = BTreeMap::new();
    for row in rows(&job, "segment_value", &["segmentation", "lifetime_value_mean"]) {
        *means.entry(row[0].clone()).or_default() += number(&row[1]);
    }
    let whole = job.decimals("customer_equity", "equity_mean")[0];
    assert!(means.values().all(|mean| (mean - whole).abs() <= 3), "{means:?} {whole}");

    let beside =
        rows(&job, "segment_equity", &["segmentation", "segment", "net_revenue", "cm1", "equity", "share_of_equity"]);
    assert_eq!(beside[0], ["all", "all", "17311555", "7441555", &equity.to_string(), "1"]);
    let sum =
        |by: &str, at: usize| -> i128 { beside.iter().filter(|row| row[0] == by).map(|row| number(&row[at])).sum() };
    for by in ["channel", "segment", "value_tier", "cohort_month"] {
        assert_eq!([2, 3, 4].map(|at| sum(by, at)), [17_311_555, 7_441_555, equity], "{by}");
    }
}

#[test]
fn outputs_choose_datasets_and_never_their_rows() {
    let names = ["segment_equity", "segment_measure", "equity_bridge"];
    let bridge = "equity: {bridge: {from: 1997-06-30}}\n";
    let all = cdnow("", bridge);
    all.run(&[]);
    for name in names {
        let one = cdnow("", &format!("{bridge}outputs: [{name}]\n"));
        one.run(&[]);
        let told = |job: &Job| rows(job, name, &["segmentation", "segment"]);
        assert!(told(&all).iter().any(|row| row[0] == "channel"));
        assert_eq!(told(&one), told(&all), "{name}");
    }
}

#[test]
fn what_drives_equity_is_measured_by_segment_and_held_against_its_target() {
    let job =
        cdnow("  targets: {path: targets.csv, columns: {measure: measure, target: target, segment: segment}}\n", "");
    job.text(
        "targets.csv",
        "measure,target,segment\nacquisition_cost,2.50,\nacquisition_cost,2.51,even\norders_per_customer,2,odd\n",
    );
    job.run(&[]);
    let found =
        rows(&job, "segment_measure", &["segmentation", "segment", "measure", "customers", "value", "target", "met"]);
    let of = |by: &str, name: &str, measure: &str| {
        found
            .iter()
            .find(|row| row[..3] == [by, name, measure].map(str::to_owned))
            .unwrap_or_else(|| panic!("{measure}"))
    };
    // Costs of 0.50 to 4.50 in turn: 2.50 in the mean of every five customers.
    let all = of("all", "all", "acquisition_cost");
    let mean: f64 = (1..=2357).map(|id| f64::from(id % 5) + 0.5).sum::<f64>() / 2357.0;
    assert!((all[4].parse::<f64>().unwrap() - mean).abs() < 1e-9);
    assert_eq!(
        (all[3].as_str(), all[5].as_str(), all[6].as_str()),
        ("2357", "2.5", if mean <= 2.5 { "true" } else { "false" })
    );
    assert_eq!(of("segment", "even", "acquisition_cost")[6], "true");
    assert_eq!(of("channel", "web", "acquisition_cost")[5], "-");
    // 4,814 orders of 2,357 customers.
    assert!((of("all", "all", "orders_per_customer")[4].parse::<f64>().unwrap() - 4_814.0 / 2_357.0).abs() < 1e-12);
    assert_eq!(of("segment", "odd", "orders_per_customer")[5], "2");
    let retention: f64 = of("all", "all", "expected_retention_rate")[4].parse().unwrap();
    assert!(retention > 0.3 && retention < 0.95, "{retention}");
    // Every customer came within the last twelve months: nobody could have been retained.
    assert!(!found.iter().any(|row| row[2] == "retention_rate"));
    assert!(of("all", "all", "products_per_customer")[4].parse::<f64>().unwrap() > 1.0);
}

#[test]
fn the_retention_rate_counts_those_who_came_again_in_the_year_after() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\nas_of: 1971-12-31\nperiod: year\ninputs:\n  transactions: {path: l.parquet, columns: \
         {customer_id: c, date: d, amount: a}}\n",
    );
    // 1, 2 and 3 bought in 1970, 1 and 2 again in 1971, where 2 only gave something back; 4 came in 1971.
    let columns = vec![
        ("c", integers([1, 1, 2, 2, 3, 4])),
        ("d", days([10, 400, 20, 410, 30, 500])),
        ("a", cents([100, 100, 100, -50, 100, 100])),
    ];
    job.parquet("l.parquet", columns);
    job.run(&[]);
    let found = rows(&job, "segment_measure", &["segmentation", "measure", "customers", "value"]);
    let all = found.iter().find(|row| row[..2] == ["all", "retention_rate"]).unwrap();
    assert_eq!(all[2], "3");
    assert!((all[3].parse::<f64>().unwrap() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn the_market_is_ours_and_the_competitors_or_a_whole_that_leaves_the_rest_to_others() {
    let inputs = "  market: {path: m.csv, columns: {segment: segment, competitor: who, customers: n, value: each}}\n";
    let job = cdnow(inputs, "");
    job.text("m.csv", "segment,who,n,each\neven,N2K,1000.5,4.00\neven,Tower,100,6.00\nodd,N2K,10,1.00\n");
    job.run(&[]);
    let own: BTreeMap<String, i128> = rows(&job, "segment_value", &["segmentation", "segment", "expected_value"])
        .into_iter()
        .filter(|row| row[0] == "segment")
        .map(|row| (row[1].clone(), number(&row[2])))
        .collect();
    let found = rows(&job, "equity_share", &["segment", "competitor", "customers", "equity", "share_of_equity"]);
    let of = |segment: &str, who: &str| {
        found.iter().find(|row| row[0] == segment && row[1] == who).unwrap_or_else(|| panic!("{segment} {who}"))
    };
    assert_eq!(found.len(), 8);
    assert_eq!(of("even", "N2K")[2..4], ["1000500000", "400200"]);
    assert_eq!(number(&of("even", "(own)")[3]), own["even"]);
    let share: f64 = of("even", "(own)")[4].parse().unwrap();
    let even = own["even"] as f64;
    assert!((share - even / (even + 400_200.0 + 60_000.0)).abs() < 1e-12);
    // All customers are the sum of the segments.
    assert_eq!(of("all", "N2K")[2..4], ["1010500000", "401200"]);
    assert_eq!(number(&of("all", "(own)")[3]), own["even"] + own["odd"]);
    let measure = rows(&job, "segment_measure", &["segmentation", "segment", "measure", "value"]);
    let told = measure.iter().find(|row| row[..3] == ["segment", "even", "share_of_customer_equity"]).unwrap();
    assert_eq!(told[3], of("even", "(own)")[4]);

    let job = cdnow(&inputs.replace(", competitor: who", ""), "");
    job.text("m.csv", "segment,n,each\n,1000,100.00\n");
    job.run(&[]);
    let found = rows(&job, "equity_share", &["segment", "competitor", "equity"]);
    let own = job.decimals("customer_equity", "expected_value")[0];
    assert_eq!(found[1], ["all", "(others)", &(10_000_000 - own).to_string()]);

    let empty = cdnow(inputs, "");
    empty.text("m.csv", "segment,who,n,each\n");
    empty.run(&[]);
    assert!(rows(&empty, "equity_share", &["segment"]).is_empty());
}

#[test]
fn customers_still_to_be_won_are_worth_what_new_ones_of_their_group_are_discounted_to_today() {
    let inputs =
        "  acquisition_plan: {path: p.parquet, columns: {date: date, customers: n, cost: cost, channel: channel}}\n";
    let job = cdnow(inputs, "");
    // 1997-10-01 and 1998-09-30; a Parquet file knows numbers and days, a CSV file texts.
    let channels: ArrayRef = Arc::new(StringArray::from(vec![None, Some("web")]));
    let columns = vec![
        ("date", days([10_135, 10_499])),
        ("n", floats([10.0, 100.5])),
        ("cost", cents([0, 50_000])),
        ("channel", channels),
    ];
    job.parquet("p.parquet", columns);
    job.run(&[]);
    let worth: BTreeMap<String, i128> = rows(&job, "new_customer_value", &["grouping", "group", "expected_value"])
        .into_iter()
        .map(|row| (format!("{} {}", row[0], row[1]), number(&row[2])))
        .collect();
    let found = rows(
        &job,
        "acquisition_value",
        &["grouping", "group", "value_per_customer", "discount_factor", "value", "cost"],
    );
    assert_eq!(found[0][..3], ["all", "all", &worth["all all"].to_string()]);
    assert_eq!(found[1][..3], ["channel", "web", &worth["channel web"].to_string()]);
    // A year of 365 days at 10 %.
    let factor: f64 = found[1][3].parse().unwrap();
    assert!((factor - 1.1_f64.powf(-365.0 / 365.25)).abs() < 1e-12);
    // The value of one is rounded where it is shown alone.
    let expected = 100.5 * worth["channel web"] as f64 * factor;
    assert!((number(&found[1][4]) as f64 - expected).abs() <= 0.5 * 100.5 * factor + 1.0);
    assert_eq!(number(&found[1][5]), (50_000.0 * factor).round_ties_even() as i128);
    assert_eq!(found[0][5], "0");
    let total = rows(
        &job,
        "customer_equity",
        &["planned_customers", "planned_value", "planned_cost", "equity_with_plan", "expected_value"],
    );
    let of = |at: usize| number(&total[0][at]);
    assert_eq!((of(0), of(1)), (110_500_000, number(&found[0][4]) + number(&found[1][4])));
    assert_eq!(of(3), of(4) + of(1) - of(2));
}

#[test]
fn an_empty_plan_leaves_the_base_alone() {
    let inputs = "  acquisition_plan: {path: p.csv, columns: {date: date, customers: n, cost: cost}}\n";
    let job = cdnow(inputs, "");
    job.text("p.csv", "date,n,cost\n");
    job.run(&[]);
    let names = ["planned_customers", "planned_value", "planned_cost", "equity_with_plan", "expected_value"];
    let total = &rows(&job, "customer_equity", &names)[0];
    assert_eq!((&total[..3], &total[3]), (&["0", "0", "0"].map(str::to_owned)[..], &total[4]));
}

#[test]
fn a_competitor_is_not_called_as_we_are() {
    let job = cdnow("  market: {path: m.csv, columns: {competitor: who, equity: worth}}\n", "");
    job.text("m.csv", "who,worth\nN2K,5000.00\n(own),100.00\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: market: no competitor may be called `(own)` or `(others)`: equity_share calls us, and the others of a whole market, so
    ");
}

#[test]
fn the_bridge_sums_exactly_for_all_customers_and_every_segment() {
    let with = |bridge: &str| {
        let job = cdnow("", &format!("equity: {{cohort: month, bridge: {{{bridge}}}}}\n"));
        job.run(&[]);
        let closing = job.decimals("customer_equity", "expected_value")[0];
        let found =
            rows(&job, "equity_bridge", &["segmentation", "segment", "step", "component", "customers", "amount"]);
        let mut of_all: BTreeMap<String, [i128; 9]> = BTreeMap::new();
        for part in found.chunks(9) {
            let amounts: Vec<i128> = part.iter().map(|row| number(&row[5])).collect();
            assert_eq!(amounts[..8].iter().sum::<i128>(), amounts[8], "{:?}", part[0]);
            let sums = of_all.entry(part[0][0].clone()).or_default();
            sums.iter_mut().zip(&amounts).for_each(|(sum, amount)| *sum += amount);
            // Who is there at the end came, was lost, or stayed.
            let count = |at: usize| number(&part[at][4]);
            assert_eq!(count(1) + count(2) + count(3), count(8), "{:?}", part[0]);
        }
        assert!(of_all.values().all(|amounts| *amounts == of_all["all"]), "{of_all:?}");
        assert_eq!(of_all["all"][8], closing);
        let cuts: Vec<&str> = of_all.keys().map(String::as_str).collect();
        assert_eq!((cuts[0], &cuts[1..]), ("all", &CUTS[..]));
        let names: Vec<String> = found[..9].iter().map(|row| row[3].clone()).collect();
        assert_eq!(names.join(" "), "opening acquired lost retention spend margin cost_to_serve discount_rate closing");
        (of_all["all"], found)
    };
    let (plain, found) = with("from: 1997-02-28");
    // 719 customers of the cohort came in March.
    let march = found.iter().filter(|row| row[1] == "1997-03").collect::<Vec<_>>();
    assert_eq!((march[0][5].as_str(), march[1][4].as_str()), ("0", "719"));
    assert_eq!(march[1][5], march[8][5]);
    assert!(plain[0] != 0 && plain[1] != 0 && plain[3] != 0 && plain[4] != 0 && plain[6] != 0);
    assert_eq!(plain[7], 0);
    // A lower rate makes the opening equity of the same histories, and the last step takes it back.
    let (lower, _) = with("from: 1997-02-28, discount_rate_per_year: 0.02");
    assert!(lower[7] < 0 && lower[0] != plain[0] && lower[8] == plain[8], "{lower:?}");
    // Nobody is lost below a probability of nothing.
    let (kept, _) = with("from: 1997-02-28, lost_below: 0");
    assert_eq!((kept[2], kept[0]), (0, plain[0]));
}

#[test]
fn a_bridge_to_the_day_itself_would_be_empty_and_one_within_a_period_cannot_be_told() {
    let told = |period: &str, from: &str| {
        let config = format!(
            "version: 1\ncurrency: EUR\nas_of: 1997-09-30\nperiod: {period}\ninputs:\n  transactions: {{path: l, columns: \
             {{customer_id: c, date: d, amount: a}}}}\nforecast: {{horizon: 52w}}\nequity: {{bridge: {{from: {from}}}}}\n"
        );
        Job::new(&config).failure()
    };
    assert_snapshot!(told("month", "1997-09-30"), @r"
    exit code 2
    whalecurve.yaml:8:25: `equity.bridge.from` is not before as_of
    ");
    assert_snapshot!(told("month", "1997-06-15"), @r"
    exit code 2
    whalecurve.yaml:8:25: `equity.bridge.from` is not the last day of a period of this run
      hint: such a day is 1997-05-31
    ");
    assert_snapshot!(told("whole", "1997-06-30"), @r"
    exit code 2
    whalecurve.yaml:8:25: `equity.bridge.from` needs periods: what customers had cost by then is known by period alone
      hint: set period to month, quarter or year
    ");
}

#[test]
fn a_product_is_told_with_those_who_began_with_it() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\nas_of: 1971-12-31\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, \
         date: d, amount: a, product_id: p}}\nactivities:\n  goods: {level: unit, method: revenue, cost: 60.00}\n",
    );
    // 1 begins with A and B on day 10 and buys A again on day 20; 2 begins with A and comes back after 366 days; 3 begins
    // with B on day 100 and never comes back; 4 begins with B 364 days before the end and comes back, but is not a year old.
    let columns = vec![
        ("c", text(["1", "1", "1", "2", "2", "3", "4", "4"])),
        ("d", days([10, 10, 20, 10, 376, 100, 365, 366])),
        ("a", cents([1_000, 1_000, 1_000, 1_000, 2_000, 1_000, 2_000, 3_000])),
        ("p", text(["A", "B", "A", "A", "C", "B", "B", "C"])),
    ];
    job.parquet("l.parquet", columns);
    job.run(&[]);
    let names = [
        "product_id",
        "margin",
        "entered_customers",
        "observed_customers",
        "second_purchases",
        "second_purchase_share",
        "expected_value",
        "role",
    ];
    let found = rows(&job, "product_entry", &names);
    // Of 120.00 half is cost: A sold 30.00, B 40.00, C 50.00.
    assert_eq!(found[0], ["A", "1500", "2", "2", "1", "0.5", "-", "-"]);
    assert_eq!(found[1], ["B", "2000", "3", "2", "1", "0.5", "-", "-"]);
    assert_eq!(found[2], ["C", "2500", "0", "0", "0", "-", "-", "-"]);
}

#[test]
fn the_value_behind_a_door_is_that_of_the_customers_who_came_through_it() {
    let job = cdnow("", "equity: {doors: {least_profitable: 0.5, min_customers: 30}}\n");
    job.run(&[]);
    let ledger = read(&job.path(""), "");
    let mut first: BTreeMap<String, (i32, Vec<i64>)> = BTreeMap::new();
    for batch in &ledger {
        let of = |name: &str| batch.column_by_name(name).unwrap();
        let ids = of("customer_id").as_any().downcast_ref::<StringArray>().unwrap();
        let days = of("date").as_any().downcast_ref::<Date32Array>().unwrap();
        let cds = arrow_array::cast::AsArray::as_primitive_opt::<arrow_array::types::Int64Type>(of("cds"));
        let cds: Vec<i64> = match cds {
            Some(cds) => cds.values().to_vec(),
            None => of("cds")
                .as_any()
                .downcast_ref::<arrow_array::Int32Array>()
                .unwrap()
                .values()
                .iter()
                .map(|n| i64::from(*n))
                .collect(),
        };
        for row in (0..batch.num_rows()).filter(|row| days.value(*row) <= 10_134) {
            let entry = first.entry(ids.value(row).to_owned()).or_insert((days.value(row), Vec::new()));
            if days.value(row) < entry.0 {
                *entry = (days.value(row), Vec::new());
            }
            if days.value(row) == entry.0 && !entry.1.contains(&cds[row]) {
                entry.1.push(cds[row]);
            }
        }
    }
    let value: BTreeMap<String, i128> = rows(&job, "customer_value", &["customer_id", "expected_value"])
        .into_iter()
        .map(|row| (row[0].clone(), number(&row[1])))
        .collect();
    let mut expected: BTreeMap<i64, (i64, i128)> = BTreeMap::new();
    for (customer, (_, products)) in &first {
        for product in products {
            let sum = expected.entry(*product).or_default();
            *sum = (sum.0 + 1, sum.1 + value[customer]);
        }
    }
    let names = ["product_id", "entered_customers", "expected_value", "margin", "role", "door_rank"];
    let found = rows(&job, "product_entry", &names);
    let told: BTreeMap<i64, (i64, i128)> = found
        .iter()
        .filter(|row| row[1] != "0")
        .map(|row| (row[0].parse().unwrap(), (row[1].parse().unwrap(), number(&row[2]))))
        .collect();
    assert_eq!(told, expected);
    assert!(found.iter().any(|row| row[4] == "neither") && found.iter().any(|row| row[4] == "earns_and_opens"));
    assert_eq!(found.iter().filter(|row| row[5] == "1").count(), 1);
    assert!(found.iter().all(|row| (row[5] == "-") == (number(&row[1]) < 30)));
}

#[test]
fn a_bridge_from_an_earlier_run_begins_with_what_that_run_told() {
    let job = cdnow("", "");
    let now = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &now.replace("1997-09-30", "1997-06-30").replace("0.10", "0.08"));
    job.run(&[]);
    fs::rename(job.path("out"), job.path("june")).unwrap();
    let opening = crate::support::decimals(&job.path("june"), "customer_equity", "expected_value")[0];
    job.text("whalecurve.yaml", &format!("{now}equity: {{bridge: {{from: june}}}}\n"));
    let manifest = job.run(&[]);
    let bridge: Vec<i128> =
        rows(&job, "equity_bridge", &["amount"]).into_iter().take(9).map(|row| number(&row[0])).collect();
    assert_eq!((bridge[0], bridge[8]), (opening, job.decimals("customer_equity", "expected_value")[0]));
    assert_eq!(bridge[..8].iter().sum::<i128>(), bridge[8]);
    // The rate has risen since, and the earlier run's manifest tells from where.
    assert!(bridge[7] < 0, "{bridge:?}");
    assert_eq!(rows(&job, "equity_bridge", &["date"])[0], ["10042"]);
    let inputs = manifest["inputs"].as_array().unwrap();
    assert!(inputs.iter().any(|file| file["table"] == "earlier_run"));

    fs::remove_dir_all(job.path("out")).unwrap();
    let with = |config: String| {
        job.text("whalecurve.yaml", &config);
        job.failure()
    };
    let bridged = format!("{now}equity: {{bridge: {{from: june}}}}\n");
    assert_snapshot!(with(bridged.replace("52 weeks", "26 weeks")), @r"
    exit code 3
    error: equity.bridge.from: the earlier run has another horizon or time unit
    ");
    assert_snapshot!(with(bridged.replace("as_of: 1997-09-30", "as_of: 1997-06-30")), @r"
    exit code 3
    error: equity.bridge.from: the earlier run is of 1997-06-30, which is not before as_of
    ");
    assert_snapshot!(with(bridged.replace("from: june", "from: july")), @r"
    exit code 1
    whalecurve.yaml:21:25: equity.bridge.from: no earlier run in `july`: july/run_manifest.json: No such file or directory (os error 2)
      hint: name the output folder of a finished run, relative to the config file, or the last day of an earlier period
    ");
    let checked = String::from_utf8(job.command("check", &[]).stderr).unwrap();
    assert!(checked.contains("equity.bridge.from: no earlier run in `july`"), "{checked}");
}
