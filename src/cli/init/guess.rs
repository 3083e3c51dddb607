//! What a column is likely to be, from its name, its type, and what a sample of it is like.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    documented,
    roles::{AMOUNT, LINE_COSTS, PERIOD, QUANTITY, Role, SHAPES, Shape, UNIT_PRICE},
};
use crate::{
    read::peek::{Column, Kind, Peek},
    schema::{period::PeriodKind, settings::TableName},
};

/// A guess below this is none.
const LIKELY: u32 = 5;

/// A role, the column that it is likely to be, and how likely of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) role: &'static str,
    /// `None`: no column is likely, but one must be named.
    pub(crate) column: Option<String>,
    pub(crate) of_ten: u32,
}

/// What a table is likely to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) table: TableName,
    /// One, and those of files with the same columns that are nothing else.
    pub(crate) paths: Vec<String>,
    pub(crate) csv: bool,
    pub(crate) roles: Vec<Guess>,
    /// Names of columns that no role was found for.
    pub(crate) left: Vec<String>,
    /// How likely the table is what it is taken for, of ten.
    pub(crate) of_ten: u32,
    /// Whether it is called as the table is.
    pub(crate) exact: bool,
    /// Whether it is called like it.
    pub(crate) named: bool,
    /// Columns that such a table must have, and that were found.
    pub(crate) matched: usize,
    /// What the labels of its periods are.
    pub(crate) period: Option<PeriodKind>,
    /// Activities that it names, where there are few.
    pub(crate) activities: Vec<String>,
    /// Resource pools that it names as serving others, where there are few.
    pub(crate) givers: Vec<String>,
}

impl Found {
    /// A table of which nothing is known but where it is.
    pub(super) fn new(table: TableName, path: &str, peek: &Peek) -> Self {
        Self {
            table,
            paths: vec![path.to_owned()],
            csv: peek.csv,
            roles: Vec::new(),
            left: Vec::new(),
            of_ten: 0,
            exact: false,
            named: false,
            matched: 0,
            period: None,
            activities: Vec::new(),
            givers: Vec::new(),
        }
    }

    /// Whether a cost stands beside a quantity, and may be the line's or that of one unit.
    pub(crate) fn is_doubtful(&self, guess: &Guess) -> bool {
        let plain = guess.column.as_deref().map(plain).unwrap_or_default();
        guess.role == "product_cost" && self.has(QUANTITY.name) && !LINE_COSTS.contains(&plain.as_str())
    }

    /// Whether it is a ledger that no run reads before it is Parquet.
    pub(crate) fn is_csv_ledger(&self) -> bool {
        self.csv && self.table == TableName::Transactions
    }

    /// Whether a role has a column.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|guess| guess.role == role && guess.column.is_some())
    }
}

/// What each of the tables that were looked at is likely to be: each of ours at most once, the likeliest first; and the paths
/// of those that are none. A path that is no table of its own and has the columns of one belongs to it: a ledger may come in files
/// beside other tables.
pub(crate) fn guess(peeks: &[(String, Peek)]) -> (Vec<Found>, Vec<String>) {
    let mut all: Vec<(usize, Found)> = Vec::new();
    for (number, (path, peek)) in peeks.iter().enumerate() {
        all.extend(candidates(path, peek).map(|found| (number, found)));
    }
    // The best pair of path and table first: what a table is called, then how many columns that it must have are there (a ledger looks
    // like a table of customers with more), then how likely each is; of equal ones the earlier.
    let rank = |found: &Found| {
        let beyond = SHAPES.iter().all(|shape| shape.table != found.table);
        let called = (Reverse(found.exact), Reverse(found.named));
        (called, Reverse(found.matched), beyond, Reverse(found.of_ten))
    };
    all.sort_by_key(|(number, found)| (rank(found), *number, found.table));
    let mut taken: Vec<(usize, Found)> = Vec::new();
    for (number, next) in all {
        let more_of = |other: usize| !(next.exact || next.named) && has_columns_of(&peeks[other].1, &peeks[number].1);
        if taken.iter().all(|(other, known)| *other != number && known.table != next.table && !more_of(*other)) {
            taken.push((number, next));
        }
    }
    let mut none = Vec::new();
    let first: Vec<usize> = taken.iter().map(|(number, _)| *number).collect();
    for (path, peek) in (0..).zip(peeks).filter(|(number, _)| !first.contains(number)).map(|(_, peek)| peek) {
        match taken.iter_mut().find(|(number, _)| has_columns_of(&peeks[*number].1, peek)) {
            Some((_, found)) => found.paths.push(path.clone()),
            None => none.push(path.clone()),
        }
    }
    let mut found: Vec<Found> = taken.into_iter().map(|(_, found)| found).collect();
    found.sort_by_key(|found| found.table);
    (found, none)
}

/// What a path may be, by the names of the documentation and by what is likely.
fn candidates(path: &str, peek: &Peek) -> impl Iterator<Item = Found> {
    let stem = camino::Utf8Path::new(path.trim_end_matches('/')).file_stem().unwrap_or(path);
    let one = |table: TableName| {
        let guessed = SHAPES.iter().find(|shape| shape.table == table).and_then(|shape| fit(shape, stem, path, peek));
        let found = match (guessed, documented::fit(table, stem, path, peek)) {
            (Some(guessed), Some(documented)) => guessed.and(documented),
            (guessed, documented) => guessed.or(documented)?,
        };
        Some(found.completed(peek))
    };
    let mut found: Vec<Found> = TableName::ALL.into_iter().filter_map(one).collect();
    // Events that have a customer, a day and an amount are purchases, whatever they are called.
    let is_ledger = found.iter().any(|found| found.table == TableName::Transactions && found.matched == 3);
    for events in found.iter_mut().filter(|found| found.table == TableName::Events) {
        events.exact &= !is_ledger;
    }
    found.into_iter()
}

/// Whether two tables have columns of the same names.
fn has_columns_of(a: &Peek, b: &Peek) -> bool {
    let names = |peek: &Peek| peek.columns.iter().map(|column| column.name.clone()).collect::<BTreeSet<_>>();
    a.csv == b.csv && names(a) == names(b)
}

/// What a path is likely to be: a table of this shape.
///
/// * `stem`: the path's own name.
fn fit(shape: &Shape, stem: &str, path: &str, peek: &Peek) -> Option<Found> {
    let mut scored: Vec<(u32, bool, usize, &Role)> = Vec::new();
    for (at, column) in peek.columns.iter().enumerate() {
        let roles = shape.must.iter().map(|role| (true, role)).chain(shape.may.iter().map(|role| (false, role)));
        scored
            .extend(roles.map(|(must, role)| (score(role, column), must, at, *role)).filter(|found| found.0 >= LIKELY));
    }
    // Whatever it is called, the only day of a table that must have one is likely to be it.
    let mut days = peek.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Day);
    if let (Some((at, _)), None, Some(date)) =
        (days.next(), days.next(), shape.must.iter().find(|role| role.name == "date"))
        && scored.iter().all(|(.., role)| role.name != date.name)
    {
        scored.push((LIKELY, true, at, date));
    }
    scored.sort_by_key(|(score, must, at, _)| (Reverse(*score), !must, *at));
    let mut roles: Vec<Guess> = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    for (score, _, at, role) in scored {
        if !used.contains(&at) && roles.iter().all(|guess| guess.role != role.name) {
            used.push(at);
            roles.push(Guess { role: role.name, column: Some(peek.columns[at].name.clone()), of_ten: score });
        }
    }
    let of = |role: &str| roles.iter().find(|guess| guess.role == role).map_or(0, |guess| guess.of_ten);
    let mut needed: Vec<u32> = shape.must.iter().map(|role| of(role.name)).collect();
    if shape.table == TableName::Transactions {
        // A price alone makes a ledger, too, whose amount is left to be named.
        needed.push(of(AMOUNT.name).max(of(UNIT_PRICE.name).min(of(QUANTITY.name).max(LIKELY))));
    }
    let sure = needed.iter().sum::<u32>() / needed.len().max(1) as u32;
    let key = shape.must[0].name;
    let repeats = roles.iter().zip(&used).any(|(guess, at)| guess.role == key && peek.columns[*at].distinct < 0.999);
    let stem = plain(stem);
    let named = shape.names.iter().any(|name| stem.contains(name));
    if (shape.unique && repeats) || (needed.contains(&0) && !(named && sure >= LIKELY)) {
        return None;
    }
    // What a table is called says more than what its columns might be.
    let of_ten = if named { u32::midpoint(sure, 10) } else { sure / 2 };
    for role in shape.must.iter().filter(|role| of(role.name) == 0).map(|role| role.name).collect::<Vec<_>>() {
        roles.push(Guess { role, column: None, of_ten: 0 });
    }
    let matched = needed.iter().filter(|score| **score > 0).count();
    Some(Found { roles, of_ten, named, matched, ..Found::new(shape.table, path, peek) })
}

/// Of ten: five for the name (three for a part of it), three for the type, two for the sample. A type that cannot be is none.
fn score(role: &Role, column: &Column) -> u32 {
    if !role.kinds.contains(&column.kind) || role.name == PERIOD.name && !(role.looks)(column) {
        return 0;
    }
    let name = plain(&column.name);
    let named = if role.names.contains(&name.as_str()) || name == plain(role.name) {
        5
    } else if role.names.iter().any(|known| known.len() > 3 && name.contains(known)) {
        3
    } else {
        return 0;
    };
    named + 3 + if (role.looks)(column) { 2 } else { 0 }
}

/// Letters and digits of a name, lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: Kind, distinct: f64) -> Column {
        Column { name: name.to_owned(), kind, distinct, nulls: 0.0, longest: 3, few: Vec::new() }
    }

    fn peek(columns: Vec<Column>) -> Peek {
        Peek { csv: false, files: 1, columns }
    }

    #[test]
    fn a_ledger_is_told_from_a_table_of_customers() {
        let ledger = peek(vec![
            column("InvoiceNo", Kind::Text, 0.1),
            column("StockCode", Kind::Text, 0.1),
            column("Quantity", Kind::Integer, 0.01),
            column("InvoiceDate", Kind::Day, 0.1),
            column("UnitPrice", Kind::Fraction, 0.1),
            column("CustomerID", Kind::Integer, 0.1),
            column("Country", Kind::Text, 0.01),
        ]);
        let customers = peek(vec![column("cust_no", Kind::Integer, 1.0), column("customer_group", Kind::Text, 0.01)]);
        let (found, none) = guess(&[("crm.parquet".to_owned(), customers), ("retail.parquet".to_owned(), ledger)]);
        assert!(none.is_empty());
        let tables: Vec<_> = found.iter().map(|found| (found.table, found.paths[0].as_str())).collect();
        assert_eq!(tables, [(TableName::Transactions, "retail.parquet"), (TableName::Customers, "crm.parquet")]);
        let of = |found: &Found| {
            found
                .roles
                .iter()
                .map(|guess| format!("{}={}", guess.role, guess.column.as_deref().unwrap_or("?")))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(&found[0]),
            [
                "customer_id=CustomerID",
                "date=InvoiceDate",
                "quantity=Quantity",
                "unit_price=UnitPrice",
                "order_id=InvoiceNo",
                "product_id=StockCode"
            ]
        );
        assert_eq!(found[0].left, ["Country"]);
        assert_eq!(of(&found[1]), ["customer_id=cust_no", "segment=customer_group"]);
    }

    #[test]
    fn a_table_that_is_none_of_ours_is_said_to_be_none() {
        let weather = peek(vec![column("station", Kind::Text, 0.1), column("rain", Kind::Fraction, 0.9)]);
        let (found, none) = guess(&[("weather.parquet".to_owned(), weather)]);
        assert!(found.is_empty());
        assert_eq!(none, ["weather.parquet"]);
    }

    #[test]
    fn a_ledger_by_name_without_a_date_leaves_the_date_to_be_named() {
        let ledger = peek(vec![column("customer", Kind::Integer, 0.2), column("amount", Kind::Fraction, 0.9)]);
        let (found, _) = guess(&[("transactions.parquet".to_owned(), ledger)]);
        assert_eq!(found[0].roles[1], Guess { role: "date", column: None, of_ten: 0 });
    }

    #[test]
    fn the_only_day_is_the_date_and_a_ledger_of_cents_is_no_table_of_customers() {
        let of = |names: [&str; 3]| {
            let kinds = [Kind::Integer, Kind::Day, Kind::Integer];
            // One day's file, in which every customer stands once.
            peek(names.iter().zip(kinds).map(|(name, kind)| column(name, kind, 1.0)).collect())
        };
        for date in ["ts", "created", "fecha"] {
            let (found, _) = guess(&[("day.parquet".to_owned(), of(["customer_id", date, "amount"]))]);
            assert_eq!(found[0].table, TableName::Transactions);
            let of_ten = if date == "ts" || date == "fecha" { 5 } else { found[0].roles[1].of_ten };
            assert_eq!(found[0].roles[1], Guess { role: "date", column: Some(date.to_owned()), of_ten });
        }
        // Of two days neither is.
        let mut two = of(["customer_id", "ts", "amount"]);
        two.columns.push(column("seen", Kind::Day, 0.5));
        let (found, _) = guess(&[("day.parquet".to_owned(), two)]);
        assert!(found.iter().all(|found| found.table != TableName::Transactions));
    }

    #[test]
    fn a_price_beside_a_quantity_is_that_of_a_unit_and_a_cost_there_is_in_doubt() {
        let ledger = |names: &[&str]| {
            let kinds = [Kind::Integer, Kind::Day, Kind::Fraction, Kind::Integer, Kind::Fraction];
            let columns = names.iter().zip(kinds).map(|(name, kind)| column(name, kind, 0.1)).collect();
            guess(&[("sales.parquet".to_owned(), peek(columns))]).0.remove(0)
        };
        let found = ledger(&["customer", "date", "price", "qty", "cost"]);
        assert!(found.has("unit_price") && found.has("quantity") && !found.has("amount"));
        assert_eq!(found.roles.iter().filter(|guess| found.is_doubtful(guess)).count(), 1);
        // A line's own cost, and a cost without a quantity, are the line's.
        let found = ledger(&["customer", "date", "price", "qty", "cogs"]);
        assert!(!found.roles.iter().any(|guess| found.is_doubtful(guess)));
        let found = ledger(&["customer", "date", "revenue", "clerk", "cost"]);
        assert!(found.has("amount") && !found.roles.iter().any(|guess| found.is_doubtful(guess)));
    }
}
