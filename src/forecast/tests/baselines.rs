//! Baselines: worked examples, limits, messages.

use super::cdnow::close;
use crate::forecast::baselines::{
    BaselineError, discounted_time, last_period_repeated, mean_of_past, retention_multiple, simple_lifetime_value,
};
use crate::forecast::beta_geometric::{Horizon, ShiftedBetaGeometric};

#[test]
fn the_last_period_repeats_for_as_long_as_the_horizon() {
    // Quarters of 13 weeks, a year ahead; a customer with a loss goes on losing.
    assert_eq!(last_period_repeated(&[3.0, 0.0, -2.5], 13.0, 52.0).unwrap(), [12.0, 0.0, -10.0]);
    assert_eq!(last_period_repeated(&[3.0], 13.0, 0.0).unwrap(), [0.0]);
}

#[test]
fn the_mean_of_the_past_counts_a_new_customer_as_one_period_old() {
    // 6 in 26 weeks, 4 in 8 weeks, 1 on the day of the forecast.
    let found = mean_of_past(&[6.0, 4.0, 1.0], &[26.0, 8.0, 0.0], 4.0, 52.0).unwrap();
    assert_eq!(found, [12.0, 26.0, 13.0]);
}

#[test]
fn the_margin_multiple_is_worked_by_hand() {
    // Retention 90 %, discount rate 12 %: 0.9/0.22 = 45/11. 60 %, 10 %: 0.6/0.5.
    close(retention_multiple(0.9, 0.12, Horizon::Forever).unwrap(), 45.0 / 11.0, 1e-14);
    close(retention_multiple(0.6, 0.10, Horizon::Forever).unwrap(), 1.20, 1e-12);
    close(simple_lifetime_value(&[50.0, -3.0], 0.8, 0.1, Horizon::Forever).unwrap()[0], 50.0 * 0.8 / 0.3, 1e-15);
    assert_eq!(retention_multiple(0.0, 0.1, Horizon::Forever).unwrap(), 0.0);
}

#[test]
fn a_finite_horizon_is_the_sum_of_its_periods() {
    for (retention, rate) in [(0.8, 0.1), (1.0, 0.05), (1.0, 0.0), (0.999_999, 0.0), (0.0, 0.3)] {
        let mut sum = 0.0;
        for periods in 0..40_u32 {
            close(retention_multiple(retention, rate, Horizon::Periods(periods)).unwrap(), sum, 1e-13);
            sum += libm::pow(retention / (1.0 + rate), f64::from(periods + 1));
        }
    }
    let forever = retention_multiple(0.8, 0.1, Horizon::Forever).unwrap();
    close(retention_multiple(0.8, 0.1, Horizon::Periods(u32::MAX)).unwrap(), forever, 1e-15);
}

#[test]
fn one_retention_rate_for_all_is_sbg_without_differences_between_customers() {
    let alike = ShiftedBetaGeometric { alpha: 0.2e9, beta: 0.8e9 };
    let expected = alike.residual_lifetime(0, Horizon::Forever, 0.1).unwrap() / 1.1;
    close(retention_multiple(0.8, 0.1, Horizon::Forever).unwrap(), expected, 1e-8);
    // With differences, the mean retention of new customers undervalues those who have stayed.
    let differ = ShiftedBetaGeometric { alpha: 0.5, beta: 2.0 };
    assert!(differ.residual_lifetime(5, Horizon::Forever, 0.1).unwrap() / 1.1 > 1.5 * expected);
}

#[test]
fn discounted_time_is_the_horizon_without_discounting_and_the_annuity_with_it() {
    assert_eq!(discounted_time(52.0, 0.0).unwrap(), 52.0);
    close(discounted_time(52.0, 1e-12).unwrap(), 52.0, 1e-10);
    close(discounted_time(1e9, 0.01).unwrap(), 100.0, 1e-15);
    close(discounted_time(52.0, 0.01).unwrap(), 40.547_945_202_980_566, 1e-15);
}

#[test]
fn inputs_without_a_baseline_are_refused_by_name() {
    let message = |error: BaselineError| error.to_string();
    assert_eq!(
        message(last_period_repeated(&[1.0, f64::NAN], 1.0, 1.0).unwrap_err()),
        "last in row 1 is out of range: it must be finite"
    );
    assert_eq!(
        message(last_period_repeated(&[1.0], 0.0, 1.0).unwrap_err()),
        "period is 0: it must be finite and positive"
    );
    assert_eq!(message(mean_of_past(&[1.0], &[], 1.0, 1.0).unwrap_err()), "age has 0 rows, expected 1");
    assert_eq!(
        message(mean_of_past(&[1.0], &[-1.0], 1.0, 1.0).unwrap_err()),
        "age in row 0 is out of range: it must be finite and not negative"
    );
    assert_eq!(
        message(retention_multiple(1.2, 0.1, Horizon::Forever).unwrap_err()),
        "retention is 1.2: it must lie between 0 and 1"
    );
    assert_eq!(
        message(retention_multiple(1.0, 0.0, Horizon::Forever).unwrap_err()),
        "lifetime value is infinite: retention is 1 and the discount rate 0"
    );
    assert_eq!(
        message(simple_lifetime_value(&[1.0], 0.5, -1.0, Horizon::Forever).unwrap_err()),
        "rate is -1: it must be finite and not negative"
    );
    assert_eq!(
        message(discounted_time(f64::INFINITY, 0.0).unwrap_err()),
        "horizon is inf: it must be finite and not negative"
    );
}
