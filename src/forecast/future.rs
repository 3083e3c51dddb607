//! One possible future of a customer who is alive: when the customer buys, leaves, and what that is worth.

use super::lifetime::{Customers, Spend};
use super::purchase_model::{Dropout, WhileAlive};
use super::simulate::Settings;
use crate::numeric::distributions::{Gamma, standard_exponential};
use crate::numeric::philox::Stream;

/// What stays the same over the paths of one customer.
pub(super) struct Future {
    /// `r+x` and `α+T`: the posterior of the rate.
    shape: f64,
    scale: f64,
    dropout: Posterior,
    rate_given_purchase: Gamma,
    horizon: f64,
    delta: f64,
    spend: SpendDraw,
    margin_rate: f64,
    order_cost: f64,
    sustaining_rate: f64,
    /// Value of a path in which the customer neither buys nor leaves.
    pub(super) idle_value: f64,
    /// The probability of no purchase up to the horizon, were the customer to stay.
    pub(super) no_purchase: f64,
    /// Whether a path without a purchase can have another value than that.
    pub(super) idle_paths_differ: bool,
}

/// What is known of dropout given the history and being alive at `T`.
enum Posterior {
    /// `p ~ Beta(a, b+x)`.
    AfterPurchase { a: f64, b: f64 },
    /// `μ ~ Gamma(s, β+T)`: the time left is Lomax, `P(τ > u) = ((β+T)/(β+T+u))^s`.
    AnyTime { minus_inverse_s: f64, scale: f64 },
}

enum SpendDraw {
    Fixed(f64),
    GammaGamma { purchase: Gamma, rate: Gamma, scale: f64 },
}

/// Spend on the purchases of one path.
struct Purse<'a> {
    future: &'a Future,
    spend_scale: f64,
}

impl Future {
    pub(super) fn new<M>(model: &WhileAlive, settings: &Settings<M>, customers: &Customers<'_>, row: usize) -> Self {
        let x = f64::from(customers.frequency[row]);
        let spend = match customers.spend {
            Spend::Fixed(amount) => SpendDraw::Fixed(amount[row]),
            Spend::GammaGamma { p, posterior } => SpendDraw::GammaGamma {
                purchase: Gamma::new(p),
                rate: Gamma::new(posterior[row].shape),
                scale: posterior[row].rate,
            },
        };
        let dropout = match model.dropout {
            Dropout::AfterPurchase { a, b } => Posterior::AfterPurchase { a, b: b + x },
            Dropout::AnyTime { s, beta } => {
                Posterior::AnyTime { minus_inverse_s: -1.0 / s, scale: beta + customers.age[row] }
            }
        };
        let (shape, scale) = (model.r + x, model.alpha + customers.age[row]);
        let sustaining_rate = customers.sustaining_rate[row];
        let mut future = Self {
            shape,
            scale,
            idle_paths_differ: matches!(dropout, Posterior::AnyTime { .. }) && sustaining_rate != 0.0,
            dropout,
            rate_given_purchase: Gamma::new(model.r + x + 1.0),
            horizon: settings.horizon,
            delta: settings.delta,
            spend,
            margin_rate: customers.margin_rate[row],
            order_cost: customers.order_cost[row],
            sustaining_rate,
            idle_value: 0.0,
            no_purchase: libm::exp(-shape * libm::log1p(settings.horizon / scale)),
        };
        // Zero, not minus zero, where keeping the customer costs nothing.
        future.idle_value = 0.0 - future.sustaining_until(settings.horizon);
        future
    }

    /// Discounted cost of keeping the customer until `t`, `sustaining_rate · (1 − e^{−δt})/δ`.
    #[inline]
    fn sustaining_until(&self, t: f64) -> f64 {
        if self.sustaining_rate == 0.0 {
            0.0
        } else if self.delta == 0.0 {
            self.sustaining_rate * t
        } else {
            self.sustaining_rate * -libm::expm1(-self.delta * t) / self.delta
        }
    }

    /// The value of a path with a purchase, were the customer to stay, whose first waiting time has the survival
    /// probability `survival`.
    #[inline]
    pub(super) fn value(&self, survival: f64, stream: &mut Stream) -> f64 {
        let t = self.scale * (libm::exp(-libm::log(survival) / self.shape) - 1.0);
        match self.dropout {
            Posterior::AfterPurchase { a, b } => self.value_by_urn(t, a, b, stream),
            Posterior::AnyTime { .. } => self.value_until(t, self.leaves_at(stream), stream),
        }
    }

    /// The value of a path without a purchase up to the horizon, where those differ: the customer may leave before.
    pub(super) fn value_without_purchase(&self, stream: &mut Stream) -> f64 {
        0.0 - self.sustaining_until(self.leaves_at(stream).min(self.horizon))
    }

    /// When the customer leaves, purchase or not, by inversion; never where only a purchase can be the last one.
    fn leaves_at(&self, stream: &mut Stream) -> f64 {
        match self.dropout {
            Posterior::AfterPurchase { .. } => f64::INFINITY,
            Posterior::AnyTime { minus_inverse_s, scale } => {
                scale * libm::expm1(libm::log(stream.uniform()) * minus_inverse_s)
            }
        }
    }

    /// The value of a path with its first purchase at `t`; after each the customer leaves with probability `a/(a+b)`,
    /// else `b` grows by one (Pólya's urn).
    #[inline]
    fn value_by_urn(&self, mut t: f64, a: f64, mut b: f64, stream: &mut Stream) -> f64 {
        let mean_wait = (self.scale + t) / self.rate_given_purchase.draw(stream);
        let purse = Purse::new(self, stream);
        let mut value = 0.0;
        loop {
            value += purse.purchase(t, stream);
            if stream.uniform() * (a + b) < a {
                return value - self.sustaining_until(t);
            }
            b += 1.0;
            t += mean_wait * standard_exponential(stream);
            if t > self.horizon {
                return value + self.idle_value;
            }
        }
    }

    /// The value of a path whose first purchase would come at `t`, of a customer who leaves at `leaves_at`.
    #[inline]
    fn value_until(&self, mut t: f64, leaves_at: f64, stream: &mut Stream) -> f64 {
        let end = leaves_at.min(self.horizon);
        let sustaining = self.sustaining_until(end);
        if t > end {
            return 0.0 - sustaining;
        }
        let mean_wait = (self.scale + t) / self.rate_given_purchase.draw(stream);
        let purse = Purse::new(self, stream);
        let mut value = 0.0;
        while t <= end {
            value += purse.purchase(t, stream);
            t += mean_wait * standard_exponential(stream);
        }
        value - sustaining
    }
}

impl<'a> Purse<'a> {
    #[inline]
    fn new(future: &'a Future, stream: &mut Stream) -> Self {
        let spend_scale = match &future.spend {
            SpendDraw::Fixed(_) => 1.0,
            SpendDraw::GammaGamma { rate, scale, .. } => scale / rate.draw(stream),
        };
        Self { future, spend_scale }
    }

    /// Discounted contribution of a purchase at `t`.
    #[inline]
    fn purchase(&self, t: f64, stream: &mut Stream) -> f64 {
        let future = self.future;
        let discount = if future.delta == 0.0 { 1.0 } else { libm::exp(-future.delta * t) };
        let amount = match &future.spend {
            SpendDraw::Fixed(amount) => *amount,
            SpendDraw::GammaGamma { purchase, .. } => purchase.draw(stream) * self.spend_scale,
        };
        discount * (future.margin_rate * amount - future.order_cost)
    }
}
