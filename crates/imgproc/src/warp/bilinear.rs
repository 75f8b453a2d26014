//! The four pixels around a point, weighted by closeness.
//!
//! Reading and blending are loops of their own, because vectors read what single numbers have just written at a high
//! price. The arithmetic is that of [`Vectors::blend`]: within 0.6 levels of the exact one, and a pixel's own colour at
//! its centre.

use super::points::{FRACTION, Points, lie_within};
use super::source::{Source, constant, inside};
use super::vectors::{Vectors, WEIGHT};
use super::{GROUPS, LANES, Lanes};
use crate::Fill;

/// What is read for some points: upper and lower pairs of neighbouring colours and the weights of the right and of the
/// lower ones, as [`Vectors::blend`] wants them.
pub struct Corners {
    upper: [Lanes<u64>; GROUPS],
    lower: [Lanes<u64>; GROUPS],
    weights: [Lanes<u32>; GROUPS],
    /// Where the pairs begin.
    starts: [[Lanes<u32>; 2]; GROUPS],
}

#[inline(always)]
pub fn sample<V: Vectors>(
    vectors: V,
    source: Source<'_>,
    fill: Fill,
    points: &Points,
    corners: &mut Corners,
    colors: &mut [Lanes<u32>],
) {
    for group in 0..colors.len() {
        corners.place(source, points, group);
    }
    for group in 0..colors.len() {
        corners.read(source, fill, points, group);
    }
    for (group, colors) in colors.iter_mut().enumerate() {
        *colors = vectors.blend(&corners.upper[group], &corners.lower[group], &corners.weights[group]);
    }
}

impl Corners {
    pub const fn new() -> Self {
        Self {
            upper: [[0; LANES]; GROUPS],
            lower: [[0; LANES]; GROUPS],
            weights: [[0; LANES]; GROUPS],
            starts: [[[0; LANES]; 2]; GROUPS],
        }
    }

    #[inline(always)]
    fn read(&mut self, source: Source<'_>, fill: Fill, points: &Points, group: usize) {
        let (x, y) = (&points.x[group], &points.y[group]);
        let is_inside = || lie_within(x, 0, last(source.width)) && lie_within(y, 0, last(source.height));
        if matches!(fill, Fill::Wrap) && !is_inside() {
            return self.read_colors(source, fill, x, y, group);
        }
        let [upper, lower] = &self.starts[group];
        source.pairs(upper, &mut self.upper[group]);
        source.pairs(lower, &mut self.lower[group]);
        if matches!(fill, Fill::Constant(_)) && !is_inside() {
            self.cover(source, constant(fill), x, y, group);
        }
    }

    /// Finds the pixels to read at points moved to the closest ones inside of the picture, where the outermost pixels weigh
    /// all.
    #[inline(always)]
    fn place(&mut self, source: Source<'_>, points: &Points, group: usize) {
        let (x, y) = (&points.x[group], &points.y[group]);
        let [upper, lower] = &mut self.starts[group];
        let (last_x, last_y) = (source.width - 1, source.height - 1);
        for lane in 0..LANES {
            let (left, right) = place_along(x[lane], last_x);
            let (top, down) = place_along(y[lane], last_y);
            self.weights[group][lane] = right | down << 16;
            upper[lane] = source.start(left, top);
            lower[lane] = upper[lane] + if top < last_y { source.row_bytes() } else { 0 };
        }
    }

    /// Puts a constant in the place of the pixels outside of the picture, for which those at its edge have been read.
    #[inline(always)]
    fn cover(&mut self, source: Source<'_>, constant: u32, x: &Lanes<i64>, y: &Lanes<i64>, group: usize) {
        let (constant, columns, rows) = (u64::from(constant), source.width as u64, source.height as u64);
        let (read_upper, read_lower) = (self.upper[group], self.lower[group]);
        let (mut upper, mut lower) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            self.weights[group][lane] = weights(x[lane], y[lane]);
            let (left, top) = (x[lane] >> FRACTION, y[lane] >> FRACTION);
            // To the left of the picture, the first pixel was read as the left one; above it, the first row as the upper.
            let is_left = left < 0;
            let below = if top < 0 { read_upper[lane] } else { read_lower[lane] };
            let upper_right = if is_left { read_upper[lane] } else { read_upper[lane] >> 24 };
            let lower_right = if is_left { below } else { below >> 24 };
            // Numbers below 0 are large ones without their sign.
            let (has_left, has_right) = ((left as u64) < columns, ((left + 1) as u64) < columns);
            let (has_top, has_bottom) = ((top as u64) < rows, ((top + 1) as u64) < rows);
            let color = |pair: u64, exists: bool| if exists { pair & 0xff_ffff } else { constant };
            upper[lane] = color(read_upper[lane], has_top & has_left) | color(upper_right, has_top & has_right) << 24;
            lower[lane] = color(below, has_bottom & has_left) | color(lower_right, has_bottom & has_right) << 24;
        }
        (self.upper[group], self.lower[group]) = (upper, lower);
    }

    /// Reads anywhere, each of the four pixels by itself.
    #[inline(always)]
    fn read_colors(&mut self, source: Source<'_>, fill: Fill, x: &Lanes<i64>, y: &Lanes<i64>, group: usize) {
        let constant = constant(fill);
        let (mut left, mut right, mut top, mut bottom) = ([0; LANES], [0; LANES], [0; LANES], [0; LANES]);
        for lane in 0..LANES {
            self.weights[group][lane] = weights(x[lane], y[lane]);
            left[lane] = (x[lane] >> FRACTION) as i32;
            right[lane] = left[lane] + 1;
            top[lane] = (y[lane] >> FRACTION) as i32;
            bottom[lane] = top[lane] + 1;
        }
        let (left, right) = (inside(fill, left, source.width), inside(fill, right, source.width));
        let (top, bottom) = (inside(fill, top, source.height), inside(fill, bottom, source.height));
        for lane in 0..LANES {
            let color = |x: i32, y: i32| u64::from(source.color_or(x, y, constant) & 0xff_ffff);
            self.upper[group][lane] = color(left[lane], top[lane]) | color(right[lane], top[lane]) << 24;
            self.lower[group][lane] = color(left[lane], bottom[lane]) | color(right[lane], bottom[lane]) << 24;
        }
    }
}

/// The centre of the last pixel.
#[inline(always)]
fn last(length: i32) -> i64 {
    i64::from(length - 1) << FRACTION
}

/// The pixel before a coordinate moved to the closest one inside of the picture, and the weight of the next pixel.
#[inline(always)]
fn place_along(at: i64, last: i32) -> (i32, u32) {
    let before = (at >> FRACTION) as i32;
    // Numbers below 0 are large ones without their sign.
    let is_inside = (before as u32) < last as u32;
    (before.clamp(0, last), if is_inside { weight(at) } else { 0 })
}

/// The weights of the right and of the lower colours.
#[inline(always)]
fn weights(x: i64, y: i64) -> u32 {
    weight(x) | weight(y) << 16
}

/// The weight of the next pixel.
#[inline(always)]
fn weight(at: i64) -> u32 {
    at as u32 >> (FRACTION - WEIGHT)
}
