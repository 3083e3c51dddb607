//! What the time under contract of a customer who may leave at any time is worth.
//!
//! One unit a time unit, paid for as long as the customer stays: `∫ S(T+u)/S(T) f(u) du` up to the horizon, `f` what a unit
//! at `u` is worth. Where things count at the end of their period, `f` is a step, and with `F_k` the time under contract in the
//! `k`-th period, `q = e^{−δP}`, that is `Σ_k q^k F_k`. The first periods are added up. After them `S` is so smooth that
//! Euler and Maclaurin's sum ends with its first term: with `y = δP`, from the period's end `u` to another one's, `w`,
//!
//! `Σ q^k F_k = (1−q)/y ∫_u^w S e^{−δv} dv + c (S(u) e^{−δu} − S(w) e^{−δw})`, `c = P (1/(e^y − 1) − (1−q)/y²)`,
//!
//! exact for a constant `S`, and to 1e-11 of the whole for what models here have.
//!
//! Source: Graham, Knuth & Patashnik, Concrete Mathematics (1994), 9.5 (the summation formula).

use super::beta_geometric::DiscountError;
use super::exponential_gamma::ExponentialGamma;
use super::weibull_gamma::WeibullGamma;
use crate::numeric::discounting::{Periods, Timing};
use crate::numeric::quadrature::Rule;
use crate::numeric::sums::Compensated;
use std::sync::LazyLock;

/// Periods that are added up one by one.
const ONE_BY_ONE: u32 = 128;

/// Panels in which time doubles and more, counted from the beginning of the contract: `e^{1/16}` from one to the next.
const PANELS_IN_E: f64 = 16.0;

static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// How long customers stay who may leave at any time.
pub(super) trait AnyTime {
    /// Shape `r` of the gamma distribution of their rates to leave.
    fn shape(&self) -> f64;

    /// The probability that a customer who stayed until `age` stays for another `u`.
    fn stays(&self, age: f64, u: f64) -> f64;

    /// Expected time from `age` to the horizon, discounted when it passes.
    fn time_left(&self, age: f64, horizon: f64, delta: f64) -> Result<f64, DiscountError>;

    /// What the time to the horizon of a customer who stayed until `age` is expected to be worth.
    ///
    /// * `horizon`: model time units, `>= 0`; infinity for ever.
    fn worth(&self, age: f64, horizon: f64, timing: Timing) -> Result<f64, DiscountError> {
        match timing.periods().filter(|periods| periods.delta > 0.0) {
            None => self.time_left(age, horizon, timing.delta),
            Some(periods) => self.worth_at_ends(age, horizon, periods),
        }
    }

    /// The same where things count at the end of their period.
    fn worth_at_ends(&self, age: f64, horizon: f64, periods: Periods) -> Result<f64, DiscountError> {
        let (Periods { length, delta }, all) = (periods, periods.until(horizon));
        let within = |k: u32| -> Result<f64, DiscountError> {
            let (from, to) = periods.span(k, horizon);
            let stays = self.stays(age, from);
            let time = if stays > 0.0 { stays * self.time_left(age + from, to - from, 0.0)? } else { 0.0 };
            Ok(periods.factor(k) * time)
        };
        let mut sum = Compensated::default();
        for k in 1..=all.min(ONE_BY_ONE) {
            sum.add(within(k)?);
        }
        if all > ONE_BY_ONE {
            // The last period may be cut.
            let (from, to) = (
                length * f64::from(ONE_BY_ONE),
                if horizon.is_finite() { length * f64::from(all - 1) } else { f64::INFINITY },
            );
            let height = |u: f64| if u.is_finite() { self.stays(age, u) * libm::exp(-delta * u) } else { 0.0 };
            let (start, y) = (height(from), delta * length);
            let mean = -libm::expm1(-y) / y;
            if start > 0.0 {
                sum.add(mean * start * self.time_left(age + from, to - from, delta)?);
                sum.add(length * (1.0 / libm::expm1(y) - mean / y) * (start - height(to)));
            }
            if to.is_finite() {
                sum.add(within(all)?);
            }
        }
        Ok(sum.value())
    }

    /// Such customers who leave at `kept` times their rate, and the age at which they are as those of `age`: `kept > 0`.
    /// `None` where none of the model are.
    fn at_rates(&self, age: f64, kept: f64) -> Option<(Self, f64)>
    where
        Self: Sized;

    /// The same where every customer leaves at `kept` times its rate: `S` becomes `(1 + kept (S^{−1/r} − 1))^{−r}`.
    ///
    /// Customers of another scale are such; where there are none, Gauss–Legendre on panels within the periods, relative error
    /// below 1e-11.
    ///
    /// * `age`: `> 0`. * `horizon`: finite. * `kept`: `>= 0`.
    ///
    /// # Errors
    /// [`DiscountError`] of a rate that is negative or no number.
    fn worth_at_rates(&self, age: f64, horizon: f64, timing: Timing, kept: f64) -> Result<f64, DiscountError>
    where
        Self: Sized,
    {
        if kept == 0.0 {
            return Ok(timing.annuity(horizon));
        }
        match self.at_rates(age, kept) {
            Some((slower, age)) => slower.worth(age, horizon, timing),
            None => Ok(self.worth_by_quadrature(age, horizon, timing, kept)),
        }
    }

    /// [`AnyTime::worth_at_rates`] by quadrature.
    fn worth_by_quadrature(&self, age: f64, horizon: f64, timing: Timing, kept: f64) -> f64 {
        let r = self.shape();
        let stays = |u: f64| {
            let left = libm::expm1(-libm::log(self.stays(age, u)) / r);
            libm::exp(-r * libm::log1p(kept * left))
        };
        let mut sum = Compensated::default();
        let mut within = |start: f64, end: f64, factor: &dyn Fn(f64) -> f64| {
            let mut from = start;
            while from < end {
                let to = end.min(from + (age + from) / PANELS_IN_E);
                sum.add(PANEL.on(from, to).map(|(u, weight)| weight * factor(u) * stays(u)).sum());
                from = to;
            }
        };
        match timing.periods() {
            None => within(0.0, horizon, &|u| libm::exp(-timing.delta * u)),
            Some(periods) => {
                for k in 1..=periods.until(horizon) {
                    let ((from, to), factor) = (periods.span(k, horizon), periods.factor(k));
                    within(from, to, &|_| factor);
                }
            }
        }
        sum.value()
    }
}

impl AnyTime for ExponentialGamma {
    fn shape(&self) -> f64 {
        self.r
    }

    /// `λ ~ Gamma(r, α+T)` becomes `Gamma(r, (α+T)/kept)`: that of a new customer.
    fn at_rates(&self, age: f64, kept: f64) -> Option<(Self, f64)> {
        Some((Self { alpha: (self.alpha + age) / kept, ..*self }, 0.0))
    }

    fn stays(&self, age: f64, u: f64) -> f64 {
        self.survival_after(age, u)
    }

    fn time_left(&self, age: f64, horizon: f64, delta: f64) -> Result<f64, DiscountError> {
        self.residual_lifetime(age, horizon, delta)
    }
}

impl AnyTime for WeibullGamma {
    fn shape(&self) -> f64 {
        self.r
    }

    /// `(α + T^c)/kept − T^c` for `α`, where that is positive: always where fewer leave.
    fn at_rates(&self, age: f64, kept: f64) -> Option<(Self, f64)> {
        let alpha = (self.alpha + (1.0 - kept) * libm::pow(age, self.c)) / kept;
        (alpha > 0.0).then_some((Self { alpha, ..*self }, age))
    }

    fn stays(&self, age: f64, u: f64) -> f64 {
        self.survival_after(age, u)
    }

    fn time_left(&self, age: f64, horizon: f64, delta: f64) -> Result<f64, DiscountError> {
        self.residual_lifetime(age, horizon, delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPONENTIAL: ExponentialGamma = ExponentialGamma { r: 0.9, alpha: 1.4 };
    const WEIBULL: WeibullGamma = WeibullGamma { r: 0.8, alpha: 2.1, c: 1.4 };
    const YEAR: f64 = 365.25;

    fn at(delta: f64, days: f64) -> Timing {
        Timing { delta, period: Some(days / YEAR) }
    }

    /// mpmath, 25 digits: `Σ 1.1^{−kP} F_k` after seven years, `F_k` from the closed form (exponential-gamma) or from quadrature
    /// of each period, all periods up to 1e-24 or five years; a year has 1,827 days begun, 261 weeks, 60 months.
    #[test]
    fn time_counts_at_the_end_of_its_days_weeks_months_and_years() {
        let rate = libm::log(1.1);
        for (days, for_ever, five_years) in [
            (1.0, 6.107_684_941_008_186, 3.247_492_360_986_757),
            (7.0, 6.102_903_477_554_709, 3.244_949_200_437_243),
            (YEAR / 12.0, 6.084_232_725_111_413, 3.235_019_388_362_976),
            (YEAR, 5.818_848_286_261_266, 3.093_460_228_544_509),
        ] {
            for (horizon, expected) in [(f64::INFINITY, for_ever), (5.0, five_years)] {
                let found = EXPONENTIAL.worth(7.0, horizon, at(rate, days)).unwrap();
                assert!((found / expected - 1.0).abs() < 1e-11, "{days} {horizon}: {found} is not {expected}");
            }
        }
        for (days, horizon, expected) in [
            (7.0, 5.0, 3.055_571_166_430_704),
            (YEAR / 12.0, 5.0, 3.046_216_432_399_547),
            (YEAR, 5.0, 2.912_287_120_599_788),
            (YEAR / 12.0, f64::INFINITY, 5.304_485_913_443_783),
            (YEAR, f64::INFINITY, 5.072_152_676_844_857),
        ] {
            let found = WEIBULL.worth(7.0, horizon, at(rate, days)).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-11, "{days} {horizon}: {found} is not {expected}");
        }
    }

    #[test]
    fn many_periods_are_their_sum_one_by_one() {
        // New customers too, and some of whom most leave within a few periods.
        let steep = WeibullGamma { r: 12.0, alpha: 40.0, c: 0.7 };
        for (age, horizon, days) in [(0.0, 3.0, 1.0), (0.01, 2.499, 1.0), (2.0, 30.0, 7.0), (0.0, 90.0, 30.0)] {
            for delta in [0.02, 0.4] {
                let timing = at(delta, days);
                let periods = timing.periods().unwrap();
                for model in [WEIBULL, steep] {
                    let one = |k: u32| {
                        let (from, to) = periods.span(k, horizon);
                        let left = model.stays(age, from) * model.time_left(age + from, to - from, 0.0).unwrap();
                        periods.factor(k) * left
                    };
                    let sum: f64 = (1..=periods.until(horizon)).map(one).sum();
                    let found = model.worth(age, horizon, timing).unwrap();
                    assert!((found / sum - 1.0).abs() < 2e-11, "{age} {horizon} {days} {delta}: {found} is not {sum}");
                }
            }
        }
    }

    /// Rates that are `kept` times what they were leave the family at an age: of `α` and `T^c` in it `kept` is
    /// `(α + T^c)/kept − T^c` for `α`.
    #[test]
    fn who_leaves_more_slowly_is_as_of_another_scale() {
        for (kept, age) in [(1.0, 7.0), (0.6, 7.0), (0.25, 0.003), (0.9, 20.0)] {
            for days in [None, Some(7.0), Some(YEAR)] {
                let timing = Timing { delta: 0.09, period: days.map(|days| days / YEAR) };
                for horizon in [0.5, 5.0] {
                    let slower = |alpha: f64, c: f64| (alpha + libm::pow(age, c)) / kept - libm::pow(age, c);
                    let expected = [
                        ExponentialGamma { alpha: slower(EXPONENTIAL.alpha, 1.0), ..EXPONENTIAL }
                            .worth(age, horizon, timing),
                        WeibullGamma { alpha: slower(WEIBULL.alpha, WEIBULL.c), ..WEIBULL }.worth(age, horizon, timing),
                    ];
                    let found = [
                        EXPONENTIAL.worth_by_quadrature(age, horizon, timing, kept),
                        WEIBULL.worth_by_quadrature(age, horizon, timing, kept),
                    ];
                    let closed = [
                        EXPONENTIAL.worth_at_rates(age, horizon, timing, kept),
                        WEIBULL.worth_at_rates(age, horizon, timing, kept),
                    ];
                    for ((found, expected), closed) in found.into_iter().zip(expected).zip(closed) {
                        let expected = expected.unwrap();
                        assert!((closed.unwrap() / expected - 1.0).abs() < 1e-11, "{kept} {age} {days:?}");
                        assert!(
                            (found / expected - 1.0).abs() < 1e-11,
                            "{kept} {age} {days:?}: {found} is not {expected}"
                        );
                    }
                }
            }
        }
        // Nobody leaves; more leave than did.
        let timing = Timing { delta: 0.09, period: None };
        let worth = |age, kept| WEIBULL.worth_at_rates(age, 3.0, timing, kept).unwrap();
        assert!((worth(2.0, 0.0) - timing.annuity(3.0)).abs() < 1e-15);
        // Of another scale no longer: by quadrature.
        assert!(WEIBULL.at_rates(8.0, 2.0).is_none() && worth(8.0, 2.0) < worth(8.0, 1.0));
    }

    #[test]
    fn short_periods_are_no_periods_and_a_rate_of_nothing_is_none() {
        let (continuous, daily) = (Timing { delta: 0.1, period: None }, at(0.1, 1e-4));
        for horizon in [3.0, f64::INFINITY] {
            let (at_once, daily) =
                (WEIBULL.worth(1.0, horizon, continuous).unwrap(), WEIBULL.worth(1.0, horizon, daily).unwrap());
            assert!((daily / at_once - 1.0).abs() < 1e-7 && daily < at_once, "{daily} {at_once}");
        }
        let time = WEIBULL.time_left(1.0, 3.0, 0.0).unwrap();
        assert!((WEIBULL.worth(1.0, 3.0, at(0.0, 7.0)).unwrap() - time).abs() < 1e-15);
        assert_eq!(EXPONENTIAL.worth(1.0, f64::INFINITY, at(0.0, 7.0)), Err(DiscountError::Infinite));
    }
}
