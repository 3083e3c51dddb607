//! Objects where customers pay other prices in a scenario: the money of each price, apart.

use super::{
    FactsError, Layout, LedgerSummary,
    objects::{joined, pick},
    packed::Packed,
};
use crate::{
    numeric::{
        decimal::Decimal,
        keys::{Key, KeyIndex, Keys},
    },
    schema::{
        facts::Cells,
        lines::{LineBatch, PURCHASE},
        objects::ObjectKeys,
        period::PeriodKind,
        settings::ReturnsPolicy,
    },
};

/// Whose prices change in a scenario, and by which factor.
#[derive(Debug, Default)]
pub struct PriceGroups {
    /// Customers that the groups are known of; `None` = of nobody.
    pub customers: Option<KeyIndex>,
    /// Place of each of these customers' factor; `None` = its prices stay.
    pub group: Vec<Option<u16>>,
    /// The same of every other customer.
    pub others: Option<u16>,
    /// Distinct factors.
    pub factors: Vec<Decimal>,
}

impl PriceGroups {
    fn of(&self, customer: Key<'_>) -> Option<u16> {
        match self.customers.as_ref().and_then(|customers| customers.get(customer)) {
            Some(row) => self.group[row as usize],
            None => self.others,
        }
    }
}

/// Lines by factor, each with its summaries of named objects and of lines without one.
#[derive(Debug)]
pub(super) struct ByPrice {
    groups: PriceGroups,
    summaries: Vec<(LedgerSummary, LedgerSummary)>,
}

impl ByPrice {
    /// * `ids`: kinds of the ids of named objects, and of lines without one.
    pub(super) fn new(groups: PriceGroups, period: PeriodKind, (named, without): (&Keys, &Keys)) -> Self {
        let layout = Layout { period, added: 0, distinct: 0 };
        let summary = |_| (LedgerSummary::new(layout, named), LedgerSummary::new(layout, without));
        let summaries = groups.factors.iter().map(summary).collect();
        Self { groups, summaries }
    }

    /// * `whose`: whose the lines without an object are.
    pub(super) fn pack(
        &self,
        lines: &LineBatch,
        (objects, whose): (&ObjectKeys, &Keys),
    ) -> Result<Vec<(u16, Packed, Packed)>, FactsError> {
        // Money alone: no driver and no order is counted here.
        let mask = lines.mask.iter().map(|mask| mask & PURCHASE).collect();
        let money = LineBatch { mask, added: Vec::new(), order: vec![0; lines.len()], ..lines.clone() };
        let group: Vec<Option<u16>> = (0..lines.len()).map(|row| self.groups.of(lines.customer.get(row))).collect();
        let mut packed = Vec::new();
        for (place, (named, without)) in self.summaries.iter().enumerate() {
            let wanted =
                |row: usize, missing: bool| group[row] == Some(place as u16) && objects.missing[row] == missing;
            let lines = named.pack(&pick(&money, &objects.keys, |row| wanted(row, false)))?;
            let others = without.pack(&pick(&money, whose, |row| wanted(row, true)))?;
            packed.push((place as u16, lines, others));
        }
        Ok(packed)
    }

    pub(super) fn fold(&mut self, wave: Vec<(u16, Packed, Packed)>) -> Result<(), FactsError> {
        let mut by_place: Vec<(Vec<Packed>, Vec<Packed>)> =
            self.summaries.iter().map(|_| (Vec::new(), Vec::new())).collect();
        for (place, named, without) in wave {
            by_place[usize::from(place)].0.push(named);
            by_place[usize::from(place)].1.push(without);
        }
        for ((named, without), (lines, others)) in self.summaries.iter_mut().zip(by_place) {
            named.fold(&lines)?;
            without.fold(&others)?;
        }
        Ok(())
    }

    /// The cells of each factor under the numbers of all objects.
    ///
    /// * `ids`: of all objects. * `whose`: keys of all lines without one.
    pub(super) fn finish(
        self,
        returns: ReturnsPolicy,
        (ids, whose): (&Keys, &Keys),
    ) -> Result<Vec<(Decimal, Cells)>, FactsError> {
        let (numbers, others) = (KeyIndex::new(ids), KeyIndex::new(whose));
        let among = |summary: LedgerSummary, numbers: &KeyIndex| {
            let (rows, mut cells) = summary.finish(returns, &[])?;
            let number: Vec<u32> = (0..rows.ids.len()).filter_map(|row| numbers.get(rows.ids.get(row))).collect();
            for object in &mut cells.customer {
                *object = number[*object as usize];
            }
            Ok(cells)
        };
        let of_factor = |(factor, (named, without))| {
            Ok((factor, joined(among(named, &numbers)?, among(without, &others)?, ids.len() as u32)))
        };
        self.groups.factors.into_iter().zip(self.summaries).map(of_factor).collect()
    }
}
