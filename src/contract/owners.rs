//! Whose the rows of a table are that keeps what customers whom nobody knows used.

use super::{
    ContractError,
    rules::Rules,
    small_table::Slice,
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::{
    numeric::keys::{Key, Keys, published_hash},
    schema::{settings::Policy, tables::Owner},
};

/// Whose the rows of a batch are, in a table that keeps what customers whom nobody knows used.
pub(super) struct Owners<'a> {
    known: Vec<Result<u32, (&'static str, &'static str)>>,
    ids: Keys,
    /// Ids as they stand and where there is none, when one of them is no id of the ledger's kind.
    raw: Option<(Keys, Vec<bool>)>,
    rules: &'a Rules,
}

impl<'a> Owners<'a> {
    /// Owners of a batch's rows.
    ///
    /// # Errors
    /// [`ContractError`] of the column.
    pub(super) fn new<T>(
        slice: &Slice<'a, T>,
        customers: &KnownCustomers<'_>,
        csv: bool,
    ) -> Result<Self, ContractError> {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let raw = if missing.contains(&true) { slice.batch.keys("customer_id")? } else { None };
        let known = (0..slice.height()).map(|row| customer_of(&ids, &missing, row, customers)).collect();
        Ok(Self { known, ids, raw, rules: slice.rules })
    }

    /// The owner of a row: under `warn` also one whom nobody knows. Rows without an id are one customer's.
    pub(super) fn of(&self, row: usize) -> Result<Owner, (&'static str, &'static str)> {
        match self.known[row] {
            Ok(customer) => Ok(Owner::Known(customer)),
            Err((rule, _)) if self.rules.policy(rule) == Policy::Warn => {
                let key = match &self.raw {
                    Some((_, blank)) if blank[row] => Key::Text(b""),
                    Some((raw, _)) => raw.get(row),
                    None => self.ids.get(row),
                };
                Ok(Owner::Unknown(published_hash(key)))
            }
            Err(broken) => Err(broken),
        }
    }

    /// The rule that the owner of a row breaks.
    pub(super) fn rule(&self, row: usize) -> Option<&'static str> {
        self.known[row].err().map(|(rule, _)| rule)
    }
}
