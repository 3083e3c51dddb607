//! Customers under models of their own.

use super::simulation::{Company, SPEND, bits, settings, simulate};
use crate::forecast::bg_nbd::{BgNbd, Predictions};
use crate::forecast::histories::Histories;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::simulate::{ParameterDraw, Settings};
use crate::forecast::summary::Summary;

const CUSTOMERS: usize = 240;

/// Ten models of one kind.
fn ten(of: fn([f64; 4]) -> PurchaseModel) -> Vec<PurchaseModel> {
    (0..10).map(|i| 1.0 + 0.2 * f64::from(i)).map(|f| of([0.3 * f, 4.0 / f, 0.7, 2.0 * f])).collect()
}

fn families() -> [Vec<PurchaseModel>; 3] {
    [
        ten(|[r, alpha, a, b]| BgNbd { r, alpha, a, b }.into()),
        ten(|[r, alpha, a, b]| MbgNbd { r, alpha, a, b }.into()),
        ten(|[r, alpha, s, beta]| ParetoNbd { r, alpha, s, beta }.into()),
    ]
}

fn histories() -> Histories {
    let frequency: Vec<u32> = (0..CUSTOMERS as u32).map(|i| [0, 1, 2, 5, 0, 30][i as usize % 6]).collect();
    let age: Vec<u32> = (0..CUSTOMERS as u32).map(|i| 40 + 7 * (i % 30)).collect();
    let recency = frequency.iter().zip(&age).map(|(x, age)| if *x == 0 { 0 } else { age - 5 }).collect();
    Histories { customer: (0..CUSTOMERS as u32).collect(), frequency, recency, age }
}

fn predict(population: &Population, histories: &Histories) -> Predictions {
    let mut summary = Summary::new();
    summary.insert(&histories.frequency, &histories.recency, &histories.age).unwrap();
    population.predict(&summary, histories, 7.0, (52.0, 0.002)).unwrap()
}

#[test]
fn equal_models_are_one_model_to_the_last_bit() {
    for models in families() {
        let one: Population = models[3].into();
        let of = (0..CUSTOMERS as u32).map(|i| i % 7).collect();
        let seven = Population::new(vec![models[3]; 7], of).unwrap();
        let company = Company::new(models[3], &SPEND, CUSTOMERS as u32);
        let customers = company.customers(Some(SPEND.p));
        let found = |model: &Population| simulate(&settings(model.clone()), &customers, &[]).unwrap();
        assert_eq!(bits(&found(&one)), bits(&found(&seven)));
        let (left, right) = (predict(&one, &histories()), predict(&seven, &histories()));
        for (left, right) in left.p_alive.iter().zip(&right.p_alive) {
            assert!((left - right).abs() < 1e-14, "{left} {right}");
        }
        assert_eq!(left.residual, right.residual);
    }
}

#[test]
fn a_customers_result_depends_on_its_own_model_alone() {
    for models in families() {
        let of: Vec<u32> = (0..CUSTOMERS as u32).map(|i| i * i % 10).collect();
        let population = Population::new(models.clone(), of.clone()).unwrap();
        let drawn: Vec<PurchaseModel> =
            models.iter().map(|model| model.with_parameters(model.parameters().map(|p| 1.1 * p))).collect();
        let draws = |population: &Population, drawn: &[PurchaseModel]| {
            let draw = |models: &[PurchaseModel]| ParameterDraw {
                model: population.with_models(models.to_vec()),
                spend: None,
            };
            vec![draw(population.models()), draw(drawn)]
        };
        let company = Company::new(models[0], &SPEND, CUSTOMERS as u32);
        let customers = company.customers(Some(SPEND.p));
        for uncertain in [false, true] {
            let with = |population: &Population, drawn: &[PurchaseModel]| Settings {
                parameter_draws: if uncertain { draws(population, drawn) } else { vec![] },
                ..settings(population.clone())
            };
            let all = simulate(&with(&population, &drawn), &customers, &[]).unwrap();
            // The order of the models says nothing.
            let backwards: Vec<PurchaseModel> = models.iter().rev().copied().collect();
            let turned = Population::new(backwards, of.iter().map(|number| 9 - number).collect()).unwrap();
            let drawn_backwards: Vec<PurchaseModel> = drawn.iter().rev().copied().collect();
            let again = simulate(&with(&turned, &drawn_backwards), &customers, &[]).unwrap();
            assert_eq!(bits(&all), bits(&again));
            // Nor who else is there: every customer of model 4 under that model alone.
            let own: Population = models[4].into();
            let alone = simulate(&with(&own, &drawn[4..5]), &customers, &[]).unwrap();
            let others = all.lifetime.iter().zip(&alone.lifetime).zip(&of);
            let (mut same, mut differ) = (0, 0);
            for ((among, alone), number) in others {
                same += usize::from(*number == 4 && among == alone);
                differ += usize::from(*number != 4 && among != alone);
            }
            let there = of.iter().filter(|number| **number == 4).count();
            assert!(there > 0 && same == there && differ == CUSTOMERS - there, "{same} {differ} {there}");
        }
    }
}

#[test]
fn predictions_are_those_of_every_customers_own_model() {
    let histories = histories();
    for models in families() {
        // Three customers have a model of their own, the others share the rest.
        let of: Vec<u32> = (0..CUSTOMERS as u32).map(|i| if i < 3 { i } else { 3 + i % 7 }).collect();
        let found = predict(&Population::new(models.clone(), of.clone()).unwrap(), &histories);
        for row in 0..CUSTOMERS {
            let model = models[of[row] as usize];
            let days = [histories.recency[row], histories.age[row]].map(|days| f64::from(days) / 7.0);
            let x = f64::from(histories.frequency[row]);
            let p_alive = model.p_alive(x, days[0], days[1]);
            assert!((found.p_alive[row] - p_alive).abs() < 1e-12, "{} {p_alive}", found.p_alive[row]);
            assert_eq!(found.residual[row], model.residual(x, days[0], days[1], 52.0, 0.002).unwrap());
        }
    }
}

#[test]
fn models_of_two_kinds_or_with_impossible_parameters_are_no_population() {
    let [urn, _, pareto] = families();
    let message = |models: Vec<PurchaseModel>, of: Vec<u32>| Population::new(models, of).unwrap_err().to_string();
    assert_eq!(message(vec![urn[0], pareto[0]], vec![0, 1]), "model is out of range: all must be of one kind");
    assert_eq!(
        message(vec![urn[0]], vec![0, 1]),
        "model in row 1 is out of range: it must be below the number of models"
    );
    let zero = urn[0].with_parameters([0.0, 1.0, 1.0, 1.0]);
    assert_eq!(message(vec![urn[0], zero], vec![0, 1]), "model is out of range: its parameters must be positive");
    let population = Population::new(urn.clone(), vec![0; 3]).unwrap();
    let company = Company::new(urn[0], &SPEND, 4);
    let error = simulate(&settings(population), &company.customers(None), &[]).unwrap_err();
    assert_eq!(error.to_string(), "model has 3 rows, expected 4");
}
