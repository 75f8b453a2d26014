//! [`gaussian_blur`].

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::Arch;

use crate::Image;
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
    let weights = half_kernel(sigma_pixels.min(100.0));
    let (radius, stride) = (weights.len() - 1, width * 3);
    std::mem::swap(image, scratch);
    image.resize_buffer(width, height);
    let source = scratch.pixels();
    let mut sums = vec![0u32; stride];
    let mut padded = vec![0u32; (width + 2 * radius) * 3];
    for (y, out) in image.pixels_mut().chunks_exact_mut(stride).enumerate() {
        let row = |offset: isize| &source[mirror(y as isize + offset, height) * stride..][..stride];
        Arch::new().dispatch(|| {
            start(&mut sums, row(0), weights[0]);
            for (distance, &weight) in (1..).zip(&weights[1..]) {
                add_pair(&mut sums, row(-distance), row(distance), weight);
            }
            for (middle, sum) in padded[radius * 3..].iter_mut().zip(&sums) {
                *middle = (sum + (1 << (DROPPED - 1))) >> DROPPED;
            }
        });
        for distance in 1..=radius {
            for (to, from) in [
                (radius - distance, mirror(-(distance as isize), width)),
                (radius + width - 1 + distance, mirror((width - 1 + distance) as isize, width)),
            ] {
                padded.copy_within((radius + from) * 3..(radius + from) * 3 + 3, to * 3);
            }
        }
        Arch::new().dispatch(|| {
            let at = |column: usize| &padded[column * 3..][..stride];
            start(&mut sums, at(radius), weights[0]);
            for (distance, &weight) in (1..).zip(&weights[1..]) {
                add_pair(&mut sums, at(radius - distance), at(radius + distance), weight);
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = ((sum + (1 << (FINAL - 1))) >> FINAL) as u8;
            }
        });
    }
}

/// Fractional bits of a weight.
const BITS: u32 = 14;

/// Bits that the sum over a column loses; 6 fractional bits stay.
const DROPPED: u32 = 8;

/// Fractional bits of the sum over a row.
const FINAL: u32 = 2 * BITS - DROPPED;

/// The weights of the middle and of each distance to one side, which add up to 2^14 with the other side's.
fn half_kernel(sigma: f64) -> Vec<u32> {
    let radius = (3.0 * sigma).ceil() as usize;
    let exact: Vec<f64> = (0..=radius).map(|x| libm::exp(-((x * x) as f64) / (2.0 * sigma * sigma))).collect();
    let total = exact[0] + 2.0 * exact[1..].iter().sum::<f64>();
    let one = f64::from(1 << BITS);
    let mut weights: Vec<u32> = exact.iter().map(|weight| (weight / total * one).round() as u32).collect();
    // The middle takes what rounding left, so that a flat picture stays as it is.
    weights[0] = (1 << BITS) - 2 * weights[1..].iter().sum::<u32>();
    weights
}

#[inline(always)]
fn start<T: Copy + Into<u32>>(sums: &mut [u32], values: &[T], weight: u32) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = value.into() * weight;
    }
}

#[inline(always)]
fn add_pair<T: Copy + Into<u32>>(sums: &mut [u32], left: &[T], right: &[T], weight: u32) {
    for ((sum, &left), &right) in sums.iter_mut().zip(left).zip(right) {
        *sum += (left.into() + right.into()) * weight;
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
    fn no_size_and_no_sigma_panic() {
        for source in sizes() {
            for sigma in [0.1, 3.0, 100.0, f64::MAX] {
                assert_eq!(blurred(&source, sigma).size(), source.size());
            }
        }
    }
}
