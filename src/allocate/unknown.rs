//! Driver quantities of customers whom nobody knows: they keep their weight, so that nobody else pays for them.

use super::{
    basis::{composite_of, time_of},
    refusal::Refusal,
    spread::AllocateError,
};
use crate::{
    schema::{costing::Basis, period::Period, tables::UnknownQuantity},
    units::Quantity,
};

/// Quantities of unknown customers, by driver and period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnknownQuantities(pub(super) Vec<UnknownQuantity>);

impl UnknownQuantities {
    /// The quantity of a basis that unknown customers used in a period (`None` = in all), scaled by 10⁶; one below zero
    /// counts as none.
    pub(super) fn of(&self, basis: &Basis, drivers: &[String], period: Option<Period>) -> Result<u128, Refusal> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let sum = |name: &str| -> Result<Quantity, Refusal> {
            let of_driver = |row: &&UnknownQuantity| {
                drivers.get(row.driver as usize).is_some_and(|driver| driver == name)
                    && period.is_none_or(|period| row.period == period)
            };
            let sum: i128 = self.0.iter().filter(of_driver).map(|row| i128::from(row.quantity)).sum();
            Ok(i64::try_from(sum).map_err(|_| AllocateError::TooLarge)?)
        };
        let names = basis.drivers();
        let sums: Vec<[Quantity; 1]> = names.iter().map(|name| Ok([sum(name)?])).collect::<Result<_, Refusal>>()?;
        // The constant of an equation is nobody's where nobody used anything.
        if sums.iter().all(|sum| sum[0] == 0) {
            return Ok(0);
        }
        let of = |name: &str| -> Result<&[Quantity], Refusal> {
            let at = names.iter().position(|driver| *driver == name);
            let missing =
                || Refusal::MissingDriver { driver: name.to_owned(), meant: String::new(), known: names.join(", ") };
            Ok(&sums[at.ok_or_else(missing)?])
        };
        let made = match basis {
            Basis::Driver(name) => of(name)?.to_vec(),
            Basis::Composite(parts) => composite_of(parts, of)?,
            Basis::Time { equation, drivers } => time_of(equation, drivers, 1, of)?,
            Basis::Average | Basis::Even | Basis::Revenue | Basis::Cost(_) => Vec::new(),
        };
        let quantity = made.first().copied().unwrap_or(0);
        Ok(u128::try_from(quantity).unwrap_or(0))
    }
}
