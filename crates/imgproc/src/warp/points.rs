//! The points of the source that a row of the output reads, as integers.

use super::{GROUPS, LANES, Lanes};
use crate::{Displacement, Fill, Matrix3};

/// Fractional bits of a coordinate.
pub const FRACTION: u32 = 32;

/// The source coordinates of some neighbouring output pixels in units of 2^-32 source pixels, in groups of lanes.
pub struct Points {
    pub x: [Lanes<i64>; GROUPS],
    pub y: [Lanes<i64>; GROUPS],
}

impl Points {
    pub const fn new() -> Self {
        Self { x: [[0; LANES]; GROUPS], y: [[0; LANES]; GROUPS] }
    }

    /// Computes the points of the first `groups` groups, which begin at output column `first` of `row`.
    #[inline(always)]
    pub fn locate(&mut self, matrix: &Matrix3, first: usize, row: usize, groups: usize) {
        if matrix.is_affine() {
            self.locate_affine(matrix, first, row, groups);
        } else {
            self.locate_projective(matrix, first, row, groups);
        }
    }

    #[inline(always)]
    fn locate_affine(&mut self, matrix: &Matrix3, first: usize, row: usize, groups: usize) {
        // Each row starts afresh from the matrix, so the error of a step adds up over one row at most.
        let (x, y) = matrix.apply(0.0, row as f64);
        let [[x_step, ..], [y_step, ..], _] = *matrix.rows();
        let (x, y) = (fixed(x, START), fixed(y, START));
        let (x_step, y_step) = (fixed(x_step, STEP), fixed(y_step, STEP));
        for group in 0..groups {
            let column = (first + group * LANES) as i64;
            self.x[group] = steps(x.saturating_add(x_step.saturating_mul(column)), x_step);
            self.y[group] = steps(y.saturating_add(y_step.saturating_mul(column)), y_step);
        }
    }

    #[inline(always)]
    fn locate_projective(&mut self, matrix: &Matrix3, first: usize, row: usize, groups: usize) {
        for group in 0..groups {
            for lane in 0..LANES {
                let column = first + group * LANES + lane;
                let (x, y) = matrix.apply(column as f64, row as f64);
                self.x[group][lane] = fixed(x, START);
                self.y[group][lane] = fixed(y, START);
            }
        }
    }

    /// Computes the points of `columns` pixels, which begin at output column `first` of `row`.
    #[inline(always)]
    pub fn locate_displaced(&mut self, displacement: &Displacement, first: usize, row: usize, columns: usize) {
        let (right, down) = displacement.row(row);
        let points = self.x.as_flattened_mut().iter_mut().zip(self.y.as_flattened_mut());
        for (at, (x, y)) in points.take(columns).enumerate() {
            let column = first + at;
            *x = fixed(column as f64 + f64::from(right[column]), START);
            *y = fixed(row as f64 + f64::from(down[column]), START);
        }
    }

    /// Moves the points outside of a picture back into it where the fill is a rule about points and not about pixels.
    pub fn fold(&mut self, fill: Fill, width: i32, height: i32, groups: usize) {
        if fill == Fill::WrapOverlapping {
            self.x[..groups].as_flattened_mut().iter_mut().for_each(|x| *x = wrap_overlapping(*x, width));
            self.y[..groups].as_flattened_mut().iter_mut().for_each(|y| *y = wrap_overlapping(*y, height));
        }
    }

    /// Whether a point lies beyond the outermost pixel centres of a picture.
    #[inline(always)]
    pub fn is_beyond_centers(&self, column: usize, width: i32, height: i32) -> bool {
        let beyond = |at: i64, length: i32| at < 0 || at > i64::from(length - 1) << FRACTION;
        let (group, lane) = (column / LANES, column % LANES);
        beyond(self.x[group][lane], width) || beyond(self.y[group][lane], height)
    }
}

/// The bound of a row's first coordinate, 2^29 pixels: with it and the next, no sum leaves 64 bits.
const START: f64 = (1u64 << 61) as f64;

/// The bound of a step between neighbouring columns, 2^25 pixels.
const STEP: f64 = (1u64 << 57) as f64;

/// A coordinate in units of 2^-32, at most `bound` in size; what is not a number is 0.
#[inline(always)]
fn fixed(value: f64, bound: f64) -> i64 {
    const ONE: f64 = (1u64 << FRACTION) as f64;
    (value * ONE).round().clamp(-bound, bound) as i64
}

/// The coordinates of a group that begins at `start`, however far away that lies.
#[inline(always)]
fn steps(start: i64, step: i64) -> Lanes<i64> {
    const BOUND: i64 = 1 << 61;
    let start = start.clamp(-BOUND, BOUND);
    let mut lanes = [0; LANES];
    for (lane, at) in lanes.iter_mut().enumerate() {
        *at = start + step * lane as i64;
    }
    lanes
}

/// The coordinate that [`Fill::WrapOverlapping`] reads instead of one that lies outside.
fn wrap_overlapping(at: i64, length: i32) -> i64 {
    let period = i64::from(length - 1) << FRACTION;
    match at {
        _ if period == 0 => 0,
        ..0 => period - (-at).rem_euclid(period),
        _ if at > period => at % period,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_copies_share_their_outermost_pixels() {
        let half = |at: i64| at << (FRACTION - 1);
        let wrapped = |at: i64| wrap_overlapping(half(at), 4);
        let expected = [(-7, 5), (-6, 6), (-1, 5), (0, 0), (5, 5), (6, 6), (7, 1), (12, 0), (13, 1)];
        for (at, to) in expected {
            assert_eq!(wrapped(at), half(to), "{at} halves of a pixel");
        }
        assert_eq!(wrap_overlapping(half(9), 1), 0);
    }

    #[test]
    fn a_far_start_does_not_overflow() {
        let mut points = Points::new();
        let matrix = Matrix3::affine([[f64::MAX, 0.0, f64::MAX], [f64::NAN, 1.0, f64::NEG_INFINITY]]);
        points.locate(&matrix, 1 << 40, 3, GROUPS);
        assert!(points.x[0][0] >= 1 << 61 && points.x[GROUPS - 1][LANES - 1] > 0);
        let perspective = Matrix3::from_rows([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, -3.0]]);
        points.locate(&perspective, 0, 1, 1);
        assert_eq!((points.x[0][3], points.y[0][3]), (1 << 61, 1 << 61));
    }
}
