//! `report.html` of runs, and `whalecurve report`.

use std::fs;

use crate::support::{Job, cents, days, root, text, whalecurve};

/// A shop whose customers are tokens that stand nowhere else, in three segments, one of them with four customers.
pub(crate) fn shop(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
name: Corner shop
currency: EUR
as_of: 2024-12-31
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}
  customers: {{path: customers.parquet, columns: {{customer_id: customer, segment: segment}}}}
drivers: {{orders: {{count_distinct: day}}}}
activities:
  handling: {{level: order, method: driver, driver: orders, cost: 900.00}}
  upkeep: {{level: customer, method: average, cost: 600.00}}
forecast: {{model: mbg_nbd, spend: gamma_gamma, time_unit: week, horizon: 26 weeks, discount_rate_per_year: 0.1, paths: 200}}
{more}"
    ));
    let customers: Vec<String> = (0..120).map(token).collect();
    // Customer n buys 1 + n mod 6 times, (n mod 7) + 3 weeks apart, from a day of its own on.
    let purchases = (0..120_i32).flat_map(|n| (0..=n % 6).map(move |k| (n, 19_400 + n % 50 + k * 7 * (n % 7 + 3))));
    let purchases: Vec<(i32, i32)> = purchases.filter(|(_, day)| *day < 20_000).collect();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(purchases.iter().map(|(n, _)| customers[*n as usize].as_str()))),
            ("day", days(purchases.iter().map(|(_, day)| *day))),
            ("amount", cents(purchases.iter().map(|(n, day)| i64::from(1_500 + n * 37 % 900 + day % 11 * 50)))),
        ],
    );
    let segment = |n: usize| if n < 4 { "hermits" } else { ["towns", "villages"][n % 2] };
    job.parquet(
        "customers.parquet",
        vec![("customer", text(customers.iter().map(String::as_str))), ("segment", text((0..120).map(segment)))],
    );
    job
}

fn token(n: usize) -> String {
    format!("zqc{n:03}xj")
}

fn page(job: &Job) -> String {
    fs::read_to_string(job.path("out/report.html")).unwrap()
}

#[test]
fn a_run_writes_a_report_that_tells_no_customer_and_no_small_segment() {
    let job = shop("");
    job.run(&[]);
    let page = page(&job);
    assert!(page.contains("<h1>Corner shop</h1>"));
    assert!(!page.contains("zqc"), "no customer's id");
    for heading in ["The result", "Who earns it", "What averages hide", "What customers are worth", "What to do"] {
        assert!(page.contains(heading), "{heading}");
    }
    let row = page.split("<tr>").find(|row| row.contains(">hermits<")).unwrap();
    assert_eq!(row.matches('–').count(), 5, "four customers are not told: {row}");
    assert!(page.len() < 1 << 20);
    // With everything told, they are.
    let all = shop("report: {smallest_group: 1}\n");
    all.run(&[]);
    let page = self::page(&all);
    let row = page.split("<tr>").find(|row| row.contains(">hermits<")).unwrap();
    assert_eq!(row.matches('–').count(), 0, "{row}");
}

#[test]
fn the_report_of_a_finished_output_is_that_of_its_run_for_any_number_of_threads() {
    let job = shop("");
    job.run(&["--threads", "1"]);
    let first = page(&job);
    job.run(&["--threads", "8"]);
    assert_eq!(page(&job), first);
    let output = job.path("out");
    fs::remove_file(output.join("report.html")).unwrap();
    let done = whalecurve(&["report", output.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(page(&job), first);
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["bytes"], first.len());
    let checked = whalecurve(&["verify", output.to_str().unwrap()]);
    assert!(checked.status.success(), "a report is no stranger in an output");
}

#[test]
fn a_config_may_do_without_a_report_and_outputs_may_leave_its_datasets_out() {
    let job = shop("report: {write: false}\n");
    job.run(&[]);
    assert!(!job.path("out/report.html").exists());
    let job = shop("outputs: [pool_balance]\n");
    job.run(&[]);
    let page = page(&job);
    assert_eq!(page.matches("<section").count(), 10);
    assert!(page.contains("The run did not write <code>customer_equity</code>."), "what is missing is said");
}

#[test]
fn a_validation_stands_in_the_report_that_is_given_it() {
    let job = shop("");
    job.run(&[]);
    let (output, validation) = (job.path("out"), job.path("validation"));
    let done = job.command("validate", &["--holdout", "13w", "--output", validation.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let to = job.path("shown.html");
    let arguments = [
        "report",
        output.to_str().unwrap(),
        "--validation",
        validation.to_str().unwrap(),
        "--to",
        to.to_str().unwrap(),
    ];
    assert!(whalecurve(&arguments).status.success());
    let page = fs::read_to_string(&to).unwrap();
    for picture in ["tracking-picture", "calibration-picture", "transform-picture"] {
        assert!(page.contains(&format!("id=\"{picture}\"")), "{picture}");
    }
    assert!(page.contains("Scores on the holdout"));
    let alone = whalecurve(&["report", validation.to_str().unwrap()]);
    assert_eq!(alone.status.code(), Some(2));
    let told = job.without_folder(&alone.stderr);
    assert!(
        told.starts_with("error: validation: is an output of `validate`, which has no page of its own\n"),
        "{told}"
    );
}

#[test]
fn what_is_no_output_and_what_would_be_written_through_a_link_is_refused() {
    let done = whalecurve(&["report", root().join("datasets").to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("no output of whalecurve"));
    let job = shop("");
    job.run(&[]);
    let (output, target) = (job.path("out"), job.path("precious.txt"));
    fs::write(&target, "precious").unwrap();
    let report = output.join("report.html");
    fs::remove_file(&report).unwrap();
    std::os::unix::fs::symlink(&target, &report).unwrap();
    let done = whalecurve(&["report", output.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("is a symbolic link"));
    assert_eq!(fs::read_to_string(target).unwrap(), "precious");
}

/// A run, without forecast, of customers that brought so much each in cents; everybody costs the same.
fn base_of(revenue: &[i64], cost: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
name: Base
currency: EUR
inputs: {{transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}}}
activities: {{upkeep: {{level: customer, method: average, cost: {cost}}}}}
{more}"
    ));
    let customers: Vec<String> = (0..revenue.len()).map(token).collect();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(customers.iter().map(String::as_str))),
            ("day", days(revenue.iter().map(|_| 19_000))),
            ("amount", cents(revenue.iter().copied())),
        ],
    );
    job
}

#[test]
fn the_picture_tells_the_peak_of_the_datasets_or_none_where_few_lose_or_few_earn() {
    let few_lose: Vec<i64> = (0..500).map(|n| if n < 496 { 5_000 } else { 100 }).collect();
    let few_earn: Vec<i64> = (0..60).map(|n| if n < 3 { 100_000 } else { 1_000 }).collect();
    for (revenue, cost, peak, losing) in [
        (few_lose, "20000.00", "peak 103.2 % at the best 99.2 % of customers", "4 customers (0.8 %) lose 156 EUR"),
        (few_earn, "1200.00", "peak 124.1 % at the best 5 % of customers", "57 customers (95 %) lose 570 EUR"),
    ] {
        let open = base_of(&revenue, cost, "report: {smallest_group: 1}");
        open.run(&[]);
        let silent = base_of(&revenue, cost, "suppress: {smallest_group: 10}");
        silent.run(&[]);
        for file in ["report.html", "whale_curve.svg"] {
            let read = |job: &Job| fs::read_to_string(job.path("out").join(file)).unwrap();
            let picture =
                |text: String| text.split("<desc").nth(1).unwrap().split("</desc>").next().unwrap().to_owned();
            let told = picture(read(&open));
            assert!(told.contains(peak) && told.contains(losing), "{file}: {told}");
            let hidden = picture(read(&silent));
            assert!(!hidden.contains("peak") && !hidden.contains("lose"), "{file}: {hidden}");
        }
        assert!(!page(&silent).contains(" in all. The best"), "nor does the sentence");
    }
}

#[test]
fn costs_of_the_page_are_those_of_the_balances_and_add_up() {
    let capacity = |more: &str| {
        let job = shop("");
        let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        let config = config.replace("driver: orders, cost: 900.00", &format!("driver: orders, cost: 900.00, {more}"));
        fs::write(job.path("whalecurve.yaml"), config).unwrap();
        job.run(&[]);
        let page = page(&job).replace('\u{a0}', " ").replace("<strong>", "").replace("</strong>", "");
        (job, page)
    };
    let (_, page) = capacity("capacity: 1000, unused_to: upkeep");
    assert!(page.contains("Of 1,500 EUR customers bear 1,500 EUR. Nothing stayed unassigned."), "own cost alone");
    assert!(page.contains("Other activities took it over: it stands in their cost."));
    assert!(!page.contains("No customer is charged for it."));
    let (job, page) = capacity("capacity: 10, over_use: over_driven");
    let (borne, over) = (job.sum("pool_balance", "allocated"), job.sum("pool_balance", "over_driven"));
    assert_eq!(borne + over, 150_000);
    assert_eq!((borne % 100, over % 100), (0, 0), "whole euros");
    let money = |cents: i128| format!("{},{:03} EUR", cents / 100_000, cents / 100 % 1_000);
    let words = format!("Of 1,500 EUR customers bear {}; −{} is over-driven", money(borne), money(-over));
    assert!(page.contains(&words), "{words}");
}

#[test]
fn a_smaller_group_than_the_datasets_tell_is_asked_for_in_vain_and_that_is_said() {
    let job = shop("report: {smallest_group: 3}\nsuppress: {smallest_group: 10}\n");
    let done = job.try_run(&[]);
    let said = String::from_utf8(done.stderr).unwrap();
    let note = "groups of fewer than 10 customers are not told, though 3 was asked for";
    assert!(done.status.success() && said.contains(&format!("note: report.html: {note}")), "{said}");
    let first = page(&job);
    let report = |smallest: &str| {
        let done = whalecurve(&["report", job.path("out").to_str().unwrap(), "--smallest-group", smallest]);
        assert!(done.status.success());
        String::from_utf8(done.stderr).unwrap()
    };
    let said = report("3");
    assert!(said.starts_with(&format!("note: {note}")) && said.contains("`suppress: {smallest_group: 3}`"), "{said}");
    assert_eq!(page(&job), first);
    assert_eq!(report("10"), "");
    let quiet = shop("suppress: {smallest_group: 20}\n").try_run(&[]);
    assert!(!String::from_utf8(quiet.stderr).unwrap().contains("asked for"), "nothing was asked for");
}

/// Exit code and what `report` says of an output with the scores of a folder.
fn refused(output: &Job, validation: &str) -> String {
    let out = output.path("out");
    let done = whalecurve(&["report", out.to_str().unwrap(), "--validation", validation]);
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
    output.without_folder(&done.stderr)
}

#[test]
fn a_folder_that_holds_no_scores_of_this_ledger_is_refused() {
    let job = shop("");
    job.run(&[]);
    let before = page(&job);
    let told = refused(&job, job.path("out").to_str().unwrap());
    assert!(told.starts_with("error: out: has no scores of a holdout: it is no output of `validate`\n"), "{told}");
    let validated = |job: &Job| {
        let folder = job.path("validation").to_str().unwrap().to_owned();
        let done = job.command("validate", &["--holdout", "13w", "--output", &folder]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        folder
    };
    let other = shop("");
    let amounts = (0..120).map(|n| 1_000 + 10 * n);
    let customers: Vec<String> = (0..120).map(token).collect();
    other.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(customers.iter().chain(&customers).map(String::as_str))),
            ("day", days((0..240).map(|n| 19_400 + n * 28 / 10))),
            ("amount", cents(amounts.clone().chain(amounts))),
        ],
    );
    let told = refused(&job, &validated(&other));
    assert!(
        told.contains(": its holdout is of another ledger than out: they have no file of transactions in common\n"),
        "{told}"
    );
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    fs::write(job.path("whalecurve.yaml"), config.replace("currency: EUR", "currency: CHF")).unwrap();
    let told = refused(&job, &validated(&job));
    assert!(told.starts_with("error: validation: its holdout is in CHF, out in EUR\n"), "{told}");
    assert_eq!(page(&job), before);
}

#[test]
fn an_output_that_cannot_be_read_is_damaged_and_no_disk_is_full() {
    let job = shop("");
    job.run(&[]);
    let file = fs::read_dir(job.path("out/customer_equity")).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|ends| ends == "parquet")).unwrap();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 5]).unwrap();
    let done = whalecurve(&["report", job.path("out").to_str().unwrap()]);
    let told = job.without_folder(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(
        told.contains(": cannot read Parquet: ") && told.contains("hint: check the disk, and run it again"),
        "{told}"
    );
}

#[test]
fn a_run_of_other_cost_objects_has_no_page() {
    let job = shop("");
    job.run(&["--cost-object", "customer"]);
    assert!(!job.path("out/report.html").exists());
    let done = whalecurve(&["report", job.path("out").to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
    let told = job.without_folder(&done.stderr);
    assert!(
        told.starts_with("error: out: is an output of `run --cost-object`, which has no page of its own\n"),
        "{told}"
    );
    assert!(!job.path("out/report.html").exists());
}

#[test]
fn a_holdout_of_contracts_stands_in_the_report_that_is_given_it() {
    let job = crate::contracts::cohort_of(&crate::contracts::SURVIVORS, "auto", "");
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    assert!(config.contains("model: auto"));
    job.run(&[]);
    let folder = job.path("validation");
    let done = job.command("validate", &["--holdout", "2y", "--output", folder.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let output = job.path("out");
    let done = whalecurve(&["report", output.to_str().unwrap(), "--validation", folder.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let page = page(&job).replace('\u{a0}', " ");
    for words in
        ["customers still under contract where there were 241", "Scores on the holdout", "id=\"tracking-picture\""]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("no longer under contract, or likely not to renew"));
    assert!(!page.contains("made without a holdout") && !page.contains("Nobody tells us when they leave"));
}
