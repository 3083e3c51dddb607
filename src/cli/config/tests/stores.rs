//! URLs of object stores.

use super::*;

#[test]
fn inputs_outputs_and_the_bridge_may_lie_in_stores_and_are_no_paths_below_the_config() {
    let text = MINIMAL.replace("ledger.parquet", "[s3://ledgers/2026/*.parquet, az://tables/a=1, local]");
    let more = "output: abfss://results@shop.dfs.core.windows.net/team\nspool: scratch\n";
    let settings = read(&format!("{text}{more}")).expect("a valid config");
    assert_eq!(settings.inputs.transactions.paths, ["s3://ledgers/2026/*.parquet", "az://tables/a=1", "local"]);
    assert_eq!(settings.output, "abfss://results@shop.dfs.core.windows.net/team");
    assert_eq!(settings.spool.as_deref(), Some("shop/scratch"));
}

#[test]
fn a_url_that_holds_a_secret_or_names_no_store_is_refused_and_not_repeated() {
    let of_environment = message(&MINIMAL.replace("ledger.parquet", "\"${STORE}\""));
    assert!(!of_environment.contains("from-env"), "{of_environment}");
    assert_snapshot!(of_environment, @r"
    shop/whalecurve.yaml:4:24: `inputs.transactions.path` holds a user or a token, which a URL must not
      hint: give credentials by the environment, as AWS_ACCESS_KEY_ID or AZURE_STORAGE_ACCOUNT_KEY, or by a role
    ");
    let paths = "[gs://bucket/x, s3:///x, s3://bucket/a//b, abfss://tables/x]";
    let more = "output: s3://bucket/*/results\nspool: s3://bucket/spool\n";
    assert_snapshot!(message(&format!("{}{more}", MINIMAL.replace("ledger.parquet", paths))), @r"
    shop/whalecurve.yaml:4:25: `inputs.transactions.path` is a URL that is not read
      hint: stores are s3://bucket/key, az://container/key and abfss://container@account.dfs.core.windows.net/key
    shop/whalecurve.yaml:4:40: `inputs.transactions.path` names no bucket or container
      hint: write it like s3://bucket/key
    shop/whalecurve.yaml:4:49: `inputs.transactions.path` has a part that is empty, `.` or `..`, or a control character
      hint: write the key as the store lists it
    shop/whalecurve.yaml:4:67: `inputs.transactions.path` names no account
      hint: write it like abfss://container@account.dfs.core.windows.net/key, or az://container/key
    shop/whalecurve.yaml:5:9: `output` is `s3://bucket/*/results`, expected a place without wildcards
    shop/whalecurve.yaml:6:8: `spool` is `s3://bucket/spool`, expected a folder of this machine
    ");
}
