//! 8x8 blocks through a cosine transform, coarser numbers, and back.
//!
//! Sixteen blocks go together, so that every step is one over vectors and no block is ever turned around: a vector holds
//! the same place of all sixteen. The transforms are those of Loeffler, Ligtenberg and Moschytz ("Practical fast 1-D DCT
//! algorithms with 11 multiplications", 1989) with constants of 13 bits, rounded where libjpeg rounds.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

/// Blocks that go together.
const LANES: usize = 16;

type Lanes = [i32; LANES];

/// The values of the blocks, row by row.
type Blocks = [Lanes; 64];

/// The steps of a table at a quality, and divisions by them as products.
pub struct Quantization {
    steps: [i32; 64],
    divisors: [Divisor; 64],
}

impl Quantization {
    /// `table` holds the steps at quality 50; they are scaled as libjpeg does it, to at most 255.
    pub fn new(table: &[u16; 64], quality: u8) -> Self {
        let quality = i32::from(quality);
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        let steps = table.map(|step| ((i32::from(step) * percent + 50) / 100).clamp(1, 255));
        // The transform's numbers are eight times too large.
        Self { steps, divisors: steps.map(|step| Divisor::new(8 * step)) }
    }
}

/// A division of numbers below 2^15 by one from 8 to 2040, as a product and a shift, which give the same for all of them
/// (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994, theorem 4.2).
#[derive(Clone, Copy)]
struct Divisor {
    half: i32,
    reciprocal: i32,
    shift: u32,
}

impl Divisor {
    fn new(divisor: i32) -> Self {
        let shift = 15 + (divisor - 1).ilog2() + 1;
        Self { half: divisor / 2, reciprocal: (1 << shift) / divisor + 1, shift }
    }

    /// The quotient, rounded; halves go away from 0.
    #[inline(always)]
    fn divide(self, value: i32) -> i32 {
        let quotient = ((value.abs() + self.half) * self.reciprocal) >> self.shift;
        if value < 0 { -quotient } else { quotient }
    }
}

/// Replaces a plane, of which both sides are multiples of 8, by what is left of it.
#[inline(always)]
pub fn quantize(plane: &mut [u8], stride: usize, quantization: &Quantization) {
    let (columns, rows) = (stride / 8, plane.len() / stride / 8);
    let mut blocks = [[0; LANES]; 64];
    for first in (0..columns * rows).step_by(LANES) {
        let count = (columns * rows - first).min(LANES);
        let mut corners = [0; LANES];
        for (lane, corner) in corners[..count].iter_mut().enumerate() {
            let block = first + lane;
            *corner = block / columns * 8 * stride + block % columns * 8;
        }
        read(plane, stride, &corners[..count], &mut blocks);
        transform(&mut blocks);
        for (at, values) in blocks.iter_mut().enumerate() {
            let (divisor, step) = (quantization.divisors[at], quantization.steps[at]);
            for value in values {
                *value = divisor.divide(*value) * step;
            }
        }
        restore(&mut blocks);
        write(&blocks, plane, stride, &corners[..count]);
    }
}

/// Reads the blocks whose first values are at the `corners`, as numbers from -128 to 127.
#[inline(always)]
fn read(plane: &[u8], stride: usize, corners: &[usize], blocks: &mut Blocks) {
    for (y, row) in blocks.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut words = [0; LANES];
        for (word, corner) in words.iter_mut().zip(corners) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&plane[corner + y * stride..][..8]);
            *word = u64::from_le_bytes(bytes);
        }
        for (x, values) in row.iter_mut().enumerate() {
            for (value, word) in values.iter_mut().zip(words) {
                *value = (word >> (8 * x) & 0xff) as i32 - 128;
            }
        }
    }
}

/// Writes the blocks back, clipped.
#[inline(always)]
fn write(blocks: &Blocks, plane: &mut [u8], stride: usize, corners: &[usize]) {
    for (y, row) in blocks.as_chunks::<8>().0.iter().enumerate() {
        let mut words = [0; LANES];
        for (x, values) in row.iter().enumerate() {
            for (word, value) in words.iter_mut().zip(values) {
                *word |= ((value + 128).clamp(0, 255) as u64) << (8 * x);
            }
        }
        for (word, corner) in words.iter().zip(corners) {
            plane[corner + y * stride..][..8].copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// A constant with 13 fractional bits.
const fn fixed(value: f64) -> i32 {
    (value * 8192.0 + 0.5) as i32
}

/// A number without its fractional bits, rounded half up.
#[inline(always)]
fn rounded(value: i32, bits: u32) -> i32 {
    (value + (1 << (bits - 1))) >> bits
}

/// The cosine transform, first along rows; its numbers are eight times too large.
#[inline(always)]
fn transform(blocks: &mut Blocks) {
    for row in 0..8 {
        change::<1>(blocks, 8 * row, |values| frequencies(values).map(|value| rounded(value, 11)));
    }
    for column in 0..8 {
        change::<8>(blocks, column, |values| frequencies(values).map(|value| rounded(value, 15)));
    }
}

/// The inverse, first along columns.
#[inline(always)]
fn restore(blocks: &mut Blocks) {
    for column in 0..8 {
        change::<8>(blocks, column, |frequencies| values(frequencies).map(|value| rounded(value, 11)));
    }
    for row in 0..8 {
        change::<1>(blocks, 8 * row, |frequencies| values(frequencies).map(|value| rounded(value, 18)));
    }
}

/// Changes the eight values of each block that lie `STEP` apart from `first` on.
#[inline(always)]
fn change<const STEP: usize>(blocks: &mut Blocks, first: usize, change: impl Fn([i32; 8]) -> [i32; 8]) {
    let mut all: [Lanes; 8] = std::array::from_fn(|at| blocks[first + at * STEP]);
    for lane in 0..LANES {
        let changed = change(std::array::from_fn(|at| all[at][lane]));
        for (values, changed) in all.iter_mut().zip(changed) {
            values[lane] = changed;
        }
    }
    for (at, values) in all.into_iter().enumerate() {
        blocks[first + at * STEP] = values;
    }
}

/// The frequencies of eight values, with 13 fractional bits.
#[inline(always)]
fn frequencies(v: [i32; 8]) -> [i32; 8] {
    let sums = [v[0] + v[7], v[1] + v[6], v[2] + v[5], v[3] + v[4]];
    let [f1, f3, f5, f7] = odd_part([v[0] - v[7], v[1] - v[6], v[2] - v[5], v[3] - v[4]]);
    let (outer, inner) = (sums[0] + sums[3], sums[1] + sums[2]);
    let (outer_difference, inner_difference) = (sums[0] - sums[3], sums[1] - sums[2]);
    let turned = (inner_difference + outer_difference) * fixed(0.541_196_100);
    let f2 = turned + outer_difference * fixed(0.765_366_865);
    let f6 = turned - inner_difference * fixed(1.847_759_065);
    [(outer + inner) << 13, f1, f2, f3, (outer - inner) << 13, f5, f6, f7]
}

/// The values of eight frequencies, with 13 fractional bits.
#[inline(always)]
fn values(f: [i32; 8]) -> [i32; 8] {
    let turned = (f[2] + f[6]) * fixed(0.541_196_100);
    let (inner, outer) = (turned - f[6] * fixed(1.847_759_065), turned + f[2] * fixed(0.765_366_865));
    let (sum, difference) = ((f[0] + f[4]) << 13, (f[0] - f[4]) << 13);
    let [e0, e1, e2, e3] = [sum + outer, difference + inner, difference - inner, sum - outer];
    let [o0, o1, o2, o3] = odd_part([f[1], f[3], f[5], f[7]]);
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0]
}

/// The odd half of a transform, which is its own inverse: a rotation of four values, with 13 more bits.
#[inline(always)]
fn odd_part([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let both = (a + b + c + d) * fixed(1.175_875_602);
    let near = both - (d + b) * fixed(1.961_570_560);
    let far = both - (c + a) * fixed(0.390_180_644);
    let (ends, middles) = ((d + a) * -fixed(0.899_976_223), (c + b) * -fixed(2.562_915_447));
    [
        a * fixed(1.501_321_110) + ends + far,
        b * fixed(3.072_711_026) + middles + near,
        c * fixed(2.053_119_869) + middles + far,
        d * fixed(0.298_631_336) + ends + near,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_divide_as_divisions_do() {
        for step in 1..=255 {
            let divisor = Divisor::new(8 * step);
            for value in -(1 << 14)..1 << 14 {
                let expected = (i32::abs(value) + 4 * step) / (8 * step) * value.signum();
                assert_eq!(divisor.divide(value), expected, "{value} / {}", 8 * step);
            }
        }
    }

    #[test]
    fn a_flat_block_has_one_frequency() {
        let mut blocks = [[100; LANES]; 64];
        transform(&mut blocks);
        assert_eq!(blocks[0], [6400; LANES], "eight times eight times the value");
        assert!(blocks[1..].iter().flatten().all(|&value| value == 0));
    }

    #[test]
    fn the_finest_steps_lose_next_to_nothing() {
        let mut plane: Vec<u8> = (0..24 * 56).map(|at: usize| (at * at / 7 + at % 5 * 40) as u8).collect();
        let before = plane.clone();
        quantize(&mut plane, 56, &Quantization::new(&[1; 64], 100));
        assert!(plane.iter().zip(&before).all(|(after, before)| after.abs_diff(*before) <= 1));
    }
}
