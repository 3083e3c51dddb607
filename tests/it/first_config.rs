//! `init`: a config from the data's own schema, which `check` refuses until what is TODO is written in, and which then runs.

use std::fs;

use crate::support::{Job, cents, days, integers, text, whalecurve};

fn told(bytes: &[u8], job: &Job) -> String {
    job.without_folder(bytes)
}

/// A ledger and two side tables under names of their own.
fn job() -> Job {
    let job = Job::new("");
    fs::remove_file(job.path("whalecurve.yaml")).unwrap();
    let lines = 400_i64;
    let named =
        |letter: &str, of: fn(i64) -> i64| (0..lines).map(|line| format!("{letter}{}", of(line))).collect::<Vec<_>>();
    job.parquet(
        "export/sales.parquet",
        vec![
            ("cust_no", integers((0..lines).map(|line| line % 60))),
            ("InvoiceNo", text(named("i", |line| line / 2).iter().map(String::as_str))),
            ("invoice_date", days((0..lines).map(|line| (line * 7 % 700) as i32))),
            ("net_amount", cents((0..lines).map(|line| 500 + line * 37 % 900))),
            ("sku", text(named("p", |line| line % 9).iter().map(String::as_str))),
            ("clerk", text(named("c", |line| line % 3).iter().map(String::as_str))),
        ],
    );
    job.text(
        "export/crm.csv",
        &(0..60).fold("cust_no,customer_group\n".to_owned(), |csv, id| format!("{csv}{id},{}\n", ["a", "b"][id % 2])),
    );
    job.text("export/weather.csv", "station,rain\nnorth,1.5\n");
    job
}

fn init(job: &Job) -> std::process::Output {
    let paths = ["export/sales.parquet", "export/crm.csv", "export/weather.csv"].map(|path| job.path(path));
    let config = job.path("whalecurve.yaml");
    let mut arguments = vec!["init"];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    arguments.extend(["--config", config.to_str().unwrap()]);
    whalecurve(&arguments)
}

#[test]
fn a_config_is_guessed_refused_until_it_is_whole_and_then_runs() {
    let job = job();
    let done = init(&job);
    insta::assert_snapshot!(told(&done.stderr, &job), @r"
    export/sales.parquet is taken for `transactions`, 10 of 10
    export/crm.csv is taken for `customers`, 5 of 10
    export/weather.csv was not recognised; docs/inputs.md lists the tables that a run reads
    whalecurve.yaml is written, with 1 TODO. Next: whalecurve check whalecurve.yaml
    ");
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let folder = job.path("");
    // A name that begins with a point, as that of a scratch folder, stands in quotes.
    let name = folder.file_name().unwrap().to_str().unwrap();
    let shown = config.replace(&format!("\"{name}\""), "NAME").replace(name, "NAME");
    insta::assert_snapshot!(shown, @r"
    # Made by whalecurve init. The number after a guess says how sure it is, of ten: look at each.
    # Whatever is TODO must be written in; `whalecurve check` tells what is left.
    version: 1
    name: NAME
    currency: TODO                 # of all amounts, as in EUR
    period: month                  # or quarter, year, whole
    output: results

    inputs:
      transactions:                # 10 of 10
        path: export/sales.parquet
        columns:
          customer_id: cust_no                     # 10 of 10
          date: invoice_date                       # 10 of 10, the day of the purchase
          amount: net_amount                       # 10 of 10, before discount; an integer column is minor units (cents)
          order_id: InvoiceNo                      # 10 of 10
          product_id: sku                          # 10 of 10
        # not used: clerk
      customers:                # 5 of 10
        path: export/crm.csv
        format: csv
        columns:
          customer_id: cust_no                     # 10 of 10
          segment: customer_group                  # 10 of 10
      # export/weather.csv was not recognised; docs/inputs.md lists the tables that a run reads

    # Quantities that the ledger itself gives, for activities to be in proportion to.
    drivers:
      orders: {count_distinct: order}
      lines: {count: lines}
      months_active: {count_distinct: month}

    # What serving customers costs. Take away the # and write in the costs; without activities only product cost is known.
    # activities:
    #   order_handling: {level: order, method: driver, driver: orders, cost: TODO}
    #   account_upkeep: {level: customer, method: driver, driver: months_active, cost: TODO}
    #   marketing: {level: customer, method: average, cost: TODO, recurring: false}

    # What customers will be worth. `whalecurve validate` shows which model forecasts best.
    forecast: {model: mbg_nbd, time_unit: week, horizon: 52 weeks, discount_rate_per_year: 0.10, paths: 1000}
    ");

    let checked = job.command("check", &[]);
    assert_eq!(checked.status.code(), Some(2));
    insta::assert_snapshot!(told(&checked.stderr, &job), @r"
    whalecurve.yaml:5:11: is still TODO
      hint: write in what it is
    ");

    fs::write(job.path("whalecurve.yaml"), config.replace("currency: TODO", "currency: EUR")).unwrap();
    assert!(job.command("check", &[]).status.success());
    let manifest = job.run(&[]);
    assert_eq!(manifest["inputs"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        job.sum("customer_profit_total", "net_revenue"),
        (0..400).map(|line| 500 + line * 37 % 900).sum::<i128>()
    );
}

#[test]
fn a_config_that_is_there_is_not_written_over() {
    let job = job();
    job.text("whalecurve.yaml", "mine");
    let done = init(&job);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done.stderr, &job).contains("hint: name another with --config"));
    assert_eq!(fs::read_to_string(job.path("whalecurve.yaml")).unwrap(), "mine");
}

#[test]
fn a_table_that_cannot_be_read_is_named() {
    let job = job();
    job.text("export/sales.parquet", "no parquet");
    let done = init(&job);
    assert_eq!(done.status.code(), Some(1));
    assert!(told(&done.stderr, &job).starts_with("error: export/sales.parquet: not a readable Parquet file"));
}

#[test]
fn tables_with_pools_and_periods_give_a_config_that_runs_when_its_todos_are_answered() {
    let job = job();
    job.text("export/pools.csv", "activity,period,amount\ndelivery,1970,30.00\ndelivery,1971,31.00\ndesk,1970,12.00\n");
    job.text("export/driver_quantities.csv", "customer_id,driver,period,quantity\n1,calls,1970,3\n2,calls,1971,4\n");
    let config = job.path("whalecurve.yaml");
    let paths = ["sales.parquet", "pools.csv", "driver_quantities.csv"].map(|path| job.path(&format!("export/{path}")));
    let mut arguments = vec!["init", "--config", config.to_str().unwrap()];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let done = whalecurve(&arguments);
    // The currency, and level and method of two activities.
    assert!(told(&done.stderr, &job).contains("is written, with 5 TODO"), "{}", told(&done.stderr, &job));
    let text = fs::read_to_string(&config).unwrap();
    let answered = text
        .replace("currency: TODO", "currency: EUR")
        .replace("level: TODO, method: TODO", "level: order, method: average");
    fs::write(&config, answered).unwrap();
    job.run(&[]);
    assert_eq!(job.sum("customer_profit", "order_cost"), 7_300);
}
