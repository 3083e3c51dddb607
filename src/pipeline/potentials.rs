//! The four potentials of every customer, from what the stages before have found.

use super::{
    Ledgers, RunError,
    foretold::Foretold,
    results::{Findings, sum_by_customer},
};
use crate::{
    contract::ContractError,
    forecast::predict,
    numeric::decimal::{Decimal, divide_half_even},
    potential::{
        self, growth, learning,
        networking::{Flow, PassOn, pass_on},
    },
    schema::{
        costing::Layer,
        costs::LayerCosts,
        margins::Margins,
        potentials::{Growth, Networking, Potentials},
        relations::{Referral, SHARE_SCALE},
        settings::{ForecastSettings, NetworkingSettings, Settings},
    },
    units::Minor,
};

/// Base, growth, networking and learning potential of every customer, and their total.
///
/// # Errors
/// [`ContractError::Setting`] of money out of range.
pub(super) fn of(settings: &Settings, forecast: Option<&Foretold>, found: &Findings) -> Result<Potentials, RunError> {
    let (ledgers, relations) = (&found.ledgers, &found.ledgers.relations);
    let both = forecast.zip(found.value.as_ref()).zip(settings.forecast.as_ref());
    let expected = both.map(|((forecast, value), setting)| (forecast.by_customer(&value.expected), setting));
    let networking = match (&expected, &relations.referrals) {
        (Some((expected, _)), Some(referrals)) => Some(
            networking(&settings.portfolio.networking, referrals, expected, (ledgers, &found.margins))
                .ok_or_else(|| too_large("networking"))?,
        ),
        _ => None,
    };
    let growth = match expected {
        Some((expected, setting)) => {
            Some(growth(settings, setting, expected, found).ok_or_else(|| too_large("growth"))?)
        }
        None => None,
    };
    let rows = ledgers.customers.len();
    let learning = relations.learning.as_ref().map(|known| learning::learning(known, rows, ledgers.as_of));
    let together = potential::together(found.economic_profit.clone(), growth, networking, learning);
    Ok(together.ok_or_else(|| too_large("total"))?)
}

fn too_large(what: &str) -> ContractError {
    ContractError::Setting(format!("the {what} potential of a customer exceeds 9.2·10¹⁸ minor units"))
}

/// Expected value, sales pipeline and wallet; `None` when a sum leaves 64 bits.
fn growth(settings: &Settings, setting: &ForecastSettings, mut total: Vec<Minor>, found: &Findings) -> Option<Growth> {
    let (ledgers, relations) = (&found.ledgers, &found.ledgers.relations);
    if relations.opportunities.is_none() && relations.wallet.is_none() {
        return Some(Growth { total, ..Growth::default() });
    }
    let rates = contribution_rates(ledgers, &found.margins, &found.costs.layers);
    let timing = predict::timing_in_days(setting);
    let pipeline = relations.opportunities.as_ref().map(|rows| growth::pipeline(rows, &rates, timing, ledgers.as_of));
    let year = settings.period.last_year(ledgers.as_of);
    let wallet = relations.wallet.as_ref().zip(year).map(|(wallets, year)| {
        let sold = ledgers.sum_within(|period| year.contains(period), |cell| found.margins.net_revenue[cell]);
        growth::wallet(wallets, &sold, &rates)
    });
    for (row, total) in total.iter_mut().enumerate() {
        let more = pipeline.as_ref().map_or(0, |pipeline| pipeline[row]);
        let won = wallet.as_ref().and_then(|wallet| wallet[row]).unwrap_or(0);
        *total = total.checked_add(more)?.checked_add(won)?;
    }
    Some(Growth { total, pipeline, wallet })
}

/// What a unit of further sales leaves of every customer: CM2, without cost that does not come again, less what comes with
/// sales: commissions, bad debt and the capital charge.
fn contribution_rates(ledgers: &Ledgers, margins: &Margins, layers: &LayerCosts) -> Vec<f64> {
    let total = |column: &[Minor]| sum_by_customer(&ledgers.facts.first_cell, column);
    let economic = &margins.economic;
    let mut contribution = total(&margins.cm2);
    for once in [Layer::Cm1, Layer::Cm2].into_iter().filter_map(|layer| layers.one_off(layer)) {
        contribution.iter_mut().zip(total(once)).for_each(|(kept, once)| *kept = kept.saturating_add(once));
    }
    for cost in [&economic.commissions, &economic.bad_debt, &economic.capital_charge] {
        contribution.iter_mut().zip(total(cost)).for_each(|(kept, cost)| *kept = kept.saturating_sub(cost));
    }
    growth::contribution_rates(&contribution, &ledgers.facts.purchase_revenue, &ledgers.facts.purchase_days)
}

/// What referrals brought; `None` when a sum leaves 64 bits.
fn networking(
    setting: &NetworkingSettings,
    referrals: &[Referral],
    expected: &[Minor],
    (ledgers, margins): (&Ledgers, &Margins),
) -> Option<Networking> {
    let digits = SHARE_SCALE.ilog10();
    let scaled = |share: Decimal| share.to_scaled(digits);
    let (new_share, decay) = (scaled(setting.new_share)?, scaled(setting.decay)?);
    let hash = &ledgers.customers.hash;
    let Flow { received: new, given } = pass_on(referrals, expected, PassOn { own: new_share, decay }, hash)?;
    let saved = match saved_cost(setting.acquisition_cost, referrals, ledgers, margins) {
        Some(cost) => Some(pass_on(referrals, &cost, PassOn { own: SHARE_SCALE - new_share, decay }, hash)?),
        None => None,
    };
    let Some(saved) = saved else { return Some(Networking { received: new.clone(), new, saved: None, given }) };
    let sum =
        |a: &[Minor], b: &[Minor]| a.iter().zip(b).map(|(a, b)| a.checked_add(*b)).collect::<Option<Vec<Minor>>>();
    let (received, given) = (sum(&new, &saved.received)?, sum(&given, &saved.given)?);
    Some(Networking { new, saved: Some(saved.received), received, given })
}

/// What winning each customer cost less than winning one without a referral, of who has come and of whom it is known; `None`
/// where nothing is known of it.
///
/// * `cost`: what winning one without a referral costs; `None` = the mean over those without one, half to even.
fn saved_cost(cost: Option<Minor>, referrals: &[Referral], ledgers: &Ledgers, margins: &Margins) -> Option<Vec<Minor>> {
    let own = sum_by_customer(&ledgers.facts.first_cell, &margins.economic.acquisition_cost);
    let known = ledgers.relations.cost_known.as_ref();
    let usual = match (cost, known) {
        (Some(cost), _) => cost,
        (None, None) => return None,
        (None, Some(known)) => {
            let mut alone = known.clone();
            for referral in referrals {
                alone[referral.referred as usize] = false;
            }
            let costs = own.iter().zip(&alone).filter(|(_, alone)| **alone).map(|(cost, _)| i128::from(*cost));
            let (sum, count) = costs.fold((0, 0), |(sum, count), cost| (sum + cost, count + 1));
            Minor::try_from(divide_half_even(sum, Some(count).filter(|count| *count > 0)?)).ok()?
        }
    };
    let come = ledgers.have_come();
    let counts = |row: usize| come[row] && known.is_none_or(|known| known[row]);
    own.iter().enumerate().map(|(row, own)| if counts(row) { usual.checked_sub(*own) } else { Some(0) }).collect()
}
