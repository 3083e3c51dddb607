//! `whalecurve schema`: the output datasets, from the one place that defines them.

use std::io::Write;

use camino::Utf8PathBuf;

use super::run::load;
use crate::{
    cli::{Exit, config::Overrides, streams::Streams},
    schema::{
        contract_outputs::CONTRACT_VALIDATION_DATASETS,
        forecasting::VALIDATION_DATASETS,
        method_outputs::METHOD_COMPARISON,
        outputs::{ColumnType, DATASETS},
        quantiles::{DEFAULT_QUANTILES, Quantile},
    },
};

/// Whose outputs to print.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A config, for the quantiles that it asks for; the default ones without.
    config: Option<Utf8PathBuf>,
}

/// Prints every dataset as Markdown.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let quantiles: Vec<Quantile> = match &args.config {
        None => DEFAULT_QUANTILES.to_vec(),
        Some(config) => match load(config, &Overrides::default(), streams)? {
            Ok(settings) => settings.quantiles().to_vec(),
            Err(exit) => return Ok(exit),
        },
    };
    let out = &mut streams.out;
    for dataset in
        DATASETS.iter().chain(VALIDATION_DATASETS).chain(CONTRACT_VALIDATION_DATASETS).chain([&METHOD_COMPARISON])
    {
        writeln!(out, "## {}\n\n{}\n", dataset.name, dataset.grain)?;
        writeln!(out, "| column | type | null | meaning |\n|---|---|---|---|")?;
        for column in dataset.columns_of(&quantiles) {
            let null = if column.nullable { "yes" } else { "no" };
            writeln!(out, "| {} | {} | {null} | {} |", column.name, type_name(column.kind), column.meaning)?;
        }
        writeln!(out)?;
    }
    Ok(Exit::SUCCESS)
}

/// The type as SQL engines call it; `e` is the exponent of the run's currency.
fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Id | ColumnType::CustomerId => "BIGINT or VARCHAR, as in the ledger",
        ColumnType::Text => "VARCHAR",
        ColumnType::Integer => "BIGINT",
        ColumnType::Money => "DECIMAL(18, e)",
        ColumnType::MoneySum => "DECIMAL(38, e)",
        ColumnType::Quantity => "DECIMAL(18, 6)",
        ColumnType::QuantitySum => "DECIMAL(38, 6)",
        ColumnType::Float => "DOUBLE",
        ColumnType::Date => "DATE",
        ColumnType::Boolean => "BOOLEAN",
    }
}
