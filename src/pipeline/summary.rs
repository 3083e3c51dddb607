//! The result of a run in a few lines for people.

use super::{results::Results, worlds::World};
use crate::{
    numeric::decimal::format_grouped,
    schema::{
        contract::InputBalance,
        costs::PoolBalance,
        period::format_day,
        settings::{Settings, TableName},
    },
    units::MinorSum,
};

/// The result of a run over other objects in a few lines.
pub(super) fn object_lines(settings: &Settings, results: &Results) -> Vec<String> {
    let (currency, exponent) = (&settings.currency.code, settings.currency.exponent);
    let money = |amount: MinorSum| format!("{:>18} {currency}", format_grouped(amount, exponent));
    let sum = |column: &[i64]| money(column.iter().map(|value| MinorSum::from(*value)).sum());
    let mut lines = vec![format!("{}, as of {}", settings.name, format_day(results.base.ledgers.as_of))];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<22} {text}"));
    let Some(objects) = &results.base.objects else { return lines };
    let margins = &objects.margins;
    let count = format_grouped(objects.objects.rows.len() as i128, 0);
    line(&format!("{}s", objects.kind().as_str()), format!("{count:>18}"));
    line("net revenue", sum(&margins.net_revenue));
    line("product margin (CM1)", sum(&margins.cm1));
    line("after orders (CM2)", sum(&margins.cm2));
    line("after service (CM3)", sum(&margins.cm3));
    line("margin", sum(&margins.economic_profit));
    let stays: MinorSum = objects.balances.iter().map(|balance| MinorSum::from(balance.stays)).sum();
    if stays != 0 {
        line("cost that stays", money(stays));
    }
    lines
}

/// Between which totals the widest of the run's intervals lies, in words; nothing with one quantile.
fn interval(settings: &Settings, totals: &[MinorSum]) -> String {
    let ends = |values: &[MinorSum]| Some((*values.first()?, *values.last()?));
    let (Some((low, high)), [least, .., most]) = (ends(totals), settings.quantiles()) else { return String::new() };
    let (low, high) =
        (format_grouped(low, settings.currency.exponent), format_grouped(high, settings.currency.exponent));
    format!(", {} % between {low} and {high}", least.percent_up_to(*most))
}

/// Label and text of each line, as they are told at the end of a run.
pub(super) fn lines(settings: &Settings, results: &Results) -> Vec<String> {
    let (ledgers, whale) = (&results.base.ledgers, &results.base.whale);
    let (currency, exponent) = (&settings.currency.code, settings.currency.exponent);
    let money = |amount: MinorSum| format!("{:>18} {currency}", format_grouped(amount, exponent));
    let count = |n: u64| format_grouped(i128::from(n), 0);
    let sum = |column: &[i64]| money(column.iter().map(|value| MinorSum::from(*value)).sum());
    let margins = &results.base.margins;
    let mut lines = vec![format!("{}, as of {}", settings.name, format_day(ledgers.as_of))];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<22} {text}"));
    let base = results.world(settings);
    let losing = match base.losing() {
        Some(losing) => format!("{} lose money", count(losing)),
        None if whale.losing < settings.suppress => format!("fewer than {} lose money", settings.suppress),
        None => format!("all but fewer than {} lose money", settings.suppress),
    };
    line("customers", format!("{:>18}, {losing}", count(ledgers.customers.len() as u64)));
    line("net revenue", sum(&margins.net_revenue));
    line("product margin (CM1)", sum(&margins.cm1));
    line("after orders (CM2)", sum(&margins.cm2));
    line("after service (CM3)", sum(&margins.cm3));
    line("economic profit", money(whale.total));
    let revenue: MinorSum = margins.net_revenue.iter().map(|value| MinorSum::from(*value)).sum();
    if revenue != 0 && whale.total == revenue {
        line("", "no cost is known: all margins are net revenue".to_owned());
    }
    if let Some((customers, profit)) = base.peak().filter(|_| whale.total > 0) {
        let share = 100.0 * profit as f64 / whale.total as f64;
        let best = 100.0 * customers as f64 / ledgers.customers.len().max(1) as f64;
        line("whale curve", format!("peaks at {share:.1} % of profit with the best {best:.1} % of customers"));
    }
    let balances = &results.base.costs.plan.balances;
    let of = |part: &dyn Fn(&PoolBalance) -> MinorSum| -> MinorSum { balances.iter().map(part).sum() };
    let parts = [
        ("cost nobody bears", of(&PoolBalance::unassigned_total)),
        ("unused capacity", of(&|pool| pool.unused.into())),
        ("over-driven", of(&|pool| pool.over_driven.into())),
        ("under-absorbed", of(&|pool| pool.under_absorbed.into())),
        ("above customers", of(&|pool| pool.sustained.into())),
    ];
    for (label, amount) in parts.into_iter().filter(|(_, amount)| *amount != 0) {
        line(label, money(amount));
    }
    if let (Some(expected), Some(forecast)) = (base.expected_total(), &settings.forecast) {
        line("expected value", format!("{} in the next {} days", money(expected), forecast.horizon_days));
    }
    if let Some(equity) = base.equity_total() {
        let mean = money(equity.mean);
        line("customer equity", format!("{mean}{}", interval(settings, &equity.quantiles)));
    }
    if let Some(invest) = &results.decisions.invest {
        let plan = &invest.plan;
        let [spent, bound] = [plan.spent, plan.bound].map(|amount| format_grouped(amount, exponent));
        line("to be gained", format!("{} for {spent}; no choice gains more than {bound}", money(plan.gain)));
    }
    for world in results.worlds(settings).iter().skip(1) {
        let change = |now: MinorSum, before: MinorSum| {
            format!("{}, {} against the base", money(now), format_signed(now - before, exponent))
        };
        line(&format!("in {}:", world.name), String::new());
        line("economic profit", change(world.found.whale.total, whale.total));
        if let Some((now, before)) = world.expected_total().zip(base.expected_total()) {
            line("expected value", change(now, before));
        }
        if let Some((now, before)) = world.equity_total().zip(base.equity_total()) {
            line("customer equity", change(now.mean, before.mean));
        }
    }
    for (table, balance) in &results.audit.balances {
        for (what, bucket) in [("rejected", balance.rejected), ("without customer", balance.unassigned)] {
            if bucket.rows > 0 {
                let amount =
                    if table.carries_money() { format!("{} of ", money(bucket.amount)) } else { String::new() };
                line(what, format!("{amount}{}: {} rows", table.as_str(), count(bucket.rows)));
            }
        }
    }
    lines.extend(results.audit.balances.iter().filter_map(|(table, balance)| without_quantity(*table, balance)));
    let without_rows = results.audit.balances.iter().filter(|(_, balance)| balance.input.rows == 0);
    lines.extend(without_rows.map(|(table, _)| {
        let filter = settings.inputs.table(*table).and_then(|table| table.filter.as_ref());
        let why = if filter.is_some() { " that its `where` leaves" } else { "" };
        format!("  note: {} has no row{why}", table.as_str())
    }));
    if let (Some(foretold), Some(setting)) = (&results.forecast, &settings.forecast) {
        lines.extend(foretold.notes(setting).into_iter().map(|note| format!("  note: {note}")));
    }
    lines.extend(untold(&base).into_iter().map(|note| format!("  note: {note}")));
    lines
}

/// Targets and plans of which nothing can be told.
fn untold(base: &World<'_>) -> Vec<String> {
    let (mut measures, targets) = base.untold_targets();
    let count = measures.len();
    measures.dedup();
    let names: Vec<&str> = measures.iter().map(|measure| measure.as_str()).collect();
    let names = names.join(", ");
    let target = format!(
        "{count} of {targets} targets cannot be held against a value ({names}): docs/equity.md says what each needs"
    );
    let (rows, all) = base.untold_plan();
    let plan = format!(
        "{rows} of {all} rows of the acquisition plan are of groups in which nobody has bought: they count nothing"
    );
    [(count, target), (rows, plan)].into_iter().filter(|(count, _)| *count > 0).map(|(_, note)| note).collect()
}

/// What rows without a readable quantity do: a quantity that nobody can read has no weight to keep.
fn without_quantity(table: TableName, balance: &InputBalance) -> Option<String> {
    let (_, broken) = balance.rules.get("invalid_quantity")?;
    let weighs = matches!(table, TableName::DriverQuantities | TableName::Events) && broken.rows > 0;
    let (rows, table) = (broken.rows, table.as_str());
    weighs.then(|| format!("  note: others bear the cost of {rows} rows of {table} whose quantity cannot be read"))
}

/// With its sign, also above zero.
fn format_signed(amount: MinorSum, exponent: u8) -> String {
    let sign = if amount > 0 { "+" } else { "" };
    format!("{sign}{}", format_grouped(amount, exponent))
}
