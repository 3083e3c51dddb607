//! Small symmetric matrices: Cholesky factor, solution, inverse, eigenvalues.
//!
//! Of a size known to the compiler ([`Cholesky`], [`eigen`]) or not ([`WideCholesky`], [`wide_eigen`]): one arithmetic
//! serves both.

/// A symmetric `N × N` matrix, both halves filled.
pub type Symmetric<const N: usize> = [[f64; N]; N];

/// A symmetric matrix of any size, row by row, both halves filled.
pub type Wide = Vec<Vec<f64>>;

/// The lower Cholesky factor `L` of a positive definite matrix, `L Lᵀ = A`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cholesky<const N: usize> {
    lower: [[f64; N]; N],
}

/// The lower Cholesky factor of a positive definite matrix of any size.
#[derive(Debug, Clone, PartialEq)]
pub struct WideCholesky {
    lower: Wide,
}

/// A row of a matrix.
trait Row: AsRef<[f64]> + AsMut<[f64]> {}
impl<R: AsRef<[f64]> + AsMut<[f64]>> Row for R {}

impl<const N: usize> Cholesky<N> {
    /// Factor `matrix`; `None` where it is not positive definite (or not finite).
    ///
    /// A pivot below `N ε` times its diagonal counts as zero: the matrix is then singular to working precision.
    ///
    /// Source: Golub & Van Loan, Matrix Computations (2013), algorithm 4.2.1.
    #[must_use]
    pub fn new(matrix: &Symmetric<N>) -> Option<Self> {
        let mut lower = [[0.0; N]; N];
        factor(matrix, &mut lower).then_some(Self { lower })
    }

    /// `L z`: with standard normal `z` a draw of covariance `A`.
    #[must_use]
    pub fn times(&self, z: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|row| times_row(&self.lower[row], row, z))
    }

    /// `ln |A|`.
    #[must_use]
    pub fn ln_determinant(&self) -> f64 {
        2.0 * (0..N).map(|i| libm::log(self.lower[i][i])).sum::<f64>()
    }

    /// The factor `L`.
    #[must_use]
    pub fn lower(&self) -> [[f64; N]; N] {
        self.lower
    }

    /// `A⁻¹ b`.
    #[must_use]
    pub fn solve(&self, b: &[f64; N]) -> [f64; N] {
        let mut x = *b;
        solve(&self.lower, &mut x);
        x
    }

    /// `A⁻¹`.
    #[must_use]
    pub fn inverse(&self) -> Symmetric<N> {
        let mut inverse: Symmetric<N> = [[0.0; N]; N];
        invert(&self.lower, &mut inverse);
        inverse
    }
}

impl WideCholesky {
    /// Factor `matrix`, as [`Cholesky::new`].
    #[must_use]
    pub fn new(matrix: &[Vec<f64>]) -> Option<Self> {
        let mut lower = zeros(matrix.len());
        factor(matrix, &mut lower).then_some(Self { lower })
    }

    /// `L z`: with standard normal `z` a draw of covariance `A`.
    ///
    /// # Panics
    /// If `z` is shorter than the matrix.
    #[must_use]
    pub fn times(&self, z: &[f64]) -> Vec<f64> {
        self.lower.iter().enumerate().map(|(row, lower)| times_row(lower, row, z)).collect()
    }

    /// `A⁻¹`.
    #[must_use]
    pub fn inverse(&self) -> Wide {
        let mut inverse = zeros(self.lower.len());
        invert(&self.lower, &mut inverse);
        inverse
    }
}

fn zeros(size: usize) -> Wide {
    vec![vec![0.0; size]; size]
}

fn factor<R: Row>(matrix: &[R], lower: &mut [R]) -> bool {
    let size = matrix.len();
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| lower[row].as_ref()[k] * lower[column].as_ref()[k]).sum();
            let rest = matrix[row].as_ref()[column] - dot;
            if row == column {
                let smallest = size as f64 * f64::EPSILON * matrix[row].as_ref()[row];
                let positive = rest.is_finite() && rest > smallest && rest > 0.0;
                if !positive {
                    return false;
                }
                lower[row].as_mut()[row] = libm::sqrt(rest);
            } else {
                lower[row].as_mut()[column] = rest / lower[column].as_ref()[column];
            }
        }
    }
    true
}

fn times_row(lower: &[f64], row: usize, z: &[f64]) -> f64 {
    (0..=row).map(|k| lower[k] * z[k]).sum()
}

fn solve<R: Row>(lower: &[R], x: &mut [f64]) {
    let size = lower.len();
    for row in 0..size {
        let dot: f64 = (0..row).map(|k| lower[row].as_ref()[k] * x[k]).sum();
        x[row] = (x[row] - dot) / lower[row].as_ref()[row];
    }
    for row in (0..size).rev() {
        let dot: f64 = (row + 1..size).map(|k| lower[k].as_ref()[row] * x[k]).sum();
        x[row] = (x[row] - dot) / lower[row].as_ref()[row];
    }
}

fn invert<R: Row>(lower: &[R], inverse: &mut [R]) {
    for (i, column) in inverse.iter_mut().enumerate() {
        column.as_mut()[i] = 1.0;
        solve(lower, column.as_mut());
    }
    // Symmetric to the last bit.
    for i in 0..inverse.len() {
        for j in 0..i {
            let mean = 0.5 * (inverse[i].as_ref()[j] + inverse[j].as_ref()[i]);
            (inverse[i].as_mut()[j], inverse[j].as_mut()[i]) = (mean, mean);
        }
    }
}

/// `A⁺` of a positive semidefinite matrix: the inverse where it has one, 0 along directions of which it knows nothing.
///
/// A direction counts as unknown where its eigenvalue, of the matrix scaled to a unit diagonal, is below `level`.
#[must_use]
pub fn pseudo_inverse<const N: usize>(matrix: &Symmetric<N>, level: f64) -> Symmetric<N> {
    let scale: [f64; N] =
        std::array::from_fn(|i| if matrix[i][i] > 0.0 { 1.0 / libm::sqrt(matrix[i][i]) } else { 0.0 });
    let scaled: Symmetric<N> = std::array::from_fn(|i| std::array::from_fn(|j| scale[i] * matrix[i][j] * scale[j]));
    let (values, vectors) = eigen(&scaled);
    let inverse = of_spectrum(&values.map(|value| if value > level { 1.0 / value } else { 0.0 }), &vectors);
    std::array::from_fn(|i| std::array::from_fn(|j| scale[i] * inverse[i][j] * scale[j]))
}

/// `R` with `R Rᵀ = A` for a positive semidefinite matrix: with standard normal `z`, `R z` is a draw of covariance `A`.
#[must_use]
pub fn root<const N: usize>(matrix: &Symmetric<N>) -> [[f64; N]; N] {
    let (values, vectors) = eigen(matrix);
    std::array::from_fn(|i| std::array::from_fn(|k| vectors[k][i] * libm::sqrt(values[k].max(0.0))))
}

/// `Σ_k λ_k v_k v_kᵀ`, symmetric to the last bit: the inverse of [`eigen`].
#[must_use]
pub fn of_spectrum<const N: usize>(values: &[f64; N], vectors: &[[f64; N]; N]) -> Symmetric<N> {
    let entry = |i: usize, j: usize| (0..N).map(|k| values[k] * vectors[k][i] * vectors[k][j]).sum::<f64>();
    std::array::from_fn(|i| std::array::from_fn(|j| entry(i.min(j), i.max(j))))
}

/// Sweeps after which any small matrix is diagonal to the last bit.
const SWEEPS: u32 = 30;

/// Eigenvalues of a symmetric matrix and their unit eigenvectors, in no particular order, by Jacobi's rotations.
///
/// Source: Golub & Van Loan, Matrix Computations (2013), algorithm 8.5.2.
#[must_use]
pub fn eigen<const N: usize>(matrix: &Symmetric<N>) -> ([f64; N], [[f64; N]; N]) {
    let (mut a, mut vectors) = (*matrix, [[0.0; N]; N]);
    diagonalise(&mut a, &mut vectors);
    (std::array::from_fn(|i| a[i][i]), vectors)
}

/// The same of a matrix of any size.
#[must_use]
pub fn wide_eigen(matrix: &[Vec<f64>]) -> (Vec<f64>, Wide) {
    let (mut a, mut vectors) = (matrix.to_vec(), zeros(matrix.len()));
    diagonalise(&mut a, &mut vectors);
    (a.iter().enumerate().map(|(i, row)| row[i]).collect(), vectors)
}

/// Turn `a` diagonal; its eigenvectors become the rows of `vectors`, which is 0 at first.
fn diagonalise<R: Row>(a: &mut [R], vectors: &mut [R]) {
    for (i, vector) in vectors.iter_mut().enumerate() {
        vector.as_mut()[i] = 1.0;
    }
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..a.len() {
            for q in p + 1..a.len() {
                let at = |i: usize, j: usize| a[i].as_ref()[j];
                if at(p, q).abs() > 0.1 * f64::EPSILON * libm::sqrt(at(p, p).abs() * at(q, q).abs()) {
                    rotate(a, vectors, p, q);
                    rotated = true;
                }
            }
        }
        if !rotated {
            break;
        }
    }
}

/// Rotate rows and columns `p` and `q` so that `a[p][q]` becomes 0.
fn rotate<R: Row>(a: &mut [R], vectors: &mut [R], p: usize, q: usize) {
    let at = |i: usize, j: usize| a[i].as_ref()[j];
    let lean = (at(q, q) - at(p, p)) / (2.0 * at(p, q));
    let tangent = lean.signum() / (lean.abs() + libm::sqrt(1.0 + lean * lean));
    let cosine = 1.0 / libm::sqrt(1.0 + tangent * tangent);
    let sine = tangent * cosine;
    let turn = |x: f64, y: f64| (cosine * x - sine * y, sine * x + cosine * y);
    for row in a.iter_mut() {
        let row = row.as_mut();
        (row[p], row[q]) = turn(row[p], row[q]);
    }
    let turn_rows = |matrix: &mut [R]| {
        for k in 0..matrix.len() {
            let (x, y) = turn(matrix[p].as_ref()[k], matrix[q].as_ref()[k]);
            matrix[p].as_mut()[k] = x;
            matrix[q].as_mut()[k] = y;
        }
    };
    turn_rows(a);
    turn_rows(vectors);
    a[p].as_mut()[q] = 0.0;
    a[q].as_mut()[p] = 0.0;
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
    fn roots_inverses_and_determinants_of_a_matrix_agree_with_it() {
        let a = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 2.0]];
        let close = |left: &Symmetric<3>, right: &Symmetric<3>| {
            left.iter().flatten().zip(right.iter().flatten()).all(|(l, r)| (l - r).abs() < 1e-14)
        };
        let root = root(&a);
        let square =
            std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| root[i][k] * root[j][k]).sum::<f64>()));
        let (values, vectors) = eigen(&a);
        assert!(close(&square, &a) && close(&of_spectrum(&values, &vectors), &a));
        let factor = Cholesky::new(&a).unwrap();
        assert!(close(&pseudo_inverse(&a, 1e-12), &factor.inverse()));
        // 4 (6 − 1/16) − 1 (2 + 1/8) − ½ (¼ + 3/2)
        assert!((factor.ln_determinant() - f64::ln(20.75)).abs() < 1e-14);
        // Nothing is known along (1, −1): the inverse says so, and along (1, 1) it is right.
        let half = pseudo_inverse(&[[2.0, 2.0], [2.0, 2.0]], 1e-12);
        assert!(half.iter().flatten().all(|entry| (entry - 0.125).abs() < 1e-15), "{half:?}");
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
