//! `whalecurve compare`: several methods, or several configs, over one reading of the ledger.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::run::{load, may_write};
use crate::{
    cli::{
        Exit,
        config::Overrides,
        follow::{Stages, work},
        streams::Streams,
        table::{Table, TableFormat},
    },
    numeric::decimal::format_grouped,
    pipeline::{
        compare::{self, Compared, MethodChoice, Pair, Request, TruthTable},
        stores::around,
    },
    schema::settings::Settings,
    units::MinorSum,
};

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One config, or several that read the same ledger.
    #[arg(required = true)]
    configs: Vec<Utf8PathBuf>,
    /// Methods: config, average, even, revenue, cost, truth. Several configs are compared as they are by default.
    #[arg(long, value_delimiter = ',', value_parser = word)]
    methods: Vec<Word>,
    /// Table of true costs to compare against, such as the `truth` folder of a generated company.
    #[arg(long)]
    truth: Option<Utf8PathBuf>,
    /// Column of the true cost.
    #[arg(long, default_value = "true_cost_to_serve")]
    truth_cost: String,
    /// Column of the customer in the table of true costs.
    #[arg(long, default_value = "customer_id")]
    truth_customer: String,
    /// How the tables are printed.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// Output folder; beside the config's by default, with `-compare` at its end.
    #[arg(long)]
    output: Option<Utf8PathBuf>,
    /// Threads; all cores by default. Never changes a result.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
}

/// A word of `--methods`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Method(MethodChoice),
    Truth,
}

fn word(text: &str) -> Result<Word, String> {
    if text == "truth" {
        return Ok(Word::Truth);
    }
    let found = MethodChoice::ALL.into_iter().find(|method| method.as_str() == text);
    let known = MethodChoice::ALL.map(MethodChoice::as_str).join(", ");
    found.map(Word::Method).ok_or_else(|| format!("expected one of {known}, truth"))
}

/// Compares methods: tables to `out`, stages to `talk`, one dataset into the output folder.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if args.methods.contains(&Word::Truth) && args.truth.is_none() {
        let hint = "name the table with --truth, as in: --truth company/truth";
        return streams.fail("method truth needs a table of true costs", Some(hint), Exit::USAGE);
    }
    if let Err(exit) = may_write(args.output.as_deref(), streams)? {
        return Ok(exit);
    }
    let mut settings: Vec<Settings> = Vec::with_capacity(args.configs.len());
    for config in &args.configs {
        match load(config, &Overrides { threads: args.threads, ..Overrides::default() }, streams)? {
            Ok(loaded) => settings.push(loaded),
            Err(exit) => return Ok(exit),
        }
    }
    let output = args.output.clone().unwrap_or_else(|| format!("{}-compare", settings[0].output).into());
    let labels = labels(&args.configs);
    let configs: Vec<(String, Settings)> = labels.into_iter().zip(settings).collect();
    let truth = args.truth.map(|path| TruthTable { path, customer: args.truth_customer, amount: args.truth_cost });
    let methods = methods(&args.methods, configs.len());
    let (labels, settings): (Vec<&String>, Vec<&Settings>) =
        configs.iter().map(|(label, config)| (label, config)).unzip();
    match work(args.threads, Stages::Told, streams, |progress| {
        around(&settings, Some(output.as_str()), &progress, |local, output| {
            let configs: Vec<(String, Settings)> = labels.into_iter().cloned().zip(local.iter().cloned()).collect();
            let request = Request { configs: &configs, methods: &methods, truth: truth.as_ref(), output };
            compare::compare(&request, Arc::clone(&progress))
        })
    })? {
        Ok((compared, _)) => tell(&compared, args.format, &output, streams).map(|()| Exit::SUCCESS),
        Err(exit) => Ok(exit),
    }
}

/// Methods as asked for, each once; several configs are compared as they are.
fn methods(words: &[Word], configs: usize) -> Vec<MethodChoice> {
    let mut methods: Vec<MethodChoice> = Vec::new();
    for word in words {
        if let Word::Method(method) = word
            && !methods.contains(method)
        {
            methods.push(*method);
        }
    }
    if methods.is_empty() && configs > 1 {
        methods.push(MethodChoice::Config);
    }
    methods
}

/// Short names of configs: their files' without extension, or the whole paths when those are not all different.
fn labels(configs: &[Utf8PathBuf]) -> Vec<String> {
    let stem = |path: &Utf8PathBuf| path.file_stem().unwrap_or(path.as_str()).to_owned();
    let stems: Vec<String> = configs.iter().map(stem).collect();
    let mut unique = stems.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() == stems.len() { stems } else { configs.iter().map(ToString::to_string).collect() }
}

fn tell(compared: &Compared, format: TableFormat, output: &Utf8Path, streams: &mut Streams<'_>) -> std::io::Result<()> {
    writeln!(streams.talk, "{:<14} {output}", "written to")?;
    for method in compared.methods.iter().filter(|method| method.unassigned != 0) {
        let (money, code) = (format_grouped(method.unassigned, compared.currency.exponent), &compared.currency.code);
        let name = &method.name;
        writeln!(streams.talk, "note: {name} leaves {money} {code} unassigned, which no customer's profit is less by")?;
    }
    for table in tables(compared) {
        write!(streams.out, "{}", table.render(format))?;
    }
    Ok(())
}

/// The comparison as tables of at most 80 columns for methods with short names.
fn tables(compared: &Compared) -> Vec<Table> {
    let money = |amount: MinorSum| format_grouped(amount, compared.currency.exponent);
    let code = &compared.currency.code;
    let name = |number: usize| compared.methods[number].name.clone();
    let both = |pair: &Pair| vec![name(pair.a), name(pair.b)];
    let rows = |of: &dyn Fn(&Pair) -> Vec<String>| -> Vec<Vec<String>> {
        compared.pairs.iter().map(|pair| [both(pair), of(pair)].concat()).collect()
    };
    let methods = compared.methods.iter().map(|method| {
        let found = &method.concentration;
        vec![
            method.name.clone(),
            money(method.cost),
            money(found.total),
            grouped(found.losing),
            percent(found.peak_share),
            number(found.gini),
            number(found.stobachoff),
        ]
    });
    let customers = grouped(compared.customers as u64);
    let mut tables = vec![
        Table {
            title: format!("Methods, {customers} customers, {code}"),
            head: vec!["method", "cost", "economic profit", "losing", "peak %", "Gini", "Stobachoff"],
            left: 1,
            rows: methods.collect(),
        },
        Table {
            title: format!("Pairs of methods, {code}"),
            head: vec!["a", "b", "cost moved", "%", "rank", "top 10 %", "bottom 10 %"],
            left: 2,
            rows: rows(&|pair| {
                let found = &pair.found;
                vec![
                    money(found.cost_moved),
                    percent(found.share_moved),
                    number(found.rank_correlation),
                    percent(found.top_decile_overlap),
                    percent(found.bottom_decile_overlap),
                ]
            }),
        },
        Table {
            title: format!("Change of a customer's profit, {code}"),
            head: vec!["a", "b", "sign changes", "their profit", "99 %", "largest"],
            left: 2,
            rows: rows(&|pair| {
                let found = &pair.found;
                vec![
                    grouped(found.sign_changes),
                    money(found.sign_change_amount),
                    money(found.change_p99.into()),
                    money(found.change_max.into()),
                ]
            }),
        },
    ];
    let against: Vec<Vec<String>> = compared
        .pairs
        .iter()
        .filter_map(|pair| {
            let errors = pair.errors?;
            Some(vec![
                name(pair.a),
                percent(errors.mean_percentage_error),
                money(errors.euclidean_distance.round_ties_even() as i128),
                number(errors.relative_distance),
                percent(errors.share_within_5_percent),
            ])
        })
        .collect();
    if !against.is_empty() {
        tables.push(Table {
            title: format!("Errors of cost against the truth, {code}"),
            head: vec!["method", "mean error %", "Euclidean distance", "relative", "within 5 %"],
            left: 1,
            rows: against,
        });
    }
    tables
}

fn grouped(count: u64) -> String {
    format_grouped(count.into(), 0)
}

/// A share in percent with two digits; `-` where there is none.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2}", share * 100.0))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}
