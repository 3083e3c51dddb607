//! Functions of the logarithms of four parameters with their first and second derivatives.

use crate::numeric::newton::Evaluation;

/// Value, four first and ten second derivatives (upper triangle, row by row).
pub(super) const TERMS: usize = 15;

/// A function of the logarithms of four parameters: value, first and second derivatives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jet {
    pub(super) value: f64,
    pub(super) first: [f64; 4],
    /// Upper triangle, row by row.
    pub(super) second: [f64; 10],
}

/// The terms of a sum as the optimiser takes them.
pub(super) fn evaluation(terms: [f64; TERMS]) -> Evaluation<4> {
    let [value, g0, g1, g2, g3, h00, h01, h02, h03, h11, h12, h13, h22, h23, h33] = terms;
    Evaluation {
        value,
        gradient: [g0, g1, g2, g3],
        hessian: [[h00, h01, h02, h03], [h01, h11, h12, h13], [h02, h12, h22, h23], [h03, h13, h23, h33]],
    }
}

/// `ln((θ+t+v)/(θ+t))` and its derivatives.
pub(super) struct Spread {
    pub(super) ln_growth: f64,
    /// Minus its derivative by `ln θ`.
    pub(super) slope: f64,
    /// Minus its second derivative by `ln θ`.
    pub(super) curve: f64,
}

impl Spread {
    pub(super) fn new(theta: f64, t: f64, v: f64) -> Self {
        let (from, to) = (theta + t, theta + t + v);
        let (from_share, to_share) = (theta / from, theta / to);
        let slope = from_share * (v / to);
        Self { ln_growth: libm::log1p(v / from), slope, curve: slope * (1.0 - from_share - to_share) }
    }
}

impl Jet {
    pub(super) const fn constant(value: f64) -> Self {
        Self { value, first: [0.0; 4], second: [0.0; 10] }
    }

    pub(super) fn flat(&self) -> [f64; TERMS] {
        let [a, b, c, d] = self.first;
        let [e, f, g, h, i, j, k, l, m, n] = self.second;
        [self.value, a, b, c, d, e, f, g, h, i, j, k, l, m, n]
    }

    #[inline]
    pub(super) fn add(&mut self, weight: f64, other: &Self) {
        self.value += weight * other.value;
        for (mine, theirs) in self.first.iter_mut().zip(&other.first) {
            *mine += weight * theirs;
        }
        for (mine, theirs) in self.second.iter_mut().zip(&other.second) {
            *mine += weight * theirs;
        }
    }

    /// Add `weight · e^{f}` for a function `f` with these derivatives, where `weight` holds its value already.
    #[inline]
    pub(super) fn add_exponential(&mut self, weight: f64, f: &Self) {
        self.value += weight;
        let mut at = 0;
        for i in 0..4 {
            self.first[i] += weight * f.first[i];
            for j in i..4 {
                self.second[at] += weight * (f.first[i] * f.first[j] + f.second[at]);
                at += 1;
            }
        }
    }

    /// Multiply by `e^{f}`.
    #[inline]
    pub(super) fn carry(&mut self, f: &Self) {
        let factor = libm::exp(f.value);
        let before = *self;
        self.value = factor * before.value;
        let mut at = 0;
        for i in 0..4 {
            self.first[i] = factor * (before.first[i] + f.first[i] * before.value);
            for j in i..4 {
                let own = f.first[i] * f.first[j] + f.second[at];
                let mixed = f.first[i] * before.first[j] + f.first[j] * before.first[i];
                self.second[at] = factor * (before.second[at] + mixed + own * before.value);
                at += 1;
            }
        }
    }

    /// `1 − f`.
    pub(super) fn complement(&self) -> Self {
        Self { value: 1.0 - self.value, first: self.first.map(|d| -d), second: self.second.map(|d| -d) }
    }

    /// `ln f` for `f > 0`.
    #[inline]
    pub(super) fn ln(&self) -> Self {
        let first = self.first.map(|d| d / self.value);
        let mut second = self.second.map(|d| d / self.value);
        let mut at = 0;
        for i in 0..4 {
            for j in i..4 {
                second[at] -= first[i] * first[j];
                at += 1;
            }
        }
        Self { value: libm::log(self.value), first, second }
    }
}
