//! Small symmetric matrices: Cholesky factor, solution, inverse, eigenvalues.

/// A symmetric `N × N` matrix, both halves filled.
pub type Symmetric<const N: usize> = [[f64; N]; N];

/// The lower Cholesky factor `L` of a positive definite matrix, `L Lᵀ = A`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cholesky<const N: usize> {
    lower: [[f64; N]; N],
}

impl<const N: usize> Cholesky<N> {
    /// Factor `matrix`; `None` where it is not positive definite (or not finite).
    ///
    /// A pivot below `N ε` times its diagonal counts as zero: the matrix is then singular to working precision.
    ///
    /// Source: Golub & Van Loan, Matrix Computations (2013), algorithm 4.2.1.
    #[must_use]
    pub fn new(matrix: &Symmetric<N>) -> Option<Self> {
        let mut lower = [[0.0; N]; N];
        for row in 0..N {
            for column in 0..=row {
                let dot: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
                let rest = matrix[row][column] - dot;
                if row == column {
                    let smallest = N as f64 * f64::EPSILON * matrix[row][row];
                    let positive = rest.is_finite() && rest > smallest && rest > 0.0;
                    if !positive {
                        return None;
                    }
                    lower[row][row] = libm::sqrt(rest);
                } else {
                    lower[row][column] = rest / lower[column][column];
                }
            }
        }
        Some(Self { lower })
    }

    /// `L z`: with standard normal `z` a draw of covariance `A`.
    #[must_use]
    pub fn times(&self, z: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|row| (0..=row).map(|k| self.lower[row][k] * z[k]).sum())
    }

    /// `A⁻¹ b`.
    #[must_use]
    pub fn solve(&self, b: &[f64; N]) -> [f64; N] {
        let mut x = *b;
        for row in 0..N {
            let dot: f64 = (0..row).map(|k| self.lower[row][k] * x[k]).sum();
            x[row] = (x[row] - dot) / self.lower[row][row];
        }
        for row in (0..N).rev() {
            let dot: f64 = (row + 1..N).map(|k| self.lower[k][row] * x[k]).sum();
            x[row] = (x[row] - dot) / self.lower[row][row];
        }
        x
    }

    /// `A⁻¹`.
    #[must_use]
    pub fn inverse(&self) -> Symmetric<N> {
        let mut inverse: Symmetric<N> = [[0.0; N]; N];
        for (i, column) in inverse.iter_mut().enumerate() {
            let mut unit = [0.0; N];
            unit[i] = 1.0;
            *column = self.solve(&unit);
        }
        // Symmetric to the last bit.
        std::array::from_fn(|i| std::array::from_fn(|j| 0.5 * (inverse[i][j] + inverse[j][i])))
    }
}

/// Sweeps after which any small matrix is diagonal to the last bit.
const SWEEPS: u32 = 30;

/// Eigenvalues of a symmetric matrix and their unit eigenvectors, in no particular order, by Jacobi's rotations.
///
/// Source: Golub & Van Loan, Matrix Computations (2013), algorithm 8.5.2.
#[must_use]
pub fn eigen<const N: usize>(matrix: &Symmetric<N>) -> ([f64; N], [[f64; N]; N]) {
    let mut a = *matrix;
    let mut vectors: [[f64; N]; N] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..N {
            for q in p + 1..N {
                if a[p][q].abs() > 0.1 * f64::EPSILON * libm::sqrt(a[p][p].abs() * a[q][q].abs()) {
                    rotate(&mut a, &mut vectors, p, q);
                    rotated = true;
                }
            }
        }
        if !rotated {
            break;
        }
    }
    (std::array::from_fn(|i| a[i][i]), vectors)
}

/// Rotate rows and columns `p` and `q` so that `a[p][q]` becomes 0.
fn rotate<const N: usize>(a: &mut Symmetric<N>, vectors: &mut [[f64; N]; N], p: usize, q: usize) {
    let lean = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let tangent = lean.signum() / (lean.abs() + libm::sqrt(1.0 + lean * lean));
    let cosine = 1.0 / libm::sqrt(1.0 + tangent * tangent);
    let sine = tangent * cosine;
    let turn = |x: f64, y: f64| (cosine * x - sine * y, sine * x + cosine * y);
    for row in a.iter_mut() {
        (row[p], row[q]) = turn(row[p], row[q]);
    }
    for k in 0..N {
        (a[p][k], a[q][k]) = turn(a[p][k], a[q][k]);
        (vectors[p][k], vectors[q][k]) = turn(vectors[p][k], vectors[q][k]);
    }
    (a[p][q], a[q][p]) = (0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let a = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 2.0]];
        let inverse = Cholesky::new(&a).unwrap().inverse();
        for (i, row) in a.iter().enumerate() {
            for j in 0..3 {
                let dot: f64 = row.iter().zip(&inverse).map(|(a, column)| a * column[j]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn a_singular_or_indefinite_matrix_has_no_factor() {
        assert!(Cholesky::new(&[[1.0, 1.0], [1.0, 1.0]]).is_none());
        assert!(Cholesky::new(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
        assert!(Cholesky::new(&[[f64::NAN, 0.0], [0.0, 1.0]]).is_none());
    }

    #[test]
    fn eigenvectors_are_stretched_by_their_eigenvalues() {
        let a = [[2.0, -1.0, 0.5], [-1.0, -3.0, 1e-9], [0.5, 1e-9, 1e-6]];
        let (values, vectors) = eigen(&a);
        for (value, vector) in values.iter().zip(&vectors) {
            assert!((vector.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-15);
            for (row, v) in a.iter().zip(vector) {
                let image: f64 = row.iter().zip(vector).map(|(a, v)| a * v).sum();
                assert!((image - value * v).abs() < 1e-14, "{values:?}");
            }
        }
        assert!((values.iter().sum::<f64>() - (-1.0 + 1e-6)).abs() < 1e-14);
    }
}
