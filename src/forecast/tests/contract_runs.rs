//! What a run makes of contracts: their prospects in closed form and by simulation, and the laws of both.

use super::cdnow::close;
use crate::forecast::beta_geometric::ShiftedBetaGeometric;
use crate::forecast::beta_weibull::BetaDiscreteWeibull;
use crate::forecast::contract_calendar::ContractCalendar;
use crate::forecast::contract_model::{ContractModel, Future};
use crate::forecast::contract_simulation::{ContractCustomers, ContractSettings, simulate};
use crate::forecast::exponential_gamma::ExponentialGamma;
use crate::forecast::fit::FitEnd;
use crate::forecast::simulate::{Segmentation, Simulation};
use crate::forecast::spells::{Ongoing, Spell};
use crate::forecast::stratified::Strata;
use crate::forecast::weibull_gamma::WeibullGamma;
use crate::schema::forecasting::{ContractKind, Discounting};
use crate::schema::period::parse_day;
use crate::schema::renewals::RenewalTerm;
use crate::units::Day;

const SBG: ShiftedBetaGeometric = ShiftedBetaGeometric { alpha: 0.704, beta: 1.182 };
const MODELS: [ContractModel; 4] = [
    ContractModel::BetaGeometric(SBG),
    ContractModel::BetaWeibull(BetaDiscreteWeibull { alpha: 0.4556, beta: 0.7793, c: 1.2835 }),
    ContractModel::ExponentialGamma(ExponentialGamma { r: 0.9, alpha: 1.4 }),
    ContractModel::WeibullGamma(WeibullGamma { r: 0.8, alpha: 2.1, c: 1.4 }),
];

fn day(text: &str) -> Day {
    parse_day(text).unwrap()
}

/// Years; 10 % a year.
fn calendar(as_of: &str, horizon_days: u32) -> ContractCalendar {
    let (term, days_per_unit, delta) = (RenewalTerm::Months(12), 365.25, libm::log(1.1));
    let discounting = Discounting::Continuous;
    ContractCalendar { as_of: day(as_of), term, days_per_unit, horizon_days, delta, discounting }
}

/// The same, where things count at other times.
fn by_ends(calendar: ContractCalendar, discounting: Discounting) -> ContractCalendar {
    ContractCalendar { discounting, ..calendar }
}

/// The cohort of Fader & Hardie (2007) as contracts: those lost in year `t` had `t` years.
fn cohort() -> Vec<Spell> {
    let survivors = [1000_u32, 631, 468, 382, 326, 289, 262, 241];
    let mut spells = Vec::new();
    for (year, pair) in (2000..).zip(survivors.windows(2)) {
        for _ in 0..pair[0] - pair[1] {
            let end = Some(day(&format!("{year}-12-31")));
            spells.push(Spell { customer: spells.len() as u32, start: day("2000-01-01"), end, ends: None });
        }
    }
    spells.extend((759..1000).map(|customer| Spell { customer, start: day("2000-01-01"), end: None, ends: None }));
    spells
}

#[test]
fn contracts_of_the_published_cohort_have_the_published_fits() {
    let calendar = calendar("2006-12-31", 1_826);
    let fit = ContractModel::fit(ContractKind::BetaGeometric, &cohort(), &calendar, None);
    assert_eq!(fit.end, FitEnd::Converged);
    close(fit.log_likelihood.unwrap(), -1_680.265_188, 5e-10);
    let fit = ContractModel::fit(ContractKind::BetaWeibull, &cohort(), &calendar, None);
    close(fit.log_likelihood.unwrap(), -1_679.602_833, 5e-10);
    for kind in [ContractKind::ExponentialGamma, ContractKind::WeibullGamma] {
        let fit = ContractModel::fit(kind, &cohort(), &calendar, None);
        assert_eq!(fit.fitted().unwrap().kind(), kind);
    }
}

#[test]
fn renewals_to_come_are_the_survival_of_the_chances_up_to_the_horizon() {
    // Seven renewals made, the last due on the day after as_of; four more within the horizon.
    let prospect = MODELS[0].prospect(day("2000-01-01"), &calendar("2006-12-31", 1_826)).unwrap();
    let Future::Renewals { made, .. } = &prospect.future else { panic!("{prospect:?}") };
    assert_eq!(made.len(), 5);
    for (at, survival) in (0..).zip(made) {
        close(*survival, SBG.survival_after(7, at), 1e-14);
    }
    let factor = |year: u32| libm::pow(1.1, -f64::from(day(&format!("{year}-01-01")) - day("2006-12-31")) / 365.25);
    let discounted: f64 = (0..5).map(|at| SBG.survival_after(7, at) * factor(2007 + at)).sum();
    close(prospect.discounted, discounted, 1e-13);
    close(prospect.expected, (0..5).map(|at| SBG.survival_after(7, at)).sum(), 1e-14);
    // In the middle of a term the next renewal is not made yet.
    let prospect = MODELS[0].prospect(day("2000-01-01"), &calendar("2006-06-30", 366)).unwrap();
    close(prospect.expected, SBG.retention(7), 1e-14);
    // None within a short horizon.
    let none = MODELS[0].prospect(day("2000-01-01"), &calendar("2006-06-30", 30)).unwrap();
    assert!(none.expected.abs() + none.discounted.abs() + none.future.worth(0.5).abs() < 1e-300);
}

#[test]
fn where_the_renewal_is_open_everything_is_worth_the_probability_that_it_is_made() {
    let (as_of, start) = (day("2006-12-31"), day("2000-01-01"));
    for discounting in [Discounting::Continuous, Discounting::PerYear] {
        let calendar = by_ends(calendar("2006-12-31", 1_826), discounting);
        for model in &MODELS[..2] {
            let open = Ongoing { start, ends: Some(as_of) };
            // The seventh is due on the day after; of one that ended two years before two more are open.
            let made = |first: u32| (first..8).map(|number| one_more(model, number)).product::<f64>();
            for (contract, made) in [(open, made(7)), (Ongoing { ends: Some(day("2004-12-31")), ..open }, made(5))] {
                let (known, asked) =
                    (model.prospect(start, &calendar).unwrap(), model.prospect(contract, &calendar).unwrap());
                close(known.alive, 1.0, 1e-15);
                close(asked.alive, made, 1e-14);
                close(asked.expected, made * known.expected, 1e-14);
                close(asked.discounted, made * known.discounted, 1e-14);
                close(asked.at_horizon, made * known.at_horizon, 1e-14);
                let for_ever = model.periods_for_ever(start, &calendar).unwrap();
                close(model.periods_for_ever(contract, &calendar).unwrap(), made * for_ever, 1e-12);
                close(model.prolonged(contract, &calendar, 0.0).unwrap(), asked.discounted, 1e-12);
                close(model.survival_by_day(contract, &calendar, 30)[0], made, 1e-14);
            }
        }
    }
}

/// Share of those who made all renewals before one that make it.
fn one_more(model: &ContractModel, number: u32) -> f64 {
    match model {
        ContractModel::BetaGeometric(model) => model.retention(number),
        ContractModel::BetaWeibull(model) => model.retention(number),
        _ => 1.0,
    }
}

/// REFERENCE: sBG, expected discounted lifetime at 10 %; a customer in its first year has all of it before it but that year.
#[test]
fn periods_for_ever_have_their_published_value_and_are_what_a_long_horizon_reaches() {
    let begun = calendar("2001-01-01", 1_826);
    let found = MODELS[0].periods_for_ever(begun.as_of, &begun).unwrap();
    let next = libm::pow(1.1, 365.0 / 365.25);
    close(1.0 + found * next / 1.1, 3.695_147_405_57, 1e-11);
    for model in MODELS {
        for as_of in ["2006-12-31", "2003-08-15", "2000-01-01"] {
            let long = calendar(as_of, 400 * 366);
            let reached = model.prospect(day("2000-01-01"), &long).unwrap().discounted;
            let for_ever = model.periods_for_ever(day("2000-01-01"), &long).unwrap();
            // Calendar years differ from 365.25 days by less than one.
            let tolerance = if model.kind().has_renewals() { 3e-4 } else { 1e-10 };
            close(reached, for_ever, tolerance);
        }
        // Without discounting it has an end where survival falls faster than time rises: r c > 1.
        let undiscounted = model.periods_for_ever(day("2000-01-01"), &ContractCalendar { delta: 0.0, ..begun });
        assert_eq!(undiscounted.is_ok(), model.kind() == ContractKind::WeibullGamma);
    }
}

/// A renewal on the day `d` after `as_of` is worth `1.1^−(⌈d/P⌉ P/365.25)`.
#[test]
fn renewals_count_at_the_end_of_the_period_that_they_come_up_in() {
    for (days, factor) in Discounting::ALL.into_iter().zip([
        |day: f64| day,
        |day: f64| day,
        |day: f64| 7.0 * libm::ceil(day / 7.0),
        |day: f64| 365.25 / 12.0 * libm::ceil(day * 12.0 / 365.25),
        |day: f64| 365.25 * libm::ceil(day / 365.25),
    ]) {
        // Chances on the first of January of 2007 to 2011; that of 2007 is decided.
        let calendar = by_ends(calendar("2006-12-31", 1_826), days);
        let due = |year: u32| f64::from(day(&format!("{year}-01-01")) - day("2006-12-31"));
        let worth = |at: u32| libm::pow(1.1, -factor(due(2007 + at)) / 365.25);
        let discounted: f64 = (0..5).map(|at| SBG.survival_after(7, at) * worth(at)).sum();
        let prospect = MODELS[0].prospect(day("2000-01-01"), &calendar).unwrap();
        close(prospect.discounted, discounted, 1e-13);
        close(prospect.expected, (0..5).map(|at| SBG.survival_after(7, at)).sum(), 1e-14);
    }
}

/// Contracts that come up on the day of the forecast's own day do so once a year, however long the year.
#[test]
fn a_renewal_a_year_counts_at_the_end_of_a_year_up_to_the_horizon_and_for_ever() {
    for (as_of, begun) in [("2001-12-31", "1999-12-31"), ("2003-12-31", "1999-12-31"), ("2003-06-30", "2001-06-30")] {
        for discounting in [Discounting::PerYear, Discounting::PerMonth] {
            let calendar = by_ends(calendar(as_of, 1_826), discounting);
            let prospect = MODELS[0].prospect(day(begun), &calendar).unwrap();
            let made = calendar.term.renewals(day(begun), day(as_of));
            let survival = |year: u32| SBG.survival_after(made, year) * libm::pow(1.1, -f64::from(year));
            close(prospect.discounted, (1..=5).map(survival).sum(), 1e-13);
            let long: f64 = (1..2_000).map(survival).sum();
            close(MODELS[0].periods_for_ever(day(begun), &calendar).unwrap(), long, 1e-11);
        }
    }
    // Months that count at the end of a year: two up to the end of the first one.
    let (term, days_per_unit, delta) = (RenewalTerm::Months(1), 365.25 / 12.0, libm::log(1.1) / 12.0);
    let discounting = Discounting::PerYear;
    let calendar =
        ContractCalendar { as_of: day("2003-12-31"), term, days_per_unit, horizon_days: 731, delta, discounting };
    let made = term.renewals(day("2000-02-15"), day("2003-12-31"));
    let survival = |month: u32| SBG.survival_after(made, month) * libm::pow(1.1, -libm::ceil(f64::from(month) / 12.0));
    let prospect = MODELS[0].prospect(day("2000-02-15"), &calendar).unwrap();
    close(prospect.discounted, (1..=24).map(survival).sum(), 1e-13);
    let for_ever = MODELS[0].periods_for_ever(day("2000-02-15"), &calendar).unwrap();
    close(for_ever, (1..20_000).map(survival).sum(), 1e-11);
    // The twelfth month of a contract of the last day is in that year too.
    let long = ContractCalendar { horizon_days: 400 * 365, ..calendar };
    let reached = MODELS[0].prospect(day("2000-12-31"), &long).unwrap().discounted;
    close(MODELS[0].periods_for_ever(day("2000-12-31"), &calendar).unwrap(), reached, 1e-9);
}

/// Forecasts are made on the last day of a month; those of a short one hold what comes up on any day of a long one.
#[test]
fn as_many_renewals_come_up_after_a_short_month_as_after_a_long_one() {
    let (days_per_unit, delta, discounting) = (365.25 / 12.0, 0.0, Discounting::Continuous);
    let months = |as_of: &str, horizon_days| {
        let (as_of, term) = (day(as_of), RenewalTerm::Months(1));
        ContractCalendar { as_of, term, days_per_unit, horizon_days, delta, discounting }
    };
    for (as_of, horizon, number) in [
        ("2001-02-28", 30, 1),
        ("2001-02-28", 31, 1),
        ("2001-06-30", 183, 6),
        ("2001-09-30", 92, 3),
        ("2001-12-31", 365, 12),
        ("2004-02-29", 91, 3),
    ] {
        let calendar = months(as_of, horizon);
        for begun in ["2000-01-01", "2000-01-15", "2000-01-28", "2000-01-30", "2000-01-31"] {
            assert_eq!(calendar.due(day(begun)).count(), number, "{as_of} {begun}");
            // Of the 1st the renewal of the day after is decided: as many chances are left.
            let (made, last) = (calendar.made(day(begun)), MODELS[0].prospect(day(begun), &calendar).unwrap());
            close(last.at_horizon, SBG.survival_after(made, number as u32), 1e-13);
        }
    }
    // A year from the 28th of February of a leap year is one to a contract of that day, and counts so.
    let yearly =
        by_ends(ContractCalendar { horizon_days: 1_826, ..calendar("2004-02-28", 1_826) }, Discounting::PerYear);
    let worth: Vec<f64> = yearly.due(day("2000-02-28")).map(|(_, factor)| factor).collect();
    assert_eq!(worth.len(), 5);
    for (year, worth) in (1..).zip(worth) {
        close(worth, libm::pow(1.1, -f64::from(year)), 1e-14);
    }
}

#[test]
fn what_counts_at_the_end_of_its_period_for_ever_is_what_a_long_horizon_reaches() {
    for (model, days) in MODELS.into_iter().flat_map(|model| Discounting::ALL.map(|days| (model, days))) {
        // Renewals that come up in the middle of a period stay there in calendar years.
        let long = by_ends(calendar("2003-08-15", 400 * 366), days);
        let reached = model.prospect(day("2000-01-01"), &long).unwrap().discounted;
        let for_ever = model.periods_for_ever(day("2000-01-01"), &long).unwrap();
        close(reached, for_ever, if model.kind().has_renewals() { 3e-4 } else { 1e-10 });
        let at_once = model.periods_for_ever(day("2000-01-01"), &by_ends(long, Discounting::Continuous)).unwrap();
        let least = at_once * libm::pow(1.1, -days.days().unwrap_or_default() / 365.25);
        assert!(for_ever <= at_once && for_ever >= least * (1.0 - 1e-12), "{model:?}: {for_ever} {at_once}");
    }
}

#[test]
fn the_probability_of_being_there_at_the_horizon_is_that_of_p_alive_then() {
    let start = day("2000-01-01");
    for (as_of, horizon, survived) in [
        // Five renewals from the seventh on: the last one comes up on the day after the horizon.
        ("2006-12-31", 1_826, SBG.survival_after(7, 5)),
        // Five years, less a leap day, and less than five years.
        ("2006-12-31", 1_825, SBG.survival_after(7, 5)),
        ("2006-12-31", 1_800, SBG.survival_after(7, 4)),
        ("2006-06-30", 366, SBG.survival_after(6, 1)),
        ("2006-06-30", 30, 1.0),
    ] {
        close(MODELS[0].prospect(start, &calendar(as_of, horizon)).unwrap().at_horizon, survived, 1e-14);
    }
    let ContractModel::WeibullGamma(model) = MODELS[3] else { panic!() };
    let found = MODELS[3].prospect(start, &calendar("2000-12-30", 731)).unwrap().at_horizon;
    close(found, model.survival((365.0 + 731.0) / 365.25) / model.survival(365.0 / 365.25), 1e-13);
}

/// The mean over the level is the closed form: midpoints of a million strata.
#[test]
fn drawn_prospects_have_the_closed_form_as_mean() {
    for model in MODELS {
        let horizons = [("2006-12-31", 1_826), ("2003-08-15", 3_650), ("2000-01-01", 40)];
        for ((as_of, horizon), days) in
            horizons.into_iter().flat_map(|horizon| Discounting::ALL.map(|days| (horizon, days)))
        {
            let prospect = model.prospect(day("2000-01-01"), &by_ends(calendar(as_of, horizon), days)).unwrap();
            let strata = 1_000_000;
            let mean: f64 =
                (0..strata).map(|i| prospect.future.worth((f64::from(i) + 0.5) / f64::from(strata))).sum::<f64>()
                    / f64::from(strata);
            assert!((mean - prospect.discounted).abs() < 2e-5, "{model:?}: {mean} is not {}", prospect.discounted);
            assert!(prospect.discounted <= prospect.expected && prospect.expected >= 0.0);
        }
    }
}

struct Base {
    start: Vec<Option<Day>>,
    contribution: Vec<f64>,
    key: Vec<u64>,
    segment: Vec<u16>,
}

fn base(customers: u64) -> Base {
    let start = |i: u64| (i % 5 != 4).then(|| day("2000-01-01") + (i as i32 * 37) % 2_400);
    Base {
        start: (0..customers).map(start).collect(),
        contribution: (0..customers).map(|i| (i % 11) as f64 * 7.5 - 15.0).collect(),
        key: (0..customers).map(|i| i * 7_919).collect(),
        segment: (0..customers).map(|i| (i % 3) as u16).collect(),
    }
}

fn settings(models: Vec<ContractModel>, paths: u32) -> ContractSettings {
    ContractSettings {
        calendar: calendar("2006-12-31", 1_826),
        models,
        strata: Strata { paths, seed: 42, quantiles: vec![0.05, 0.5, 0.95], worst_one_in: 20, minor_per_major: 100.0 },
    }
}

fn run(settings: &ContractSettings, base: &Base) -> Simulation {
    let mut starts: Vec<Day> = base.start.iter().flatten().copied().collect();
    starts.sort_unstable();
    starts.dedup();
    let contract: Vec<Option<u32>> = base
        .start
        .iter()
        .map(|start| start.map(|start| starts.partition_point(|other| *other < start) as u32))
        .collect();
    let contracts: Vec<Ongoing> = starts.into_iter().map(Ongoing::from).collect();
    let customers = ContractCustomers {
        contracts: &contracts,
        contract: &contract,
        contribution: &base.contribution,
        key: &base.key,
    };
    simulate(settings, &customers, &[Segmentation { segment: &base.segment, segments: 3 }], &|_| {}).unwrap()
}

#[test]
fn the_simulation_agrees_with_the_closed_form_within_four_of_its_standard_errors() {
    let base = base(400);
    for model in MODELS {
        let settings = settings(vec![model], 500);
        let found = run(&settings, &base);
        let mut expected_total = 0.0;
        for (row, lifetime) in found.lifetime.iter().enumerate() {
            let Some(start) = base.start[row] else {
                assert!(lifetime.mean.abs() + lifetime.sd + lifetime.probability_of_loss < 1e-300);
                continue;
            };
            let expected = base.contribution[row] * model.prospect(start, &settings.calendar).unwrap().discounted;
            expected_total += expected;
            let gap = (lifetime.mean - expected).abs();
            assert!(gap <= 4.0 * lifetime.mean_error + 1e-9, "{model:?}: {lifetime:?} is not {expected}");
            // Strata are what they are for: the error is far below that of as many plain draws.
            assert!(lifetime.mean_error <= 0.2 * lifetime.sd / libm::sqrt(500.0) + 1e-9, "{lifetime:?}");
            if base.contribution[row] > 0.0 {
                assert!(lifetime.probability_of_loss.abs() < 1e-300 && lifetime.shortfall >= 0.0);
            }
            let quantiles = &found.quantiles[row * 3..row * 3 + 3];
            assert!(quantiles.is_sorted() && lifetime.shortfall <= quantiles[0] + 1e-9, "{quantiles:?} {lifetime:?}");
        }
        let totals = found.totals[0].whole();
        let mean = totals.iter().sum::<i128>() as f64 / 500.0 / 100.0;
        assert!((mean - expected_total).abs() < 0.002 * expected_total.abs() + 1.0, "{mean} is not {expected_total}");
    }
}

/// Customers leave independently: the variance of the total is the sum of theirs.
#[test]
fn customers_leave_independently_in_the_joint_totals() {
    let base = base(3_000);
    let found = run(&settings(vec![MODELS[0]], 2_000), &base);
    let totals = found.totals[0].whole();
    let mean = totals.iter().sum::<i128>() as f64 / totals.len() as f64;
    let variance = totals.iter().map(|total| (*total as f64 - mean).powi(2)).sum::<f64>() / totals.len() as f64 / 1e4;
    let expected: f64 = found.lifetime.iter().map(|lifetime| lifetime.sd * lifetime.sd).sum();
    // The variance of 2,000 draws has an error of √(2/2000) = 3 %.
    assert!((variance / expected - 1.0).abs() < 4.0 * 0.032, "{variance} is not {expected}");
}

#[test]
fn a_customers_result_depends_neither_on_threads_nor_on_who_else_is_simulated() {
    let (all, few) = (base(700), base(90));
    let settings = settings(MODELS[2..].to_vec(), 101);
    let run_with = |threads, base: &Base| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&settings, base))
    };
    let one = run_with(1, &all);
    assert!(one == run_with(2, &all) && one == run_with(8, &all));
    let alone = run_with(2, &few);
    assert_eq!(alone.lifetime, one.lifetime[..90]);
    assert_eq!(alone.quantiles, one.quantiles[..270]);
}

#[test]
fn draws_of_the_parameters_widen_the_totals() {
    let fit = ContractModel::fit(ContractKind::BetaGeometric, &cohort(), &calendar("2006-12-31", 1_826), None);
    let drawn = ContractModel::draw_parameters(&fit, 1_000, 7);
    assert_eq!(drawn.len(), 100);
    let base = base(3_000);
    let sd = |found: &Simulation| {
        let totals = found.totals[0].whole();
        let mean = totals.iter().sum::<i128>() as f64 / totals.len() as f64;
        libm::sqrt(totals.iter().map(|total| (*total as f64 - mean).powi(2)).sum::<f64>() / totals.len() as f64)
    };
    let certain = sd(&run(&settings(vec![*fit.fitted().unwrap()], 1_000), &base));
    let uncertain = sd(&run(&settings(drawn, 1_000), &base));
    assert!(uncertain > 1.2 * certain, "{uncertain} is not above {certain}");
}
