//! Contract of the events table: who, when, and the terms of every time equation.

use super::{
    ContractError,
    columns::{Scale, is_number},
    owners::Owners,
    rules::Tally,
    small_table::{Input, Slice},
    tables::KnownCustomers,
    when::{need_periods, timed, when},
};
use crate::{
    schema::{
        period::Period,
        settings::{DriverMeasure, LedgerDriver},
        tables::Owner,
    },
    units::{QUANTITY_SCALE, Quantity},
};

/// Events that a driver counts: one row an event, in the order of the files' batches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventTerms {
    /// Whose they are.
    pub owner: Vec<Owner>,
    /// Period.
    pub period: Vec<Period>,
    /// One column a term of the equation, scaled by 10⁶.
    pub terms: Vec<Vec<Quantity>>,
}

/// The terms of an event's time, when the driver counts it.
type Terms = Option<Vec<Quantity>>;

/// One accepted event: customer, period, and its terms for each driver.
type Event = (Owner, Period, Vec<Terms>);

/// The events table.
///
/// A term that is null, out of range, or a flag that is neither 0 nor 1 breaks `invalid_quantity`, where a driver counts
/// the event.
///
/// * `drivers`: those with a time equation.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn events(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    drivers: &[(&str, &LedgerDriver)],
    csv: bool,
) -> Result<(Vec<EventTerms>, Tally), ContractError> {
    let (rows, tally) = input.gather(|slice: &mut Slice<'_, Event>| {
        let owners = Owners::new(slice, customers, csv)?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        let measured: Vec<Measured> =
            drivers.iter().map(|(name, driver)| Measured::new(slice, name, driver)).collect::<Result<_, _>>()?;
        for row in 0..slice.height() {
            let terms: Option<Vec<Terms>> = measured.iter().map(|measured| measured.terms_of(row)).collect();
            let verdict = match (owners.of(row), terms) {
                (Err(broken), _) => Err(broken),
                (_, None) => Err((
                    "invalid_quantity",
                    "a term of a time equation is null or out of range, or a flag is neither 0 nor 1",
                )),
                (Ok(owner), Some(terms)) => timed(input, times.as_ref(), row).map(|when| (owner, when.period, terms)),
            };
            slice.row_of(&owners, row, None, verdict);
        }
        Ok(())
    })?;
    input.rules.judge(&tally.balance)?;
    let mut events: Vec<EventTerms> = drivers.iter().map(|(_, driver)| EventTerms::empty(driver)).collect();
    for (owner, period, terms) in rows {
        for (events, terms) in events.iter_mut().zip(terms) {
            if let Some(terms) = terms {
                events.owner.push(owner);
                events.period.push(period);
                events.terms.iter_mut().zip(terms).for_each(|(column, term)| column.push(term));
            }
        }
    }
    Ok((events, tally))
}

impl EventTerms {
    fn empty(driver: &LedgerDriver) -> Self {
        let terms = match &driver.measure {
            DriverMeasure::Time { columns, .. } => vec![Vec::new(); columns.len()],
            _ => Vec::new(),
        };
        Self { terms, ..Self::default() }
    }
}

/// One driver's columns of a batch.
struct Measured {
    counts: Option<Vec<bool>>,
    terms: Vec<(Vec<Quantity>, bool)>,
}

impl Measured {
    fn new(slice: &Slice<'_, Event>, name: &str, driver: &LedgerDriver) -> Result<Self, ContractError> {
        let scale = Scale::QUANTITY;
        let counts = slice.batch.flags(&format!("filter:{name}"))?;
        let DriverMeasure::Time { columns, flags, .. } = &driver.measure else {
            return Ok(Self { counts, terms: Vec::new() });
        };
        let term = |column: &String| {
            let values = slice.batch.numbers(&format!("time:{name}:{column}"), scale)?;
            Ok((values.ok_or_else(|| slice.absent(column))?, flags.contains(column)))
        };
        Ok(Self { counts, terms: columns.iter().map(term).collect::<Result<_, ContractError>>()? })
    }

    /// The terms of a row; inner `None` when the driver does not count it, outer when a term is no number.
    fn terms_of(&self, row: usize) -> Option<Terms> {
        if self.counts.as_ref().is_some_and(|counts| !counts[row]) {
            return Some(None);
        }
        let term = |(values, flag): &(Vec<Quantity>, bool)| {
            let value = values[row];
            let fits = is_number(value) && (!flag || value == 0 || value == QUANTITY_SCALE);
            fits.then_some(value)
        };
        self.terms.iter().map(term).collect::<Option<_>>().map(Some)
    }
}
