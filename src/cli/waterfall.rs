//! An explained customer as text of 80 columns.

use std::fmt::Write as _;

use crate::{
    pipeline::explanation::{Amount, CostLine, Explanation, Origin, Part, Step, StepKind},
    schema::scenario::BASE,
};

/// Columns of a line.
const WIDTH: usize = 80;

/// The waterfall, then every cost with its parts and their origins.
pub(super) fn text(explanation: &Explanation) -> String {
    let mut out = Page::default();
    let Explanation { run, scenario, customer, currency, as_of, periods, waterfall, .. } = explanation;
    out.wrapped("", &format!("{run}: customer {customer}, {}, as of {as_of}", span(periods)));
    if waterfall.iter().any(|step| step.base.is_some()) {
        out.beside(scenario, currency, waterfall);
    } else {
        out.amount("", "", currency);
        out.blank();
        for step in waterfall.iter().filter(|step| is_shown(step)) {
            out.amount(indent(step), &named(step), &step.amount.grouped());
        }
    }
    if !explanation.costs.is_empty() {
        out.blank();
        let world = if scenario == BASE { String::new() } else { format!(" in {scenario}") };
        out.wrapped(
            "",
            &format!("How each cost came about{world}: quantity, rate, pool, and the accounts it came from"),
        );
    }
    for line in &explanation.costs {
        out.cost(line, currency, periods.len() > 1);
    }
    out.0
}

/// `1997-01 to 1997-09 (8 periods)`.
fn span(periods: &[String]) -> String {
    match periods {
        [] => "no period with sales or costs".to_owned(),
        [one] if one == "all" => "the whole run".to_owned(),
        [one] => one.clone(),
        [first, .., last] => format!("{first} to {last} ({} periods)", periods.len()),
    }
}

/// A step that is zero and that most runs do not have is left out.
fn is_shown(step: &Step) -> bool {
    let optional = ["returns", "discount", "capital_charge", "bad_debt", "commissions", "acquisition_cost"];
    step.amount.minor != 0 || step.base.is_some_and(|base| base.minor != 0) || !optional.contains(&step.name.as_str())
}

fn indent(step: &Step) -> &'static str {
    if step.kind == StepKind::Subtotal { "" } else { "  " }
}

/// Words for the columns of `customer_profit`; activities keep their name.
fn named(step: &Step) -> String {
    let name = match (step.kind, step.name.as_str()) {
        (StepKind::Activity, name) => name,
        (_, "gross_sales") => "gross sales",
        (_, "net_revenue") => "Net revenue",
        (_, "product_cost") => "product cost",
        (_, "cm1") => "CM1, product margin",
        (_, "cm2") => "CM2, after orders",
        (_, "cm3") => "CM3, after service",
        (_, "capital_charge") => "capital charge on receivables",
        (_, "bad_debt") => "bad debt",
        (_, "acquisition_cost") => "acquisition cost",
        (_, "economic_profit") => "Economic profit",
        (_, name) => name,
    };
    name.to_owned()
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    /// A label on the left, an amount on the right; a label that is too long takes lines of its own.
    fn amount(&mut self, indent: &str, label: &str, amount: &str) {
        let room = WIDTH.saturating_sub(indent.chars().count() + amount.chars().count() + 2);
        let mut lines = wrap(label, room, room);
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            let _ = writeln!(self.0, "{indent}{line}");
        }
        let gap = WIDTH.saturating_sub(indent.chars().count() + last.chars().count());
        let _ = writeln!(self.0, "{indent}{last}{amount:>gap$}");
    }

    /// Every step in the base, in the scenario, and what it changes.
    fn beside(&mut self, scenario: &str, currency: &str, steps: &[Step]) {
        let heads = ["base".to_owned(), scenario.to_owned(), "difference".to_owned()];
        let rows: Vec<(&Step, [String; 3])> = steps
            .iter()
            .filter(|step| is_shown(step))
            .map(|step| {
                let base = step.base.unwrap_or(step.amount);
                let difference = Amount { minor: step.amount.minor - base.minor, ..base };
                (step, [base, step.amount, difference].map(Amount::grouped))
            })
            .collect();
        let cells = || rows.iter().map(|(_, cells)| cells).chain([&heads]);
        let longest = |at: usize| cells().map(|cells| cells[at].chars().count()).max().unwrap_or(0) + 2;
        let widths = [longest(0), longest(1), longest(2)];
        let joined = |cells: &[String; 3]| {
            let aligned = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
            aligned.collect::<String>()
        };
        self.amount("", currency, &joined(&heads));
        self.blank();
        for (step, cells) in &rows {
            self.amount(indent(step), &named(step), &joined(cells));
        }
    }

    /// Text in lines of 80 columns; the second and later ones are indented by two more.
    fn wrapped(&mut self, indent: &str, text: &str) {
        let room = WIDTH.saturating_sub(indent.chars().count());
        for (at, line) in wrap(text, room, room.saturating_sub(2)).iter().enumerate() {
            let more = if at == 0 { "" } else { "  " };
            let _ = writeln!(self.0, "{indent}{more}{line}");
        }
    }

    fn cost(&mut self, line: &CostLine, currency: &str, periods: bool) {
        self.blank();
        self.amount("", &line.activity, &line.amount.grouped());
        let avoidable = if line.avoidable { "avoidable" } else { "not avoidable" };
        let kind = line.kind.replace('_', " ");
        let (layer, level, behaviour) = (line.layer, line.level, line.behaviour);
        self.wrapped("  ", &format!("layer {layer}, level {level}, {behaviour}, {avoidable}"));
        let mixed = |part: &Amount| part.minor != 0 && part.minor != line.amount.minor;
        if mixed(&line.fixed) || mixed(&line.saved) {
            let (fixed, saved) = (line.fixed.grouped(), line.saved.grouped());
            self.wrapped("  ", &format!("with what resource pools brought: {fixed} fixed, {saved} avoidable"));
        }
        let (rule, version) = (&line.rule, line.rule_version);
        self.wrapped("  ", &format!("rule {rule}, version {version}: {kind}, method {}", line.method));
        for part in &line.parts {
            self.part(&line.activity, part, currency, periods);
        }
    }

    fn part(&mut self, activity: &str, part: &Part, currency: &str, periods: bool) {
        let mut label = match &part.quantity {
            Some(quantity) => format!("{} × {}", trimmed(*quantity), part.by),
            None => part.by.clone(),
        };
        if let Some(segment) = &part.segment {
            let _ = write!(label, " in segment {segment}");
        }
        if periods {
            label = format!("{}: {label}", part.period);
        }
        self.amount("  ", &label, &part.amount.grouped());
        if let (Some(rate), Some(total)) = (&part.rate, part.total_quantity) {
            let exactly =
                if rate.fraction.contains('/') { format!(", exactly {}", rate.fraction) } else { String::new() };
            let (decimal, divided, total) = (trimmed(rate.decimal), part.divided.grouped(), trimmed(total));
            self.wrapped("    ", &format!("rate {decimal} {currency}{exactly}: {divided} over {total}"));
        }
        let pool = &part.pool;
        let when =
            if part.pool_period == "all" { "of the whole run".to_owned() } else { format!("of {}", part.pool_period) };
        let (cost, own, received) = (pool.cost.grouped(), pool.own.grouped(), pool.received.grouped());
        let from = if pool.received.minor == 0 { String::new() } else { format!(" = {own} own + {received} received") };
        let borne = pool.allocated.grouped();
        self.wrapped("    ", &format!("pool {when}: {cost}{from}; customers bear {borne}"));
        // An activity whose cost is its own, of no account, has nothing more to tell.
        let own = |origin: &Origin| origin.pool == activity && origin.account.is_none() && origin.cost_centre.is_none();
        let told = !matches!(part.origins.as_slice(), [only] if own(only));
        for origin in part.origins.iter().filter(|_| told) {
            self.amount("    ", &format!("from {}", from_where(origin)), &origin.amount.grouped());
        }
    }
}

fn from_where(origin: &Origin) -> String {
    let mut text = origin.pool.clone();
    for (what, value) in [("account", &origin.account), ("cost centre", &origin.cost_centre)] {
        if let Some(value) = value {
            let _ = write!(text, ", {what} {value}");
        }
    }
    text
}

/// Without the zeros at the end of its fraction.
fn trimmed(amount: Amount) -> String {
    let grouped = amount.grouped();
    if grouped.contains('.') { grouped.trim_end_matches('0').trim_end_matches('.').to_owned() } else { grouped }
}

/// Cuts text at spaces, and a word that is longer than a line where the line ends.
pub(super) fn wrap(text: &str, first: usize, later: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let room = if lines.is_empty() { first } else { later }.max(1);
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + word.len() <= room {
                line.extend(std::iter::repeat_n(' ', gap).chain(word));
                break;
            }
            if used == 0 {
                line.extend(word.drain(..room));
            }
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_and_long_texts_stay_within_their_lines() {
        assert_eq!(wrap("one two three", 7, 5), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4, 3), ["abcd", "efg", "h", "ij"].map(str::to_owned).to_vec());
        assert_eq!(wrap("", 4, 3), [""]);
    }

    #[test]
    fn an_amount_stands_at_the_end_of_its_line_whatever_its_label() {
        let mut page = Page::default();
        page.amount("  ", "freight", "-12.50");
        page.amount("  ", &"word ".repeat(40), "1,234.50");
        assert!(page.0.lines().all(|line| line.chars().count() <= WIDTH), "{}", page.0);
        assert!(page.0.lines().next().is_some_and(|line| line.len() == WIDTH && line.ends_with(" -12.50")));
    }
}
