//! How much groups differ: the mean and the covariance of normal parameters, from what each group's data say of its own.
//!
//! Group `j` has parameters `θ_j = μ + Λ u_j`, `u_j ~ N(0, I)`, so that `ΛΛᵀ` is the covariance between groups, and its data
//! say `ln L_j = b_jᵀθ − ½ θᵀA_jθ` up to a constant. `μ` and `Λ` maximise the likelihood of all groups' data,
//!
//! `Σ_j [b_jᵀμ − ½ μᵀA_jμ + ½ r_jᵀΛ P_j⁻¹ Λᵀr_j − ½ ln|P_j|]`, `r_j = b_j − A_jμ`, `P_j = I + ΛᵀA_jΛ`,
//!
//! which needs no inverse of `A_j` or of the covariance: a group of which some parameter says nothing takes part, and a
//! variance may be 0. `μ` follows from `Λ` by generalised least squares; `Λ` by the EM algorithm with the covariance of
//! `u` as expanded parameter, whose steps stay geometric where a variance goes to 0.
//!
//! Sources: Laird & Ware, Random-effects models for longitudinal data, Biometrics 38 (1982), 963–974; Liu, Rubin & Wu,
//! Parameter expansion to accelerate EM: the PX-EM algorithm, Biometrika 85 (1998), 755–770.

use crate::numeric::matrix::{Cholesky, Symmetric, pseudo_inverse};

/// Steps of the algorithm at most.
const STEPS: u32 = 2_000;
/// A step that moves no parameter by more than this, in standard errors of one mean group, is the last.
const STILL: f64 = 1e-9;
/// A direction of which all groups together know less than this, relative to the diagonal, stays where the common fit is: along
/// a limit that a fit has reached, the mean would wander.
const UNKNOWN: f64 = 1e-6;
/// Groups a varying parameter that correlations are looked for in, at least.
const GROUPS_FOR_CORRELATION: usize = 3;

/// What the data of one group say of its parameters: `ln L = vectorᵀθ − ½ θᵀ matrix θ` up to a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Information<const N: usize> {
    /// Positive semidefinite.
    pub(super) matrix: Symmetric<N>,
    pub(super) vector: [f64; N],
}

/// Mean and covariance of the groups' parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Between<const N: usize> {
    pub(super) mean: [f64; N],
    /// `Λ`, lower triangular; its product with its transpose is the covariance.
    pub(super) factor: [[f64; N]; N],
    /// Covariance of the mean, given `Λ`.
    pub(super) mean_covariance: Symmetric<N>,
    /// Log-likelihood of all groups' data, up to the groups' constants.
    pub(super) value: f64,
}

/// Which parameters differ between groups, and whether their differences are correlated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Structure<const N: usize> {
    pub(super) varies: [bool; N],
    pub(super) correlated: bool,
}

/// What is known of one group's `u` given `μ` and `Λ`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Posterior<const N: usize> {
    /// `AΛ`.
    pub(super) leverage: [[f64; N]; N],
    /// `P⁻¹`.
    pub(super) covariance: Symmetric<N>,
    ln_determinant: f64,
}

impl<const N: usize> Structure<N> {
    /// Everything may differ, each parameter by itself.
    pub(super) const ALL: Self = Self { varies: [true; N], correlated: false };

    /// Number of variances and correlations.
    pub(super) fn parameters(&self) -> usize {
        let varying = self.varies.iter().filter(|varies| **varies).count();
        if self.correlated { varying * (varying + 1) / 2 } else { varying }
    }

    fn without(&self, parameter: usize) -> Self {
        let mut other = *self;
        other.varies[parameter] = false;
        other
    }

    /// Entries of `Λ` that are not 0: (row, column).
    fn entries(&self) -> Vec<(usize, usize)> {
        let varying: Vec<usize> = (0..N).filter(|k| self.varies[*k]).collect();
        if !self.correlated {
            return varying.into_iter().map(|k| (k, k)).collect();
        }
        let row = |k: &usize| varying.iter().filter(move |l| **l <= *k).map(|l| (*k, *l)).collect::<Vec<_>>();
        varying.iter().flat_map(row).collect()
    }

    /// What the data need: variances whose loss costs the log-likelihood more than 1, correlations that bring it more than
    /// 1 each (Akaike 1974); a variance more must earn its place.
    pub(super) fn of(groups: &[Information<N>]) -> (Self, Between<N>) {
        let mut best = (Self::ALL, Between::fit(groups, &Self::ALL));
        loop {
            let fewer = (0..N).filter(|k| best.0.varies[*k]).map(|k| {
                let structure = best.0.without(k);
                (structure, Between::fit(groups, &structure))
            });
            let least = fewer.max_by(|left, right| left.1.value.total_cmp(&right.1.value));
            match least {
                Some(fewer) if best.1.value - fewer.1.value < 1.0 => best = fewer,
                _ => break,
            }
        }
        let varying = best.0.parameters();
        if varying >= 2 && groups.len() >= GROUPS_FOR_CORRELATION * varying {
            let structure = Self { correlated: true, ..best.0 };
            let between = Between::fit(groups, &structure);
            if between.value - best.1.value > (structure.parameters() - varying) as f64 {
                best = (structure, between);
            }
        }
        best
    }
}

impl<const N: usize> Information<N> {
    /// `P⁻¹` and its kind for this `Λ`.
    pub(super) fn posterior(&self, factor: &[[f64; N]; N]) -> Posterior<N> {
        let leverage: [[f64; N]; N] = std::array::from_fn(|i| {
            std::array::from_fn(|l| (0..N).map(|k| self.matrix[i][k] * factor[k][l]).sum::<f64>())
        });
        let inner: Symmetric<N> = std::array::from_fn(|l| {
            std::array::from_fn(|m| {
                let (l, m) = (l.min(m), l.max(m));
                f64::from(u8::from(l == m)) + (0..N).map(|k| factor[k][l] * leverage[k][m]).sum::<f64>()
            })
        });
        // I plus a positive semidefinite matrix has a factor.
        let (covariance, ln_determinant) = Cholesky::new(&inner)
            .map_or((std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)))), 0.0), |factor| {
                (factor.inverse(), factor.ln_determinant())
            });
        Posterior { leverage, covariance, ln_determinant }
    }

    /// `b − Aθ`.
    fn rest(&self, theta: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|i| self.vector[i] - dot(&self.matrix[i], theta))
    }
}

impl<const N: usize> Posterior<N> {
    /// Mean of `u` where `b − Aμ` is `rest`.
    fn centre(&self, factor: &[[f64; N]; N], rest: &[f64; N]) -> [f64; N] {
        let seen: [f64; N] = std::array::from_fn(|l| (0..N).map(|k| factor[k][l] * rest[k]).sum());
        std::array::from_fn(|l| dot(&self.covariance[l], &seen))
    }

    /// `−½ ln|P|`.
    pub(super) fn ln_spread(&self) -> f64 {
        -0.5 * self.ln_determinant
    }
}

impl<const N: usize> Between<N> {
    /// Maximum likelihood under a structure.
    pub(super) fn fit(groups: &[Information<N>], structure: &Structure<N>) -> Self {
        let entries = structure.entries();
        let n = groups.len().max(1) as f64;
        let mean_information: [f64; N] =
            std::array::from_fn(|k| groups.iter().map(|group| group.matrix[k][k]).sum::<f64>() / n);
        let mut factor = [[0.0; N]; N];
        for &(k, _) in entries.iter().filter(|(k, l)| k == l && mean_information[*k] > 0.0) {
            factor[k][k] = 1.0 / libm::sqrt(mean_information[k]);
        }
        let mut posteriors: Vec<Posterior<N>> = groups.iter().map(|group| group.posterior(&factor)).collect();
        let mut here = mean_given(groups, &posteriors, &factor);
        for _ in 0..if entries.is_empty() { 0 } else { STEPS } {
            let next = step(groups, &posteriors, &factor, &here.0, &entries, structure.correlated);
            let moved = entries
                .iter()
                .map(|&(k, l)| (next[k][l] - factor[k][l]).abs() * libm::sqrt(mean_information[k]))
                .fold(0.0, f64::max);
            factor = next;
            posteriors = groups.iter().map(|group| group.posterior(&factor)).collect();
            here = mean_given(groups, &posteriors, &factor);
            if moved < STILL {
                break;
            }
        }
        let (mean, mean_covariance) = here;
        let value = |(group, posterior): (&Information<N>, &Posterior<N>)| {
            let rest = group.rest(&mean);
            let centre = posterior.centre(&factor, &rest);
            let seen: f64 = (0..N).map(|l| centre[l] * (0..N).map(|k| factor[k][l] * rest[k]).sum::<f64>()).sum();
            0.5 * (dot(&group.vector, &mean) + dot(&rest, &mean) + seen) + posterior.ln_spread()
        };
        Self { mean, factor, mean_covariance, value: groups.iter().zip(&posteriors).map(value).sum() }
    }
}

/// The mean by generalised least squares, and its covariance; 0 along directions of which nothing is known.
fn mean_given<const N: usize>(
    groups: &[Information<N>],
    posteriors: &[Posterior<N>],
    factor: &[[f64; N]; N],
) -> ([f64; N], Symmetric<N>) {
    let (mut information, mut right) = ([[0.0; N]; N], [0.0; N]);
    for (group, posterior) in groups.iter().zip(posteriors) {
        let seen: [f64; N] = posterior.centre(factor, &group.vector);
        let lost = times(&posterior.leverage, &posterior.covariance);
        for i in 0..N {
            right[i] += group.vector[i] - dot(&posterior.leverage[i], &seen);
            for (j, leverage) in posterior.leverage.iter().enumerate() {
                information[i][j] += group.matrix[i][j] - dot(&lost[i], leverage);
            }
        }
    }
    let information = std::array::from_fn(|i| std::array::from_fn(|j| 0.5 * (information[i][j] + information[j][i])));
    let covariance = pseudo_inverse(&information, UNKNOWN);
    (std::array::from_fn(|i| dot(&covariance[i], &right)), covariance)
}

/// One step: the regression of the groups' parameters on the expectations of `u`, then `u` scaled back to unit covariance.
fn step<const N: usize>(
    groups: &[Information<N>],
    posteriors: &[Posterior<N>],
    factor: &[[f64; N]; N],
    mean: &[f64; N],
    entries: &[(usize, usize)],
    correlated: bool,
) -> [[f64; N]; N] {
    let size = entries.len();
    let (mut normal, mut right) = (vec![vec![0.0; size]; size], vec![0.0; size]);
    let mut scale = [[0.0; N]; N];
    for (group, posterior) in groups.iter().zip(posteriors) {
        let rest = group.rest(mean);
        let centre = posterior.centre(factor, &rest);
        let square: Symmetric<N> =
            std::array::from_fn(|l| std::array::from_fn(|m| posterior.covariance[l][m] + centre[l] * centre[m]));
        for (at, &(k, l)) in entries.iter().enumerate() {
            right[at] += rest[k] * centre[l];
            for (other, &(i, m)) in entries.iter().enumerate().take(at + 1) {
                normal[at][other] += group.matrix[k][i] * square[l][m];
            }
        }
        for l in 0..N {
            for m in 0..N {
                scale[l][m] += square[l][m] / groups.len() as f64;
            }
        }
    }
    let mut next = [[0.0; N]; N];
    for (&(k, l), value) in entries.iter().zip(solve(normal, right)) {
        next[k][l] = value;
    }
    let varies: [bool; N] = std::array::from_fn(|k| entries.contains(&(k, k)));
    let scale = std::array::from_fn(|l| {
        std::array::from_fn(|m| match (l == m, varies[l] && varies[m] && correlated) {
            (true, _) if varies[l] => scale[l][l],
            (false, true) => scale[l][m],
            _ => f64::from(u8::from(l == m)),
        })
    });
    Cholesky::new(&scale).map_or(next, |root| times(&next, &root.lower()))
}

/// The solution of a positive semidefinite system, given its lower half; 0 where a pivot is lost in rounding.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    let smallest: Vec<f64> = (0..size).map(|i| 1e-13 * matrix[i][i]).collect();
    for pivot in 0..size {
        let kept = matrix[pivot][pivot] > smallest[pivot] && matrix[pivot][pivot] > 0.0;
        for row in pivot + 1..size {
            let share = if kept { matrix[row][pivot] / matrix[pivot][pivot] } else { 0.0 };
            let (above, below) = matrix.split_at_mut(row);
            let own = below[0][pivot];
            for (column, entry) in below[0].iter_mut().enumerate().take(row + 1).skip(pivot + 1) {
                *entry -= share * if column == row { own } else { above[column][pivot] };
            }
            right[row] -= share * right[pivot];
        }
        // Kept as the shares of back substitution.
        for row in pivot + 1..size {
            matrix[row][pivot] = if kept { matrix[row][pivot] / matrix[pivot][pivot] } else { 0.0 };
        }
        right[pivot] = if kept { right[pivot] } else { 0.0 };
        if !kept {
            matrix[pivot][pivot] = 1.0;
        }
    }
    for pivot in (0..size).rev() {
        let later: f64 = (pivot + 1..size).map(|row| matrix[row][pivot] * right[row]).sum();
        right[pivot] = right[pivot] / matrix[pivot][pivot] - later;
    }
    right
}

fn times<const N: usize>(left: &[[f64; N]; N], right: &[[f64; N]; N]) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..N).map(|k| left[i][k] * right[k][j]).sum()))
}

fn dot<const N: usize>(left: &[f64; N], right: &[f64; N]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups that each know their parameters `at` with the same precision.
    fn known<const N: usize>(at: &[[f64; N]], precision: f64) -> Vec<Information<N>> {
        let matrix = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { precision } else { 0.0 }));
        at.iter().map(|at| Information { matrix, vector: at.map(|value| precision * value) }).collect()
    }

    #[test]
    fn a_variance_is_what_the_groups_spread_beyond_their_own_errors() {
        // Groups at −3, −1, 2, 6 have mean 1 and variance 11.5; of that 1/0.5 is error (Efron & Morris 1973, as maximum
        // likelihood: σ² = max(0, s² − 1/A)).
        let at = [[-3.0], [-1.0], [2.0], [6.0]];
        let found = Between::fit(&known(&at, 0.5), &Structure::ALL);
        assert!((found.mean[0] - 1.0).abs() < 1e-12);
        assert!((found.factor[0][0].powi(2) - 9.5).abs() < 1e-6, "{found:?}");
        // Each group tells of the mean with variance 9.5 + 2.
        assert!((found.mean_covariance[0][0] - 11.5 / 4.0).abs() < 1e-6);
        // −½ Σ ln 2π(σ²+1/A) − ½ Σ (t−μ)²/(σ²+1/A), less the same at σ² = 0 and each t: b = At, so without ½ A t² and ln A.
        let value = -0.5 * 4.0 * f64::ln(11.5 * 0.5) - 0.5 * 46.0 / 11.5 + 0.5 * 0.5 * (9.0 + 1.0 + 4.0 + 36.0);
        assert!((found.value - value).abs() < 1e-9, "{} {value}", found.value);
        let found = Between::fit(&known(&at, 1.0 / 12.0), &Structure::ALL);
        assert!(found.factor[0][0].abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn correlated_parameters_have_the_covariance_of_the_groups_less_their_errors() {
        let at = [[-3.0, -2.0], [-1.0, 1.0], [2.0, 0.0], [2.0, 4.0], [4.0, 2.0], [-4.0, -5.0]];
        let found = Between::fit(&known(&at, 2.0), &Structure { varies: [true; 2], correlated: true });
        let entry = |i: usize, j: usize| at.iter().map(|at| at[i] * at[j]).sum::<f64>() / 6.0;
        for i in 0..2 {
            assert!(found.mean[i].abs() < 1e-12);
            for j in 0..2 {
                let own = if i == j { 0.5 } else { 0.0 };
                let covariance = dot(&found.factor[i], &found.factor[j]);
                assert!((covariance - entry(i, j) + own).abs() < 1e-6, "{i} {j}: {covariance}");
            }
        }
    }

    #[test]
    fn a_variance_that_earns_nothing_is_left_out_and_one_that_does_is_kept() {
        // The first parameter spreads far beyond its errors of 1, the second by exactly them.
        let at: Vec<[f64; 2]> = (0..12).map(|i| [f64::from(i) - 5.5, if i % 2 == 0 { 1.0 } else { -1.0 }]).collect();
        let (structure, found) = Structure::of(&known(&at, 1.0));
        assert_eq!(structure, Structure { varies: [true, false], correlated: false });
        assert!((found.factor[0][0].powi(2) - (143.0 / 12.0 - 1.0)).abs() < 1e-6 && found.factor[1][1] == 0.0);
        // All the same: one common fit.
        let (structure, found) = Structure::of(&known(&[[0.3, -2.0]; 5], 4.0));
        assert_eq!((structure.parameters(), found.factor), (0, [[0.0; 2]; 2]));
        assert!((found.mean[0] - 0.3).abs() < 1e-12 && (found.mean[1] + 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_group_that_knows_nothing_of_a_parameter_takes_part_with_the_others() {
        let mut groups = known(&[[1.0, 5.0], [3.0, 5.5], [2.0, 4.5], [9.0, 5.0]], 3.0);
        groups[1].matrix[1][1] = 0.0;
        groups[1].vector[1] = 0.0;
        let found = Between::fit(&groups, &Structure { varies: [true, false], correlated: false });
        assert!((found.mean[0] - 3.75).abs() < 1e-12 && (found.mean[1] - 14.5 / 3.0).abs() < 1e-12, "{found:?}");
        // Of a parameter that nobody knows, nothing is known.
        for group in &mut groups {
            (group.matrix[1][1], group.vector[1]) = (0.0, 0.0);
        }
        let found = Between::fit(&groups, &Structure::ALL);
        assert!(found.mean[1] == 0.0 && found.factor[1][1] == 0.0 && found.value.is_finite(), "{found:?}");
    }
}
