//! Times under contract: contracts of one customer that follow each other are one, up to a gap that is a churn.
//!
//! A customer whose last contract ended has left, unless so short a time ago that the next one may still come: its renewal is
//! open then, neither made nor missed. One that came back counts twice in a fit: once as lost, once as a new customer.
//!
//! In a table where some contracts have no end, an end is known because the customer has given notice. Where every contract has
//! one, a contract is a term, and one that ends on the last day that is known may be followed by the next.

use super::durations::{DurationError, Durations};
use super::tenures::{TenureError, Tenures};
use crate::schema::renewals::RenewalTerm;
use crate::schema::tables::CustomerContract;
use crate::units::Day;

/// One time under contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// Row of the customer.
    pub customer: u32,
    /// First day under contract.
    pub start: Day,
    /// Last day under contract; `None` while it goes on at `as_of`.
    pub end: Option<Day>,
    /// Last day that is agreed on, of one that goes on because it may still be renewed.
    pub ends: Option<Day>,
}

/// A contract that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ongoing {
    /// First day under contract.
    pub start: Day,
    /// Last day that is agreed on, where that has come and the next renewal is open; `None` of one that goes on beyond `as_of`.
    pub ends: Option<Day>,
}

impl From<Day> for Ongoing {
    /// One that began on a day and goes on beyond `as_of`.
    fn from(start: Day) -> Self {
        Self { start, ends: None }
    }
}

impl Spell {
    /// The contract that goes on; `None` of one that was lost.
    #[must_use]
    pub fn ongoing(&self) -> Option<Ongoing> {
        self.end.is_none().then_some(Ongoing { start: self.start, ends: self.ends })
    }

    /// Last day that was spent under contract.
    ///
    /// * `as_of`: last day that is known.
    #[must_use]
    pub fn last_day(&self, as_of: Day) -> Day {
        self.end.or(self.ends).unwrap_or(as_of)
    }

    /// Whether it is in records that begin on `from`.
    fn is_seen(&self, from: Option<Day>) -> bool {
        from.is_none_or(|from| self.end.is_none_or(|end| end >= from))
    }
}

/// The spells of contracts in order of customer and start that do not overlap.
///
/// * `as_of`: last day that is known; contracts that begin later do not count, those that end later go on.
/// * `grace`: a contract that begins up to so many days after the day on which it would follow is a renewal. So one that ended
///   less than so many days before `as_of` may still be renewed, and where every contract has an end, one that ended so many
///   days before.
#[must_use]
pub fn spells(contracts: &[CustomerContract], as_of: Day, grace: u32) -> Vec<Spell> {
    let mut found: Vec<Spell> = Vec::new();
    let by_term = contracts.iter().all(|contract| contract.end.is_some());
    let last_lost = as_of.saturating_sub_unsigned(grace).saturating_sub(Day::from(by_term));
    let missed = |end: Option<Day>| end.filter(|end| *end <= last_lost);
    for &CustomerContract { customer, start, end } in contracts.iter().filter(|contract| contract.start <= as_of) {
        match found.last_mut() {
            Some(Spell { customer: same, end: last, .. })
                if *same == customer && last.is_some_and(|last| start.abs_diff(last) <= grace.saturating_add(1)) =>
            {
                *last = end;
            }
            _ => found.push(Spell { customer, start, end, ends: None }),
        }
    }
    for spell in &mut found {
        let known = spell.end.filter(|end| *end <= as_of);
        spell.end = missed(known);
        spell.ends = known.filter(|_| spell.end.is_none());
    }
    found
}

/// Counts of renewals: what the models of contracts with chances to leave are fitted to.
///
/// A contract that goes on has made every renewal up to the day after `as_of`: had it not, its end would be known. One that may
/// still be renewed has made those up to its end.
///
/// * `from`: contracts that ended before this day are not in the records; those that had begun before it are truncated.
///
/// # Errors
/// [`TenureError`] for spells of a million terms.
pub fn tenures(spells: &[Spell], as_of: Day, term: RenewalTerm, from: Option<Day>) -> Result<Tenures, TenureError> {
    let (mut chances, mut lost, mut entry) = (Vec::new(), Vec::new(), Vec::new());
    for spell in spells.iter().filter(|spell| spell.is_seen(from)) {
        let before = from.map_or(0, |from| term.renewals(spell.start, from));
        chances.push(match spell.end {
            // One that was there when the records began missed a later renewal, though that before may be nearer.
            Some(end) => term.missed(spell.start, end + 1).max(before + 1),
            None => term.renewals(spell.start, spell.ends.unwrap_or(as_of + 1)).max(before),
        });
        lost.push(spell.end.is_some());
        entry.push(before);
    }
    let mut tenures = Tenures::new();
    tenures.insert_from(&chances, &lost, &entry)?;
    Ok(tenures)
}

/// Counts of days under contract: what the models of continuous time are fitted to.
///
/// * `from`: as in [`tenures`].
///
/// # Errors
/// [`DurationError`] for spells of thousands of years.
pub fn durations(spells: &[Spell], as_of: Day, from: Option<Day>) -> Result<Durations, DurationError> {
    let days = |spell: &Spell| spell.last_day(as_of).abs_diff(spell.start) + 1;
    let before = |spell: &Spell| from.map_or(0, |from| if from > spell.start { from.abs_diff(spell.start) } else { 0 });
    let (mut exit, mut lost, mut entry) = (Vec::new(), Vec::new(), Vec::new());
    for spell in spells.iter().filter(|spell| spell.is_seen(from)) {
        exit.push(days(spell));
        lost.push(spell.end.is_some());
        entry.push(before(spell));
    }
    let mut durations = Durations::new();
    durations.insert(&exit, &lost, &entry)?;
    Ok(durations)
}

#[cfg(test)]
mod tests {
    use super::super::durations::Duration;
    use super::super::tenures::Chance;
    use super::*;

    const YEAR: RenewalTerm = RenewalTerm::Days(365);

    fn contract(customer: u32, start: Day, end: Option<Day>) -> CustomerContract {
        CustomerContract { customer, start, end }
    }

    #[test]
    fn a_gap_up_to_the_grace_is_a_renewal_and_a_longer_one_a_churn() {
        let contracts = [
            contract(1, 0, Some(364)),
            contract(1, 365, Some(700)),
            contract(1, 720, None),
            contract(2, 100, Some(200)),
            contract(3, 100, Some(995)),
            contract(4, 100, Some(2_000)),
            contract(5, 1_001, None),
        ];
        let told = |grace| -> Vec<(u32, Day, Option<Day>)> {
            spells(&contracts, 1_000, grace).iter().map(|spell| (spell.customer, spell.start, spell.end)).collect()
        };
        let ended = [(1, 0, Some(700)), (1, 720, None), (2, 100, Some(200)), (3, 100, Some(995)), (4, 100, None)];
        assert_eq!(told(0), ended);
        assert_eq!(told(4), ended);
        // The contract that ended five days ago may still be renewed.
        let waiting = [(1, 0, Some(700)), (1, 720, None), (2, 100, Some(200)), (3, 100, None), (4, 100, None)];
        assert_eq!(told(18), waiting);
        let joined = [(1, 0, None), (2, 100, Some(200)), (3, 100, None), (4, 100, None)];
        assert_eq!(told(19), joined);
    }

    #[test]
    fn an_end_is_a_loss_once_the_grace_is_over_and_open_until_then() {
        let of = |contracts: &[CustomerContract], grace| {
            let spell = spells(contracts, 1_000, grace)[0];
            (spell.end, spell.ongoing().map(|contract| contract.ends))
        };
        let told = |end, grace| of(&[contract(0, 0, Some(end))], grace);
        // Another one has no end: who gave notice has left.
        let noticed = |end, grace| of(&[contract(0, 0, Some(end)), contract(1, 0, None)], grace);
        assert_eq!(noticed(1_001, 0), (None, Some(None)));
        assert_eq!(noticed(1_000, 0), (Some(1_000), None));
        assert_eq!(noticed(992, 9), (None, Some(Some(992))));
        assert_eq!(noticed(991, 9), (Some(991), None));
        assert_eq!(told(1_001, 0), (None, Some(None)));
        assert_eq!(told(1_000, 0), (None, Some(Some(1_000))));
        assert_eq!(told(999, 0), (Some(999), None));
        assert_eq!(told(991, 9), (None, Some(Some(991))));
        assert_eq!(told(990, 9), (Some(990), None));
    }

    #[test]
    fn a_renewal_that_is_open_is_neither_made_nor_missed() {
        // Three years of 365 days; the last ends on the last day that is known, or ten days before it.
        for (as_of, grace) in [(1_094, 0), (1_104, 10)] {
            let spells = spells(&[contract(0, 0, Some(1_094))], as_of, grace);
            let chances = tenures(&spells, as_of, YEAR, None).unwrap().chances();
            assert_eq!(
                chances.iter().map(|chance| (chance.number, chance.renewed)).collect::<Vec<_>>(),
                [(1, 1), (2, 1)]
            );
            let counts = durations(&spells, as_of, None).unwrap();
            assert_eq!(counts.iter().next().unwrap().0, Duration { exit: 1_095, entry: 0, lost: false });
        }
        // One that goes on is known to have made the third.
        let spells = spells(&[contract(0, 0, Some(1_095))], 1_094, 0);
        assert_eq!(tenures(&spells, 1_094, YEAR, None).unwrap().chances().len(), 3);
    }

    #[test]
    fn spells_are_counted_by_renewals_and_by_days() {
        let spell = |start, end| Spell { customer: 0, start, end, ends: None };
        // Lost at the first and second chance; there at two, of which one is due on the day after as_of.
        let spells = [spell(0, Some(364)), spell(0, Some(729)), spell(366, None), spell(700, None)];
        let chances = |from| tenures(&spells, 1_095, YEAR, from).unwrap().chances();
        let chance = |number, renewed, lost| Chance { number, renewed, lost };
        assert_eq!(chances(None), [chance(1, 3, 1), chance(2, 1, 1)]);
        // The one lost first is not in records from day 365 on, and the other one's first renewal was before them.
        assert_eq!(chances(Some(365)), [chance(1, 2, 0), chance(2, 1, 1)]);
        let counted = |from| -> Vec<(u32, u32, bool)> {
            let counts = durations(&spells, 1_095, from).unwrap();
            counts.iter().map(|(Duration { exit, entry, lost }, _)| (exit, entry, lost)).collect()
        };
        assert_eq!(counted(None), [(365, 0, true), (396, 0, false), (730, 0, false), (730, 0, true)]);
        // Who left before the records begin is not in them.
        assert_eq!(counted(Some(365)), [(396, 0, false), (730, 0, false), (730, 365, true)]);
    }
}
