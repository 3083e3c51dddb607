//! One possible future of a customer who is alive: when the customer buys, leaves, and what that is worth.
//!
//! Futures in which nothing happens (no purchase up to the horizon and, where that costs something, no departure) have
//! one and the same value, [`Future::idle_value`]. Only the others are drawn.

use super::counts::{LastPurchase, Purchases};
use super::discount::Discount;
use super::gamma_gamma::SpendRate;
use super::lifetime::{Customers, Spend};
use super::purchase_model::{Dropout, WhileAlive};
use crate::numeric::distributions::{Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use crate::numeric::strips::GammaTable;

/// Purchases up to which the earliest of uniform times are found by sorting.
const SORTED: usize = 12;
/// Frequencies whose table of spend rates is kept.
pub(super) const KEPT: usize = 64;

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

/// What is drawn of the spend of one customer.
struct Wallet {
    /// One purchase of Gamma-Gamma; `None` where the amount is known.
    purchase: Option<Draw>,
    /// Tables of `ν` by frequency, kept between customers.
    kept: Vec<Option<Draw>>,
    /// Which of them is the customer's, or one of its own.
    slot: usize,
    own: Draw,
    /// Scale of `ν`, or the amount.
    scale: f64,
}

/// A gamma distribution, by table where it has one.
enum Draw {
    Table(GammaTable),
    Rejection(f64, Gamma),
}

impl Draw {
    fn new(shape: f64, by_table: bool) -> Self {
        let table = if by_table { GammaTable::new(shape) } else { None };
        table.map_or_else(|| Self::Rejection(shape, Gamma::new(shape)), Self::Table)
    }

    fn shape(&self) -> f64 {
        match self {
            Self::Table(table) => table.shape(),
            Self::Rejection(shape, _) => *shape,
        }
    }

    #[inline]
    fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Table(table) => table.draw(stream),
            Self::Rejection(_, gamma) => gamma.draw(stream),
        }
    }
}

impl<'a> Future<'a> {
    /// No customer yet.
    ///
    /// * `p`: shape of a purchase under Gamma-Gamma; `None` where amounts are known. * `kept`: frequencies whose table of
    ///   spend rates is kept.
    pub(super) fn new(model: &WhileAlive, p: Option<f64>, kept: usize, discount: &'a Discount) -> Self {
        let purchase = p.map(|p| Draw::new(p, true));
        Self {
            discount,
            phases: model.phases,
            passed: Vec::new(),
            purchases: (0..model.phases).map(|_| Purchases::default()).collect(),
            dropout: match model.dropout {
                Dropout::AfterPurchase { .. } => Departure::AfterPurchase(LastPurchase::default()),
                Dropout::AnyTime { .. } => Departure::AnyTime(Lomax::default()),
            },
            wallet: Wallet {
                purchase,
                kept: (0..kept).map(|_| None).collect(),
                slot: kept,
                own: Draw::new(1.0, false),
                scale: 0.0,
            },
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
    /// * `spend`: what is known of its spend rate, instead of the customers' own.
    pub(super) fn set(&mut self, model: &WhileAlive, customers: &Customers<'_>, row: usize, spend: Option<SpendRate>) {
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
                let ln_idle = left.set(s, beta + age, horizon, ln_none, self.sustaining_rate != 0.0);
                (self.idle, self.moving) = (libm::exp(ln_idle), -libm::expm1(ln_idle));
            }
            // A worker serves models of one kind.
            _ => {}
        }
        let spend = spend.or(match customers.spend {
            Spend::Fixed(_) => None,
            Spend::GammaGamma { posterior, .. } => Some(posterior[row]),
        });
        match (spend, customers.spend) {
            (Some(spend), _) => self.wallet.set(spend, frequency),
            (None, Spend::Fixed(amount)) => self.wallet.scale = amount[row],
            (None, Spend::GammaGamma { .. }) => {}
        }
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

    /// The value of one path in which something happens.
    #[inline]
    pub(super) fn draw(&self, stream: &mut Stream) -> f64 {
        match &self.dropout {
            Departure::AfterPurchase(last) if self.phases == 1 => self.value_by_urn(last, stream),
            Departure::AfterPurchase(last) => self.value_by_phases(last, stream),
            Departure::AnyTime(left) => self.value_until(left, stream),
        }
    }

    /// All purchases count where the customer stays after each; else the earliest ones, the last of which ends it.
    #[inline]
    fn value_by_urn(&self, last: &LastPurchase, stream: &mut Stream) -> f64 {
        let purchases = self.purchases[0].draw(stream);
        let Some(kept) = last.draw(purchases, stream) else {
            let mut basket = Basket::default();
            for _ in 0..purchases {
                let time = self.discount.horizon() * stream.uniform();
                basket.add(self, time, stream);
            }
            return basket.contribution(self, stream) + self.idle_value;
        };
        let mut basket = Basket::default();
        let end = self.earliest(kept, purchases, stream, &mut basket);
        basket.contribution(self, stream) - self.sustaining_until(end)
    }

    /// A purchase ends every `k`-th phase, the first one fewer phases if some have passed.
    fn value_by_phases(&self, last: &LastPurchase, stream: &mut Stream) -> f64 {
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
                basket.add(self, time, stream);
                end = time;
            }
        }
        let sustaining = if leaves_after.is_some() { 0.0 - self.sustaining_until(end) } else { self.idle_value };
        basket.contribution(self, stream) + sustaining
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
    fn earliest(&self, kept: u64, purchases: u64, stream: &mut Stream, basket: &mut Basket) -> f64 {
        let horizon = self.discount.horizon();
        if kept == 1 && purchases as usize <= SORTED {
            let time = horizon * (1..purchases).fold(stream.uniform(), |first, _| first.min(stream.uniform()));
            basket.add(self, time, stream);
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
                basket.add(self, *time, stream);
            }
            return times[times.len() - 1];
        }
        self.earliest_of_many(kept, purchases, stream, basket)
    }

    #[cold]
    fn earliest_of_many(&self, kept: u64, purchases: u64, stream: &mut Stream, basket: &mut Basket) -> f64 {
        let times = self.ordered_times(kept, purchases, stream);
        for time in &times {
            basket.add(self, *time, stream);
        }
        times.last().copied().unwrap_or(0.0)
    }

    /// Purchases count until the customer leaves, purchase or not.
    #[inline]
    fn value_until(&self, left: &Lomax, stream: &mut Stream) -> f64 {
        let horizon = self.discount.horizon();
        if left.buys < 1.0 && stream.uniform() >= left.buys {
            return 0.0 - self.sustaining_until(left.before_horizon(stream).min(horizon));
        }
        let purchases = self.purchases[0].draw(stream);
        let end = left.draw(stream).min(horizon);
        let mut basket = Basket::default();
        for _ in 0..purchases {
            let time = horizon * stream.uniform();
            if time <= end {
                basket.add(self, time, stream);
            }
        }
        let sustaining = if end < horizon { 0.0 - self.sustaining_until(end) } else { self.idle_value };
        if basket.factors == 0.0 { sustaining } else { basket.contribution(self, stream) + sustaining }
    }
}

impl Lomax {
    /// Gives `ln` of the probability of a path in which nothing happens.
    fn set(&mut self, s: f64, scale: f64, horizon: f64, ln_none: f64, departure_matters: bool) -> f64 {
        let ln_stays = -s * libm::log1p(horizon / scale);
        (self.minus_inverse_s, self.scale, self.stays) = (-1.0 / s, scale, libm::exp(ln_stays));
        let ln_idle = if departure_matters { ln_none + ln_stays } else { ln_none };
        let moving = -libm::expm1(ln_idle);
        self.buys = if departure_matters && moving > 0.0 { -libm::expm1(ln_none) / moving } else { 1.0 };
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

impl Wallet {
    fn set(&mut self, SpendRate { shape, rate }: SpendRate, frequency: u32) {
        self.scale = rate;
        self.slot = frequency as usize;
        // Which way of drawing is the customer's own matter, so that nobody else's presence changes a draw.
        match self.kept.get_mut(self.slot) {
            Some(Some(draw)) if draw.shape().to_bits() == shape.to_bits() => {}
            Some(slot) => *slot = Some(Draw::new(shape, true)),
            None => self.own = Draw::new(shape, false),
        }
    }

    /// `scale / ν`: what one unit of a purchase's gamma variate is worth in this path; the amount where it is known.
    #[inline]
    fn open(&self, stream: &mut Stream) -> f64 {
        if self.purchase.is_none() {
            return self.scale;
        }
        let rate = self.kept.get(self.slot).and_then(Option::as_ref).unwrap_or(&self.own);
        self.scale / rate.draw(stream)
    }
}

/// Discounted purchases of one path.
#[derive(Default)]
struct Basket {
    /// `Σ e^{−δt}`, and with each purchase's gamma variate as a factor.
    factors: f64,
    amounts: f64,
}

impl Basket {
    #[inline]
    fn add(&mut self, future: &Future<'_>, time: f64, stream: &mut Stream) {
        let factor = future.discount.factor(time);
        self.factors += factor;
        self.amounts += match &future.wallet.purchase {
            Some(purchase) => factor * purchase.draw(stream),
            None => factor,
        };
    }

    #[inline]
    fn contribution(&self, future: &Future<'_>, stream: &mut Stream) -> f64 {
        future.margin_rate * future.wallet.open(stream) * self.amounts - future.order_cost * self.factors
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
