//! The process that a customer follows: BG/NBD purchases with Gamma-Gamma spend, drawn from the customer's own streams.
//!
//! Nothing is kept: a customer's life is drawn again, with the same numbers, whenever it is needed.

use super::company::{
    ACQUISITION_DAYS, Company, DEMAND_SIGMA, PROMOTION_SHARE, R, REGIONS, SPAN_DAYS, SPEND_RATE_SCALE,
    SPEND_RATE_SHAPE, SPEND_SHAPE,
};
use crate::numeric::distributions::{Beta, Gamma, standard_exponential, standard_normal};
use crate::numeric::philox::Stream;

/// Purposes of the generator's streams lie in a range of their own, so that an analysis with the same seed never meets
/// the numbers that made its data.
const PURPOSES: u64 = 0x6765_6E00 << 32;
const TRAITS: u64 = PURPOSES;
const PURCHASES: u64 = PURPOSES | 1 << 32;
const LINES: u64 = PURPOSES | 2 << 32;
const SERVICE: u64 = PURPOSES | 3 << 32;
const REFERRAL: u64 = PURPOSES | 4 << 32;
const CATALOGUE: u64 = PURPOSES | 5 << 32;

/// The stream behind the lines of one order.
pub(super) fn line_stream(seed: u64, customer: u64, order: u32) -> Stream {
    Stream::new(seed, customer, LINES | u64::from(order))
}

/// The stream behind a customer's use of services.
pub(super) fn service_stream(seed: u64, customer: u64) -> Stream {
    Stream::new(seed, customer, SERVICE)
}

/// The stream behind who recommended a customer.
pub(super) fn referral_stream(seed: u64, customer: u64) -> Stream {
    Stream::new(seed, customer, REFERRAL)
}

/// The stream behind the product catalogue.
pub(super) fn catalogue_stream(seed: u64) -> Stream {
    Stream::new(seed, 0, CATALOGUE)
}

/// The samplers of a company, set up once.
pub(super) struct Process<'a> {
    pub(super) company: &'a Company,
    rate: Gamma,
    dropout: Vec<Beta>,
    spend: Gamma,
    spend_rate: Gamma,
}

/// What a customer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Customer {
    /// From 0, in order of acquisition.
    pub(super) index: u64,
    pub(super) channel: usize,
    pub(super) region: usize,
    /// Time of the first order, in days from the start of the ledger.
    pub(super) acquired: f64,
    /// `λ`: purchases a week while alive.
    pub(super) rate_per_week: f64,
    /// `p`: probability of dropping out after a repeat purchase.
    pub(super) dropout: f64,
    /// `ν`: an order's spend is Gamma(`p`, `ν`).
    pub(super) spend_rate: f64,
    /// Service that an order of this customer needs, 1 on average over a channel of mean demand 1.
    pub(super) demandingness: f64,
}

/// One order, before it is split into lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// From 0, in the customer's own order.
    pub(super) index: u32,
    /// Days from the start of the ledger.
    pub(super) time: f64,
    /// Share in the company's lines beyond one an order, `>= 1`.
    pub(super) weight: u64,
    /// Spend in cents as drawn; [`Order::cents`] is what is charged.
    spend: u64,
    /// Discount of a promotion in percent, 0 without.
    pub(super) promotion: u8,
    /// Time at which one line is returned, before the end of the ledger; infinite where none is.
    pub(super) returned: f64,
}

impl Order {
    /// The order's total in cents: its spend, and at least a cent a line.
    pub(super) fn cents(&self, lines: u64) -> u64 {
        self.spend.max(lines)
    }
}

impl<'a> Process<'a> {
    pub(super) fn new(company: &'a Company) -> Self {
        Self {
            company,
            rate: Gamma::new(R),
            dropout: company.channels.iter().map(|channel| Beta::new(channel.a, channel.b)).collect(),
            spend: Gamma::new(SPEND_SHAPE),
            spend_rate: Gamma::new(SPEND_RATE_SHAPE),
        }
    }

    /// Customer `index`. Acquisition is stratified: customer `i` of `n` comes at `(i + U)/n` of the first half, so that
    /// it is uniform over customers and identifiers grow with it.
    pub(super) fn customer(&self, index: u64) -> Customer {
        let scenario = &self.company.scenario;
        let mut stream = Stream::new(scenario.seed, index, TRAITS);
        let acquired = (index as f64 + stream.uniform()) / scenario.size.customers as f64 * ACQUISITION_DAYS;
        let channel = pick(self.company.channels.iter().map(|channel| channel.share), stream.uniform());
        let region = pick(REGIONS.iter().map(|(_, share)| *share), stream.uniform());
        let parameters = &self.company.channels[channel];
        let rate_per_week = self.rate.draw(&mut stream) / parameters.alpha;
        let dropout = self.dropout[channel].draw(&mut stream);
        let spend_rate = self.spend_rate.draw(&mut stream) / SPEND_RATE_SCALE;
        let deviation = standard_normal(&mut stream);
        let demandingness = parameters.demand * libm::exp(DEMAND_SIGMA * deviation - 0.5 * DEMAND_SIGMA * DEMAND_SIGMA);
        Customer { index, channel, region, acquired, rate_per_week, dropout, spend_rate, demandingness }
    }

    /// All orders of a customer within the span, in time order.
    pub(super) fn orders(&self, customer: &Customer) -> Orders<'_> {
        Orders {
            process: self,
            stream: Stream::new(self.company.scenario.seed, customer.index, PURCHASES),
            rate_per_day: customer.rate_per_week / 7.0,
            dropout: customer.dropout,
            spend_rate: customer.spend_rate,
            time: customer.acquired,
            next: 0,
            dropped: None,
        }
    }
}

/// Iterator over a customer's orders; afterwards [`Orders::dropped`] says whether the customer is still alive.
pub(super) struct Orders<'a> {
    process: &'a Process<'a>,
    stream: Stream,
    rate_per_day: f64,
    dropout: f64,
    spend_rate: f64,
    time: f64,
    next: u32,
    /// Time of dropping out, if it happened within the span.
    pub(super) dropped: Option<f64>,
}

/// A return comes more than one and less than thirty days after its order.
const RETURN_DAYS: (f64, f64) = (1.0, 30.0);
/// Resolution of the weights by which lines are shared out among orders.
const WEIGHT_SCALE: f64 = 1_024.0;
/// Discounts of promotions, in percent.
const PROMOTIONS: [u8; 4] = [5, 10, 15, 20];

impl Iterator for Orders<'_> {
    type Item = Order;

    /// Waiting times are Exponential(`λ`). After each repeat purchase, never after the first, the customer drops out
    /// with probability `p`.
    ///
    /// Source: Fader, Hardie & Lee (2005), assumptions i to v; the first purchase starts the clock.
    fn next(&mut self) -> Option<Order> {
        if self.dropped.is_some() {
            return None;
        }
        if self.next > 0 {
            self.time += standard_exponential(&mut self.stream) / self.rate_per_day;
        }
        if self.time >= SPAN_DAYS as f64 {
            return None;
        }
        let index = self.next;
        self.next += 1;
        if index > 0 && self.stream.uniform() < self.dropout {
            self.dropped = Some(self.time);
        }
        Some(self.order(index))
    }
}

impl Orders<'_> {
    fn order(&mut self, index: u32) -> Order {
        let stream = &mut self.stream;
        let weight = 1 + (standard_exponential(stream) * WEIGHT_SCALE) as u64;
        let spend = libm::rint(self.process.spend.draw(stream) / self.spend_rate * 100.0) as u64;
        let kind = stream.uniform();
        let mut returned = f64::INFINITY;
        let mut promotion = 0;
        if kind < PROMOTION_SHARE {
            promotion = PROMOTIONS[stream.below(PROMOTIONS.len() as u64) as usize];
        } else if stream.uniform() < self.process.company.return_probability {
            let time = self.time + RETURN_DAYS.0 + (RETURN_DAYS.1 - RETURN_DAYS.0) * stream.uniform();
            if time < SPAN_DAYS as f64 {
                returned = time;
            }
        }
        Order { index, time: self.time, weight, spend, promotion, returned }
    }
}

/// The position at which the running sum of `shares` passes `u`; the last one where none does.
fn pick(shares: impl ExactSizeIterator<Item = f64>, u: f64) -> usize {
    let last = shares.len() - 1;
    let mut below = 0.0;
    for (position, share) in shares.enumerate() {
        below += share;
        if u < below {
            return position;
        }
    }
    last
}
