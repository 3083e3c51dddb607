//! `whalecurve diff`: two finished outputs, what moved and why.

use camino::Utf8PathBuf;

use super::are_outputs;
use crate::{
    cli::{
        Exit,
        streams::Streams,
        table::{Table, TableFormat},
    },
    compare::runs::Movement,
    numeric::decimal::{divide_half_even, format_grouped},
    pipeline::{
        diff::{DiffError, Difference, Total, diff},
        finished::Finished,
    },
    units::MinorSum,
};

/// Which outputs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder of the earlier run.
    before: Utf8PathBuf,
    /// Output folder of the later run.
    after: Utf8PathBuf,
    /// Column of `customer_segment` that customers are told by [default: the first that says something].
    #[arg(long, value_name = "SEGMENTATION")]
    by: Option<String>,
    /// How the tables are printed.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// Most segments of a table; the others stand in one row.
const MOST_SEGMENTS: usize = 20;

/// Compares two outputs: tables to `out`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if let Err(exit) = are_outputs([&args.before, &args.after], streams)? {
        return Ok(exit);
    }
    match compared(args) {
        Ok(found) => {
            for table in tables(&found) {
                write!(streams.out, "{}", table.render(args.format))?;
            }
            Ok(Exit::SUCCESS)
        }
        Err(error) => {
            let exit = match &error {
                DiffError::Publish(error) => Exit::of_output(error),
                _ => Exit::USAGE,
            };
            streams.fail(&error.to_string(), error.hint().as_deref(), exit)
        }
    }
}

fn compared(args: &Args) -> Result<Difference, DiffError> {
    diff(&Finished::open(&args.before)?, &Finished::open(&args.after)?, args.by.as_deref())
}

/// Tables of at most 80 columns for segments with short names.
fn tables(found: &Difference) -> Vec<Table> {
    let mut tables = vec![whole(found), profit(found), customers(found)];
    if !found.settings.is_empty() {
        tables.push(Table {
            title: "Settings that differ".to_owned(),
            head: vec!["setting", "before", "after"],
            left: 3,
            rows: found
                .settings
                .iter()
                .map(|(name, one, other)| vec![name.clone(), one.clone(), other.clone()])
                .collect(),
        });
    }
    tables
}

fn whole(found: &Difference) -> Table {
    let [before, after] = &found.runs;
    let exponent = found.currency.exponent;
    let text = |total: &Total, value: Option<MinorSum>| {
        value.map_or_else(|| "-".to_owned(), |value| format_grouped(value, if total.is_count { 0 } else { exponent }))
    };
    let row = |total: &Total| {
        let change = total.after.zip(total.before).map(|(after, before)| after - before);
        vec![total.name.to_owned(), text(total, total.before), text(total, total.after), text(total, change)]
    };
    Table {
        title: format!("{}, {} → {}, {}; {}", before.0, before.1, after.0, after.1, found.currency.code),
        head: vec!["whole base", "before", "after", "change"],
        left: 1,
        rows: found.totals.iter().map(row).collect(),
    }
}

/// Segments whose profit changed most, the others in one row, and all.
fn rows(found: &Difference) -> Vec<(&str, Movement)> {
    let mut segments: Vec<(&str, Movement)> =
        found.segments.iter().map(|(name, movement)| (name.as_str(), *movement)).collect();
    segments.sort_by_key(|(_, movement)| std::cmp::Reverse((movement.after - movement.before).abs()));
    if segments.len() > MOST_SEGMENTS {
        let mut rest = Movement::default();
        segments.split_off(MOST_SEGMENTS).iter().for_each(|(_, movement)| rest.combine(movement));
        segments.push(("(others)", rest));
    }
    segments.push(("all", found.all));
    segments
}

fn profit(found: &Difference) -> Table {
    let steps = found.segments.iter().flat_map(|(_, movement)| [movement.before, movement.revenue, movement.after]);
    let digits = digits(steps.chain([found.all.before, found.all.after]), found.currency.exponent);
    let money = |amount: MinorSum| short(amount, found.currency.exponent, digits);
    let row = |(name, movement): (&str, Movement)| {
        let steps = [
            movement.before,
            movement.came,
            movement.left,
            movement.revenue,
            movement.product_cost,
            movement.cost_to_serve,
            movement.other_cost,
            movement.after,
        ];
        std::iter::once(name.to_owned()).chain(steps.map(money)).collect()
    };
    Table {
        title: format!(
            "Economic profit, {}: who came, who left, what changed of those who stayed",
            found.currency.code
        ),
        head: vec![segment(&found.by), "before", "came", "left", "revenue", "products", "serving", "other", "after"],
        left: 1,
        rows: rows(found).into_iter().map(row).collect(),
    }
}

fn customers(found: &Difference) -> Table {
    let values = found.segments.iter().flat_map(|(_, movement)| [movement.value_before, movement.value_after]);
    let digits = digits(values.chain([found.all.value_before, found.all.value_after]), found.currency.exponent);
    let money = |amount: MinorSum| short(amount, found.currency.exponent, digits);
    let count = |number: u64| format_grouped(number.into(), 0);
    let row = |(name, movement): (&str, Movement)| {
        vec![
            name.to_owned(),
            count(movement.customers_before),
            count(movement.customers_came),
            count(movement.customers_left),
            count(movement.customers_after),
            count(movement.turned_losing),
            count(movement.turned_earning),
            money(movement.value_before),
            money(movement.value_after),
        ]
    };
    Table {
        title: format!("Customers by {}, and their expected value, {}", found.by, found.currency.code),
        head: vec![
            segment(&found.by),
            "before",
            "came",
            "left",
            "after",
            "now lose",
            "now earn",
            "value",
            "value after",
        ],
        left: 1,
        rows: rows(found).into_iter().map(row).collect(),
    }
}

/// Head of the column of segments.
fn segment(by: &str) -> &'static str {
    match by {
        "portfolio_group" => "group",
        "value_tier" => "tier",
        "rfm_cell" => "cell",
        _ => "segment",
    }
}

/// Minor digits of a table of money: all of them where no amount has more than three digits before them, else none.
fn digits(amounts: impl Iterator<Item = MinorSum>, exponent: u8) -> u8 {
    let largest = amounts.map(i128::abs).max().unwrap_or(0);
    if largest < 10_i128.pow(u32::from(exponent) + 3) { exponent } else { 0 }
}

/// Money with so many minor digits, in thousands from ten million major units on: nine characters at most for what is common.
fn short(amount: MinorSum, exponent: u8, digits: u8) -> String {
    if digits == exponent {
        return format_grouped(amount, exponent);
    }
    let major = divide_half_even(amount, 10_i128.pow(exponent.into()));
    if major.abs() < 10_000_000 {
        format_grouped(major, 0)
    } else {
        format!("{} k", format_grouped(divide_half_even(major, 1000), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_of_a_table_is_short() {
        let found = [0, 149, 150, -250, 999_999_949, 1_000_000_000, -123_456_789_000].map(|minor| short(minor, 2, 0));
        assert_eq!(found, ["0", "1", "2", "-2", "9,999,999", "10,000 k", "-1,234,568 k"]);
        assert_eq!(digits([99_999, -5].into_iter(), 2), 2);
        assert_eq!(digits([99_999, -100_000].into_iter(), 2), 0);
        assert_eq!(short(-5, 2, 2), "-0.05");
    }
}
