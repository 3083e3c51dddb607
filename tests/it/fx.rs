//! Costs in other currencies through the whole flow.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers, text};

/// A monthly run in euros: one purchase in January and one in February 2024, and pools in several currencies.
fn job(more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nperiod: month\nas_of: 2024-02-29\ninputs:\n  transactions: {{path: ledger.parquet, \
         columns: {{customer_id: c, date: d, amount: a}}}}\n  pools:\n    path: pools.csv\n    columns: {{activity: \
         activity, amount: amount, period: period, currency: currency, account: account, cost_centre: centre}}\n{more}\
         activities:\n  freight: {{level: order, method: average}}\n  support: {{level: customer, method: average}}\n"
    ));
    job.parquet(
        "ledger.parquet",
        // 2024-01-10 and 2024-02-10.
        vec![("c", integers([1, 2])), ("d", days([19_732, 19_763])), ("a", cents([90_000, 80_000]))],
    );
    job
}

const BY_PERIOD: &str = "  fx: {path: fx.csv, columns: {currency: code, rate: rate, period: period, kind: kind}}\n";
const BY_DATE: &str = "  fx: {path: fx.csv, columns: {currency: code, rate: rate, date: day}}\n";

const POOLS: &str = "activity,amount,period,currency,account,centre
freight,100.00,2024-01,USD,6000,A
freight,0.33,2024-01,USD,6000,A
freight,20000,2024-01,JPY,6000,A
freight,50.00,2024-01,,6000,B
support,1.234,2024-02,KWD,6100,A
support,10.00,2024-02,EUR,,
";

#[test]
fn costs_are_converted_once_an_account_and_period_and_tie() {
    let job = job(BY_PERIOD);
    job.text("pools.csv", POOLS).text(
        "fx.csv",
        "code,rate,period,kind\nUSD,0.917,2024-01,average\nUSD,0.9,2024-01,closing\nJPY,0.0063,2024-01,average\n\
         KWD,3.0105,2024-02,average\n",
    );
    let manifest = job.run(&[]);
    assert_eq!(job.texts("fx_conversion", "currency"), ["EUR", "JPY", "USD", "EUR", "KWD"]);
    assert_eq!(job.texts("fx_conversion", "rate_exact"), ["1", "0.0063", "0.917", "1", "3.0105"]);
    // Amounts in millionths of a major unit, whatever its digits.
    let amounts = [10_000_000, 20_000_000_000, 100_330_000, 50_000_000, 1_234_000];
    assert_eq!(job.decimals("fx_conversion", "amount"), amounts);
    // 20,000 yen: 126.00. 100.33 dollars: 92.00261. 1.234 dinars: 3.714957.
    assert_eq!(job.decimals("fx_conversion", "converted"), [1_000, 12_600, 9_200, 5_000, 371]);
    assert!(job.texts("trace", "from_stage").iter().all(|stage| stage == "account"));
    assert_eq!(job.sum("trace", "amount"), job.sum("pool_balance", "own"));
    assert_eq!(job.texts("pool_balance", "pool"), ["freight", "support"]);
    assert_eq!(job.decimals("pool_balance", "own"), [26_800, 1_371]);
    assert_eq!(job.sum("fx_conversion", "converted"), job.sum("customer_cost", "amount"));
    assert_eq!(manifest["balances"]["pools"]["accepted"]["amount"], 28_171);
}

#[test]
fn daily_rates_are_averaged_or_the_last_one_closes_the_period() {
    let converted = |kind: &str| {
        let job = job(&format!("{BY_DATE}fx: {{kind: {kind}}}\n"));
        job.text("pools.csv", "activity,amount,period,currency,account,centre\nfreight,300.00,2024-01,USD,1,\n");
        job.text(
            "fx.csv",
            "code,rate,day\nUSD,1.1,2024-01-31\nUSD,1,2024-01-02\nUSD,1.0,2024-01-15\nUSD,9,2024-03-01\n",
        );
        job.run(&[]);
        (job.decimals("fx_conversion", "converted"), job.texts("fx_conversion", "rate_exact"))
    };
    assert_eq!(converted("average"), (vec![31_000], vec!["3.1/3".to_owned()]));
    assert_eq!(converted("closing"), (vec![33_000], vec!["1.1".to_owned()]));
}

#[test]
fn integers_are_minor_units_of_their_own_currency() {
    let job = job(BY_PERIOD);
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("pools.csv", "pools.parquet"));
    job.parquet(
        "pools.parquet",
        vec![
            ("activity", text(["freight", "freight", "support"])),
            ("amount", integers([20_000, 1_234, 5_000])),
            ("period", text(["2024-01", "2024-01", "2024-02"])),
            ("currency", text(["JPY", "KWD", "EUR"])),
            ("account", integers([6_000, 6_000, 6_100])),
            ("centre", text(["A", "A", "B"])),
        ],
    );
    job.text("fx.csv", "code,rate,period,kind\nJPY,0.0063,2024-01,average\nKWD,3,2024-01,average\n");
    job.run(&[]);
    assert_eq!(job.texts("fx_conversion", "account"), ["6000", "6000", "6100"]);
    assert_eq!(job.decimals("fx_conversion", "converted"), [12_600, 370, 5_000]);
}

#[test]
fn a_gap_in_the_rates_is_told_with_currency_period_and_money() {
    let with_rates = job(BY_PERIOD);
    with_rates
        .text("pools.csv", POOLS)
        .text("fx.csv", "code,rate,period,kind\nUSD,0.917,2024-01,closing\nJPY,0.0063,2024-02,average\n");
    assert_snapshot!(with_rates.failure(), @r"
    exit code 3
    error: pools: no average rate of JPY for period 2024-01; 20,000 JPY of freight are at stake
    pools: no average rate of KWD for period 2024-02; 1.234 KWD of support are at stake
    pools: no average rate of USD for period 2024-01; 100.33 USD of freight are at stake
      hint: add the rate to inputs.fx: units of the run's currency for one of the other
    ");
    let without = job("");
    without.text("pools.csv", POOLS);
    assert_snapshot!(without.failure(), @r"
    exit code 3
    error: pools: no average rate of JPY for period 2024-01; 20,000 JPY of freight are at stake
    pools: no average rate of KWD for period 2024-02; 1.234 KWD of support are at stake
    pools: no average rate of USD for period 2024-01; 100.33 USD of freight are at stake
      hint: add the rate to inputs.fx: units of the run's currency for one of the other
    ");
}

#[test]
fn rates_and_currencies_that_are_none() {
    let told = |pools: &str, rates: &str| {
        let job = job(BY_PERIOD);
        job.text("pools.csv", &format!("activity,amount,period,currency,account,centre\n{pools}"));
        job.text("fx.csv", &format!("code,rate,period,kind\n{rates}"));
        job.failure()
    };
    let sound = "USD,0.917,2024-01,average\n";
    assert_snapshot!(told("freight,1.00,2024-01,DOLLAR,1,\nfreight,,2024-01,USD,1,\n", sound), @r"
    exit code 3
    error: pools: rule `invalid_amount` is broken by 1 of 2 rows: the amount is null or not a finite number in range; its policy is error
    pools: rule `unknown_currency` is broken by 1 of 2 rows: the currency is no ISO 4217 code; its policy is error; 1.00 of freight are at stake
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(told("freight,1.00,2024-01,USD,1,\n", "USD,0,2024-01,average\nUSD,x,2024-02,closing\nEUR,1.1,2024-01,average\n"), @r"
    exit code 3
    error: fx: rule `invalid_rate` is broken by 3 of 3 rows: the rate is not above zero, or the rate is null or not a finite number, or the run's own currency has another rate than 1; its policy is error; of EUR in 2024-01, USD in 2024-01, USD in 2024-02
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(told("freight,1.00,2024-01,USD,1,\n", &format!("{sound}{sound}")), @r"
    exit code 3
    error: fx: rule `duplicate_key` is broken by 1 of 2 rows: currency, kind and date or period stand more than once; its policy is error; of USD in 2024-01
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(told("freight,1.00,2024-01,USD,1,\n", "USD,0.9,2024-01,spot\n,0.9,2024-01,average\nUSD,0.9,2024-13,average\n"), @r"
    exit code 3
    error: fx: rule `invalid_period` is broken by 1 of 3 rows: the period is no period of the run's kind; its policy is error
    fx: rule `missing_currency` is broken by 1 of 3 rows: the currency is null or empty; its policy is error
    fx: rule `unknown_kind` is broken by 1 of 3 rows: the kind is neither average nor closing; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}
