//! Ends of a search in doubt, on likelihoods of one parameter whose shape is known.

use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::limits::{Ends, WayOut, settle_narrow};
use crate::numeric::newton::{Bounds, Evaluation, maximise};

const BOUNDS: Bounds<1> = Bounds { lower: [-20.0], upper: [20.0] };
const UP: [WayOut; 1] = [WayOut { limit: LimitModel::EqualRates, towards: &[1], idle: &[] }];

/// A hill of this height and width at 0, and a step of this height towards the upper end, at 10.
#[derive(Clone, Copy)]
struct Land {
    hill: f64,
    width: f64,
    step: f64,
}

impl Land {
    fn at(self, u: f64) -> Evaluation<1> {
        let Self { hill, width, step } = self;
        let height = hill * libm::exp(-0.5 * u * u / (width * width));
        let share = 1.0 / (1.0 + libm::exp(10.0 - u));
        let both = share * (1.0 - share);
        Evaluation {
            value: height + step * share,
            gradient: [-u / (width * width) * height + step * both],
            hessian: [[(u * u / (width * width) - 1.0) / (width * width) * height + step * both * (1.0 - 2.0 * share)]],
        }
    }

    /// The fit of a search from a point, which begins again at others.
    fn fit(self, from: f64, again: &[&[f64]]) -> Fit<f64> {
        let found = maximise([from], &BOUNDS, |at| self.at(at[0]));
        let gone = |at: &[f64; 1]| if at[0] > 18.0 { vec![LimitModel::EqualRates] } else { Vec::new() };
        let ends = Ends { ways: &UP, again };
        let of = |at: &[f64; 1]| self.at(at[0]);
        settle_narrow(&(&found).into(), gone, &BOUNDS, ends, of, |point, maximum, limits| {
            Fit::at_judged_maximum("land", &["u"], 1, maximum, &[1.0], point[0], limits)
        })
    }
}

fn boundary() -> FitEnd {
    FitEnd::Boundary { limit_models: vec![LimitModel::EqualRates] }
}

#[test]
fn a_search_that_ends_at_a_limit_finds_the_higher_maximum_inside_and_no_lower_one() {
    let higher = Land { hill: 2.0, width: 1.0, step: 1.0 };
    assert_eq!(higher.fit(11.0, &[]).end, boundary());
    let found = higher.fit(11.0, &[&[1.0]]);
    assert_eq!(found.end, FitEnd::Converged);
    assert!(found.fitted().unwrap().abs() < 1e-3 && found.standard_errors.is_some());
    let lower = Land { hill: 0.5, ..higher };
    let found = lower.fit(11.0, &[&[1.0]]);
    assert_eq!(found.end, boundary());
    assert!(*found.fitted().unwrap() > 19.0);
}

#[test]
fn a_flat_maximum_is_one_where_it_is_above_its_limit_and_that_limit_where_it_is_below() {
    // Of a curvature of 0.01 the standard error is 10.
    let above = Land { hill: 1.0, width: 10.0, step: 0.1 };
    let found = above.fit(0.5, &[]);
    assert_eq!(found.end, FitEnd::Converged);
    assert!(found.notes[0].starts_with("u is hardly known"), "{:?}", found.notes);
    let below = Land { step: 3.0, ..above };
    let from = maximise([0.0], &BOUNDS, |at| below.at(at[0]));
    assert!(from.point[0] < 1.0, "the search stops at the hill");
    let found = below.fit(0.0, &[]);
    assert_eq!(found.end, boundary());
    assert!(*found.fitted().unwrap() > 19.0);
}
