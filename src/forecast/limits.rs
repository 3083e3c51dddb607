//! Whether a search that ended far out, or where the likelihood is all but level, has found a maximum or a limit.
//!
//! The parameter space of a model has ends: simpler models that it reaches at zero or infinite parameters alone. A point whose
//! likelihood is above the greatest one at every end is below a maximum that the likelihood attains, however little it rises
//! there: the fit has converged. Where an end is higher than the point, the likelihood has no such maximum here: the fit became
//! that simpler model. Where both are equal, the likelihood is level: a ridge.
//!
//! Only doubtful ends of a search are looked into: open parameters (a ridge), and parameters near the end of their range. From there
//! the search begins again at a few points inside, as a likelihood that is almost level towards an end may have a maximum far from it.
//!
//! Source: Self & Liang, J. American Statistical Association 82 (1987), 605–610, on maxima at the edge of the parameter space.

use super::fit::{Fit, FitEnd, LimitModel, Limits};
use crate::numeric::matrix::WideCholesky;
use crate::numeric::newton::{Bounds, End, Evaluation, WideBounds, WideEvaluation, WideMaximum, maximise_wide};

/// Log-likelihoods that differ by less are equal: an absolute part, and a share of the value for its rounding.
const EQUAL: f64 = 1e-6;
const ROUNDING: f64 = 1e-12;

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
    if matches!(fit.end, FitEnd::Converged | FitEnd::Failed { .. }) {
        return fit;
    }
    let better = |best: WideMaximum, start: &&[f64]| {
        let start: Vec<f64> =
            start.iter().zip(&found.point).map(|(start, found)| if start.is_nan() { *found } else { *start }).collect();
        let again = maximise_wide(&start, bounds, &evaluate);
        let inside = again.end == End::Converged && gone(&again.point).is_empty();
        let higher = again.evaluation.value > best.evaluation.value + equal(&best);
        if inside && higher { again } else { best }
    };
    let found = &ends.again.iter().fold(found.clone(), better);
    settle_at(found, &gone(&found.point), bounds, ends.ways, &evaluate, &fit_at)
}

/// Log-likelihoods that are as near as this to a maximum's are the same.
fn equal(found: &WideMaximum) -> f64 {
    EQUAL + ROUNDING * found.evaluation.value.abs()
}

/// As [`settle`], of the highest end of all searches.
fn settle_at<P>(
    found: &WideMaximum,
    gone: &[LimitModel],
    bounds: &WideBounds,
    ways: &[WayOut],
    evaluate: impl Fn(&[f64]) -> WideEvaluation,
    fit_at: impl Fn(&WideMaximum, Limits) -> Fit<P>,
) -> Fit<P> {
    let fit = fit_at(found, Limits::Reached(gone.to_vec()));
    let doubtful = match fit.end {
        FitEnd::Ridge { .. } => true,
        FitEnd::Boundary { .. } => found.pressed.iter().all(|side| *side == 0) && has_curvature(found),
        FitEnd::Converged | FitEnd::Failed { .. } => false,
    };
    let known = |limit: &LimitModel| ways.iter().any(|way| way.limit == *limit);
    if !doubtful || !gone.iter().all(known) {
        return fit;
    }
    let end = |way: &WayOut| (way.limit, best_at_the_end(way, found, bounds, &evaluate));
    let ends: Vec<(LimitModel, WideMaximum)> = ways.iter().map(end).collect();
    let gain = |end: &WideMaximum| found.evaluation.value - end.evaluation.value;
    let Some((limit, highest)) = ends.iter().min_by(|l, r| gain(&l.1).total_cmp(&gain(&r.1))) else { return fit };
    let equal = equal(found);
    let least = gain(highest);
    if least > equal && has_curvature(found) {
        let told = least.max(EXTRA_PARAMETERS);
        let near = ends.iter().map(|(limit, end)| (*limit, gain(end))).filter(|(_, gain)| *gain <= told);
        fit_at(found, Limits::Below(near.collect()))
    } else if least < -equal && gone.is_empty() {
        fit_at(highest, Limits::Reached(vec![*limit]))
    } else {
        fit
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

fn has_curvature(found: &WideMaximum) -> bool {
    let information: Vec<Vec<f64>> =
        found.evaluation.hessian.iter().map(|row| row.iter().map(|h| -h).collect()).collect();
    WideCholesky::new(&information).is_some()
}

/// The greatest likelihood where the way reaches the end of the range.
fn best_at_the_end(
    way: &WayOut,
    found: &WideMaximum,
    bounds: &WideBounds,
    evaluate: impl Fn(&[f64]) -> WideEvaluation,
) -> WideMaximum {
    let room = |i: usize| match way.towards.get(i).copied().unwrap_or(0) {
        1 => bounds.upper[i] - found.point[i],
        -1 => found.point[i] - bounds.lower[i],
        _ => f64::INFINITY,
    };
    let all = 0..found.point.len();
    let first = all.clone().min_by(|&i, &j| room(i).total_cmp(&room(j))).unwrap_or(0);
    let (mut start, mut held) = (found.point.clone(), bounds.clone());
    for (i, towards) in way.towards.iter().enumerate() {
        start[i] = (start[i] + f64::from(*towards) * room(first)).clamp(bounds.lower[i], bounds.upper[i]);
    }
    for i in all.filter(|i| *i == first || way.idle.contains(i)) {
        (held.lower[i], held.upper[i]) = (start[i], start[i]);
    }
    maximise_wide(&start, &held, evaluate)
}
