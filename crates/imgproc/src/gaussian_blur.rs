//! [`gaussian_blur`].

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::Image;
use crate::aligned::Aligned;
use crate::border::mirror;

/// Blurs by a Gaussian of standard deviation `sigma_pixels`.
///
/// The kernel is `exp(-x^2 / (2 sigma^2))` for whole `x` up to `ceil(3 sigma)`, normalized, in units of 2^-14, first over
/// columns, then over rows. Beyond the edge the picture is mirrored without repeating its outermost pixels, as torchvision
/// and OpenCV do it. A sigma of 0, below, or not a number changes nothing; one above 100 counts as 100.
///
/// The result is within one level of exact arithmetic; a flat picture stays exactly as it is.
///
/// `scratch` is a buffer of any content; it is reused where it is large enough.
///
/// ```
/// use aumenta_imgproc::{Image, gaussian_blur};
///
/// let mut image = Image::filled(5, 1, [0; 3]);
/// image.set(2, 0, [255; 3]);
/// gaussian_blur(&mut image, 0.5, &mut Image::default());
/// // exp(-2) = 0.135 on either side, over their sum of 1.271.
/// assert_eq!(image.get(2, 0), [201; 3]);
/// assert_eq!(image.get(1, 0), [27; 3]);
/// ```
pub fn gaussian_blur(image: &mut Image, sigma_pixels: f64, scratch: &mut Image) {
    let (width, height) = (image.width(), image.height());
    if image.pixels().is_empty() || sigma_pixels.is_nan() || sigma_pixels <= 0.0 {
        return;
    }
    std::mem::swap(image, scratch);
    image.resize_buffer(width, height);
    let kernel = HalfKernel::new(sigma_pixels.min(MAX_SIGMA));
    Arch::new().dispatch(Blur { source: scratch, kernel, out: image });
}

/// The widest blur, in pixels.
const MAX_SIGMA: f64 = 100.0;

/// The largest distance over which a kernel reaches, in pixels.
const MAX_RADIUS: usize = 300;

/// Fractional bits of a weight.
const WEIGHT: u32 = 14;

/// Fractional bits of a sum over a column.
const KEPT: u32 = 6;

/// The weights of the middle and of each distance to one side, which add up to 2^14 with the other side's.
struct HalfKernel {
    weights: [i16; MAX_RADIUS + 1],
    radius: usize,
}

impl HalfKernel {
    fn new(sigma: f64) -> Self {
        let radius = (3.0 * sigma).ceil() as usize;
        let exact = |x: usize| libm::exp(-((x * x) as f64) / (2.0 * sigma * sigma));
        let total = 1.0 + 2.0 * (1..=radius).map(exact).sum::<f64>();
        let one = 1 << WEIGHT;
        let mut weights = [0; MAX_RADIUS + 1];
        for (x, weight) in weights.iter_mut().enumerate().take(radius + 1).skip(1) {
            *weight = (exact(x) / total * f64::from(one)).round() as i16;
        }
        // The middle takes what rounding left, so that a flat picture stays as it is.
        weights[0] = one - 2 * weights.iter().sum::<i16>();
        Self { weights, radius }
    }

    fn weights(&self) -> &[i16] {
        &self.weights[..=self.radius]
    }
}

struct Blur<'a> {
    source: &'a Image,
    kernel: HalfKernel,
    out: &'a mut Image,
}

/// Columns that are blurred at once.
const TILE: usize = 256;

impl WithSimd for Blur<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { source, kernel, out } = self;
        let (width, height, radius) = (source.width(), source.height(), kernel.radius);
        let stride = width * 3;
        let Aligned(sums) = &mut Aligned([0; (TILE + 2 * MAX_RADIUS) * 3]);
        let Aligned(middles) = &mut Aligned([0i16; (TILE + 2 * MAX_RADIUS) * 3]);
        for first in (0..width).step_by(TILE) {
            let last = (first + TILE).min(width);
            // The columns of the picture that the tile reads, and where the first of them stands among its middles.
            let (start, end) = (first.saturating_sub(radius), (last + radius).min(width));
            let shift = start + radius - first;
            for (y, out) in out.pixels_mut().chunks_exact_mut(stride).enumerate() {
                let row =
                    |distance| &source.pixels()[mirror(y as isize + distance, height) * stride..][start * 3..end * 3];
                let columns = &mut middles[shift * 3..(shift + end - start) * 3];
                weigh(kernel.weights(), row, &mut sums[..columns.len()]);
                for (middle, &sum) in columns.iter_mut().zip(&*sums) {
                    *middle = rounded(sum, WEIGHT - KEPT) as i16;
                }
                let outside = (0..shift).chain(shift + end - start..last - first + 2 * radius);
                for column in outside {
                    let from = mirror((first + column) as isize - radius as isize, width) + shift - start;
                    middles.copy_within(from * 3..from * 3 + 3, column * 3);
                }
                let out = &mut out[first * 3..last * 3];
                let column = |distance| &middles[radius.wrapping_add_signed(distance) * 3..][..(last - first) * 3];
                weigh(kernel.weights(), column, &mut sums[..out.len()]);
                for (out, &sum) in out.iter_mut().zip(&*sums) {
                    *out = rounded(sum, WEIGHT + KEPT) as u8;
                }
            }
        }
    }
}

/// A number without its fractional bits, rounded half up.
#[inline(always)]
fn rounded(sum: i32, bits: u32) -> i32 {
    (sum + (1 << (bits - 1))) >> bits
}

/// Writes the weighted sums of the values that lie at each distance to both sides.
#[inline(always)]
fn weigh<'a, T: Copy + Into<i32> + 'a>(weights: &[i16], at: impl Fn(isize) -> &'a [T], sums: &mut [i32]) {
    for (sum, &value) in sums.iter_mut().zip(at(0)) {
        *sum = value.into() * i32::from(weights[0]);
    }
    for (distance, &weight) in (1..).zip(&weights[1..]) {
        for ((sum, &left), &right) in sums.iter_mut().zip(at(-distance)).zip(at(distance)) {
            *sum += (left.into() + right.into()) * i32::from(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_picture::{picture, sizes};

    fn blurred(source: &Image, sigma: f64) -> Image {
        let mut image = source.clone();
        gaussian_blur(&mut image, sigma, &mut Image::filled(3, 1, [9; 3]));
        image
    }

    #[test]
    fn no_blur_changes_nothing_and_a_flat_picture_stays() {
        let source = picture(6, 5);
        for sigma in [0.0, -1.0, f64::NAN, 1e-9] {
            assert_eq!(blurred(&source, sigma), source);
        }
        let flat = Image::filled(11, 4, [0, 77, 255]);
        for sigma in [0.3, 1.0, 7.7, f64::INFINITY] {
            assert_eq!(blurred(&flat, sigma), flat);
        }
    }

    #[test]
    fn a_blur_is_that_of_floats() {
        let source = picture(13, 8);
        for sigma in [0.4f64, 1.0, 2.5] {
            let radius = (3.0 * sigma).ceil() as isize;
            let weight = |x: isize| (-((x * x) as f64) / (2.0 * sigma * sigma)).exp();
            let total: f64 = (-radius..=radius).map(weight).sum();
            let out = blurred(&source, sigma);
            for (y, x) in (0..8).flat_map(|y| (0..13).map(move |x| (y, x))) {
                let mut exact = [0.0; 3];
                for (dy, dx) in (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dy, dx))) {
                    let pixel = source.get(mirror(x + dx, 13), mirror(y + dy, 8));
                    for (exact, value) in exact.iter_mut().zip(pixel) {
                        *exact += weight(dx) * weight(dy) / (total * total) * f64::from(value);
                    }
                }
                for (value, exact) in out.get(x as usize, y as usize).iter().zip(exact) {
                    assert!((f64::from(*value) - exact).abs() < 0.6, "{value} is not {exact}");
                }
            }
        }
    }

    #[test]
    fn wide_pictures_have_no_seams() {
        // A row of 700 pixels spans three tiles; every row is the same, so that one row says all.
        let row: Vec<u8> = (0..2100).map(|at| ((at * 7919) >> 3) as u8).collect();
        let source = Image::from_pixels(700, 2, row.repeat(2));
        for sigma in [0.7f64, 30.0] {
            let radius = (3.0 * sigma).ceil() as isize;
            let weight = |x: isize| (-((x * x) as f64) / (2.0 * sigma * sigma)).exp();
            let total: f64 = (-radius..=radius).map(weight).sum();
            let out = blurred(&source, sigma);
            for x in 0..700 {
                let exact: f64 = (-radius..=radius)
                    .map(|dx| weight(dx) / total * f64::from(source.get(mirror(x + dx, 700), 0)[1]))
                    .sum();
                let value = out.get(x as usize, 1)[1];
                assert!((f64::from(value) - exact).abs() < 0.9, "{value} is not {exact} at {x}");
            }
        }
    }

    #[test]
    fn no_size_and_no_sigma_panic() {
        for source in sizes() {
            for sigma in [0.1, 3.0, 100.0, f64::MAX] {
                assert_eq!(blurred(&source, sigma).size(), source.size());
            }
        }
    }
}
