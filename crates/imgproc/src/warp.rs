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
