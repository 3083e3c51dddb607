//! What a manifest says of where its results come from.

use serde_json::Value;

use crate::support::{Job, cents, days, integers};

const CONFIG: &str = "version: 1\nname: shop\ncurrency: EUR\ninputs:\n  transactions:\n    path: l.parquet\n    columns: \
                      {customer_id: c, date: d, amount: a}\n";

fn digests(config: &str, ids: [i64; 3], group: usize, more: &[&str]) -> [String; 4] {
    let job = Job::new(config);
    let ledger = vec![("c", integers(ids)), ("d", days([1, 2, 3])), ("a", cents([100, 250, 175]))];
    job.parquet_in_groups("l.parquet", ledger, group);
    let manifest = job.run(more);
    let input = &manifest["inputs"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    [&manifest["config_digest"], &input["schema_digest"], &input["blake3"], &manifest["result_digest"]].map(text)
}

#[test]
fn the_digest_of_a_config_tells_what_it_says_and_not_how_it_is_written() {
    let [config, schema, ..] = digests(CONFIG, [1, 2, 3], 100, &[]);
    assert_eq!(config.len(), 64);
    // Comments, order, defaults that are written out, threads.
    let same = format!("# Ours.\nperiod: whole\n{CONFIG}");
    assert_eq!(digests(&same, [1, 2, 3], 100, &["--threads", "2"])[0], config);
    for other in [format!("{CONFIG}seed: 2\n"), format!("{CONFIG}period: month\n"), CONFIG.replace("shop", "store")] {
        assert_ne!(digests(&other, [1, 2, 3], 100, &[])[0], config, "{other}");
    }
    assert_ne!(digests(CONFIG, [1, 2, 3], 100, &["--seed", "9"])[0], config);
    // A schema is the same whatever the rows are.
    let [config_too, schema_too, file, _] = digests(CONFIG, [1, 2, 4], 2, &[]);
    assert_eq!((config_too, &schema_too), (config, &schema));
    assert_ne!(file, digests(CONFIG, [1, 2, 3], 100, &[])[2]);
    let renamed = CONFIG.replace("customer_id: c", "customer_id: d").replace("date: d", "date: e");
    let job = Job::new(&renamed);
    job.parquet("l.parquet", vec![("d", integers([1, 2, 3])), ("e", days([1, 2, 3])), ("a", cents([100, 250, 175]))]);
    assert_ne!(job.run(&[])["inputs"][0]["schema_digest"], Value::from(schema));
}

#[test]
fn a_csv_has_no_schema_to_be_digested() {
    let job = Job::new(&format!("{CONFIG}  customers: {{path: c.csv, columns: {{customer_id: c}}}}\n"));
    job.parquet("l.parquet", vec![("c", integers([1])), ("d", days([1])), ("a", cents([100]))]);
    job.text("c.csv", "c\n1\n");
    let manifest = job.run(&[]);
    let csv = manifest["inputs"].as_array().unwrap().iter().find(|input| input["table"] == "customers").unwrap();
    assert_eq!((&csv["schema_digest"], &csv["rows"]), (&Value::Null, &Value::Null));
}
