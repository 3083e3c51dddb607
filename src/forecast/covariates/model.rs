//! A purchase model whose parameters move with covariates.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::{CovariateError, Term, patterns};
use crate::forecast::purchase_model::PurchaseModel;
use crate::schema::covariates::{Covariate, CovariatePart, CovariateValues, NO_LEVEL};

/// The average customer's model, and what moves it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CovariateModel {
    /// The model of a customer with the mean of every number and the most frequent level of every category.
    #[serde(flatten)]
    pub base: PurchaseModel,
    /// What the fit knows of each covariate.
    pub covariates: Vec<Known>,
    /// Effects, those on the rate first.
    pub effects: Vec<Effect>,
}

/// What a fit knows of a covariate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Name of the covariate.
    pub column: String,
    /// What it is.
    #[serde(flatten)]
    pub values: KnownValues,
}

/// The values that a fit knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum KnownValues {
    /// A number.
    Number {
        /// The number that the base stands for: the mean over the customers of the fit who have one.
        centre: f64,
    },
    /// A category.
    Category {
        /// Level that the base stands for: the most frequent one.
        reference: String,
        /// All levels, sorted.
        levels: Vec<String>,
    },
}

/// One effect: `ln` of a parameter changes by `± coefficient · (value − centre)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What moves.
    pub part: CovariatePart,
    /// The parameter: `alpha`, `beta`, `a` or `b`. A coefficient is subtracted from `ln α` and `ln β`, so that it raises
    /// the mean rate, and added to `ln a` and `ln b`.
    pub parameter: String,
    /// Name of the covariate.
    pub column: String,
    /// The level, against the most frequent one; of a number `(none)`, for having none; `None` for the number itself.
    pub level: Option<String>,
    /// The number that the base stands for; 0 of a level.
    pub centre: f64,
    /// By one unit of the number, or for being of the level.
    pub coefficient: f64,
}

/// Models of customers: those that differ, and the number of each row's.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// One a set of covariates.
    pub models: Vec<PurchaseModel>,
    /// One a row, below the number of models.
    pub of: Vec<u32>,
}

/// What moves the parameters of customers, whatever the coefficients are.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    base: PurchaseModel,
    coefficients: Vec<f64>,
    /// Place among the four parameters of each effect, and the sign of its coefficient.
    places: Vec<(usize, f64)>,
    /// Of each set of covariates, what every coefficient is multiplied by.
    values: Vec<f64>,
    /// Number of sets, as in [`Assigned::models`].
    sets: usize,
}

/// How one covariate moves the logarithms of the four parameters.
enum Moves<'a> {
    Number { values: &'a [f64], centre: f64, by_unit: [f64; 4], none: [f64; 4] },
    Levels { level: &'a [u32], by_level: Vec<[f64; 4]> },
}

impl Effect {
    /// * `standardised`: coefficient of the term as the design has it.
    pub(super) fn new(part: CovariatePart, parameter: &str, term: &Term, standardised: f64) -> Self {
        Self {
            part,
            parameter: parameter.to_owned(),
            column: term.column.clone(),
            level: term.level.clone(),
            centre: term.centre,
            coefficient: standardised / term.scale,
        }
    }

    /// Parameter, covariate and level in one word.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.level {
            Some(level) => format!("{}:{}={level}", self.parameter, self.column),
            None => format!("{}:{}", self.parameter, self.column),
        }
    }

    /// Place among the four parameters, and change of its logarithm by a unit.
    fn change(&self) -> Option<(usize, f64)> {
        self.place().map(|(place, sign)| (place, sign * self.coefficient))
    }

    /// Place among the four parameters, and sign of the coefficient in its logarithm.
    fn place(&self) -> Option<(usize, f64)> {
        match self.parameter.as_str() {
            "alpha" => Some((1, -1.0)),
            "a" => Some((2, 1.0)),
            "b" => Some((3, 1.0)),
            "beta" => Some((3, -1.0)),
            _ => None,
        }
    }

    /// What the coefficient is multiplied by for the customer in a row.
    fn value(&self, covariate: &Covariate, row: usize) -> f64 {
        match (&covariate.values, &self.level) {
            (CovariateValues::Numbers(values), None) if values[row].is_nan() => 0.0,
            (CovariateValues::Numbers(values), None) => values[row] - self.centre,
            (CovariateValues::Numbers(values), Some(_)) => f64::from(u8::from(values[row].is_nan())),
            (CovariateValues::Levels { names, level }, of) => {
                f64::from(u8::from(of.as_deref() == Some(names[level[row] as usize].as_str())))
            }
        }
    }
}

impl CovariateModel {
    /// The models of customers with these covariates.
    ///
    /// A customer without a number has the effect of having none, and counts as average where everybody in the fit had
    /// one.
    ///
    /// * `covariates`: one row a customer; those that the model does not use are left alone.
    /// * `rows`: number of customers.
    ///
    /// # Errors
    /// [`CovariateError::Absent`], [`CovariateError::Kind`], [`CovariateError::Length`], [`CovariateError::NotFinite`];
    /// [`CovariateError::UnknownLevels`] for levels that nobody in the fit had.
    pub fn assign(&self, covariates: &[Covariate], rows: usize) -> Result<Assigned, CovariateError> {
        let find = |known: &Known| {
            let found = covariates.iter().find(|covariate| covariate.name == known.column);
            found.ok_or_else(|| CovariateError::Absent { column: known.column.clone() })
        };
        let used: Vec<&Covariate> = self.covariates.iter().map(find).collect::<Result<_, _>>()?;
        for covariate in &used {
            super::design::check(covariate, rows)?;
        }
        let moves: Vec<Moves<'_>> =
            self.covariates.iter().zip(&used).map(|(known, used)| self.moves(known, used)).collect::<Result<_, _>>()?;
        let (of, first) = patterns(&used, rows);
        let base = self.base.parameters();
        let model = |row: &u32| {
            let mut moved = [0.0; 4];
            for column in &moves {
                column.add(*row as usize, &mut moved);
            }
            self.base.with_parameters(std::array::from_fn(|i| base[i] * libm::exp(moved[i])))
        };
        Ok(Assigned { models: first.par_iter().map(model).collect(), of })
    }

    /// What moves the parameters of customers with these covariates, for other coefficients than the fitted ones.
    ///
    /// * `covariates`, `rows`: as in [`CovariateModel::assign`].
    ///
    /// # Errors
    /// As [`CovariateModel::assign`].
    pub fn moving(&self, covariates: &[Covariate], rows: usize) -> Result<Moving, CovariateError> {
        let find = |column: &String| {
            let found = covariates.iter().find(|covariate| covariate.name == *column);
            found.ok_or_else(|| CovariateError::Absent { column: column.clone() })
        };
        let used: Vec<&Covariate> =
            self.covariates.iter().map(|known| find(&known.column)).collect::<Result<_, _>>()?;
        let of_effect: Vec<&Covariate> =
            self.effects.iter().map(|effect| find(&effect.column)).collect::<Result<_, _>>()?;
        let (_, first) = patterns(&used, rows);
        let values = first.iter().flat_map(|row| {
            self.effects.iter().zip(&of_effect).map(|(effect, covariate)| effect.value(covariate, *row as usize))
        });
        Ok(Moving {
            base: self.base,
            coefficients: self.effects.iter().map(|effect| effect.coefficient).collect(),
            places: self.effects.iter().map(|effect| effect.place().unwrap_or((0, 0.0))).collect(),
            values: values.collect(),
            sets: first.len(),
        })
    }

    /// What is wrong with effects that were read: a parameter that the model has not or that no covariate moves, a
    /// covariate or level that it does not know, a number that is not finite.
    #[must_use]
    pub fn flaw(&self) -> Option<String> {
        let moved: &[&str] = match self.base {
            PurchaseModel::ParetoNbd(_) => &["alpha", "beta"],
            PurchaseModel::BgNbd(_) | PurchaseModel::MbgNbd(_) => &["alpha", "a", "b"],
            PurchaseModel::BgCnbdK(_) => &[],
        };
        let sorted = |levels: &[String]| levels.windows(2).all(|pair| pair[0] < pair[1]);
        let sound = |known: &Known| match &known.values {
            KnownValues::Number { centre } => centre.is_finite(),
            KnownValues::Category { levels, reference } => sorted(levels) && levels.contains(reference),
        };
        if let Some(known) = self.covariates.iter().find(|known| !sound(known)) {
            return Some(format!("covariate `{}` has levels or a mean that no fit has", known.column));
        }
        let knows = |effect: &Effect| {
            let known = self.covariates.iter().find(|known| known.column == effect.column);
            known.is_some_and(|known| match (&known.values, &effect.level) {
                (KnownValues::Number { .. }, None) => true,
                (KnownValues::Number { .. }, Some(level)) => level == NO_LEVEL,
                (KnownValues::Category { levels, .. }, Some(level)) => levels.contains(level),
                (KnownValues::Category { .. }, None) => false,
            })
        };
        let wrong = |effect: &&Effect| {
            !knows(effect) || !moved.contains(&effect.parameter.as_str()) || !effect.coefficient.is_finite()
        };
        self.effects.iter().find(wrong).map(|effect| format!("effect `{}` is none of its model", effect.name()))
    }

    fn moves<'a>(&self, known: &Known, covariate: &'a Covariate) -> Result<Moves<'a>, CovariateError> {
        let change = |level: Option<&str>| {
            let mut change = [0.0; 4];
            let own = self.effects.iter().filter(|effect| effect.column == known.column);
            for (parameter, by) in own.filter(|effect| effect.level.as_deref() == level).filter_map(Effect::change) {
                change[parameter] += by;
            }
            change
        };
        match (&known.values, &covariate.values) {
            (KnownValues::Number { centre }, CovariateValues::Numbers(values)) => {
                Ok(Moves::Number { values, centre: *centre, by_unit: change(None), none: change(Some(NO_LEVEL)) })
            }
            (KnownValues::Category { levels, .. }, CovariateValues::Levels { names, level }) => {
                let strange: Vec<bool> = names.iter().map(|name| levels.binary_search(name).is_err()).collect();
                let customers = level.iter().filter(|level| strange[**level as usize]).count();
                if customers > 0 {
                    return Err(CovariateError::UnknownLevels { column: known.column.clone(), customers });
                }
                Ok(Moves::Levels { level, by_level: names.iter().map(|name| change(Some(name))).collect() })
            }
            (KnownValues::Number { .. }, _) => {
                Err(CovariateError::Kind { column: known.column.clone(), expected: "numbers" })
            }
            (KnownValues::Category { .. }, _) => {
                Err(CovariateError::Kind { column: known.column.clone(), expected: "levels" })
            }
        }
    }
}

impl Moving {
    /// Number of sets of covariates.
    #[must_use]
    pub fn sets(&self) -> usize {
        self.sets
    }

    /// The fitted coefficients.
    #[must_use]
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The model of every set of covariates, with other parameters of the average customer and other coefficients.
    ///
    /// * `parameters`: as of the fitted model. * `coefficients`: one an effect.
    #[must_use]
    pub fn models(&self, parameters: [f64; 4], coefficients: &[f64]) -> Vec<PurchaseModel> {
        let width = self.places.len();
        let model = |set: usize| {
            let mut moved = [0.0; 4];
            let values = &self.values[set * width..(set + 1) * width];
            for (((place, sign), value), coefficient) in self.places.iter().zip(values).zip(coefficients) {
                moved[*place] += sign * value * coefficient;
            }
            self.base.with_parameters(std::array::from_fn(|i| parameters[i] * libm::exp(moved[i])))
        };
        (0..self.sets).map(model).collect()
    }
}

impl Moves<'_> {
    fn add(&self, row: usize, moved: &mut [f64; 4]) {
        match self {
            Self::Number { values, centre, by_unit, none } => {
                let missing = values[row].is_nan();
                let (by, times) = if missing { (none, 1.0) } else { (by_unit, values[row] - centre) };
                for (moved, by) in moved.iter_mut().zip(by) {
                    *moved += by * times;
                }
            }
            Self::Levels { level, by_level } => {
                for (moved, by) in moved.iter_mut().zip(&by_level[level[row] as usize]) {
                    *moved += by;
                }
            }
        }
    }
}
