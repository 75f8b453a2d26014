//! A matrix cut into blocks of columns as wide as a tile, each block stored for itself.

use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

/// A matrix in column blocks: element `(row, column)` is at `(column / block * rows + row) * block + column % block`.
/// The last block is filled up with zeros.
#[derive(Debug)]
pub struct Packed {
    pub values: Scratch,
    pub rows: usize,
    pub columns: usize,
    /// One or two vectors.
    pub block: usize,
}

impl Packed {
    pub fn zeros(vectors: Vectors, rows: usize, columns: usize) -> Self {
        let block = if columns > vectors.lanes() { 2 * vectors.lanes() } else { vectors.lanes() };
        Self { values: Scratch::zeros(columns.div_ceil(block) * block * rows), rows, columns, block }
    }

    /// The matrix whose element `(row, column)` is `source[rows[row] + column * stride]`.
    pub fn gather(vectors: Vectors, source: &[f32], rows: &[usize], columns: usize, stride: usize) -> Self {
        let mut matrix = Self::zeros(vectors, rows.len(), columns);
        let (blocks, block) = (matrix.blocks(), matrix.block);
        for ((first, own), values) in blocks.zip(matrix.values.chunks_exact_mut(rows.len() * block)) {
            for (row, values) in rows.iter().zip(values.chunks_exact_mut(block)) {
                let source = source[row + first * stride..].iter().step_by(stride);
                for (value, source) in values[..own].iter_mut().zip(source) {
                    *value = *source;
                }
            }
        }
        matrix
    }

    pub fn position(&self, row: usize, column: usize) -> usize {
        (column / self.block * self.rows + row) * self.block + column % self.block
    }

    /// The first column of each block, and how many columns are its own.
    #[inline(always)]
    pub fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (columns, block) = (self.columns, self.block);
        (0..columns).step_by(block).map(move |first| (first, block.min(columns - first)))
    }
}
