//! `init`: a config from the data's own schema, which `check` refuses until what is TODO is written in, and which then runs.

use std::{fs, sync::Arc};

use arrow_array::{ArrayRef, Decimal256Array, Float16Array, TimestampMicrosecondArray};
use arrow_buffer::i256;
use whalecurve::schema::settings::TableName;

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

/// What `init` says of a path, and the config that it writes.
fn looked_at(job: &Job, path: &str) -> (i32, String, String) {
    let config = job.path("whalecurve.yaml");
    let _ = fs::remove_file(&config);
    let done = whalecurve(&["init", job.path(path).to_str().unwrap(), "--config", config.to_str().unwrap()]);
    let config = fs::read_to_string(config).unwrap_or_default();
    (done.status.code().unwrap(), told(&done.stderr, job), config)
}

#[test]
fn a_folder_of_several_tables_is_taken_apart_and_one_of_many_days_is_not() {
    let job = job();
    fs::remove_file(job.path("export/weather.csv")).unwrap();
    let (code, said, config) = looked_at(&job, "export");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("export/sales.parquet is taken for `transactions`"), "{said}");
    assert!(said.contains("export/crm.csv is taken for `customers`") && config.contains("format: csv"), "{said}");
    // More files of the ledger beside another table are the ledger, too: none is left out.
    fs::copy(job.path("export/sales.parquet"), job.path("export/sales_2.parquet")).unwrap();
    let (_, said, config) = looked_at(&job, "export");
    assert!(said.contains("export/sales.parquet, export/sales_2.parquet is taken for `transactions`"), "{said}");
    assert!(config.contains("path: [export/sales.parquet, export/sales_2.parquet]"), "{config}");
    assert!(!said.contains("not recognised"), "{said}");
    // Every customer once a day, amounts in cents; one column came later.
    for day in 0..30_i64 {
        let mut columns = vec![
            ("customer_id", integers((0..20).map(|n| (n * 7 + day * 3) % 40))),
            ("amount", integers((0..20).map(|n| 500 + n * day))),
        ];
        if day > 20 {
            columns.push(("channel", text((0..20).map(|_| "web"))));
        }
        job.parquet(&format!("daily/date=2024-01-{:02}/part.parquet", day + 1), columns);
    }
    let (_, said, config) = looked_at(&job, "daily");
    assert!(said.starts_with("daily is taken for `transactions`"), "{said}");
    assert!(config.contains("date: date ") && config.contains("amount: amount "), "{config}");
}

#[test]
fn a_file_that_is_whole_is_never_called_damaged_and_its_name_is_no_pattern() {
    let job = job();
    fs::rename(job.path("export/sales.parquet"), job.path("export/sales[1].parquet")).unwrap();
    assert_eq!(looked_at(&job, "export/sales[1].parquet").0, 0);
    let moments = TimestampMicrosecondArray::from(vec![0]).with_timezone("+05:30");
    job.parquet("zone.parquet", vec![("customer", integers([1])), ("at", Arc::new(moments) as ArrayRef)]);
    job.parquet("half.parquet", vec![("x", Arc::new(Float16Array::new_null(1)) as ArrayRef)]);
    fs::write(job.path("latin.csv"), b"id,name\n1,J\xfcrgen\n").unwrap();
    job.text("empty.csv", "");
    job.text("cr.csv", "id,name\r1,a\r");
    for (file, what) in [
        ("zone.parquet", "column `at` is a timestamp in +05:30; UTC, named zones and offsets of whole hours are read"),
        ("half.parquet", "column `x` is a float of 16 bits, which is not read"),
        ("latin.csv", "it is not UTF-8 text"),
        ("empty.csv", "it is empty: a CSV file begins with the names of its columns"),
        ("cr.csv", "its lines end in CR alone; those of a CSV end in LF, or in CR and LF"),
    ] {
        let (code, said, _) = looked_at(&job, file);
        assert_eq!(code, 1, "{said}");
        assert!(said.starts_with(&format!("error: {file}: {what}\n")), "{said}");
        assert!(!said.contains("damaged"), "{said}");
    }
    // A decimal that is too wide is no column of ours, and no fault of the others.
    let wide = Decimal256Array::from_iter_values([i256::from_i128(1)]).with_precision_and_scale(60, 2).unwrap();
    let columns = vec![
        ("customer", integers([1])),
        ("date", days([1])),
        ("amount", cents([1])),
        ("w", Arc::new(wide) as ArrayRef),
    ];
    job.parquet("wide.parquet", columns);
    assert_eq!(looked_at(&job, "wide.parquet").0, 0);
}

#[test]
fn names_that_yaml_and_the_config_would_read_as_something_else_are_read_back() {
    let job = Job::new("");
    for name in ["${customer_id}", "customer_id\u{202e}", "customer_id\u{1b}[31m"] {
        job.parquet("sales.parquet", vec![(name, integers([1, 1])), ("date", days([1, 2])), ("amount", cents([1, 2]))]);
        let (code, said, config) = looked_at(&job, "sales.parquet");
        assert_eq!(code, 0, "{said}");
        fs::write(job.path("whalecurve.yaml"), config.replace("currency: TODO", "currency: EUR")).unwrap();
        let checked = job.command("check", &[]);
        assert!(checked.status.success(), "{name:?}: {} {config}", told(&checked.stderr, &job));
    }
}

/// A value that a column of this name may hold in a CSV.
fn value(column: &str) -> &'static str {
    match column {
        "date" | "start" | "end" | "valid_from" | "valid_to" => "1970-02-01",
        "period" => "1970-02",
        "referred" => "2",
        "from" => "it",
        "to" | "activity" | "action" | "segment" | "channel" | "region" | "parent" | "driver" | "kind" | "currency"
        | "level" | "method" | "measure" | "competitor" | "value_tier" | "account" | "cost_centre" | "rule"
        | "product_id" | "prospect_id" => "a",
        _ => "1",
    }
}

/// A ledger and tables, each under its own name with all columns of the documentation.
fn documented(tables: &[TableName]) -> Job {
    let job = Job::new("");
    fs::remove_file(job.path("whalecurve.yaml")).unwrap();
    let columns = vec![
        ("customer_id", integers([1, 1, 2])),
        ("date", days([1, 40, 3])),
        ("order_id", text(["x", "y", "z"])),
        ("amount", cents([500, 700, 900])),
        ("quantity", integers([1, 1, 2])),
        ("product_id", text(["a", "a", "a"])),
    ];
    job.parquet("lake/transactions.parquet", columns);
    for table in tables {
        let names: Vec<&str> = table.columns().iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = names.iter().map(|name| value(name)).collect();
        job.text(&format!("lake/{}.csv", table.as_str()), &format!("{}\n{}\n", names.join(","), values.join(",")));
    }
    job
}

/// Answers what is TODO.
fn answered(config: &str) -> String {
    config
        .replace("currency: TODO ", "currency: EUR ")
        .replace("level: TODO", "level: order")
        .replace("method: TODO", "method: average")
        .replace("loss: TODO", "loss: 0.5")
        .replace("budget: TODO", "budget: 10.00")
}

#[test]
fn every_table_under_its_own_name_is_that_table_and_the_config_is_right_once_its_todos_are_answered() {
    let side = || TableName::ALL.into_iter().filter(|table| *table != TableName::Transactions);
    let without = |table: TableName| side().filter(|other| *other != table).collect::<Vec<_>>();
    let each = side().map(|table| vec![table]);
    for tables in each.chain([side().collect(), without(TableName::Activities), without(TableName::Pools)]) {
        let job = documented(&tables);
        let (code, said, config) = looked_at(&job, "lake");
        assert_eq!(code, 0, "{said}");
        for table in &tables {
            let taken = format!("lake/{0}.csv is taken for `{0}`, 10 of 10", table.as_str());
            assert!(said.contains(&taken) && !said.contains("not recognised"), "{taken}: {said}");
        }
        fs::write(job.path("whalecurve.yaml"), answered(&config)).unwrap();
        let checked = job.command("check", &[]);
        assert!(checked.status.success(), "{tables:?}: {}\n{config}", told(&checked.stderr, &job));
        for table in [TableName::Customers, TableName::Pools, TableName::Receivables, TableName::Activities] {
            for column in ["parent: parent", "account: account", "cost_centre: cost_centre", "days_late: days_late"] {
                let own = table.columns().iter().any(|(name, _)| column.starts_with(name));
                assert!(!tables.contains(&table) || !own || config.contains(column), "{column}: {config}");
            }
        }
    }
}

#[test]
fn columns_of_a_documented_name_say_what_a_table_is_whatever_it_is_called() {
    let job = documented(&[]);
    job.text("lake/contacts.csv", "customer_id,kind,date,clerk\n1,complaint,1970-02-01,x\n1,idea,1970-02-02,x\n");
    // A second file of the ledger with the columns of another table is the ledger's.
    job.parquet(
        "lake/transactions.parquet",
        vec![
            ("customer_id", integers([1, 1])),
            ("date", days([1, 40])),
            ("amount", cents([500, 700])),
            ("kind", text(["a", "b"])),
        ],
    );
    fs::copy(job.path("lake/transactions.parquet"), job.path("lake/more.parquet")).unwrap();
    let (_, said, config) = looked_at(&job, "lake");
    assert!(said.contains("lake/contacts.csv is taken for `interactions`, 8 of 10"), "{said}");
    assert!(said.contains("lake/transactions.parquet, lake/more.parquet is taken for `transactions`"), "{said}");
    assert!(config.contains("# not used: clerk"), "{config}");
    // A table by its name alone: what it must have is left to be named.
    job.text("lake/contracts.csv", "customer_id,signed\n1,1970-02-01\n");
    let (_, said, config) = looked_at(&job, "lake");
    assert!(said.contains("lake/contracts.csv is taken for `contracts`, 5 of 10"), "{said}");
    assert!(config.contains("start: TODO") && config.contains("end: TODO"), "{config}");
}

#[test]
fn tables_that_need_another_wait_for_it() {
    let (_, said, config) = looked_at(&documented(&[TableName::Fx]), "lake");
    assert!(said.contains("is taken for `fx`"), "{said}");
    assert!(config.contains("  # lake/fx.csv looks like `fx`, which needs `currency` in `pools`"), "{config}");
    let (.., config) = looked_at(&documented(&[TableName::ActionCustomers]), "lake");
    assert!(config.contains("looks like `action_customers`, which needs `actions`"), "{config}");
}

#[test]
fn every_table_of_a_generated_company_is_known() {
    let job = Job::new("");
    let company = job.path("company");
    let made = whalecurve(&["generate", "--customers", "60", "--transactions", "600", company.to_str().unwrap()]);
    assert!(made.status.success(), "{}", told(&made.stderr, &job));
    let (_, said, config) = looked_at(&job, "company");
    for table in [
        "transactions",
        "customers",
        "products",
        "pools",
        "activities",
        "driver_quantities",
        "receivables",
        "referrals",
    ] {
        assert!(said.contains(&format!("company/{table} is taken for `{table}`")), "{table}: {said}");
    }
    assert!(config.contains("referrer: referrer_id ") && config.contains("referred: referred_id "), "{config}");
    fs::write(job.path("whalecurve.yaml"), answered(&config)).unwrap();
    let checked = job.command("check", &[]);
    assert!(checked.status.success(), "{}\n{config}", told(&checked.stderr, &job));
}

#[test]
fn a_ledger_in_csv_and_fields_between_other_signs_are_told_with_what_to_do() {
    let job = job();
    job.text("export/crm.csv", "cust_no;customer_group\n1;a\n");
    let (code, said, config) = looked_at(&job, "export/crm.csv");
    assert_eq!((code, config.as_str()), (1, ""));
    let why =
        "error: export/crm.csv: its fields are separated by `;`, those of a CSV by commas\n  hint: write the file as";
    assert!(said.starts_with(why), "{said}");
    job.text("export/sales.csv", "customer_id,date,amount\n1,1970-01-02,3.00\n2,1970-01-05,4.00\n");
    let (code, said, config) = looked_at(&job, "export/sales.csv");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("export/sales.csv is CSV, and a ledger must be Parquet: write it as that"), "{said}");
    assert!(config.contains("    path: TODO ") && !config.contains("format: csv"), "{config}");
    // Once it is written as that, the rest of the config holds.
    let columns = vec![("customer_id", integers([1, 2])), ("date", days([1, 4])), ("amount", cents([300, 400]))];
    job.parquet("export/sales.parquet", columns);
    let config = answered(&config).replace("path: TODO ", "path: export/sales.parquet ");
    fs::write(job.path("whalecurve.yaml"), config).unwrap();
    let checked = job.command("check", &[]);
    assert!(checked.status.success(), "{}", told(&checked.stderr, &job));
}
