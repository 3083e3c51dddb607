//! One customer's way from gross sales to economic profit, with the quantity, rate, pool and origin of every cost.

use std::ops::Range;

use rayon::prelude::*;
use thiserror::Error;

use super::{
    Audit, Clock, Gathered, Ledgers, RunError, cost,
    explanation::{Amount, CostLine, Explanation, Part, PoolCost, Rate, Step, StepKind},
    facts,
    origins::Origins,
    results::Costs,
    scenario,
};
use crate::{
    allocate::{
        explain::{By, CostPart},
        kinds::Kind,
    },
    numeric::{
        decimal::divide_half_even,
        keys::{Key, Keys},
    },
    read::pseudonym::pseudonym,
    schema::{
        costing::{Basis, Layer},
        costs::PoolBalance,
        margins::Margins,
        period::{ALL, Period, format_day},
        scenario::BASE,
        settings::Settings,
    },
    units::{Minor, MinorSum},
};

/// Why a customer cannot be explained: the question is wrong, not the data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExplainError {
    /// Nobody has the id.
    #[error("customer `{customer}` is neither in the ledger nor in the customers table")]
    UnknownCustomer {
        /// As it was given.
        customer: String,
    },
    /// The period is none of the run's kind.
    #[error("`{period}` is no period of this run; its periods are written like {example}")]
    NotAPeriod {
        /// As it was given.
        period: String,
        /// A period of the run.
        example: String,
    },
    /// Nothing is overridden.
    #[error("there is no scenario to explain: neither the config nor the command line overrides anything")]
    NoScenario,
    /// The customer was not there in the period.
    #[error("customer `{customer}` has neither sales nor costs in {period}; it has in {known}")]
    NoActivity {
        /// As it was given.
        customer: String,
        /// As it was given.
        period: String,
        /// The customer's own periods.
        known: String,
    },
}

impl ExplainError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownCustomer { .. } => {
                Some("ids are compared byte for byte: 007 is not 7; rejected lines make no customer")
            }
            Self::NotAPeriod { .. } => Some("leave out --period for all periods together"),
            Self::NoScenario => Some("add `overrides`, or --set activities.order_handling.cost=12000.00"),
            Self::NoActivity { .. } => None,
        }
    }
}

/// Whom to explain.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Customer id, as text.
    pub customer: &'a str,
    /// Label of a period; `None` = all of them.
    pub period: Option<&'a str>,
    /// Under the scenario, beside the base.
    pub scenario: bool,
}

/// Reads and costs as a run does, without a forecast, and explains one customer.
///
/// # Errors
/// [`RunError`]; [`ExplainError`] for a customer or period that is not there.
pub fn explain(settings: &Settings, question: Question<'_>, clock: &mut Clock) -> Result<Explanation, RunError> {
    if question.scenario && settings.scenario.is_none() {
        return Err(ExplainError::NoScenario.into());
    }
    let Gathered { ledgers, audit, other_costs } = facts(settings, false, clock)?;
    let cells = cells_of(settings, &ledgers, question);
    let Some(scenario) = settings.scenario.as_ref().filter(|_| question.scenario) else {
        return of_world((BASE, settings), &ledgers, (&audit, question), cells?, clock);
    };
    let other = scenario::ledgers(&ledgers, scenario, other_costs)?;
    let own = cells_of(settings, &other, question)?;
    // A period that the customer has in the scenario alone costs nothing in the base.
    let base = of_world((BASE, settings), &ledgers, (&audit, question), cells.unwrap_or(0..0), clock)?;
    let world = (scenario.name.as_str(), scenario.settings.as_ref());
    let other = of_world(world, &other, (&audit, question), own, clock)?;
    Ok(Explanation { waterfall: beside(base.waterfall, other.waterfall), ..other })
}

/// Costs one world and explains the customer in it.
fn of_world(
    (name, settings): (&str, &Settings),
    ledgers: &Ledgers,
    (audit, question): (&Audit, Question<'_>),
    cells: Range<usize>,
    clock: &mut Clock,
) -> Result<Explanation, RunError> {
    let (costs, margins) = cost(settings, ledgers, audit, clock)?;
    clock.stop();
    let origins = Origins::new(settings, ledgers, &costs.plan)?;
    let explainer = Explainer { settings, ledgers, costs: &costs, margins: &margins, origins };
    Ok(explainer.explanation(name, question, cells))
}

/// The steps of a scenario with those of the base beside them; what only one of them has costs nothing in the other.
fn beside(base: Vec<Step>, other: Vec<Step>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut base = base.into_iter().peekable();
    let mut other = other.into_iter().peekable();
    let subtotal = |step: &Step| step.kind == StepKind::Subtotal;
    // Both have the same subtotals and items, in the same order; between them stand activities, by name.
    while other.peek().is_some() {
        let mut own: Vec<Step> = std::iter::from_fn(|| other.next_if(|step| !subtotal(step))).collect();
        for before in std::iter::from_fn(|| base.next_if(|step| !subtotal(step))) {
            match own.iter_mut().find(|step| step.kind == before.kind && step.name == before.name) {
                Some(step) => step.base = Some(before.amount),
                None => {
                    own.push(Step {
                        amount: Amount { minor: 0, ..before.amount },
                        base: Some(before.amount),
                        ..before
                    });
                }
            }
        }
        steps.append(&mut own);
        steps.extend(other.next().zip(base.next()).map(|(step, before)| Step { base: Some(before.amount), ..step }));
    }
    for step in &mut steps {
        step.base.get_or_insert(Amount { minor: 0, ..step.amount });
    }
    steps
}

/// The customer's cells, or the one of the period.
fn cells_of(settings: &Settings, ledgers: &Ledgers, question: Question<'_>) -> Result<Range<usize>, ExplainError> {
    let customer = question.customer.to_owned();
    let ids = &ledgers.customers.ids;
    // Who knows the id asks by it, who knows the outputs by what stands there.
    let hashed = || find(ids, &pseudonym(settings.inputs.transactions.id_key.as_ref()?, question.customer.as_bytes()));
    let found = find(ids, question.customer).or_else(hashed);
    let row = found.ok_or_else(|| ExplainError::UnknownCustomer { customer: customer.clone() })?;
    let all = ledgers.facts.first_cell[row]..ledgers.facts.first_cell[row + 1];
    let Some(label) = question.period.filter(|label| *label != ALL) else { return Ok(all) };
    let not_a_period = || {
        let example = settings.period.label(settings.period.of(ledgers.as_of));
        ExplainError::NotAPeriod { period: label.to_owned(), example }
    };
    let named = settings.period.parse(label).filter(|period| settings.period.label(*period) != ALL);
    let period = named.ok_or_else(not_a_period)?;
    let cell = all.clone().find(|cell| ledgers.cells.period[*cell] == period);
    let cell = cell.ok_or_else(|| {
        let known: Vec<String> = all.map(|cell| settings.period.label(ledgers.cells.period[cell])).collect();
        let known = if known.is_empty() { "no period at all".to_owned() } else { known.join(", ") };
        ExplainError::NoActivity { customer, period: label.to_owned(), known }
    })?;
    Ok(cell..cell + 1)
}

/// The row of an id; ids ascend.
fn find(ids: &Keys, id: &str) -> Option<usize> {
    let key = match ids {
        Keys::Int(_) => Key::Int(id.trim().parse().ok()?),
        Keys::Text(_) => Key::Text(id.as_bytes()),
    };
    (0..ids.len()).into_par_iter().find_first(|row| ids.get(*row) == key)
}

struct Explainer<'a> {
    settings: &'a Settings,
    ledgers: &'a Ledgers,
    costs: &'a Costs,
    margins: &'a Margins,
    origins: Origins<'a>,
}

impl Explainer<'_> {
    fn explanation(&self, world: &str, question: Question<'_>, cells: Range<usize>) -> Explanation {
        let costs = self.cost_lines(cells.clone());
        Explanation {
            run: self.settings.name.clone(),
            scenario: world.to_owned(),
            customer: question.customer.to_owned(),
            currency: self.settings.currency.code.clone(),
            as_of: format_day(self.ledgers.as_of),
            periods: cells.clone().map(|cell| self.settings.period.label(self.ledgers.cells.period[cell])).collect(),
            waterfall: self.waterfall(cells, &costs),
            costs,
        }
    }

    fn money(&self, minor: impl Into<MinorSum>) -> Amount {
        Amount { minor: minor.into(), digits: self.settings.currency.exponent }
    }

    fn label(&self, period: Option<Period>) -> String {
        period.map_or_else(|| ALL.to_owned(), |period| self.settings.period.label(period))
    }

    fn waterfall(&self, cells: Range<usize>, costs: &[CostLine]) -> Vec<Step> {
        let (facts, margins) = (&self.ledgers.cells, self.margins);
        let sum = |column: &[Minor]| -> MinorSum { column[cells.clone()].iter().map(|x| MinorSum::from(*x)).sum() };
        let step = |name: &str, kind, minor: MinorSum| Step {
            name: name.to_owned(),
            kind,
            amount: self.money(minor),
            base: None,
        };
        let cost = |name: &str, column: &[Minor]| step(name, StepKind::Item, -sum(column));
        let subtotal = |name: &str, column: &[Minor]| step(name, StepKind::Subtotal, sum(column));
        // Rules that follow each other are one step of their activity.
        let layer = |layer: Layer| {
            let own: Vec<&CostLine> = costs.iter().filter(|line| line.layer == layer.as_str()).collect();
            let activities = own.chunk_by(|line, next| line.activity == next.activity);
            let sum = |lines: &[&CostLine]| -> MinorSum { lines.iter().map(|line| line.amount.minor).sum() };
            activities.map(|lines| step(&lines[0].activity, StepKind::Activity, -sum(lines))).collect::<Vec<_>>()
        };
        let mut steps = vec![
            step("gross_sales", StepKind::Item, sum(&facts.gross_sales)),
            cost("returns", &facts.returns),
            cost("discount", &facts.discount),
            subtotal("net_revenue", &margins.net_revenue),
            cost("product_cost", &facts.product_cost),
        ];
        for (of, name, column) in
            [(Layer::Cm1, "cm1", &margins.cm1), (Layer::Cm2, "cm2", &margins.cm2), (Layer::Cm3, "cm3", &margins.cm3)]
        {
            steps.extend(layer(of));
            steps.push(subtotal(name, column));
        }
        steps.extend(layer(Layer::Below));
        let economic = &margins.economic;
        steps.extend([
            cost("capital_charge", &economic.capital_charge),
            cost("bad_debt", &economic.bad_debt),
            cost("commissions", &economic.commissions),
            cost("acquisition_cost", &economic.acquisition_cost),
            subtotal("economic_profit", &margins.economic_profit),
        ]);
        steps
    }

    /// Cost lines by layer, then name, then rule.
    fn cost_lines(&self, cells: Range<usize>) -> Vec<CostLine> {
        let plan = &self.costs.plan;
        let ground = self.ledgers.ground(self.settings);
        let mut lines: Vec<CostLine> = Vec::new();
        let mut first = Vec::with_capacity(plan.activities.len());
        for activity in &plan.activities {
            first.push(lines.len());
            lines.extend(activity.setting.each_rule().map(|setting| CostLine {
                activity: activity.name.clone(),
                layer: setting.layer.as_str(),
                level: setting.level.as_str(),
                behaviour: setting.behaviour.as_str(),
                avoidable: setting.avoidable,
                method: setting.method.as_str(),
                kind: setting.method.kind().as_str(),
                rule: setting.rule.name(&activity.name).to_owned(),
                rule_version: setting.rule.version,
                amount: self.money(0),
                fixed: self.money(0),
                saved: self.money(0),
                parts: Vec::new(),
            }));
        }
        for cell in cells.clone() {
            for part in plan.parts(&ground, cell) {
                let line = &mut lines[first[part.activity] + plan.rule(part.activity, ground.cells.period[cell])];
                line.amount.minor += MinorSum::from(part.amount);
                if let Some(instead) = self.balance(&part).and_then(|balance| balance.instead.as_ref()) {
                    line.kind = instead.kind().as_str();
                }
                line.parts.push(self.part(cell, part));
            }
        }
        self.add_kinds(cells, &first, &mut lines);
        lines.retain(|line| !line.parts.is_empty());
        let place = |line: &CostLine| Layer::ALL.iter().position(|layer| layer.as_str() == line.layer);
        lines.sort_by_key(place);
        lines
    }

    /// What of every line is fixed, and what would be saved.
    ///
    /// * `first`: place of each activity's first line.
    fn add_kinds(&self, cells: Range<usize>, first: &[usize], lines: &mut [CostLine]) {
        let plan = &self.costs.plan;
        let ground = self.ledgers.ground(self.settings);
        let chunk = plan.chunk(&ground, cells.clone());
        for (at, cell) in cells.enumerate() {
            for (number, first) in first.iter().enumerate() {
                let line = &mut lines[first + plan.rule(number, ground.cells.period[cell])];
                let amount = chunk.amounts[number][at];
                let of = |kind| MinorSum::from(plan.part_of_kind(number, kind, &ground, (cell, amount)));
                line.fixed.minor += of(Kind::Fixed);
                line.saved.minor += of(Kind::Avoidable);
            }
        }
    }

    fn balance(&self, part: &CostPart<'_>) -> Option<&PoolBalance> {
        self.costs.plan.balances.iter().find(|balance| balance.is_of(part.activity, part.period))
    }

    fn part(&self, cell: usize, part: CostPart<'_>) -> Part {
        let (own, received, allocated) =
            self.balance(&part).map_or((0, 0, 0), |balance| (balance.own, balance.received, balance.allocated));
        let quantity = |minor: i128| (part.by != By::Traced).then_some(Amount { minor, digits: 6 });
        Part {
            period: self.label(Some(self.ledgers.cells.period[cell])),
            pool_period: self.label(part.period),
            by: goes_by(part.by),
            segment: part.segment.and_then(|number| self.ledgers.segment_names.get(usize::from(number)).cloned()),
            quantity: quantity(i128::from(part.quantity)),
            rate: self.rate(part.rate),
            divided: self.money(part.money),
            total_quantity: quantity(part.of),
            pool: PoolCost {
                cost: self.money(MinorSum::from(own) + MinorSum::from(received)),
                own: self.money(own),
                received: self.money(received),
                allocated: self.money(allocated),
            },
            amount: self.money(part.amount),
            origins: self.origins.of(part.activity, part.period, part.amount),
        }
    }

    /// Minor units over millionths, as major units over units.
    fn rate(&self, (money, of): (Minor, i128)) -> Option<Rate> {
        const MILLION: i128 = 1_000_000;
        const DIGITS: u8 = 10;
        if of == 0 {
            return None;
        }
        let numerator = i128::from(money) * MILLION * of.signum();
        let denominator = of.abs().checked_mul(i128::from(self.settings.currency.minor_per_major()))?;
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?.max(1);
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        let fraction = if denominator == 1 { numerator.to_string() } else { format!("{numerator}/{denominator}") };
        let minor = divide_half_even(numerator.checked_mul(10_i128.pow(u32::from(DIGITS)))?, denominator);
        Some(Rate { fraction, decimal: Amount { minor, digits: DIGITS } })
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// What a part goes by, in words.
fn goes_by(by: By<'_>) -> String {
    match by {
        By::Traced => "traced to the customer".to_owned(),
        By::EarlierPeriod => "quantities of an earlier period".to_owned(),
        By::Basis(Basis::Average) => "customer and period with a ledger line".to_owned(),
        By::Basis(Basis::Even) => "customer".to_owned(),
        By::Basis(Basis::Revenue) => "net revenue".to_owned(),
        By::Basis(basis) => basis.describe().unwrap_or_default(),
    }
}
