//! [`warp`]: the one resampling that a picture goes through on its way into a batch.
//!
//! All arithmetic on pixels is on integers, so the same source and matrix give the same bytes on every machine.
//! Coordinates have 32 fractional bits and bilinear weights 11, which keeps the result within one level of exact
//! arithmetic at any size.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::tone::FixedTone;
use crate::{Image, Matrix3, Size, Tone};

/// What lies outside of the source picture, for the row `a b c d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The nearest pixel of the edge: `a a a | a b c d | d d d`.
    #[default]
    Nearest,
    /// The picture mirrored at its edge, the edge pixel repeated: `c b a | a b c d | d c b`.
    Reflect,
    /// The picture repeated: `b c d | a b c d | a b c`.
    Wrap,
    /// This colour. A pixel that straddles the edge blends with it, and a [`Tone`] changes it like any other colour.
    Constant([u8; 3]),
}

/// How a colour is read between pixel centres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// The four pixels around the point, weighted by closeness.
    #[default]
    Bilinear,
    /// The pixel whose centre is closest (halves go right and down); colours are never mixed.
    Nearest,
}

/// Fills `out`, an HWC buffer of `size`, from `source`: the output pixel at `(x, y)` takes the source's colour at
/// `matrix.apply(x, y)`, then changed by `tone`.
///
/// The warp reads one point (or the four around it) for each output pixel; where the matrix shrinks the picture by
/// more than 2, [`shrink`](crate::shrink) it first, or what lies between the points is lost.
///
/// An empty source gives the colour of [`Fill::Constant`], or black.
///
/// # Panics
/// Where `out` does not hold `size.width * size.height * 3` bytes.
///
/// ```
/// use aumenta_imgproc::{Fill, Image, Interpolation, Matrix3, Size, Tone, warp};
///
/// let source = Image::from_pixels(2, 1, vec![0, 0, 0, 100, 100, 100]);
/// let mut out = [0; 3 * 3];
/// let half = Matrix3::shift(0.5, 0.0);
/// warp(&source, &half, Fill::Nearest, Interpolation::Bilinear, &Tone::IDENTITY, Size { width: 3, height: 1 }, &mut out);
/// assert_eq!(out, [0, 0, 0, 50, 50, 50, 100, 100, 100]);
/// ```
pub fn warp(
    source: &Image,
    matrix: &Matrix3,
    fill: Fill,
    interpolation: Interpolation,
    tone: &Tone,
    size: Size,
    out: &mut [u8],
) {
    assert_eq!(out.len(), size.width * size.height * 3, "an output of {size:?} needs three bytes a pixel");
    let tone = (*tone != Tone::IDENTITY).then(|| tone.fixed());
    if source.pixels().is_empty() {
        let color = if let Fill::Constant(color) = fill { color } else { [0; 3] };
        out.as_chunks_mut().0.fill(tone.map_or(color, |tone| tone.apply(color)));
        return;
    }
    for (y, row) in out.chunks_exact_mut((size.width * 3).max(1)).enumerate() {
        let row = row.as_chunks_mut().0;
        let line = Line::at(matrix, y);
        match interpolation {
            Interpolation::Bilinear => bilinear_row(source, line, fill, row),
            Interpolation::Nearest => nearest_row(source, line, fill, row),
        }
        if let Some(tone) = &tone {
            tone_row(tone, row);
        }
    }
}

/// Fractional bits of a coordinate.
const FRACTION: u32 = 32;

/// Fractional bits of a bilinear weight; two weights and a byte fill 30 bits.
const WEIGHT: u32 = 11;

/// The points of one output row in the source: a start and a step for each axis, in units of 2^-32 pixels.
#[derive(Clone, Copy)]
struct Line {
    x: i64,
    y: i64,
    x_step: i64,
    y_step: i64,
}

impl Line {
    fn at(matrix: &Matrix3, row: usize) -> Self {
        // Each row starts afresh from the matrix, so the error of a step adds up over one row at most.
        let (x, y) = matrix.apply(0.0, row as f64);
        let [[x_step, ..], [y_step, ..]] = *matrix.rows();
        Self { x: fixed(x), y: fixed(y), x_step: fixed(x_step), y_step: fixed(y_step) }
    }

    /// The point of output column `column`, however far away it lies.
    fn point(&self, column: usize) -> (i64, i64) {
        let along = |start: i64, step: i64| start.saturating_add(step.saturating_mul(column as i64));
        (along(self.x, self.x_step), along(self.y, self.y_step))
    }

    /// The output columns below `columns` whose points lie in `0 <= x < width` and `0 <= y < height`.
    fn columns_inside(&self, width: usize, height: usize, columns: usize) -> Range<usize> {
        let x = steps_inside(self.x, self.x_step, width, columns);
        let y = steps_inside(self.y, self.y_step, height, columns);
        let start = x.start.max(y.start);
        start..x.end.min(y.end).max(start)
    }
}

/// A coordinate in units of 2^-32; what is out of range ends at the ends of the range.
fn fixed(value: f64) -> i64 {
    // A quarter of the range leaves room to add half a pixel to any coordinate.
    let bound = 2f64.powi(60);
    (value * 2f64.powi(FRACTION as i32)).round().clamp(-bound, bound) as i64
}

/// The `n` below `count` for which `0 <= start + n * step < length`, the last in whole pixels.
fn steps_inside(start: i64, step: i64, length: usize, count: usize) -> Range<usize> {
    let (start, step, limit) = (i128::from(start), i128::from(step), (length as i128) << FRACTION);
    let (first, end) = match step {
        0 if (0..limit).contains(&start) => return 0..count,
        0 => return 0..0,
        // The range of n for which start + n * step lies in [0, limit), from both ends by a rounded-up division.
        1.. => (ceiling_division(-start, step), ceiling_division(limit - start, step)),
        _ => (ceiling_division(start - limit + 1, -step), ceiling_division(start + 1, -step)),
    };
    let within = |n: i128| n.clamp(0, count as i128) as usize;
    within(first)..within(end).max(within(first))
}

fn ceiling_division(numerator: i128, positive: i128) -> i128 {
    -(-numerator).div_euclid(positive)
}

fn bilinear_row(source: &Image, line: Line, fill: Fill, out: &mut [[u8; 3]]) {
    let (width, height) = (source.width(), source.height());
    // Inside means that the pixels to the right and below exist as well.
    let inside = line.columns_inside(width - 1, height - 1, out.len());
    let pixels = source.pixels();
    let mut x = line.x.wrapping_add(line.x_step.wrapping_mul(inside.start as i64));
    let mut y = line.y.wrapping_add(line.y_step.wrapping_mul(inside.start as i64));
    for pixel in &mut out[inside.clone()] {
        let at = ((y >> FRACTION) as usize * width + (x >> FRACTION) as usize) * 3;
        let (upper, lower) = (&pixels[at..at + 6], &pixels[at + width * 3..at + width * 3 + 6]);
        let (right, down) = (weight(x), weight(y));
        for channel in 0..3 {
            let corners = [upper[channel], upper[channel + 3], lower[channel], lower[channel + 3]];
            pixel[channel] = blend(corners, right, down);
        }
        x = x.wrapping_add(line.x_step);
        y = y.wrapping_add(line.y_step);
    }
    for column in (0..inside.start).chain(inside.end..out.len()) {
        let (x, y) = line.point(column);
        let (left, top) = (x >> FRACTION, y >> FRACTION);
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| pixel_or_fill(source, left + dx, top + dy, fill));
        let channel = |c: usize| blend(corners.map(|corner| corner[c]), weight(x), weight(y));
        out[column] = [channel(0), channel(1), channel(2)];
    }
}

fn nearest_row(source: &Image, line: Line, fill: Fill, out: &mut [[u8; 3]]) {
    let half = 1 << (FRACTION - 1);
    for (column, pixel) in out.iter_mut().enumerate() {
        let (x, y) = line.point(column);
        let (x, y) = (x.saturating_add(half) >> FRACTION, y.saturating_add(half) >> FRACTION);
        *pixel = pixel_or_fill(source, x, y, fill);
    }
}

fn tone_row(tone: &FixedTone, row: &mut [[u8; 3]]) {
    for pixel in row {
        *pixel = tone.apply(*pixel);
    }
}

/// The weight of the pixel to the right of (or below) a coordinate, rounded to 2^-11.
#[inline]
fn weight(coordinate: i64) -> u32 {
    let fraction = coordinate & ((1 << FRACTION) - 1);
    ((fraction + (1 << (FRACTION - WEIGHT - 1))) >> (FRACTION - WEIGHT)) as u32
}

/// The mean of a point's four pixels (upper left, upper right, lower left, lower right), rounded half up.
#[inline]
fn blend([upper_left, upper_right, lower_left, lower_right]: [u8; 4], right: u32, down: u32) -> u8 {
    const ONE: u32 = 1 << WEIGHT;
    let upper = u32::from(upper_left) * (ONE - right) + u32::from(upper_right) * right;
    let lower = u32::from(lower_left) * (ONE - right) + u32::from(lower_right) * right;
    ((upper * (ONE - down) + lower * down + (1 << (2 * WEIGHT - 1))) >> (2 * WEIGHT)) as u8
}

fn pixel_or_fill(source: &Image, x: i64, y: i64, fill: Fill) -> [u8; 3] {
    let (width, height) = (source.width() as i64, source.height() as i64);
    let (x, y) = match fill {
        Fill::Nearest => (x.clamp(0, width - 1), y.clamp(0, height - 1)),
        Fill::Reflect => (reflect(x, width), reflect(y, height)),
        Fill::Wrap => (x.rem_euclid(width), y.rem_euclid(height)),
        Fill::Constant(color) if x < 0 || y < 0 || x >= width || y >= height => return color,
        Fill::Constant(_) => (x, y),
    };
    source.get(x as usize, y as usize)
}

fn reflect(at: i64, length: i64) -> i64 {
    let at = at.rem_euclid(2 * length);
    at.min(2 * length - 1 - at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gray values as an RGB image whose other two channels are told apart.
    fn image(width: usize, height: usize, values: &[u8]) -> Image {
        Image::from_pixels(width, height, values.iter().flat_map(|&value| [value, value / 2, 255 - value]).collect())
    }

    fn noise(width: usize, height: usize) -> Image {
        let mut state = 1u32;
        let values = (0..width * height * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Image::from_pixels(width, height, values.collect())
    }

    fn warped(source: &Image, matrix: &Matrix3, fill: Fill, interpolation: Interpolation, size: Size) -> Image {
        let mut out = Image::filled(size.width, size.height, [1, 2, 3]);
        warp(source, matrix, fill, interpolation, &Tone::IDENTITY, size, out.pixels_mut());
        out
    }

    fn center(size: Size) -> (f64, f64) {
        ((size.width as f64 - 1.0) / 2.0, (size.height as f64 - 1.0) / 2.0)
    }

    /// The red channel of a 1-pixel high picture of `values`, moved by `shift` and read over `width` columns.
    #[track_caller]
    fn check_row(values: &[u8], shift: f64, fill: Fill, interpolation: Interpolation, expected: &[u8]) {
        let size = Size { width: expected.len(), height: 1 };
        let source = image(values.len(), 1, values);
        let out = warped(&source, &Matrix3::shift(shift, 0.0), fill, interpolation, size);
        let red: Vec<u8> = out.pixels().iter().step_by(3).copied().collect();
        assert_eq!(red, expected);
    }

    #[test]
    fn the_identity_changes_nothing() {
        let source = noise(13, 7);
        for interpolation in [Interpolation::Bilinear, Interpolation::Nearest] {
            for fill in [Fill::Nearest, Fill::Reflect, Fill::Wrap, Fill::Constant([9; 3])] {
                assert_eq!(warped(&source, &Matrix3::IDENTITY, fill, interpolation, source.size()), source);
            }
        }
    }

    #[test]
    fn two_flips_change_nothing_and_one_mirrors() {
        let source = noise(6, 5);
        let center = center(source.size());
        for flip in [Matrix3::horizontal_flip(center), Matrix3::vertical_flip(center)] {
            let once = warped(&source, &flip, Fill::Nearest, Interpolation::Bilinear, source.size());
            assert_ne!(once, source);
            assert_eq!(warped(&once, &flip, Fill::Nearest, Interpolation::Bilinear, source.size()), source);
        }
        let flip = Matrix3::horizontal_flip(center);
        let mirrored = warped(&source, &flip, Fill::Nearest, Interpolation::Bilinear, source.size());
        assert_eq!(mirrored.get(0, 3), source.get(5, 3));
    }

    #[test]
    fn a_quarter_turn_is_exact_and_counter_clockwise() {
        let source = image(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let turned = image(3, 3, &[3, 6, 9, 2, 5, 8, 1, 4, 7]);
        let quarter = Matrix3::rotation(90.0, (1.0, 1.0));
        for interpolation in [Interpolation::Bilinear, Interpolation::Nearest] {
            assert_eq!(warped(&source, &quarter, Fill::Constant([0; 3]), interpolation, source.size()), turned);
        }
    }

    #[test]
    fn fills_continue_a_row_as_documented() {
        let row = [10, 20, 30, 40];
        let nearest = Interpolation::Nearest;
        check_row(&row, 3.0, Fill::Nearest, nearest, &[10, 10, 10, 10, 20, 30, 40, 40, 40, 40]);
        check_row(&row, 3.0, Fill::Reflect, nearest, &[30, 20, 10, 10, 20, 30, 40, 40, 30, 20]);
        check_row(&row, 3.0, Fill::Wrap, nearest, &[20, 30, 40, 10, 20, 30, 40, 10, 20, 30]);
        check_row(&row, 3.0, Fill::Constant([7; 3]), nearest, &[7, 7, 7, 10, 20, 30, 40, 7, 7, 7]);
    }

    #[test]
    fn a_point_between_pixels_blends_them() {
        let row = [0, 100, 200];
        check_row(&row, 0.5, Fill::Nearest, Interpolation::Bilinear, &[0, 50, 150, 200, 200]);
        check_row(&row, 0.25, Fill::Constant([40; 3]), Interpolation::Bilinear, &[10, 75, 175, 80]);
        check_row(&row, -0.5, Fill::Wrap, Interpolation::Bilinear, &[50, 150, 100, 50]);
        // Exactly between two pixels the nearest is the one to the right.
        check_row(&row, 0.5, Fill::Nearest, Interpolation::Nearest, &[0, 100, 200, 200]);
    }

    #[test]
    fn the_tone_is_applied_to_the_warped_colors() {
        let source = Image::filled(2, 2, [100, 50, 20]);
        let mut out = [0; 6];
        let size = Size { width: 2, height: 1 };
        let (shift, fill) = (Matrix3::shift(1.0, 0.0), Fill::Constant([80; 3]));
        warp(&source, &shift, fill, Interpolation::Bilinear, &Tone::brightness(0.5), size, &mut out);
        assert_eq!(out, [40, 40, 40, 50, 25, 10]);
    }

    #[test]
    fn an_empty_source_shows_its_fill() {
        let empty = Image::default();
        let out =
            warped(&empty, &Matrix3::IDENTITY, Fill::Constant([5, 6, 7]), Interpolation::Bilinear, Size::square(2));
        assert_eq!(out, Image::filled(2, 2, [5, 6, 7]));
        let out = warped(&empty, &Matrix3::IDENTITY, Fill::Reflect, Interpolation::Nearest, Size::square(2));
        assert_eq!(out, Image::filled(2, 2, [0; 3]));
    }

    /// The same pixel in 64-bit floats, one pixel at a time and without a fast path.
    fn reference(source: &Image, matrix: &Matrix3, fill: Fill, x: usize, y: usize) -> [f64; 3] {
        let (x, y) = matrix.apply(x as f64, y as f64);
        let (left, top) = (x.floor(), y.floor());
        let color =
            |dx: f64, dy: f64| pixel_or_fill(source, (left + dx) as i64, (top + dy) as i64, fill).map(f64::from);
        let (right, down) = (x - left, y - top);
        let corners = [color(0.0, 0.0), color(1.0, 0.0), color(0.0, 1.0), color(1.0, 1.0)];
        [0, 1, 2].map(|c| {
            let upper = corners[0][c] * (1.0 - right) + corners[1][c] * right;
            let lower = corners[2][c] * (1.0 - right) + corners[3][c] * right;
            upper * (1.0 - down) + lower * down
        })
    }

    fn any_fill() -> impl Strategy<Value = Fill> {
        prop_oneof![
            Just(Fill::Nearest),
            Just(Fill::Reflect),
            Just(Fill::Wrap),
            any::<[u8; 3]>().prop_map(Fill::Constant),
        ]
    }

    proptest! {
        #[test]
        fn the_warp_stays_within_a_level_of_exact_arithmetic(
            degrees in -180.0..180.0,
            shear in -40.0..40.0,
            zoom in (0.3..3.0, 0.3..3.0),
            shift in (-20.0..20.0, -20.0..20.0),
            fill in any_fill(),
            (width, height) in (1usize..40, 1usize..40),
        ) {
            let source = noise(width, height);
            let size = Size { width: 24, height: 17 };
            let matrix = Matrix3::rotation(degrees, center(size))
                .then(&Matrix3::shear(shear, center(size)))
                .then(&Matrix3::scale(zoom.0, zoom.1, center(size)))
                .then(&Matrix3::shift(shift.0, shift.1))
                .then(&Matrix3::grid(width as f64 / 24.0, height as f64 / 17.0));
            let out = warped(&source, &matrix, fill, Interpolation::Bilinear, size);
            for y in 0..size.height {
                for x in 0..size.width {
                    let exact = reference(&source, &matrix, fill, x, y);
                    for (value, exact) in out.get(x, y).iter().zip(exact) {
                        prop_assert!((f64::from(*value) - exact).abs() <= 1.0, "({x}, {y}): {value} is not {exact}");
                    }
                }
            }
        }

        #[test]
        fn no_finite_matrix_panics(
            rows in any::<[[f64; 3]; 2]>(),
            fill in any_fill(),
            interpolation in prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Nearest)],
            (width, height) in (1usize..5, 1usize..5),
        ) {
            warped(&noise(width, height), &Matrix3::from_rows(rows), fill, interpolation, Size::square(5));
        }

        #[test]
        fn columns_inside_are_exactly_those_whose_points_are(
            start in -40i64..40,
            step in -5i64..=5,
            length in 0usize..12,
            count in 0usize..30,
        ) {
            let unit = 1 << (FRACTION - 1);
            let inside = steps_inside(start * unit, step * unit, length, count);
            for n in 0..count {
                let at = (start + n as i64 * step) * unit;
                prop_assert_eq!(inside.contains(&n), at >= 0 && at < (length as i64) << FRACTION);
            }
        }
    }
}
