//! Elimination without subtraction, for shares that nodes pass on to each other and to the outside.
//!
//! Ordinary elimination forms `1 − P[n][n]` and loses digits as a loop tightens. Here that pivot is the sum of all that leaves
//! `n`, so nothing cancels.
//!
//! Source: Grassmann, Taksar & Heyman, Regenerative analysis and steady state distributions for Markov chains,
//! Operations Research 33 (1985), 1107–1116; the outside is their state 0, into which everything is absorbed.

use rayon::prelude::*;

/// Rows per task of the elimination; fewer would cost more in scheduling than they save.
const ROWS: usize = 64;

/// The eliminated matrix of nodes that pass on to each other and, in the end, to the outside.
#[derive(Clone, Debug)]
pub struct Elimination {
    size: usize,
    /// `size` rows of shares to every node of the loop and, last, to the outside.
    rows: Vec<f64>,
    /// `1 − P[n][n]` after the nodes above `n` are eliminated.
    pivots: Vec<f64>,
}

impl Elimination {
    /// Eliminates the nodes from the last to the first; time `size³ / 3`.
    ///
    /// * `rows`: `size` rows of `size + 1` shares, the last to the outside. What a node sends itself is not read.
    ///
    /// `None` when a pivot vanishes: nothing leaves the loop that a float can see.
    #[must_use]
    pub fn new(size: usize, mut rows: Vec<f64>) -> Option<Self> {
        let width = size + 1;
        let mut pivots = vec![0.0; size];
        for node in (0..size).rev() {
            let (above, below) = rows.split_at_mut(node * width);
            let row = &below[..width];
            let pivot = row[..node].iter().sum::<f64>() + row[size];
            if !pivot.is_normal() {
                return None;
            }
            pivots[node] = pivot;
            let censor = |other: &mut [f64]| {
                let factor = other[node] / pivot;
                if factor > 0.0 {
                    other[..node].iter_mut().zip(row).for_each(|(share, through)| *share += factor * through);
                    other[size] += factor * row[size];
                }
            };
            above.par_chunks_exact_mut(width).with_min_len(ROWS).for_each(censor);
        }
        Some(Self { size, rows, pivots })
    }

    /// `x = own + Pᵀ x`: what every node has once it has all that the others pass on to it; in costing the gross cost.
    ///
    /// Each has a relative error of about `size · 2⁻⁵³`, whatever the loop, when no `own` is negative.
    #[must_use]
    pub fn gross(&self, own: &[f64]) -> Vec<f64> {
        let width = self.size + 1;
        let mut gross = own.to_vec();
        for node in (1..self.size).rev() {
            let (above, below) = gross.split_at_mut(node);
            let factor = below[0] / self.pivots[node];
            above.iter_mut().zip(&self.rows[node * width..]).for_each(|(cost, share)| *cost += factor * share);
        }
        for node in 0..self.size {
            let served: f64 = (0..node).map(|other| gross[other] * self.rows[other * width + node]).sum();
            gross[node] = (gross[node] + served) / self.pivots[node];
        }
        gross
    }

    /// `x = own + P x`: what a visitor that begins at each node gathers until it is outside, `own` at every visit.
    #[must_use]
    pub fn gathered(&self, own: &[f64]) -> Vec<f64> {
        let width = self.size + 1;
        let mut gathered = own.to_vec();
        for node in (1..self.size).rev() {
            let (before, at) = gathered.split_at_mut(node);
            let own = at[0] / self.pivots[node];
            for (other, gathered) in before.iter_mut().enumerate() {
                *gathered += self.rows[other * width + node] * own;
            }
        }
        for node in 0..self.size {
            let passed: f64 = (0..node).map(|other| self.rows[node * width + other] * gathered[other]).sum();
            gathered[node] = (gathered[node] + passed) / self.pivots[node];
        }
        gathered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two subtraction-free steps: a few units in the last place.
    const TWO_NODES: f64 = 8.0 * f64::EPSILON;

    #[test]
    fn a_loop_that_gives_out_a_trillionth_keeps_sixteen_digits() {
        // Each node passes 1 − 10⁻¹² to the other; by symmetry half of the two costs leaves from each.
        let exit = 1e-12;
        let factors = Elimination::new(2, vec![0.0, 1.0 - exit, exit, 1.0 - exit, 0.0, exit]).unwrap();
        let gross = factors.gross(&[1.0, 1.0]);
        for cost in gross {
            assert!((cost * exit - 1.0).abs() < TWO_NODES, "{cost}");
        }
    }

    #[test]
    fn a_closed_loop_has_no_pivot() {
        assert!(Elimination::new(2, vec![0.0, 1.0, 0.0, 1.0, 0.0, 0.0]).is_none());
    }

    #[test]
    fn visitors_gather_what_they_are_given() {
        // (I − P) x = c with P = [[.2, .3], [.4, .1]]: x = (.9·1 + .3·2, .4·1 + .8·2)/(.72 − .12).
        let x = Elimination::new(2, vec![0.2, 0.3, 0.5, 0.4, 0.1, 0.5]).unwrap().gathered(&[1.0, 2.0]);
        assert!((x[0] - 1.5 / 0.6).abs() < 1e-14 && (x[1] - 2.0 / 0.6).abs() < 1e-14, "{x:?}");
    }
}
