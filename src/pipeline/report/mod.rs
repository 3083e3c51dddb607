//! The report of a finished output: its datasets, read back and added up into the aggregates that the page tells.
//!
//! One way for the end of a run and for `whalecurve report`, so that both give the same bytes.

mod customers;
pub(crate) use self::refusal::{ReportError, datasets_limit, open, unheeded};
pub(super) use self::{
    customers::{COST_TO_SERVE, quantiles},
    whole::summary,
};
mod groups;
mod refusal;
mod whole;

use super::finished::Finished;
use crate::{
    publish::{PublishError, contents::page_with_digest},
    report::page::{Report, averages::Averages, whales::Paretos},
    schema::settings::ReportSettings,
};

/// The report of an output, as a page of HTML.
///
/// * `source`: the output. `validation`: an output of `validate`, whose scores and tracking it shows.
/// * `smallest_group`: groups of fewer customers are not told; of the manifest when `None`. It is never below the datasets' own.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read, or that another version wrote.
pub(crate) fn html(
    source: &Finished,
    validation: Option<&Finished>,
    smallest_group: Option<u64>,
) -> Result<String, PublishError> {
    let currency = source.currency()?;
    let stored = source.manifest["report"]["smallest_group"].as_u64();
    let smallest_group = smallest_group.or(stored).unwrap_or(ReportSettings::default().smallest_group).max(1);
    // What the datasets do not tell, nor does a page that is made of them.
    let smallest_group = smallest_group.max(datasets_limit(source));
    let profits = customers::profits(source)?;
    let told = profits.as_ref();
    let (values, (averages, paretos)) = rayon::join(
        || customers::values(source, told, smallest_group, &currency),
        || {
            let averages = told.and_then(|found| Averages::of(&found.sales, &found.cost, &found.profit));
            (averages, told.and_then(|found| Paretos::of(&found.sales, &found.cost)))
        },
    );
    let (values, mut whales) = (values?, whole::whales(source)?);
    whales.paretos = paretos;
    let mut profit = groups::profit(source)?;
    let growth = values.growth;
    if let Some(found) = profits {
        profit.sums = found.sums;
    }
    let holdout = match validation {
        Some(validation) => whole::validated(validation)?,
        None => whole::holdout(source, "model_comparison")?,
    };
    let mut value = values.value;
    if let Some(value) = &mut value {
        whole::equity(source, value)?;
        value.retention = whole::retention(source)?;
    }
    let report = Report {
        name: source.text("name"),
        as_of: source.text("as_of"),
        currency,
        smallest_group,
        of_contracts: source.is_of_contracts(),
        summary: whole::summary(source)?,
        risk: values.risk,
        whales,
        profit,
        averages,
        base: values.base,
        holdout,
        value,
        portfolio: groups::portfolio(source, &growth)?,
        decisions: groups::decisions(source)?,
        quality: whole::quality(source)?,
        method: whole::method(source),
    };
    Ok(page_with_digest(&report.html(), &source.text("result_digest")))
}
