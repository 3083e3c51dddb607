//! The conversion of costs, as columns of its dataset.

use super::results::Results;
use crate::{
    publish::dataset::Values,
    schema::{
        money::{Currency, MAX_EXPONENT},
        period::ALL,
        settings::Settings,
        tables::PoolLine,
    },
};

impl Results {
    /// Lines of the pools table, when it names currencies.
    pub(super) fn fx_columns(&self, settings: &Settings) -> Vec<Values> {
        let named = settings.inputs.pools.as_ref().is_some_and(|table| table.columns.contains_key("currency"));
        let lines: &[PoolLine] = if named { &self.base.ledgers.pool_lines } else { &[] };
        let text = |of: &dyn Fn(&PoolLine) -> Option<String>| Values::Text(lines.iter().map(of).collect());
        let label = |line: &PoolLine| line.period.map_or_else(|| ALL.to_owned(), |at| settings.period.label(at));
        vec![
            text(&|line| line.account.clone()),
            text(&|line| line.cost_centre.clone()),
            text(&|line| Some(line.activity.clone())),
            text(&|line| Some(label(line))),
            text(&|line| Some(line.currency.clone())),
            Values::Sum(lines.iter().map(|line| Some(in_millionths(line, &settings.currency))).collect()),
            Values::Float(lines.iter().map(|line| Some(line.rate.to_float())).collect()),
            text(&|line| Some(line.rate.to_string())),
            Values::Scaled(lines.iter().map(|line| Some(line.converted)).collect()),
        ]
    }
}

/// The amount in millionths of its currency's major unit: all currencies share one column.
fn in_millionths(line: &PoolLine, run: &Currency) -> i128 {
    let own = || (line.currency == run.code).then_some(run.exponent);
    let exponent = own().or_else(|| Currency::from_code(&line.currency).map(|currency| currency.exponent));
    i128::from(line.amount) * 10_i128.pow(u32::from(MAX_EXPONENT - exponent.unwrap_or(0)))
}
