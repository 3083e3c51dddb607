//! What customers under contract, or at opportunities, are expected to be worth when a share of the loss is prevented.
//!
//! Every customer leaves at a rate of its own: `λ` in continuous time, `−ln(1 − θ)` at a chance that is taken with probability
//! `θ`. When a share `r` of the loss is prevented, every rate is `1 − r` times what it was. Of those who made `n` chances
//! already, with `θ ~ Beta(α, β)` and an exposure `E(t) = t` (sBG) or `t^c` (`BdW`), then
//!
//! `S′(j) = B(α, β + E(n) + (1−r) (E(n+j) − E(n))) / B(α, β + E(n))`
//!
//! survive the next `j`, and in continuous time `S′ = (1 + (1−r)(S^{−1/k} − 1))^{−k}` with the shape `k` of the rates. For small
//! `θ` that prevents the share `r` of those who would have left at a chance, for `θ = ½` and `r = ½` it is 41 % of them.
//!
//! ```
//! use whalecurve::forecast::beta_geometric::ShiftedBetaGeometric;
//! use whalecurve::forecast::contract_calendar::ContractCalendar;
//! use whalecurve::forecast::contract_model::ContractModel;
//! use whalecurve::schema::forecasting::Discounting;
//! use whalecurve::schema::renewals::RenewalTerm;
//!
//! let model = ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha: 0.704, beta: 1.182 });
//! let calendar = ContractCalendar {
//!     as_of: 0,
//!     term: RenewalTerm::Months(12),
//!     days_per_unit: 365.25,
//!     horizon_days: 1_827,
//!     delta: 0.0,
//!     discounting: Discounting::Continuous,
//! };
//! let as_it_is = model.prospect(0, &calendar)?.discounted;
//! assert!((model.prolonged(0, &calendar, 0.0)? - as_it_is).abs() < 1e-12);
//! assert!(model.prolonged(0, &calendar, 0.5)? > as_it_is);
//! // Nobody leaves: five renewals in five years.
//! assert!((model.prolonged(0, &calendar, 1.0)? - 5.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::any_time::AnyTime;
use super::beta_geometric::DiscountError;
use super::beta_weibull::{BetaDiscreteWeibull, power_step};
use super::bg_bb::BgBb;
use super::contract_calendar::ContractCalendar;
use super::contract_model::ContractModel;
use super::spells::Ongoing;
use crate::numeric::special::ln_beta_shift;
use crate::numeric::sums::Compensated;

impl BetaDiscreteWeibull {
    /// The probability that a customer who survived `n` chances survives another `t` at `kept` times its rate.
    fn survival_at_rates(&self, n: u32, t: u32, kept: f64) -> f64 {
        let (before, step) = power_step(n, n.saturating_add(t), self.c);
        libm::exp(ln_beta_shift(self.alpha, self.beta + before, kept * step))
    }

    /// What units to come are worth that a customer who survived `n` chances lives to see at `kept` times its rate.
    ///
    /// * `units`: chances to survive up to each, and what it is worth.
    fn worth_at_rates(&self, n: u32, units: impl Iterator<Item = (u32, f64)>, kept: f64) -> f64 {
        let mut sum = Compensated::default();
        for (chances, worth) in units {
            sum.add(worth * self.survival_at_rates(n, chances, kept));
        }
        sum.value()
    }
}

impl ContractModel {
    /// Discounted periods expected of a customer whose contract goes on when a share of the loss is prevented.
    ///
    /// * `contract`: as in [`Self::prospect`]. * `prevented`: `r`, at most 1; below 0 more leave.
    ///
    /// # Errors
    /// [`DiscountError`] of a rate that is negative or no number.
    pub fn prolonged(
        &self,
        contract: impl Into<Ongoing>,
        calendar: &ContractCalendar,
        prevented: f64,
    ) -> Result<f64, DiscountError> {
        let contract = contract.into();
        let (start, kept) = (contract.start, 1.0 - prevented);
        let (horizon, timing) = (calendar.horizon(), calendar.timing());
        let renewals = |model: BetaDiscreteWeibull| {
            let made = calendar.known(contract);
            let units = calendar.due(start).map(|(number, factor)| (number.saturating_sub(made), factor));
            Ok(model.worth_at_rates(made, units, kept))
        };
        match *self {
            Self::BetaGeometric(model) => {
                renewals(BetaDiscreteWeibull { alpha: model.alpha, beta: model.beta, c: 1.0 })
            }
            Self::BetaWeibull(model) => renewals(model),
            Self::ExponentialGamma(model) => model.worth_at_rates(calendar.age(start), horizon, timing, kept),
            Self::WeibullGamma(model) => model.worth_at_rates(calendar.age(start), horizon, timing, kept),
        }
    }
}

impl BgBb {
    /// What the opportunities to come are worth that a customer who is alive at `n` lives to see when a share of the loss is
    /// prevented; it buys at them as before.
    ///
    /// * `worth`: what a unit at each is worth. * `prevented`: as in [`ContractModel::prolonged`].
    #[must_use]
    pub fn prolonged(&self, n: u32, worth: &[f64], prevented: f64) -> f64 {
        let dropout = BetaDiscreteWeibull { alpha: self.gamma, beta: self.delta, c: 1.0 };
        dropout.worth_at_rates(n, (1..).zip(worth.iter().copied()), 1.0 - prevented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::distributions::Beta;
    use crate::numeric::philox::Stream;
    use crate::schema::forecasting::Discounting;
    use crate::schema::renewals::RenewalTerm;

    const BDW: BetaDiscreteWeibull = BetaDiscreteWeibull { alpha: 0.4556, beta: 0.7793, c: 1.2835 };

    fn calendar() -> ContractCalendar {
        ContractCalendar {
            as_of: 1_200,
            term: RenewalTerm::Days(365),
            days_per_unit: 365.0,
            horizon_days: 1_825,
            delta: 0.09,
            discounting: Discounting::Continuous,
        }
    }

    /// 400,000 customers with a `θ` each, who have made `n` chances and leave at a part of their rates.
    #[test]
    fn drawn_customers_live_to_see_as_many_renewals() {
        let calendar = calendar();
        for (prevented, start) in [(0.0, 0), (0.4, 0), (0.8, 700), (-0.5, 1_199)] {
            let (made, due) = (calendar.made(start), calendar.due(start).collect::<Vec<_>>());
            let mut stream = Stream::new(11, 5, 1);
            let exposure = |t: u32| f64::from(t).powf(BDW.c);
            let of_beta = Beta::new(BDW.alpha, BDW.beta);
            let (mut weights, mut sum) = (0.0, 0.0);
            for _ in 0..400_000 {
                let stays = 1.0 - of_beta.draw(&mut stream);
                let weight = stays.powf(exposure(made));
                let left = |number: u32| stays.powf((1.0 - prevented) * (exposure(number) - exposure(made)));
                sum += weight * due.iter().map(|(number, factor)| factor * left((*number).max(made))).sum::<f64>();
                weights += weight;
            }
            let (found, expected) =
                (ContractModel::BetaWeibull(BDW).prolonged(start, &calendar, prevented).unwrap(), sum / weights);
            assert!((found / expected - 1.0).abs() < 0.005, "{prevented} {start}: {found} is not {expected}");
        }
    }

    #[test]
    fn nothing_prevented_is_as_it_is_and_everything_leaves_nobody_out() {
        let calendar = calendar();
        let plain = crate::forecast::beta_geometric::ShiftedBetaGeometric { alpha: 0.7, beta: 1.2 };
        for model in [ContractModel::BetaWeibull(BDW), ContractModel::BetaGeometric(plain)] {
            for start in [0, 700, 1_200] {
                let as_it_is = model.prospect(start, &calendar).unwrap().discounted;
                assert!((model.prolonged(start, &calendar, 0.0).unwrap() / as_it_is - 1.0).abs() < 1e-12);
                let all: f64 = calendar.due(start).map(|(_, factor)| factor).sum();
                assert!((model.prolonged(start, &calendar, 1.0).unwrap() / all - 1.0).abs() < 1e-15);
                let by_share =
                    [-1.0, 0.0, 0.1, 0.5, 0.9, 1.0].map(|share| model.prolonged(start, &calendar, share).unwrap());
                assert!(by_share.is_sorted(), "{by_share:?}");
            }
        }
        let donors = BgBb { alpha: 1.2, beta: 0.75, gamma: 0.66, delta: 2.78 };
        let worth = [0.9, 0.8, 0.7];
        let life: f64 = (1..).zip(worth).map(|(j, worth)| worth * donors.dropout(6).survival(j)).sum();
        assert!((donors.prolonged(6, &worth, 0.0) / life - 1.0).abs() < 1e-12);
        assert!((donors.prolonged(6, &worth, 1.0) - 2.4).abs() < 1e-12);
    }
}
