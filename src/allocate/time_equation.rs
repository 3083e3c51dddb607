//! Time equations: how long one event takes, from what is known about it.
//!
//! `minutes = b0 + Σ b_i · x_i`, where `x_i` is a quantity, a flag, an excess `max(0, x − n)` or a product of these. One
//! row is one event; for rows that count events, the constant is written as a term: `3*orders + 0.8*lines`.
//!
//! Source: Kaplan & Anderson, Time-Driven Activity-Based Costing, Harvard Business Review, November 2004.

mod parse;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    units::{QUANTITY_SCALE, Quantity},
};

/// Digits of a scaled quantity.
const QUANTITY_DIGITS: u32 = 6;

/// Why a time equation cannot be read or evaluated. Columns of its text count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EquationError {
    /// A name that is neither a quantity nor a flag.
    #[error("column {column}: unknown term `{name}`; known terms: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Where it begins.
        column: usize,
        /// Every known name.
        known: String,
    },
    /// Text that is no equation.
    #[error("column {column}: expected {expected}, found {found}")]
    Expected {
        /// What could stand here.
        expected: &'static str,
        /// What does.
        found: String,
        /// Where it begins.
        column: usize,
    },
    /// Coefficients that 128 bits do not hold with one common scale.
    #[error("a coefficient has too many digits")]
    Digits,
    /// A factor of a variable that the equation does not have.
    #[error("a factor names variable {variable} of {variables}")]
    Variable {
        /// Its number, from 0.
        variable: usize,
        /// How many there are.
        variables: usize,
    },
    /// A flag that is neither 0 nor 1.
    #[error("flag `{name}` is neither 0 nor 1 in {rows} rows")]
    NotAFlag {
        /// Name of the flag.
        name: String,
        /// How many.
        rows: u64,
    },
    /// Slices that do not belong to the equation or to each other.
    #[error("{found} {what} for {expected}")]
    Shape {
        /// Columns or rows.
        what: &'static str,
        /// How many the equation has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A row whose time, or a term of it, is too large.
    #[error("the time of a row leaves the range of exact arithmetic")]
    Overflow,
}

impl EquationError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => Some("use a known term; a name with spaces or dashes goes between backquotes"),
            Self::Expected { .. } => Some("write `3 + 0.8*lines + 6*refrigerated + 2*max(0, lines - 10)`"),
            Self::NotAFlag { .. } => Some("use it as a quantity, or mend the flag"),
            Self::Digits | Self::Variable { .. } | Self::Shape { .. } | Self::Overflow => None,
        }
    }
}

/// One factor of a term; variables by their number in [`TimeEquation::variables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Factor {
    /// A quantity, scaled by 10⁶.
    Quantity(usize),
    /// 0 or 1 (scaled by 10⁶).
    Flag(usize),
    /// `max(0, quantity − above)`.
    Excess {
        /// The quantity.
        variable: usize,
        /// Scaled by 10⁶.
        above: Quantity,
    },
}

impl Factor {
    fn variable(self) -> usize {
        match self {
            Self::Quantity(variable) | Self::Flag(variable) | Self::Excess { variable, .. } => variable,
        }
    }

    /// Digits that its integer has after the point.
    fn digits(self) -> u32 {
        if matches!(self, Self::Flag(_)) { 0 } else { QUANTITY_DIGITS }
    }

    /// Its integer, [`Self::digits`] of it after the point.
    fn of(self, value: Quantity) -> i128 {
        match self {
            Self::Quantity(_) => i128::from(value),
            Self::Flag(_) => i128::from(value / QUANTITY_SCALE),
            Self::Excess { above, .. } => (i128::from(value) - i128::from(above)).max(0),
        }
    }
}

/// `coefficient · Π factors`; without factors a constant per event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Time for one unit of the product.
    pub coefficient: Decimal,
    /// What it is multiplied with.
    pub factors: Vec<Factor>,
}

impl Term {
    fn digits(&self) -> u32 {
        self.coefficient.scale + self.factors.iter().map(|factor| factor.digits()).sum::<u32>()
    }
}

/// A time equation, ready to be evaluated: every term an integer of one common scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeEquation {
    variables: Vec<String>,
    terms: Vec<(i128, Vec<Factor>)>,
    /// A sum of terms over this is a time scaled by 10⁶.
    power: i128,
}

impl TimeEquation {
    /// An equation of typed terms.
    ///
    /// * `variables`: their names, in the order that factors count them.
    ///
    /// # Errors
    /// [`EquationError::Variable`], [`EquationError::Digits`].
    pub fn new(variables: Vec<String>, terms: &[Term]) -> Result<Self, EquationError> {
        let stray = |factor: &&Factor| factor.variable() >= variables.len();
        if let Some(factor) = terms.iter().flat_map(|term| &term.factors).find(stray) {
            return Err(EquationError::Variable { variable: factor.variable(), variables: variables.len() });
        }
        let digits = terms.iter().map(Term::digits).max().unwrap_or(0).max(QUANTITY_DIGITS);
        let scaled = |term: &Term| {
            let coefficient = term.coefficient.mantissa.checked_mul(power_of_ten(digits - term.digits())?)?;
            Some((coefficient, term.factors.clone()))
        };
        let terms = terms.iter().map(scaled).collect::<Option<_>>().ok_or(EquationError::Digits)?;
        let power = power_of_ten(digits - QUANTITY_DIGITS).ok_or(EquationError::Digits)?;
        Ok(Self { variables, terms, power })
    }

    /// Reads an equation such as `5 + 2*max(0, lines - 10) + 0.5*lines*fragile`.
    ///
    /// Terms are joined by `+` and `-`, factors by `*`. A factor is a number, a name, or `max(0, name - number)`; a name
    /// with other characters than letters, digits, `_` and `.` goes between backquotes.
    ///
    /// * `quantities`, `flags`: the known names.
    ///
    /// # Errors
    /// [`EquationError::Unknown`] and [`EquationError::Expected`] with the column; [`EquationError::Digits`].
    ///
    /// ```
    /// use whalecurve::allocate::time_equation::TimeEquation;
    /// let equation = TimeEquation::parse("3 + 0.8*lines + 6*refrigerated", &["lines"], &["refrigerated"])?;
    /// assert_eq!(equation.variables(), ["lines", "refrigerated"]);
    /// let minutes = equation.evaluate(2, &[&[1_000_000, 10_000_000], &[0, 1_000_000]])?;
    /// assert_eq!(minutes, [3_800_000, 17_000_000]);
    /// # Ok::<(), whalecurve::allocate::time_equation::EquationError>(())
    /// ```
    pub fn parse(text: &str, quantities: &[&str], flags: &[&str]) -> Result<Self, EquationError> {
        let (variables, terms) = parse::parse(text, quantities, flags)?;
        Self::new(variables, &terms)
    }

    /// Reads an equation over columns of which some are flags.
    ///
    /// * `columns`: names of all its columns.
    /// * `flags`: those of them that are 0 or 1.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_columns(text: &str, columns: &[String], flags: &[String]) -> Result<Self, EquationError> {
        let (flags, quantities): (Vec<&str>, Vec<&str>) =
            columns.iter().map(String::as_str).partition(|column| flags.iter().any(|flag| flag == column));
        Self::parse(text, &quantities, &flags)
    }

    /// Every name that a text uses, whether it is known or not.
    ///
    /// # Errors
    /// [`EquationError::Expected`] and [`EquationError::Digits`].
    pub fn names(text: &str) -> Result<Vec<String>, EquationError> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            match parse::parse(text, &known, &[]) {
                Ok((used, _)) => return Ok(used),
                Err(EquationError::Unknown { name, .. }) if !names.contains(&name) => names.push(name),
                Err(error) => return Err(error),
            }
        }
    }

    /// The names it uses, in the order in which [`Self::evaluate`] takes their columns.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The time of every row, scaled by 10⁶: exact in 128 bits, then rounded once, half to even.
    ///
    /// * `rows`: how many events; an equation without variables has no column to count.
    /// * `columns`: one a variable, one value an event, scaled by 10⁶.
    ///
    /// # Errors
    /// [`EquationError::Shape`], [`EquationError::NotAFlag`], [`EquationError::Overflow`].
    pub fn evaluate(&self, rows: usize, columns: &[&[Quantity]]) -> Result<Vec<Quantity>, EquationError> {
        self.check(rows, columns)?;
        let times = (0..rows).into_par_iter().map(|row| self.time(row, columns));
        times.collect::<Option<_>>().ok_or(EquationError::Overflow)
    }

    fn check(&self, rows: usize, columns: &[&[Quantity]]) -> Result<(), EquationError> {
        let expected = self.variables.len();
        if columns.len() != expected {
            return Err(EquationError::Shape { what: "columns", expected, found: columns.len() });
        }
        if let Some(column) = columns.iter().find(|column| column.len() != rows) {
            return Err(EquationError::Shape { what: "rows", expected: rows, found: column.len() });
        }
        for (variable, column) in columns.iter().enumerate() {
            let flag = self.terms.iter().flat_map(|term| &term.1).any(|factor| *factor == Factor::Flag(variable));
            let broken = |value: &&Quantity| **value != 0 && **value != QUANTITY_SCALE;
            let rows = if flag { column.iter().filter(broken).count() as u64 } else { 0 };
            if rows > 0 {
                return Err(EquationError::NotAFlag { name: self.variables[variable].clone(), rows });
            }
        }
        Ok(())
    }

    fn time(&self, row: usize, columns: &[&[Quantity]]) -> Option<Quantity> {
        let value = |factor: &Factor| factor.of(columns[factor.variable()][row]);
        let sum = self.terms.iter().try_fold(0_i128, |sum, (coefficient, factors)| {
            let product = factors.iter().try_fold(*coefficient, |product, factor| product.checked_mul(value(factor)));
            sum.checked_add(product?)
        })?;
        i64::try_from(divide_half_even(sum, self.power)).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: i64 = QUANTITY_SCALE;

    fn parse(text: &str) -> Result<TimeEquation, EquationError> {
        TimeEquation::parse(text, &["lines", "cases", "order-value"], &["refrigerated", "export", "fragile"])
    }

    /// The time of one event, its variables in whole units.
    fn time(text: &str, values: &[i64]) -> Result<Quantity, EquationError> {
        let values: Vec<[i64; 1]> = values.iter().map(|value| [value * ONE]).collect();
        let columns: Vec<&[i64]> = values.iter().map(<[i64; 1]>::as_slice).collect();
        parse(text)?.evaluate(1, &columns).map(|times| times[0])
    }

    #[test]
    fn picking_minutes_are_those_of_the_reference() {
        let picking = "3 + 0.8*lines + 6*refrigerated + 12*export";
        assert_eq!(time(picking, &[1, 0, 0]), Ok(3_800_000));
        assert_eq!(time(picking, &[10, 1, 0]), Ok(17 * ONE));
        assert_eq!(time(picking, &[10, 1, 1]), Ok(29 * ONE));
    }

    #[test]
    fn an_excess_counts_from_its_threshold_and_a_product_multiplies() {
        let packing = "5 + 2*max(0, lines - 10) + 0.5*lines*fragile";
        assert_eq!(time(packing, &[10, 0]), Ok(5 * ONE));
        assert_eq!(time(packing, &[12, 0]), Ok(9 * ONE));
        assert_eq!(time(packing, &[12, 1]), Ok(15 * ONE));
        assert_eq!(time("lines*cases - 2*3*lines", &[7, 5]), Ok(-7 * ONE));
        assert_eq!(time("-1.5 + max(0, lines)", &[2]), Ok(500_000));
        assert_eq!(time("2*`order-value`", &[4]), Ok(8 * ONE));
        assert_eq!(time("4.25", &[]), Ok(4_250_000));
    }

    #[test]
    fn a_time_is_rounded_once_half_to_even() {
        let of = |text: &str, lines| parse(text).unwrap().evaluate(1, &[&[lines]]).unwrap()[0];
        assert_eq!(of("0.5*lines + 0.5*lines", 1), 1);
        assert_eq!((of("0.5*lines", 1), of("0.5*lines", 3)), (0, 2));
        assert_eq!(of("0.0000005 + 0.000001*lines", 0), 0);
    }

    #[test]
    fn a_flag_of_two_and_columns_that_do_not_fit_are_refused() {
        let broken = parse("2*export").unwrap().evaluate(3, &[&[2 * ONE, ONE, 1]]).unwrap_err();
        assert_eq!(broken.to_string(), "flag `export` is neither 0 nor 1 in 2 rows");
        let equation = parse("lines + cases").unwrap();
        assert_eq!(equation.evaluate(1, &[&[1]]).unwrap_err().to_string(), "1 columns for 2");
        assert_eq!(equation.evaluate(2, &[&[1, 2], &[1]]).unwrap_err().to_string(), "1 rows for 2");
        let stray = Term { coefficient: Decimal { mantissa: 1, scale: 0 }, factors: vec![Factor::Flag(1)] };
        let stray = TimeEquation::new(vec!["lines".to_owned()], &[stray]);
        assert_eq!(stray, Err(EquationError::Variable { variable: 1, variables: 1 }));
    }

    #[test]
    fn a_time_that_does_not_fit_is_an_error_not_a_wrapped_number() {
        let of = |text: &str| parse(text).and_then(|equation| equation.evaluate(1, &[&[i64::MAX]]));
        assert_eq!(of("2*lines"), Err(EquationError::Overflow));
        assert_eq!(of("lines*lines*lines"), Err(EquationError::Overflow));
        let digits = format!("0.{}1*lines*lines", "0".repeat(37));
        assert_eq!(of(&digits), Err(EquationError::Digits));
    }

    proptest! {
        #[test]
        fn a_linear_equation_is_its_sum_and_the_order_of_terms_changes_nothing(
            rows in prop::collection::vec((0..1_000_000_000_i64, 0..1_000_000_000_i64, any::<bool>()), 1..50),
            (a, b, c) in (0..10_000_i64, 0..10_000_i64, 0..10_000_i64), above in 0..1_000_i64,
        ) {
            let lines: Vec<i64> = rows.iter().map(|row| row.0).collect();
            let cases: Vec<i64> = rows.iter().map(|row| row.1).collect();
            let export: Vec<i64> = rows.iter().map(|row| i64::from(row.2) * ONE).collect();
            let forward = parse(&format!("{a} + {b}*lines + {c}*export*max(0, cases - {above})")).unwrap();
            let backward = parse(&format!("max(0, cases-{above})*{c}*export + lines*{b} + {a}")).unwrap();
            let times = forward.evaluate(rows.len(), &[&lines, &export, &cases]).unwrap();
            let expected: Vec<i64> = rows
                .iter()
                .map(|&(lines, cases, export)| {
                    a * ONE + b * lines + c * i64::from(export) * (cases - above * ONE).max(0)
                })
                .collect();
            prop_assert_eq!(&times, &expected);
            prop_assert_eq!(backward.evaluate(rows.len(), &[&cases, &export, &lines]).unwrap(), expected);
        }

        #[test]
        fn any_text_is_an_equation_or_an_error_with_a_column_in_it(text in "[0-9.a-z+*(), µ`-]{0,30}") {
            match parse(&text) {
                Err(EquationError::Unknown { column, .. } | EquationError::Expected { column, .. }) => {
                    prop_assert!((1..=text.chars().count() + 1).contains(&column));
                }
                Err(error) => prop_assert_eq!(error, EquationError::Digits),
                Ok(equation) => prop_assert!(equation.variables().len() <= 6),
            }
        }
    }
}
