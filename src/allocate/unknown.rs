//! Driver quantities of customers whom nobody knows: they keep their weight, so that nobody else pays for them.

use super::{composite::composite, refusal::Refusal, spread::AllocateError, time_equation::TimeEquation};
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
        let quantity = match basis {
            Basis::Driver(name) => sum(name)?,
            Basis::Composite(parts) => {
                let sums: Vec<_> =
                    parts.iter().map(|(name, weight)| Ok((*weight, [sum(name)?]))).collect::<Result<_, Refusal>>()?;
                let parts: Vec<_> = sums.iter().map(|(weight, sum)| (*weight, sum.as_slice())).collect();
                composite(&parts)?.first().copied().unwrap_or(0)
            }
            Basis::Time { equation, drivers } => {
                let names: Vec<&str> = drivers.iter().map(String::as_str).collect();
                let equation = TimeEquation::parse(equation, &names, &[])?;
                let sums: Vec<[Quantity; 1]> =
                    equation.variables().iter().map(|name| Ok([sum(name)?])).collect::<Result<_, Refusal>>()?;
                if sums.iter().all(|sum| sum[0] == 0) {
                    return Ok(0);
                }
                let columns: Vec<&[Quantity]> = sums.iter().map(<[Quantity; 1]>::as_slice).collect();
                equation.evaluate(1, &columns)?.first().copied().unwrap_or(0)
            }
            Basis::Average | Basis::Even | Basis::Revenue | Basis::Cost(_) => 0,
        };
        Ok(u128::try_from(quantity).unwrap_or(0))
    }
}
