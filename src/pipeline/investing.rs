//! Whom to invest in: what may be done for whom, what that gains, and the choice under a budget.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, btree_map::Entry},
};

use rayon::prelude::*;

use super::{
    Ledgers, RunError,
    foretold::{Foretold, Of},
    results::Findings,
};
use crate::{
    contract::ContractError,
    decide::{
        bundle::{Bundle, bundles},
        effect,
        invest::{self, Candidate},
        staying::Stay,
    },
    schema::{
        decisions::{Action, MOST_ACTIONS},
        equity::{Drivers, Part},
        settings::Settings,
    },
    units::Minor,
};

/// Ways to take several actions that are looked at, at most: with each every customer is judged.
const MOST_BUNDLES: usize = 2_000;

/// What stands between the names of actions that are taken together.
const TOGETHER: &str = " + ";

/// Who gets what.
pub(super) struct Invest {
    /// Names of the actions, told apart.
    pub(super) actions: Vec<String>,
    /// Names of actions as they were given: rows of one name work better or worse together.
    pub(super) together: Vec<String>,
    /// What an action costs a customer.
    pub(super) cost: Vec<Minor>,
    /// Standard deviation of the gain of each action, as a share of it.
    pub(super) uncertainty: Vec<f64>,
    /// What a customer may get, by the number of a candidate: each action, then several together.
    bundles: Vec<Bundle>,
    /// Their names.
    pub(super) labels: Vec<String>,
    /// Sorted by customer and name.
    pub(super) candidates: Vec<Candidate>,
    /// Of each candidate the gain of each action of its bundle; empty where no bundle has two.
    parts: Vec<[Minor; MOST_ACTIONS]>,
    pub(super) plan: invest::Plan,
}

impl Invest {
    /// Actions of a candidate, by number, and what each of them gains: together the candidate's gain.
    pub(super) fn parts(&self, row: usize) -> impl Iterator<Item = (usize, Minor)> {
        let candidate = &self.candidates[row];
        let alone = [candidate.gain, 0, 0];
        let gains = self.parts.get(row).copied().unwrap_or(alone);
        self.bundles[candidate.action as usize].actions.iter().copied().zip(gains)
    }

    /// Standard deviation of the gain of a candidate, minor units: actions work better or worse independently of each other.
    pub(super) fn sd(&self, row: usize) -> Minor {
        let each = self.parts(row).map(|(action, gain)| gain as f64 * self.uncertainty[action]);
        // A single one is not squared, so that it keeps all its digits.
        let sd = each.fold(0.0, |all, sd| if all == 0.0 { sd } else { libm::hypot(all, sd) });
        sd.abs().round_ties_even() as Minor
    }
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
    let most = settings.decisions.most_actions;
    let wrong = |what: &str| ContractError::Setting(format!("decisions.invest.most_actions: {what}"));
    if most > 1 && actions.iter().any(|action| action.name.contains(TOGETHER)) {
        return Err(wrong("the name of an action holds ` + `, which stands between actions taken together").into());
    }
    let bundles = bundles(actions, most, MOST_BUNDLES.max(actions.len())).ok_or_else(|| {
        wrong(&format!("the rows of actions make more than {MOST_BUNDLES} ways to take up to {most} of them"))
    })?;
    let names = names(settings, ledgers, actions);
    let label = |bundle: &Bundle| {
        bundle.actions.iter().map(|action| names[*action].as_str()).collect::<Vec<_>>().join(TOGETHER)
    };
    let labels: Vec<String> = bundles.iter().map(label).collect();
    let mut by_label: Vec<usize> = (0..bundles.len()).collect();
    by_label.sort_by(|a, b| labels[*a].cmp(&labels[*b]));
    let mut place = vec![0; bundles.len()];
    (0..).zip(&by_label).for_each(|(at, number)| place[*number] = at);
    let offer = Offer {
        actions,
        bundles: &bundles,
        place: &place,
        member: Membership { ledgers, channel, tier: &found.tier },
        customers: forecast.customers(),
        drivers,
        // No more than one at an opportunity.
        most_often: if matches!(forecast.of, Of::Opportunities(_)) { 1.0 } else { f64::INFINITY },
        per_major: settings.currency.minor_per_major() as f64,
    };
    let (candidates, parts) = match &forecast.of {
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
                move |retention: f64| stay.prolonged(retention)
            })
        }
        Of::Contracts(contracts) => offer.by_lifetime(|share| contracts.prolonged(share))?,
        Of::Opportunities(customers) => offer.by_lifetime(|share| customers.prolonged(share))?,
    };
    let plan = invest::choose(&candidates, budget, &ledgers.customers.hash);
    let of = |value: fn(&Action) -> f64| actions.iter().map(value).collect();
    Ok(Some(Invest {
        uncertainty: of(|action| effect::share(action.effect.uncertainty)),
        cost: actions.iter().map(|action| action.cost).collect(),
        together: actions.iter().map(|action| action.name.clone()).collect(),
        actions: names,
        bundles,
        labels,
        candidates,
        parts,
        plan,
    }))
}

/// What may be done for whom.
struct Offer<'a> {
    actions: &'a [Action],
    bundles: &'a [Bundle],
    /// The place of each bundle among their names.
    place: &'a [usize],
    member: Membership<'a>,
    /// Customers of the forecast, and what the expected value of each is made of.
    customers: &'a [u32],
    drivers: &'a [Drivers],
    /// Most purchases a unit of time.
    most_often: f64,
    per_major: f64,
}

/// A candidate, and the gain of each of its actions.
type Offered = (Candidate, [Minor; MOST_ACTIONS]);

impl Offer<'_> {
    /// What gains something, by customer and name; parts of gains only where several actions may be taken.
    ///
    /// * `stay_of`: of a row, what tells expected time alive and purchases a unit of it when a share of the loss is prevented.
    fn candidates<S: Fn(f64) -> (f64, f64)>(
        &self,
        stay_of: impl Fn(usize) -> S + Sync,
    ) -> (Vec<Candidate>, Vec<[Minor; MOST_ACTIONS]>) {
        let of = |(row, (customer, drivers)): (usize, (&u32, &Drivers))| {
            let allowed: Vec<bool> = self.actions.iter().map(|action| self.member.allows(action, *customer)).collect();
            self.of_customer(*customer, drivers, &allowed, &stay_of(row))
        };
        let offered = self.customers.par_iter().zip(self.drivers).enumerate().flat_map_iter(of);
        if self.bundles.len() > self.actions.len() {
            offered.unzip()
        } else {
            (offered.map(|(candidate, _)| candidate).collect(), Vec::new())
        }
    }

    fn of_customer(
        &self,
        customer: u32,
        drivers: &Drivers,
        allowed: &[bool],
        stay: &impl Fn(f64) -> (f64, f64),
    ) -> Vec<Offered> {
        // Bundles within another come before it.
        let mut differences = vec![0.0; self.bundles.len()];
        let mut offered: Vec<Offered> = Vec::new();
        let possible = |bundle: &Bundle| bundle.actions.iter().all(|action| allowed[*action]);
        for (number, bundle) in self.bundles.iter().enumerate().filter(|(_, bundle)| possible(bundle)) {
            let longer = (bundle.change.retention != 0.0).then(|| stay(bundle.change.retention));
            differences[number] = effect::difference(drivers, &bundle.change, longer, self.most_often);
            let parts = bundle.parts(&differences).map(|part| part * self.per_major);
            let gain = parts.iter().sum::<f64>().round_ties_even() as Minor;
            let mut parts = parts.map(|part| part.round_ties_even() as Minor);
            // What rounding leaves goes to the largest part, where it matters least.
            let rest = gain - parts.iter().sum::<Minor>();
            if let Some(part) = parts[..bundle.actions.len()].iter_mut().max_by_key(|part| part.abs()) {
                *part += rest;
            }
            if gain > 0 {
                offered.push((Candidate { customer, action: number as u32, cost: bundle.cost, gain }, parts));
            }
        }
        if self.bundles.len() > self.actions.len() {
            self.leave_out_beaten(&mut offered);
        }
        offered.sort_unstable_by_key(|(candidate, _)| self.place[candidate.action as usize]);
        offered
    }

    /// Leaves out what is done together and gains no more than something that costs no more: no plan needs it.
    fn leave_out_beaten(&self, offered: &mut Vec<Offered>) {
        offered.sort_unstable_by_key(|(candidate, _)| (candidate.cost, -candidate.gain, candidate.action));
        let mut most = 0;
        offered.retain(|(candidate, _)| {
            let better = candidate.gain > most;
            most = most.max(candidate.gain);
            better || (candidate.action as usize) < self.actions.len()
        });
    }

    /// What gains something where customers who stay longer buy as often.
    ///
    /// * `prolonged`: expected time alive of each customer when a share of the loss is prevented: asked once for each share.
    fn by_lifetime(
        &self,
        prolonged: impl Fn(f64) -> Result<Vec<f64>, RunError>,
    ) -> Result<(Vec<Candidate>, Vec<[Minor; MOST_ACTIONS]>), RunError> {
        let shares = self.bundles.iter().map(|bundle| bundle.change.retention).filter(|share| *share != 0.0);
        let mut lifetimes: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for share in shares {
            if let Entry::Vacant(entry) = lifetimes.entry(share.to_bits()) {
                entry.insert(prolonged(share)?);
            }
        }
        Ok(self.candidates(|row| {
            let Drivers { lifetime, purchase_rate, .. } = self.drivers[row];
            let lifetimes = &lifetimes;
            move |share: f64| (lifetimes.get(&share.to_bits()).map_or(lifetime, |of_row| of_row[row]), purchase_rate)
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

/// Names of actions; where one stands more than once, with whom it is for, and with what that is where two would be alike.
fn names(settings: &Settings, ledgers: &Ledgers, actions: &[Action]) -> Vec<String> {
    let name = |action: &Action, [segment, channel, of_tier]: [&str; 3]| {
        if actions.iter().filter(|other| other.name == action.name).count() == 1 {
            return action.name.clone();
        }
        let tier = |tier: u16| format!("{of_tier}{}", settings.portfolio.value_tiers[usize::from(tier)].name);
        let part = match action.part {
            Part::All => None,
            Part::Segment(number) => Some(format!("{segment}{}", ledgers.segment_names[usize::from(number)])),
            Part::Channel(number) => {
                ledgers.of_forecast.get("channel").map(|(names, _)| format!("{channel}{}", names[usize::from(number)]))
            }
        };
        let whom: Vec<String> = part.into_iter().chain(action.value_tier.map(tier)).collect();
        if whom.is_empty() { action.name.clone() } else { format!("{} ({})", action.name, whom.join(", ")) }
    };
    let short: Vec<String> = actions.iter().map(|action| name(action, [""; 3])).collect();
    let is_alone = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let of = |(action, short): (&Action, &String)| {
        if is_alone(short) { short.clone() } else { name(action, ["segment ", "channel ", "tier "]) }
    };
    actions.iter().zip(&short).map(of).collect()
}
