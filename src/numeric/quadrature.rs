//! Gauss–Legendre quadrature on panels that widen geometrically.

/// Nodes and weights of Gauss–Legendre quadrature on `[−1, 1]`.
///
/// An order-`n` rule is exact for polynomials up to degree `2n − 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<const N: usize> {
    /// Nodes, ascending.
    pub nodes: [f64; N],
    /// Weights, in node order; they sum to 2.
    pub weights: [f64; N],
}

impl<const N: usize> Rule<N> {
    /// The rule of order `N`: roots of the Legendre polynomial `P_N` by Newton's method, weights `2/((1−x²) P′_N(x)²)`.
    ///
    /// Source: Abramowitz & Stegun (1964), 25.4.29 and 22.16.6.
    #[must_use]
    pub fn legendre() -> Self {
        let mut rule = Self { nodes: [0.0; N], weights: [0.0; N] };
        let order = N as f64;
        for i in 0..N.div_ceil(2) {
            let mut x = libm::cos(std::f64::consts::PI * (i as f64 + 0.75) / (order + 0.5));
            let mut slope = 1.0;
            // Newton doubles the digits: from this start five steps reach the last bit.
            for _ in 0..6 {
                let value;
                (value, slope) = legendre_polynomial(N, x);
                x -= value / slope;
            }
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            let mirror = N - 1 - i;
            rule.nodes[i] = -x;
            rule.nodes[mirror] = x;
            rule.weights[i] = weight;
            rule.weights[mirror] = weight;
        }
        rule
    }

    /// The rule's points mapped to `[from, to]`: `(u, weight)`, ascending.
    pub fn on(&self, from: f64, to: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
        self.nodes.iter().zip(&self.weights).map(move |(node, weight)| (middle + half * node, half * weight))
    }
}

/// Integrals of functions from the start of a panel to any place on it: those of the polynomials through their values at a rule's
/// nodes, as Legendre series. For analytic functions as near as the rule of half the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Integrals<const F: usize> {
    panel: (f64, f64),
    /// One for each Legendre polynomial, of every function.
    series: Vec<[f64; F]>,
}

impl<const F: usize> Integrals<F> {
    /// * `rule`: whose nodes. * `panel`: start and end. * `values`: of every function at the nodes on the panel, ascending.
    ///
    /// Source: Abramowitz & Stegun (1964), 22.2.10 (orthogonality) and 8.5.3, 8.5.4 (integral of `P_n`).
    #[must_use]
    pub fn new<const N: usize>(rule: &Rule<N>, panel: (f64, f64), values: &[[f64; F]; N]) -> Self {
        let half = 0.5 * (panel.1 - panel.0);
        let mut series = vec![[0.0; F]; N + 1];
        for n in 0..N {
            // The function's coefficient of P_n, then its part in the integral: (P_{n+1} − P_{n−1})/(2n+1), P_1 + P_0 for n = 0.
            let mut of = [0.0; F];
            for ((node, weight), values) in rule.nodes.iter().zip(&rule.weights).zip(values) {
                let polynomial = weight * if n == 0 { 1.0 } else { legendre_polynomial(n, *node).0 };
                for (of, value) in of.iter_mut().zip(values) {
                    *of += half * 0.5 * polynomial * value;
                }
            }
            for (f, of) in of.iter().enumerate() {
                series[n + 1][f] += of;
                series[n.saturating_sub(1)][f] += if n == 0 { *of } else { -of };
            }
        }
        Self { panel, series }
    }

    /// The integrals from the panel's start to `u`, a place on it.
    #[must_use]
    pub fn until(&self, u: f64) -> [f64; F] {
        let (from, to) = self.panel;
        let x = ((u - from) - (to - u)) / (to - from);
        let (mut before, mut value) = (0.0, 1.0);
        let mut sum = [0.0; F];
        for (n, of) in self.series.iter().enumerate() {
            for (sum, of) in sum.iter_mut().zip(of) {
                *sum += of * value;
            }
            let k = n as f64;
            (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
        }
        sum
    }
}

/// `(P_n(x), P′_n(x))` by the three-term recurrence.
fn legendre_polynomial(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

/// Panels `[from, to]` that cover `[0, end]`: the first is `first` wide, each next one as wide as all before it.
///
/// For integrands that are analytic on the half line with a singularity at about `−first`, every panel then
/// converges at the same rate. Yields nothing for `end <= 0`.
///
/// * `first`: width of the first panel, `> 0`.
pub fn doubling_panels(first: f64, end: f64) -> impl Iterator<Item = (f64, f64)> {
    let mut from: f64 = 0.0;
    let mut width = first;
    std::iter::from_fn(move || {
        if from.is_nan() || from >= end || end.is_nan() {
            return None;
        }
        // A sliver left for a last panel of its own would cost as much as a whole one.
        let to = if from + 1.1 * width >= end { end } else { from + width };
        let panel = (from, to);
        from = to;
        width = to.max(first);
        Some(panel)
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    const EXACT: f64 = 4e-15;

    #[test]
    fn a_rule_is_exact_up_to_its_degree() {
        let rule = Rule::<16>::legendre();
        for degree in 0..32_i32 {
            let found: f64 = rule.on(0.0, 1.0).map(|(u, w)| w * u.powi(degree)).sum();
            let expected = 1.0 / f64::from(degree + 1);
            assert!((found - expected).abs() < EXACT, "degree {degree}: {found} is not {expected}");
        }
    }

    #[test]
    fn integrals_up_to_any_place_are_those_of_the_functions() {
        let rule = Rule::<32>::legendre();
        let (from, to) = (1.0, 3.0);
        let at = |u: f64| [libm::exp(-u), 1.0 / (1.0 + u), 2.0];
        let mut values = [[0.0; 3]; 32];
        for (values, (u, _)) in values.iter_mut().zip(rule.on(from, to)) {
            *values = at(u);
        }
        let integrals = Integrals::new(&rule, (from, to), &values);
        for u in [1.0, 1.0001, 1.7, 2.9, 3.0] {
            let expected = [libm::exp(-1.0) - libm::exp(-u), libm::log(f64::midpoint(1.0, u)), 2.0 * (u - 1.0)];
            for (found, expected) in integrals.until(u).into_iter().zip(expected) {
                assert!((found - expected).abs() < EXACT, "{u}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn nodes_and_weights_match_the_published_table() {
        // Abramowitz & Stegun (1964), table 25.4, n = 32: the innermost and outermost pair.
        let rule = Rule::<32>::legendre();
        assert!((rule.nodes[16] - 0.048_307_665_687_738_32).abs() < EXACT);
        assert!((rule.weights[16] - 0.096_540_088_514_727_8).abs() < EXACT);
        assert!((rule.nodes[31] - 0.997_263_861_849_481_6).abs() < EXACT);
        assert!((rule.weights[31] - 0.007_018_610_009_470_097).abs() < EXACT);
    }

    #[test]
    fn panels_cover_the_interval_once() {
        for (first, end) in [(1.0, 0.3), (1.0, 1.05), (0.01, 52.0), (7.0, 700.0)] {
            let panels: Vec<_> = doubling_panels(first, end).collect();
            assert!(panels[0].0 == 0.0 && panels[panels.len() - 1].1 == end);
            assert!(panels.windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[0].0 < pair[0].1));
        }
        assert_eq!(doubling_panels(1.0, 0.0).count(), 0);
    }

    #[test]
    fn a_long_tail_is_integrated_to_the_last_digits() {
        let rule = Rule::<16>::legendre();
        let found: f64 = doubling_panels(1.0, 1e6)
            .flat_map(|(from, to)| rule.on(from, to).collect::<Vec<_>>())
            .map(|(u, w)| w / ((1.0 + u) * (1.0 + u)))
            .sum();
        let expected = 1.0 - 1.0 / (1.0 + 1e6);
        assert!((found - expected).abs() < 1e-13, "{found} is not {expected}");
    }
}
