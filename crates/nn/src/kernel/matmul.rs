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
        Self::strided(data, rows, columns, columns)
    }

    /// A matrix of `rows` rows of `columns` neighboring elements, from each row to the next `row_stride` elements.
    ///
    /// # Panics
    /// Where `data` is too short.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert_fits(data.len(), rows, columns, row_stride);
        Self { data, rows, columns, row_stride, column_stride: 1 }
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

/// A matrix to be written: element `(i, j)` is `data[i * row_stride + j]`.
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// As [`Matrix::strided`].
    ///
    /// # Panics
    /// Where `data` is too short, or rows would overlap.
    pub fn strided(data: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert_fits(data.len(), rows, columns, row_stride);
        assert!(rows < 2 || row_stride >= columns, "rows of {columns} elements, {row_stride} apart, overlap");
        Self { data, rows, columns, row_stride }
    }

    /// A row-major matrix over the first `rows * columns` elements of `data`.
    ///
    /// # Panics
    /// Where `data` is too short.
    pub fn row_major(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }
}

fn assert_fits(len: usize, rows: usize, columns: usize, row_stride: usize) {
    let needed = if rows * columns == 0 { 0 } else { (rows - 1) * row_stride + columns };
    assert!(len >= needed, "a {rows}x{columns} matrix, its rows {row_stride} apart, over {len} elements");
}

/// Whether a product replaces its destination or is added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The destination becomes the product.
    Replace,
    /// The product is added to the destination.
    Add,
}

/// `out = lhs * rhs` or `out += lhs * rhs`, on the calling thread.
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn matmul(out: MatrixMut<'_>, lhs: Matrix<'_>, rhs: Matrix<'_>, store: Store) {
    assert_eq!(lhs.columns, rhs.rows, "inner sizes of a matrix product");
    assert_eq!((out.rows, out.columns), (lhs.rows, rhs.columns), "sizes of a matrix product's destination");
    let MatrixMut { data, rows, columns, row_stride } = out;
    if rows * columns == 0 {
        return;
    }
    // SAFETY: `gemm` reads `lhs` and `rhs` at `i * row_stride + j * column_stride` for `i < rows`, `j < columns`, and writes
    // `out` at `i * row_stride + j`. Each was made by a constructor that checked that the largest such index lies inside
    // its slice, and transposing exchanges sizes and strides together. Rows of `out` do not overlap, and `out` is borrowed
    // mutably, so it overlaps neither operand. Sizes are far below `isize::MAX`, as slices are.
    unsafe {
        gemm::gemm(
            lhs.rows,
            rhs.columns,
            lhs.columns,
            data.as_mut_ptr(),
            1,
            row_stride as isize,
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
        let stride = columns + 2;
        let mut out = vec![2.0; rows * stride];
        matmul(MatrixMut::strided(&mut out, rows, columns, stride), lhs, rhs, Store::Replace);
        matmul(MatrixMut::strided(&mut out, rows, columns, stride), lhs, rhs, Store::Add);
        for i in 0..rows {
            assert_eq!(out[i * stride + columns..(i + 1) * stride], [2.0; 2], "nothing between the rows is written");
            for j in 0..columns {
                let sum: f64 = (0..inner).map(|k| at(lhs, i, k) * at(rhs, k, j)).sum();
                let got = f64::from(out[i * stride + j]);
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
        matmul(
            MatrixMut::row_major(&mut [0.0; 4], 2, 2),
            Matrix::row_major(&a, 2, 3),
            Matrix::row_major(&a, 2, 2),
            Store::Replace,
        );
    }

    #[test]
    #[should_panic(expected = "over 5 elements")]
    fn a_matrix_larger_than_its_slice_is_refused() {
        Matrix::row_major(&[0.0; 5], 2, 3);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn a_destination_whose_rows_overlap_is_refused() {
        MatrixMut::strided(&mut [0.0; 9], 2, 3, 2);
    }
}
