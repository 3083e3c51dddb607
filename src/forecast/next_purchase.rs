//! When a customer who is alive buys next.
//!
//! Who may leave after a purchase alone certainly buys once more, so the waiting time is that of the purchase process: a
//! Lomax distribution under BG/NBD and MBG/NBD, a mixture of negative binomial counts where a purchase takes `k` phases.
//! Who may leave at any time may do so before the next purchase, which then never comes.
//!
//! ```
//! use whalecurve::forecast::{bg_nbd::BgNbd, pareto_nbd::ParetoNbd, purchase_model::PurchaseModel};
//!
//! // Two purchases, the last one after 30.43 of 38.86 weeks.
//! let model = PurchaseModel::from(BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 });
//! let next = model.next_purchase(2.0, 30.43, 38.86, 5_000.0);
//! let median = next.quantile(0.5).expect("it comes");
//! assert!((next.probability_by(median) - 0.5).abs() < 1e-12);
//!
//! // A customer who may leave at any time need not come back.
//! let model = PurchaseModel::from(ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 });
//! let next = model.next_purchase(0.0, 0.0, 39.0, 5_000.0);
//! assert!(next.quantile(0.5).is_none());
//! ```

use super::purchase_model::{Dropout, PurchaseModel, WhileAlive};
use crate::numeric::quadrature::Rule;
use std::sync::LazyLock;

static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// A panel may fall by `e^{−8}`, and is as wide as twice the way to the nearest singularity: sixteen nodes then leave less
/// than 1e-14.
const STEEPEST: f64 = 8.0;
const WIDEST: f64 = 2.0;
/// What is left of a survival probability of `e^{−40}` has no digit in common with what came before.
const FORGOTTEN: f64 = 40.0;
/// Newton's steps and halvings of a bracket, together, that find a quantile to its last bits.
const MOST_STEPS: usize = 200;
/// A step of this share of the time has arrived.
const ARRIVED: f64 = 1e-14;

/// The distribution of the time to the next purchase of a customer who is alive.
#[derive(Debug, Clone, PartialEq)]
pub struct NextPurchase {
    way: Way,
    longest: f64,
}

/// How the next purchase comes.
#[derive(Debug, Clone, PartialEq)]
enum Way {
    /// At rate `λ ~ Gamma(shape, scale)`.
    ByChance { shape: f64, scale: f64 },
    /// At the end of `k` phases of which `j` have passed with this probability; phases at rate `Gamma(shape+j, scale)`.
    ByPhases { shape: f64, scale: f64, passed: Vec<f64> },
    /// By chance, unless the customer leaves before.
    Racing(Race),
}

/// A purchase at rate `λ ~ Gamma(shape, scale)` against departure at rate `μ ~ Gamma(s, left)`.
#[derive(Debug, Clone, PartialEq)]
struct Race {
    shape: f64,
    scale: f64,
    s: f64,
    left: f64,
    /// Ends of the panels, and the probability of a purchase by each.
    ends: Vec<f64>,
    by: Vec<f64>,
}

impl PurchaseModel {
    /// When a customer who is alive at `T` buys next.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    /// * `longest`: what lies farther ahead than this is not told apart from never; model time units, `> 0`, finite.
    #[must_use]
    pub fn next_purchase(&self, x: f64, t_x: f64, age: f64, longest: f64) -> NextPurchase {
        NextPurchase::new(&self.while_alive(), x, t_x, age, longest)
    }
}

impl NextPurchase {
    /// As [`PurchaseModel::next_purchase`].
    #[must_use]
    pub fn new(model: &WhileAlive, x: f64, t_x: f64, age: f64, longest: f64) -> Self {
        let (shape, scale) = (model.r + f64::from(model.phases) * x, model.alpha + age);
        let way = match model.dropout {
            Dropout::AnyTime { s, beta } => Way::Racing(Race::new(shape, scale, s, beta + age, longest)),
            Dropout::AfterPurchase { .. } if model.phases == 1 => Way::ByChance { shape, scale },
            Dropout::AfterPurchase { .. } => {
                let (silence, mut weight) = ((age - t_x) / scale, 1.0);
                let mut passed: Vec<f64> = Vec::with_capacity(model.phases as usize);
                for j in 0..model.phases {
                    passed.push(weight);
                    weight *= (shape + f64::from(j)) * silence / f64::from(j + 1);
                }
                let total: f64 = passed.iter().sum();
                for weight in &mut passed {
                    *weight /= total;
                }
                Way::ByPhases { shape, scale, passed }
            }
        };
        Self { way, longest }
    }

    /// The probability of at least one purchase in the next `t`: `1 − P(0)`.
    ///
    /// `1 − (α'/(α'+t))^{r'}` with `r' = r+x`, `α' = α+T` where the customer leaves after a purchase alone;
    /// `Σ_j q_j P(N_j(t) >= k−j)` where a purchase takes `k` phases of which `j` have passed; and
    /// `∫_0^t r'/(α'+u) (α'/(α'+u))^{r'} (β'/(β'+u))^s du`, `β' = β+T`, where it may leave at any time, by quadrature.
    /// Absolute error below 1e-13.
    ///
    /// * `t`: model time units, from 0 to `longest`.
    #[must_use]
    pub fn probability_by(&self, t: f64) -> f64 {
        let t = t.clamp(0.0, self.longest);
        match &self.way {
            Way::ByChance { shape, scale } => -libm::expm1(-shape * libm::log1p(t / scale)),
            Way::ByPhases { shape, scale, passed } => {
                let by = |(j, weight): (u32, &f64)| {
                    let needed = passed.len() as u32 - j;
                    weight * at_least(needed, shape + f64::from(j), t / scale)
                };
                (0..).zip(passed).map(by).sum()
            }
            Way::Racing(race) => race.probability_by(t),
        }
    }

    /// Density of the time to the next purchase, per model time unit.
    #[must_use]
    pub fn density(&self, t: f64) -> f64 {
        match &self.way {
            Way::ByChance { shape, scale } => shape / (scale + t) * libm::exp(-shape * libm::log1p(t / scale)),
            Way::ByPhases { shape, scale, passed } => {
                let k = passed.len() as u32;
                let rate = (shape + f64::from(k) - 1.0) / (scale + t);
                let before = |(j, weight): (u32, &f64)| weight * exactly(k - j - 1, shape + f64::from(j), t / scale);
                rate * (0..).zip(passed).map(before).sum::<f64>()
            }
            Way::Racing(race) => race.density(t),
        }
    }

    /// The time by which the next purchase has come with probability `q`; `None` where that is never so, or not within
    /// `longest`.
    ///
    /// * `q`: from 0 to 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if let Way::ByChance { shape, scale } = self.way {
            let time = scale * libm::expm1(-libm::log1p(-q) / shape);
            return (time <= self.longest).then_some(time);
        }
        // Written so that no comparison with NaN passes.
        let reached = self.probability_by(self.longest) >= q;
        if !reached {
            return None;
        }
        let (mut low, mut high) = match &self.way {
            Way::Racing(race) => race.panel_of(q),
            _ => (0.0, self.longest),
        };
        let mut time = self.first_guess().clamp(low, high);
        for _ in 0..MOST_STEPS {
            let above = self.probability_by(time) - q;
            if above < 0.0 {
                low = time;
            } else {
                high = time;
            }
            let newton = time - above / self.density(time);
            // Between times of different size the geometric middle is nearer.
            let middle = if low > 0.0 { libm::sqrt(low * high) } else { 0.5 * high };
            let next = if newton > low && newton < high { newton } else { middle };
            let arrived = (next - time).abs() <= ARRIVED * time || high - low <= ARRIVED * high;
            time = next;
            if arrived {
                break;
            }
        }
        Some(time)
    }

    /// The mean time to the next purchase given that it comes within `t`: `∫_0^t u f(u) du / F(t)`.
    ///
    /// Without such a bound it is infinite for `r' <= 1`, as for every customer who has bought once and `r < 1`. By
    /// quadrature, relative error below 1e-12; 0 for `t = 0`.
    ///
    /// * `t`: model time units, from 0 to `longest`.
    #[must_use]
    pub fn mean_within(&self, t: f64) -> f64 {
        let t = t.clamp(0.0, self.longest);
        let (mut by, mut sum, mut from) = (0.0, 0.0, 0.0);
        while from < t {
            let to = t.min(self.panel_end(from));
            for (u, weight) in PANEL.on(from, to) {
                let density = weight * self.density(u);
                by += density;
                sum += u * density;
            }
            from = to;
        }
        if by > 0.0 { sum / by } else { 0.0 }
    }

    fn panel_end(&self, from: f64) -> f64 {
        match &self.way {
            Way::ByChance { shape, scale } => panel_end(from, *shape + 1.0, *scale, 0.0, *scale),
            Way::ByPhases { shape, scale, passed } => {
                panel_end(from, *shape + passed.len() as f64, *scale, 0.0, *scale)
            }
            Way::Racing(race) => race.panel_end(from),
        }
    }

    /// A mean gap between purchases.
    fn first_guess(&self) -> f64 {
        match &self.way {
            Way::ByChance { shape, scale } => scale / shape,
            Way::ByPhases { shape, scale, passed } => passed.len() as f64 * scale / shape,
            Way::Racing(race) => race.scale / race.shape,
        }
    }
}

impl Race {
    fn new(shape: f64, scale: f64, s: f64, left: f64, longest: f64) -> Self {
        let mut race = Self { shape, scale, s, left, ends: Vec::new(), by: Vec::new() };
        let (mut from, mut by) = (0.0, 0.0);
        while from < longest && race.fall(from) < FORGOTTEN {
            let to = longest.min(race.panel_end(from));
            by += race.between(from, to);
            race.ends.push(to);
            race.by.push(by);
            from = to;
        }
        race
    }

    /// `−ln` of the probability of neither a purchase nor a departure by `t`.
    fn fall(&self, t: f64) -> f64 {
        self.shape * libm::log1p(t / self.scale) + self.s * libm::log1p(t / self.left)
    }

    fn density(&self, t: f64) -> f64 {
        self.shape / (self.scale + t) * libm::exp(-self.fall(t))
    }

    fn between(&self, from: f64, to: f64) -> f64 {
        PANEL.on(from, to).map(|(u, weight)| weight * self.density(u)).sum()
    }

    fn panel_end(&self, from: f64) -> f64 {
        panel_end(from, self.shape + 1.0, self.scale, self.s, self.left)
    }

    /// Start of the panel that `at` ends or lies in, and what has come before it.
    fn before(&self, at: usize) -> (f64, f64) {
        match at.checked_sub(1) {
            Some(before) => (self.ends[before], self.by[before]),
            None => (0.0, 0.0),
        }
    }

    fn probability_by(&self, t: f64) -> f64 {
        let at = self.ends.partition_point(|end| *end <= t);
        let (from, by) = self.before(at);
        if at == self.ends.len() { by } else { by + self.between(from, t) }
    }

    /// The panel in which the probability reaches `q`, which it does.
    fn panel_of(&self, q: f64) -> (f64, f64) {
        let at = self.by.partition_point(|by| *by < q).min(self.ends.len().saturating_sub(1));
        (self.before(at).0, self.ends.get(at).copied().unwrap_or(0.0))
    }
}

/// End of a panel that starts at `from`, for an integrand `(1+u/a)^{−n} (1+u/b)^{−s}`.
fn panel_end(from: f64, n: f64, a: f64, s: f64, b: f64) -> f64 {
    let (a, b) = (a + from, b + from);
    from + (WIDEST * a.min(b)).min(STEEPEST / (n / a + s / b))
}

/// `P(N >= needed)` of negative binomial counts.
fn at_least(needed: u32, shape: f64, odds: f64) -> f64 {
    let (mut fewer, mut probability) = (0.0, libm::exp(-shape * libm::log1p(odds)));
    let z = odds / (1.0 + odds);
    for n in 0..needed {
        fewer += probability;
        probability *= (shape + f64::from(n)) / f64::from(n + 1) * z;
    }
    (1.0 - fewer).max(0.0)
}

/// `P(N = n)` of negative binomial counts.
fn exactly(n: u32, shape: f64, odds: f64) -> f64 {
    let z = odds / (1.0 + odds);
    let first = libm::exp(-shape * libm::log1p(odds));
    (0..n).fold(first, |probability, m| probability * (shape + f64::from(m)) / f64::from(m + 1) * z)
}
