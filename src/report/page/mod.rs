//! The report as one page of HTML: a story in ten parts, in plain sentences with the numbers in them.
//!
//! ```text
//! Report (aggregates) ──► one file a part: sentences, pictures, their tables
//!                    └──► words, table, suppress, style
//! ```
//!
//! No script, no font, no reference to anything outside: its policy (`default-src 'none'`) forbids what it does not
//! need. All text is escaped by maud. Groups of fewer customers than `smallest_group` are not told. The same results
//! give the same bytes.

pub(crate) mod averages;
pub(crate) mod base;
mod costs;
pub(crate) mod decisions;
pub(crate) mod holdout;
pub(crate) mod method;
pub(crate) mod portfolio;
pub(crate) mod profit;
pub(crate) mod quality;
pub(crate) mod result;
pub(crate) mod retention;
mod style;
pub(crate) mod suppress;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod value;
pub(crate) mod whales;
mod words;

pub(crate) use self::words::spoken;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::schema::money::Currency;

/// Everything that the report tells. What is `None` or empty was not written by the run.
#[derive(Debug)]
pub(crate) struct Report {
    /// Name of the run.
    pub(crate) name: String,
    /// Its day.
    pub(crate) as_of: String,
    /// Its currency.
    pub(crate) currency: Currency,
    /// Groups of fewer customers are not told.
    pub(crate) smallest_group: u64,
    /// Whether its forecast is one of contracts: who left is known, and told by the contract, not by silence.
    pub(crate) of_contracts: bool,
    pub(crate) summary: Option<result::Summary>,
    pub(crate) risk: Option<result::Risk>,
    pub(crate) whales: whales::Whales,
    pub(crate) profit: profit::Profit,
    pub(crate) averages: Option<averages::Averages>,
    pub(crate) base: Option<base::Base>,
    pub(crate) holdout: Option<holdout::Holdout>,
    pub(crate) value: Option<value::Value>,
    pub(crate) portfolio: portfolio::Portfolio,
    pub(crate) decisions: decisions::Decisions,
    pub(crate) quality: quality::Quality,
    pub(crate) method: method::Method,
}

/// A part of the report: its anchor, heading, and what it says; `None` when the run has nothing for it.
struct Part {
    id: &'static str,
    heading: &'static str,
    body: Markup,
}

/// The policy: nothing is loaded and nothing runs; the page's own style alone.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

impl Report {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let parts = self.parts();
        let title = format!("{}: what customers earn and are worth", self.name);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (title) }
                    style { (PreEscaped(style::sheet())) }
                }
                body {
                    (style::patterns())
                    a class="skip" href="#result" { "To the result" }
                    header {
                        p class="kicker" { "whalecurve report" }
                        h1 { (self.name) }
                        p class="quiet" { "As of " (self.as_of) ". All money in " (self.currency.code) "." }
                    }
                    div class="columns" {
                        nav aria-label="Parts" {
                            ol { @for part in &parts { li { a href={"#" (part.id)} { (part.heading) } } } }
                        }
                        main {
                            @for (number, part) in parts.iter().enumerate() {
                                section id=(part.id) aria-labelledby={(part.id) "-heading"} {
                                    h2 id={(part.id) "-heading"} { span class="number" { (number + 1) } " " (part.heading) }
                                    (part.body)
                                }
                            }
                        }
                    }
                    footer {
                        p { (table::prose(&self.privacy())) }
                    }
                }
            }
        };
        page.into_string()
    }

    fn parts(&self) -> Vec<Part> {
        let part = |id, heading, body| Part { id, heading, body };
        vec![
            part("result", "The result", self.result_part()),
            part("whale-curve", "Who earns it", self.whale_part()),
            part("profit", "From sales to profit", self.profit_part()),
            part("averages", "What averages hide", self.averages_part()),
            part("base", "The customer base", self.base_part()),
            part("value", "What customers are worth", self.value_part()),
            part("portfolio", "The portfolio", self.portfolio_part()),
            part("decisions", "What to do", self.decisions_part()),
            part("quality", "The data", self.quality_part()),
            part("method", "How it was computed", self.method_part()),
        ]
    }

    fn privacy(&self) -> String {
        match self.smallest_group {
            0 | 1 => {
                "This page holds sums over groups of customers. Small groups are told too: `report.smallest_group` and \
                 `suppress.smallest_group` are 1."
                    .to_owned()
            }
            k => format!(
                "This page holds sums over groups of customers and no customer of its own. Groups of fewer than {k} \
                 customers are not told (`report.smallest_group`, `suppress.smallest_group`)."
            ),
        }
    }
}
