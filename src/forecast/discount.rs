//! Discount factors and annuities at any time up to the horizon, from a table instead of an exponential each.

use crate::numeric::discounting::{Periods, Timing};

/// Cells at least; and the largest step of `δ t` within a cell, for which the series below are good to 1e-16.
const CELLS: usize = 256;
const STEP: f64 = 1.0 / 512.0;
/// Above this many cells the table would not stay in the caches: exponentials take its place.
const MOST_CELLS: f64 = 16_384.0;

/// `e^{−δt}` and `(1 − e^{−δt})/δ` for `0 <= t <= horizon`.
///
/// From the nearest cell below, at `t_i`: `e^{−δt} = e^{−δ t_i} (1 − d + d²/2 − …)` with `d = δ (t − t_i)`.
#[derive(Debug, Clone)]
pub(super) struct Discount {
    delta: f64,
    horizon: f64,
    cell: f64,
    cells_per_time: f64,
    /// Factor and annuity at the start of each cell; empty where the horizon is too long for a table.
    table: Vec<(f64, f64)>,
}

impl Discount {
    /// * `horizon`: `> 0`. * `delta`: continuous rate, `>= 0`; 0 = no discount.
    pub(super) fn new(horizon: f64, delta: f64) -> Self {
        let cells = libm::ceil(horizon * delta / STEP).max(CELLS as f64);
        let mut discount =
            Self { delta, horizon, cell: horizon / cells, cells_per_time: cells / horizon, table: vec![] };
        if cells <= MOST_CELLS {
            discount.table = (0..=cells as usize).map(|i| discount.exact(discount.cell * i as f64)).collect();
        }
        discount
    }

    /// What happens in a period counts at its end: steps of `e^{−δkP}`.
    ///
    /// A cell is a period then, and the rate within it is 0.
    pub(super) fn per_period(horizon: f64, periods: Periods) -> Self {
        let cells = periods.until(horizon);
        let mut annuity = 0.0;
        let mut cell = |k: u32| {
            let here = (periods.factor(k), annuity);
            annuity += here.0 * periods.length;
            here
        };
        // A time that rounds to the end of the last period still has an entry.
        let table: Vec<(f64, f64)> = (1..=cells + 1).map(|k| cell(k.min(cells.max(1)))).collect();
        Self { delta: 0.0, horizon, cell: periods.length, cells_per_time: 1.0 / periods.length, table }
    }

    fn exact(&self, t: f64) -> (f64, f64) {
        let timing = Timing { delta: self.delta, period: None };
        (timing.factor(t), timing.annuity(t))
    }

    /// The entry of the cell that `t` lies in, and how far `t` is into it.
    #[inline]
    fn cell(&self, t: f64) -> Option<((f64, f64), f64)> {
        let at = (t * self.cells_per_time) as usize;
        let cell = self.table.get(at)?;
        Some((*cell, t - self.cell * at as f64))
    }

    /// `e^{−δt}`.
    #[inline]
    pub(super) fn factor(&self, t: f64) -> f64 {
        let Some(((factor, _), into)) = self.cell(t) else { return self.exact(t).0 };
        let d = self.delta * into;
        factor * (1.0 - d * (1.0 - d * (0.5 - d * (1.0 / 6.0 - d * (1.0 / 24.0 - d / 120.0)))))
    }

    /// `(1 − e^{−δt})/δ`: what one unit a time unit until `t` is worth; `t` without a discount.
    #[inline]
    pub(super) fn annuity(&self, t: f64) -> f64 {
        let Some(((factor, annuity), into)) = self.cell(t) else { return self.exact(t).1 };
        let d = self.delta * into;
        annuity + factor * into * (1.0 - d * (0.5 - d * (1.0 / 6.0 - d * (1.0 / 24.0 - d / 120.0))))
    }

    /// The horizon.
    #[inline]
    pub(super) fn horizon(&self) -> f64 {
        self.horizon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_factors_of_the_periods_and_their_annuities_add_up() {
        let periods = Periods { length: 2.5, delta: 0.03 };
        for horizon in [39.0, 40.0, 1.0] {
            let discount = Discount::per_period(horizon, periods);
            let mut expected = 0.0;
            let steps = 10_000;
            for i in 0..steps {
                let t = horizon * (f64::from(i) + 0.5) / f64::from(steps);
                let factor = libm::exp(-0.03 * 2.5 * libm::ceil(t / 2.5));
                assert!((discount.factor(t) - factor).abs() < 1e-15, "{horizon} {t}");
                expected += factor * horizon / f64::from(steps);
            }
            assert!((discount.annuity(horizon) / expected - 1.0).abs() < 1e-3, "{horizon}");
            assert!(discount.factor(horizon) > 0.0);
        }
        // Forty weeks are sixteen periods: Σ 2.5 q^k.
        let q = libm::exp(-0.075);
        let annuity = 2.5 * q * (1.0 - libm::pow(q, 16.0)) / (1.0 - q);
        assert!((Discount::per_period(40.0, periods).annuity(40.0) - annuity).abs() < 1e-12);
    }

    #[test]
    fn factors_and_annuities_are_those_of_the_exponential() {
        for (horizon, delta) in
            [(52.0, 0.002), (1.0, 0.0), (104.0, 0.01), (1e4, 1e-9), (3.0, 2.0), (50.0, 2.0), (365.0, 1e-14)]
        {
            let discount = Discount::new(horizon, delta);
            for i in 0..=1000 {
                let t = horizon * f64::from(i) / 1000.0;
                let (factor, annuity) = discount.exact(t);
                assert!((discount.factor(t) - factor).abs() <= 4e-16, "{horizon} {delta} {t}");
                assert!((discount.annuity(t) - annuity).abs() <= 4e-16 * horizon, "{horizon} {delta} {t}");
            }
        }
    }
}
