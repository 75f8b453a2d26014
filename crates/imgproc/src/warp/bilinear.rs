//! The four pixels around a point, weighted by closeness.
//!
//! Weights have 15 fractional bits. A mean along a row keeps 6 fractional bits, rounded down, and so does the mean of
//! two such means; the result is rounded half up. That is within 0.6 levels of exact arithmetic, gives a pixel's own
//! colour at its centre, and lets a vector unit compute with 16-bit numbers.

use super::points::{FRACTION, Points};
use super::source::{Source, constant, inside};
use super::{GROUPS, LANES, Lanes};
use crate::Fill;

/// What is read for some points: upper and lower pairs of neighbouring colours (the left one in the lowest three bytes
/// of a pair) and the weights of the right and of the lower one.
pub struct Corners {
    upper: [Lanes<u64>; GROUPS],
    lower: [Lanes<u64>; GROUPS],
    right: [Lanes<i32>; GROUPS],
    down: [Lanes<i32>; GROUPS],
}

impl Corners {
    pub const fn new() -> Self {
        Self {
            upper: [[0; LANES]; GROUPS],
            lower: [[0; LANES]; GROUPS],
            right: [[0; LANES]; GROUPS],
            down: [[0; LANES]; GROUPS],
        }
    }
}

#[inline(always)]
pub fn sample(source: Source<'_>, fill: Fill, points: &Points, corners: &mut Corners, colors: &mut [Lanes<u32>]) {
    // Reading and blending are loops of their own, because vectors read what single numbers have just written at a
    // high price.
    for group in 0..colors.len() {
        corners.read(source, fill, points, group);
    }
    for (group, colors) in colors.iter_mut().enumerate() {
        *colors = corners.blend(group);
    }
}

impl Corners {
    #[inline(always)]
    fn read(&mut self, source: Source<'_>, fill: Fill, points: &Points, group: usize) {
        let (left, right) = split(points.x[group]);
        let (top, down) = split(points.y[group]);
        let (last_column, last_row) = (source.width - 1, source.height - 1);
        let clamps = matches!(fill, Fill::Nearest | Fill::ConstantBeyondCenters(_) | Fill::WrapOverlapping);
        if clamps || is_below(left, last_column) && is_below(top, last_row) {
            self.right[group] = weights_inside(left, right, last_column);
            self.down[group] = weights_inside(top, down, last_row);
            self.read_pairs(source, left, top, group);
        } else {
            self.right[group] = right;
            self.down[group] = down;
            self.read_colors(source, fill, left, top, group);
        }
    }

    /// Reads pixels inside of the picture, at clamped coordinates.
    #[inline(always)]
    fn read_pairs(&mut self, source: Source<'_>, left: Lanes<i32>, top: Lanes<i32>, group: usize) {
        let (mut upper, mut lower) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            let x = left[lane].clamp(0, source.width - 1);
            let y = top[lane].clamp(0, source.height - 1);
            upper[lane] = source.index(x, y);
            lower[lane] = source.index(x, (y + 1).min(source.height - 1));
        }
        for lane in 0..LANES {
            self.upper[group][lane] = source.pair(upper[lane]);
            self.lower[group][lane] = source.pair(lower[lane]);
        }
    }

    /// Reads pixels anywhere, each of the four by itself.
    #[inline(always)]
    fn read_colors(&mut self, source: Source<'_>, fill: Fill, left: Lanes<i32>, top: Lanes<i32>, group: usize) {
        let constant = constant(fill);
        let (right, bottom) = (next(left), next(top));
        let (left, right) = (inside(fill, left, source.width), inside(fill, right, source.width));
        let (top, bottom) = (inside(fill, top, source.height), inside(fill, bottom, source.height));
        for lane in 0..LANES {
            let color = |x: i32, y: i32| u64::from(source.color_or(x, y, constant) & 0xff_ffff);
            self.upper[group][lane] = color(left[lane], top[lane]) | color(right[lane], top[lane]) << 24;
            self.lower[group][lane] = color(left[lane], bottom[lane]) | color(right[lane], bottom[lane]) << 24;
        }
    }

    #[inline(always)]
    fn blend(&self, group: usize) -> Lanes<u32> {
        let mut colors = [0; LANES];
        for (lane, packed) in colors.iter_mut().enumerate() {
            let (upper, lower) = (self.upper[group][lane], self.lower[group][lane]);
            let (right, down) = (self.right[group][lane], self.down[group][lane]);
            let mut color = 0;
            for channel in 0..3 {
                let value = |pair: u64| (pair >> (8 * channel)) as i32 & 0xff;
                let upper = mean(value(upper), value(upper >> 24), right);
                let lower = mean(value(lower), value(lower >> 24), right);
                let middle = upper + (((lower - upper) * down) >> WEIGHT);
                color |= ((middle + 32) >> 6) << (8 * channel);
            }
            *packed = color as u32;
        }
        colors
    }
}

/// Fractional bits of a weight.
const WEIGHT: u32 = 15;

/// The mean of two values from 0 to 255, in units of 2^-6.
#[inline(always)]
fn mean(left: i32, right: i32, weight: i32) -> i32 {
    (left << 6) + (((right - left) * weight) >> (WEIGHT - 6))
}

/// Coordinates as whole pixels and the weights of the next ones.
#[inline(always)]
fn split(at: Lanes<i64>) -> (Lanes<i32>, Lanes<i32>) {
    let (mut whole, mut weight) = ([0; LANES], [0; LANES]);
    for lane in 0..LANES {
        whole[lane] = (at[lane] >> FRACTION) as i32;
        weight[lane] = (at[lane] as u32 >> (FRACTION - WEIGHT)) as i32;
    }
    (whole, weight)
}

#[inline(always)]
fn next(at: Lanes<i32>) -> Lanes<i32> {
    let mut next = at;
    for at in &mut next {
        *at += 1;
    }
    next
}

/// Whether all coordinates lie in `0..limit`.
#[inline(always)]
fn is_below(at: Lanes<i32>, limit: i32) -> bool {
    let mut below = true;
    for at in at {
        below &= (at as u32) < limit as u32;
    }
    below
}

/// The weights of the next pixels, which count for nothing outside of the picture and at its last pixel.
#[inline(always)]
fn weights_inside(at: Lanes<i32>, weights: Lanes<i32>, last: i32) -> Lanes<i32> {
    let mut inside = weights;
    for (weight, at) in inside.iter_mut().zip(at) {
        *weight = if (at as u32) < last as u32 { *weight } else { 0 };
    }
    inside
}
