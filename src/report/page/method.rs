//! Part 10: how it was computed: settings, models, inputs, digests, methods with their sources.

use maud::{Markup, html};

use super::{
    Report,
    table::{prose, table},
    words::decimals,
};
use crate::report::number::count;

/// How it was computed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Method {
    pub(crate) version: String,
    pub(crate) seed: u64,
    pub(crate) result_digest: String,
    /// Settings of the forecast: name and value.
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) fits: Vec<Fit>,
    /// Table, file, bytes, BLAKE3 digest.
    pub(crate) inputs: Vec<(String, String, u64, String)>,
}

/// A fitted model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fit {
    pub(crate) model: String,
    pub(crate) end: String,
    pub(crate) customers: u64,
    pub(crate) log_likelihood: Option<f64>,
    /// Name, estimate, standard error.
    pub(crate) parameters: Vec<(String, f64, Option<f64>)>,
}

/// What is done, and where it comes from.
const METHODS: [(&str, &str); 8] = [
    (
        "Cost to serve",
        "Activity-based costing: each activity's cost is shared out in proportion to its driver, by largest remainder, \
         exact to the minor unit. Kaplan & Cooper, Cost & Effect (1998); Balinski & Young, Fair Representation (1982).",
    ),
    (
        "Whale curve",
        "Cumulative profit, best customer first. Kaplan & Narayanan, Measuring and managing customer profitability (2001).",
    ),
    (
        "P(alive), expected purchases",
        "BG/NBD: Fader, Hardie & Lee (2005); Pareto/NBD: Schmittlein, Morrison & Colombo (1987); MBG/NBD: Batislam, Denizel & \
         Filiztekin (2007); contracts: Fader & Hardie (2007).",
    ),
    ("Spend", "Gamma-Gamma: Fader, Hardie & Lee, RFM and CLV (2005)."),
    (
        "Lifetime value",
        "Discounted contribution after the customer's own cost to serve, its rates drawn towards its segment by how little is known; \
         intervals of sums from joint draws, no sums of quantiles.",
    ),
    ("Customer equity", "Blattberg & Deighton (1996); Rust, Lemon & Zeithaml (2004)."),
    ("Portfolio, strategic roles", "Buttle & Maklan, Customer Relationship Management (2015)."),
    (
        "Investing under a budget",
        "Multiple-choice knapsack with the bound of its linear relaxation: Kellerer, Pferschy & Pisinger, Knapsack Problems (2004).",
    ),
];

impl Report {
    pub(super) fn method_part(&self) -> Markup {
        let method = &self.method;
        let methods: Vec<Vec<String>> =
            METHODS.iter().map(|(what, how)| vec![(*what).to_owned(), (*how).to_owned()]).collect();
        let settings: Vec<Vec<String>> =
            method.settings.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
        let inputs: Vec<Vec<String>> = method
            .inputs
            .iter()
            .map(|(table, file, bytes, digest)| vec![table.clone(), file.clone(), count(*bytes), short(digest)])
            .collect();
        html! {
            p {
                "whalecurve " (method.version) ", seed " (method.seed) ". The same inputs, config and version give the same "
                "results, byte for byte: " (prose("`whalecurve verify` checks the folder against its manifest, which has the full digests."))
            }
            p { "Digest of all results: " code { (method.result_digest) } }
            (fits(method))
            @if !settings.is_empty() { (table("Forecast", &[("Setting", false), ("Value", false)], &settings)) }
            @if !inputs.is_empty() {
                (table("Inputs", &[("Table", false), ("File", false), ("Bytes", true), ("BLAKE3", false)], &inputs))
            }
            (table("Methods and sources", &[("What", false), ("How", false)], &methods))
        }
    }
}

fn fits(method: &Method) -> Markup {
    let rows: Vec<Vec<String>> = method
        .fits
        .iter()
        .flat_map(|fit| {
            fit.parameters.iter().enumerate().map(|(number, (name, estimate, error))| {
                let first = |text: String| if number == 0 { text } else { String::new() };
                vec![
                    fit.model.clone(),
                    first(fit.end.clone()),
                    first(count(fit.customers)),
                    first(decimals(fit.log_likelihood, 1)),
                    name.clone(),
                    decimals(Some(*estimate), 4),
                    decimals(*error, 4),
                ]
            })
        })
        .collect();
    let columns = [
        ("Model", false),
        ("Fit", false),
        ("Customers", true),
        ("Log-likelihood", true),
        ("Parameter", false),
        ("Estimate", true),
        ("Standard error", true),
    ];
    html! { @if !rows.is_empty() { (table("Fitted models", &columns, &rows)) } }
}

/// Enough of a digest to tell files apart.
fn short(digest: &str) -> String {
    digest.chars().take(16).collect()
}
