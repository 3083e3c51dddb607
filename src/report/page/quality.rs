//! Part 9: the data: what was accepted, what was not, and what a reader must know.

use maud::{Markup, html};

use super::{
    Report,
    table::{nothing, prose, table},
    words::spoken,
};
use crate::{report::number::count, units::MinorSum};

/// What became of the inputs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quality {
    pub(crate) tables: Vec<Input>,
    /// Notes of the fits.
    pub(crate) notes: Vec<String>,
}

/// An input table, in rows and money.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) table: String,
    pub(crate) all: (u64, MinorSum),
    pub(crate) accepted: (u64, MinorSum),
    pub(crate) unassigned: (u64, MinorSum),
    pub(crate) rejected: (u64, MinorSum),
    /// Broken rows by rule.
    pub(crate) rules: Vec<(String, u64, MinorSum)>,
}

impl Report {
    pub(super) fn quality_part(&self) -> Markup {
        let tables = &self.quality.tables;
        let rejected: u64 = tables.iter().map(|table| table.rejected.0).sum();
        let unassigned: u64 = tables.iter().map(|table| table.unassigned.0).sum();
        let cell = |(rows, amount): (u64, MinorSum)| {
            if rows == 0 { "0".to_owned() } else { format!("{} · {}", count(rows), self.money(amount)) }
        };
        let rows: Vec<Vec<String>> = tables
            .iter()
            .map(|input| {
                vec![
                    spoken(&input.table),
                    cell(input.all),
                    cell(input.accepted),
                    cell(input.unassigned),
                    cell(input.rejected),
                ]
            })
            .collect();
        let broken: Vec<Vec<String>> = tables
            .iter()
            .flat_map(|input| {
                let row = |(rule, rows, amount): &(String, u64, MinorSum)| {
                    vec![spoken(&input.table), spoken(rule), count(*rows), self.money(*amount)]
                };
                input.rules.iter().map(row)
            })
            .collect();
        let columns = [
            ("Table", false),
            ("Input: rows · money", true),
            ("Accepted", true),
            ("Without a customer", true),
            ("Rejected", true),
        ];
        html! {
            @if tables.is_empty() {
                (nothing("The run did not write `input_balance`.", "Add it to `outputs` of the config."))
            } @else { p {
                @if rejected == 0 && unassigned == 0 {
                    "Every row was accepted."
                } @else {
                    strong { (count(rejected)) } " rows were rejected, each with a rule and a reason"
                    @if unassigned > 0 { "; " (count(unassigned)) " have no customer that is known" }
                    "."
                }
                " Input is accepted, without a customer and rejected, in rows and in money, or the run would have failed."
            } }
            @if !rows.is_empty() { (table("What became of the inputs", &columns, &rows)) }
            @if !broken.is_empty() {
                (table("Rules that rows broke", &[("Table", false), ("Rule", false), ("Rows", true), ("Money", true)], &broken))
            }
            @for note in &self.quality.notes { p class="warning" { (prose(note)) } }
        }
    }
}
