//! Whom to invest in: what may be done for whom, what that gains, and the choice under a budget.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
};

use rayon::prelude::*;

use super::{
    Ledgers, RunError,
    foretold::{Foretold, Of},
    results::Findings,
};
use crate::{
    decide::{
        effect,
        invest::{self, Candidate},
        staying::Stay,
    },
    schema::{
        decisions::Action,
        equity::{Drivers, Part},
        settings::Settings,
    },
    units::Minor,
};

/// Who gets what.
pub(super) struct Invest {
    /// Names of the actions, told apart, in the order of their numbers.
    pub(super) actions: Vec<String>,
    /// Names of actions as they were given: rows of one name work better or worse together.
    pub(super) together: Vec<String>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) plan: invest::Plan,
    /// Standard deviation of the gain of each action, as a share of it.
    pub(super) uncertainty: Vec<f64>,
}

/// Numbers of a customer's groups.
struct Membership<'a> {
    ledgers: &'a Ledgers,
    channel: Option<&'a [u16]>,
    tier: &'a [u16],
}

impl Membership<'_> {
    /// Whether an action may be taken for a customer.
    fn allows(&self, action: &Action, customer: u32) -> bool {
        let row = customer as usize;
        let part = match action.part {
            Part::All => true,
            Part::Segment(number) => self.ledgers.segment_of[row] == number,
            Part::Channel(number) => self.channel.is_some_and(|channel| channel[row] == number),
        };
        part && action.value_tier.is_none_or(|tier| self.tier[row] == tier)
            && action.customers.as_ref().is_none_or(|listed| listed.binary_search(&customer).is_ok())
    }
}

/// Who gets what; `None` without actions and a budget.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn invest(
    settings: &Settings,
    found: &Findings,
    forecast: &Foretold,
    drivers: &[Drivers],
) -> Result<Option<Invest>, RunError> {
    let ledgers = &found.ledgers;
    let (Some(budget), Some(actions)) = (settings.decisions.budget, &ledgers.ahead.candidates.actions) else {
        return Ok(None);
    };
    let channel = ledgers.of_forecast.get("channel").map(|(_, of)| of.as_slice());
    let offer = Offer {
        actions,
        member: Membership { ledgers, channel, tier: &found.tier },
        customers: forecast.customers(),
        drivers,
        // No more than one at an opportunity.
        most_often: if matches!(forecast.of, Of::Opportunities(_)) { 1.0 } else { f64::INFINITY },
        per_major: settings.currency.minor_per_major() as f64,
    };
    let candidates = match &forecast.of {
        Of::Purchases(purchases) => {
            let (known, scene) = (purchases.known()?, purchases.scene());
            let stay_of = |row: usize| Stay::new(&drivers[row], known[row], &scene);
            // Customers whom the model knows as one stay as long.
            let alike = purchases.alike().filter(|_| actions.iter().any(|action| action.effect.retention != 0));
            let alike = alike.map(|alike| (alike, firsts(alike).into_par_iter().map(stay_of).collect::<Vec<_>>()));
            let alike = &alike;
            offer.candidates(|row| {
                // Found once, by the first action that needs it.
                let stay = LazyCell::new(move || match alike.as_ref() {
                    Some((alike, stays)) => stays[alike[row] as usize],
                    None => stay_of(row),
                });
                move |action: &Action| stay.prolonged(effect::share(action.effect.retention))
            })
        }
        Of::Contracts(contracts) => offer.by_lifetime(|share| contracts.prolonged(share))?,
        Of::Opportunities(customers) => offer.by_lifetime(|share| customers.prolonged(share))?,
    };
    let plan = invest::choose(&candidates, budget, &ledgers.customers.hash);
    let uncertainty = actions.iter().map(|action| effect::share(action.effect.uncertainty)).collect();
    let together = actions.iter().map(|action| action.name.clone()).collect();
    Ok(Some(Invest { actions: names(settings, ledgers, actions), together, candidates, plan, uncertainty }))
}

/// What may be done for whom.
struct Offer<'a> {
    actions: &'a [Action],
    member: Membership<'a>,
    /// Customers of the forecast, and what the expected value of each is made of.
    customers: &'a [u32],
    drivers: &'a [Drivers],
    /// Most purchases a unit of time.
    most_often: f64,
    per_major: f64,
}

impl Offer<'_> {
    /// What gains something.
    ///
    /// * `stay_of`: of a row, what tells expected time alive and purchases a unit of it with the retention of an action.
    fn candidates<S: Fn(&Action) -> (f64, f64)>(&self, stay_of: impl Fn(usize) -> S + Sync) -> Vec<Candidate> {
        let of = |(row, (customer, drivers)): (usize, (&u32, &Drivers))| -> Vec<Candidate> {
            let allowed = self.actions.iter().enumerate().filter(|(_, action)| self.member.allows(action, *customer));
            let stay = stay_of(row);
            let candidate = |(number, action): (usize, &Action)| {
                let longer = (action.effect.retention != 0).then(|| stay(action));
                let gain = (effect::gain(drivers, &action.effect, longer, self.most_often) * self.per_major)
                    .round_ties_even() as Minor;
                let action = Candidate { customer: *customer, action: number as u16, cost: action.cost, gain };
                (gain > 0).then_some(action)
            };
            allowed.filter_map(candidate).collect()
        };
        self.customers.par_iter().zip(self.drivers).enumerate().flat_map_iter(of).collect()
    }

    /// What gains something where customers who stay longer buy as often.
    ///
    /// * `prolonged`: expected time alive of each customer when a share of the loss is prevented: asked once for each share.
    fn by_lifetime(&self, prolonged: impl Fn(f64) -> Result<Vec<f64>, RunError>) -> Result<Vec<Candidate>, RunError> {
        let shares: BTreeSet<i64> = self.actions.iter().map(|action| action.effect.retention).collect();
        let shares = shares.into_iter().filter(|share| *share != 0);
        let lifetimes: BTreeMap<i64, Vec<f64>> =
            shares.map(|share| Ok((share, prolonged(effect::share(share))?))).collect::<Result<_, RunError>>()?;
        Ok(self.candidates(|row| {
            let Drivers { lifetime, purchase_rate, .. } = self.drivers[row];
            let lifetimes = &lifetimes;
            move |action: &Action| {
                let longer = lifetimes.get(&action.effect.retention).map_or(lifetime, |of_row| of_row[row]);
                (longer, purchase_rate)
            }
        }))
    }
}

/// The first row with each number; numbers count from zero without a gap.
fn firsts(numbers: &[u32]) -> Vec<usize> {
    let kinds = numbers.iter().max().map_or(0, |number| *number as usize + 1);
    let mut firsts = vec![0; kinds];
    for (row, number) in numbers.iter().enumerate().rev() {
        firsts[*number as usize] = row;
    }
    firsts
}

/// Names of actions; where one stands more than once, with whom it is for.
fn names(settings: &Settings, ledgers: &Ledgers, actions: &[Action]) -> Vec<String> {
    let name = |action: &Action| {
        if actions.iter().filter(|other| other.name == action.name).count() == 1 {
            return action.name.clone();
        }
        let tier = action.value_tier.map(|tier| settings.portfolio.value_tiers[usize::from(tier)].name.clone());
        let part = match action.part {
            Part::All => None,
            Part::Segment(number) => Some(ledgers.segment_names[usize::from(number)].clone()),
            Part::Channel(number) => {
                ledgers.of_forecast.get("channel").map(|(names, _)| names[usize::from(number)].clone())
            }
        };
        let whom: Vec<String> = part.into_iter().chain(tier).collect();
        if whom.is_empty() { action.name.clone() } else { format!("{} ({})", action.name, whom.join(", ")) }
    };
    actions.iter().map(name).collect()
}
