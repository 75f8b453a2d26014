//! [`shrink`]: the box average that stands before a resampling that would skip pixels.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::aligned::Aligned;
use crate::{Image, ImageRef, Size};

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
pub fn shrink<'a>(source: impl Into<ImageRef<'a>>, columns: usize, rows: usize, out: &mut Image) {
    shrink_pixels(source.into(), columns, rows, out);
}

fn shrink_pixels(source: ImageRef<'_>, columns: usize, rows: usize, out: &mut Image) {
    let (width, height) = (source.width(), source.height());
    // A block larger than the image is the whole image.
    let (columns, rows) = (columns.min(width.max(1)), rows.min(height.max(1)));
    out.resize_buffer(width.div_ceil(columns), height.div_ceil(rows));
    if source.pixels().is_empty() {
        return;
    }
    let (row, out_row) = (width * 3, out.width() * 3);
    let block = Size { width: columns, height: rows };
    let shrink = Shrink { source: source.pixels(), row, block, out: out.pixels_mut(), out_row };
    if columns * rows <= SMALL {
        Arch::new().dispatch(SmallBlocks(shrink));
    } else {
        Arch::new().dispatch(LargeBlocks(shrink));
    }
}

struct Shrink<'a> {
    source: &'a [u8],
    /// The values of a row of the source.
    row: usize,
    block: Size,
    out: &'a mut [u8],
    /// The values of a row of the output.
    out_row: usize,
}

/// Blocks of at most [`SMALL`] pixels.
struct SmallBlocks<'a>(Shrink<'a>);

impl WithSimd for SmallBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shrink { source, row, block, out, out_row } = self.0;
        average_small_blocks(source, row, block, out, out_row);
    }
}

/// All others.
struct LargeBlocks<'a>(Shrink<'a>);

impl WithSimd for LargeBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shrink { source, row, block, out, out_row } = self.0;
        average_large_blocks(source, row, block, out, out_row);
    }
}

/// Pixels in a block of which every sum fits into 16 bits, and is divided by a product of 16 bits.
const SMALL: usize = 127;

/// Values of a row that are summed at once.
const RUN: usize = 1024;

/// The same for large blocks: whole pixels and whole vectors.
const LONG_RUN: usize = 3072;

/// Averages the block that begins at *each* value of a row and keeps those that are blocks: more sums than needed, but
/// all of neighbouring values, which vectors add.
#[inline(always)]
fn average_small_blocks(source: &[u8], row: usize, block: Size, out: &mut [u8], out_row: usize) {
    let Size { width: columns, height: rows } = block;
    let step = columns * 3;
    let run = RUN / step * step;
    let Aligned(sums) = &mut Aligned([0u16; RUN + 3 * SMALL]);
    let Aligned(totals) = &mut Aligned([0u16; RUN]);
    let bands = source.chunks(row * rows);
    for (band, out_row) in bands.zip(out.chunks_exact_mut(out_row)) {
        let band_rows = band.len() / row;
        let divisor = SmallDivisor::new(columns * band_rows);
        for (first, out) in (0..row).step_by(run).zip(out_row.chunks_mut(run / columns)) {
            let count = (row - first).min(run);
            sums[..count].fill(0);
            for row in band.chunks_exact(row) {
                for (sum, &value) in sums[..count].iter_mut().zip(&row[first..]) {
                    *sum += u16::from(value);
                }
            }
            let (whole, rest) = sums[..count].as_chunks::<3>().0.split_at(count / step * columns);
            let out = out.as_chunks_mut::<3>().0;
            if let (Some(pixel), false) = (out.last_mut(), rest.is_empty()) {
                *pixel = Divisor::new(rest.len() * band_rows).mean(total(rest));
            }
            let totals = &mut totals[..whole.len() * 3];
            totals.copy_from_slice(whole.as_flattened());
            for column in 1..columns {
                for (total, &sum) in totals.iter_mut().zip(&sums[column * 3..]) {
                    *total += sum;
                }
            }
            for total in &mut *totals {
                *total = divisor.mean(*total);
            }
            for (pixel, block) in out.iter_mut().zip(totals.chunks_exact(step)) {
                *pixel = [block[0] as u8, block[1] as u8, block[2] as u8];
            }
        }
    }
}

/// Sums columns run by run, and blocks from as many runs as they lie in.
#[inline(always)]
fn average_large_blocks(source: &[u8], row: usize, block: Size, out: &mut [u8], out_row: usize) {
    let Size { width: columns, height: rows } = block;
    let Aligned(sums) = &mut Aligned([0u32; LONG_RUN]);
    let bands = source.chunks(row * rows);
    for (band, out_row) in bands.zip(out.chunks_exact_mut(out_row)) {
        let band_rows = band.len() / row;
        let divisor = Divisor::new(columns * band_rows);
        let mut pixels = out_row.as_chunks_mut::<3>().0.iter_mut();
        let (mut sum, mut summed) = ([0; 3], 0);
        for first in (0..row).step_by(LONG_RUN) {
            let sums = &mut sums[..(row - first).min(LONG_RUN)];
            sums.fill(0);
            for row in band.chunks_exact(row) {
                for (sum, &value) in sums.iter_mut().zip(&row[first..]) {
                    *sum += u32::from(value);
                }
            }
            let mut left = sums.as_chunks::<3>().0;
            while !left.is_empty() {
                let (part, rest) = left.split_at((columns - summed).min(left.len()));
                for (sum, part) in sum.iter_mut().zip(total(part)) {
                    *sum += part;
                }
                (left, summed) = (rest, summed + part.len());
                if summed == columns
                    && let Some(pixel) = pixels.next()
                {
                    *pixel = divisor.mean(sum);
                    (sum, summed) = ([0; 3], 0);
                }
            }
        }
        if let Some(pixel) = pixels.next() {
            *pixel = Divisor::new(summed * band_rows).mean(sum);
        }
    }
}

/// The sums of some columns.
#[inline(always)]
fn total<T: Copy + Into<u64>>(columns: &[[T; 3]]) -> [u64; 3] {
    let mut total = [0; 3];
    for column in columns {
        for channel in 0..3 {
            total[channel] += column[channel].into();
        }
    }
    total
}

/// A division of a small block's sum by its number of pixels, as a product of 16 bits.
#[derive(Clone, Copy)]
struct SmallDivisor {
    half: u16,
    reciprocal: u16,
    shift: u32,
}

impl SmallDivisor {
    /// For 1 to [`SMALL`] pixels.
    fn new(count: usize) -> Self {
        if count == 1 {
            // 2^16 is no number of 16 bits; one less, with one added to the sum, gives the sum.
            return Self { half: 1, reciprocal: u16::MAX, shift: 0 };
        }
        let shift = (count - 1).ilog2();
        Self { half: count as u16 / 2, reciprocal: (1usize << (16 + shift)).div_ceil(count) as u16, shift }
    }

    /// The mean, rounded half up.
    #[inline(always)]
    fn mean(self, sum: u16) -> u16 {
        ((u32::from(sum + self.half) * u32::from(self.reciprocal)) >> 16) as u16 >> self.shift
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

    /// The mean of a block with these sums, rounded half up.
    #[inline(always)]
    fn mean(self, sums: [u64; 3]) -> [u8; 3] {
        let mut means = [0; 3];
        for channel in 0..3 {
            let sum = sums[channel] + self.count / 2;
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
            (width, height) in (prop_oneof![1usize..30, 300usize..800, 1000usize..1100], 1usize..30),
            (columns, rows) in prop_oneof![(1usize..13, 1usize..13), (100usize..800, 1usize..3)],
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
    fn small_products_divide_as_divisions_do() {
        for count in 1..=SMALL {
            let divisor = SmallDivisor::new(count);
            for sum in 0..=255 * count {
                assert_eq!(usize::from(divisor.mean(sum as u16)), (sum + count / 2) / count, "{sum} / {count}");
            }
        }
    }

    #[test]
    fn products_divide_as_divisions_do() {
        for count in [1, 2, 3, 7, 9, 100, 32_767, 32_768, 32_769] {
            for sum in [0, count / 2, count, 127 * count + count / 2, 255 * count] {
                let mean = Divisor::new(count).mean([sum as u64; 3]);
                assert_eq!(mean, [((sum + count / 2) / count) as u8; 3], "{sum} / {count}");
            }
        }
    }
}
