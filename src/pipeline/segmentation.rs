//! Every way of putting customers into groups, gathered for the tables and the joint totals.

use super::{
    RunError,
    error::CLUSTERS,
    expressions::{columns, first_true, floats, is_simulated, known, named},
    foretold::Foretold,
    results::{Findings, SEGMENTS, TIERS},
};
use crate::{
    portfolio::{CELLS, cell, clusters},
    schema::{
        facts::NO_DAY,
        portfolio::{Payment, PortfolioGroup},
        segmentation::{self, Segmentation},
        settings::Settings,
    },
};

/// Group of customers of whom no expression is true.
const OTHER: &str = "(other)";

/// Value tier, segment, channel, parent, region, RFM cell, portfolio group, credit grade and roles, with the places in the joint
/// totals that are settled.
pub(super) fn of(settings: &Settings, found: &Findings) -> Vec<(Segmentation, Option<usize>)> {
    let ledgers = &found.ledgers;
    let tiers = settings.portfolio.value_tiers.iter().map(|tier| tier.name.as_str());
    let mut all = vec![(Segmentation::by_number("value_tier", tiers, &found.tier), Some(TIERS))];
    if ledgers.segment.is_some() {
        let names = ledgers.segment_names.iter().map(String::as_str);
        all.push((Segmentation::by_number("segment", names, &ledgers.segment_of), Some(SEGMENTS)));
    }
    all.extend(ledgers.hierarchies.iter().map(|hierarchy| (hierarchy.clone(), None)));
    all.push((Segmentation::by_number("rfm_cell", CELLS, &cells(settings, found)), None));
    if let Some(group) = &found.portfolio.group {
        let numbers: Vec<u32> = group.iter().map(|group| *group as u32).collect();
        let names = PortfolioGroup::ALL.map(PortfolioGroup::as_str);
        all.push((Segmentation::by_number("portfolio_group", names, &numbers), None));
    }
    all.extend(grades(found).into_iter().chain(roles(found)).map(|own| (own, None)));
    all
}

/// Credit grades, where anybody has one.
fn grades(found: &Findings) -> Option<Segmentation> {
    let ledgers = &found.ledgers;
    let none = Payment::GRADES.len() as u32;
    let mut of = vec![none; ledgers.customers.len()];
    for (customer, payment) in ledgers.payments.iter() {
        of[*customer as usize] = payment.grade.map_or(none, u32::from);
    }
    let names = Payment::GRADES.into_iter().chain([segmentation::NONE]);
    of.iter().any(|grade| *grade != none).then(|| Segmentation::by_number("credit_grade", names, &of))
}

/// Who has a role and who has not, role by role, as a customer may have several; those that somebody has.
fn roles(found: &Findings) -> impl Iterator<Item = Segmentation> {
    let roles = &found.portfolio.roles;
    let of = |name: &'static str, role: Option<&Vec<bool>>| {
        let of: Vec<u32> = role?.iter().map(|has| u32::from(!has)).collect();
        of.contains(&0).then(|| Segmentation::by_number(name, [name, OTHER], &of))
    };
    let all = [
        of("high_lifetime_value", roles.high_lifetime_value.as_ref()),
        of("benchmark", roles.benchmark.as_ref()),
        of("inspiration", roles.inspiration.as_ref()),
        of("cost_magnet", Some(&roles.cost_magnet)),
    ];
    all.into_iter().flatten()
}

fn cells(settings: &Settings, found: &Findings) -> Vec<u16> {
    let setting = &settings.portfolio;
    let groups = setting
        .rfm_cuts
        .as_ref()
        .map_or([setting.rfm_groups; 2], |cuts| [cuts.recency.len() as u8 + 1, cuts.frequency.len() as u8 + 1]);
    let [recency, frequency, _] = &found.scores;
    let facts = &found.ledgers.facts;
    let cell = |row: usize| {
        let bought = facts.last_purchase[row] != NO_DAY;
        cell(bought.then(|| [(recency[row], groups[0]), (frequency[row], groups[1])]))
    };
    (0..recency.len()).map(cell).collect()
}

/// The user's segments and clusters, of columns that are there before (or only after) the simulation.
///
/// # Errors
/// [`RunError::Segment`].
pub(super) fn own(
    settings: &Settings,
    forecast: Option<&Foretold>,
    found: &Findings,
    simulated: bool,
) -> Result<Vec<Segmentation>, RunError> {
    let setting = &settings.portfolio;
    if setting.segments.is_empty() && setting.clusters.is_none() {
        return Ok(Vec::new());
    }
    let known = known(settings);
    let mut all = Vec::new();
    let late = |text: &str| named(text, &known).into_iter().any(is_simulated);
    let texts = &setting.segments;
    if !texts.is_empty() && texts.iter().any(|(_, text)| late(text)) == simulated {
        let first = first_true(settings, forecast, found, texts)?;
        let names = texts.iter().map(|(name, _)| name.as_str()).chain([OTHER]);
        let numbers: Vec<u32> = first.into_iter().map(|first| first.unwrap_or(texts.len() as u32)).collect();
        all.push(Segmentation::by_number("user_segment", names, &numbers));
    }
    if let Some(setting) = &setting.clusters
        && setting.columns.iter().any(|column| late(column)) == simulated
    {
        let wrong = |reason: String| RunError::Segment { segment: CLUSTERS.to_owned(), reason };
        let wanted: Vec<&str> = setting.columns.iter().map(String::as_str).collect();
        let mut made = columns(settings, forecast, found, &wanted);
        let mut scaled = Vec::new();
        for name in wanted {
            let at = made.iter().position(|(other, _, _)| other == name);
            let (_, kind, values) = made.swap_remove(at.ok_or_else(|| wrong(format!("no column `{name}`")))?);
            let column = floats(kind, values, settings).ok_or_else(|| wrong(format!("`{name}` holds no numbers")))?;
            scaled.push(clusters::scaled(&column, setting.scale));
        }
        let of = clusters::k_means(&scaled, usize::from(setting.clusters), settings.seed);
        let names: Vec<String> = (1..=setting.clusters).map(|number| format!("cluster_{number:02}")).collect();
        all.push(Segmentation::by_number("cluster", names.iter().map(String::as_str), &of));
    }
    Ok(all)
}
