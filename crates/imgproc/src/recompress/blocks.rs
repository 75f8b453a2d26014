//! 8x8 blocks through a cosine transform, coarser numbers, and back.
//!
//! Sixteen blocks go together, so that every step is one over vectors, which change places as a whole: a vector holds
//! the same place of all sixteen. Numbers are rounded where libjpeg rounds.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::jpeg::dct::{frequencies, rounded, values};

/// Blocks that go together.
const LANES: usize = 16;

/// The values of the blocks in eight lines, of which each holds its eight values of all blocks, value by value.
type Blocks = [[i32; 8 * LANES]; 8];

/// The steps of a table at a quality, and divisions by them as products, for every value of some blocks.
///
/// A product and a shift divide any number below 2^15 (Granlund and Montgomery, "Division by invariant integers using
/// multiplication", 1994, theorem 4.2).
pub struct Quantization {
    steps: Blocks,
    /// Half of what a number is divided by.
    halves: Blocks,
    /// A power of two over it, rounded up.
    reciprocals: Blocks,
    /// The exponents of the powers.
    shifts: Blocks,
}

impl Quantization {
    /// `table` holds the steps at quality 50, row by row; they are scaled as libjpeg does it, to at most 255.
    pub fn new(table: &[u16; 64], quality: u8) -> Self {
        let quality = i32::from(quality);
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        let steps = table.map(|step| ((i32::from(step) * percent + 50) / 100).clamp(1, 255));
        // The transform's numbers are eight times too large.
        let shift = |step: i32| 16 + (8 * step - 1).ilog2() as i32;
        Self {
            steps: for_all_blocks(steps),
            halves: for_all_blocks(steps.map(|step| 4 * step)),
            reciprocals: for_all_blocks(steps.map(|step| (1 << shift(step)) / (8 * step) + 1)),
            shifts: for_all_blocks(steps.map(shift)),
        }
    }

    /// Replaces each value by the closest multiple of its step over eight; halves go away from 0.
    #[inline(always)]
    fn apply(&self, blocks: &mut Blocks) {
        let divisors =
            self.halves.as_flattened().iter().zip(self.reciprocals.as_flattened()).zip(self.shifts.as_flattened());
        let values = blocks.as_flattened_mut().iter_mut().zip(self.steps.as_flattened());
        for ((value, step), ((half, reciprocal), shift)) in values.zip(divisors) {
            let quotient = ((value.abs() + half) * reciprocal) >> shift;
            *value = step * if *value < 0 { -quotient } else { quotient };
        }
    }
}

/// Numbers for the 64 places of a block, for each of the blocks.
fn for_all_blocks(numbers: [i32; 64]) -> Blocks {
    let mut blocks = [[0; 8 * LANES]; 8];
    for (values, number) in blocks.as_flattened_mut().as_chunks_mut::<LANES>().0.iter_mut().zip(numbers) {
        *values = [number; LANES];
    }
    blocks
}

/// Replaces a plane, of which both sides are multiples of 8, by what is left of it.
#[inline(always)]
pub fn quantize(plane: &mut [u8], stride: usize, quantization: &Quantization) {
    let (columns, rows) = (stride / 8, plane.len() / stride / 8);
    let mut blocks = [[0; 8 * LANES]; 8];
    for first in (0..columns * rows).step_by(LANES) {
        let count = (columns * rows - first).min(LANES);
        let mut corners = [0; LANES];
        for (lane, corner) in corners[..count].iter_mut().enumerate() {
            let block = first + lane;
            *corner = block / columns * 8 * stride + block % columns * 8;
        }
        read(plane, stride, &corners[..count], &mut blocks);
        transform(&mut blocks);
        quantization.apply(&mut blocks);
        restore(&mut blocks);
        write(&blocks, plane, stride, &corners[..count]);
    }
}

/// Reads the blocks whose first values are at the `corners`, as numbers from -128 to 127, a line for each column.
#[inline(always)]
fn read(plane: &[u8], stride: usize, corners: &[usize], blocks: &mut Blocks) {
    for (lane, corner) in corners.iter().enumerate() {
        for y in 0..8 {
            for (line, &value) in blocks.iter_mut().zip(&plane[corner + y * stride..][..8]) {
                line[y * LANES + lane] = i32::from(value) - 128;
            }
        }
    }
}

/// Writes the blocks back, of which each line is a column; clipped.
#[inline(always)]
fn write(blocks: &Blocks, plane: &mut [u8], stride: usize, corners: &[usize]) {
    let mut bytes = [[0; 8 * LANES]; 8];
    for (bytes, line) in bytes.iter_mut().zip(blocks) {
        for (byte, value) in bytes.iter_mut().zip(line) {
            *byte = (value + 128).clamp(0, 255) as u8;
        }
    }
    for (lane, corner) in corners.iter().enumerate() {
        for y in 0..8 {
            for (out, line) in plane[corner + y * stride..][..8].iter_mut().zip(&bytes) {
                *out = line[y * LANES + lane];
            }
        }
    }
}

/// The cosine transform of blocks whose lines are columns, first along rows; its numbers are eight times too large, and
/// its lines are rows.
#[inline(always)]
fn transform(blocks: &mut Blocks) {
    change(blocks, |values| frequencies(values).map(|value| rounded(value, 11)));
    transpose(blocks);
    change(blocks, |values| frequencies(values).map(|value| rounded(value, 15)));
}

/// The inverse, first along columns.
#[inline(always)]
fn restore(blocks: &mut Blocks) {
    change(blocks, |frequencies| values(frequencies).map(|value| rounded(value, 11)));
    transpose(blocks);
    change(blocks, |frequencies| values(frequencies).map(|value| rounded(value, 18)));
}

/// Changes the eight values that stand at the same place of all lines.
#[inline(always)]
fn change(blocks: &mut Blocks, change: impl Fn([i32; 8]) -> [i32; 8]) {
    for at in 0..8 * LANES {
        let changed = change(std::array::from_fn(|line| blocks[line][at]));
        for (line, changed) in blocks.iter_mut().zip(changed) {
            line[at] = changed;
        }
    }
}

/// Makes columns of rows.
#[inline(always)]
fn transpose(blocks: &mut Blocks) {
    let turned = *blocks;
    for (at, line) in blocks.iter_mut().enumerate() {
        for (values, from) in line.as_chunks_mut::<LANES>().0.iter_mut().zip(&turned) {
            *values = from.as_chunks().0[at];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_the_closest_multiples() {
        for step in 1..=255 {
            let quantization = Quantization::new(&[step; 64], 50);
            let step = i32::from(step);
            for first in (-(1 << 14)..1 << 14).step_by(1024) {
                let mut blocks = [[0; 8 * LANES]; 8];
                blocks.as_flattened_mut().iter_mut().zip(first..).for_each(|(value, number)| *value = number);
                quantization.apply(&mut blocks);
                for (found, number) in blocks.as_flattened().iter().zip(first..) {
                    let expected = (i32::abs(number) + 4 * step) / (8 * step) * number.signum() * step;
                    assert_eq!(*found, expected, "{number} in steps of {step}");
                }
            }
        }
    }

    #[test]
    fn a_flat_block_has_one_frequency() {
        let mut blocks = [[100; 8 * LANES]; 8];
        transform(&mut blocks);
        let (first, rest) = blocks.as_flattened().split_at(LANES);
        assert!(first.iter().all(|&value| value == 6400), "eight times eight times the value");
        assert!(rest.iter().all(|&value| value == 0));
    }

    #[test]
    fn the_finest_steps_lose_next_to_nothing() {
        let mut plane: Vec<u8> = (0..24 * 56).map(|at: usize| (at * at / 7 + at % 5 * 40) as u8).collect();
        let before = plane.clone();
        quantize(&mut plane, 56, &Quantization::new(&[1; 64], 100));
        assert!(plane.iter().zip(&before).all(|(after, before)| after.abs_diff(*before) <= 1));
    }
}
