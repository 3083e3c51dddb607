//! The config that follows from the guesses, commented.

use std::{collections::BTreeMap, fmt::Write as _};

use super::guess::{Found, Guess};
use crate::schema::{period::PeriodKind, settings::TableName};

/// A config; what it cannot know is `TODO`, which no command takes.
///
/// * `none`: tables that were looked at and are none of ours.
pub(in crate::cli) fn config(name: &str, found: &[Found], none: &[String]) -> String {
    let (period, others) = period_of(found);
    let mut text = format!(
        "# Made by whalecurve init. The number after a guess says how sure it is, of ten: look at each.\n\
         # Whatever is TODO must be written in; `whalecurve check` tells what is left.\n\
         version: 1\n\
         name: {}\n\
         currency: TODO                 # of all amounts, as in EUR\n\
         period: {:<22} # {}\n\
         output: results\n\n\
         inputs:\n",
        quoted(name),
        period,
        others
    );
    let of = |name: TableName| found.iter().find(|table| table.table == name);
    // What the run has no place for: periods in a run of one, a cost beside that of the products, and a wallet of a year where periods
    // do not tell the sales of the last one.
    let priced = of(TableName::Products).is_some_and(|products| missing(products, found).is_none());
    let yearly = !["month", "quarter"].contains(&period);
    let unsaid =
        [(period == WHOLE, "period"), (priced, "product_cost"), (yearly, "wallet"), (yearly, "wallet_probability")];
    for table in found {
        match missing(table, found) {
            None => write_table(&mut text, table, &unsaid.map(|(is, role)| if is { role } else { "" })),
            Some(what) => {
                let paths: Vec<String> = table.paths.iter().map(|path| path.escape_debug().to_string()).collect();
                let name = table.table.as_str();
                let _ =
                    writeln!(text, "  # {} looks like `{name}`, which needs {what}: docs/inputs.md", paths.join(", "));
            }
        }
    }
    if found.iter().all(|table| table.table != TableName::Transactions) {
        text += "  transactions:                # no table looks like a ledger\n    path: TODO\n    columns: {customer_id: TODO, date: TODO, amount: TODO}\n";
    }
    for path in none {
        let _ = writeln!(
            text,
            "  # {} was not recognised; docs/inputs.md lists the tables that a run reads",
            path.escape_debug()
        );
    }
    text += "\n# Quantities that the ledger itself gives, for activities to be in proportion to.\ndrivers:\n";
    let order = of(TableName::Transactions).is_some_and(|ledger| ledger.has("order_id"));
    let _ = writeln!(text, "  orders: {{count_distinct: {}}}", if order { "order" } else { "day" });
    text += "  lines: {count: lines}\n  months_active: {count_distinct: month}\n";
    match activities_of(found) {
        _ if of(TableName::Activities).is_some() => text += ACTIVITIES_OF_TABLE,
        Some(activities) => write_activities(&mut text, &activities),
        None => text += ACTIVITIES,
    }
    if of(TableName::DriverQuantities).is_some() {
        text += "# The drivers of `driver_quantities` go by their own names: visits: {level: customer, method: driver, driver: …}\n";
    }
    if of(TableName::Receivables).is_some_and(|table| table.has("default_probability")) {
        text += BAD_DEBT;
    }
    text += if of(TableName::Contracts).is_some() { FORECAST_OF_CONTRACTS } else { FORECAST };
    if of(TableName::Actions).is_some() {
        text += BUDGET;
    }
    text
}

/// What a table has no effect without, where that is not there.
fn missing(table: &Found, found: &[Found]) -> Option<&'static str> {
    let has = |name: TableName, columns: &[&str]| {
        found.iter().any(|other| other.table == name && columns.iter().all(|column| other.has(column)))
    };
    match table.table {
        TableName::Fx if !has(TableName::Pools, &["currency"]) => Some("`currency` in `pools`"),
        TableName::ActionCustomers if !has(TableName::Actions, &[]) => Some("`actions`"),
        TableName::Products if !has(TableName::Transactions, &["product_id", "quantity"]) => {
            Some("`product_id` and `quantity` in `transactions`")
        }
        _ => None,
    }
}

/// Activities that tables name, each with whether customers are named with its costs; `None` without such a table. A resource pool that
/// serves others is none.
fn activities_of(found: &[Found]) -> Option<BTreeMap<&str, bool>> {
    let naming = [TableName::Pools, TableName::Traced, TableName::ResourceWeights];
    let naming: Vec<&Found> = found.iter().filter(|table| naming.contains(&table.table)).collect();
    let givers: Vec<&String> = naming.iter().flat_map(|table| &table.givers).collect();
    let mut activities = BTreeMap::new();
    for table in &naming {
        for name in table.activities.iter().filter(|name| !givers.contains(name)) {
            *activities.entry(name.as_str()).or_default() |= table.table == TableName::Traced;
        }
    }
    (!naming.is_empty()).then_some(activities)
}

const WHOLE: &str = "whole";

/// The run's period, and what is said of it: that of the tables' own periods. Quantities and balances without a period belong to
/// the whole.
fn period_of(found: &[Found]) -> (&'static str, &'static str) {
    let undated = |table: &Found| {
        let needed = [TableName::DriverQuantities, TableName::Receivables, TableName::Events, TableName::Traced];
        needed.contains(&table.table) && !table.has("date") && !table.has("period")
    };
    if found.iter().any(undated) {
        return (WHOLE, "or year, quarter, month");
    }
    let mut kinds: Vec<PeriodKind> = found.iter().filter_map(|table| table.period).collect();
    kinds.dedup();
    match kinds[..] {
        [] => ("month", "or quarter, year, whole"),
        [PeriodKind::Year] => ("year", "as the tables' own periods are"),
        [PeriodKind::Quarter] => ("quarter", "as the tables' own periods are"),
        [_] => ("month", "as the tables' own periods are"),
        _ => ("TODO", "the tables' own periods are of several kinds"),
    }
}

/// An activity for each pool; how each is divided is for the user to say.
fn write_activities(text: &mut String, activities: &BTreeMap<&str, bool>) {
    *text += ACTIVITY_OF_POOL;
    if activities.is_empty() {
        *text += "activities: TODO\n";
        return;
    }
    *text += "activities:\n";
    for (name, traced) in activities {
        let method = if *traced { "traced" } else { "TODO" };
        let _ = writeln!(text, "  {}: {{level: TODO, method: {method}}}", written(name, false));
    }
}

const ACTIVITIES_OF_TABLE: &str = "
# What serving customers costs: the activities stand in their table. A driver that it names must stand above, or in driver_quantities.
";

const ACTIVITY_OF_POOL: &str = "
# What serving customers costs: an activity for each pool. Its level (unit, product, order, customer, channel, region, company) says the
# margin that it lowers, its method (average, revenue, driver with driver: NAME, …) how it is divided: docs/costing.md.
";

const ACTIVITIES: &str = "
# What serving customers costs. Take away the # and write in the costs; without activities only product cost is known.
# activities:
#   order_handling: {level: order, method: driver, driver: orders, cost: TODO}
#   account_upkeep: {level: customer, method: driver, driver: months_active, cost: TODO}
#   marketing: {level: customer, method: average, cost: TODO, recurring: false}
";

const FORECAST: &str = "
# What customers will be worth. `whalecurve validate` shows which model forecasts best.
forecast: {model: mbg_nbd, time_unit: week, horizon: 52 weeks, discount_rate_per_year: 0.10, paths: 1000}
";

const FORECAST_OF_CONTRACTS: &str = "
# What customers will be worth: of the models of contracts the one that forecasts best. A time unit is that of a renewal.
forecast: {model: auto, time_unit: month, horizon: 12 months, discount_rate_per_year: 0.10, paths: 1000}
";

const BAD_DEBT: &str = "
# What is lost of a balance that is not paid, as a share of it, beside default_probability.
bad_debt: {loss: TODO}
";

const BUDGET: &str = "
# Whom to invest in: what may be spent on `actions`.
decisions: {invest: {budget: TODO}}
";

/// * `unsaid`: roles that are left out.
fn write_table(text: &mut String, table: &Found, unsaid: &[&str]) {
    let _ = writeln!(text, "  {}:                # {} of 10", table.table.as_str(), table.of_ten);
    let paths: Vec<String> = table.paths.iter().map(|path| quoted(path)).collect();
    let _ = match paths.as_slice() {
        _ if table.is_csv_ledger() => {
            let path = "path: TODO";
            writeln!(
                text,
                "    {path:<42} # {} is CSV, and a ledger must be Parquet: write it as that",
                paths.join(", ")
            )
        }
        [path] => writeln!(text, "    path: {path}"),
        paths => writeln!(text, "    path: [{}]", paths.join(", ")),
    };
    if table.csv && !table.is_csv_ledger() {
        text.push_str("    format: csv\n");
    }
    text.push_str("    columns:\n");
    // An amount and a quantity with its price say the same thing twice; a price without a quantity says nothing.
    let priced = table.has("quantity") && !table.has("amount");
    let neither =
        table.table == TableName::Transactions && !table.has("amount") && !(table.has("unit_price") && priced);
    let said = |guess: &&Guess| (priced || guess.role != "unit_price") && !unsaid.contains(&guess.role);
    for guess in table.roles.iter().filter(said) {
        let Guess { role, column, of_ten } = guess;
        let _ = match column {
            Some(column) if table.is_doubtful(guess) => writeln!(
                text,
                "      {:<40} # {} if it is the line's; the cost of one unit is multiplied where the file is written",
                format!("{role}: TODO"),
                quoted(column)
            ),
            Some(column) => {
                let line = format!("{role}: {}", quoted(column));
                writeln!(text, "      {line:<40} # {of_ten} of 10{}", remark(table.table, role))
            }
            None => writeln!(text, "      {:<40} # {of_ten} of 10", format!("{role}: TODO")),
        };
    }
    if neither {
        let price =
            table.roles.iter().find(|guess| guess.role == "unit_price").and_then(|guess| guess.column.as_deref());
        let price = price.map(|price| format!(", as in {}", quoted(price))).unwrap_or_default();
        let _ = writeln!(text, "      {:<40} # or quantity and unit_price{price}", "amount: TODO");
    }
    if !table.left.is_empty() {
        let left: Vec<String> = table.left.iter().map(|name| name.escape_debug().to_string()).collect();
        let _ = writeln!(text, "    # not used: {}", left.join(", "));
    }
}

fn remark(table: TableName, role: &str) -> &'static str {
    match role {
        _ if table != TableName::Transactions => "",
        "amount" => ", before discount; an integer column is minor units (cents)",
        "date" => ", the day of the purchase",
        _ => "",
    }
}

/// A value as a config reads it, whatever it holds.
fn quoted(name: &str) -> String {
    written(name, true)
}

/// A text as YAML reads it.
///
/// * `expanded`: whether `${` in it would begin a variable, as in values, and not in keys.
fn written(name: &str, expanded: bool) -> String {
    let simple = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./ ".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !name.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&name.to_ascii_lowercase().as_str());
    if simple {
        return name.to_owned();
    }
    let mut text = String::from("\"");
    let mut characters = name.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '$' if expanded && characters.peek() == Some(&'{') => text.push_str("$$"),
            c if c.is_control() || is_unseen(c) => {
                let _ = if u32::from(c) > 0xffff {
                    write!(text, "\\U{:08X}", u32::from(c))
                } else {
                    write!(text, "\\u{:04X}", u32::from(c))
                };
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// Whether a character is none that can be seen: those that turn the direction of writing, and others of format.
fn is_unseen(c: char) -> bool {
    // As Rust's own escapes have it, but for quotes and what is plainly seen.
    !c.is_ascii() && c.escape_debug().len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: TableName, roles: &[&'static str]) -> Found {
        let guess = |role: &&'static str| Guess { role, column: Some((*role).to_owned()), of_ten: 10 };
        let roles = roles.iter().map(guess).collect();
        Found {
            table,
            paths: vec![table.as_str().to_owned()],
            csv: false,
            roles,
            left: Vec::new(),
            of_ten: 10,
            exact: false,
            named: true,
            matched: 1,
            period: None,
            activities: Vec::new(),
            givers: Vec::new(),
        }
    }

    #[test]
    fn quantities_without_a_date_make_one_period_of_the_run() {
        let ledger = found(TableName::Transactions, &["customer_id", "date", "amount"]);
        let quantities = |roles| found(TableName::DriverQuantities, roles);
        let text = config("x", &[ledger.clone(), quantities(&["customer_id", "driver", "quantity"])], &[]);
        assert!(text.contains("\nperiod: whole                  # or year, quarter, month\n"), "{text}");
        let text = config("x", &[ledger, quantities(&["customer_id", "driver", "quantity", "date"])], &[]);
        assert!(text.contains("\nperiod: month                  # or quarter, year, whole\n"), "{text}");
        // What is said of a ledger's amounts is said of the ledger's alone.
        assert_eq!(text.matches("before discount").count(), 1);
    }

    #[test]
    fn names_are_written_so_that_a_config_reads_them_back() {
        let names = [
            "plain",
            "customer\u{1b}[31mid",
            "cust\u{202e}omer",
            "${customer_id}",
            "a$${b}",
            "$5",
            "a\nb",
            "it's \"so\" \\",
            "é",
            "e\u{301}",
            "\u{e0001}x",
            "007",
            "no",
        ];
        for name in names {
            let text = format!(
                "version: 1\ncurrency: EUR\ninputs:\n  transactions:\n    path: l\n    columns: {{customer_id: {}, date: d, amount: a}}\n",
                quoted(name)
            );
            assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text}");
            let loaded = crate::cli::config::load(
                camino::Utf8Path::new("c.yaml"),
                &text,
                &|_| None,
                &crate::cli::config::Overrides::default(),
            );
            assert_eq!(loaded.unwrap().inputs.transactions.columns["customer_id"], name, "{text}");
        }
    }

    #[test]
    fn a_price_without_a_quantity_and_a_cost_that_may_be_a_units_are_left_to_the_user() {
        let text = config("x", &[found(TableName::Transactions, &["customer_id", "date", "unit_price"])], &[]);
        assert!(text.contains(
            "      amount: TODO                             # or quantity and unit_price, as in unit_price\n"
        ));
        let mut ledger =
            found(TableName::Transactions, &["customer_id", "date", "quantity", "unit_price", "product_cost"]);
        ledger.roles[4].column = Some("cost".to_owned());
        let text = config("x", &[ledger], &[]);
        assert!(text.contains("      unit_price: unit_price                   # 10 of 10\n"), "{text}");
        assert!(text.contains("      product_cost: TODO                       # cost if it is the line's; "), "{text}");
    }

    #[test]
    fn the_runs_period_is_that_of_the_tables_and_an_activity_stands_for_each_pool() {
        let ledger = found(TableName::Transactions, &["customer_id", "date", "amount"]);
        let mut pools = found(TableName::Pools, &["activity", "amount", "period"]);
        pools.period = Some(PeriodKind::Year);
        pools.activities = vec!["delivery".to_owned(), "visits: field".to_owned()];
        let text = config("x", &[ledger.clone(), pools.clone()], &[]);
        assert!(text.contains("\nperiod: year                   # as the tables' own periods are\n"), "{text}");
        assert!(text.contains("      period: period                           # 10 of 10\n"), "{text}");
        let stubs =
            "activities:\n  delivery: {level: TODO, method: TODO}\n  \"visits: field\": {level: TODO, method: TODO}\n";
        assert!(text.contains(stubs), "{text}");
        // With quantities of no period there are none, and the pools' are not mapped.
        let quantities = found(TableName::DriverQuantities, &["customer_id", "driver", "quantity"]);
        let text = config("x", &[ledger, quantities, pools], &[]);
        assert!(text.contains("\nperiod: whole") && !text.contains("period: period"), "{text}");
    }
}
