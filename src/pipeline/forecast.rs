//! The forecast of purchases: fits, closed-form expectations, simulation.

use std::{borrow::Cow, sync::Arc};

use crate::{
    forecast::{
        contribution::{self, Earned, Rates, Weights},
        covariates::CovariateFit,
        error::ForecastError,
        fit::Fit,
        for_ever::MOST_FUTURES,
        histories::Histories,
        holdout::Holdout,
        known_spend,
        newcomer::{self, ExpectedSpend},
        observed::Assessment,
        predict::{self, Expectations, Models},
        simulate::{Segmentation, Simulation},
        spend_levels::SpendLevels,
        spend_model::SpendModel,
    },
    numeric::{credibility::Grouped, discounting::Timing},
    schema::{
        costs::LayerCosts,
        facts::CustomerFacts,
        margins::Margins,
        settings::{ForecastSettings, PoolBy, PurchaseKind, Settings},
    },
    units::{Day, Minor},
};

use super::{
    Clock, Ledgers, RunError,
    choice::Choice,
    earnings::{Earnings, all_is_kept},
    grouping::{Grouping, Rows},
    newcomers::{NewCustomers, acquisition_cost, means, told_by},
    notes,
    pooled::PooledGroups,
};

/// What was forecast of purchases: fits and expectations, which costs and prices leave as they are.
pub(super) struct Forecast {
    pub(super) histories: Histories,
    /// Fitted models.
    pub(super) models: Models,
    /// Which model of purchases it is, and why where the run chose it.
    pub(super) kind: PurchaseKind,
    pub(super) why: Option<String>,
    /// The models that were tried, the cut they were scored on, and which one is used.
    pub(super) tried: Vec<Assessment>,
    pub(super) holdout: Option<Holdout>,
    pub(super) used: usize,
    /// The fit with covariates; that of `models` is then its average customer's.
    pub(super) covariates: Option<CovariateFit>,
    /// Groups with parameters of their own, where the config names some.
    pub(super) pooled: Option<PooledGroups>,
    /// What new customers are told by.
    pub(super) by: Vec<PoolBy>,
    /// Horizon, and when what is to come counts, in model time units.
    pub(super) time: (f64, Timing),
    /// Levels of spend of the groups, where these differ, and that of every history.
    pub(super) levels: Option<(SpendLevels, Vec<f64>)>,
    /// Closed-form expectations, one row a history.
    pub(super) expectations: Expectations,
    /// Whose rates of contribution are drawn together.
    together: Grouping,
    /// Facts that the models were fitted to.
    facts: Arc<CustomerFacts>,
    /// Whether the simulation draws the parameters.
    uncertain: bool,
    pub(super) keys: Vec<u64>,
}

impl Forecast {
    /// Histories, fits, closed-form expectations.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        settings: &Settings,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let facts = &ledgers.facts;
        let histories = Histories::new(facts, ledgers.as_of);
        let Choice { summary, fit: purchases, kind, tried, holdout, used, why, covariates, population, moving } =
            Choice::new(setting, ledgers, &histories, clock)?;
        clock.start("fit_spend", Some(histories.customer.len() as u64));
        let repeat_spend = major(settings, &histories, &facts.repeat_revenue);
        let squares = spread_within(settings, &histories, ledgers);
        let spend = if let Some(saved) = ledgers.saved.as_ref().and_then(|saved| saved.purchases()) {
            saved.spend.clone()
        } else {
            let mut fit = known_spend::fit_spend(setting.spend, &histories, &repeat_spend, &squares);
            clock.start("check_spend", Some(histories.customer.len() as u64));
            known_spend::check_spend(&mut fit, &histories, &repeat_spend);
            fit
        };
        let pooled = PooledGroups::new(setting, ledgers, &histories, &purchases, clock)?;
        let groups = pooled.as_ref().and_then(|pooled| Some((pooled.groups.clone(), pooled.population.clone()?)));
        let (groups, of_groups) = groups.unzip();
        let (spend, levels) = spend_levels(setting, ledgers, &histories, (&repeat_spend, &squares), spend);
        let repeat_spend = match &levels {
            Some((levels, level)) => levels.without(&histories.frequency, &repeat_spend, level),
            None => repeat_spend,
        };
        let saved = ledgers.saved.as_ref().and_then(|saved| saved.purchases()?.mean_amount);
        let mean_amount = saved.or_else(|| known_spend::mean_amount(&spend, &histories.frequency, &repeat_spend));
        let models = Models { purchases, spend, mean_amount, population: population.or(of_groups), groups, moving };
        clock.start("forecast", Some(histories.customer.len() as u64));
        let expectations = predict::expectations(&summary, &models, &histories, &repeat_spend, setting)?;
        let keys: Vec<u64> = histories.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self {
            together: together(setting, ledgers, &histories, ledgers.as_of),
            histories,
            models,
            kind,
            tried,
            holdout,
            used,
            why,
            covariates,
            pooled,
            by: told_by(setting, ledgers),
            time: (predict::horizon(setting), predict::timing(setting)),
            levels,
            expectations,
            facts: Arc::clone(facts),
            uncertain: setting.parameter_uncertainty && setting.paths > 0,
            keys,
        })
    }

    /// What purchases and time will bring each history under the margins of a world with the weights that customers have in it, and
    /// its expected lifetime value in minor units. A unit of spend is what it was at the prices that the models were fitted to.
    ///
    /// * `prices`: factor on what each customer of the run spends; `None` = prices as they were.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        prices: Option<&[f64]>,
    ) -> Result<(Rates, Weights, Vec<Minor>, Vec<NewCustomers>), RunError> {
        let (facts, histories) = (&self.facts, &self.histories);
        let per_major = settings.currency.minor_per_major() as f64;
        let mut earned = Earnings::new(ledgers, money, &histories.customer, per_major);
        let revenue = major(settings, histories, &facts.purchase_revenue);
        // What other prices add to each purchase is known, and is not drawn towards what they add to other customers.
        let added: Option<Vec<f64>> =
            prices.map(|prices| histories.customer.iter().map(|row| prices[*row as usize] - 1.0).collect());
        if let Some(added) = &added {
            let margins = earned.margin.iter_mut().zip(&revenue).zip(added);
            margins.for_each(|((margin, revenue), added)| *margin -= revenue * added);
        }
        let purchases: Vec<f64> =
            histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
        keep_all(settings, &mut earned, &revenue);
        let earned = Earned {
            purchase_revenue: &revenue,
            margin: &earned.margin,
            order_cost: &earned.order_cost,
            customer_cost: &earned.customer_cost,
            purchases: &purchases,
            age: &self.expectations.age,
        };
        let keep = |rates: Rates| kept_rates(settings, rates);
        let weights = Weights::fit(&earned, self.together.grouped());
        let mut rates = keep(contribution::rates(&earned, &weights, self.together.grouped()));
        let new_customers = self.new_customers(ledgers, (money.0, &earned, &weights), (added.as_deref(), &keep))?;
        if let Some(added) = &added {
            rates.margin_rate.iter_mut().zip(added).for_each(|(rate, added)| *rate += added);
        }
        let expected = predict::expected_values(histories, &self.expectations, &self.leveled(&rates), &self.keys)?;
        let expected = expected.iter().map(|value| (value * per_major).round_ties_even() as i64).collect();
        Ok((rates, weights, expected, new_customers))
    }

    /// Rates of contribution without a part of the cost within margins, drawn to groups with the weights of what was kept.
    ///
    /// * `cost`: of each history, major units.
    pub(super) fn rates_without(&self, settings: &Settings, rates: &Rates, weights: &Weights, cost: &[f64]) -> Rates {
        let (facts, customers, grouped) = (&self.facts, &self.histories.customer, self.together.grouped());
        let nothing = || vec![0.0; cost.len()];
        let mut added = Rates { margin_rate: nothing(), order_cost: nothing(), sustaining_rate: nothing() };
        if all_is_kept(settings) {
            let days: Vec<f64> = customers.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
            added.order_cost = weights.order_cost.rates(cost, &days, grouped).into_iter().map(|cost| -cost).collect();
        } else {
            let revenue = major(settings, &self.histories, &facts.purchase_revenue);
            added.margin_rate = weights.margin_rate.rates(cost, &revenue, grouped);
        }
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        Rates {
            margin_rate: sum(&rates.margin_rate, &added.margin_rate),
            order_cost: sum(&rates.order_cost, &added.order_cost),
            sustaining_rate: rates.sustaining_rate.clone(),
        }
    }

    /// What the next customer of every group is expected to bring.
    ///
    /// * `weights`: of the groups that rates are drawn to. * `added`: factor on a purchase that other prices add, one a history. * `keep`: what is kept of an amount.
    fn new_customers(
        &self,
        ledgers: &Ledgers,
        (margins, earned, weights): (&Margins, &Earned<'_>, &Weights),
        (added, keep): (Option<&[f64]>, &dyn Fn(Rates) -> Rates),
    ) -> Result<Vec<NewCustomers>, ForecastError> {
        let histories = &self.histories;
        let acquisition_cost = acquisition_cost(ledgers, margins, &histories.customer);
        let mean = self.mean_spend();
        let added: Option<Vec<f64>> =
            added.map(|added| added.iter().zip(&mean).map(|(factor, mean)| factor * mean).collect());
        let spend = ExpectedSpend { mean: &mean, added: added.as_deref() };
        let population = self.models.population()?;
        let grouped = self.by.iter().map(|by| Grouping::new(*by, ledgers, histories, ledgers.as_of));
        std::iter::once(Grouping::all(histories.customer.len()))
            .chain(grouped)
            .map(|Grouping { by, names, of }| {
                let grouped = Grouped { of: &of, groups: names.len() };
                let weights = if by == self.together.by { *weights } else { Weights::fit(earned, grouped) };
                let rates = keep(contribution::group_rates(earned, &weights, grouped));
                let expected = newcomer::new_customers(&population, spend, &of, &rates, self.time)?;
                let acquisition_cost = acquisition_cost.as_ref().map(|cost| means(cost, &of, names.len()));
                Ok(NewCustomers { by, names, expected, rates, acquisition_cost })
            })
            .collect()
    }

    /// Simulates every history; the random numbers are the same in every world.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        rates: &Rates,
        segmentations: &[Segmentation<'_>],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Simulation, RunError> {
        Ok(predict::simulate(
            &self.models,
            &self.histories,
            &self.expectations,
            &self.leveled(rates),
            &self.keys,
            setting,
            (settings.seed, settings.currency.minor_per_major()),
            segmentations,
            progress,
        )?)
    }

    /// Expected amount of a purchase of every history, major units.
    pub(super) fn mean_spend(&self) -> Vec<f64> {
        let mean = self.expectations.mean_spend(&self.histories.frequency);
        match &self.levels {
            Some((levels, level)) => levels.with(&mean, level),
            None => mean,
        }
    }

    /// Rates of contribution for amounts as the model of spend knows them, without the level of their group.
    fn leveled<'r>(&self, rates: &'r Rates) -> Cow<'r, Rates> {
        match &self.levels {
            Some((levels, level)) => Cow::Owned(levels.rates(rates.clone(), level)),
            None => Cow::Borrowed(rates),
        }
    }

    /// A number that customers share of whom the forecast knows the same; `None` where each may have a model of its own.
    pub(super) fn alike(&self) -> Option<&[u32]> {
        self.expectations.alike.as_deref()
    }

    /// Rows of the histories' customers in the run.
    pub(super) fn customers(&self) -> &[u32] {
        &self.histories.customer
    }

    /// The probability of a purchase to the horizon, and the time by which it has come with a probability of a half.
    pub(super) fn next_purchase(&self, at: usize) -> (f64, Option<f64>) {
        let outlook = &self.expectations.outlook[at];
        (outlook.probability_of_purchase, outlook.median_wait)
    }

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self) -> Vec<String> {
        let (purchases, spend) = (&self.models.purchases, &self.models.spend);
        let ends = [notes::end(purchases.model(), &purchases.end), notes::end(spend.model(), &spend.end)];
        let why = self.why.clone();
        let certain = [notes::certain(purchases), notes::certain(spend)].map(|note| note.filter(|_| self.uncertain));
        let groups = self.pooled.as_ref().map(PooledGroups::notes).unwrap_or_default();
        let too_many = (self.expectations.for_ever.is_none() && self.time.1.delta > 0.0).then(|| {
            format!(
                "expected_discounted_purchases_for_ever is null: parameters of dropout and frequency tell more than \
                 {MOST_FUTURES} kinds of customers apart, each of which is a sum of its own; round the numbers that move \
                 dropout, or make levels of them"
            )
        });
        why.into_iter()
            .chain(too_many)
            .chain(groups)
            .chain(certain.into_iter().flatten())
            .chain(ends.into_iter().flatten())
            .chain(purchases.notes.iter().chain(&spend.notes).cloned())
            .collect()
    }
}

/// Levels of spend of the groups that the config names, fitted or saved, with the model of amounts without them.
pub(super) fn spend_levels(
    setting: &ForecastSettings,
    ledgers: &Ledgers,
    histories: &Histories,
    (repeat_spend, squares): (&[f64], &[f64]),
    common: Fit<SpendModel>,
) -> (Fit<SpendModel>, Option<(SpendLevels, Vec<f64>)>) {
    let Some(by) = setting.pool_by else { return (common, None) };
    let grouping = Grouping::new(by, ledgers, histories, ledgers.as_of);
    let of_rows = |levels: SpendLevels| {
        let level = levels.of_rows(&grouping.names, &grouping.of);
        (levels, level)
    };
    if let Some(saved) = ledgers.saved.as_ref().and_then(|saved| saved.purchases()) {
        return (common, saved.spend_levels.clone().map(of_rows));
    }
    match SpendLevels::fit(&common, &histories.frequency, (repeat_spend, squares), (&grouping.names, &grouping.of)) {
        Some((fit, levels)) => (fit, Some(of_rows(levels))),
        None => (common, None),
    }
}

/// Whose rates of contribution are drawn together at a day.
pub(super) fn together(setting: &ForecastSettings, ledgers: &Ledgers, histories: &Histories, day: Day) -> Grouping {
    let came = |row: usize| day.saturating_sub_unsigned(histories.age[row]);
    Grouping::of_rates(setting, ledgers, &Rows { customer: &histories.customer, came: &came })
}

/// Where amounts are contributions, all of one is kept, and what else a purchase cost is cost of a purchase.
pub(super) fn keep_all(settings: &Settings, earned: &mut Earnings, revenue: &[f64]) {
    if all_is_kept(settings) {
        for ((margin, order_cost), revenue) in earned.margin.iter_mut().zip(&mut earned.order_cost).zip(revenue) {
            *order_cost += revenue - *margin;
            *margin = *revenue;
        }
    }
}

/// Rates of contribution under the settings' returns.
pub(super) fn kept_rates(settings: &Settings, rates: Rates) -> Rates {
    if all_is_kept(settings) { rates.keeping_all() } else { rates }
}

/// Sums of squares of each customer's repeat purchases about their mean, major units squared; none without purchase days.
pub(super) fn spread_within(settings: &Settings, histories: &Histories, ledgers: &Ledgers) -> Vec<f64> {
    let per_major = settings.currency.minor_per_major() as f64;
    let Some(log) = &ledgers.purchases else { return Vec::new() };
    histories.customer.iter().map(|row| log.squares[*row as usize] / (per_major * per_major)).collect()
}

/// Money of every history in major units.
pub(super) fn major(settings: &Settings, histories: &Histories, column: &[Minor]) -> Vec<f64> {
    let per_major = settings.currency.minor_per_major() as f64;
    histories.customer.iter().map(|row| column[*row as usize] as f64 / per_major).collect()
}
