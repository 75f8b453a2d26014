//! [`motion_blur`].

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::Image;
use crate::aligned::Aligned;
use crate::border::mirror;

/// Blurs along a line, as a camera does that moves while its shutter is open.
///
/// Each pixel becomes the mean of `ceil(length_pixels)` points that lie evenly along a line through it, the outermost
/// `length_pixels - 1` apart, each read bilinearly. The line rises counter-clockwise from the horizontal by
/// `angle_degrees`. Beyond the edge the picture is mirrored without repeating its outermost pixels. A length of 1, below,
/// or not a number changes nothing, one above 200 counts as 200; an angle that is not finite counts as 0.
///
/// Weights are quantized to 2^-14; the result is within one level of exact arithmetic for any length.
///
/// ```
/// use aumenta_imgproc::{Image, MotionBlurScratch, motion_blur};
///
/// let mut image = Image::filled(5, 5, [0; 3]);
/// image.set(2, 2, [90; 3]);
/// motion_blur(&mut image, 3.0, 90.0, &mut MotionBlurScratch::default());
/// assert_eq!([1, 2, 3].map(|y| image.get(2, y)[0]), [30, 30, 30]);
/// assert_eq!(image.get(1, 2), [0; 3]);
/// ```
pub fn motion_blur(image: &mut Image, length_pixels: f64, angle_degrees: f64, scratch: &mut MotionBlurScratch) {
    if image.pixels().is_empty() || length_pixels.is_nan() || length_pixels <= 1.0 {
        return;
    }
    let MotionBlurScratch { wide, shares, taps } = scratch;
    let angle_degrees = if angle_degrees.is_finite() { angle_degrees } else { 0.0 };
    share_out(length_pixels.min(200.0), angle_degrees, shares);
    weigh(shares, taps);
    let radius = taps.iter().map(|tap| tap.x.unsigned_abs()).max().unwrap_or(0);
    widen(image, radius, wide);
    Arch::new().dispatch(Blur { source: wide, radius, taps, out: image });
}

/// Buffers that [`motion_blur`] reuses.
#[derive(Clone, Debug, Default)]
pub struct MotionBlurScratch {
    /// The picture with mirrored columns on both sides.
    wide: Image,
    shares: Vec<Share>,
    taps: Vec<Tap>,
}

struct Blur<'a> {
    /// The picture with mirrored columns on both sides.
    source: &'a Image,
    /// How many of those there are on a side.
    radius: usize,
    taps: &'a [Tap],
    out: &'a mut Image,
}

impl WithSimd for Blur<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (stride, wide, height) = (self.out.width() * 3, self.source.width() * 3, self.out.height());
        let Aligned(sums) = &mut Aligned([0; RUN]);
        for (y, out) in self.out.pixels_mut().chunks_exact_mut(stride).enumerate() {
            for (run, out) in out.chunks_mut(RUN).enumerate() {
                let sums = &mut sums[..out.len()];
                sums.fill(1 << (BITS - 1));
                for tap in self.taps {
                    let row = mirror(y as isize + tap.y, height);
                    let column = self.radius.wrapping_add_signed(tap.x);
                    let values = &self.source.pixels()[row * wide + column * 3 + run * RUN..][..out.len()];
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum += u32::from(value) * tap.weight;
                    }
                }
                for (out, &sum) in out.iter_mut().zip(&*sums) {
                    *out = (sum >> BITS) as u8;
                }
            }
        }
    }
}

/// Values that are summed at once.
const RUN: usize = 768;

/// Fractional bits of a weight.
const BITS: u32 = 14;

/// What a point of the line takes of a pixel: its row and column relative to the middle, and its part of the whole.
#[derive(Clone, Copy, Debug)]
struct Share {
    place: (isize, isize),
    /// Which of the shares it was.
    number: usize,
    part: f64,
}

/// A pixel of the kernel: its place relative to the middle, and its weight in units of 2^-14.
#[derive(Clone, Debug)]
struct Tap {
    x: isize,
    y: isize,
    weight: u32,
}

/// What the points of a line take, in the order of places, and of one place in the order of points.
fn share_out(length: f64, angle_degrees: f64, shares: &mut Vec<Share>) {
    shares.clear();
    let radians = angle_degrees % 360.0 * (std::f64::consts::PI / 180.0);
    let (right, down) = (libm::cos(radians), -libm::sin(radians));
    let points = length.ceil();
    for point in 0..points as usize {
        let along = (point as f64 / (points - 1.0) - 0.5) * (length - 1.0);
        // Sines of right angles miss 0 by 1e-16; whole places should not spill into their neighbors for that.
        let place = |direction: f64| (along * direction * 4096.0).round() / 4096.0;
        let (x, y) = (place(right), place(down));
        for (corner_x, corner_y) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let corner = (x.floor() + corner_x, y.floor() + corner_y);
            let share = (1.0 - (x - corner.0).abs()) * (1.0 - (y - corner.1).abs());
            let place = (corner.1 as isize, corner.0 as isize);
            shares.push(Share { place, number: shares.len(), part: share / points });
        }
    }
    shares.sort_unstable_by_key(|share| (share.place, share.number));
}

/// The kernel of these shares; its weights add up to 2^14.
fn weigh(shares: &[Share], taps: &mut Vec<Tap>) {
    taps.clear();
    let one = f64::from(1 << BITS);
    let mut left = 1 << BITS;
    let mut sum = 0.0;
    for shares in shares.chunk_by(|a, b| a.place == b.place) {
        let (y, x) = shares[0].place;
        // Rounding what is left instead of each share makes the weights add up.
        sum += shares.iter().fold(0.0, |sum, share| sum + share.part);
        let after = (1 << BITS) - (sum * one).round() as u32;
        if after < left {
            taps.push(Tap { x, y, weight: left - after });
        }
        left = after;
    }
}

/// Moves `image` to `scratch` with `radius` mirrored columns on both sides; leaves the image's size and no content.
fn widen(image: &mut Image, radius: usize, scratch: &mut Image) {
    let (width, height) = (image.width(), image.height());
    scratch.resize_buffer(width + 2 * radius, height);
    let rows = scratch.pixels_mut().chunks_exact_mut((width + 2 * radius) * 3);
    for (row, wide) in image.pixels().chunks_exact(width * 3).zip(rows) {
        wide[radius * 3..][..width * 3].copy_from_slice(row);
        let outside = (0..radius).chain(radius + width..width + 2 * radius);
        for column in outside {
            let from = mirror(column as isize - radius as isize, width);
            wide[column * 3..column * 3 + 3].copy_from_slice(&row[from * 3..from * 3 + 3]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::{picture, sizes};

    fn blurred(source: &Image, length: f64, angle: f64) -> Image {
        let mut image = source.clone();
        motion_blur(&mut image, length, angle, &mut MotionBlurScratch::default());
        image
    }

    #[test]
    fn no_motion_changes_nothing_and_a_flat_picture_stays() {
        let source = picture(6, 5);
        for length in [1.0, 0.0, -3.0, f64::NAN] {
            assert_eq!(blurred(&source, length, 30.0), source);
        }
        let flat = Image::filled(9, 4, [0, 77, 255]);
        assert_eq!(blurred(&flat, 6.3, 20.0), flat);
        assert_eq!(blurred(&flat, f64::INFINITY, f64::NAN), flat);
    }

    #[test]
    fn a_horizontal_line_averages_a_row() {
        let source = Image::from_pixels(5, 1, [0, 30, 60, 90, 120].iter().flat_map(|&value| [value; 3]).collect());
        let expected = [20, 30, 60, 90, 100].iter().flat_map(|&value| [value; 3]).collect();
        assert_eq!(blurred(&source, 3.0, 0.0), Image::from_pixels(5, 1, expected));
        assert_eq!(blurred(&source, 3.0, 90.0), source, "a single row cannot be blurred downwards");
    }

    #[test]
    fn a_line_at_45_degrees_rises_to_the_right() {
        let mut image = Image::filled(5, 5, [0; 3]);
        image.set(2, 2, [240; 3]);
        // Three points 1.414 apart lie on the diagonal.
        let length = 1.0 + 2.0 * 2f64.sqrt();
        let out = blurred(&image, length, 45.0);
        assert!(out.get(3, 1)[0] > 40 && out.get(1, 3)[0] > 40, "{out:?}");
        assert_eq!([out.get(1, 1), out.get(3, 3)], [[0; 3]; 2]);
    }

    #[test]
    fn no_size_panics() {
        for source in sizes() {
            for length in [2.0, 9.5, 200.0] {
                assert_eq!(blurred(&source, length, 33.0).size(), source.size());
            }
        }
    }

    proptest! {
        #[test]
        fn weights_add_up_and_lie_around_the_middle(length in 1.01..60.0f64, angle in -1e6..1e6f64) {
            let (mut shares, mut taps) = (Vec::new(), Vec::new());
            share_out(length, angle, &mut shares);
            weigh(&shares, &mut taps);
            prop_assert_eq!(taps.iter().map(|tap| tap.weight).sum::<u32>(), 1 << BITS);
            let mean = |place: fn(&Tap) -> isize| {
                taps.iter().map(|tap| place(tap) as f64 * f64::from(tap.weight)).sum::<f64>() / f64::from(1 << BITS)
            };
            prop_assert!(mean(|tap| tap.x).abs() < 0.2 && mean(|tap| tap.y).abs() < 0.2);
        }

        #[test]
        fn a_blur_is_that_of_floats(length in 1.01..12.0f64, angle in 0.0..180.0f64) {
            let source = picture(11, 7);
            let out = blurred(&source, length, angle);
            let (sine, cosine) = angle.to_radians().sin_cos();
            let points = length.ceil() as usize;
            for (y, x) in (0..7).flat_map(|y| (0..11).map(move |x| (y, x))) {
                let mut exact = 0.0;
                for point in 0..points {
                    let along = (point as f64 / (points - 1) as f64 - 0.5) * (length - 1.0);
                    let (px, py) = (f64::from(x) + along * cosine, f64::from(y) - along * sine);
                    let (left, top) = (px.floor(), py.floor());
                    for (cx, cy) in [(left, top), (left + 1.0, top), (left, top + 1.0), (left + 1.0, top + 1.0)] {
                        let share = (1.0 - (px - cx).abs()) * (1.0 - (py - cy).abs());
                        let pixel = source.get(mirror(cx as isize, 11), mirror(cy as isize, 7));
                        exact += share * f64::from(pixel[1]) / points as f64;
                    }
                }
                let value = out.get(x as usize, y as usize)[1];
                prop_assert!((f64::from(value) - exact).abs() < 0.9, "{} is not {}", value, exact);
            }
        }
    }
}
