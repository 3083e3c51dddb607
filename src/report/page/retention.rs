//! Part 6, continued: how long customers stay under contract.

use maud::{Markup, html};

use super::{
    Report,
    table::{figure, table},
    words::{part, spoken},
};
use crate::report::{
    number::count,
    plot::{Band, Plot, Series, Stroke},
    sheet::{Range, Unit},
};

/// Rows of `model_retention`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retention {
    /// Model of contracts.
    pub(crate) model: String,
    pub(crate) tenures: Vec<Tenure>,
}

/// One renewal, or time unit under contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenure {
    pub(crate) number: u64,
    /// Contracts that came to it.
    pub(crate) contracts: u64,
    /// Share who stay for longer, in the records; its standard error; the same by the model.
    pub(crate) observed: f64,
    pub(crate) error: f64,
    pub(crate) expected: f64,
}

/// Standard errors on either side of the observed share.
const ERRORS: f64 = 2.0;

/// Rows of the table, at most.
const ROWS: usize = 12;

impl Report {
    /// The curve as observed and as the model says, as far as enough contracts were seen.
    pub(super) fn retention_figure(&self, retention: &Retention) -> Markup {
        let told: Vec<&Tenure> = retention
            .tenures
            .iter()
            .take_while(|tenure| self.tells(tenure.contracts))
            .filter(|t| t.contracts > 0)
            .collect();
        let (Some(last), true) = (told.last(), told.len() > 1) else { return html! {} };
        let percent = |share: f64| 100.0 * share.clamp(0.0, 1.0);
        let line = |of: fn(&Tenure) -> f64| -> Vec<(f64, f64)> {
            let points = told.iter().map(|tenure| (tenure.number as f64, percent(of(tenure))));
            std::iter::once((0.0, 100.0)).chain(points).collect()
        };
        let errors = told.iter().map(|tenure| {
            let at = |side: f64| percent(tenure.observed + side * ERRORS * tenure.error);
            (tenure.number as f64, at(-1.0), at(1.0))
        });
        let picture = Plot {
            id: "retention-picture",
            name: "Share of contracts that last longer",
            description: &format!(
                "After {} renewals or time units {} of new contracts still go on in the records, {} by the model.",
                last.number,
                part(last.observed),
                part(last.expected)
            ),
            x: Range {
                name: "renewals, or time units under contract",
                low: 0,
                high: i128::from(last.number),
                unit: Unit::Count,
            },
            y: Range { name: "share that goes on", low: 0, high: 100, unit: Unit::Percent },
            bands: vec![Band {
                name: "two standard errors of what is observed",
                class: "band-outer",
                points: std::iter::once((0.0, 100.0, 100.0)).chain(errors).collect(),
            }],
            series: vec![
                Series { name: "observed", stroke: Stroke::First, points: line(|tenure| tenure.observed) },
                Series { name: "by the model", stroke: Stroke::Second, points: line(|tenure| tenure.expected) },
            ],
        };
        let row = |tenure: &&Tenure| {
            vec![
                count(tenure.number),
                count(tenure.contracts),
                part(tenure.observed),
                part(tenure.error),
                part(tenure.expected),
            ]
        };
        let rows: Vec<Vec<String>> = told.iter().step_by(told.len().div_ceil(ROWS)).map(row).collect();
        let columns = [
            ("Renewal or time unit", false),
            ("Contracts", true),
            ("Go on, observed", true),
            ("Standard error", true),
            ("By the model", true),
        ];
        html! {
            h3 { "How long do customers stay?" }
            p {
                "Of new contracts " strong { (part(told[0].observed)) } " outlast the first renewal or time unit, and "
                strong { (part(last.observed)) } " number " (count(last.number)) ". The model, " (spoken(&retention.model))
                ", says " (part(told[0].expected)) " and " (part(last.expected)) "."
            }
            (figure("Share of contracts that last longer", picture.svg(), &table("Retention", &columns, &rows)))
        }
    }
}
