//! The matrix product: a bounds-checked door to the `gemm` crate, and the only `unsafe` code of this crate.

/// A matrix laid over a slice: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix over the first `rows * columns` elements of `data`.
    ///
    /// # Panics
    /// Where `data` is too short.
    pub fn row_major(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns, "a {rows}x{columns} matrix over {} elements", data.len());
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Whether a product replaces its destination or is added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The destination becomes the product.
    Replace,
    /// The product is added to the destination.
    Add,
}

/// `out = lhs * rhs` or `out += lhs * rhs`, on the calling thread; `out` is row-major, `lhs.rows x rhs.columns`.
///
/// # Panics
/// Where the inner sizes differ or `out` has another length than the product.
pub fn matmul(out: &mut [f32], lhs: Matrix<'_>, rhs: Matrix<'_>, store: Store) {
    assert_eq!(lhs.columns, rhs.rows, "inner sizes of a matrix product");
    assert_eq!(out.len(), lhs.rows * rhs.columns, "length of a matrix product's destination");
    if out.is_empty() {
        return;
    }
    // SAFETY: `gemm` reads `lhs` and `rhs` at `i * row_stride + j * column_stride` for `i < rows`, `j < columns`. Both
    // come from `Matrix::row_major`, which checked that the largest such index lies inside the slice, and transposing
    // exchanges sizes and strides together. It writes `out` at `i * rhs.columns + j`, inside by the assertion above, and
    // `out` is borrowed mutably, so it overlaps neither operand. Sizes are far below `isize::MAX`, as slices are.
    unsafe {
        gemm::gemm(
            lhs.rows,
            rhs.columns,
            lhs.columns,
            out.as_mut_ptr(),
            1,
            rhs.columns as isize,
            store == Store::Add,
            lhs.data.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.data.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + 11) % 23) as f32 / 7.0 - 1.5).collect()
    }

    fn at(m: Matrix<'_>, i: usize, j: usize) -> f64 {
        f64::from(m.data[i * m.row_stride + j * m.column_stride])
    }

    #[track_caller]
    fn check(rows: usize, inner: usize, columns: usize, transpose: (bool, bool)) {
        let (a, b) = (ramp(rows * inner), ramp(inner * columns));
        let lhs = if transpose.0 {
            Matrix::row_major(&a, inner, rows).transposed()
        } else {
            Matrix::row_major(&a, rows, inner)
        };
        let rhs = if transpose.1 {
            Matrix::row_major(&b, columns, inner).transposed()
        } else {
            Matrix::row_major(&b, inner, columns)
        };
        let mut out = vec![2.0; rows * columns];
        matmul(&mut out, lhs, rhs, Store::Replace);
        matmul(&mut out, lhs, rhs, Store::Add);
        for i in 0..rows {
            for j in 0..columns {
                let sum: f64 = (0..inner).map(|k| at(lhs, i, k) * at(rhs, k, j)).sum();
                let got = f64::from(out[i * columns + j]);
                assert!((got - 2.0 * sum).abs() < 1e-4, "({i}, {j}): {got} instead of {}", 2.0 * sum);
            }
        }
    }

    #[test]
    fn a_product_equals_the_sum_over_the_inner_index() {
        for transpose in [(false, false), (true, false), (false, true), (true, true)] {
            check(1, 1, 1, transpose);
            check(3, 5, 7, transpose);
            check(17, 33, 9, transpose);
            check(64, 27, 32, transpose);
        }
    }

    #[test]
    #[should_panic(expected = "inner sizes")]
    fn a_product_of_unfit_matrices_is_refused() {
        let a = ramp(6);
        matmul(&mut [0.0; 4], Matrix::row_major(&a, 2, 3), Matrix::row_major(&a, 2, 2), Store::Replace);
    }

    #[test]
    #[should_panic(expected = "matrix over")]
    fn a_matrix_larger_than_its_slice_is_refused() {
        Matrix::row_major(&[0.0; 5], 2, 3);
    }
}
