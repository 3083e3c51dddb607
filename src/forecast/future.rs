//! One possible future of a customer who is alive: when the customer buys, leaves, and what that is worth.
//!
//! Futures in which nothing happens (no purchase up to the horizon and, of who may leave at any time, no departure) have one
//! and the same value, [`Future::idle_value`]. Only the others are drawn.

use super::counts::{LastPurchase, Purchases};
use super::discount::Discount;
use super::lifetime::Customers;
use super::purchase_model::{Dropout, WhileAlive};
use super::wallet::{Amounts, Known, Wallet};
use crate::numeric::distributions::{Gamma, standard_exponential};
use crate::numeric::philox::Stream;

/// Purchases up to which the earliest of uniform times are found by sorting.
const SORTED: usize = 12;

/// What stays the same over the paths of one customer, and the tables to draw them from.
pub(super) struct Future<'a> {
    discount: &'a Discount,
    /// Phases of a purchase; 1 where purchases come by chance.
    phases: u32,
    /// By phases passed since the last purchase: their cumulative probability, and the phases to come.
    passed: Vec<f64>,
    purchases: Vec<Purchases>,
    dropout: Departure,
    wallet: Wallet,
    margin_rate: f64,
    order_cost: f64,
    sustaining_rate: f64,
    /// Value of a path in which nothing happens.
    pub(super) idle_value: f64,
    /// Probability of such a path, and of any other.
    pub(super) idle: f64,
    pub(super) moving: f64,
}

/// How a customer who is alive leaves.
enum Departure {
    AfterPurchase(LastPurchase),
    AnyTime(Lomax),
}

/// The time left of a customer who may leave at any time: `P(τ > u) = (scale/(scale+u))^s`.
#[derive(Default)]
struct Lomax {
    minus_inverse_s: f64,
    scale: f64,
    /// `P(τ > horizon)`.
    stays: f64,
    /// Share of the drawn paths that have a purchase, were the customer to stay; the others have a departure alone.
    buys: f64,
}

impl<'a> Future<'a> {
    /// No customer yet.
    ///
    /// * `kept`: frequencies whose table of spend rates is kept.
    pub(super) fn new(model: &WhileAlive, amounts: Amounts, kept: usize, discount: &'a Discount) -> Self {
        Self {
            discount,
            phases: model.phases,
            passed: Vec::new(),
            purchases: (0..model.phases).map(|_| Purchases::default()).collect(),
            dropout: match model.dropout {
                Dropout::AfterPurchase { .. } => Departure::AfterPurchase(LastPurchase::default()),
                Dropout::AnyTime { .. } => Departure::AnyTime(Lomax::default()),
            },
            wallet: Wallet::new(amounts, kept),
            margin_rate: 0.0,
            order_cost: 0.0,
            sustaining_rate: 0.0,
            idle_value: 0.0,
            idle: 0.0,
            moving: 0.0,
        }
    }

    /// The customer in `row`.
    ///
    /// * `spend`: what is known of its spend.
    pub(super) fn set(&mut self, model: &WhileAlive, customers: &Customers<'_>, row: usize, spend: Known) {
        let frequency = customers.frequency[row];
        let (x, age, horizon) = (f64::from(frequency), customers.age[row], self.discount.horizon());
        self.margin_rate = customers.margin_rate[row];
        self.order_cost = customers.order_cost[row];
        self.sustaining_rate = customers.sustaining_rate[row];
        // Zero, not minus zero, where keeping the customer costs nothing.
        self.idle_value = 0.0 - self.sustaining_until(horizon);
        self.set_purchases(model, x, customers.recency[row], age);
        match (&mut self.dropout, model.dropout) {
            (Departure::AfterPurchase(last), Dropout::AfterPurchase { a, b }) => {
                let longest = self.purchases.iter().map(Purchases::longest).max().unwrap_or(0);
                last.set(a, b + x, longest / self.phases as usize + 1);
            }
            (Departure::AnyTime(left), Dropout::AnyTime { s, beta }) => {
                let ln_none = -(model.r + x) * libm::log1p(horizon / (model.alpha + age));
                let ln_idle = left.set(s, beta + age, horizon, ln_none);
                (self.idle, self.moving) = (libm::exp(ln_idle), -libm::expm1(ln_idle));
            }
            // A worker serves models of one kind.
            _ => {}
        }
        self.wallet.set(spend, frequency);
    }

    /// Tables of the purchases to come, and the probability that there are any.
    fn set_purchases(&mut self, model: &WhileAlive, x: f64, recency: f64, age: f64) {
        let (scale, horizon) = (model.alpha + age, self.discount.horizon());
        if model.phases == 1 {
            let shape = model.r + x;
            self.moving = self.purchases[0].set(shape, scale, horizon, 1);
            self.idle = libm::exp(-shape * libm::log1p(horizon / scale));
            return;
        }
        let n = model.r + f64::from(model.phases) * x;
        let (mut weight, mut total, mut moving) = (1.0, 0.0, 0.0);
        self.passed.clear();
        for (j, purchases) in (0..).zip(&mut self.purchases) {
            total += weight;
            moving += weight * purchases.set(n + f64::from(j), scale, horizon, model.phases - j);
            self.passed.push(moving);
            // (n)_j/j! z^j, z the share of silence in α+T.
            weight *= (n + f64::from(j)) * (age - recency) / scale / f64::from(j + 1);
        }
        for passed in &mut self.passed {
            *passed /= moving;
        }
        self.moving = (moving / total).min(1.0);
        self.idle = 1.0 - self.moving;
    }

    /// Discounted cost of keeping the customer until `t`, `sustaining_rate · (1 − e^{−δt})/δ`.
    #[inline]
    fn sustaining_until(&self, t: f64) -> f64 {
        if self.sustaining_rate == 0.0 { 0.0 } else { self.sustaining_rate * self.discount.annuity(t) }
    }

    /// One path in which something happens; with the time of the first purchase where `FIRST`, which costs a little.
    #[inline]
    pub(super) fn draw<const FIRST: bool>(&self, stream: &mut Stream) -> Path {
        match &self.dropout {
            Departure::AfterPurchase(last) if self.phases == 1 => self.value_by_urn::<FIRST>(last, stream),
            Departure::AfterPurchase(last) => self.value_by_phases::<FIRST>(last, stream),
            Departure::AnyTime(left) => self.value_until::<FIRST>(left, stream),
        }
    }

    /// All purchases count where the customer stays after each; else the earliest ones, the last of which ends it.
    #[inline]
    fn value_by_urn<const FIRST: bool>(&self, last: &LastPurchase, stream: &mut Stream) -> Path {
        let purchases = self.purchases[0].draw(stream);
        let Some(kept) = last.draw(purchases, stream) else {
            let mut basket = Basket::default();
            for _ in 0..purchases {
                let time = self.discount.horizon() * stream.uniform();
                basket.add::<FIRST>(self, time, stream);
            }
            return basket.path(basket.contribution(self, stream) + self.idle_value);
        };
        let mut basket = Basket::default();
        let end = self.earliest::<FIRST>(kept, purchases, stream, &mut basket);
        basket.path(basket.contribution(self, stream) - self.sustaining_until(end))
    }

    /// A purchase ends every `k`-th phase, the first one fewer phases if some have passed.
    fn value_by_phases<const FIRST: bool>(&self, last: &LastPurchase, stream: &mut Stream) -> Path {
        let place = stream.uniform();
        let passed = self.passed.iter().position(|below| place < *below).unwrap_or(0);
        let (passed, k) = (passed as u64, u64::from(self.phases));
        let phases = self.purchases[passed as usize].draw(stream);
        let purchases = (phases + passed) / k;
        let leaves_after = last.draw(purchases, stream);
        let needed = leaves_after.unwrap_or(purchases) * k - passed;
        let mut basket = Basket::default();
        let mut end = 0.0;
        for (phase, time) in (1..=needed).zip(self.ordered_times(needed, phases, stream)) {
            if (phase + passed).is_multiple_of(k) {
                basket.add::<FIRST>(self, time, stream);
                end = time;
            }
        }
        let sustaining = if leaves_after.is_some() { 0.0 - self.sustaining_until(end) } else { self.idle_value };
        basket.path(basket.contribution(self, stream) + sustaining)
    }

    /// The `needed` earliest of `events` uniform times, ascending: sums of exponentials over the sum of one more than all
    /// of them (Rényi 1953).
    fn ordered_times(&self, needed: u64, events: u64, stream: &mut Stream) -> Vec<f64> {
        let mut times: Vec<f64> = Vec::with_capacity(needed as usize);
        let mut sum = 0.0;
        for _ in 0..needed {
            sum += standard_exponential(stream);
            times.push(sum);
        }
        let scale = self.discount.horizon() / (sum + Gamma::new((events - needed) as f64 + 1.0).draw(stream));
        for time in &mut times {
            *time = (*time * scale).min(self.discount.horizon());
        }
        times
    }

    /// Adds the `kept` earliest of `purchases` uniform times; the last of them.
    #[inline]
    fn earliest<const FIRST: bool>(&self, kept: u64, purchases: u64, stream: &mut Stream, basket: &mut Basket) -> f64 {
        let horizon = self.discount.horizon();
        if kept == 1 && purchases as usize <= SORTED {
            let time = horizon * (1..purchases).fold(stream.uniform(), |first, _| first.min(stream.uniform()));
            basket.add::<FIRST>(self, time, stream);
            return time;
        }
        if purchases as usize <= SORTED {
            let mut times = [0.0; SORTED];
            let times = &mut times[..purchases as usize];
            for time in &mut *times {
                *time = horizon * stream.uniform();
            }
            insertion_sort(times);
            let times = &times[..kept as usize];
            for time in times {
                basket.add::<FIRST>(self, *time, stream);
            }
            return times[times.len() - 1];
        }
        self.earliest_of_many::<FIRST>(kept, purchases, stream, basket)
    }

    #[cold]
    fn earliest_of_many<const FIRST: bool>(
        &self,
        kept: u64,
        purchases: u64,
        stream: &mut Stream,
        basket: &mut Basket,
    ) -> f64 {
        let times = self.ordered_times(kept, purchases, stream);
        for time in &times {
            basket.add::<FIRST>(self, *time, stream);
        }
        times.last().copied().unwrap_or(0.0)
    }

    /// Purchases count until the customer leaves, purchase or not.
    #[inline]
    fn value_until<const FIRST: bool>(&self, left: &Lomax, stream: &mut Stream) -> Path {
        let horizon = self.discount.horizon();
        if left.buys < 1.0 && stream.uniform() >= left.buys {
            let value = 0.0 - self.sustaining_until(left.before_horizon(stream).min(horizon));
            return Basket::default().path(value);
        }
        let purchases = self.purchases[0].draw(stream);
        let end = left.draw(stream).min(horizon);
        let mut basket = Basket::default();
        for _ in 0..purchases {
            let time = horizon * stream.uniform();
            if time <= end {
                basket.add::<FIRST>(self, time, stream);
            }
        }
        let sustaining = if end < horizon { 0.0 - self.sustaining_until(end) } else { self.idle_value };
        basket.path(if basket.factors == 0.0 { sustaining } else { basket.contribution(self, stream) + sustaining })
    }
}

impl Lomax {
    /// Gives `ln` of the probability of a path in which nothing happens. A departure happens also where keeping the customer
    /// costs nothing, so that equal random numbers are equal futures whatever the rates.
    fn set(&mut self, s: f64, scale: f64, horizon: f64, ln_none: f64) -> f64 {
        let ln_stays = -s * libm::log1p(horizon / scale);
        (self.minus_inverse_s, self.scale, self.stays) = (-1.0 / s, scale, libm::exp(ln_stays));
        let ln_idle = ln_none + ln_stays;
        let moving = -libm::expm1(ln_idle);
        self.buys = if moving > 0.0 { -libm::expm1(ln_none) / moving } else { 1.0 };
        ln_idle
    }

    /// The time left; no logarithm where it passes the horizon.
    #[inline]
    fn draw(&self, stream: &mut Stream) -> f64 {
        let survival = stream.uniform();
        if survival < self.stays { f64::INFINITY } else { self.at(survival) }
    }

    /// The time left given that it ends before the horizon.
    fn before_horizon(&self, stream: &mut Stream) -> f64 {
        self.at(self.stays + (1.0 - self.stays) * stream.uniform())
    }

    fn at(&self, survival: f64) -> f64 {
        self.scale * libm::expm1(libm::log(survival) * self.minus_inverse_s)
    }
}

/// One possible future.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// What it is worth.
    pub(super) value: f64,
    /// When the first purchase comes, where that is kept; infinity without one.
    pub(super) first: f64,
}

/// Discounted purchases of one path.
struct Basket {
    /// `Σ e^{−δt}`.
    factors: f64,
    /// Sum of [`Wallet::amount`] of each.
    amounts: f64,
    /// The earliest of them.
    first: f64,
}

impl Default for Basket {
    fn default() -> Self {
        Self { factors: 0.0, amounts: 0.0, first: f64::INFINITY }
    }
}

impl Basket {
    #[inline]
    fn path(&self, value: f64) -> Path {
        Path { value, first: self.first }
    }

    #[inline]
    fn add<const FIRST: bool>(&mut self, future: &Future<'_>, time: f64, stream: &mut Stream) {
        let factor = future.discount.factor(time);
        self.factors += factor;
        if FIRST {
            self.first = self.first.min(time);
        }
        self.amounts += future.wallet.amount(factor, stream);
    }

    #[inline]
    fn contribution(&self, future: &Future<'_>, stream: &mut Stream) -> f64 {
        future.margin_rate * future.wallet.open(self.factors, self.amounts, stream) - future.order_cost * self.factors
    }
}

fn insertion_sort(times: &mut [f64]) {
    for i in 1..times.len() {
        let time = times[i];
        let mut at = i;
        while at > 0 && times[at - 1] > time {
            times[at] = times[at - 1];
            at -= 1;
        }
        times[at] = time;
    }
}
