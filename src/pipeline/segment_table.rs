//! `customer_segment`: scores, tier, segment, portfolio analysis, roles and the user's own groups of every customer, made
//! row group by row group.

use std::{ops::Range, sync::Arc};

use super::{
    tables::{integers, scaled},
    worlds::{World, write_beneath},
};
use crate::{
    publish::{
        PublishError,
        dataset::{Values, Writer, Written},
    },
    schema::{outputs::OutputDataset, portfolio::PortfolioGroup},
    units::Minor,
};

/// `customer_segment`: customers of the base, then of the scenario.
pub(super) fn write_segment(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'_>],
) -> Result<Written, PublishError> {
    write_beneath(writer, spec, worlds, World::customers, |world, own| worlds[world].segment_columns(own))
}

impl World<'_> {
    /// Customers `rows`.
    pub(super) fn segment_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let mut columns = self.score_columns(rows.clone());
        columns.extend(self.portfolio_columns(rows.clone()));
        columns.extend(["cluster", "user_segment"].map(|name| self.group_column(name, rows.clone())));
        columns
    }

    /// The group of every customer in a segmentation; null where there is none of the name.
    fn group_column(&self, name: &str, rows: Range<usize>) -> Values {
        let found = self.found.segmentations.iter().find(|(segmentation, _)| segmentation.name == name);
        match found {
            Some((segmentation, _)) => {
                Values::Label(segmentation.of[rows].to_vec(), Arc::new(segmentation.groups.clone()))
            }
            None => Values::Text(vec![None; rows.len()]),
        }
    }

    fn score_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let tiers: Vec<String> = self.settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
        let score = |scores: &[u8]| integers(scores[rows.clone()].iter().map(|score| i64::from(*score)));
        let segment = self.found.ledgers.segment.as_deref();
        vec![
            Values::Ids(rows.clone().map(|row| row as u32).collect()),
            score(&self.found.scores[0]),
            score(&self.found.scores[1]),
            score(&self.found.scores[2]),
            Values::Label(self.found.tier[rows.clone()].iter().map(|tier| u32::from(*tier)).collect(), Arc::new(tiers)),
            Values::Text(segment.map_or_else(|| vec![None; rows.len()], |segment| segment[rows.clone()].to_vec())),
        ]
    }

    fn portfolio_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let found = &self.found.portfolio;
        let roles = &found.roles;
        let switch = |role: Option<&Vec<bool>>| match role {
            Some(role) => Values::Switch(role[rows.clone()].iter().map(|has| Some(*has)).collect()),
            None => Values::Switch(vec![None; rows.len()]),
        };
        let group = match &found.group {
            Some(group) => {
                let names = PortfolioGroup::ALL.map(|group| group.as_str().to_owned()).to_vec();
                Values::Label(group[rows.clone()].iter().map(|group| *group as u32).collect(), Arc::new(names))
            }
            None => Values::Text(vec![None; rows.len()]),
        };
        let way = |best: &Option<(u16, Minor)>| best.map(|(way, _)| found.ways[usize::from(way)].clone());
        let best = &found.best_way[rows.clone()];
        let influence = roles.influence.as_ref().map(|influence| scaled(&influence[rows.clone()]));
        let score = roles.inspiration_score.as_ref();
        let ratio = roles.fixed_cost_ratio[rows.clone()].iter().map(|ratio| ratio.filter(|ratio| ratio.is_finite()));
        let above = self.settings.portfolio.analysis.present_above;
        vec![
            self.group_column("rfm_cell", rows.clone()),
            group,
            scaled(&found.present[rows.clone()]),
            Values::Text(best.iter().map(way).collect()),
            Values::Scaled(best.iter().map(|best| best.map(|(_, profit)| profit)).collect()),
            switch(roles.high_lifetime_value.as_ref()),
            switch(roles.benchmark.as_ref()),
            influence.unwrap_or_else(|| Values::Scaled(vec![None; rows.len()])),
            switch(roles.inspiration.as_ref()),
            Values::Float(rows.clone().map(|row| score.map(|score| score[row])).collect()),
            switch(Some(&roles.cost_magnet)),
            Values::Float(ratio.collect()),
            Values::Switch(rows.clone().map(|row| Some(found.is_protected(row, above))).collect()),
        ]
    }
}
