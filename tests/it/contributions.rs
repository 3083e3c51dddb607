//! A ledger of contribution: what purchases brought net of their cost, of either sign.

use whalecurve::forecast::normal_spend::NormalSpend;

use crate::support::{Job, cents, days, integers};

/// Days of the ledger.
const AGE: i32 = 360;
const CUSTOMERS: i64 = 240;
/// Cost of handling a purchase day, in cents.
const HANDLING: f64 = 150.0;

/// Customers who buy more or less often, and bring more or less, some of them less than nothing.
fn lines() -> Vec<(i64, i32, i64)> {
    let mut lines = Vec::new();
    for customer in 0..CUSTOMERS {
        let times = 1 + (customer * 7) % 9;
        for number in 0..times {
            let day = (customer * 5 % 40) as i32 + number as i32 * (14 + (customer % 11) as i32);
            let level = (customer * 37 % 101) * 40 - 1_900;
            let amount = level + (customer * 31 + number * 53) % 97 * 60 - 2_900;
            lines.push((customer, day, amount));
        }
    }
    lines
}

fn job(returns: &str, lines: &[(i64, i32, i64)], more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 1970-12-27
inputs:
  transactions: {{path: l.parquet, returns: {returns}, columns: {{customer_id: c, date: d, amount: a}}}}
drivers: {{days: {{count_distinct: day}}}}
activities:
  handling: {{level: order, method: driver, driver: days, cost: {}}}
forecast: {{model: mbg_nbd, spend: normal, horizon: 1y, discount_rate_per_year: 0.1, paths: 400}}
{more}",
        HANDLING * lines.len() as f64 / 100.0
    ));
    let columns = vec![
        ("c", integers(lines.iter().map(|line| line.0))),
        ("d", days(lines.iter().map(|line| line.1))),
        ("a", cents(lines.iter().map(|line| line.2))),
    ];
    job.parquet("l.parquet", columns);
    job
}

#[test]
fn purchases_that_brought_less_than_nothing_are_purchases_and_their_customers_worth_what_they_bring() {
    let lines = lines();
    assert!(lines.iter().all(|line| line.1 < AGE));
    let negative = lines.iter().filter(|line| line.2 < 0).count();
    assert!(negative > lines.len() / 3 && negative < 2 * lines.len() / 3, "{negative} of {}", lines.len());
    let job = job("purchases", &lines, "");
    let manifest = job.run(&[]);
    assert_eq!(job.sum("customer_profit", "returns"), 0);
    assert_eq!(job.sum("customer_profit", "gross_sales"), lines.iter().map(|line| i128::from(line.2)).sum::<i128>());
    let of = |name: &str| manifest["fits"]["normal"]["parameters"][name].as_f64().unwrap();
    let spend = NormalSpend { mean: of("mean"), within: of("within"), between: of("between") };
    let frequency = job.whole_numbers("customer_value", "frequency");
    let discounted = job.floats("customer_value", "expected_discounted_purchases");
    let values = job.decimals("customer_value", "expected_value");
    let (means, errors) = (
        job.decimals("customer_value", "lifetime_value_mean"),
        job.decimals("customer_value", "lifetime_value_mean_error"),
    );
    let (mut below, mut far) = (0, 0);
    for customer in 0..CUSTOMERS {
        let row = customer as usize;
        let own: Vec<i64> = lines.iter().filter(|line| line.0 == customer).map(|line| line.2).collect();
        assert_eq!(frequency[row], Some(own.len() as i64 - 1));
        // Worked: what is known of a repeat purchase, less the handling of one, for every purchase to come.
        let repeat = own[1..].iter().sum::<i64>() as f64 / 100.0;
        let brings = spend.conditional_mean(own.len() as f64 - 1.0, repeat) - HANDLING / 100.0;
        let expected = 100.0 * brings * discounted[row];
        assert!((values[row] as f64 - expected).abs() < 0.51, "{row}: {} is not {expected}", values[row]);
        below += usize::from(values[row] < 0);
        far += usize::from((means[row] - values[row]).abs() > 4 * errors[row] + 1);
    }
    assert!(below > 5 && below < 220, "{below}");
    // Errors of the spread of one customer's paths are estimates.
    assert!(far <= 2, "{far} customers are far from their closed form");
    let loss = job.floats("customer_value", "probability_of_loss");
    let mean = |of: &dyn Fn(i128) -> bool| {
        let own: Vec<f64> = values.iter().zip(&loss).filter(|(value, _)| of(**value)).map(|(_, loss)| *loss).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    let (losing, winning) = (mean(&|value| value < 0), mean(&|value| value > 0));
    assert!(winning > 0.0 && losing > winning, "{losing} {winning}");
}

#[test]
fn by_default_a_negative_amount_is_a_return_and_no_purchase() {
    let lines = lines();
    let job = job("separate", &lines, "");
    job.run(&[]);
    let frequency: i64 = job.whole_numbers("customer_value", "frequency").into_iter().flatten().sum();
    let positive = lines.iter().filter(|line| line.2 >= 0).count() as i64;
    assert!(frequency < positive);
    assert!(job.sum("customer_profit", "returns") > 0);
}

#[test]
fn a_base_that_loses_on_the_whole_has_a_value_below_nothing_and_prices_move_it() {
    let lines: Vec<(i64, i32, i64)> = lines().into_iter().map(|line| (line.0, line.1, line.2 - 4_000)).collect();
    assert!(lines.iter().map(|line| line.2).sum::<i64>() < 0);
    let job = job("purchases", &lines, "overrides: {prices: 2}\n");
    job.run(&[]);
    let value = |column: &str| job.decimals("scenario_difference", column)[0];
    let (base, twice) = (value("expected_value_base"), value("expected_value_scenario"));
    assert!(base < 0);
    // Twice the contribution at the same handling.
    let discounted: f64 =
        job.floats("customer_value", "expected_discounted_purchases")[..CUSTOMERS as usize].iter().sum();
    let expected = 2.0 * base as f64 + HANDLING * discounted;
    assert!((twice as f64 - expected).abs() < 2.0 * CUSTOMERS as f64, "{twice} is not {expected}");
    // So is the next customer.
    let next = job.decimals("new_customer_value", "expected_value");
    assert!(next.iter().all(|value| *value < 0), "{next:?}");
}
