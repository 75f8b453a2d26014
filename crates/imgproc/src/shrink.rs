//! [`shrink`]: the box average that stands before a resampling that would skip pixels.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::Image;

/// Writes to `out` the mean colour of each block of `columns` x `rows` pixels of `source`, rounded half up.
///
/// Blocks start at the top left; the last ones of a row or column average what is there, so nothing is cut off and
/// `out` is `ceil(width / columns)` x `ceil(height / rows)`. Its buffer is reused where it is large enough.
///
/// # Panics
/// Where `columns` or `rows` is 0.
///
/// ```
/// use aumenta_imgproc::{Image, shrink};
///
/// let source = Image::from_pixels(3, 1, vec![10, 10, 10, 21, 21, 21, 7, 7, 7]);
/// let mut half = Image::default();
/// shrink(&source, 2, 2, &mut half);
/// assert_eq!(half, Image::from_pixels(2, 1, vec![16, 16, 16, 7, 7, 7]));
/// ```
pub fn shrink(source: &Image, columns: usize, rows: usize, out: &mut Image) {
    let (width, height) = (source.width(), source.height());
    // A block larger than the image is the whole image.
    let (columns, rows) = (columns.min(width.max(1)), rows.min(height.max(1)));
    out.resize_buffer(width.div_ceil(columns), height.div_ceil(rows));
    if source.pixels().is_empty() {
        return;
    }
    Arch::new().dispatch(Shrink { source, columns, rows, out });
}

struct Shrink<'a> {
    source: &'a Image,
    columns: usize,
    rows: usize,
    out: &'a mut Image,
}

impl WithSimd for Shrink<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let row = self.source.width() * 3;
        let out_row = self.out.width() * 3;
        let mut sums = vec![0u32; row];
        let bands = self.source.pixels().chunks(row * self.rows);
        for (band, out_row) in bands.zip(self.out.pixels_mut().chunks_exact_mut(out_row)) {
            sums.fill(0);
            for row in band.chunks_exact(row) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += u32::from(value);
                }
            }
            let (sums, out_row) = (sums.as_chunks().0, out_row.as_chunks_mut().0);
            let band_rows = band.len() / row;
            // The usual numbers of columns get loops of their own, of known length.
            match self.columns {
                2 => average(sums, 2, band_rows, out_row),
                3 => average(sums, 3, band_rows, out_row),
                4 => average(sums, 4, band_rows, out_row),
                columns => average(sums, columns, band_rows, out_row),
            }
        }
    }
}

/// The means of blocks of `columns` sums over `rows` rows.
#[inline(always)]
fn average(sums: &[[u32; 3]], columns: usize, rows: usize, out: &mut [[u8; 3]]) {
    let whole = sums.chunks_exact(columns);
    let rest = whole.remainder();
    let divisor = Divisor::new(columns * rows);
    for (block, pixel) in whole.zip(&mut *out) {
        *pixel = divisor.mean(block);
    }
    if let (Some(pixel), false) = (out.last_mut(), rest.is_empty()) {
        *pixel = Divisor::new(rest.len() * rows).mean(rest);
    }
}

/// A division by a number of pixels, as a product where that is exact.
#[derive(Clone, Copy)]
struct Divisor {
    count: u64,
    /// `2^40 / count`, rounded up: with it, a sum times the count below `2^40` is divided exactly.
    reciprocal: u64,
}

impl Divisor {
    const BITS: u32 = 40;

    fn new(count: usize) -> Self {
        Self { count: count as u64, reciprocal: (1u64 << Self::BITS).div_ceil(count as u64) }
    }

    /// The mean of the sums that a block has in its columns, rounded half up.
    #[inline(always)]
    fn mean(self, block: &[[u32; 3]]) -> [u8; 3] {
        let mut sums = [self.count / 2; 3];
        for column in block {
            for channel in 0..3 {
                sums[channel] += u64::from(column[channel]);
            }
        }
        let mut means = [0; 3];
        for channel in 0..3 {
            let sum = sums[channel];
            // 256 times the square of this count is 2^38.
            let mean = if self.count <= 1 << 15 { (sum * self.reciprocal) >> Self::BITS } else { sum / self.count };
            means[channel] = mean as u8;
        }
        means
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gray(width: usize, height: usize, values: &[u8]) -> Image {
        Image::from_pixels(width, height, values.iter().flat_map(|&value| [value; 3]).collect())
    }

    #[track_caller]
    fn check(source: &Image, columns: usize, rows: usize, expected: &Image) {
        let mut out = Image::filled(9, 9, [1, 2, 3]);
        shrink(source, columns, rows, &mut out);
        assert_eq!(&out, expected);
    }

    #[test]
    fn blocks_are_averaged_and_rounded_half_up() {
        let source = gray(3, 3, &[1, 2, 9, 3, 4, 11, 100, 103, 255]);
        check(&source, 2, 2, &gray(2, 2, &[3, 10, 102, 255]));
        check(&source, 3, 1, &gray(1, 3, &[4, 6, 153]));
        check(&source, 1, 3, &gray(3, 1, &[35, 36, 92]));
        check(&source, 1, 1, &source);
        check(&source, 50, 50, &gray(1, 1, &[54]));
    }

    #[test]
    fn channels_stay_apart() {
        let source = Image::from_pixels(2, 1, vec![0, 100, 200, 2, 104, 206]);
        check(&source, 2, 1, &Image::from_pixels(1, 1, vec![1, 102, 203]));
    }

    #[test]
    fn an_empty_image_stays_empty() {
        check(&Image::default(), 2, 2, &Image::default());
    }

    proptest! {
        #[test]
        fn every_block_has_its_mean(
            (width, height) in (1usize..30, 1usize..30),
            (columns, rows) in (1usize..9, 1usize..9),
            seed in any::<u8>(),
        ) {
            let pixels = (0..width * height * 3).map(|at| (at as u8).wrapping_mul(73) ^ seed).collect();
            let source = Image::from_pixels(width, height, pixels);
            let mut out = Image::default();
            shrink(&source, columns, rows, &mut out);
            for y in 0..height.div_ceil(rows) {
                for x in 0..width.div_ceil(columns) {
                    let (mut sums, mut count) = ([0u32; 3], 0);
                    for row in y * rows..((y + 1) * rows).min(height) {
                        for column in x * columns..((x + 1) * columns).min(width) {
                            for (sum, value) in sums.iter_mut().zip(source.get(column, row)) {
                                *sum += u32::from(value);
                            }
                            count += 1;
                        }
                    }
                    prop_assert_eq!(out.get(x, y), sums.map(|sum| ((sum + count / 2) / count) as u8));
                }
            }
        }
    }

    #[test]
    fn products_divide_as_divisions_do() {
        for count in [1, 2, 3, 7, 9, 100, 32_767, 32_768, 32_769] {
            for sum in [0, count / 2, count, 127 * count + count / 2, 255 * count] {
                let mean = Divisor::new(count).mean(&[[sum as u32; 3]]);
                assert_eq!(mean, [((sum + count / 2) / count) as u8; 3], "{sum} / {count}");
            }
        }
    }
}
