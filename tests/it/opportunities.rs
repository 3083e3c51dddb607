//! Customers who buy at opportunities, through the binary.

use insta::assert_snapshot;
use whalecurve::{
    forecast::{bg_bb::BgBb, opportunities::DiscreteHistory},
    numeric::discounting::Timing,
    schema::period::day_from_civil,
};

use crate::support::{Job, cents, days, integers, shared};

/// Values are published with ten digits.
const TEN_DIGITS: f64 = 5e-10;
/// What everybody gives at a time, in cents.
const GIFT: i64 = 5_000;

/// Donors who first gave in 1995: frequency, recency and number of donors, six years after.
pub(crate) fn donors(counts: &[(u32, u32, u32)], horizon: &str) -> (Job, Vec<DiscreteHistory>) {
    let job = Job::new(&format!(
        "
version: 1
currency: USD
as_of: 2001-12-31
inputs:
  transactions: {{path: t.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
forecast: {{model: bg_bb, time_unit: year, horizon: {horizon}, discount_rate_per_year: 0.10, paths: 100}}
"
    ));
    let (mut lines, mut histories) = (Vec::new(), Vec::new());
    for &(frequency, recency, donors) in counts {
        for _ in 0..donors {
            let donor = histories.len() as i64;
            histories.push(DiscreteHistory { opportunities: 6, frequency, recency });
            // The first year twice: gifts of one year are one.
            lines.extend([(donor, day_from_civil(1995, 3, 1)), (donor, day_from_civil(1995, 12, 31))]);
            let years = (1..frequency).chain((frequency > 0).then_some(recency));
            lines.extend(years.map(|year| (donor, day_from_civil(1995 + year as i32, 1, 1))));
        }
    }
    job.parquet(
        "t.parquet",
        vec![
            ("c", integers(lines.iter().map(|line| line.0))),
            ("d", days(lines.iter().map(|line| line.1))),
            // Half a gift each of the two of the first year.
            ("a", cents(lines.iter().map(|line| if line.1 < day_from_civil(1996, 1, 1) { GIFT / 2 } else { GIFT }))),
        ],
    );
    (job, histories)
}

pub(crate) const SMALL: [(u32, u32, u32); 10] = [
    (0, 0, 120),
    (1, 1, 30),
    (1, 2, 20),
    (1, 4, 12),
    (2, 2, 18),
    (2, 5, 14),
    (3, 4, 12),
    (4, 6, 20),
    (5, 6, 24),
    (6, 6, 30),
];

/// REFERENCE: Fader, Hardie & Shang 2010, 11,104 donors.
#[test]
fn the_donations_as_a_ledger_have_their_published_parameters_and_likelihood() {
    let Some(path) = shared("data/donations.csv") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let fields: Vec<u32> = line.split(',').map(|field| field.trim().parse().unwrap()).collect();
        (fields[0], fields[1], fields[3])
    };
    let (job, histories) = donors(&text.lines().skip(1).map(row).collect::<Vec<_>>(), "5y");
    assert_eq!(histories.len(), 11_104);
    let fit = &job.run(&[])["fits"]["bg_bb"];
    for (found, expected) in [
        (&fit["parameters"]["alpha"], 1.203_522_352),
        (&fit["parameters"]["beta"], 0.749_716_358_2),
        (&fit["parameters"]["gamma"], 0.656_718_208_4),
        (&fit["parameters"]["delta"], 2.783_442_233),
        (&fit["log_likelihood"], -33_225.581_274),
    ] {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() <= TEN_DIGITS * expected.abs(), "{found} is not {expected}");
    }
}

#[test]
fn donors_are_worth_their_discounted_gifts_and_the_simulation_agrees() {
    // Gifts of a year count on its last day, which is that of a month and of a year too, whatever the leap days.
    let on_the_day = [365.0, 730.0, 1_096.0, 1_461.0, 1_826.0].map(|day: f64| libm::pow(1.1, -day / 365.25));
    are_worth_their_discounted_gifts("5y", &on_the_day, None);
    let at_the_end = [1.0, 2.0, 3.0, 4.0, 5.0].map(|year: f64| libm::pow(1.1, -year));
    are_worth_their_discounted_gifts("5y, discounting: per_month", &at_the_end, Some(1.0 / 12.0));
    are_worth_their_discounted_gifts("5y, discounting: per_year", &at_the_end, Some(1.0));
}

fn are_worth_their_discounted_gifts(horizon: &str, worth: &[f64; 5], period: Option<f64>) {
    let timing = Timing { delta: libm::log(1.1), period };
    let (job, histories) = donors(&SMALL, horizon);
    let manifest = job.run(&[]);
    let value = |parameter: &str| manifest["fits"]["bg_bb"]["parameters"][parameter].as_f64().unwrap();
    let model = BgBb { alpha: value("alpha"), beta: value("beta"), gamma: value("gamma"), delta: value("delta") };
    let for_ever = model.opportunities_for_ever(6, timing).ok();
    let (alive, gifts) = (job.floats("customer_value", "p_alive"), job.floats("customer_value", "expected_purchases"));
    let values = job.decimals("customer_value", "expected_value");
    let more = [
        "expected_discounted_purchases",
        "expected_discounted_purchases_for_ever",
        "p_alive_at_horizon",
        "probability_of_purchase",
    ];
    let more = more.map(|column| job.floats("customer_value", column));
    for (row, history) in histories.iter().enumerate() {
        let expected = model.expected(*history, worth, for_ever);
        assert!((alive[row] - expected.p_alive).abs() < 1e-12 && (gifts[row] - expected.purchases).abs() < 1e-12);
        let told = [
            expected.discounted_purchases,
            expected.discounted_for_ever.unwrap(),
            expected.p_alive_at_horizon,
            expected.probability_of_purchase,
        ];
        for (column, expected) in more.iter().zip(told) {
            assert!((column[row] - expected).abs() < 1e-12, "{row}: {} is not {expected}", column[row]);
        }
        let value = GIFT as f64 * expected.discounted_purchases;
        assert!((values[row] as f64 - value).abs() < 0.51, "{row}: {} is not {value}", values[row]);
    }
    let (total, mean) = (values.iter().sum::<i128>(), job.sum("customer_equity", "equity_mean"));
    let error = job.sum("customer_equity", "equity_sd") as f64 / libm::sqrt(100.0);
    assert!((mean - total).abs() as f64 <= 4.0 * error && error > 0.0, "{mean} is not {total} ± {error}");
    // The next donor gives at once, and then as one of whom nothing is known.
    let next = model.expected(DiscreteHistory { opportunities: 0, frequency: 0, recency: 0 }, worth, None);
    assert_eq!(job.texts("new_customer_value", "grouping"), ["all", "cohort_year"]);
    assert_eq!(job.texts("new_customer_value", "group"), ["all", "1995"]);
    for found in job.floats("new_customer_value", "expected_purchases") {
        assert!((found - 1.0 - next.purchases).abs() < 1e-12, "{found}");
    }
    for value in job.decimals("new_customer_value", "expected_value") {
        let expected = GIFT as f64 * (1.0 + next.discounted_purchases);
        assert!((value as f64 - expected).abs() < 0.51, "{value} is not {expected}");
    }
    let digest = |threads: &str| job.run(&["--threads", threads])["result_digest"].clone();
    assert_eq!(digest("1"), digest("8"));
}

#[test]
fn a_horizon_without_an_opportunity_is_refused() {
    assert_snapshot!(donors(&SMALL, "340 days").0.failure(), @r"
    exit code 2
    error: forecast: the next 340 days hold no whole year, so there is no opportunity to buy
      hint: let forecast.horizon hold a whole time unit, or choose a shorter forecast.time_unit
    ");
}
