//! Tables and columns that go by the names of the documentation: a file that is called as a table is, or that has all columns
//! which the table must have.

use super::{
    guess::{Found, Guess},
    roles::{PERIOD, SHAPES, period_of},
};
use crate::{
    read::peek::{Column, Kind, Peek},
    schema::settings::TableName,
};

/// How sure a name of the documentation is, of ten; and one with `_id` behind it, or the columns of a table alone.
const SURE: u32 = 10;
const LIKELY: u32 = 8;

/// What a path is by its name or its columns. A table by its name alone leaves columns that it must have to be named.
///
/// * `stem`: the path's own name.
pub(super) fn fit(table: TableName, stem: &str, path: &str, peek: &Peek) -> Option<Found> {
    let must: Vec<&'static str> = required(table).collect();
    let exact = stem.eq_ignore_ascii_case(table.as_str());
    let roles: Vec<Guess> = must.iter().map(|role| of_required(role, exact, peek)).collect();
    let matched = roles.iter().filter(|guess| guess.column.is_some()).count();
    let any = table.columns().iter().any(|(role, _)| column_of(role, peek).is_some());
    let has = |role: &str| column_of(role, peek).is_some();
    // What many tables have says of none which it is: one column, or a customer and a day.
    let telling = must.len() > 1 && (table != TableName::Transactions || has("amount") || has("unit_price"));
    let whole = matched == must.len();
    if !(exact && (matched > 0 || any && must.is_empty()) || telling && whole) {
        return None;
    }
    let of_ten = match (exact, whole) {
        (true, true) => SURE,
        (true, false) => SURE / 2,
        (false, _) => LIKELY,
    };
    Some(Found { roles, of_ten, exact, matched, ..Found::new(table, path, peek) })
}

/// Columns that a table must have.
fn required(table: TableName) -> impl Iterator<Item = &'static str> {
    table.columns().iter().filter(|(_, required)| *required).map(|(role, _)| *role)
}

/// * `exact`: the table is called so: its `referrer_id` is its `referrer`.
fn of_required(role: &'static str, exact: bool, peek: &Peek) -> Guess {
    let id = || peek.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&format!("{role}_id")));
    if let Some(column) = column_of(role, peek) {
        return Guess { role, column: Some(column.name.clone()), of_ten: SURE };
    }
    let column = id().filter(|column| exact && column.fits(role, peek.csv)).map(|column| column.name.clone());
    Guess { of_ten: if column.is_some() { LIKELY } else { 0 }, role, column }
}

/// The column of a role's own name, where it is of a type that is read.
fn column_of<'p>(role: &str, peek: &'p Peek) -> Option<&'p Column> {
    let column = peek.columns.iter().find(|column| column.name.eq_ignore_ascii_case(role))?;
    // Labels that name no period would be refused row by row.
    let told = role != PERIOD.name || column.kind == Kind::Day || period_of(column).is_some();
    (told && column.fits(role, peek.csv)).then_some(column)
}

impl Found {
    /// What two ways say of one table: what the documentation calls so goes before what is likely.
    pub(super) fn and(self, documented: Self) -> Self {
        let Self { mut roles, of_ten, exact, matched, .. } = documented;
        let used = |roles: &[Guess], guess: &Guess| {
            roles.iter().any(|known| known.role == guess.role || known.column.is_some() && known.column == guess.column)
        };
        // A column that such a table need not have is not asked for.
        let more = self.roles.iter().filter(|guess| guess.column.is_some() && !used(&roles, guess)).cloned();
        roles.extend(more.collect::<Vec<_>>());
        for guess in self.roles.iter().filter(|guess| guess.column.is_some()) {
            // One that is only missing may be there under another name.
            if let Some(missing) = roles.iter_mut().find(|known| known.role == guess.role && known.column.is_none()) {
                *missing = guess.clone();
            }
        }
        Self { roles, of_ten: of_ten.max(self.of_ten), exact, matched: matched.max(self.matched), ..self }
    }

    /// The same with every other column of a documented name, without those that would contradict each other, and with what follows
    /// from them.
    pub(super) fn completed(mut self, peek: &Peek) -> Self {
        for (role, _) in self.table.columns() {
            let Some(column) = column_of(role, peek) else { continue };
            if self.roles.iter().all(|known| known.role != *role && known.column.as_ref() != Some(&column.name)) {
                self.roles.push(Guess { role, column: Some(column.name.clone()), of_ten: SURE });
            }
        }
        self.settle();
        let shape = SHAPES.iter().find(|shape| shape.table == self.table);
        let known: Vec<&str> =
            shape.into_iter().flat_map(|shape| shape.must.iter().chain(shape.may)).map(|role| role.name).collect();
        let columns = self.table.columns();
        let place = |guess: &Guess| {
            let own = known.iter().position(|name| *name == guess.role);
            own.or_else(|| Some(known.len() + columns.iter().position(|(name, _)| *name == guess.role)?))
        };
        self.roles.sort_by_key(place);
        let used = |column: &Column| self.roles.iter().any(|guess| guess.column.as_ref() == Some(&column.name));
        self.left = peek.columns.iter().filter(|column| !used(column)).map(|column| column.name.clone()).collect();
        let of = |role: &str| {
            let name = self.roles.iter().find(|guess| guess.role == role)?.column.as_deref()?;
            peek.columns.iter().find(|column| column.name == name)
        };
        let few = |role: &str| of(role).map(|column| column.few.clone()).unwrap_or_default();
        self.period = of(PERIOD.name).and_then(period_of);
        self.activities = few(if self.table == TableName::ResourceWeights { "to" } else { "activity" });
        self.givers = few("from");
        self
    }

    /// Takes out what a config may not say beside something else, and asks for what it must say.
    fn settle(&mut self) {
        let has: Vec<&str> =
            { self.roles.iter() }.filter(|guess| guess.column.is_some()).map(|guess| guess.role).collect();
        let has = |role: &str| has.contains(&role);
        let mut gone: Vec<&str> = Vec::new();
        let mut asked = None;
        // A date says when more finely than a period.
        if has("date") {
            gone.push(PERIOD.name);
        }
        match self.table {
            TableName::Customers if has("wallet") != has("wallet_probability") => {
                gone.extend(["wallet", "wallet_probability"]);
            }
            TableName::Receivables => {
                if !has("balance") {
                    gone.extend(["overdue", "disputed", "default_probability"]);
                }
                // One loss would count twice.
                if has("write_off") {
                    gone.push("default_probability");
                }
                asked = (!["balance", "write_off", "days_late"].iter().any(|role| has(role))).then_some("balance");
            }
            TableName::Market if has("equity") => gone.extend(["customers", "value"]),
            TableName::Market => {
                let whole = has("customers") && has("value");
                if !whole {
                    gone.extend(["customers", "value"]);
                }
                asked = (!whole).then_some("equity");
            }
            TableName::AcquisitionPlan | TableName::Targets | TableName::Actions if has("segment") => {
                gone.push("channel");
            }
            _ => {}
        }
        self.roles.retain(|guess| !gone.contains(&guess.role));
        if let Some(role) = asked.filter(|role| self.roles.iter().all(|guess| guess.role != *role)) {
            self.roles.push(Guess { role, column: None, of_ten: 0 });
        }
    }
}
