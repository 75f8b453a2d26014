//! Flattening: between channels last, as activations are kept, and channels first, as PyTorch flattens them.

use rayon::prelude::*;

/// Writes the transpose of each `rows x columns` matrix in `x` to `out`, one after the other.
pub fn transpose_each(rows: usize, columns: usize, x: &[f32], out: &mut [f32]) {
    let len = rows * columns;
    out.par_chunks_exact_mut(len).zip(x.par_chunks_exact(len)).for_each(|(out, x)| {
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            for (out, row) in out.iter_mut().zip(x.chunks_exact(columns)) {
                *out = row[column];
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_matrix_is_transposed_on_its_own() {
        let mut out = [0.0; 12];
        transpose_each(2, 3, &[1., 2., 3., 4., 5., 6., 10., 20., 30., 40., 50., 60.], &mut out);
        assert_eq!(out, [1., 4., 2., 5., 3., 6., 10., 40., 20., 50., 30., 60.]);
    }
}
