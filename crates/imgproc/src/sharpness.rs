//! [`sharpen`]: from a smoothed picture to itself and beyond.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::Arch;

use crate::Image;
use crate::blend::Weight;

/// Moves every pixel away from, or towards, the mean of its neighborhood: `smooth + factor * (pixel - smooth)`.
///
/// A factor of 0 gives the smoothed picture, 1 changes nothing, 2 sharpens. `smooth` is Pillow's `SMOOTH` filter, the 3x3
/// neighborhood with weights `1 1 1 / 1 5 1 / 1 1 1` over 13, rounded; the outermost pixels stay as they are. This is
/// Pillow's `ImageEnhance.Sharpness` and torchvision's `adjust_sharpness`, which cut the fraction off where this rounds.
/// Factors beyond -100 or 100 count as that; one that is not a number counts as 0.
///
/// `scratch` is a buffer of any content; it is reused where it is large enough.
///
/// ```
/// use aumenta_imgproc::{Image, sharpen};
///
/// let mut image = Image::filled(3, 3, [100; 3]);
/// image.set(1, 1, [126; 3]);
/// sharpen(&mut image, 2.0, &mut Image::default());
/// // Smoothed, the middle is 100 + 26 * 5 / 13 = 110.
/// assert_eq!(image.get(1, 1), [142; 3]);
/// assert_eq!(image.get(0, 0), [100; 3]);
/// ```
pub fn sharpen(image: &mut Image, factor: f64, scratch: &mut Image) {
    let (width, height) = (image.width(), image.height());
    if width < 3 || height < 3 {
        return;
    }
    std::mem::swap(image, scratch);
    image.resize_buffer(width, height);
    let (weight, stride) = (Weight::new(factor), width * 3);
    let source = scratch.pixels();
    let rows = image.pixels_mut().chunks_exact_mut(stride).enumerate();
    for (y, out) in rows {
        let row = &source[y * stride..][..stride];
        out.copy_from_slice(row);
        if y > 0 && y < height - 1 {
            let (above, below) = (&source[(y - 1) * stride..][..stride], &source[(y + 1) * stride..][..stride]);
            Arch::new().dispatch(|| sharpen_row([above, row, below], weight, &mut out[3..stride - 3]));
        }
    }
}

#[inline(always)]
fn sharpen_row(rows: [&[u8]; 3], weight: Weight, out: &mut [u8]) {
    let count = out.len();
    let [above, row, below] = rows.map(|row| &row[..count + 6]);
    for (at, out) in out.iter_mut().enumerate() {
        let sum = |row: &[u8]| u16::from(row[at]) + u16::from(row[at + 3]) + u16::from(row[at + 6]);
        let pixel = u16::from(row[at + 3]);
        let smooth = thirteenth(sum(above) + sum(row) + sum(below) + 4 * pixel);
        *out = weight.mix(i32::from(smooth), i32::from(pixel));
    }
}

/// A sum of thirteen bytes over 13, rounded: as a product with 2^16 / 13, rounded up, which is exact for sums this small.
#[inline(always)]
fn thirteenth(sum: u16) -> u16 {
    ((u32::from(sum + 6) * 5042) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_picture::{picture, sizes};

    #[test]
    fn factor_one_changes_nothing_and_zero_smooths() {
        let source = picture(9, 7);
        let mut image = source.clone();
        sharpen(&mut image, 1.0, &mut Image::filled(2, 2, [3; 3]));
        assert_eq!(image, source);
        sharpen(&mut image, 0.0, &mut Image::default());
        for y in 0..7 {
            for x in 0..9 {
                let expected = if x == 0 || y == 0 || x == 8 || y == 6 {
                    source.get(x, y)
                } else {
                    [0, 1, 2].map(|c| {
                        let neighbors = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (x, y)));
                        let sum: u32 = neighbors.map(|(x, y)| u32::from(source.get(x, y)[c])).sum();
                        (f64::from(sum + 4 * u32::from(source.get(x, y)[c])) / 13.0).round() as u8
                    })
                };
                assert_eq!(image.get(x, y), expected, "({x}, {y})");
            }
        }
    }

    #[test]
    fn a_product_divides_by_thirteen() {
        for sum in 0..=13 * 255 {
            assert_eq!(thirteenth(sum), (sum + 6) / 13);
        }
    }

    #[test]
    fn no_size_and_no_factor_panic() {
        for source in sizes() {
            for factor in [0.5, 3.0, f64::NAN, f64::INFINITY, -1e300] {
                let mut image = source.clone();
                sharpen(&mut image, factor, &mut Image::default());
                assert_eq!(image.size(), source.size());
            }
        }
    }
}
