//! Laws and worked numbers of fits with covariates.

#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod laws;
mod oracle;
mod recovery;
mod traps;

use super::{CovariateFit, Wanted, fit};
use crate::forecast::tests::cdnow::{Sample, WEEK};
use crate::schema::covariates::{Covariate, CovariateValues};
use crate::schema::settings::PurchaseKind;

const KINDS: [PurchaseKind; 3] = [PurchaseKind::BgNbd, PurchaseKind::MbgNbd, PurchaseKind::ParetoNbd];

fn numbers(name: &str, values: Vec<f64>) -> Covariate {
    Covariate { name: name.to_owned(), values: CovariateValues::Numbers(values) }
}

fn levels(name: &str, values: &[&str]) -> Covariate {
    let mut names: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
    names.sort();
    names.dedup();
    let level = values.iter().map(|value| names.iter().position(|name| name == value).unwrap() as u32).collect();
    Covariate { name: name.to_owned(), values: CovariateValues::Levels { names, level } }
}

/// Money of the first purchase, and the month that it fell into, of the CDNOW sample.
fn of_sample(sample: &Sample) -> [Covariate; 2] {
    // Ages count from 1997-09-30: the first of February lies 241 days before it, the first of March 213.
    let month = |age: &u32| match age {
        242.. => "january",
        214.. => "february",
        _ => "march",
    };
    let months: Vec<&str> = sample.age.iter().map(month).collect();
    [numbers("first_amount", sample.first.clone()), levels("month", &months)]
}

fn fit_sample(kind: PurchaseKind, sample: &Sample, rate: &[usize], dropout: &[usize]) -> CovariateFit {
    let rows = [sample.x.as_slice(), &sample.recency, &sample.age];
    fit(kind, rows, &of_sample(sample), Wanted { rate, dropout }, WEEK).unwrap()
}
