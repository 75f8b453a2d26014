//! The sixteen pixels around a point, weighted by Keys' cubic convolution with `a = -0.5`.
//!
//! Weights have 14 fractional bits and add up to 1 exactly. A sum along a row keeps 7 fractional bits; the sum of the
//! four rows is rounded half up and clipped.

use super::points::{FRACTION, Points};
use super::source::{OUTSIDE, Source, constant, inside};
use super::{LANES, Lanes};
use crate::Fill;

#[inline(always)]
pub fn sample(source: Source<'_>, fill: Fill, points: &Points, colors: &mut [Lanes<u32>]) {
    let constant = constant(fill);
    for (group, colors) in colors.iter_mut().enumerate() {
        let (columns, column_weights) = taps(points.x[group], fill, source.width);
        let (rows, row_weights) = taps(points.y[group], fill, source.height);
        let are_neighbors = (0..LANES).all(|lane| {
            let (first, last) = (columns[0][lane], columns[3][lane]);
            first != OUTSIDE && last == first + 3
        });
        let mut sums = [[1 << (WEIGHT + KEPT - 1); LANES]; 3];
        for (y, down) in rows.iter().zip(&row_weights) {
            let read = if are_neighbors && !y.contains(&OUTSIDE) {
                read_neighbors(source, &columns[0], y)
            } else {
                columns.map(|x| std::array::from_fn(|lane| source.color_or(x[lane], y[lane], constant)))
            };
            for (channel, sums) in sums.iter_mut().enumerate() {
                for lane in 0..LANES {
                    let mut row = 1 << (WEIGHT - KEPT - 1);
                    for (read, right) in read.iter().zip(&column_weights) {
                        row += (read[lane] >> (8 * channel) & 0xff) as i32 * right[lane];
                    }
                    sums[lane] += (row >> (WEIGHT - KEPT)) * down[lane];
                }
            }
        }
        for lane in 0..LANES {
            let value = |channel: usize| (sums[channel][lane] >> (WEIGHT + KEPT)).clamp(0, 255) as u32;
            colors[lane] = value(0) | value(1) << 8 | value(2) << 16;
        }
    }
}

/// The colours of four neighbouring columns of a row.
#[inline(always)]
fn read_neighbors(source: Source<'_>, x: &Lanes<i32>, y: &Lanes<i32>) -> [Lanes<u32>; 4] {
    let (mut left, mut right) = ([0; LANES], [0; LANES]);
    for lane in 0..LANES {
        left[lane] = source.start(x[lane], y[lane]);
        right[lane] = left[lane] + 6;
    }
    let mut pairs = [[0; LANES]; 2];
    source.pairs(&left, &mut pairs[0]);
    source.pairs(&right, &mut pairs[1]);
    let [left, right] = pairs;
    let mut colors = [[0; LANES]; 4];
    for lane in 0..LANES {
        colors[0][lane] = left[lane] as u32;
        colors[1][lane] = (left[lane] >> 24) as u32;
        colors[2][lane] = right[lane] as u32;
        colors[3][lane] = (right[lane] >> 24) as u32;
    }
    colors
}

/// Fractional bits of a weight.
const WEIGHT: u32 = 14;

/// Fractional bits of a sum along a row: 255 times both sums of weights' sizes, at most 1.25 each, fills 30 bits.
const KEPT: u32 = 7;

/// The four whole coordinates around each point and their weights.
#[inline(always)]
fn taps(at: Lanes<i64>, fill: Fill, length: i32) -> ([Lanes<i32>; 4], [Lanes<i32>; 4]) {
    let (mut taps, mut weights) = ([[0; LANES]; 4], [[0; LANES]; 4]);
    for lane in 0..LANES {
        for (tap, offset) in taps.iter_mut().zip(-1..) {
            tap[lane] = (at[lane] >> FRACTION) as i32 + offset;
        }
        for (weights, weight) in weights.iter_mut().zip(cubic(at[lane] as u32 >> (FRACTION - 15))) {
            weights[lane] = weight;
        }
    }
    for tap in &mut taps {
        *tap = inside(fill, *tap, length);
    }
    (taps, weights)
}

/// The weights of the four pixels around a point `fraction` (of 2^15) behind the second one.
#[inline(always)]
fn cubic(fraction: u32) -> [i32; 4] {
    let t = fraction as i32;
    let t2 = (t * t + (1 << 14)) >> 15;
    let t3 = (t2 * t + (1 << 14)) >> 15;
    let first = (2 * t2 - t3 - t + 2) >> 2;
    let third = (4 * t2 - 3 * t3 + t + 2) >> 2;
    let fourth = (t3 - t2 + 2) >> 2;
    [first, (1 << WEIGHT) - first - third - fourth, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_cubic_convolution() {
        assert_eq!(cubic(0), [0, 1 << 14, 0, 0]);
        // -1/16, 9/16, 9/16, -1/16.
        assert_eq!(cubic(1 << 14), [-1024, 9216, 9216, -1024]);
        for fraction in 0..1 << 15 {
            let t = f64::from(fraction) / f64::from(1 << 15);
            let exact = [
                -0.5 * t.powi(3) + t.powi(2) - 0.5 * t,
                1.5 * t.powi(3) - 2.5 * t.powi(2) + 1.0,
                -1.5 * t.powi(3) + 2.0 * t.powi(2) + 0.5 * t,
                0.5 * t.powi(3) - 0.5 * t.powi(2),
            ];
            let weights = cubic(fraction);
            for (weight, exact) in weights.into_iter().zip(exact) {
                assert!((f64::from(weight) / f64::from(1 << 14) - exact).abs() < 2e-4, "{t}: {weight} {exact}");
            }
            assert_eq!(weights.iter().sum::<i32>(), 1 << 14);
        }
    }
}
