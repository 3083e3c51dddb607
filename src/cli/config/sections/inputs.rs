//! `inputs`: where the tables are and what their columns are called.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    cli::config::{
        error::Problems,
        sections::run,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    schema::{
        covariates::{CovariateColumn, CovariateKind},
        inputs::Limits,
        period::PeriodKind,
        settings::{Format, Inputs, ReturnsPolicy, TableName, TableSetting},
    },
};

/// Words of `format`.
const FORMATS: [(&str, Format); 2] = [("parquet", Format::Parquet), ("csv", Format::Csv)];

/// Words of `returns`.
const RETURNS: [(&str, ReturnsPolicy); 4] = [
    ("net", ReturnsPolicy::Net),
    ("separate", ReturnsPolicy::Separate),
    ("drop", ReturnsPolicy::Drop),
    ("purchases", ReturnsPolicy::Purchases),
];

/// Keys of every table.
const TABLE_KEYS: [&str; 4] = ["path", "format", "where", "columns"];

/// Keys of the tables of customers and prospects.
const CUSTOMER_KEYS: [&str; 5] = ["path", "format", "where", "columns", "covariates"];

/// Keys of the ledger.
const LEDGER_KEYS: [&str; 5] = ["path", "format", "where", "returns", "columns"];

/// `inputs`, and the tables that it names (also those that are not right yet).
///
/// * `limits`: what their footers may say.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    limits: Limits,
    problems: &mut Problems,
) -> (BTreeSet<TableName>, Option<Inputs>) {
    let known = TableName::ALL.map(TableName::as_str);
    let Some(tables) = entry.fields(&known, problems) else { return (BTreeSet::new(), None) };
    tables.require(TableName::Transactions.as_str(), problems);
    let present: BTreeSet<_> = TableName::ALL.into_iter().filter(|name| tables.has(name.as_str())).collect();

    let mut returns = Some(ReturnsPolicy::Separate);
    let mut settings = BTreeMap::new();
    let mut ledger_columns = None;
    for name in &present {
        let Some(table) = tables.get(name.as_str()) else { continue };
        let keys: &[&str] = match name {
            TableName::Transactions => &LEDGER_KEYS,
            TableName::Customers | TableName::Prospects => &CUSTOMER_KEYS,
            _ => &TABLE_KEYS,
        };
        let Some(fields) = table.fields(keys, problems) else { continue };
        if let Some(entry) = fields.get("returns") {
            returns = entry.word(&RETURNS, problems);
        }
        let paths = fields.read("path", problems, paths);
        let columns = column_names(*name, &fields, problems);
        check_columns(*name, columns.as_ref(), problems);
        if let Some(setting) = setting(*name, &fields, paths, columns.as_ref(), problems) {
            settings.insert(*name, TableSetting { limits, ..setting });
        }
        if *name == TableName::Transactions {
            ledger_columns = columns;
        }
    }
    if let Some(products) = tables.get(TableName::Products.as_str()) {
        check_products(products, ledger_columns.as_ref(), problems);
    }
    // A table of pools that is wrong itself is told there.
    let names_currency = settings
        .get(&TableName::Pools)
        .map_or(present.contains(&TableName::Pools), |pools| pools.columns.contains_key("currency"));
    if let Some(fx) = tables.get(TableName::Fx.as_str()).filter(|_| !names_currency) {
        let what = format!("{} has no effect: no cost names its currency", quoted(fx.path()));
        problems.add_with_hint(fx.key_at(), what, "map currency in inputs.pools.columns");
    }
    let inputs = settings.remove(&TableName::Transactions).zip(returns).map(|(transactions, returns)| Inputs {
        transactions,
        returns,
        customers: settings.remove(&TableName::Customers),
        products: settings.remove(&TableName::Products),
        pools: settings.remove(&TableName::Pools),
        activities: settings.remove(&TableName::Activities),
        driver_quantities: settings.remove(&TableName::DriverQuantities),
        receivables: settings.remove(&TableName::Receivables),
        fx: settings.remove(&TableName::Fx),
        traced: settings.remove(&TableName::Traced),
        events: settings.remove(&TableName::Events),
        contracts: settings.remove(&TableName::Contracts),
        resource_weights: settings.remove(&TableName::ResourceWeights),
        referrals: settings.remove(&TableName::Referrals),
        opportunities: settings.remove(&TableName::Opportunities),
        learning: settings.remove(&TableName::Learning),
        acquisition_plan: settings.remove(&TableName::AcquisitionPlan),
        market: settings.remove(&TableName::Market),
        targets: settings.remove(&TableName::Targets),
        actions: settings.remove(&TableName::Actions),
        action_customers: settings.remove(&TableName::ActionCustomers),
        prospects: settings.remove(&TableName::Prospects),
        interactions: settings.remove(&TableName::Interactions),
    });
    (present, inputs)
}

fn setting(
    name: TableName,
    fields: &Fields<'_>,
    paths: Option<Vec<String>>,
    columns: Option<&Fields<'_>>,
    problems: &mut Problems,
) -> Option<TableSetting> {
    let format = format(name, fields, paths.as_deref(), problems);
    let filter = fields.read_or("where", None, problems, |entry, problems| filter(entry, problems).map(Some));
    let mut mapped = Some(BTreeMap::new());
    for (ours, _) in name.columns() {
        let Some(entry) = columns.and_then(|columns| columns.get(ours)) else { continue };
        match (entry.text("the name of a column of the file", problems), &mut mapped) {
            (Some(theirs), Some(mapped)) => _ = mapped.insert((*ours).to_owned(), theirs.to_owned()),
            _ => mapped = None,
        }
    }
    let covariates = fields.read_or("covariates", BTreeMap::new(), problems, covariates);
    columns?;
    let (filter, covariates, limits) = (filter?, covariates?, Limits::default());
    let (paths, format, columns) = (paths?, format?, mapped?);
    Some(TableSetting { paths, format, columns, filter, covariates, limits, id_key: None })
}

/// `covariates`: the user's names, each with a column of the file and perhaps what it is.
fn covariates(entry: &Entry<'_>, problems: &mut Problems) -> Option<BTreeMap<String, CovariateColumn>> {
    let mut covariates = Some(BTreeMap::new());
    for (name, entry) in entry.named(problems)? {
        let column = |entry: &Entry<'_>, problems: &mut Problems| {
            entry.text("the name of a column of the file", problems).map(str::to_owned)
        };
        let found = if entry.is_map() {
            entry.fields(&["column", "as"], problems).and_then(|fields| {
                let column = fields.read("column", problems, column);
                let kinds = [("number", CovariateKind::Number), ("category", CovariateKind::Category)];
                let kind = fields.read("as", problems, |entry, problems| entry.word(&kinds, problems));
                Some(CovariateColumn { column: column?, kind: Some(kind?) })
            })
        } else {
            column(&entry, problems).map(|column| CovariateColumn { column, kind: None })
        };
        match (found, &mut covariates) {
            (Some(found), Some(covariates)) => _ = covariates.insert(name.to_owned(), found),
            _ => covariates = None,
        }
    }
    covariates
}

/// `path`: one or a list, none twice (its rows would count twice).
fn paths(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let expected = "a file, a glob or a folder, or a list of them";
    let mut paths: Vec<String> = Vec::new();
    let mut complete = true;
    for item in entry.one_or_more(expected, problems)? {
        match item.text(expected, problems) {
            Some(path) if paths.iter().any(|known| known == path) => {
                problems.add(
                    item.at(),
                    format!("{} names one path twice: its rows would count twice", quoted(item.path())),
                );
                complete = false;
            }
            Some(path) if path.to_lowercase().ends_with(".csv.gz") => {
                let what = format!("{} is compressed CSV, which is not read", quoted(item.path()));
                problems.add_with_hint(item.at(), what, "unpack it, or write the table as Parquet");
                complete = false;
            }
            Some(path) if !run::is_place(&item, path, problems) => complete = false,
            Some(path) => paths.push(path.to_owned()),
            None => complete = false,
        }
    }
    complete.then_some(paths)
}

/// `format`, else by the paths' extensions; the ledger must be Parquet.
fn format(name: TableName, fields: &Fields<'_>, paths: Option<&[String]>, problems: &mut Problems) -> Option<Format> {
    let entry = fields.get("format").or_else(|| fields.get("path"))?;
    let format = if fields.has("format") {
        entry.word(&FORMATS, problems)?
    } else {
        let paths = paths?;
        let csv = paths.iter().filter(|path| is_csv(path)).count();
        if csv > 0 && csv < paths.len() {
            let what = format!("{} mixes CSV with other files", quoted(entry.path()));
            problems.add_with_hint(entry.at(), what, "keep one format a table");
            return None;
        }
        if csv > 0 { Format::Csv } else { Format::Parquet }
    };
    if name == TableName::Transactions && format == Format::Csv {
        let what = format!("{} is CSV, but the ledger must be Parquet", quoted(fields.path()));
        problems.add_with_hint(entry.at(), what, "convert it to Parquet once; only small tables may be CSV");
        return None;
    }
    Some(format)
}

fn is_csv(path: &str) -> bool {
    Utf8Path::new(&path.to_lowercase()).extension() == Some("csv")
}

/// `where`.
pub(super) fn filter(entry: &Entry<'_>, problems: &mut Problems) -> Option<String> {
    entry.text("a SQL predicate over the file's columns", problems).map(str::to_owned)
}

/// The mapping of a table's columns; what must be mapped is.
fn column_names<'t>(name: TableName, fields: &Fields<'t>, problems: &mut Problems) -> Option<Fields<'t>> {
    let known: Vec<&str> = name.columns().iter().map(|(column, _)| *column).collect();
    let columns = fields.require("columns", problems)?.fields(&known, problems)?;
    for (column, _) in name.columns().iter().filter(|(_, required)| *required) {
        columns.require(column, problems);
    }
    Some(columns)
}

/// Columns that need or exclude each other.
fn check_columns(name: TableName, columns: Option<&Fields<'_>>, problems: &mut Problems) {
    let Some(columns) = columns else { return };
    let path = quoted(columns.path());
    match name {
        TableName::Transactions => {
            let either = "map either amount (the line's total), or quantity and unit_price";
            match (columns.get("amount"), columns.get("unit_price")) {
                (Some(_), Some(unit_price)) => {
                    let what = format!("{path} has both amount and unit_price: two answers to what a line is worth");
                    problems.add_with_hint(unit_price.key_at(), what, either);
                }
                (None, None) => {
                    problems.add_with_hint(columns.at(), format!("{path} does not say what a line is worth"), either);
                }
                (None, Some(unit_price)) if !columns.has("quantity") => {
                    problems.add_with_hint(
                        unit_price.key_at(),
                        format!("{path} has unit_price without quantity"),
                        either,
                    );
                }
                _ => {}
            }
        }
        TableName::DriverQuantities
        | TableName::Receivables
        | TableName::Fx
        | TableName::Traced
        | TableName::Events => {
            if name == TableName::Receivables {
                check_receivables(columns, problems);
            }
            if let (Some(_), Some(date)) = (columns.get("period"), columns.get("date")) {
                let what = format!("{path} has both period and date: two answers to when");
                problems.add_with_hint(date.key_at(), what, "map one of them");
            }
        }
        TableName::Customers => {
            let pair = ["wallet", "wallet_probability"].map(|column| columns.get(column));
            if let [Some(one), None] | [None, Some(one)] = pair {
                let what = format!("{path} has wallet or wallet_probability without the other");
                let hint = "what may be won is (wallet - sales of the last year) × wallet_probability";
                problems.add_with_hint(one.key_at(), what, hint);
            }
        }
        TableName::Market => check_market(columns, problems),
        TableName::AcquisitionPlan | TableName::Targets | TableName::Actions => {
            if let (Some(_), Some(channel)) = (columns.get("segment"), columns.get("channel")) {
                let what = format!("{path} has both segment and channel: two answers to which customers");
                problems.add_with_hint(channel.key_at(), what, "map one of them");
            }
        }
        _ => {}
    }
}

/// A market says what customers are worth in one way.
fn check_market(columns: &Fields<'_>, problems: &mut Problems) {
    let path = quoted(columns.path());
    let hint = "map either equity, or customers and value (what one of them is worth)";
    let of_each = (columns.get("customers"), columns.get("value"));
    match (columns.get("equity"), of_each) {
        (Some(_), (_, Some(value))) => {
            let what = format!("{path} has both equity and value: two answers to what customers are worth");
            problems.add_with_hint(value.key_at(), what, hint);
        }
        (None, (None, _) | (_, None)) => {
            problems.add_with_hint(columns.at(), format!("{path} does not say what customers are worth"), hint);
        }
        _ => {}
    }
}

/// Whether the pools table gives capacities.
///
/// * `inputs`: `None` where something is wrong with them: what a table maps is not known then.
pub(in crate::cli::config) fn pool_capacities(inputs: Option<&Inputs>, tables: &BTreeSet<TableName>) -> bool {
    let maps = |inputs: &Inputs| inputs.pools.as_ref().is_some_and(|pools| pools.columns.contains_key("capacity"));
    inputs.map_or_else(|| tables.contains(&TableName::Pools), maps)
}

/// What is left of a wallet needs the sales of the last year, which periods of a month or a quarter tell.
pub(in crate::cli::config) fn check_wallet(
    entry: &Entry<'_>,
    inputs: &Inputs,
    period: PeriodKind,
    problems: &mut Problems,
) {
    let given = inputs.customers.as_ref().is_some_and(|table| table.columns.contains_key("wallet"));
    if !given || matches!(period, PeriodKind::Month | PeriodKind::Quarter) {
        return;
    }
    let what = "`inputs.customers` has wallet, but the run's periods do not tell the sales of the last year";
    problems.add_with_hint(entry.key_at(), what, "add period: month or period: quarter");
}

/// Receivables say what customers owe, or what was written off.
fn check_receivables(columns: &Fields<'_>, problems: &mut Problems) {
    let path = quoted(columns.path());
    if !["balance", "write_off", "days_late"].iter().any(|column| columns.has(column)) {
        let hint = "map balance (what the customer owes), write_off (what was lost), or both";
        problems.add_with_hint(columns.at(), format!("{path} has neither balance nor write_off"), hint);
    }
    for share in
        ["overdue", "disputed"].into_iter().filter_map(|key| columns.get(key)).filter(|_| !columns.has("balance"))
    {
        let what = format!("{} is a part of the balance, which is not mapped", quoted(share.path()));
        problems.add_with_hint(share.key_at(), what, "map balance, too");
    }
    if let Some(probability) = columns.get("default_probability").filter(|_| !columns.has("balance")) {
        let what = format!("{path} has default_probability without balance");
        problems.add_with_hint(probability.key_at(), what, "the probability is that of losing the balance");
    }
}

/// Product cost is quantity × unit cost of the product: the ledger must have both, and no cost of its own.
fn check_products(products: &Entry<'_>, ledger: Option<&Fields<'_>>, problems: &mut Problems) {
    let Some(ledger) = ledger else { return };
    for column in ["product_id", "quantity"].into_iter().filter(|column| !ledger.has(column)) {
        problems.add_with_hint(
            products.key_at(),
            format!("{} needs {column} in `inputs.transactions.columns`", quoted(products.path())),
            "a line's product cost is its quantity × its product's unit_cost",
        );
    }
    if let Some(cost) = ledger.get("product_cost") {
        let what = format!(
            "{} has product_cost beside `inputs.products`: two answers to what a line costs",
            quoted(ledger.path())
        );
        problems.add_with_hint(cost.key_at(), what, "map product_cost, or give the products table");
    }
}
