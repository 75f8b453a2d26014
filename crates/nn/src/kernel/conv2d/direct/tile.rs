//! The part of a product that is kept in registers while its inner index runs.

use pulp::Simd;

/// How many rows a tile of two vectors has at most: as many as leave registers for the operands.
pub const fn max_rows(lanes: usize) -> usize {
    if lanes == 16 { 14 } else { 6 }
}

/// A tile: `ROWS` rows of `VECTORS` vectors.
pub type Tile<S, const VECTORS: usize, const ROWS: usize> = [[<S as Simd>::f32s; VECTORS]; ROWS];

/// Adds the outer product of `column` and `row` to the tile.
#[inline(always)]
pub fn add_product<S: Simd, const VECTORS: usize, const ROWS: usize>(
    simd: S,
    tile: &mut Tile<S, VECTORS, ROWS>,
    column: impl Fn(usize) -> f32,
    row: &[S::f32s; VECTORS],
) {
    for (i, sums) in tile.iter_mut().enumerate() {
        let element = simd.splat_f32s(column(i));
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum = simd.mul_add_e_f32s(element, *value, *sum);
        }
    }
}

/// `value` between two limits. A NaN passes.
#[inline(always)]
pub fn within<S: Simd>(simd: S, value: S::f32s, [low, high]: [S::f32s; 2]) -> S::f32s {
    let value = simd.select_f32s(simd.less_than_f32s(value, low), low, value);
    simd.select_f32s(simd.greater_than_f32s(value, high), high, value)
}

/// Cuts `len` into as few runs of at most `most` as there can be, all nearly equal: first index and length of each.
#[inline(always)]
pub fn runs(len: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = len.div_ceil(most);
    (0..count).map(move |run| (run * len / count, (run + 1) * len / count - run * len / count))
}

/// Evaluates an expression with a constant `$rows` equal to `$value`, which is at most [`max_rows`] of `$lanes`.
macro_rules! with_rows {
    ($value:expr, $lanes:expr, $rows:ident => $body:expr) => {
        with_rows!(@ $value, $lanes, $rows => $body, 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $value:expr, $lanes:expr, $rows:ident => $body:expr, $($size:literal)*) => {
        match $value {
            $($size if $size <= max_rows($lanes) => {
                const $rows: usize = $size;
                $body
            })*
            other => unreachable!("a tile of {other} rows"),
        }
    };
}
pub(super) use with_rows;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_a_length_evenly() {
        assert_eq!(runs(15, 14).collect::<Vec<_>>(), [(0, 7), (7, 8)]);
        assert_eq!(runs(6, 6).collect::<Vec<_>>(), [(0, 6)]);
        assert_eq!(runs(13, 6).collect::<Vec<_>>(), [(0, 4), (4, 4), (8, 5)]);
        assert_eq!(runs(0, 6).count(), 0);
    }
}
