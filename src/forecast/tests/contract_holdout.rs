//! Scores of contracts on a holdout against their definitions, day by day.

use super::cdnow::close;
use crate::forecast::contract_calendar::ContractCalendar;
use crate::forecast::contract_holdout::ContractHoldout;
use crate::forecast::contract_model::ContractModel;
use crate::forecast::holdout::HoldoutError;
use crate::schema::forecasting::{ContractKind, Discounting};
use crate::schema::renewals::RenewalTerm;
use crate::schema::tables::CustomerContract;
use crate::units::Day;

const AS_OF: Day = 12_000;
const DAYS: u32 = 100;
const CUT: Day = AS_OF - DAYS as Day;

fn calendar() -> ContractCalendar {
    let (term, days_per_unit) = (RenewalTerm::Days(30), 30.0);
    ContractCalendar {
        as_of: AS_OF,
        term,
        days_per_unit,
        horizon_days: 365,
        delta: 0.0,
        discounting: Discounting::Continuous,
    }
}

/// Customers who came on several days and left, or not, after times of all kinds.
fn contracts() -> Vec<CustomerContract> {
    let one = |customer: u32| {
        let start = AS_OF - 700 + ((customer * 37) % 660) as Day;
        let stayed = 25 + ((customer * 7_919) % 1_400) as Day;
        let end = (!customer.is_multiple_of(4)).then_some(start + stayed - 1);
        CustomerContract { customer, start, end }
    };
    (0..400).map(one).collect()
}

/// Whether a contract goes on after a day.
fn is_there(contract: &CustomerContract, day: Day) -> bool {
    contract.start <= day && contract.end.is_none_or(|end| end > day)
}

#[test]
fn scores_are_those_of_their_definitions_day_by_day() {
    let contracts = contracts();
    let holdout = ContractHoldout::new(&contracts, calendar(), DAYS, 0, None).unwrap();
    let at_cut: Vec<&CustomerContract> = contracts.iter().filter(|contract| is_there(contract, CUT)).collect();
    assert_eq!(holdout.customers(), at_cut.len());
    assert!(at_cut.len() > 100);
    let n = at_cut.len() as f64;
    for kind in ContractKind::ALL {
        let assessment = holdout.model(kind);
        let model: ContractModel = *assessment.fit.as_ref().unwrap().fitted().unwrap();
        let outcome = assessment.outcome.unwrap();
        let (mut crps, mut brier, mut log_score, mut renewals, mut made) = (0.0, 0.0, 0.0, 0.0, 0);
        let (mut kept, mut expected) = (0, 0.0);
        for contract in &at_cut {
            let survival = |day: Day| match model {
                ContractModel::BetaGeometric(model) => {
                    let chances = |day: Day| ((day + 1 - contract.start) / 30) as u32;
                    model.survival(chances(day)) / model.survival(chances(CUT))
                }
                ContractModel::BetaWeibull(model) => {
                    let chances = |day: Day| ((day + 1 - contract.start) / 30) as u32;
                    model.survival(chances(day)) / model.survival(chances(CUT))
                }
                ContractModel::ExponentialGamma(model) => {
                    let age = |day: Day| f64::from(day + 1 - contract.start) / 30.0;
                    model.survival(age(day)) / model.survival(age(CUT))
                }
                ContractModel::WeibullGamma(model) => {
                    let age = |day: Day| f64::from(day + 1 - contract.start) / 30.0;
                    model.survival(age(day)) / model.survival(age(CUT))
                }
            };
            for day in CUT + 1..=AS_OF {
                let left = f64::from(u8::from(!is_there(contract, day)));
                crps += (left - (1.0 - survival(day))).powi(2) / 30.0;
                if (day - contract.start) % 30 == 0 {
                    renewals += survival(day - 1);
                    made += u64::from(is_there(contract, day - 1));
                }
            }
            let stays = survival(AS_OF);
            let stayed = is_there(contract, AS_OF);
            kept += u64::from(stayed);
            expected += stays;
            brier += (f64::from(u8::from(stayed)) - stays).powi(2);
            log_score -= if stayed { stays } else { 1.0 - stays }.ln();
        }
        close(outcome.crps, crps / n, 1e-9);
        close(outcome.brier, brier / n, 1e-9);
        close(outcome.log_score, log_score / n, 1e-9);
        close(outcome.expected, expected, 1e-9);
        close(outcome.expected_renewals, renewals, 1e-9);
        assert_eq!((outcome.actual, outcome.actual_renewals), (kept, made));
        close(outcome.by_tenure.iter().map(|row| row.expected).sum(), expected, 1e-9);
        // Days 30, 60, 90 and 100.
        let tracked: f64 = outcome.tracked[3];
        close(tracked, expected, 1e-9);
        let steps = holdout.steps();
        assert_eq!(steps.iter().map(|step| step.day - CUT).collect::<Vec<_>>(), [30, 60, 90, 100]);
        assert_eq!(steps[3].actual, kept);
    }
}

#[test]
fn baselines_know_what_was_kept_before_the_cut() {
    let holdout = ContractHoldout::new(&contracts(), calendar(), DAYS, 0, None).unwrap();
    let known = contracts();
    let kept = |days: Day| {
        let there: Vec<_> = known.iter().filter(|contract| is_there(contract, CUT - days)).collect();
        there.iter().filter(|contract| is_there(contract, CUT)).count() as f64 / there.len() as f64
    };
    let n = holdout.customers() as f64;
    let found = holdout.baselines();
    let expected = |row: usize| found[row].outcome.as_ref().unwrap().expected;
    assert_eq!(
        found.iter().map(|row| row.method).collect::<Vec<_>>(),
        ["last_period", "mean_of_past", "retention_formula"]
    );
    close(expected(0), n * kept(100), 1e-9);
    close(expected(2), n * kept(30).powf(100.0 / 30.0), 1e-9);
    let begun = known.iter().filter(|contract| contract.start <= CUT);
    let (days, lost) = begun.fold((0, 0), |(days, lost), contract| {
        let left = contract.end.filter(|end| *end <= CUT);
        (days + left.unwrap_or(CUT) - contract.start + 1, lost + i32::from(left.is_some()))
    });
    close(expected(1), n * (-f64::from(lost) / f64::from(days) * 100.0).exp(), 1e-9);
    // Nobody was there before.
    let first = [CustomerContract { customer: 0, start: CUT - 10, end: None }];
    let young = ContractHoldout::new(&first, calendar(), DAYS, 0, None).unwrap();
    assert_eq!(young.baselines().iter().map(|row| row.method).collect::<Vec<_>>(), ["mean_of_past"]);
}

#[test]
fn who_came_back_or_may_still_is_told_as_the_grace_says() {
    let contract = |customer, start, end| CustomerContract { customer, start, end };
    let contracts = [
        // Over five days before the cut, and on again three days after it.
        contract(0, CUT - 300, Some(CUT - 5)),
        contract(0, CUT + 3, None),
        // Over before the cut for good.
        contract(1, CUT - 300, Some(CUT - 5)),
        contract(2, CUT - 300, None),
        contract(3, CUT - 300, Some(CUT)),
        contract(4, CUT + 1, None),
    ];
    let stayed = |grace| {
        let holdout = ContractHoldout::new(&contracts, calendar(), DAYS, grace, None).unwrap();
        (holdout.customers(), holdout.steps().last().unwrap().actual)
    };
    assert_eq!(stayed(0), (1, 1));
    assert_eq!(stayed(10), (4, 2));
    let none = ContractHoldout::new(&contracts[4..], calendar(), DAYS, 0, None);
    assert!(matches!(none, Err(HoldoutError::NoContracts)));
}

#[test]
fn a_holdout_of_whole_years_goes_back_by_the_calendar_and_as_many_renewals_come_up_in_it() {
    // Contracts of calendar years, from the first of January on; 2006-12-31.
    let (as_of, year) = (13_513, |n: Day| 12_784 + 365 * n);
    let calendar = ContractCalendar {
        as_of,
        term: RenewalTerm::Months(12),
        days_per_unit: 365.25,
        horizon_days: 365,
        delta: 0.0,
        discounting: Discounting::Continuous,
    };
    let one = |customer: u32| {
        // All from 2003 on; one in seven leaves at the end of each of 2004 and 2005.
        let end = match customer % 7 {
            0 => Some(year(0) - 1),
            1 => Some(year(1) - 1),
            _ => None,
        };
        CustomerContract { customer, start: 12_053, end }
    };
    let contracts: Vec<CustomerContract> = (0..700).map(one).collect();
    // Two years are 730.5 days, which round to 731 or to 730.
    for days in [729, 730, 731] {
        let holdout = ContractHoldout::new(&contracts, calendar, days, 0, None).unwrap();
        assert_eq!((holdout.cut, holdout.days, holdout.customers()), (year(0) - 1, 730, 600), "{days}");
        let steps: Vec<Day> = holdout.steps().iter().map(|step| step.day).collect();
        assert_eq!(steps, [year(1) - 1, as_of]);
    }
    let holdout = ContractHoldout::new(&contracts, calendar, 700, 0, None).unwrap();
    assert_eq!((holdout.cut, holdout.days), (as_of - 700, 700));
}
