//! Pareto/NBD: the likelihood of a summary and its derivatives, with one integral for many histories.
//!
//! With `n = r+x`, the likelihood of one history is
//!
//! `Γ(r+x)/Γ(r) · α^{−x} (1+t_x/α)^{−n} (1+t_x/β)^{−s} · K`, `K = ρ(t_x, T) + C(t_x, T)`
//!
//! * `ρ(t, u) = ((α+t)/(α+u))^n ((β+t)/(β+u))^s`: alive and silent from `t` to `u`,
//! * `C(t, u) = s ∫_t^u ρ(t, v) dv/(β+v)`: dropped out on the way.
//!
//! `C` adds up along the days on which customers of one frequency bought last or are looked at:
//! `C(t, w) = C(t, u) + ρ(t, u) C(u, w)`. So one backward pass over these days, a few nodes for each gap, gives
//! `R(t) = C(t, end) < 1`, and `K = R(t_x) + ρ(t_x, T) (1 − R(T))` for every history. Nothing is lost in the difference:
//! `ρ R(T) <= R(t_x) <= K`. First and second derivatives by the logarithms of the parameters go the same way.
//!
//! Source: Fader & Hardie, A Note on Deriving the Pareto/NBD Model and Related Expressions (2005), section 3; equation
//! 18 is its form with hypergeometric functions.

use super::jet::{Jet, Spread, TERMS, evaluation};
use super::pareto_nbd::ParetoNbd;
use super::silence::Silence;
use super::summary::{History, Summary};
use crate::numeric::newton::Evaluation;
use crate::numeric::special::rise;
use crate::numeric::sums::chunked;
use rayon::prelude::*;

/// The likelihood of a summary.
pub(super) struct Likelihood {
    groups: Vec<Group>,
    places: Vec<Place>,
    days_per_unit: f64,
}

/// Customers of one frequency and one set of parameters.
pub(super) struct Group {
    frequency: u32,
    customers: f64,
    /// Days since the first purchase that occur as a recency or an age, ascending.
    days: Vec<u32>,
}

/// A distinct history: where its recency and its age stand in its group's days.
pub(super) struct Place {
    group: u32,
    recency: u32,
    age: u32,
    weight: f64,
}

impl Likelihood {
    pub(super) fn new(summary: &Summary, days_per_unit: f64) -> Self {
        let histories: Vec<(History, u64)> = summary.iter().collect();
        let runs: Vec<&[(History, u64)]> = histories.chunk_by(|l, r| l.0.frequency == r.0.frequency).collect();
        let groups: Vec<Group> = runs.par_iter().map(|run| Group::new(run)).collect();
        let places = runs.par_iter().zip(&groups).enumerate();
        let places = places.flat_map_iter(|(at, (run, group))| run.iter().map(move |(h, w)| group.place(at, *h, *w)));
        Self { places: places.collect(), groups, days_per_unit }
    }

    /// Log-likelihood and its derivatives by the logarithms of `r, α, s, β`.
    pub(super) fn evaluate(&self, ln: &[f64; 4]) -> Evaluation<4> {
        let [r, alpha, s, beta] = ln.map(libm::exp);
        let model = ParetoNbd { r, alpha, s, beta };
        let tails = self.tails(&model);
        let mut terms = chunked::<TERMS, _>(self.places.len(), |rows| {
            let mut sum = Jet::constant(0.0);
            for place in &self.places[rows] {
                let at = place.group as usize;
                self.groups[at].add_history(&mut sum, &model, place, &tails[at], self.days_per_unit);
            }
            sum.flat()
        });
        self.add_frequencies(&mut terms, r, ln[1]);
        evaluation(terms)
    }

    /// P(alive) of every distinct history, `ρ(t_x, T)/K`.
    pub(super) fn p_alive(&self, model: &ParetoNbd) -> Vec<f64> {
        let tails = self.tails(model);
        let one = |place: &Place| {
            let (x, recency, age) = self.groups[place.group as usize].history(place, self.days_per_unit);
            let alive = libm::exp(model.ln_fall(x, recency, age - recency).value);
            let tails = &tails[place.group as usize];
            let dead_by = |day: u32| tails[day as usize].value;
            alive / (dead_by(place.recency) + alive * (1.0 - dead_by(place.age)))
        };
        self.places.par_iter().map(one).collect()
    }

    fn tails(&self, model: &ParetoNbd) -> Vec<Vec<Jet>> {
        self.groups.par_iter().map(|group| group.tails(model, self.days_per_unit)).collect()
    }

    /// `Γ(r+x)/Γ(r) · α^{−x}`, from differences between neighbouring frequencies.
    fn add_frequencies(&self, terms: &mut [f64; TERMS], r: f64, ln_alpha: f64) {
        let (mut at, mut value, mut first, mut second) = (0, 0.0, 0.0, 0.0);
        for group in &self.groups {
            let (x, weight) = (group.frequency, group.customers);
            let rate = rise(r + f64::from(at), x - at);
            value += rate.ln_gamma - f64::from(x - at) * ln_alpha;
            first += rate.digamma;
            second += rate.trigamma;
            at = x;
            terms[0] += weight * value;
            terms[1] += weight * r * first;
            terms[2] -= weight * f64::from(x);
            terms[5] += weight * (r * first + r * r * second);
        }
    }
}

impl Group {
    /// * `run`: distinct histories of one frequency, with their customers.
    pub(super) fn new(run: &[(History, u64)]) -> Self {
        let mut days: Vec<u32> = run.iter().flat_map(|(h, _)| [h.recency, h.age]).collect();
        days.sort_unstable();
        days.dedup();
        let customers = run.iter().map(|(_, weight)| weight).sum::<u64>() as f64;
        Self { frequency: run.first().map_or(0, |(h, _)| h.frequency), customers, days }
    }

    pub(super) fn place(&self, group: usize, history: History, weight: u64) -> Place {
        let at = |day: u32| self.days.partition_point(|&other| other < day) as u32;
        Place { group: group as u32, recency: at(history.recency), age: at(history.age), weight: weight as f64 }
    }

    /// `R` on every day of the group: the likelihood of dropping out between that day and the group's last one.
    pub(super) fn tails(&self, model: &ParetoNbd, days_per_unit: f64) -> Vec<Jet> {
        let x = f64::from(self.frequency);
        let gap = |pair: &[u32]| (f64::from(pair[0]) / days_per_unit, f64::from(pair[1] - pair[0]) / days_per_unit);
        let mut tails: Vec<Jet> = self
            .days
            .par_windows(2)
            .map(|pair| {
                let (from, width) = gap(pair);
                model.dropout(x, from, width)
            })
            .collect();
        let mut later = Jet::constant(0.0);
        for (tail, pair) in tails.iter_mut().zip(self.days.windows(2)).rev() {
            let (from, width) = gap(pair);
            later.carry(&model.ln_fall(x, from, width));
            tail.add(1.0, &later);
            later = *tail;
        }
        tails.push(Jet::constant(0.0));
        tails
    }

    /// `x`, `t_x` and `T` in model time units.
    fn history(&self, place: &Place, days_per_unit: f64) -> (f64, f64, f64) {
        let time = |at: u32| f64::from(self.days[at as usize]) / days_per_unit;
        (f64::from(self.frequency), time(place.recency), time(place.age))
    }

    /// One history's `−n ln(1+t_x/α) − s ln(1+t_x/β) + ln K`.
    #[inline]
    pub(super) fn add_history(
        &self,
        sum: &mut Jet,
        model: &ParetoNbd,
        place: &Place,
        tails: &[Jet],
        days_per_unit: f64,
    ) {
        let (x, recency, age) = self.history(place, days_per_unit);
        sum.add(place.weight, &model.ln_fall(x, 0.0, recency));
        let mut kept = tails[place.age as usize].complement();
        kept.carry(&model.ln_fall(x, recency, age - recency));
        kept.add(1.0, &tails[place.recency as usize]);
        sum.add(place.weight, &kept.ln());
    }
}

impl ParetoNbd {
    /// `ln ρ(t, t+v)`.
    fn ln_fall(&self, x: f64, t: f64, v: f64) -> Jet {
        let rate = Spread::new(self.alpha, t, v);
        let dropout = Spread::new(self.beta, t, v);
        let n = self.r + x;
        let (r_fall, s_fall) = (self.r * rate.ln_growth, self.s * dropout.ln_growth);
        let (r_bend, s_bend) = (self.r * rate.slope, self.s * dropout.slope);
        Jet {
            value: -n * rate.ln_growth - s_fall,
            first: [-r_fall, n * rate.slope, -s_fall, s_bend],
            second: [-r_fall, r_bend, 0.0, 0.0, n * rate.curve, 0.0, 0.0, -s_fall, s_bend, self.s * dropout.curve],
        }
    }

    /// `C(t, t+width)`.
    fn dropout(&self, x: f64, t: f64, width: f64) -> Jet {
        let silence = Silence { n: self.r + x, s: self.s, a: self.alpha + t, b: self.beta + t };
        let mut sum = Jet::constant(0.0);
        silence.visit(width, |v, weight| {
            let mut height = self.ln_fall(x, t, v);
            // times s/(β+t+v), whose logarithm has these derivatives by ln s and ln β
            let share = self.beta / (silence.b + v);
            height.first[2] += 1.0;
            height.first[3] -= share;
            height.second[9] -= share * (1.0 - share);
            sum.add_exponential(weight * self.s / (silence.b + v) * libm::exp(height.value), &height);
        });
        sum
    }
}
