//! Credibility of rates: how far a customer's own rate is believed, and what is believed in its place.
//!
//! A customer has shown `own` money over an `exposure` `w`: its own rate is `X = own / w`. Rates are drawn from a hierarchy,
//! customer in group in base,
//!
//! `Var(X_i | θ_i) = σ²/w_i`, `Var(θ_i | μ_g) = τ²`, `Var(μ_g) = ω²`,
//!
//! so that `X_i` tells of its group's mean with the precision `a_i = w_i / (τ² w_i + σ²)`. With `A_g = Σ a_i` and
//! `X̄_g = Σ a_i X_i / A_g` over a group,
//!
//! * base `M = Σ b_g X̄_g / Σ b_g`, `b_g = A_g / (1 + ω² A_g)`;
//! * group `M_g = (ω² A_g X̄_g + M) / (ω² A_g + 1)`;
//! * customer `(τ² own_i + σ² M_g) / (τ² w_i + σ²)`, that is `Z_i X_i + (1 − Z_i) M_g` with `Z_i = w_i / (w_i + σ²/τ²)`.
//!
//! A rate lies between the customer's own and its group's, a group's between its own and the base's; without exposure it is the
//! group's. What all customers have shown stays: `Σ w_i rate_i = Σ own_i` over those with an exposure.
//!
//! The variances are the data's, by moments: `E (X_i − X̄_g)² = (τ² + σ²/w_i)(1 − h_i)`, `h_i = a_i / A_g`, so `(X_i − X̄_g)² / (1 − h_i)`
//! is regressed on `1` and `1/w_i`, neither coefficient below 0, with weights `(1 − h_i) a_i²` of the variances before, until
//! they rest. A deviation beyond ten of its standard deviations counts as ten, so that one customer who returned more than it
//! bought does not say how all are judged. `ω²` follows from how far the groups' means lie apart. Where all rates of a group
//! are equal they are the group's; without noise everybody has its own. No rate itself is cut off, and means hold every customer.
//!
//! ```
//! use whalecurve::numeric::credibility::{Credibility, Grouped};
//!
//! // Two groups, of 60 % and of 10 %, whatever their customers bought.
//! let (kept, sold) = ([6.0, 18.0, 60.0, 5.0, 2.0, 1.0], [10.0, 30.0, 100.0, 50.0, 20.0, 10.0]);
//! let groups = Grouped { of: &[0, 0, 0, 1, 1, 1], groups: 2 };
//! let found = Credibility::fit(&kept, &sold, groups);
//! let rates = found.rates(&kept, &sold, groups);
//! assert!(rates.iter().zip(groups.of).all(|(rate, group)| (rate - [0.6, 0.1][*group as usize]).abs() < 1e-12));
//! ```
//!
//! Sources: Bühlmann & Straub, Glaubwürdigkeit für Schadensätze, Mitteilungen der Vereinigung schweizerischer
//! Versicherungsmathematiker 70 (1970), 111–133; Jewell, The use of collateral data in credibility theory, Giornale
//! dell'Istituto Italiano degli Attuari 38 (1975), 1–16; Bühlmann & Gisler, A Course in Credibility Theory (2005), chapters 4
//! and 6 (theorem 4.5 and its corollary for the sum that stays); `DerSimonian` & Laird, Controlled Clinical Trials 7 (1986), 177–188, for `ω²`.

use serde::{Deserialize, Serialize};

use super::sums::Compensated;

/// Regressions at most, and the changes of the weight of a mean exposure, and of its variance relative to itself, that are rest.
const STEPS: u32 = 20;
const STILL: f64 = 1e-4;
const STEADY: f64 = 1e-3;
/// A squared deviation counts as so many variances at most.
const FAR: f64 = 100.0;
/// Customers beyond their groups' means, times the share of `1/w` that a constant does not explain, that tell noise from
/// differences, at least. With fewer a mean exposure weighs as much as the group: `σ² = τ² w̄`.
const ENOUGH: f64 = 10.0;

/// Which group each row is in.
#[derive(Clone, Copy, Debug)]
pub struct Grouped<'a> {
    /// Group of each row, below `groups`.
    pub of: &'a [u32],
    /// Number of groups.
    pub groups: usize,
}

/// What rates vary by; all `>= 0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Credibility {
    /// `σ²`: variance of a customer's own rate over an exposure of 1.
    pub within: f64,
    /// `τ²`: variance between customers of a group.
    pub between: f64,
    /// `ω²`: variance between groups.
    pub between_groups: f64,
}

/// Sums over rows for the regression of squared deviations: of its weights by powers of `1/w`, of weighted deviations by the same,
/// and of deviations in units of their variance.
#[derive(Clone, Copy, Default)]
struct Moments {
    weights: [f64; 3],
    squares: [f64; 2],
    standardised: f64,
}

impl Credibility {
    /// Estimates the variances.
    ///
    /// * `own`: of each row, any sign. * `exposure`: of each row; one of 0 or less tells nothing.
    #[must_use]
    pub fn fit(own: &[f64], exposure: &[f64], grouped: Grouped<'_>) -> Self {
        let mut seen = vec![false; grouped.groups];
        let (mut rows, mut total) = (0_usize, Compensated::default());
        for (w, group) in exposure.iter().zip(grouped.of).filter(|(w, _)| **w > 0.0) {
            (rows, seen[*group as usize]) = (rows + 1, true);
            total.add(*w);
        }
        let groups = seen.iter().filter(|seen| **seen).count();
        if rows == 0 {
            return Self::default();
        }
        let mean = total.value() / rows as f64;
        if rows == groups && groups > 1 {
            // No group has two customers: they are customers of one group.
            let all = vec![0; own.len()];
            return Self::of_customers(own, exposure, Grouped { of: &all, groups: 1 }, (rows - 1, mean));
        }
        let mut found = Self::of_customers(own, exposure, grouped, (rows - groups, mean));
        found.between_groups = found.of_groups(own, exposure, grouped, groups);
        found
    }

    /// `σ²` and `τ²`.
    ///
    /// * `free`: rows beyond the groups' means. * `mean`: exposure.
    fn of_customers(own: &[f64], exposure: &[f64], grouped: Grouped<'_>, (free, mean): (usize, f64)) -> Self {
        let mut found = Self { within: mean, between: 1.0, between_groups: 0.0 };
        let mut moments = found.moments(own, exposure, grouped, f64::INFINITY);
        let [one, inverse, square] = moments.weights;
        let told = free as f64 * (1.0 - inverse * inverse / (one * square));
        if free == 0 {
            return Self::default();
        }
        if told.is_nan() || told < ENOUGH {
            let scale = moments.standardised / free as f64;
            return Self { within: scale * mean, between: scale, between_groups: 0.0 };
        }
        for _ in 0..STEPS {
            let (weight, variance) = (found.weight(mean), found.variance(mean));
            let Some(next) = moments.solve() else { break };
            found = next;
            let moved = (found.variance(mean) - variance).abs() > STEADY * variance;
            if found.noise() == 0.0 || !(moved || (found.weight(mean) - weight).abs() > STILL) {
                break;
            }
            moments = found.moments(own, exposure, grouped, FAR);
        }
        found
    }

    /// `ω²`, given the other two: `Σ A_g (X̄_g − X̄)²` beyond the noise of so many groups.
    fn of_groups(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>, groups: usize) -> f64 {
        let means = self.own_means(own, exposure, grouped);
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| means.iter().map(of).sum::<f64>();
        let all = sum(&|(precision, _)| *precision);
        let base = sum(&|(precision, mean)| precision * mean) / all;
        let apart = sum(&|(precision, mean)| precision * (mean - base) * (mean - base));
        let scale = all - sum(&|(precision, _)| precision * precision) / all;
        let noise = self.noise() * (groups as f64 - 1.0);
        if groups > 1 && scale > 0.0 { ((apart - noise) / scale).max(0.0) } else { 0.0 }
    }

    /// Variance of the own rate over this exposure.
    fn variance(&self, exposure: f64) -> f64 {
        self.between + self.within / exposure
    }

    /// `Z`: the weight of the own rate over this exposure, 0 to 1.
    #[must_use]
    pub fn weight(&self, exposure: f64) -> f64 {
        let variance = self.between * exposure + self.within;
        if variance > 0.0 && exposure > 0.0 { self.between * exposure / variance } else { 0.0 }
    }

    /// `a`; where customers of a group do not differ at all, the exposure.
    fn precision(&self, exposure: f64) -> f64 {
        let variance = self.between * exposure + self.within;
        if variance > 0.0 { exposure / variance } else { exposure }
    }

    /// Variance of a group's own mean times its precision: 1, or 0 where its customers do not differ at all.
    fn noise(&self) -> f64 {
        f64::from(u8::from(self.within + self.between > 0.0))
    }

    /// `A_g` and `X̄_g` of every group; zeros of one without exposure.
    fn own_means(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>) -> Vec<(f64, f64)> {
        let mut sums = vec![[Compensated::default(); 2]; grouped.groups];
        for ((own, w), group) in own.iter().zip(exposure).zip(grouped.of).filter(|((_, w), _)| **w > 0.0) {
            let (precision, [all, rates]) = (self.precision(*w), &mut sums[*group as usize]);
            all.add(precision);
            rates.add(precision * (own / w));
        }
        let mean = |[all, rates]: [Compensated; 2]| match all.value() {
            all if all > 0.0 => (all, rates.value() / all),
            _ => (0.0, 0.0),
        };
        sums.into_iter().map(mean).collect()
    }

    /// * `far`: variances that a squared deviation counts as at most.
    fn moments(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>, far: f64) -> Moments {
        let means = self.own_means(own, exposure, grouped);
        let mut sums = Moments::default();
        for ((own, w), group) in own.iter().zip(exposure).zip(grouped.of).filter(|((_, w), _)| **w > 0.0) {
            let (precision, (all, mean)) = (self.precision(*w), means[*group as usize]);
            let (deviation, free) = (own / w - mean, 1.0 - precision / all);
            let standardised = (deviation * deviation * precision).min(far);
            let (weight, square) = (free * precision * precision, standardised * precision);
            sums.weights[0] += weight;
            sums.weights[1] += weight / w;
            sums.weights[2] += weight / w / w;
            sums.squares[0] += square;
            sums.squares[1] += square / w;
            sums.standardised += standardised;
        }
        sums
    }

    /// Mean rate of every group, drawn to the base's by how little its customers say.
    ///
    /// * `own`, `exposure`: as for the fit, or of another amount over the same exposure: means of sums are sums of means.
    #[must_use]
    pub fn means(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>) -> Vec<f64> {
        let (means, noise) = (self.own_means(own, exposure, grouped), self.noise());
        let known = |precision: f64| noise + self.between_groups * precision;
        let weight = |precision: f64| if known(precision) > 0.0 { precision / known(precision) } else { precision };
        let all: f64 = means.iter().map(|(precision, _)| weight(*precision)).sum();
        let base: f64 = means.iter().map(|(precision, mean)| weight(*precision) * mean).sum();
        let base = if all > 0.0 { base / all } else { 0.0 };
        let drawn = |(precision, mean): &(f64, f64)| {
            let own = self.between_groups * precision;
            if own > 0.0 { (own * mean + noise * base) / (own + noise) } else { base }
        };
        means.iter().map(drawn).collect()
    }

    /// Rate of every row, drawn to its group's by how little it says; `own`, `exposure` as for [`Self::means`].
    #[must_use]
    pub fn rates(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>) -> Vec<f64> {
        let means = self.means(own, exposure, grouped);
        let rate = |((own, w), group): ((&f64, &f64), &u32)| {
            let (mean, weight) = (means[*group as usize], self.weight(*w));
            if weight > 0.0 { mean + weight * (own / w - mean) } else { mean }
        };
        own.iter().zip(exposure).zip(grouped.of).map(rate).collect()
    }

    /// Rate of every group: what its rows' rates come to over all that they have shown; that of [`Self::means`] without exposure.
    ///
    /// Of one group that is `Σ own / Σ w`.
    #[must_use]
    pub fn group_rates(&self, own: &[f64], exposure: &[f64], grouped: Grouped<'_>) -> Vec<f64> {
        let mut sums = vec![[Compensated::default(); 2]; grouped.groups];
        let rates = self.rates(own, exposure, grouped);
        for ((rate, w), group) in rates.iter().zip(exposure).zip(grouped.of).filter(|((_, w), _)| **w > 0.0) {
            let [brought, all] = &mut sums[*group as usize];
            brought.add(rate * w);
            all.add(*w);
        }
        let means = self.means(own, exposure, grouped);
        let rate = |([brought, all], mean): ([Compensated; 2], f64)| match all.value() {
            all if all > 0.0 => brought.value() / all,
            _ => mean,
        };
        sums.into_iter().zip(means).map(rate).collect()
    }
}

impl Moments {
    /// `τ²` and `σ²` of the regression; one that would be negative is 0. `None` where exposures do not tell them apart.
    fn solve(&self) -> Option<Credibility> {
        let ([one, inverse, square], [flat, steep]) = (self.weights, self.squares);
        let determinant = one * square - inverse * inverse;
        if determinant.is_nan() || determinant <= 0.0 {
            return None;
        }
        let (between, within) = (flat * square - steep * inverse, steep * one - flat * inverse);
        let (within, between) = if between < 0.0 {
            (steep / square, 0.0)
        } else if within < 0.0 {
            (0.0, flat / one)
        } else {
            (within / determinant, between / determinant)
        };
        Some(Credibility { within, between, between_groups: 0.0 })
    }
}

#[cfg(test)]
mod tests;
