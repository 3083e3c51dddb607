//! Whole configs: read in full, with defaults, and with everything wrong.

use proptest::prelude::*;

use super::*;

pub(super) const FULL: &str = r#"# A comment
version: 1
name: CDNOW sample
currency: USD
as_of: 1997-09-30
period: quarter
seed: 42
output: out/results
inputs:
  transactions:
    path: [ledger/1997/*.parquet, ledger/1998]
    where: "date <= DATE '${DAY}'"
    returns: net
    columns: {customer_id: customer, date: day, quantity: units, unit_price: price, product_id: sku}
  customers: {path: customers.csv, columns: {customer_id: id, segment: channel}}
  products: {path: products, columns: {product_id: sku, unit_cost: cost}}
  pools: {path: pools.CSV, format: csv, columns: {activity: activity, amount: amount, period: month}}
  activities: {path: activities.csv, columns: {activity: a, level: l, method: m, driver: d}}
  driver_quantities: {path: q, columns: {customer_id: c, driver: d, quantity: q, date: day}}
  receivables: {path: r, columns: {customer_id: c, balance: b, period: p}}
contract:
  transactions:
    missing_customer: warn
    after_as_of: {policy: reject, max_rows: 100, max_share: 0.05}
    amount_range: {policy: reject, min: -100000, max: 100000.50}
    date_range: {policy: error, min: 1997-01-01}
drivers:
  lines: count
  large_lines: {count: lines, where: units > 10}
  orders: {count_distinct: order}
  months: {count_distinct: month}
  units: {sum: units, where: "units > 0"}
activities:
  order_handling: {level: order, method: driver, driver: orders, cost: 90071992547409.93}
  support: {level: order, method: driver, driver: calls, negative: zero}
  account_upkeep: {level: customer, method: average, cost: "-12000"}
  goods: {level: product, method: revenue, cost: 50000, negative: zero}
capital_charge: {rate_per_year: 0.10}
forecast:
  model: bg_nbd
  spend: gamma_gamma
  pool_by: segment
  time_unit: month
  horizon: 12 months
  discount_rate_per_year: 0.15
  paths: 0
portfolio:
  rfm_groups: 3
  value_tiers: {best: 0.1, good: 0.2, rest: 0.7}
"#;

#[test]
fn a_full_config_becomes_settings() {
    let settings = read(FULL).expect("a valid config");
    assert_eq!((settings.base.as_str(), settings.output.as_str()), ("shop", "shop/out/results"));
    assert_snapshot!(serde_json::to_string_pretty(&settings).expect("JSON"), @r#"
    {
      "name": "CDNOW sample",
      "currency": {
        "code": "USD",
        "exponent": 2
      },
      "as_of": 10134,
      "period": "quarter",
      "seed": 42,
      "outputs": null,
      "inputs": {
        "transactions": {
          "paths": [
            "ledger/1997/*.parquet",
            "ledger/1998"
          ],
          "format": "parquet",
          "columns": {
            "customer_id": "customer",
            "date": "day",
            "product_id": "sku",
            "quantity": "units",
            "unit_price": "price"
          },
          "filter": "date <= DATE '1997-09-30'"
        },
        "returns": "net",
        "customers": {
          "paths": [
            "customers.csv"
          ],
          "format": "csv",
          "columns": {
            "customer_id": "id",
            "segment": "channel"
          },
          "filter": null
        },
        "products": {
          "paths": [
            "products"
          ],
          "format": "parquet",
          "columns": {
            "product_id": "sku",
            "unit_cost": "cost"
          },
          "filter": null
        },
        "pools": {
          "paths": [
            "pools.CSV"
          ],
          "format": "csv",
          "columns": {
            "activity": "activity",
            "amount": "amount",
            "period": "month"
          },
          "filter": null
        },
        "activities": {
          "paths": [
            "activities.csv"
          ],
          "format": "csv",
          "columns": {
            "activity": "a",
            "driver": "d",
            "level": "l",
            "method": "m"
          },
          "filter": null
        },
        "driver_quantities": {
          "paths": [
            "q"
          ],
          "format": "parquet",
          "columns": {
            "customer_id": "c",
            "date": "day",
            "driver": "d",
            "quantity": "q"
          },
          "filter": null
        },
        "receivables": {
          "paths": [
            "r"
          ],
          "format": "parquet",
          "columns": {
            "balance": "b",
            "customer_id": "c",
            "period": "p"
          },
          "filter": null
        },
        "fx": null,
        "traced": null,
        "events": null,
        "contracts": null,
        "referrals": null,
        "opportunities": null,
        "learning": null,
        "acquisition_plan": null,
        "market": null,
        "targets": null,
        "actions": null,
        "action_customers": null,
        "prospects": null,
        "interactions": null
      },
      "contract": {
        "transactions": {
          "after_as_of": {
            "policy": "reject",
            "error_if": {
              "rows": 100,
              "share": 0.05
            },
            "min": null,
            "max": null
          },
          "amount_range": {
            "policy": "reject",
            "min": "-100000",
            "max": "100000.50"
          },
          "date_range": {
            "policy": "error",
            "min": "1997-01-01",
            "max": null
          },
          "missing_customer": {
            "policy": "warn",
            "min": null,
            "max": null
          }
        }
      },
      "drivers": {
        "large_lines": {
          "measure": "count",
          "filter": "units > 10"
        },
        "lines": {
          "measure": "count",
          "filter": null
        },
        "months": {
          "measure": "count_distinct_month",
          "filter": null
        },
        "orders": {
          "measure": "count_distinct_order",
          "filter": null
        },
        "units": {
          "measure": {
            "sum": "units"
          },
          "filter": "units > 0"
        }
      },
      "activities": {
        "account_upkeep": {
          "level": "customer",
          "layer": "cm3",
          "behaviour": "fixed",
          "avoidable": true,
          "recurring": true,
          "push_down": false,
          "method": {
            "share": "average"
          },
          "cost": -1200000,
          "negative": "error",
          "no_driver": null,
          "capacity": null,
          "over_use": "error",
          "unused_to": null,
          "rule": {
            "id": null,
            "version": 1,
            "valid_from": null,
            "valid_to": null
          }
        },
        "goods": {
          "level": "product",
          "layer": "cm1",
          "behaviour": "fixed",
          "avoidable": true,
          "recurring": true,
          "push_down": false,
          "method": {
            "share": "revenue"
          },
          "cost": 5000000,
          "negative": "zero",
          "no_driver": null,
          "capacity": null,
          "over_use": "error",
          "unused_to": null,
          "rule": {
            "id": null,
            "version": 1,
            "valid_from": null,
            "valid_to": null
          }
        },
        "order_handling": {
          "level": "order",
          "layer": "cm2",
          "behaviour": "variable",
          "avoidable": true,
          "recurring": true,
          "push_down": false,
          "method": {
            "share": {
              "driver": "orders"
            }
          },
          "cost": 9007199254740993,
          "negative": "error",
          "no_driver": null,
          "capacity": null,
          "over_use": "error",
          "unused_to": null,
          "rule": {
            "id": null,
            "version": 1,
            "valid_from": null,
            "valid_to": null
          }
        },
        "support": {
          "level": "order",
          "layer": "cm2",
          "behaviour": "variable",
          "avoidable": true,
          "recurring": true,
          "push_down": false,
          "method": {
            "share": {
              "driver": "calls"
            }
          },
          "cost": null,
          "negative": "zero",
          "no_driver": null,
          "capacity": null,
          "over_use": "error",
          "unused_to": null,
          "rule": {
            "id": null,
            "version": 1,
            "valid_from": null,
            "valid_to": null
          }
        }
      },
      "resources": {},
      "service": "reciprocal",
      "fx": {
        "kind": "average"
      },
      "economic": {
        "capital_charge": {
          "rate": "0.1",
          "every": "year",
          "days": null
        },
        "bad_debt": null,
        "commissions": null
      },
      "forecast": {
        "model": "bg_nbd",
        "holdout_days": null,
        "grace_days": 0,
        "contracts_from": null,
        "spend": "gamma_gamma",
        "days_per_unit": 30.4375,
        "time_unit": "month",
        "horizon_days": 365,
        "discount_rate_per_year": 0.15,
        "discounting": "continuous",
        "paths": 0,
        "parameter_uncertainty": false,
        "simulated_waits": false,
        "quantiles": [
          0.05,
          0.25,
          0.5,
          0.75,
          0.95
        ],
        "pool_by": "segment",
        "penalty": null
      },
      "portfolio": {
        "rfm_groups": 3,
        "rfm_cuts": null,
        "value_tiers": [
          {
            "name": "best",
            "share": 0.1
          },
          {
            "name": "good",
            "share": 0.2
          },
          {
            "name": "rest",
            "share": 0.7
          }
        ],
        "tiers_by": "customers",
        "networking": {
          "new_share": "0.5",
          "decay": "0.5",
          "acquisition_cost": null
        },
        "analysis": {
          "present_above": 0,
          "future_at_least": null
        },
        "ways_to_serve": [],
        "roles": {
          "high_lifetime_value": "0.10",
          "benchmark_referrals": 3000000,
          "inspiration": "0.05",
          "inspiring": [
            [
              "complaint",
              1000000
            ],
            [
              "demanding_request",
              1000000
            ],
            [
              "idea",
              1000000
            ]
          ],
          "cost_magnet": "2.00"
        },
        "credit": {
          "days_late": [
            0,
            15000000,
            30000000,
            60000000
          ],
          "overdue_share": [
            "0.05",
            "0.15",
            "0.30",
            "0.60"
          ],
          "disputed_share": [
            "0.05",
            "0.15",
            "0.30",
            "0.60"
          ],
          "write_off_share": [
            "0.00",
            "0.01",
            "0.03",
            "0.10"
          ],
          "worsening": 5000000,
          "half_life": "4.00",
          "default_probability": [
            "0.005",
            "0.010",
            "0.030",
            "0.100",
            "0.250"
          ]
        },
        "segments": [],
        "clusters": null
      },
      "equity": {
        "cohort": "cohort_year",
        "bridge": null,
        "doors": {
          "least_profitable": 0.25,
          "min_customers": 10
        }
      },
      "decisions": {
        "budget": null,
        "most_actions": 1,
        "keep": {
          "avoidable_order_cost": 1.0,
          "avoidable_customer_cost": 1.0,
          "max_price_rise": 0.1,
          "price_elasticity": 1.0
        },
        "max_probability_of_loss": null
      },
      "scenario": null,
      "report": {
        "write": true,
        "smallest_group": 10
      },
      "suppress": 10
    }
    "#);
}

#[test]
fn a_minimal_config_has_the_documented_defaults() {
    let settings = read(MINIMAL).expect("a valid config");
    assert_eq!((settings.base.as_str(), settings.output.as_str()), ("shop", "shop/results"));
    assert_snapshot!(serde_json::to_string(&settings).expect("JSON"), @r#"{"name":"shop","currency":{"code":"USD","exponent":2},"as_of":null,"period":"whole","seed":1,"outputs":null,"inputs":{"transactions":{"paths":["ledger.parquet"],"format":"parquet","columns":{"amount":"total","customer_id":"customer","date":"day"},"filter":null},"returns":"separate","customers":null,"products":null,"pools":null,"activities":null,"driver_quantities":null,"receivables":null,"fx":null,"traced":null,"events":null,"contracts":null,"referrals":null,"opportunities":null,"learning":null,"acquisition_plan":null,"market":null,"targets":null,"actions":null,"action_customers":null,"prospects":null,"interactions":null},"contract":{},"drivers":{},"activities":{},"resources":{},"service":"reciprocal","fx":{"kind":"average"},"economic":{"capital_charge":null,"bad_debt":null,"commissions":null},"forecast":null,"portfolio":{"rfm_groups":5,"rfm_cuts":null,"value_tiers":[{"name":"platinum","share":0.05},{"name":"gold","share":0.15},{"name":"iron","share":0.3},{"name":"lead","share":0.5}],"tiers_by":"customers","networking":{"new_share":"0.5","decay":"0.5","acquisition_cost":null},"analysis":{"present_above":0,"future_at_least":null},"ways_to_serve":[],"roles":{"high_lifetime_value":"0.10","benchmark_referrals":3000000,"inspiration":"0.05","inspiring":[["complaint",1000000],["demanding_request",1000000],["idea",1000000]],"cost_magnet":"2.00"},"credit":{"days_late":[0,15000000,30000000,60000000],"overdue_share":["0.05","0.15","0.30","0.60"],"disputed_share":["0.05","0.15","0.30","0.60"],"write_off_share":["0.00","0.01","0.03","0.10"],"worsening":5000000,"half_life":"4.00","default_probability":["0.005","0.010","0.030","0.100","0.250"]},"segments":[],"clusters":null},"equity":{"cohort":"cohort_year","bridge":null,"doors":{"least_profitable":0.25,"min_customers":10}},"decisions":{"budget":null,"most_actions":1,"keep":{"avoidable_order_cost":1.0,"avoidable_customer_cost":1.0,"max_price_rise":0.1,"price_elasticity":1.0},"max_probability_of_loss":null},"scenario":null,"report":{"write":true,"smallest_group":10},"suppress":10}"#);
}

#[test]
fn the_command_line_wins_and_its_folder_is_not_the_configs() {
    let overrides = Overrides { output: Some("elsewhere".into()), threads: Some(3), seed: Some(7), sets: Vec::new() };
    let text = format!("{MINIMAL}seed: 5\noutput: out\n");
    let settings = load(Utf8Path::new("whalecurve.yaml"), &text, &env, &overrides).expect("a valid config");
    assert_eq!((settings.base.as_str(), settings.output.as_str()), (".", "elsewhere"));
    assert_eq!((settings.seed, settings.threads), (7, Some(3)));
}

#[test]
fn an_absolute_output_is_not_put_below_the_config() {
    assert_eq!(read_minimal_with("output: /srv/out\n").output, "/srv/out");
}

#[test]
fn a_byte_order_mark_windows_lines_and_aliases_change_nothing() {
    let plain = format!(
        "{MINIMAL}activities:\n  a: {{level: order, method: average, cost: &c 12.50}}\n  b: {{level: order, method: average, cost: *c}}\n"
    );
    let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    let settings = read(&windows).expect("a valid config");
    assert_eq!(settings.activities["a"].cost, Some(1_250));
    assert_eq!(settings.activities["b"].cost, Some(1_250));
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = "\
version: 1
curency: USD
period: weekly
seed: -1
inputs:
  transactions:
    path: ledger.csv
    columns: {customer_id: customer, amount: total, unit_price: price}
  products: {path: p, columns: {product_id: sku}}
contract:
  transactions: {missing_custmer: reject, amount_range: {policy: ignore, min: 5, max: 1}}
  pools: {invalid_amount: warn}
drivers:
  orders: {count_distinct: orders}
activities:
  handling: {level: order, method: driver, driver: order, cost: 12.345}
  upkeep: {level: customers, method: average}
capital_charge: {rate_per_year: 10%}
forecast: {model: weibull, horizon: 39}
portfolio: {rfm_groups: 1, value_tiers: {top: 0.2, rest: 0.7}}
";
    assert_snapshot!(message(text), @r"
    shop/whalecurve.yaml:1:1: `currency` is missing
    shop/whalecurve.yaml:2:1: unknown key `curency`
      hint: did you mean `currency`? known keys: version, name, currency, as_of, period, seed, output, outputs, keep_versions, spool, inputs, ids, limits, contract, drivers, activities, resources, fx, capital_charge, bad_debt, commissions, forecast, portfolio, equity, decisions, tests, overrides, report, suppress
    shop/whalecurve.yaml:3:9: `period` is `weekly`, expected one of whole, year, quarter, month
    shop/whalecurve.yaml:4:7: `seed` is `-1`, expected a whole number of 64 bits, 0 or more
    shop/whalecurve.yaml:7:11: `inputs.transactions` is CSV, but the ledger must be Parquet
      hint: convert it to Parquet once; only small tables may be CSV
    shop/whalecurve.yaml:8:5: `inputs.transactions.columns.date` is missing
    shop/whalecurve.yaml:8:53: `inputs.transactions.columns` has both amount and unit_price: two answers to what a line is worth
      hint: map either amount (the line's total), or quantity and unit_price
    shop/whalecurve.yaml:9:3: `inputs.products` needs product_id in `inputs.transactions.columns`
      hint: a line's product cost is its quantity × its product's unit_cost
    shop/whalecurve.yaml:9:3: `inputs.products` needs quantity in `inputs.transactions.columns`
      hint: a line's product cost is its quantity × its product's unit_cost
    shop/whalecurve.yaml:9:23: `inputs.products.columns.unit_cost` is missing
    shop/whalecurve.yaml:11:18: unknown key `missing_custmer` in `contract.transactions`
      hint: did you mean `missing_customer`? known keys: missing_customer, missing_date, invalid_amount, after_as_of, wrong_currency, unknown_customer, unknown_product, missing_value, invalid_driver, amount_range, quantity_range, date_range, freshness
    shop/whalecurve.yaml:11:66: `contract.transactions.amount_range.policy` is `ignore`, expected one of error, reject, warn
    shop/whalecurve.yaml:11:79: `contract.transactions.amount_range.min` is above max: no row could be accepted
    shop/whalecurve.yaml:12:3: `contract.pools` has rules for a table that `inputs` does not have
    shop/whalecurve.yaml:14:28: `drivers.orders.count_distinct` is `orders`, expected one of order, day, month
      hint: did you mean `order`?
    shop/whalecurve.yaml:16:52: `activities.handling.driver` is `order`, expected a driver that is defined in `drivers`
      hint: did you mean `orders`? known drivers: orders
    shop/whalecurve.yaml:17:3: `activities.upkeep` has no cost, and `inputs` has no pools to take it from
      hint: give cost: … in major units, or add the table inputs.pools
    shop/whalecurve.yaml:17:19: `activities.upkeep.level` is `customers`, expected one of unit, product, order, batch, customer, channel, region, company
      hint: did you mean `customer`?
    shop/whalecurve.yaml:18:1: `capital_charge` needs the table inputs.receivables
      hint: the charge is rate × time × average balance; without balances give days: 90, for sales × days / 365
    shop/whalecurve.yaml:18:33: `capital_charge.rate_per_year` is `10%`, expected a number from 0 to 10, at most 12 digits after the point
      hint: write 10 % as 0.10
    shop/whalecurve.yaml:19:19: `forecast.model` is `weibull`, expected one of bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k, auto, bg_bb, beta_geometric, beta_weibull, exponential_gamma, weibull_gamma
      hint: did you mean `weibull_gamma`?
    shop/whalecurve.yaml:19:37: `forecast.horizon` is `39`, expected a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days
    shop/whalecurve.yaml:20:25: `portfolio.rfm_groups` is `1`, expected a whole number from 2 to 10
    shop/whalecurve.yaml:20:28: the shares in `portfolio.value_tiers` add up to 90 %, not 100 %
    ");
}

proptest! {
    #[test]
    fn a_damaged_config_is_an_error_with_a_place_never_a_crash(cut in 0..1_200_usize, length in 0..40_usize, noise in ".{0,3}") {
        let mut text = FULL.to_owned();
        let from = text.floor_char_boundary(cut.min(text.len()));
        let to = text.floor_char_boundary((from + length).min(text.len()));
        text.replace_range(from..to, &noise);
        if let Err(errors) = read(&text) {
            let lines = text.lines().count() as u64 + 1;
            prop_assert!(!errors.problems().is_empty());
            prop_assert!(errors.problems().iter().all(|problem| (1..=lines).contains(&problem.at.line)));
        }
    }
}
