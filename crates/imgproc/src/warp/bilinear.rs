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
/// lower one, as [`Vectors::blend`] wants them.
pub struct Corners {
    upper: [Lanes<u64>; GROUPS],
    lower: [Lanes<u64>; GROUPS],
    right: [Lanes<u64>; GROUPS],
    down: [Lanes<u64>; GROUPS],
    /// The numbers of the pixels at which the pairs begin.
    indices: [[Lanes<u32>; 2]; GROUPS],
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
        corners.place(vectors, source, points, group);
    }
    for group in 0..colors.len() {
        corners.read(vectors, source, fill, points, group);
    }
    for (group, colors) in colors.iter_mut().enumerate() {
        let Corners { upper, lower, right, down, .. } = corners;
        *colors = vectors.blend(&upper[group], &lower[group], &right[group], &down[group]);
    }
}

impl Corners {
    pub const fn new() -> Self {
        Self {
            upper: [[0; LANES]; GROUPS],
            lower: [[0; LANES]; GROUPS],
            right: [[0; LANES]; GROUPS],
            down: [[0; LANES]; GROUPS],
            indices: [[[0; LANES]; 2]; GROUPS],
        }
    }

    #[inline(always)]
    fn read<V: Vectors>(&mut self, vectors: V, source: Source<'_>, fill: Fill, points: &Points, group: usize) {
        let (x, y) = (&points.x[group], &points.y[group]);
        let is_inside = || lie_within(x, 0, last(source.width)) && lie_within(y, 0, last(source.height));
        if matches!(fill, Fill::Wrap) && !is_inside() {
            return self.read_colors(source, fill, x, y, group);
        }
        let [upper, lower] = &self.indices[group];
        self.upper[group] = vectors.pairs(source, upper);
        self.lower[group] = vectors.pairs(source, lower);
        if matches!(fill, Fill::Constant(_)) && !is_inside() {
            self.cover(source, constant(fill), x, y, group);
        }
    }

    /// Finds the pixels to read at points moved to the closest ones inside of the picture, where the outermost pixels weigh
    /// all, and has the memory fetch them: all of a run at once, before the first is waited for.
    #[inline(always)]
    fn place<V: Vectors>(&mut self, vectors: V, source: Source<'_>, points: &Points, group: usize) {
        let (x, y) = (&points.x[group], &points.y[group]);
        let (mut upper, mut lower) = ([0; LANES], [0; LANES]);
        let (last_x, last_y) = (last(source.width), last(source.height));
        for lane in 0..LANES {
            let (x, y) = (x[lane].clamp(0, last_x), y[lane].clamp(0, last_y));
            self.right[group][lane] = weight(x);
            self.down[group][lane] = weight(y);
            upper[lane] = source.index((x >> FRACTION) as i32, (y >> FRACTION) as i32);
            lower[lane] = upper[lane] + if y < last_y { source.width as u32 } else { 0 };
        }
        vectors.fetch(source, &upper);
        vectors.fetch(source, &lower);
        self.indices[group] = [upper, lower];
    }

    /// Puts a constant in the place of the pixels outside of the picture, for which those at its edge have been read.
    #[inline(always)]
    fn cover(&mut self, source: Source<'_>, constant: u32, x: &Lanes<i64>, y: &Lanes<i64>, group: usize) {
        let (constant, columns, rows) = (u64::from(constant), source.width as u64, source.height as u64);
        let (read_upper, read_lower) = (self.upper[group], self.lower[group]);
        let (mut upper, mut lower, mut right, mut down) = ([0; LANES], [0; LANES], [0; LANES], [0; LANES]);
        for lane in 0..LANES {
            (right[lane], down[lane]) = (weight(x[lane]), weight(y[lane]));
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
        (self.upper[group], self.lower[group], self.right[group], self.down[group]) = (upper, lower, right, down);
    }

    /// Reads anywhere, each of the four pixels by itself.
    #[inline(always)]
    fn read_colors(&mut self, source: Source<'_>, fill: Fill, x: &Lanes<i64>, y: &Lanes<i64>, group: usize) {
        let constant = constant(fill);
        let (mut left, mut right, mut top, mut bottom) = ([0; LANES], [0; LANES], [0; LANES], [0; LANES]);
        for lane in 0..LANES {
            self.right[group][lane] = weight(x[lane]);
            self.down[group][lane] = weight(y[lane]);
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

/// The weight of the next pixel.
#[inline(always)]
fn weight(at: i64) -> u64 {
    u64::from(at as u32 >> (FRACTION - WEIGHT))
}
