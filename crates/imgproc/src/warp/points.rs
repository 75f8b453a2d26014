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
        let by = right[first..first + columns].iter().zip(&down[first..first + columns]);
        let points = self.x.as_flattened_mut().iter_mut().zip(self.y.as_flattened_mut());
        for (column, ((x, y), (&right, &down))) in (first as u32..).zip(points.zip(by)) {
            *x = fixed(f64::from(column) + f64::from(right), START);
            *y = fixed(row as f64 + f64::from(down), START);
        }
    }

    /// Moves the points outside of a picture to those inside that show there, for the fills that repeat the picture.
    ///
    /// Mirrored points stay within half a pixel of the outermost centres, and repeated ones between the last centre and
    /// the first of the next copy.
    #[inline(always)]
    pub fn fold(&mut self, fill: Fill, width: i32, height: i32, groups: usize) {
        let (x, y) = (&mut self.x[..groups], &mut self.y[..groups]);
        match fill {
            Fill::Reflect => {
                reflect(x, width);
                reflect(y, height);
            }
            Fill::Wrap => {
                wrap(x, width);
                wrap(y, height);
            }
            Fill::WrapOverlapping => {
                x.as_flattened_mut().iter_mut().for_each(|x| *x = wrap_overlapping(*x, width));
                y.as_flattened_mut().iter_mut().for_each(|y| *y = wrap_overlapping(*y, height));
            }
            Fill::Nearest | Fill::Constant(_) | Fill::ConstantBeyondCenters(_) => {}
        }
    }

    /// Whether a point lies beyond the outermost pixel centres of a picture.
    #[inline(always)]
    pub fn is_beyond_centers(&self, group: usize, lane: usize, width: i32, height: i32) -> bool {
        let beyond = |at: i64, length: i32| (at < 0) | (at > i64::from(length - 1) << FRACTION);
        beyond(self.x[group][lane], width) | beyond(self.y[group][lane], height)
    }
}

/// The bound of a row's first coordinate, in pixels: with it and the next, no sum leaves 64 bits.
const START: f64 = (1u64 << 29) as f64;

/// The bound of a step between neighbouring columns, in pixels.
const STEP: f64 = (1u64 << 25) as f64;

/// A coordinate in units of 2^-32, from at most `bound` pixels; what is not a number is 0.
#[inline(always)]
fn fixed(value: f64, bound: f64) -> i64 {
    let value = if value.is_nan() { 0.0 } else { value.clamp(-bound, bound) };
    let whole = value.floor();
    (rounded(whole) << FRACTION) + rounded((value - whole) * (1u64 << FRACTION) as f64)
}

/// The whole number closest to one of at most 2^51, by what the sum with a large one has in its lowest bits: vectors have an
/// addition everywhere, and a conversion to 64 bits hardly anywhere.
#[inline(always)]
fn rounded(value: f64) -> i64 {
    const LARGE: f64 = 3.0 * (1u64 << 51) as f64;
    (value + LARGE).to_bits().wrapping_sub(LARGE.to_bits()).cast_signed()
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

/// One pixel.
const ONE: i64 = 1 << FRACTION;

#[inline(always)]
fn reflect(groups: &mut [Lanes<i64>], length: i32) {
    let period = 2 * i64::from(length) * ONE;
    let mirrored = |at: i64| if at < -ONE / 2 { -ONE - at } else { at };
    for group in groups {
        if !lie_within(group, -period / 2, period - ONE) {
            fold_far(group, -ONE / 2, period);
        }
        for at in group {
            let right = mirrored(*at);
            *at = if right < period / 2 - ONE / 2 { right } else { period - ONE - right };
        }
    }
}

#[inline(always)]
fn wrap(groups: &mut [Lanes<i64>], length: i32) {
    let period = i64::from(length) * ONE;
    for group in groups {
        if !lie_within(group, -period, 2 * period - 1) {
            fold_far(group, 0, period);
        }
        for at in group {
            let raised = if *at < 0 { *at + period } else { *at };
            *at = if raised < period { raised } else { raised - period };
        }
    }
}

/// Moves coordinates by whole periods to where one begins at `first`; out of line, since its divisions are rarely needed
/// and long.
#[cold]
#[inline(never)]
fn fold_far(group: &mut Lanes<i64>, first: i64, period: i64) {
    for at in group {
        *at = (*at - first).rem_euclid(period) + first;
    }
}

/// Whether all coordinates lie between two, both included.
#[inline(always)]
pub fn lie_within(at: &Lanes<i64>, first: i64, last: i64) -> bool {
    let mut within = true;
    for &at in at {
        within &= first <= at && at <= last;
    }
    within
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
    fn copies_are_mirrored_at_edges_or_repeated() {
        let half = |at: i64| at << (FRACTION - 1);
        // Halves of a pixel in a row of four, whose edges are at -1 and 7.
        for (at, mirrored, repeated) in
            [(-19, 1, 5), (-7, 5, 1), (-3, 1, 5), (-1, -1, 7), (0, 0, 0), (6, 6, 6), (7, 7, 7), (9, 5, 1), (33, 1, 1)]
        {
            let mut group = [[half(at); LANES]];
            reflect(&mut group, 4);
            assert_eq!(group[0][0] >> (FRACTION - 1), mirrored, "{at} mirrored");
            let mut group = [[half(at); LANES]];
            wrap(&mut group, 4);
            assert_eq!(group[0][0], half(repeated), "{at} repeated");
        }
    }

    #[test]
    fn coordinates_are_rounded_to_their_unit() {
        let one = (1i64 << FRACTION) as f64;
        for value in [0.0, -0.0, 0.5, -0.5, 1.0 / 3.0, -1.0 / 3.0, 1_234.567_89, -0.999_999_999_99, 3e8, -3e8] {
            assert!((fixed(value, START) as f64 - value * one).abs() <= 0.5, "{value}");
        }
        assert_eq!(
            [f64::NAN, f64::INFINITY, f64::MIN].map(|value| fixed(value, 8.0)),
            [0, 8 << FRACTION, -8 << FRACTION]
        );
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
