//! Whether a search that ended far out, or where the likelihood is all but level, has found a maximum or a limit.
//!
//! The parameter space of a model has ends: simpler models that it reaches at zero or infinite parameters alone. A point whose
//! likelihood is above the greatest one at every end is below a maximum that the likelihood attains, however little it rises
//! there: the fit has converged. Where an end is higher than the point, the likelihood has no such maximum here: the fit became
//! that simpler model. Where both are equal, the likelihood is level: a ridge.
//!
//! Only doubtful ends of a search are looked into: open parameters (a ridge), parameters near the end of their range, and a maximum
//! where some parameter is hardly known. From there the search begins again at a few points inside, as a likelihood that is almost
//! level towards an end may have a maximum far from it, and all ends are compared, also those where two ways out are gone at once
//! (`[1, 1, 0, 0]` and `[0, 0, -1, -1]`): the highest is told.
//!
//! Source: Self & Liang, J. American Statistical Association 82 (1987), 605–610, on maxima at the edge of the parameter space.

use super::fit::{Fit, FitEnd, LimitModel, Limits};
use crate::numeric::matrix::WideCholesky;
use crate::numeric::newton::{Bounds, End, Evaluation, WideBounds, WideEvaluation, WideMaximum, maximise_wide};

/// Log-likelihoods that differ by less are equal: an absolute part, and a share of the value for its rounding.
const EQUAL: f64 = 1e-6;
const ROUNDING: f64 = 1e-12;

/// A standard error of a logarithm above this leaves a maximum in doubt: with less the likelihood falls by far on the way to any end.
const HARDLY_KNOWN: f64 = 1.0;

/// Two parameters more should raise the log-likelihood by this (Akaike 1974): limits within it are told.
const EXTRA_PARAMETERS: f64 = 2.0;

/// The ways out of a parameter space, and where a search that went one of them begins again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends<'a> {
    /// The simpler models.
    pub(super) ways: &'a [WayOut],
    /// Points inside; a parameter that is no number there begins where the search found it.
    pub(super) again: &'a [&'a [f64]],
}

/// A way out of the parameter space.
#[derive(Debug, Clone, Copy)]
pub(super) struct WayOut {
    /// The simpler model that it leads to.
    pub(super) limit: LimitModel,
    /// 1 for parameters that grow without end, −1 for those that vanish, 0 for the others; missing ones are others.
    pub(super) towards: &'static [i8],
    /// Parameters that mean nothing at the limit.
    pub(super) idle: &'static [usize],
}

/// The fit that the end of a search is.
///
/// * `gone`: limits that parameters have reached by where they stand. * `ends`: those that the model has.
/// * `fit_at`: the fit at a maximum, given what is known of its limits.
pub(super) fn settle<P>(
    found: &WideMaximum,
    gone: impl Fn(&[f64]) -> Vec<LimitModel>,
    bounds: &WideBounds,
    ends: Ends<'_>,
    evaluate: impl Fn(&[f64]) -> WideEvaluation,
    fit_at: impl Fn(&WideMaximum, Limits) -> Fit<P>,
) -> Fit<P> {
    let fit = fit_at(found, Limits::Reached(gone(&found.point)));
    match fit.end {
        FitEnd::Failed { .. } => return fit,
        FitEnd::Converged if !is_hardly_known(found) => return fit,
        FitEnd::Converged | FitEnd::Boundary { .. } | FitEnd::Ridge { .. } => {}
    }
    let filled = |start: &&[f64]| {
        start.iter().zip(&found.point).map(|(start, found)| if start.is_nan() { *found } else { *start }).collect()
    };
    let starts: Vec<Vec<f64>> = ends.again.iter().map(filled).collect();
    let better = |best: WideMaximum, start: &Vec<f64>| {
        let again = maximise_wide(start, bounds, &evaluate);
        let inside = again.end == End::Converged && gone(&again.point).is_empty();
        let higher = again.evaluation.value > best.evaluation.value + equal(&best);
        if inside && higher { again } else { best }
    };
    let found = &starts.iter().fold(found.clone(), better);
    settle_at(found, gone, bounds, (ends.ways, &starts), &evaluate, &fit_at)
}

/// Log-likelihoods that are as near as this to a maximum's are the same.
fn equal(found: &WideMaximum) -> f64 {
    EQUAL + ROUNDING * found.evaluation.value.abs()
}

/// As [`settle`], of the highest end of all searches.
fn settle_at<P>(
    found: &WideMaximum,
    gone: impl Fn(&[f64]) -> Vec<LimitModel>,
    bounds: &WideBounds,
    (ways, starts): (&[WayOut], &[Vec<f64>]),
    evaluate: impl Fn(&[f64]) -> WideEvaluation,
    fit_at: impl Fn(&WideMaximum, Limits) -> Fit<P>,
) -> Fit<P> {
    let limits = gone(&found.point);
    let fit = fit_at(found, Limits::Reached(limits.clone()));
    let best = |ways: Vec<WayOut>| {
        let maximum = best_at_the_end(&ways, found, starts, bounds, &evaluate)?;
        Some((ways.iter().map(|way| way.limit).collect::<Vec<_>>(), maximum))
    };
    let ends: Vec<(Vec<LimitModel>, WideMaximum)> = ends_of(ways).into_iter().filter_map(best).collect();
    let gain = |end: &WideMaximum| found.evaluation.value - end.evaluation.value;
    // Of ends that are equal, the one with the fewest parameters gone: it stands first.
    let Some(least) = ends.iter().map(|end| gain(&end.1)).min_by(f64::total_cmp) else { return fit };
    let equal = equal(found);
    let Some((named, highest)) = ends.iter().find(|end| gain(&end.1) <= least + equal) else { return fit };
    if least < -equal {
        let reached = gone(&highest.point);
        let reached = if named.iter().all(|limit| reached.contains(limit)) { reached } else { named.clone() };
        return fit_at(highest, Limits::Reached(reached));
    }
    let known = |limit: &LimitModel| ways.iter().any(|way| way.limit == *limit);
    let inside = match fit.end {
        FitEnd::Ridge { .. } => true,
        FitEnd::Boundary { .. } => found.pressed.iter().all(|side| *side == 0) && limits.iter().all(known),
        FitEnd::Converged | FitEnd::Failed { .. } => false,
    };
    if inside && least > equal && ln_errors(found).is_some() {
        let told = least.max(EXTRA_PARAMETERS);
        let near = ends.iter().filter_map(|(limits, end)| Some((*limits.first()?, gain(end), limits.len())));
        let near = near.filter(|(_, gain, gone)| *gain <= told && *gone == 1).map(|(limit, gain, _)| (limit, gain));
        fit_at(found, Limits::Below(near.collect()))
    } else {
        fit
    }
}

/// The ends that ways lead to: each alone, then every two that move different parameters.
fn ends_of(ways: &[WayOut]) -> Vec<Vec<WayOut>> {
    let apart = |one: &WayOut, other: &WayOut| !one.moved().any(|i| other.moved().any(|j| i == j));
    let pairs = ways.iter().enumerate().flat_map(|(i, one)| ways[..i].iter().map(move |other| (other, one)));
    let pairs = pairs.filter(|(one, other)| apart(one, other)).map(|(one, other)| vec![*one, *other]);
    ways.iter().map(|way| vec![*way]).chain(pairs).collect()
}

impl WayOut {
    /// Parameters that the way moves or leaves without a meaning.
    fn moved(&self) -> impl Iterator<Item = usize> {
        let towards = self.towards.iter().enumerate().filter(|(_, towards)| **towards != 0).map(|(i, _)| i);
        towards.chain(self.idle.iter().copied())
    }
}

/// As [`settle`], of a function of a number of parameters that the compiler knows.
pub(super) fn settle_narrow<P, const N: usize>(
    found: &WideMaximum,
    gone: impl Fn(&[f64; N]) -> Vec<LimitModel>,
    bounds: &Bounds<N>,
    ends: Ends<'_>,
    evaluate: impl Fn(&[f64; N]) -> Evaluation<N>,
    fit_at: impl Fn([f64; N], &WideMaximum, Limits) -> Fit<P>,
) -> Fit<P> {
    let point = |values: &[f64]| std::array::from_fn(|i| values.get(i).copied().unwrap_or(0.0));
    let bounds = WideBounds { lower: bounds.lower.to_vec(), upper: bounds.upper.to_vec() };
    let wide = |at: &[f64]| WideEvaluation::from(evaluate(&point(at)));
    settle(
        found,
        |at| gone(&point(at)),
        &bounds,
        ends,
        wide,
        |maximum, limits| fit_at(point(&maximum.point), maximum, limits),
    )
}

/// Whether some parameter is known so badly that an end of the range may be higher.
fn is_hardly_known(found: &WideMaximum) -> bool {
    ln_errors(found).is_none_or(|errors| errors.iter().any(|error| *error > HARDLY_KNOWN))
}

/// Standard errors of the search parameters; none without curvature.
fn ln_errors(found: &WideMaximum) -> Option<Vec<f64>> {
    let information: Vec<Vec<f64>> =
        found.evaluation.hessian.iter().map(|row| row.iter().map(|h| -h).collect()).collect();
    let covariance = WideCholesky::new(&information)?.inverse();
    Some((0..covariance.len()).map(|i| libm::sqrt(covariance[i][i])).collect())
}

/// The greatest likelihood where all of the ways reach the end of the range, searched from the point found and from others.
fn best_at_the_end(
    ways: &[WayOut],
    found: &WideMaximum,
    starts: &[Vec<f64>],
    bounds: &WideBounds,
    evaluate: impl Fn(&[f64]) -> WideEvaluation,
) -> Option<WideMaximum> {
    let mut searched: Vec<(Vec<f64>, WideBounds)> = Vec::new();
    let mut best: Option<WideMaximum> = None;
    let starts = std::iter::once(&found.point).chain(starts);
    // Every way has two turns, whichever parameter it holds.
    for (from, turns) in starts.flat_map(|from| (0..1_usize << ways.len()).map(move |turns| (from, turns))) {
        let (mut start, mut held) = (found.point.clone(), bounds.clone());
        start[..from.len()].copy_from_slice(from);
        for (number, way) in ways.iter().enumerate() {
            hold((way, turns >> number & 1), &mut start, &mut held, (&found.point, bounds));
        }
        let search = (start, held);
        if searched.contains(&search) {
            continue;
        }
        let (start, held) = &search;
        let end = maximise_wide(start, held, &evaluate);
        let value = end.evaluation.value;
        if value.is_finite() && best.as_ref().is_none_or(|best| value > best.evaluation.value) {
            best = Some(end);
        }
        searched.push(search);
    }
    best
}

/// Moves a start to where a way reaches the end of the range, and holds it there.
///
/// * `turn`: 0 holds the parameter that reaches it first, 1 the other: with one held, their ratio has a half of its range.
fn hold(
    (way, turn): (&WayOut, usize),
    start: &mut [f64],
    held: &mut WideBounds,
    (found, bounds): (&[f64], &WideBounds),
) {
    let towards = |i: usize| way.towards.get(i).copied().unwrap_or(0);
    let room = |i: usize| match towards(i) {
        1 => bounds.upper[i] - start[i],
        -1 => start[i] - bounds.lower[i],
        _ => f64::INFINITY,
    };
    let mut moved: Vec<usize> = (0..start.len()).filter(|i| towards(*i) != 0).collect();
    moved.sort_by(|&i, &j| room(i).total_cmp(&room(j)));
    let Some(&first) = moved.get(turn).or(moved.first()) else { return };
    let way_to_go = room(first);
    for i in 0..start.len() {
        start[i] = match towards(i) {
            0 => start[i],
            sign => (start[i] + f64::from(sign) * way_to_go).clamp(bounds.lower[i], bounds.upper[i]),
        };
        if way.idle.contains(&i) {
            // Small shapes beside one that vanishes would be another limit.
            start[i] = found[i].max(0.5 * (bounds.lower[i] + bounds.upper[i]));
        }
        if i == first || way.idle.contains(&i) {
            (held.lower[i], held.upper[i]) = (start[i], start[i]);
        }
    }
}
