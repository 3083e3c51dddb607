//! Decisions of a run: whom to invest in, whom to keep, which prospects to win.

use rayon::prelude::*;

use super::{
    Clock, Ledgers, RunError,
    earnings::Earnings,
    foretold::{Foretold, Valuation},
    investing::{Invest, invest},
    newcomers::NewCustomers,
    results::{Findings, sum_by_customer},
};
use crate::{
    decide::{
        keep::{self, Case, Verdict, Way},
        prospect::{self, Group, Judgement},
    },
    forecast::{
        newcomer::Newcomer,
        predict::{self, ForecastError},
    },
    schema::{decisions::Prospect, equity::Drivers, portfolio::Portfolio, settings::Settings},
    units::Minor,
};

/// What was decided, each where its tables and settings are there.
#[derive(Default)]
pub(super) struct Decisions {
    pub(super) invest: Option<Invest>,
    pub(super) keep: Vec<Kept>,
    pub(super) prospects: Vec<Judged>,
}

/// What is advised of a loss-making customer.
pub(super) struct Kept {
    pub(super) customer: u32,
    /// Row in the forecast.
    pub(super) row: usize,
    pub(super) verdict: Verdict,
}

/// What is told of a prospect.
pub(super) struct Judged {
    /// Row of the prospect.
    pub(super) prospect: usize,
    /// Whom it is like.
    pub(super) by: &'static str,
    pub(super) group: String,
    /// What winning it costs, minor units.
    pub(super) cost: Minor,
    pub(super) judgement: Judgement,
}

impl Decisions {
    /// Decides in the world as it is; nothing without a forecast.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        settings: &Settings,
        found: &Findings,
        forecast: Option<&Foretold>,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let Some((forecast, value)) = forecast.zip(found.value.as_ref()) else { return Ok(Self::default()) };
        clock.start("decide", Some(found.ledgers.customers.len() as u64));
        let writes = |names: &[&str]| names.iter().any(|name| settings.writes(name));
        let invests = settings.decisions.budget.is_some()
            && writes(&["decision_invest", "decision_invest_total", "decision_invest_curve"]);
        let keeps = writes(&["decision_keep"]);
        let mut decisions = Self::default();
        if invests || keeps {
            let money = (&found.margins, &found.costs.layers);
            let drivers = forecast.drivers(settings, &found.ledgers, money, value)?;
            if invests {
                decisions.invest = invest(settings, found, forecast, &drivers)?;
            }
            if keeps {
                decisions.keep = keep(settings, found, forecast, &drivers);
            }
        }
        if writes(&["decision_prospect"]) {
            decisions.prospects = prospects(settings, &found.ledgers, forecast, value)?;
        }
        Ok(decisions)
    }
}

fn keep(settings: &Settings, found: &Findings, forecast: &Foretold, drivers: &[Drivers]) -> Vec<Kept> {
    let (ledgers, customers) = (&found.ledgers, forecast.customers());
    let per_major = settings.currency.minor_per_major() as f64;
    let earned = Earnings::new(ledgers, (&found.margins, &found.costs.layers), customers, per_major);
    let stays = stays(found, customers, per_major);
    // What stays is taken off the cost of keeping first.
    let fixed = |row: usize| {
        let (keeping, orders) = (earned.customer_cost[row].max(0.0), earned.order_cost[row].max(0.0));
        let of = |stays: f64, cost: f64| if cost > 0.0 { (stays / cost).clamp(0.0, 1.0) } else { 0.0 };
        (of(stays[row], keeping), of(stays[row] - keeping, orders))
    };
    let (networking, learning) = (found.potentials.networking(), found.potentials.learning.as_deref());
    let major = |known: Option<&[Minor]>, customer: u32| {
        known.map_or(0.0, |column| column[customer as usize] as f64 / per_major)
    };
    let (portfolio, served) = (&found.portfolio, cost_to_serve(settings, found));
    // Who has left a contract cannot be ended.
    let losing =
        |(row, customer): &(usize, &u32)| found.economic_profit[**customer as usize] < 0 && !forecast.has_left(*row);
    let of = |(row, customer): (usize, &u32)| {
        let (fixed, fixed_orders) = fixed(row);
        let case = Case {
            drivers: drivers[row],
            fixed_orders,
            fixed,
            network: major(networking, *customer),
            learning: major(learning, *customer),
            ways: ways(portfolio, *customer as usize, &served),
            has_role: portfolio.roles.any(*customer as usize),
        };
        Kept { customer: *customer, row, verdict: keep::decide(&case, &settings.decisions.keep) }
    };
    customers.par_iter().enumerate().filter(losing).map(of).collect()
}

/// What each customer bore to date that would not have been saved without it, major units.
fn stays(found: &Findings, customers: &[u32], per_major: f64) -> Vec<f64> {
    let (first, margins) = (&found.ledgers.facts.first_cell, &found.margins);
    let parts = [&margins.product_activity_cost, &margins.order_cost, &margins.customer_cost, &margins.below_cost];
    let all = parts.map(|part| sum_by_customer(first, part));
    let avoidable = sum_by_customer(first, found.costs.layers.avoidable());
    let of = |row: &u32| {
        let row = *row as usize;
        let cost: i128 = all.iter().map(|part| i128::from(part[row])).sum();
        (cost - i128::from(avoidable[row])) as f64 / per_major
    };
    customers.iter().map(of).collect()
}

/// What serving and keeping each customer cost, in the time that its present profit is of.
fn cost_to_serve(settings: &Settings, found: &Findings) -> Vec<Minor> {
    let (ledgers, margins) = (&found.ledgers, &found.margins);
    let year = settings.period.last_year(ledgers.as_of);
    let parts = [&margins.order_cost, &margins.customer_cost, &margins.below_cost, &margins.economic.capital_charge];
    ledgers.sum_within(
        |period| year.as_ref().is_none_or(|year| year.contains(period)),
        |cell| parts.iter().map(|part| part[cell]).sum(),
    )
}

/// The best other way to serve a customer: it saves of the future cost to serve the share that it would have saved of the
/// present one.
fn ways(portfolio: &Portfolio, customer: usize, served: &[Minor]) -> Vec<Way> {
    let Some((number, profit)) = portfolio.best_way[customer].filter(|_| served[customer] > 0) else {
        return Vec::new();
    };
    let saved = (profit - portfolio.present[customer]) as f64 / served[customer] as f64;
    vec![Way { number: number.into(), cost_factor: (1.0 - saved).max(0.0), purchase_factor: 1.0, cost: 0.0 }]
}

fn prospects(
    settings: &Settings,
    ledgers: &Ledgers,
    forecast: &Foretold,
    value: &Valuation,
) -> Result<Vec<Judged>, RunError> {
    let (Some(prospects), Some(setting)) = (&ledgers.ahead.candidates.prospects, &settings.forecast) else {
        return Ok(Vec::new());
    };
    let per_major = settings.currency.minor_per_major() as f64;
    let own = forecast.models_of(prospects)?;
    let (horizon, timing) = (predict::horizon(setting), predict::timing(setting));
    let models = own.as_ref().map_or(&[][..], |own| own.models.as_slice());
    let newcomers: Vec<Newcomer> = models
        .par_iter()
        .map(|model| model.newcomer(horizon, timing))
        .collect::<Result<_, _>>()
        .map_err(ForecastError::from)?;
    let number = |row: usize| own.as_ref().map(|own| own.of[row] as usize);
    let draw = forecast.futures((settings, setting), ledgers)?;
    // Prospects of one group and model share its futures, which stand in memory for them alone.
    let like = |row: usize| Some((row, Like::of(&prospects.rows[row], ledgers, value)?));
    let mut likes: Vec<(usize, Like<'_>)> = (0..prospects.rows.len()).filter_map(like).collect();
    likes.sort_by_key(|(row, like)| (like.by, like.name, number(*row), *row));
    let alike = |a: &(usize, Like<'_>), b: &(usize, Like<'_>)| {
        (a.1.by, a.1.name, number(a.0)) == (b.1.by, b.1.name, number(b.0))
    };
    let shared: Vec<&[(usize, Like<'_>)]> = likes.chunk_by(alike).collect();
    let judge = |alike: &&[(usize, Like<'_>)]| -> Result<Vec<Judged>, RunError> {
        let (first, Like { by, name, group, .. }) = &alike[0];
        let number = number(*first);
        let model = number.map(|number| models[number]);
        let futures = draw((by, name), model, group.spend)?;
        let judged = |(row, like): &(usize, Like<'_>)| {
            let prospect = &prospects.rows[*row];
            let minor = |cost: f64| (cost * per_major).round_ties_even() as Minor;
            let cost = prospect.acquisition_cost.or(like.cost.map(minor)).unwrap_or(0);
            let revenue = prospect.expected_revenue.map(|revenue| revenue as f64 / per_major);
            let most = settings.decisions.max_probability_of_loss;
            let group = number.map_or(like.group, |number| {
                let Newcomer { purchases, discounted_purchases, discounted_alive_time } = newcomers[number];
                Group { purchases, discounted_purchases, discounted_alive_time, ..like.group }
            });
            let judgement = prospect::judge(&group, &futures, revenue, cost as f64 / per_major, most);
            Judged { prospect: *row, by: like.by, group: like.name.to_owned(), cost, judgement }
        };
        Ok(alike.iter().map(judged).collect())
    };
    let judged: Vec<Vec<Judged>> = shared.par_iter().map(judge).collect::<Result<_, _>>()?;
    let mut judged: Vec<Judged> = judged.into_iter().flatten().collect();
    judged.sort_by_key(|judged| judged.prospect);
    Ok(judged)
}

/// The customers whom a prospect is like.
struct Like<'a> {
    by: &'static str,
    name: &'a str,
    group: Group,
    /// Mean cost of having won one, major units.
    cost: Option<f64>,
}

impl<'a> Like<'a> {
    /// Those of its channel, else of its segment, else all: the first of these of whom somebody has bought.
    fn of(prospect: &Prospect, ledgers: &'a Ledgers, value: &'a Valuation) -> Option<Self> {
        let channel = prospect.channel.and_then(|number| {
            let (names, _) = ledgers.of_forecast.get("channel")?;
            Some(("channel", names.get(usize::from(number))?.as_str()))
        });
        let segment = prospect.segment.map(|number| ("segment", ledgers.segment_names[usize::from(number)].as_str()));
        let mut ways = channel.into_iter().chain(segment).chain([("all", "all")]);
        ways.find_map(|(by, name)| {
            let grouped = value.new_customers.iter().find(|grouped| grouped.by == by)?;
            let at = grouped.names.iter().position(|known| known == name)?;
            Some(Self::new(grouped, at))
        })
    }

    fn new(grouped: &'a NewCustomers, at: usize) -> Self {
        let (expected, rates) = (&grouped.expected[at], &grouped.rates);
        let group = Group {
            purchases: expected.purchases,
            discounted_purchases: expected.discounted_purchases,
            discounted_alive_time: expected.discounted_alive_time,
            spend: expected.mean_spend,
            margin_rate: rates.margin_rate[at],
            order_cost: rates.order_cost[at],
            sustaining_rate: rates.sustaining_rate[at],
        };
        let cost = grouped.acquisition_cost.as_ref().map(|cost| cost[at]);
        Self { by: grouped.by, name: &grouped.names[at], group, cost }
    }
}
