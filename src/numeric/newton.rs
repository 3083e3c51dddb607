//! Maximum of a smooth function of a few parameters in a box, by Newton steps that never go down.
//!
//! [`maximise`] takes a number of parameters that the compiler knows, [`maximise_wide`] any number: the one is a face of
//! the other.

use super::matrix::{Symmetric, Wide, WideCholesky, wide_eigen};

/// A function's value, gradient and Hessian at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<const N: usize> {
    /// Value.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; N],
    /// Second derivatives, both halves filled.
    pub hessian: Symmetric<N>,
}

/// The same for any number of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct WideEvaluation {
    /// Value.
    pub value: f64,
    /// First derivatives.
    pub gradient: Vec<f64>,
    /// Second derivatives, both halves filled.
    pub hessian: Wide,
}

impl WideEvaluation {
    fn is_finite(&self) -> bool {
        let finite = |row: &Vec<f64>| row.iter().all(|v| v.is_finite());
        self.value.is_finite() && finite(&self.gradient) && self.hessian.iter().all(finite)
    }
}

impl<const N: usize> From<Evaluation<N>> for WideEvaluation {
    fn from(narrow: Evaluation<N>) -> Self {
        Self {
            value: narrow.value,
            gradient: narrow.gradient.to_vec(),
            hessian: narrow.hessian.iter().map(|row| row.to_vec()).collect(),
        }
    }
}

/// A closed box, one interval a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<const N: usize> {
    /// Lower corner.
    pub lower: [f64; N],
    /// Upper corner, above the lower one in every coordinate.
    pub upper: [f64; N],
}

/// The same for any number of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct WideBounds {
    /// Lower corner.
    pub lower: Vec<f64>,
    /// Upper corner, as long as the lower one.
    pub upper: Vec<f64>,
}

/// Why the search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The height left to climb, over the parameters that are off the box's faces, fell below [`DECREMENT`] or below
    /// the rounding of the value.
    Converged,
    /// No step goes up although the Hessian is not negative definite: a plateau or a saddle.
    Flat,
    /// [`MAX_ITERATIONS`] steps were not enough.
    IterationLimit,
    /// The function has no finite value at the start.
    NotFinite,
}

/// Where the search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maximum<const N: usize> {
    /// Parameters.
    pub point: [f64; N],
    /// The function there.
    pub evaluation: Evaluation<N>,
    /// −1 where a parameter sits on its lower bound and would go lower, +1 for the upper bound, else 0.
    pub pressed: [i8; N],
    /// Steps taken.
    pub iterations: u32,
    /// Largest first derivative among the parameters that are not pressed against the box.
    pub gradient_norm: f64,
    /// Why the search ended.
    pub end: End,
}

/// The same for any number of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct WideMaximum {
    /// Parameters.
    pub point: Vec<f64>,
    /// The function there.
    pub evaluation: WideEvaluation,
    /// −1 where a parameter sits on its lower bound and would go lower, +1 for the upper bound, else 0.
    pub pressed: Vec<i8>,
    /// Steps taken.
    pub iterations: u32,
    /// Largest first derivative among the parameters that are not pressed against the box.
    pub gradient_norm: f64,
    /// Why the search ended.
    pub end: End,
}

impl<const N: usize> From<&Maximum<N>> for WideMaximum {
    fn from(narrow: &Maximum<N>) -> Self {
        Self {
            point: narrow.point.to_vec(),
            evaluation: narrow.evaluation.into(),
            pressed: narrow.pressed.to_vec(),
            iterations: narrow.iterations,
            gradient_norm: narrow.gradient_norm,
            end: narrow.end,
        }
    }
}

/// `½ gᵀ(−H)⁻¹g` is the height left to climb; in log-likelihood units this is nothing (and its square root is the
/// distance to the maximum in standard errors). One more full step is taken after it, which squares the distance.
pub const DECREMENT: f64 = 1e-11;
/// With less than this height left and a negative definite Hessian, full Newton steps contract.
const NEAR: f64 = 1e-6;
/// Steps after which the search is given up.
pub const MAX_ITERATIONS: u32 = 300;
/// Longest step in one parameter; parameters are logarithms, so this is a factor of 20.
const LONGEST_STEP: f64 = 3.0;
/// Share of the gain promised by the slope that a step must bring.
const SUFFICIENT: f64 = 1e-4;
/// A step halved this often has vanished against any parameter.
const MAX_HALVINGS: u32 = 60;
/// Eigenvalues below this, on a unit diagonal, are rounding errors.
const LEVEL: f64 = 1e-14;

/// Maximise `function` from `start` inside `bounds`.
///
/// Each step solves `|−H| s = g` over the parameters that are not pressed against the box, where `|·|` takes the
/// absolute values of the eigenvalues (of the matrix scaled to a unit diagonal, so that steep and level directions do
/// not disturb each other). That is Newton's step near a maximum and an ascent direction everywhere else; it is halved
/// until it brings a fair share of what its slope promises.
///
/// Source: Nocedal & Wright, Numerical Optimization (2006), sections 3.4 (modified Hessian), 3.1 (sufficient increase)
/// and 16.7 (projection).
pub fn maximise<const N: usize, F>(start: [f64; N], bounds: &Bounds<N>, function: F) -> Maximum<N>
where
    F: Fn(&[f64; N]) -> Evaluation<N>,
{
    let bounds = WideBounds { lower: bounds.lower.to_vec(), upper: bounds.upper.to_vec() };
    let found = maximise_wide(&start, &bounds, |point| function(&narrow(point, 0.0)).into());
    Maximum {
        point: narrow(&found.point, 0.0),
        evaluation: Evaluation {
            value: found.evaluation.value,
            gradient: narrow(&found.evaluation.gradient, 0.0),
            hessian: std::array::from_fn(|i| narrow(&found.evaluation.hessian[i], 0.0)),
        },
        pressed: narrow(&found.pressed, 0),
        iterations: found.iterations,
        gradient_norm: found.gradient_norm,
        end: found.end,
    }
}

/// The first `N` values.
fn narrow<T: Copy, const N: usize>(values: &[T], nothing: T) -> [T; N] {
    std::array::from_fn(|i| values.get(i).copied().unwrap_or(nothing))
}

/// As [`maximise`], for as many parameters as `start` has.
///
/// # Panics
/// If `bounds` or what `function` gives is shorter than `start`.
pub fn maximise_wide<F>(start: &[f64], bounds: &WideBounds, function: F) -> WideMaximum
where
    F: Fn(&[f64]) -> WideEvaluation,
{
    let mut search = Search::new(bounds.clamp(start.to_vec()), bounds, &function);
    if !search.here.is_finite() {
        return search.finish(0, End::NotFinite);
    }
    for iteration in 1..=MAX_ITERATIONS {
        if let Some(end) = search.step() {
            return search.finish(iteration, end);
        }
    }
    search.finish(MAX_ITERATIONS, End::IterationLimit)
}

impl WideBounds {
    fn clamp(&self, mut point: Vec<f64>) -> Vec<f64> {
        for (i, p) in point.iter_mut().enumerate() {
            *p = p.clamp(self.lower[i], self.upper[i]);
        }
        point
    }

    /// True where `point` is on a face and `step` points out of the box.
    fn leaves(&self, i: usize, point: f64, step: f64) -> bool {
        (point <= self.lower[i] && step < 0.0) || (point >= self.upper[i] && step > 0.0)
    }

    /// The multiple of `step` that reaches the first face of the box; a hair more, so that clamping lands on the face.
    fn room(&self, point: &[f64], step: &[f64]) -> f64 {
        let share = |i: usize| match step[i] {
            up if up > 0.0 => (self.upper[i] - point[i]) / up,
            down if down < 0.0 => (self.lower[i] - point[i]) / down,
            _ => f64::INFINITY,
        };
        (0..point.len()).map(share).fold(f64::INFINITY, f64::min) * (1.0 + 4.0 * f64::EPSILON)
    }

    fn pressed(&self, point: &[f64], gradient: &[f64]) -> Vec<i8> {
        let pressed = |i: usize| {
            if point[i] <= self.lower[i] && gradient[i] <= 0.0 {
                -1
            } else {
                i8::from(point[i] >= self.upper[i] && gradient[i] >= 0.0)
            }
        };
        (0..point.len()).map(pressed).collect()
    }
}

struct Search<'a, F> {
    function: &'a F,
    bounds: &'a WideBounds,
    point: Vec<f64>,
    here: WideEvaluation,
}

impl<'a, F: Fn(&[f64]) -> WideEvaluation> Search<'a, F> {
    fn new(point: Vec<f64>, bounds: &'a WideBounds, function: &'a F) -> Self {
        let here = function(&point);
        Self { function, bounds, point, here }
    }

    /// Take one step up, or say why there is none.
    fn step(&mut self) -> Option<End> {
        let mut held = self.bounds.pressed(&self.point, &self.here.gradient);
        let (curvature, gradient, mut step) = loop {
            let (curvature, gradient) = restrict(&self.here, &held);
            let step = ascent(&curvature, &gradient);
            // A step out of the box from one of its faces stays on the face instead.
            match (0..held.len()).find(|&i| self.bounds.leaves(i, self.point[i], step[i])) {
                Some(i) => held[i] = if step[i] > 0.0 { 1 } else { -1 },
                None => break (curvature, gradient, step),
            }
        };
        let height_left = 0.5 * dot(&step, &gradient);
        let end = if WideCholesky::new(&curvature).is_some() { End::Converged } else { End::Flat };
        let longest = step.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        let share = (LONGEST_STEP / longest).min(self.bounds.room(&self.point, &step)).min(1.0);
        scale(&mut step, share);
        let noise = 16.0 * f64::EPSILON * self.here.value.abs();
        let arrived = height_left <= DECREMENT.max(noise);
        let near = height_left <= NEAR && end == End::Converged;
        for _ in 0..MAX_HALVINGS {
            let trial = self.bounds.clamp(self.point.iter().zip(&step).map(|(from, step)| from + step).collect());
            let moved: Vec<f64> = trial.iter().zip(&self.point).map(|(to, from)| to - from).collect();
            let there = (self.function)(&trial);
            let gain = there.value - self.here.value;
            // So close to a maximum the gain drowns in the rounding of the value: the derivatives know better.
            let least = if near { -NEAR } else { SUFFICIENT * dot(&moved, &gradient).max(0.0) - noise };
            if there.is_finite() && gain >= least {
                (self.point, self.here) = (trial, there);
                return arrived.then_some(end);
            }
            if arrived {
                return Some(end);
            }
            scale(&mut step, 0.5);
        }
        Some(End::Flat)
    }

    fn finish(self, iterations: u32, end: End) -> WideMaximum {
        let pressed = self.bounds.pressed(&self.point, &self.here.gradient);
        let off = pressed.iter().zip(&self.here.gradient).filter(|(pressed, _)| **pressed == 0);
        let gradient_norm = off.map(|(_, slope)| slope.abs()).fold(0.0, f64::max);
        WideMaximum { point: self.point, evaluation: self.here, pressed, iterations, gradient_norm, end }
    }
}

fn scale(step: &mut [f64], share: f64) {
    for s in step {
        *s *= share;
    }
}

/// `|A|⁻¹ g`, through the eigenvalues of `A` scaled to a unit diagonal.
fn ascent(curvature: &[Vec<f64>], gradient: &[f64]) -> Vec<f64> {
    let size = 0..gradient.len();
    let unit = |i: usize| 1.0 / libm::sqrt(curvature[i][i].abs().max(gradient[i].abs()).max(f64::MIN_POSITIVE));
    let scale: Vec<f64> = size.clone().map(unit).collect();
    let row = |i: usize| size.clone().map(|j| scale[i] * curvature[i][j] * scale[j]).collect();
    let scaled: Wide = size.clone().map(row).collect();
    let (values, vectors) = wide_eigen(&scaled);
    let slope: Vec<f64> = size.clone().map(|i| scale[i] * gradient[i]).collect();
    let mut step = vec![0.0; gradient.len()];
    for (value, vector) in values.iter().zip(&vectors) {
        let along = dot(vector, &slope) / value.abs().max(LEVEL);
        for (step, component) in step.iter_mut().zip(vector) {
            *step += along * component;
        }
    }
    size.map(|i| scale[i] * step[i]).collect()
}

/// `−H` and the gradient, with pressed parameters held where they are.
fn restrict(here: &WideEvaluation, pressed: &[i8]) -> (Wide, Vec<f64>) {
    let size = 0..pressed.len();
    let free = |i: usize| pressed[i] == 0;
    let entry = |i: usize, j: usize| if free(i) && free(j) { -here.hessian[i][j] } else { f64::from(u8::from(i == j)) };
    let curvature = size.clone().map(|i| size.clone().map(|j| entry(i, j)).collect()).collect();
    (curvature, size.map(|i| if free(i) { here.gradient[i] } else { 0.0 }).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Bounds<2> = Bounds { lower: [-50.0; 2], upper: [50.0; 2] };

    /// Minus Rosenbrock's valley: maximum 0 at (1, 1), indefinite Hessian along the way.
    fn rosenbrock(p: &[f64; 2]) -> Evaluation<2> {
        let (x, y) = (p[0], p[1]);
        let bend = y - x * x;
        Evaluation {
            value: -(1.0 - x).powi(2) - 100.0 * bend * bend,
            gradient: [2.0 * (1.0 - x) + 400.0 * x * bend, -200.0 * bend],
            hessian: [[-2.0 + 400.0 * (bend - 2.0 * x * x), 400.0 * x], [400.0 * x, -200.0]],
        }
    }

    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        for start in [[-1.2, 1.0], [0.0, 5.0], [3.0, -4.0]] {
            let found = maximise(start, &WIDE, rosenbrock);
            assert_eq!(found.end, End::Converged);
            assert!((found.point[0] - 1.0).abs() < 1e-9 && (found.point[1] - 1.0).abs() < 1e-9, "{found:?}");
            assert!(found.iterations < 60, "{}", found.iterations);
        }
    }

    #[test]
    fn a_parameter_without_a_maximum_is_pressed_against_the_box() {
        // −e^x − (y − 2)²: rises for ever as x falls.
        let found = maximise([0.0, 0.0], &Bounds { lower: [-9.0; 2], upper: [9.0; 2] }, |p| Evaluation {
            value: -libm::exp(p[0]) - (p[1] - 2.0).powi(2),
            gradient: [-libm::exp(p[0]), -2.0 * (p[1] - 2.0)],
            hessian: [[-libm::exp(p[0]), 0.0], [0.0, -2.0]],
        });
        assert_eq!((found.end, found.pressed), (End::Converged, [-1, 0]));
        assert!((found.point[1] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_plateau_is_not_called_a_maximum() {
        let found = maximise([0.0, 0.0], &WIDE, |p| Evaluation {
            value: -(p[0] + p[1]).powi(2),
            gradient: [-2.0 * (p[0] + p[1]); 2],
            hessian: [[-2.0; 2]; 2],
        });
        assert_eq!(found.end, End::Flat);
    }

    #[test]
    fn a_function_without_a_value_ends_at_once() {
        let nothing = Evaluation { value: f64::NAN, gradient: [0.0; 2], hessian: [[0.0; 2]; 2] };
        assert_eq!(maximise([0.0, 0.0], &WIDE, |_| nothing).end, End::NotFinite);
    }
}
