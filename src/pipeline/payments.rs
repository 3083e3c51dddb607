//! How customers pay, of the receivables table, and what that makes of expected losses.

use std::ops::Range;

use rayon::prelude::*;

use super::{Ledgers, objects::is_mapped};
use crate::{
    portfolio::credit::payment,
    publish::dataset::Values,
    schema::{
        facts::Cells,
        portfolio::{CreditSettings, Payment},
        relations::SHARE_SCALE,
        settings::{Settings, TableName},
        tables::Receivable,
    },
    units::{Day, Minor},
};

/// Columns that say how customers pay.
const KNOWN_BY: [&str; 4] = ["days_late", "overdue", "disputed", "write_off"];

/// Level, trend and grade of every customer with records; nothing where the table does not say how customers pay.
///
/// Where losses are expected by grade, each balance defaults with the probability of a year of the customer's grade from here on.
///
/// * `receivables`: sorted by customer, then period.
pub(super) fn of(
    settings: &Settings,
    cells: &Cells,
    receivables: &mut [Receivable],
    as_of: Day,
) -> Vec<(u32, Payment)> {
    if !KNOWN_BY.iter().any(|column| is_mapped(settings, TableName::Receivables, column)) {
        return Vec::new();
    }
    let setting = &settings.portfolio.credit;
    let last = settings.period.of(as_of);
    let revenue = |customer: u32| -> Minor {
        let start = cells.customer.partition_point(|other| *other < customer);
        let own = (start..cells.len()).take_while(|cell| cells.customer[*cell] == customer);
        own.fold(0, |sum, cell| sum.saturating_add(cells.checked_net_revenue(cell).unwrap_or(0)))
    };
    let by_grade = settings.economic.bad_debt.filter(|setting| setting.by_grade);
    let other = by_grade.and_then(|setting| setting.probability?.to_scaled(SHARE_SCALE.ilog10()));
    let mut of_customer: Vec<&mut [Receivable]> = receivables.chunk_by_mut(|a, b| a.customer == b.customer).collect();
    let graded = of_customer.par_iter_mut().map(|records| {
        let customer = records[0].customer;
        let found = payment(records, last, revenue(customer), setting);
        if by_grade.is_some() {
            let probability = found.grade.map(|grade| default_probability(setting, grade)).or(other);
            let probability = probability.unwrap_or_else(|| default_probability(setting, 2));
            for record in records.iter_mut() {
                record.defaulting = record.owed * i128::from(probability);
            }
        }
        (customer, found)
    });
    graded.collect()
}

/// Probability of default of a grade, in [`SHARE_SCALE`].
fn default_probability(setting: &CreditSettings, grade: u8) -> i64 {
    setting.default_probability[usize::from(grade)].to_scaled(SHARE_SCALE.ilog10()).unwrap_or(0)
}

impl Ledgers {
    /// The columns of `customer_payment`.
    pub(super) fn payment_columns(&self, settings: &Settings) -> Vec<Values> {
        let rows: Vec<_> = self.payments.iter().map(|(customer, row)| (*customer, Some(row))).collect();
        columns_of(&rows, settings)
    }

    /// The same of customers `rows`, whoever they are: null for who has no records.
    pub(super) fn payment_columns_of(&self, rows: Range<usize>, settings: &Settings) -> Vec<Values> {
        let payments = &self.payments;
        let of = |customer: u32| {
            let at = payments.binary_search_by_key(&customer, |(customer, _)| *customer);
            (customer, at.ok().map(|at| &payments[at].1))
        };
        columns_of(&rows.map(|row| of(row as u32)).collect::<Vec<_>>(), settings)
    }
}

fn columns_of(rows: &[(u32, Option<&Payment>)], settings: &Settings) -> Vec<Values> {
    let float =
        |of: &dyn Fn(&Payment) -> Option<f64>| Values::Float(rows.iter().map(|(_, row)| row.and_then(of)).collect());
    let probability = |row: &Payment| {
        let grade = usize::from(row.grade?);
        Some(settings.portfolio.credit.default_probability[grade].to_float())
    };
    let grade = |row: &Payment| row.grade.map(|grade| Payment::GRADES[usize::from(grade)].to_owned());
    vec![
        Values::Ids(rows.iter().map(|(customer, _)| *customer).collect()),
        Values::Integer(rows.iter().map(|(_, row)| row.map(|row| i64::from(row.periods))).collect()),
        float(&|row| row.days_late),
        float(&|row| row.trend),
        float(&|row| row.overdue_share),
        float(&|row| row.disputed_share),
        float(&|row| row.write_off_share.filter(|share| share.is_finite())),
        Values::Text(rows.iter().map(|(_, row)| row.and_then(grade)).collect()),
        float(&probability),
    ]
}
