//! Decisions of a run: whom to invest in, whom to keep, which prospects to win.

use rayon::prelude::*;

use super::{
    Clock, Ledgers, RunError,
    foretold::{Foretold, Valuation},
    investing::{Invest, invest},
    keeping::{Kept, keep},
    newcomers::NewCustomers,
    results::Findings,
};
use crate::{
    decide::prospect::{self, Group, Judgement},
    forecast::{error::ForecastError, newcomer::Newcomer, predict},
    schema::{decisions::Prospect, settings::Settings},
    units::Minor,
};

/// What was decided, each where its tables and settings are there.
#[derive(Default)]
pub(super) struct Decisions {
    pub(super) invest: Option<Invest>,
    pub(super) keep: Vec<Kept>,
    pub(super) prospects: Vec<Judged>,
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
    /// * `scene`: the what-if beside it, which may be another way to serve customers.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        settings: &Settings,
        (found, scene): (&Findings, Option<&Findings>),
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
                decisions.keep = keep(settings, (found, scene), (forecast, value), &drivers)?;
            }
        }
        if writes(&["decision_prospect"]) {
            decisions.prospects = prospects(settings, &found.ledgers, forecast, value)?;
        }
        Ok(decisions)
    }
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
            let cost = prospect.acquisition_cost.or(like.cost).unwrap_or(0);
            let revenue = prospect.expected_revenue.map(|revenue| revenue as f64 / per_major);
            let most = settings.decisions.max_probability_of_loss;
            let group = number.map_or(like.group, |number| {
                let Newcomer { purchases, discounted_purchases, discounted_alive_time } = newcomers[number];
                Group { purchases, discounted_purchases, discounted_alive_time, ..like.group }
            });
            let judgement = prospect::judge(&group, &futures, revenue, cost as f64 / per_major, (most, per_major));
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
    cost: Option<Minor>,
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
        let cost = grouped.acquisition_cost.as_ref().and_then(|cost| cost[at].mean);
        Self { by: grouped.by, name: &grouped.names[at], group, cost }
    }
}
