//! [`Displacement`]: a smooth random field, by which an elastic distortion moves each pixel on its own.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::Size;
use crate::noise::hashes;

/// How far each pixel of an output reads from its own place.
///
/// The distortion is that of Simard, Steinkraus and Platt (*Best Practices for Convolutional Neural Networks Applied to
/// Visual Document Analysis*, 2003, section 2): numbers drawn uniformly from `[-1, 1)` for each pixel and direction,
/// smoothed by a Gaussian and multiplied. A large sigma moves the picture as a whole, a small one crumples it.
///
/// The field is periodic, so that it is as strong at the edges of the picture as in its middle, and the Gaussian is three
/// extended box filters of exactly its variance (Gwosdek, Grewenig, Bruhn and Weickert, *Theoretical Foundations of
/// Gaussian Convolution by Extended Box Filtering*, 2011). Every number is a hash of the seed and the pixel's number, and
/// sums have a fixed order, so the same seed gives the same field on every machine.
///
/// ```
/// use aumenta_imgproc::{Displacement, Size};
///
/// let mut field = Displacement::default();
/// field.draw(Size::square(64), 7, 30.0, 4.0);
/// // The standard deviation of a smoothed number is 30 / (4 sqrt(12 pi)), 1.2 pixels.
/// let (x, _) = field.at(20.0, 30.0);
/// assert!(x != 0.0 && x.abs() < 6.0);
/// field.draw(Size::square(64), 7, 0.0, 4.0);
/// assert_eq!(field.at(20.0, 30.0), (0.0, 0.0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Displacement {
    size: Size,
    x: Vec<f32>,
    y: Vec<f32>,
    spare: Vec<f32>,
    sums: Vec<f64>,
}

impl Displacement {
    /// Draws a field for an output of `size`, in place of the old one, whose memory is reused.
    ///
    /// `alpha_pixels` is what the smoothed numbers are multiplied by; `sigma_pixels` is the Gaussian's standard deviation, at
    /// most the longer side of the output. Below 0, infinite or not a number, either counts as 0: nothing moves without an
    /// alpha, and each pixel moves by itself without a sigma.
    pub fn draw(&mut self, size: Size, seed: u64, alpha_pixels: f64, sigma_pixels: f64) {
        let amount = |value: f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
        let (alpha, sigma) = (amount(alpha_pixels), amount(sigma_pixels).min(size.width.max(size.height) as f64));
        self.size = size;
        self.x.clear();
        self.y.clear();
        for hash in hashes(seed).take(size.width * size.height) {
            self.x.push(signed_unit(hash as u32));
            self.y.push(signed_unit((hash >> 32) as u32));
        }
        let filter = BoxFilter::new(sigma);
        for axis in [&mut self.x, &mut self.y] {
            Arch::new().dispatch(Smooth {
                filter: &filter,
                size,
                values: axis,
                spare: &mut self.spare,
                sums: &mut self.sums,
            });
            for value in axis.iter_mut() {
                *value = (f64::from(*value) * alpha) as f32;
            }
        }
    }

    /// The size of the output that it was drawn for.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many pixels to the right and down of its own place the point `(x, y)` of the output reads, between pixels as the
    /// mean of the four around it, weighted by closeness, and outside as at the edge.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, right, across) = neighbors(x, self.size.width);
        let (top, bottom, down) = neighbors(y, self.size.height);
        let read = |axis: &[f32]| {
            let value =
                |column: usize, row: usize| f64::from(axis.get(row * self.size.width + column).copied().unwrap_or(0.0));
            let upper = value(left, top) * (1.0 - across) + value(right, top) * across;
            let lower = value(left, bottom) * (1.0 - across) + value(right, bottom) * across;
            upper * (1.0 - down) + lower * down
        };
        (read(&self.x), read(&self.y))
    }

    /// The field of one row.
    pub(crate) fn row(&self, row: usize) -> (&[f32], &[f32]) {
        let range = row * self.size.width..(row + 1) * self.size.width;
        (&self.x[range.clone()], &self.y[range])
    }
}

/// A number from -1 to 1, exclusive, from 32 random bits, of which an f32 takes the upper 24.
fn signed_unit(bits: u32) -> f32 {
    (bits as i32 >> 8) as f32 / 8_388_608.0
}

/// The pixels before and after a coordinate, and the weight of the latter.
fn neighbors(at: f64, length: usize) -> (usize, usize, f64) {
    let last = length.saturating_sub(1);
    let at = at.clamp(0.0, last as f64);
    let before = at as usize;
    (before.min(last), (before + 1).min(last), at - before as f64)
}

/// A mean over neighbors, of which the outermost two count in part.
struct BoxFilter {
    /// Neighbors to either side that count in full.
    radius: usize,
    /// The weight of the next one on each side, from 0 to 1.
    end: f64,
}

impl BoxFilter {
    /// So many in a row have the shape of a Gaussian to a few percent.
    const PASSES: usize = 3;

    /// The filter of which [`PASSES`](Self::PASSES) have the standard deviation `sigma`, which is at least 0.
    fn new(sigma: f64) -> Self {
        let variance = sigma * sigma / Self::PASSES as f64;
        let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let end = (2.0 * radius + 1.0) * (radius * (radius + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (radius + 1.0) * (radius + 1.0)));
        Self { radius: radius as usize, end: end.clamp(0.0, 1.0) }
    }

    /// Filters columns around a circle and writes them to `out`; `sums` is a buffer. The loops run along rows, so that
    /// they are loops over vectors.
    #[inline(always)]
    fn pass(&self, values: &[f32], width: usize, out: &mut Vec<f32>, sums: &mut Vec<f64>) {
        out.resize(values.len(), 0.0);
        let scale = (2.0 * self.radius as f64 + 1.0 + 2.0 * self.end).recip();
        let height = values.len() / width.max(1);
        let row = |at: usize| &values[at % height * width..][..width];
        // The first row that counts in full for row 0.
        let first = height - self.radius % height;
        sums.clear();
        sums.resize(width, 0.0);
        for at in 0..=2 * self.radius {
            for (sum, &value) in sums.iter_mut().zip(row(first + at)) {
                *sum += f64::from(value);
            }
        }
        for (at, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let (leaving, before, coming) = (row(first + at), row(first + at - 1), row(at + self.radius + 1));
            let edges = leaving.iter().zip(before).zip(coming);
            for ((out, sum), ((&leaving, &before), &coming)) in out.iter_mut().zip(&mut *sums).zip(edges) {
                let coming = f64::from(coming);
                *out = ((*sum + self.end * (f64::from(before) + coming)) * scale) as f32;
                *sum += coming - f64::from(leaving);
            }
        }
    }
}

/// Filters an axis of the field along both directions.
struct Smooth<'a> {
    filter: &'a BoxFilter,
    size: Size,
    values: &'a mut Vec<f32>,
    spare: &'a mut Vec<f32>,
    sums: &'a mut Vec<f64>,
}

impl WithSimd for Smooth<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { filter, size, values, spare, sums } = self;
        if values.is_empty() {
            return;
        }
        for width in [size.width, size.height] {
            for _ in 0..BoxFilter::PASSES {
                filter.pass(values, width, spare, sums);
                std::mem::swap(values, spare);
            }
            transpose(values, width, spare);
            std::mem::swap(values, spare);
        }
    }
}

/// Writes rows of `width` values as columns, tile by tile, so that both sides stay in the first cache.
#[inline(always)]
fn transpose(values: &[f32], width: usize, out: &mut [f32]) {
    const TILE: usize = 16;
    let height = values.len() / width;
    for (top, left) in (0..height).step_by(TILE).flat_map(|top| (0..width).step_by(TILE).map(move |left| (top, left))) {
        for x in left..(left + TILE).min(width) {
            for y in top..(top + TILE).min(height) {
                out[x * height + y] = values[y * width + x];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(size: Size, seed: u64, alpha: f64, sigma: f64) -> Displacement {
        let mut field = Displacement::default();
        field.draw(size, seed, alpha, sigma);
        field
    }

    #[track_caller]
    fn check_deviation(sigma: f64, expected: f64) {
        let field = drawn(Size { width: 128, height: 96 }, 3, 100.0, sigma);
        for axis in [&field.x, &field.y] {
            let square = axis.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / axis.len() as f64;
            assert!((square.sqrt() / expected - 1.0).abs() < 0.15, "{} is not {expected}", square.sqrt());
        }
    }

    #[test]
    fn without_a_sigma_the_numbers_are_uniform() {
        check_deviation(0.0, 100.0 / 3f64.sqrt());
        let field = drawn(Size::square(100), 5, 1.0, 0.0);
        assert!(field.x.iter().all(|value| (-1.0..1.0).contains(value)));
        assert!(field.x.iter().any(|&value| value > 0.999) && field.x.iter().any(|&value| value < -0.999));
    }

    #[test]
    fn a_gaussian_weakens_the_field_by_its_width() {
        // White noise of variance 1/3 behind a Gaussian has the variance 1 / (3 * 4 pi sigma^2).
        for sigma in [2.0, 3.5, 6.0] {
            check_deviation(sigma, 100.0 / (sigma * (12.0 * std::f64::consts::PI).sqrt()));
        }
    }

    #[test]
    fn the_filter_has_the_variance_of_its_gaussian() {
        for sigma in [0.0, 0.3, 1.0, 2.5, 10.0] {
            let width = 201;
            let mut values = vec![0.0; width];
            values[100] = 1.0;
            let filter = BoxFilter::new(sigma);
            for _ in 0..BoxFilter::PASSES {
                let column = std::mem::take(&mut values);
                filter.pass(&column, 1, &mut values, &mut Vec::new());
            }
            let moment = |power: i32| {
                let terms = values.iter().enumerate();
                terms.map(|(at, value)| (at as f64 - 100.0).powi(power) * f64::from(*value)).sum::<f64>()
            };
            assert!((moment(0) - 1.0).abs() < 1e-6 && moment(1).abs() < 1e-5, "sigma {sigma}");
            assert!((moment(2) - sigma * sigma).abs() < 1e-4 * (1.0 + sigma * sigma), "sigma {sigma}: {}", moment(2));
        }
    }

    #[test]
    fn a_pass_is_the_mean_around_a_circle() {
        let filter = BoxFilter { radius: 1, end: 0.5 };
        let mut out = Vec::new();
        filter.pass(&[4.0, 8.0, 12.0, 0.0, 0.0], 1, &mut out, &mut Vec::new());
        // 0: (0 + 4 + 8) + (0 + 12) / 2, over four, and so on.
        assert_eq!(out, [4.5, 6.0, 5.5, 4.5, 3.5]);
    }

    #[test]
    fn seeds_give_other_fields_and_the_same_seed_the_same() {
        let size = Size::square(16);
        assert_eq!(drawn(size, 1, 9.0, 2.0).x, drawn(size, 1, 9.0, 2.0).x);
        assert_ne!(drawn(size, 1, 9.0, 2.0).x, drawn(size, 2, 9.0, 2.0).x);
        assert_ne!(drawn(size, 1, 9.0, 2.0).x, drawn(size, 1, 9.0, 2.0).y);
    }

    #[test]
    fn between_pixels_the_field_is_their_mean_and_outside_its_edge() {
        let field = Displacement {
            size: Size { width: 2, height: 1 },
            x: vec![1.0, 3.0],
            y: vec![0.0, -4.0],
            ..Displacement::default()
        };
        assert_eq!(field.at(0.25, 0.0), (1.5, -1.0));
        assert_eq!(field.at(-9.0, 5.0), (1.0, 0.0));
        assert_eq!(field.at(f64::INFINITY, f64::NEG_INFINITY), (3.0, -4.0));
        assert!(field.at(f64::NAN, 0.0).0.is_nan());
    }

    #[test]
    fn both_directions_are_smoothed_alike() {
        // White noise behind the filter has the same correlation between neighbors along both axes.
        let size = Size { width: 130, height: 70 };
        let field = drawn(size, 11, 1.0, 3.0);
        let correlation = |step: usize| {
            let pairs = field.x.iter().zip(&field.x[step..]);
            pairs.map(|(a, b)| f64::from(a * b)).sum::<f64>() / field.x.iter().map(|a| f64::from(a * a)).sum::<f64>()
        };
        assert!(correlation(1) > 0.9 && correlation(size.width) > 0.9);
        assert!((correlation(1) - correlation(size.width)).abs() < 0.03);
        assert!(correlation(20 * size.width).abs() < 0.3 && correlation(20).abs() < 0.3);
    }

    proptest! {
        #[test]
        fn any_numbers_draw_a_field(
            width in 0usize..9, height in 0usize..9, seed in any::<u64>(), alpha in any::<f64>(), sigma in any::<f64>(),
            at in any::<(f64, f64)>(),
        ) {
            let field = drawn(Size { width, height }, seed, alpha, sigma);
            prop_assert!(field.x.iter().all(|value| !value.is_nan()));
            field.at(at.0, at.1);
        }
    }
}
