//! Customers drawn as the models tell their lives.

use crate::forecast::bg_cnbd_k::FirstDropout;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::summary::Summary;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

/// A life as the model tells it: the times of the purchases up to `end`, and whether the customer is alive then.
pub(super) fn live(model: &PurchaseModel, end: f64, stream: &mut Stream) -> (Vec<f64>, bool) {
    let (mut times, mut t) = (vec![], 0.0);
    let (k, at_first) = match model {
        PurchaseModel::BgCnbdK(model) => (model.k, model.dropout == FirstDropout::AfterFirst),
        PurchaseModel::MbgNbd(_) => (1, true),
        _ => (1, false),
    };
    let [r, alpha, third, fourth] = model.parameters();
    let rate = Gamma::new(r).draw(stream) / alpha;
    if matches!(model, PurchaseModel::ParetoNbd(_)) {
        let leaves = standard_exponential(stream) / (Gamma::new(third).draw(stream) / fourth);
        loop {
            t += standard_exponential(stream) / rate;
            if t > end.min(leaves) {
                return (times, leaves > end);
            }
            times.push(t);
        }
    }
    let p = Beta::new(third, fourth).draw(stream);
    if at_first && stream.uniform() < p {
        return (times, false);
    }
    loop {
        t += (0..k).map(|_| standard_exponential(stream)).sum::<f64>() / rate;
        if t > end {
            return (times, true);
        }
        times.push(t);
        if stream.uniform() < p {
            return (times, false);
        }
    }
}

/// Histories of customers who are watched for 40 to 60 time units.
///
/// * `fine`: moments of the calendar in a time unit, so many that rounding to them is far below any standard error.
/// * `sample`: which of many samples.
pub(super) fn histories(model: &PurchaseModel, customers: u64, fine: f64, sample: u64) -> Summary {
    let longest = (60.0 * fine) as u32;
    let rows: Vec<[u32; 3]> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(sample, customer, 17);
            let age = longest - stream.below(u64::from(longest) / 3) as u32;
            let (times, _) = live(model, f64::from(age) / fine, &mut stream);
            let mut moments: Vec<u32> = times.iter().map(|t| ((t * fine).ceil() as u32).min(age)).collect();
            moments.dedup();
            [moments.len() as u32, moments.last().copied().unwrap_or(0), age]
        })
        .collect();
    let column = |at: usize| -> Vec<u32> { rows.iter().map(|row| row[at]).collect() };
    let mut summary = Summary::new();
    summary.insert(&column(0), &column(1), &column(2)).unwrap();
    summary
}
