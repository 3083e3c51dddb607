//! What the purchases of one possible future are worth: amounts known, or drawn by the customer's own spend.

use super::gamma_gamma::SpendRate;
use super::lifetime::{Customers, Spend};
use super::normal_spend::MeanSpend;
use super::spend_model::SpendModel;
use crate::numeric::distributions::{Gamma, standard_normal};
use crate::numeric::philox::Stream;
use crate::numeric::strips::GammaTable;

/// Frequencies whose table of spend rates is kept.
pub(super) const KEPT: usize = 64;

/// How amounts of purchases vary, whoever the customer is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amounts {
    /// Not at all.
    Fixed,
    /// Gamma distributed with this shape.
    Gamma(f64),
    /// Normally distributed with this standard deviation.
    Normal(f64),
}

/// What is known of one customer's spend.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Amount(f64),
    Rate(SpendRate),
    Mean(MeanSpend),
}

/// One purchase of whom the rest is known.
enum Purchase {
    Fixed,
    Gamma(Draw),
    /// Standard deviation of one purchase.
    Normal(f64),
}

/// What is drawn of the spend of one customer.
pub(super) struct Wallet {
    purchase: Purchase,
    /// Tables of `ν` by frequency, kept between customers.
    kept: Vec<Option<Draw>>,
    /// Which of them is the customer's, or one of its own.
    slot: usize,
    own: Draw,
    /// Scale of `ν`, the amount, or the mean amount with its standard deviation.
    scale: f64,
    sd: f64,
}

impl Amounts {
    /// Those of the customers, or of a draw of the spend model.
    pub(super) fn new(spend: Spend<'_>, drawn: Option<SpendModel>) -> Self {
        match (spend, drawn) {
            (Spend::GammaGamma { .. }, Some(SpendModel::GammaGamma(drawn))) => Self::Gamma(drawn.p),
            (Spend::Normal { .. }, Some(SpendModel::Normal(drawn))) => Self::Normal(drawn.within),
            (Spend::Fixed(_), _) => Self::Fixed,
            (Spend::GammaGamma { p, .. }, _) => Self::Gamma(p),
            (Spend::Normal { model, .. }, _) => Self::Normal(model.within),
        }
    }
}

impl Known {
    /// Of the customer in `row`, after another prior where the spend model is drawn.
    pub(super) fn new(customers: &Customers<'_>, row: usize, drawn: Option<(SpendModel, SpendModel)>) -> Self {
        match (customers.spend, drawn) {
            (Spend::Fixed(amount), _) => Self::Amount(amount[row]),
            (
                Spend::GammaGamma { posterior, .. },
                Some((SpendModel::GammaGamma(fitted), SpendModel::GammaGamma(drawn))),
            ) => {
                // What was learnt of the customer, `p x` and its money, after another prior.
                let SpendRate { shape, rate } = posterior[row];
                Self::Rate(drawn.posterior((shape - fitted.q) / fitted.p, rate - fitted.gamma))
            }
            (Spend::GammaGamma { posterior, .. }, _) => Self::Rate(posterior[row]),
            (Spend::Normal { model, total }, drawn) => {
                let model = match drawn {
                    Some((_, SpendModel::Normal(drawn))) => drawn,
                    _ => model,
                };
                Self::Mean(model.posterior(f64::from(customers.frequency[row]), total[row]))
            }
        }
    }
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

impl Wallet {
    /// Nobody's yet.
    ///
    /// * `kept`: frequencies whose table of spend rates is kept.
    pub(super) fn new(amounts: Amounts, kept: usize) -> Self {
        let purchase = match amounts {
            Amounts::Fixed => Purchase::Fixed,
            Amounts::Gamma(p) => Purchase::Gamma(Draw::new(p, true)),
            Amounts::Normal(sd) => Purchase::Normal(sd),
        };
        let tables = (0..kept).map(|_| None).collect();
        Self { purchase, kept: tables, slot: kept, own: Draw::new(1.0, false), scale: 0.0, sd: 0.0 }
    }

    /// That of a customer.
    pub(super) fn set(&mut self, spend: Known, frequency: u32) {
        match spend {
            Known::Amount(amount) => self.scale = amount,
            Known::Rate(rate) => self.set_rate(rate, frequency),
            Known::Mean(MeanSpend { mean, sd }) => (self.scale, self.sd) = (mean, sd),
        }
    }

    fn set_rate(&mut self, SpendRate { shape, rate }: SpendRate, frequency: u32) {
        self.scale = rate;
        self.slot = frequency as usize;
        // Which way of drawing is the customer's own matter, so that nobody else's presence changes a draw.
        match self.kept.get_mut(self.slot) {
            Some(Some(draw)) if draw.shape().to_bits() == shape.to_bits() => {}
            Some(slot) => *slot = Some(Draw::new(shape, true)),
            None => self.own = Draw::new(shape, false),
        }
    }

    /// A purchase's part of what [`Self::open`] wants: its factor, times its gamma variate; under normal spend squared.
    ///
    /// * `factor`: that discounts it, `e^{−δt}`.
    #[inline]
    pub(super) fn amount(&self, factor: f64, stream: &mut Stream) -> f64 {
        match &self.purchase {
            Purchase::Gamma(purchase) => factor * purchase.draw(stream),
            Purchase::Fixed => factor,
            Purchase::Normal(_) => factor * factor,
        }
    }

    /// The discounted amount of a path's purchases.
    ///
    /// * `factors`: sum of their discount factors. * `amounts`: sum of [`Self::amount`].
    ///
    /// Under Gamma-Gamma one unit of a purchase's gamma variate is worth `scale / ν`. Normal amounts `S_j` add up to
    /// `Σ f_j S_j ~ N(mean Σ f_j, sd² (Σ f_j)² + σ² Σ f_j²)`: one draw for all of them.
    #[inline]
    pub(super) fn open(&self, factors: f64, amounts: f64, stream: &mut Stream) -> f64 {
        match &self.purchase {
            Purchase::Fixed => self.scale * amounts,
            Purchase::Gamma(_) => {
                let rate = self.kept.get(self.slot).and_then(Option::as_ref).unwrap_or(&self.own);
                self.scale / rate.draw(stream) * amounts
            }
            Purchase::Normal(within) => {
                let mean_varies = self.sd * factors;
                let spread = libm::sqrt(mean_varies * mean_varies + within * within * amounts);
                self.scale * factors + spread * standard_normal(stream)
            }
        }
    }
}
