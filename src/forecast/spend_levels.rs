//! Levels of spend of groups of customers: one model of spend for all, and a level of every group that is drawn towards the
//! others' by how little its customers say (`pooling` of one parameter).
//!
//! * Gamma-Gamma: the amounts of group `j` are those of all times `s_j`, that is `γ_j = γ s_j`, `ln s_j ~ N(0, τ²)`.
//! * Normal: they are those of all plus `s_j`, that is `μ_j = μ + s_j`, `s_j ~ N(0, τ²)`.
//!
//! So an amount divided by (less) its group's level is one of the common model, and what is expected of it is multiplied (added)
//! back. The levels, then the model's other parameters given them, are fitted by turns until they rest. Without a level that the
//! data tell apart (Akaike's criterion) there are none, and all have the common fit to the last bit.
//!
//! Source: Robbins 1956; Laird & Ware, Biometrics 38 (1982), 963–974; Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42
//! (2005), 415–430, for the scale of Gamma-Gamma.

use serde::{Deserialize, Serialize};

use super::contribution::Rates;
use super::fit::Fit;
use super::gamma_gamma::GammaGamma;
use super::normal_spend::NormalSpend;
use super::pooling::{Pooled, pool};
use super::spend_model::SpendModel;
use crate::numeric::newton::Evaluation;
use crate::schema::forecasting::SpendKind;

/// Turns of levels and common model at most, and the change of a level that is rest.
const TURNS: u32 = 50;
const STILL: f64 = 1e-9;

/// Levels of spend, one a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpendLevels {
    /// Whether levels multiply amounts; else they are added.
    pub multiplies: bool,
    /// Standard deviation between groups: of the levels' logarithms, or of the levels in major units.
    pub between: f64,
    /// Level of a group that was not there.
    pub unseen: f64,
    /// Sorted by name.
    pub groups: Vec<SpendLevel>,
}

/// Level of spend of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpendLevel {
    /// Name of the group.
    pub name: String,
    /// Factor on the amounts of all, `> 0`, or what is added to them, major units.
    pub level: f64,
    /// How much of it comes from the group's own customers: 0 = all from the others, 1 = nothing.
    pub weight: f64,
}

/// Rows of a fit with their groups.
struct Rows<'a> {
    kind: SpendKind,
    x: &'a [u32],
    total: &'a [f64],
    of: &'a [u32],
    groups: usize,
}

impl SpendLevels {
    /// Fits levels beside a common fit; the model of amounts without their level, and the levels. `None` where the common fit
    /// has failed, or where groups do not differ by more than chance.
    ///
    /// * `x`, `total`, `squares`: as in [`SpendModel::fit`]. * `names`: of the groups, ascending. * `of`: group of each row.
    #[must_use]
    pub fn fit(
        common: &Fit<SpendModel>,
        x: &[u32],
        (total, squares): (&[f64], &[f64]),
        (names, of): (&[String], &[u32]),
    ) -> Option<(Fit<SpendModel>, Self)> {
        let kind = common.fitted().ok()?.kind();
        let rows = Rows { kind, x, total, of, groups: names.len() };
        if names.len() < 2 {
            return None;
        }
        let (mut fit, mut level) = (common.clone(), vec![rows.neutral(); names.len()]);
        let mut pooled = None;
        for _ in 0..TURNS {
            let (found, centre, unit) = rows.pool(fit.fitted().ok()?)?;
            let of_point = |point: f64| match kind {
                SpendKind::GammaGamma => libm::exp(point - centre),
                SpendKind::Normal => unit * (point - centre),
            };
            // A common level is the model's own.
            let next: Vec<f64> =
                found.groups.iter().map(|group| of_point(group.point[0] - found.mean[0] + centre)).collect();
            let moved = next.iter().zip(&level).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
            let scale = next.iter().fold(0.0_f64, |most, level| most.max(level.abs()));
            (level, pooled) = (next, Some((found, unit)));
            let refit = SpendModel::fit(kind, x, &rows.without(&level), squares);
            refit.fitted().ok()?;
            fit = refit;
            if moved <= STILL * scale {
                break;
            }
        }
        let (found, unit) = pooled?;
        let groups = names.iter().zip(&level).zip(&found.groups).map(|((name, level), group)| SpendLevel {
            name: name.clone(),
            level: *level,
            weight: group.weight,
        });
        let spread = found.factor[0][0];
        let levels = Self {
            multiplies: kind == SpendKind::GammaGamma,
            between: if kind == SpendKind::GammaGamma { spread } else { unit * spread },
            unseen: rows.neutral(),
            groups: groups.collect(),
        };
        // Of the amounts themselves: a density of z̄/s is s times that of z̄.
        if kind == SpendKind::GammaGamma {
            let usable = x.iter().zip(total).zip(of).filter(|((x, total), _)| **x > 0 && **total > 0.0);
            let by_scale: f64 = usable.map(|(_, group)| libm::log(level[*group as usize])).sum();
            fit.log_likelihood = fit.log_likelihood.map(|value| value - by_scale);
        }
        fit.notes.push(levels.in_words());
        Some((fit, levels))
    }

    fn in_words(&self) -> String {
        let level = |group: &SpendLevel| group.level;
        let (least, most) = (
            self.groups.iter().map(level).fold(f64::INFINITY, f64::min),
            self.groups.iter().map(level).fold(f64::NEG_INFINITY, f64::max),
        );
        let what = if self.multiplies { "times" } else { "more than" };
        format!(
            "groups spend from {least:.2} to {most:.2} {what} the mean group on a purchase; small groups are drawn towards it"
        )
    }

    /// Level of every row.
    ///
    /// * `names`: of the groups. * `of`: group of each row.
    #[must_use]
    pub fn of_rows(&self, names: &[String], of: &[u32]) -> Vec<f64> {
        let level: Vec<f64> = names
            .iter()
            .map(|name| match self.find(name) {
                Some(group) => group.level,
                None => self.unseen,
            })
            .collect();
        of.iter().map(|group| level[*group as usize]).collect()
    }

    /// The group with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&SpendLevel> {
        let at = self.groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()?;
        Some(&self.groups[at])
    }

    /// Whether all levels are finite, and positive where they multiply.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let right = |level: f64| level.is_finite() && (!self.multiplies || level > 0.0);
        self.groups.iter().map(|group| group.level).chain([self.unseen]).all(right)
            && self.groups.windows(2).all(|pair| pair[0].name < pair[1].name)
    }

    /// Amounts without their level: those of the common model.
    ///
    /// * `x`: repeat purchases. * `total`: their money, major units. * `level`: of every row.
    #[must_use]
    pub fn without(&self, x: &[u32], total: &[f64], level: &[f64]) -> Vec<f64> {
        without(self.multiplies, x, total, level)
    }

    /// What is expected of a purchase, with its level.
    #[must_use]
    pub fn with(&self, mean: &[f64], level: &[f64]) -> Vec<f64> {
        let one = |(mean, level): (&f64, &f64)| if self.multiplies { mean * level } else { mean + level };
        mean.iter().zip(level).map(one).collect()
    }

    /// Rates for amounts without their level: what a purchase brings is the same.
    #[must_use]
    pub fn rates(&self, rates: Rates, level: &[f64]) -> Rates {
        let Rates { mut margin_rate, mut order_cost, sustaining_rate } = rates;
        for ((margin, cost), level) in margin_rate.iter_mut().zip(&mut order_cost).zip(level) {
            if self.multiplies {
                *margin *= level;
            } else {
                *cost -= *margin * level;
            }
        }
        Rates { margin_rate, order_cost, sustaining_rate }
    }
}

fn without(multiplies: bool, x: &[u32], total: &[f64], level: &[f64]) -> Vec<f64> {
    let one = |((x, total), level): ((&u32, &f64), &f64)| {
        if multiplies { total / level } else { total - f64::from(*x) * level }
    };
    x.iter().zip(total).zip(level).map(one).collect()
}

impl Rows<'_> {
    /// The level that changes nothing.
    fn neutral(&self) -> f64 {
        if self.kind == SpendKind::GammaGamma { 1.0 } else { 0.0 }
    }

    fn without(&self, level: &[f64]) -> Vec<f64> {
        let of_row: Vec<f64> = self.of.iter().map(|group| level[*group as usize]).collect();
        without(self.kind == SpendKind::GammaGamma, self.x, self.total, &of_row)
    }

    /// Pools the level of every group, the other parameters given; with the level of the model and its unit.
    fn pool(&self, model: &SpendModel) -> Option<(Pooled<1>, f64, f64)> {
        let mut parts: Vec<(Vec<u32>, Vec<f64>)> = vec![(Vec::new(), Vec::new()); self.groups];
        for ((x, total), group) in self.x.iter().zip(self.total).zip(self.of) {
            let part = &mut parts[*group as usize];
            part.0.push(*x);
            part.1.push(*total);
        }
        let one = |value: f64, slope: f64, bend: f64| Evaluation { value, gradient: [slope], hessian: [[bend]] };
        match *model {
            SpendModel::GammaGamma(GammaGamma { p, q, gamma }) => {
                let centre = libm::log(gamma);
                let [p, q] = [p, q].map(libm::log);
                let found = pool(self.groups, &[centre], |group, &[ln]| {
                    let (x, total) = &parts[group];
                    let at = GammaGamma::evaluation(x, total, &[p, q, ln]);
                    one(at.value, at.gradient[2], at.hessian[2][2])
                });
                Some((found?, centre, 1.0))
            }
            SpendModel::Normal(NormalSpend { mean, within, between }) => {
                // In the standard deviation of a mean of one purchase, as logarithms are in powers of e.
                let unit = libm::sqrt(within * within + between * between);
                let centre = mean / unit;
                let found = pool(self.groups, &[centre], |group, &[level]| {
                    let (x, total) = &parts[group];
                    // The spread within customers says nothing of the level.
                    let squares = vec![0.0; x.len()];
                    let at = [unit * level, within * within, between * between];
                    let at = NormalSpend::evaluation(x, total, &squares, &at);
                    one(at.value, unit * at.gradient[0], unit * unit * at.hessian[0][0])
                });
                Some((found?, centre, unit))
            }
        }
    }
}
