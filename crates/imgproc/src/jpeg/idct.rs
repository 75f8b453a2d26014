//! From the frequencies of 8x8 blocks to samples: 8x8 of them, or their means as 4x4, 2x2 or one.
//!
//! Sixteen blocks go together, so that every step is one over vectors: a vector holds the same place of all sixteen.
//! Columns are transformed first, to two fractional bits, and then rows, rounded where libjpeg rounds.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use super::dct::{four_means, rounded, two_means, values};
use crate::aligned::Aligned;

/// Blocks that go together.
pub const LANES: usize = 16;

/// A row of a block, of all blocks.
const LINE: usize = 8 * LANES;

/// The rows and columns that [`four_means`] asks for, and those that [`two_means`] does.
const FOUR: [usize; 7] = [0, 1, 2, 3, 5, 6, 7];
const TWO: [usize; 5] = [0, 1, 3, 5, 7];

/// The frequencies of sixteen neighboring blocks: row by row, column by column, block by block.
pub type Batch = Aligned<i16, { 64 * LANES }>;

/// The rows of a block that hold frequencies up to the place `last` in zigzag order, and as many columns.
#[inline(always)]
fn side_of(last: u8) -> usize {
    match last {
        0 => 1,
        // The first four diagonals.
        1..=9 => 4,
        _ => 8,
    }
}

/// Makes zeros of a batch again.
#[inline(always)]
pub fn clear(batch: &mut Batch, last: u8) {
    batch.0[..side_of(last) * LINE].fill(0);
}

/// Writes the samples of a batch, sixteen squares of `side` 8, 4, 2 or 1 beside each other, to the first rows and columns of
/// `plane`.
///
/// `last` is the place in zigzag order behind which all frequencies are 0.
#[inline(always)]
pub fn inverse(batch: &Batch, last: u8, side: usize, plane: &mut [u8], stride: usize) {
    match (side, side_of(last)) {
        (1, _) => one_sample(batch, plane),
        (2, _) => two_by_two(batch, plane, stride),
        (4, _) => four_by_four(batch, plane, stride),
        (_, 1) => flat(batch, plane, stride),
        (_, 4) => eight_by_eight::<4>(batch, plane, stride),
        _ => eight_by_eight::<8>(batch, plane, stride),
    }
}

/// A sample of a number that is centered on 0.
#[inline(always)]
fn sample(value: i32) -> u32 {
    (value.wrapping_add(128)).clamp(0, 255) as u32
}

/// The mean of a block.
#[inline(always)]
fn mean(batch: &Batch, lane: usize) -> u8 {
    sample((i32::from(batch.0[lane]) + 4) >> 3) as u8
}

#[inline(always)]
fn one_sample(batch: &Batch, plane: &mut [u8]) {
    for (lane, out) in plane[..LANES].iter_mut().enumerate() {
        *out = mean(batch, lane);
    }
}

/// 8x8 samples of blocks that are all of one value.
#[inline(always)]
fn flat(batch: &Batch, plane: &mut [u8], stride: usize) {
    let means: [[u8; 8]; LANES] = std::array::from_fn(|lane| [mean(batch, lane); 8]);
    for row in plane.chunks_mut(stride).take(8) {
        row[..8 * LANES].copy_from_slice(means.as_flattened());
    }
}

/// 8x8 samples of blocks whose frequencies are all within the first `SIDE` rows and columns.
#[inline(always)]
fn eight_by_eight<const SIDE: usize>(batch: &Batch, plane: &mut [u8], stride: usize) {
    let mut columns = [const { Aligned([0; LINE]) }; 8];
    for at in 0..SIDE * LANES {
        let frequencies = std::array::from_fn(|row| if row < SIDE { frequency(batch, row, at) } else { 0 });
        for (line, value) in columns.iter_mut().zip(values(frequencies)) {
            line.0[at] = rounded(value, 11);
        }
    }
    for (line, row) in columns.iter().zip(plane.chunks_mut(stride)) {
        let (mut left, mut right) = (Aligned([0; LANES]), Aligned([0; LANES]));
        for lane in 0..LANES {
            let frequencies = std::array::from_fn(|x| if x < SIDE { line.0[x * LANES + lane] } else { 0 });
            let values = values(frequencies);
            let [a, b, c, d, e, f, g, h]: [u32; 8] = std::array::from_fn(|x| sample(rounded(values[x], 18)));
            left.0[lane] = a | b << 8 | c << 16 | d << 24;
            right.0[lane] = e | f << 8 | g << 16 | h << 24;
        }
        for ((out, &left), &right) in row.as_chunks_mut::<8>().0.iter_mut().zip(&left.0).zip(&right.0) {
            *out = (u64::from(left) | u64::from(right) << 32).to_le_bytes();
        }
    }
}

#[inline(always)]
fn four_by_four(batch: &Batch, plane: &mut [u8], stride: usize) {
    let mut columns = [const { Aligned([0; LINE]) }; 4];
    // A column that is never asked for costs less than going around it.
    for at in 0..LINE {
        let means = four_means(std::array::from_fn(|row| frequency(batch, FOUR[row], at)));
        for (line, mean) in columns.iter_mut().zip(means) {
            line.0[at] = rounded(mean, 12);
        }
    }
    for (line, row) in columns.iter().zip(plane.chunks_mut(stride)) {
        let mut packed = Aligned([0; LANES]);
        for lane in 0..LANES {
            let means = four_means(std::array::from_fn(|x| line.0[FOUR[x] * LANES + lane]));
            let [a, b, c, d]: [u32; 4] = std::array::from_fn(|x| sample(rounded(means[x], 19)));
            packed.0[lane] = a | b << 8 | c << 16 | d << 24;
        }
        for (out, samples) in row.as_chunks_mut().0.iter_mut().zip(packed.0) {
            *out = samples.to_le_bytes();
        }
    }
}

#[inline(always)]
fn two_by_two(batch: &Batch, plane: &mut [u8], stride: usize) {
    let mut columns = [const { Aligned([0; LINE]) }; 2];
    for at in 0..LINE {
        let means = two_means(std::array::from_fn(|row| frequency(batch, TWO[row], at)));
        for (line, mean) in columns.iter_mut().zip(means) {
            line.0[at] = rounded(mean, 13);
        }
    }
    for (line, row) in columns.iter().zip(plane.chunks_mut(stride)) {
        for (lane, out) in row.as_chunks_mut::<2>().0.iter_mut().enumerate().take(LANES) {
            let means = two_means(std::array::from_fn(|x| line.0[TWO[x] * LANES + lane]));
            *out = std::array::from_fn(|x| sample(rounded(means[x], 20)) as u8);
        }
    }
}

/// The frequency of a row; `at` counts columns and lanes.
#[inline(always)]
fn frequency(batch: &Batch, row: usize, at: usize) -> i32 {
    i32::from(batch.0[row * LINE + at])
}
