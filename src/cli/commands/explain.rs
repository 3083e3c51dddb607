//! `whalecurve explain`: one customer's way from gross sales to economic profit, its future, its group, and why.

use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::ValueEnum;

use super::run::load;
use crate::{
    cli::{
        Exit, ahead,
        config::Overrides,
        follow::{Stages, work},
        streams::Streams,
        waterfall,
    },
    pipeline::{
        Clock,
        explain::{Question, explain},
        stores::around,
        story::story,
    },
};

/// Whom to explain, and how to print it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config, as in whalecurve.yaml.
    config: Utf8PathBuf,
    /// Customer id, as in the ledger.
    #[arg(long, allow_negative_numbers = true)]
    customer: String,
    /// Period, such as 1997-03; all periods together by default.
    #[arg(long)]
    period: Option<String>,
    /// The what-if of `overrides` or --set, beside the base.
    #[arg(long)]
    scenario: bool,
    /// A what-if to explain beside the base, as in `activities.picking.cost=9000.00`; may stand several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Text for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output_format: OutputFormat,
    /// Threads; all cores by default. Never changes a result.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
}

/// Prints the customer's waterfall to `out`; writes no file.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let overrides = Overrides { threads: args.threads, sets: args.sets.clone(), ..Overrides::default() };
    let settings = match load(&args.config, &overrides, streams)? {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let scenario = args.scenario || !args.sets.is_empty();
    let question = Question { customer: &args.customer, period: args.period.as_deref(), scenario };
    let explained = work(settings.threads, Stages::Silent, streams, |progress| {
        around(&[&settings], None, &progress, |local, _| {
            explain(&local[0], question, &mut Clock::new(Arc::clone(&progress)))
        })
    })?;
    let explanation = match explained {
        Ok((explanation, _)) => explanation,
        Err(exit) => return Ok(exit),
    };
    let whole = args.period.is_none() && !scenario;
    let ahead = match story(&settings, &explanation, whole) {
        Ok(ahead) => ahead,
        Err(error) => {
            writeln!(streams.talk, "note: {error}; its future and group are left out")?;
            None
        }
    };
    match args.output_format {
        OutputFormat::Text => {
            write!(streams.out, "{}{}", waterfall::text(&explanation), ahead::text(ahead.as_ref(), &explanation))?;
        }
        OutputFormat::Json => {
            let mut document = serde_json::json!(explanation);
            document["story"] = serde_json::json!(ahead);
            writeln!(streams.out, "{document:#}")?;
        }
    }
    Ok(Exit::SUCCESS)
}
