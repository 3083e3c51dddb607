//! What something to come is worth now: at the moment when it happens, or at the end of a period.
//!
//! At a continuous rate `δ` what happens at `t` is worth `e^{−δt}`; where things count at the end of their period, of length
//! `P`, it is worth `e^{−δkP}` in the `k`-th one from now.
//!
//! ```
//! use whalecurve::numeric::discounting::Timing;
//!
//! // 10 % a year: half a year from now, and at the end of the first year.
//! let rate = 1.1_f64.ln();
//! let timing = Timing { delta: rate, period: None };
//! assert!((timing.factor(0.5) - 1.1_f64.powf(-0.5)).abs() < 1e-15);
//! let at_the_end = Timing { period: Some(1.0), ..timing };
//! assert!((at_the_end.factor(0.5) - 1.0 / 1.1).abs() < 1e-15);
//! ```
//!
//! Source: Fader & Hardie, Customer-Base Valuation in a Contractual Setting, Marketing Science 29 (2010), on discounting
//! at the period's end.

/// When what is to come counts, and at which rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Continuous discount rate per time unit, `>= 0`.
    pub delta: f64,
    /// Time units of a period at whose end things count; `None` where they count when they happen.
    pub period: Option<f64>,
}

impl Timing {
    /// What a unit at `t >= 0` is worth.
    #[must_use]
    pub fn factor(&self, t: f64) -> f64 {
        match self.periods() {
            Some(periods) => periods.factor(periods.until(t)),
            None => libm::exp(-self.delta * t),
        }
    }

    /// What one unit a time unit from now until `t >= 0` is worth; `t` without a discount.
    #[must_use]
    pub fn annuity(&self, t: f64) -> f64 {
        let Self { delta, .. } = *self;
        if delta == 0.0 {
            return t;
        }
        let Some(periods) = self.periods() else { return -libm::expm1(-delta * t) / delta };
        let Periods { length, .. } = periods;
        let last = periods.until(t).max(1);
        // Whole periods, `P Σ_{k<=n} q^k`, and the one that `t` lies in.
        let whole = f64::from(last - 1);
        let sum = periods.factor(1) * libm::expm1(-delta * length * whole) / libm::expm1(-delta * length);
        length * sum + (t - length * whole) * periods.factor(last)
    }

    /// Whether units a time unit apart are worth `e^{−δ}` of each other: when they happen, or where a time unit is whole periods.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.period.is_none_or(|length| (1.0 / length - libm::round(1.0 / length)).abs() < 1e-9 && length < 1.5)
    }

    /// The periods, where there are any.
    #[must_use]
    pub fn periods(&self) -> Option<Periods> {
        self.period.map(|length| Periods { length, delta: self.delta })
    }
}

/// What counts at the end of its period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Periods {
    /// Length of a period, time units, `> 0`.
    pub length: f64,
    /// Continuous discount rate per time unit, `>= 0`.
    pub delta: f64,
}

impl Periods {
    /// Periods up to `t`, the last one begun: the number of the one that `t` lies in.
    #[must_use]
    pub fn until(&self, t: f64) -> u32 {
        // A time of whole periods may miss the last bit of their product.
        libm::ceil(t / self.length * (1.0 - 4.0 * f64::EPSILON)).max(0.0) as u32
    }

    /// The factor of the `k`-th period, from 1.
    #[must_use]
    pub fn factor(&self, k: u32) -> f64 {
        libm::exp(-self.delta * self.length * f64::from(k))
    }

    /// Start and end of the `k`-th period, from 1, cut at the horizon.
    #[must_use]
    pub fn span(&self, k: u32, horizon: f64) -> (f64, f64) {
        let from = self.length * f64::from(k - 1);
        let to = self.length * f64::from(k);
        (from, if to >= horizon * (1.0 - 4.0 * f64::EPSILON) { horizon } else { to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annuities_are_the_sums_of_the_factors() {
        for (delta, length) in [(0.1, 1.0), (0.02, 2.5), (1e-9, 0.25), (0.4, 7.0)] {
            let timing = Timing { delta, period: Some(length) };
            for t in [0.0, 0.1, 1.0, 6.9, 7.0, 21.3] {
                let steps = 100_000_u32;
                let width = t / f64::from(steps);
                let sum: f64 = (0..steps).map(|i| width * timing.factor(width * (f64::from(i) + 0.5))).sum();
                assert!((timing.annuity(t) - sum).abs() <= 2e-5 * t, "{delta} {length} {t}: {sum}");
            }
            // As the rate goes to nothing, so does the difference to time itself.
            assert!((Timing { delta: 1e-15, period: Some(length) }.annuity(21.3) / 21.3 - 1.0).abs() < 1e-13);
        }
        assert!((Timing { delta: 0.0, period: Some(2.0) }.annuity(3.0) - 3.0).abs() < 1e-15);
        let continuous = Timing { delta: 0.1, period: None };
        assert!((continuous.annuity(3.0) - (1.0 - libm::exp(-0.3)) / 0.1).abs() < 1e-14);
    }

    #[test]
    fn a_time_of_whole_periods_lies_in_the_last_of_them() {
        // 28 days are four weeks, in whatever unit.
        for unit in [1.0, 7.0, 365.25 / 12.0, 365.25] {
            let timing = Timing { delta: 0.01, period: Some(7.0 / unit) };
            for weeks in 0..200_u32 {
                let found = timing.factor(f64::from(7 * weeks) / unit);
                assert!((found / libm::exp(-0.01 * f64::from(7 * weeks) / unit) - 1.0).abs() < 1e-12, "{unit} {weeks}");
            }
        }
    }
}
