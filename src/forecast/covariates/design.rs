//! The design of covariates: centred numbers and differences between levels, and which of them tell something.
//!
//! A number `v` enters as `(v − mean)/sd`, both over the customers of the fit, so that the search does not depend on its
//! unit. Where some customers have no number they enter at the mean, with an effect of their own for having none. A
//! category enters with one effect for each level but the most frequent one (of equals the first by name), the reference.
//!
//! An effect that is a combination of the effects before it (equal columns, a level that implies another, a column that is
//! the same for everybody) tells nothing more: it is dropped, and the fit says so.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::model::{Known, KnownValues};
use crate::numeric::sums::chunked_wide;
use crate::schema::covariates::{Covariate, CovariatePart, CovariateValues, MOST_LEVELS, NO_LEVEL};
use crate::schema::settings::PurchaseKind;

/// Numbers that differ by less than this share of the largest are the same.
const CONSTANT: f64 = 1e-12;

/// Share of its variance that an effect must have beside the effects before it.
const NEW: f64 = 1e-8;

/// Covariates with which no fit begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CovariateError {
    /// A model whose parameters no covariate moves.
    #[error("{model} has no covariates; bg_nbd, mbg_nbd and pareto_nbd have")]
    Model {
        /// The model.
        model: &'static str,
    },
    /// A column with another number of rows than there are histories.
    #[error("covariate `{column}` has {found} rows, expected {expected}")]
    Length {
        /// The covariate.
        column: String,
        /// Its rows.
        found: usize,
        /// Rows of the histories.
        expected: usize,
    },
    /// Infinite numbers.
    #[error("covariate `{column}` has a number in row {row} that is not finite")]
    NotFinite {
        /// The covariate.
        column: String,
        /// The first such row.
        row: usize,
    },
    /// So many levels that their effects cannot be told apart from the customers.
    #[error("covariate `{column}` has {found} levels, at most {MOST_LEVELS} are estimated")]
    Levels {
        /// The covariate.
        column: String,
        /// Its levels.
        found: usize,
    },
    /// A covariate of a fitted model that is not there.
    #[error("covariate `{column}` of the model is not there")]
    Absent {
        /// The covariate.
        column: String,
    },
    /// A covariate that is no longer what it was in the fit.
    #[error("covariate `{column}` had {expected} in the fitted model")]
    Kind {
        /// The covariate.
        column: String,
        /// What it was.
        expected: &'static str,
    },
    /// Levels without an estimate.
    #[error("covariate `{column}`: {customers} customers have levels that nobody in the fitted model had")]
    UnknownLevels {
        /// The covariate.
        column: String,
        /// Such customers.
        customers: usize,
    },
    /// A history that cannot be.
    #[error(transparent)]
    Summary(#[from] crate::forecast::summary::SummaryError),
}

/// Which covariates move what; places in the covariates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Those of the purchase rate.
    pub rate: &'a [usize],
    /// Those of dropout.
    pub dropout: &'a [usize],
}

/// One column of the design: a centred number, or whether a customer is of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Name of the covariate.
    pub column: String,
    /// Its level; `None` for a number itself.
    pub level: Option<String>,
    /// The number that counts as 0; 0 of a level.
    pub centre: f64,
    /// What a number is divided by; 1 of a level.
    pub scale: f64,
}

/// An effect: a term on a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) part: CovariatePart,
    pub(super) term: usize,
    /// Which of the model's four parameters.
    pub(super) parameter: usize,
    /// Whether the effect is subtracted from the parameter's logarithm.
    pub(super) subtracted: bool,
}

/// Customers with equal covariates, and the effects on their parameters.
#[derive(Debug, Clone)]
pub struct Design {
    pub(super) terms: Vec<Term>,
    pub(super) places: Vec<Place>,
    /// Effects of each term.
    effects: Vec<Vec<usize>>,
    columns: Vec<Column>,
    /// Pattern of each row, and their number.
    pattern: Vec<u32>,
    patterns: usize,
    /// What is known of each covariate.
    pub(super) known: Vec<Known>,
    /// What was dropped, and who has no number, in words.
    pub(super) notes: Vec<String>,
}

/// One covariate by pattern.
#[derive(Debug, Clone)]
enum Column {
    Numbers { values: Vec<f64>, term: Option<usize>, none: Option<usize> },
    Levels { level: Vec<u32>, terms: Vec<Option<usize>> },
}

impl Design {
    /// Lays out the covariates of the rows of a fit.
    ///
    /// * `rows`: number of histories; every covariate has as many.
    ///
    /// # Errors
    /// [`CovariateError`], but for `Summary`.
    pub fn new(
        kind: PurchaseKind,
        rows: usize,
        covariates: &[Covariate],
        wanted: Wanted<'_>,
    ) -> Result<Self, CovariateError> {
        let on_dropout: &[(usize, bool)] = match kind {
            PurchaseKind::ParetoNbd => &[(3, true)],
            PurchaseKind::BgNbd | PurchaseKind::MbgNbd => &[(2, false), (3, false)],
            PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK => {
                return Err(CovariateError::Model { model: kind.as_str() });
            }
        };
        for covariate in covariates {
            check(covariate, rows)?;
        }
        let (pattern, first) = patterns(&covariates.iter().collect::<Vec<_>>(), rows);
        let mut weights = vec![0.0; first.len()];
        for pattern in &pattern {
            weights[*pattern as usize] += 1.0;
        }
        let mut terms = Vec::new();
        let mut notes = Vec::new();
        let mut own: Vec<Vec<usize>> = Vec::new();
        let (mut columns, mut known) = (Vec::new(), Vec::new());
        for covariate in covariates {
            let from = terms.len();
            let name = &covariate.name;
            let (column, values) = column(name, covariate.values.of_rows(&first), &weights, &mut terms, &mut notes);
            columns.push(column);
            known.push(Known { column: name.clone(), values });
            own.push((from..terms.len()).collect());
        }
        let mut design = Self {
            effects: vec![Vec::new(); terms.len()],
            places: Vec::new(),
            patterns: first.len(),
            terms,
            columns,
            pattern,
            known,
            notes,
        };
        let on_rate: &[(usize, bool)] = &[(1, true)];
        let parts = [(CovariatePart::Rate, wanted.rate, on_rate), (CovariatePart::Dropout, wanted.dropout, on_dropout)];
        for (part, columns, parameters) in parts {
            let all: Vec<usize> = columns.iter().flat_map(|column| own[*column].iter().copied()).collect();
            let kept = design.independent(&all, &weights, rows as f64);
            for term in all.iter().filter(|term| !kept.contains(term)) {
                let note = format!("{}: the effect of {}{DROPPED}", part.as_str(), design.terms[*term]);
                design.notes.push(note);
            }
            for &(parameter, subtracted) in parameters {
                for &term in &kept {
                    design.effects[term].push(design.places.len());
                    design.places.push(Place { part, term, parameter, subtracted });
                }
            }
        }
        Ok(design)
    }

    /// Number of different sets of covariates.
    #[must_use]
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    /// Which set of covariates each row has.
    #[must_use]
    pub fn pattern(&self) -> &[u32] {
        &self.pattern
    }

    /// Visit the terms of a pattern that are not 0.
    #[inline]
    fn visit_terms(&self, pattern: usize, mut visit: impl FnMut(usize, f64)) {
        for column in &self.columns {
            match column {
                Column::Numbers { values, term, none } => match (values[pattern], term, none) {
                    (value, _, Some(none)) if value.is_nan() => visit(*none, 1.0),
                    (value, Some(term), _) if !value.is_nan() => {
                        visit(*term, (value - self.terms[*term].centre) / self.terms[*term].scale);
                    }
                    _ => {}
                },
                Column::Levels { level, terms } => {
                    if let Some(term) = terms[level[pattern] as usize] {
                        visit(term, 1.0);
                    }
                }
            }
        }
    }

    /// Visit the effects on a pattern's parameters: place of the effect, parameter, derivative of the parameter's
    /// logarithm by the effect.
    #[inline]
    pub(super) fn visit(&self, pattern: usize, mut visit: impl FnMut(usize, usize, f64)) {
        self.visit_terms(pattern, |term, value| {
            for &effect in &self.effects[term] {
                let Place { parameter, subtracted, .. } = self.places[effect];
                visit(effect, parameter, if subtracted { -value } else { value });
            }
        });
    }

    /// Those of the terms that are no combination of those before them and a constant.
    fn independent(&self, terms: &[usize], weights: &[f64], customers: f64) -> Vec<usize> {
        let size = terms.len();
        let mut place = vec![None; self.terms.len()];
        for (at, term) in terms.iter().enumerate() {
            place[*term] = Some(at);
        }
        // Means, then products, of the terms.
        let sums = chunked_wide(self.patterns, size * (size + 1), |patterns, sums| {
            let mut here: Vec<(usize, f64)> = Vec::with_capacity(size);
            for pattern in patterns {
                here.clear();
                self.visit_terms(pattern, |term, value| here.extend(place[term].map(|at| (at, value))));
                for &(i, left) in &here {
                    sums[i] += weights[pattern] * left;
                    for &(j, right) in &here {
                        sums[size + i * size + j] += weights[pattern] * left * right;
                    }
                }
            }
        });
        let covariance =
            |i: usize, j: usize| sums[size + i * size + j] / customers - sums[i] / customers * (sums[j] / customers);
        let mut lower: Vec<Vec<f64>> = Vec::new();
        let mut kept: Vec<usize> = Vec::new();
        for i in 0..size {
            let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
            for (k, j) in kept.iter().enumerate() {
                let dot: f64 = (0..k).map(|l| row[l] * lower[k][l]).sum();
                row.push((covariance(i, *j) - dot) / lower[k][k]);
            }
            let all = covariance(i, i);
            let rest = all - row.iter().map(|v| v * v).sum::<f64>();
            if all > 0.0 && rest > NEW * all {
                row.push(libm::sqrt(rest));
                lower.push(row);
                kept.push(i);
            }
        }
        kept.into_iter().map(|i| terms[i]).collect()
    }
}

/// What a note says of an effect that nothing can be told of, after its name.
pub(crate) const DROPPED: &str = " is dropped: it follows from the effects before it";

/// Whether a note of a fit says that it found no effect of a covariate, or none of one of its levels.
#[cfg(feature = "engine")]
pub(crate) fn finds_nothing(note: &str, name: &str) -> bool {
    let dropped = note.strip_suffix(DROPPED).and_then(|note| note.split_once(": the effect of "));
    let of_level = |term: &str| term.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    dropped.is_some_and(|(_, term)| of_level(term)) || note.starts_with(&format!("covariate `{name}` is left out: "))
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.level {
            Some(level) => write!(f, "{}={level}", self.column),
            None => f.write_str(&self.column),
        }
    }
}

/// Numbers of rows and of levels, and finite numbers.
pub(super) fn check(covariate: &Covariate, rows: usize) -> Result<(), CovariateError> {
    let column = || covariate.name.clone();
    if covariate.values.len() != rows {
        return Err(CovariateError::Length { column: column(), found: covariate.values.len(), expected: rows });
    }
    match &covariate.values {
        CovariateValues::Numbers(values) => match values.iter().position(|value| value.is_infinite()) {
            Some(row) => Err(CovariateError::NotFinite { column: column(), row }),
            None => Ok(()),
        },
        CovariateValues::Levels { names, .. } if names.len() > MOST_LEVELS => {
            Err(CovariateError::Levels { column: column(), found: names.len() })
        }
        CovariateValues::Levels { .. } => Ok(()),
    }
}

/// Pattern of each row, and a row of each pattern; patterns are sorted by the covariates' values.
pub(super) fn patterns(covariates: &[&Covariate], rows: usize) -> (Vec<u32>, Vec<u32>) {
    let compare = |&left: &u32, &right: &u32| {
        let (left, right) = (left as usize, right as usize);
        covariates.iter().fold(std::cmp::Ordering::Equal, |order, covariate| {
            order.then_with(|| match &covariate.values {
                CovariateValues::Numbers(values) => plain(values[left]).total_cmp(&plain(values[right])),
                CovariateValues::Levels { level, .. } => level[left].cmp(&level[right]),
            })
        })
    };
    let mut order: Vec<u32> = (0..rows as u32).collect();
    order.par_sort_unstable_by(|left, right| compare(left, right).then(left.cmp(right)));
    let mut pattern = vec![0; rows];
    let mut first: Vec<u32> = Vec::new();
    for row in order {
        if first.last().is_none_or(|known| compare(known, &row).is_ne()) {
            first.push(row);
        }
        pattern[row as usize] = first.len() as u32 - 1;
    }
    (pattern, first)
}

/// One zero and one NaN.
fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

/// A covariate's terms, its values by pattern, and what is known of them.
fn column(
    name: &str,
    values: CovariateValues,
    weights: &[f64],
    terms: &mut Vec<Term>,
    notes: &mut Vec<String>,
) -> (Column, KnownValues) {
    let mut add = |level: Option<&str>, centre: f64, scale: f64| {
        terms.push(Term { column: name.to_owned(), level: level.map(str::to_owned), centre, scale });
        terms.len() - 1
    };
    match values {
        CovariateValues::Numbers(values) => {
            let known = |visit: &dyn Fn(f64) -> f64| -> f64 {
                let known = values.iter().zip(weights).filter(|(value, _)| !value.is_nan());
                known.map(|(value, weight)| weight * visit(*value)).sum()
            };
            let customers = known(&|_| 1.0);
            let missing = weights.iter().sum::<f64>() - customers;
            // In units of the largest, so that no square overflows.
            let unit = values.iter().filter(|value| !value.is_nan()).fold(0.0_f64, |most, value| most.max(value.abs()));
            let mean = known(&|value| value / unit / customers);
            let sd = libm::sqrt(known(&|value| (value / unit - mean) * (value / unit - mean) / customers));
            let varies = sd > CONSTANT;
            let (centre, sd) = (mean * unit, sd * unit);
            if !varies {
                notes.push(format!("covariate `{name}` is left out: all customers who have it have the same number"));
            }
            let term = varies.then(|| add(None, centre, sd));
            let none = (missing > 0.0 && customers > 0.0).then(|| add(Some(NO_LEVEL), 0.0, 1.0));
            if none.is_some() {
                notes.push(format!(
                    "covariate `{name}` is missing for {missing} customers: they count as average, with an effect of \
                     their own for having none"
                ));
            }
            (Column::Numbers { values, term, none }, KnownValues::Number { centre })
        }
        CovariateValues::Levels { names, level } => {
            let mut customers: BTreeMap<u32, f64> = BTreeMap::new();
            for (level, weight) in level.iter().zip(weights) {
                *customers.entry(*level).or_default() += weight;
            }
            if customers.len() < 2 {
                notes.push(format!("covariate `{name}` is left out: all customers have the same level"));
            }
            let mut reference = None;
            for (level, count) in &customers {
                if reference.is_none_or(|(_, most)| *count > most) {
                    reference = Some((*level, *count));
                }
            }
            let mut of_level = vec![None; names.len()];
            for level in customers.keys().filter(|level| reference.is_none_or(|(known, _)| known != **level)) {
                of_level[*level as usize] = Some(add(Some(&names[*level as usize]), 0.0, 1.0));
            }
            let known = KnownValues::Category {
                reference: reference.map_or_else(String::new, |(level, _)| names[level as usize].clone()),
                levels: customers.keys().map(|level| names[*level as usize].clone()).collect(),
            };
            (Column::Levels { level, terms: of_level }, known)
        }
    }
}
