//! Driver quantities of customers whom nobody knows: they keep their weight, so that nobody else pays for them.

use std::collections::BTreeMap;

use super::{
    basis::{composite_of, time_of},
    refusal::Refusal,
    spread::AllocateError,
};
use crate::{
    schema::{costing::Basis, period::Period, tables::UnknownQuantity},
    units::Quantity,
};

/// Quantities of unknown customers, by customer, period and driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnknownQuantities(pub(super) Vec<UnknownQuantity>);

impl UnknownQuantities {
    /// The quantities of a basis that unknown customers used in a period (`None` = in all), scaled by 10⁶: one for every
    /// customer and period with a quantity of one of its drivers.
    ///
    /// A basis without drivers has none: unknown customers have neither lines nor revenue nor cost.
    pub(super) fn of(
        &self,
        basis: &Basis,
        drivers: &[String],
        period: Option<Period>,
    ) -> Result<Vec<Quantity>, Refusal> {
        let names = basis.drivers();
        let mut rows: BTreeMap<(u64, Period), Vec<Quantity>> = BTreeMap::new();
        let used = self.0.iter().filter(|row| row.quantity != 0 && period.is_none_or(|period| row.period == period));
        for row in used {
            let driver = drivers.get(row.driver as usize);
            let Some(at) = names.iter().position(|name| driver.is_some_and(|driver| driver == name)) else { continue };
            let own = rows.entry((row.customer, row.period)).or_insert_with(|| vec![0; names.len()]);
            own[at] = own[at].checked_add(row.quantity).ok_or(AllocateError::TooLarge)?;
        }
        let columns: Vec<Vec<Quantity>> =
            (0..names.len()).map(|at| rows.values().map(|own| own[at]).collect()).collect();
        let of = |name: &str| -> Result<&[Quantity], Refusal> {
            let at = names.iter().position(|driver| *driver == name);
            let missing = || Refusal::MissingDriver {
                driver: name.to_owned(),
                meant: String::new(),
                known: names.join(", "),
                excusable: false,
            };
            Ok(&columns[at.ok_or_else(missing)?])
        };
        match basis {
            Basis::Driver(name) => Ok(of(name)?.to_vec()),
            Basis::Composite(parts) => composite_of(parts, of),
            Basis::Time { equation, drivers } => time_of(equation, drivers, rows.len(), of),
            Basis::Average | Basis::Even | Basis::Revenue | Basis::Cost(_) => Ok(Vec::new()),
        }
    }
}
