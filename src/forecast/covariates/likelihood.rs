//! The likelihood of histories whose parameters differ with their covariates.
//!
//! Each history is a function of the logarithms of its own four parameters `η`, and these are linear in what is fitted:
//! `η = θ + Σ ± z γ`, with the logarithms `θ` of the average customer's parameters and the effects `γ`. So derivatives by
//! `γ` are those by `η` times `±z`, and second ones likewise. Histories of one pattern of covariates share `η`: theirs are
//! added up first.

use rayon::prelude::*;

use super::design::Design;
use crate::forecast::bg_nbd_fit::{self, BG_NBD, Family};
use crate::forecast::jet::{self, Jet};
use crate::forecast::mbg_nbd::MBG_NBD;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::pareto_nbd_likelihood::Group;
use crate::forecast::summary::{History, Summary, SummaryError};
use crate::numeric::newton::{Evaluation, WideEvaluation};
use crate::numeric::special::rise;
use crate::numeric::sums::{CHUNK, combined};
use crate::schema::settings::PurchaseKind;

/// Parameters of every model.
pub(super) const BASE: usize = 4;
const TERMS: usize = jet::TERMS;
// One layout of sums serves both families.
const _: () = assert!(TERMS == bg_nbd_fit::TERMS);

/// The likelihood of histories with covariates.
pub(super) struct Likelihood<'a> {
    design: &'a Design,
    rows: Vec<Row>,
    /// Runs of equal frequency: (frequency, customers).
    frequencies: Vec<(u32, f64)>,
    /// Rows of each partial sum: whole runs of equal pattern and frequency, for Pareto/NBD's integrals.
    chunks: Vec<std::ops::Range<usize>>,
    model: Model,
    days_per_unit: f64,
}

/// Customers of one pattern and history.
struct Row {
    pattern: u32,
    history: History,
    customers: u64,
}

enum Model {
    Beta(&'static Family),
    Pareto,
}

impl<'a> Likelihood<'a> {
    /// * `frequency`, `recency`, `age`: in days, one row a row of the design, checked by `whole`.
    /// * `whole`: their summary.
    pub(super) fn new(
        kind: PurchaseKind,
        design: &'a Design,
        whole: &Summary,
        [frequency, recency, age]: [&[u32]; 3],
        days_per_unit: f64,
    ) -> Result<Self, SummaryError> {
        let at = whole.locate(frequency, recency, age)?;
        let mut keys: Vec<(u32, u32)> = design.pattern().iter().copied().zip(at).collect();
        keys.par_sort_unstable();
        let rows: Vec<Row> = keys
            .chunk_by(|left, right| left == right)
            .map(|run| Row {
                pattern: run[0].0,
                history: whole.history(run[0].1 as usize),
                customers: run.len() as u64,
            })
            .collect();
        let histories: Vec<(History, u64)> = whole.iter().collect();
        let frequencies = histories
            .chunk_by(|l, r| l.0.frequency == r.0.frequency)
            .map(|run| (run[0].0.frequency, run.iter().map(|(_, weight)| weight).sum::<u64>() as f64))
            .collect();
        let model = match kind {
            PurchaseKind::ParetoNbd => Model::Pareto,
            PurchaseKind::MbgNbd | PurchaseKind::MbgCnbdK => Model::Beta(&MBG_NBD),
            PurchaseKind::BgNbd | PurchaseKind::BgCnbdK => Model::Beta(&BG_NBD),
        };
        Ok(Self { chunks: chunks(&rows), design, rows, frequencies, model, days_per_unit })
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        BASE + self.design.places.len()
    }

    /// Log-likelihood and its derivatives by the logarithms of the average customer's parameters and the effects.
    pub(super) fn evaluate(&self, point: &[f64]) -> WideEvaluation {
        let size = self.parameters();
        let partials: Vec<Vec<f64>> = self
            .chunks
            .par_iter()
            .map(|rows| {
                let mut sums = vec![0.0; 1 + size + size * (size + 1) / 2];
                let mut spread = Spread { size, places: Vec::new() };
                for run in self.rows[rows.clone()].chunk_by(|l, r| l.pattern == r.pattern) {
                    let pattern = run[0].pattern as usize;
                    let mut own = [point[0], point[1], point[2], point[3]];
                    spread.start();
                    self.design.visit(pattern, |effect, parameter, slope| {
                        own[parameter] += slope * point[BASE + effect];
                        spread.places.push((BASE + effect, parameter, slope));
                    });
                    let terms = match self.model {
                        Model::Beta(family) => self.beta_terms(family, run, &own),
                        Model::Pareto => self.pareto_terms(run, &own),
                    };
                    spread.add(&jet::evaluation(terms), &mut sums);
                }
                sums
            })
            .collect();
        let mut sums = combined(&partials, 1 + size + size * (size + 1) / 2);
        self.add_rates(&mut sums, libm::exp(point[0]));
        let entry = |i: usize, j: usize| sums[triangle(size, i.min(j)) + i.max(j)];
        let hessian = (0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect();
        WideEvaluation { value: sums[0], gradient: sums[1..=size].to_vec(), hessian }
    }

    fn beta_terms(&self, family: &Family, run: &[Row], own: &[f64; 4]) -> [f64; TERMS] {
        let mut terms = [0.0; TERMS];
        for Row { history, customers, .. } in run {
            family.add_alone(&mut terms, own, self.days_per_unit, *history, *customers as f64);
        }
        terms
    }

    fn pareto_terms(&self, run: &[Row], own: &[f64; 4]) -> [f64; TERMS] {
        let [r, alpha, s, beta] = own.map(libm::exp);
        let model = ParetoNbd { r, alpha, s, beta };
        let mut sum = Jet::constant(0.0);
        let mut group_of: Vec<(History, u64)> = Vec::new();
        for same in run.chunk_by(|l, r| l.history.frequency == r.history.frequency) {
            group_of.clear();
            group_of.extend(same.iter().map(|row| (row.history, row.customers)));
            let group = Group::new(&group_of);
            let tails = group.tails(&model, self.days_per_unit);
            for (history, customers) in &group_of {
                let place = group.place(0, *history, *customers);
                group.add_history(&mut sum, &model, &place, &tails, self.days_per_unit);
                let purchases = f64::from(history.frequency) * *customers as f64;
                sum.value -= purchases * own[1];
                sum.first[1] -= purchases;
            }
        }
        sum.flat()
    }

    /// `Γ(r+x)/Γ(r)`, from differences between neighbouring frequencies: `r` is the same for all.
    fn add_rates(&self, sums: &mut [f64], r: f64) {
        let (mut at, mut value, mut first, mut second) = (0, 0.0, 0.0, 0.0);
        for &(x, customers) in &self.frequencies {
            let step = rise(r + f64::from(at), x - at);
            value += step.ln_gamma;
            first += step.digamma;
            second += step.trigamma;
            at = x;
            sums[0] += customers * value;
            sums[1] += customers * r * first;
            sums[1 + self.parameters()] += customers * (r * first + r * r * second);
        }
    }
}

/// Cuts behind the first run of equal pattern and frequency that fills a chunk.
fn chunks(rows: &[Row]) -> Vec<std::ops::Range<usize>> {
    let mut chunks = Vec::new();
    let (mut from, mut to) = (0, 0);
    for run in rows.chunk_by(|l, r| l.pattern == r.pattern && l.history.frequency == r.history.frequency) {
        to += run.len();
        if to - from >= CHUNK {
            chunks.push(from..to);
            from = to;
        }
    }
    if to > from {
        chunks.push(from..to);
    }
    chunks
}

/// Where the second derivatives by `i` begin in the sums, less `i`: what is left of its diagonal is left out.
fn triangle(size: usize, i: usize) -> usize {
    1 + size + i * size - i * (i + 1) / 2
}

/// Where derivatives by a pattern's own parameters go.
struct Spread {
    size: usize,
    /// Parameter of the fit, own parameter, derivative of the own one by it; ascending by the first.
    places: Vec<(usize, usize, f64)>,
}

impl Spread {
    fn start(&mut self) {
        self.places.clear();
        self.places.extend((0..BASE).map(|parameter| (parameter, parameter, 1.0)));
    }

    /// Adds value, gradient and upper triangle.
    fn add(&mut self, own: &Evaluation<4>, sums: &mut [f64]) {
        self.places.sort_unstable_by_key(|place| place.0);
        sums[0] += own.value;
        for (at, &(i, left, slope)) in self.places.iter().enumerate() {
            sums[1 + i] += slope * own.gradient[left];
            let row = triangle(self.size, i);
            for &(j, right, other) in &self.places[at..] {
                sums[row + j] += slope * other * own.hessian[left][right];
            }
        }
    }
}
