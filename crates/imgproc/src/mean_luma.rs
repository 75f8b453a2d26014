//! [`mean_luma`]: how bright a picture is.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::{ImageRef, luma};

/// The mean of the pixels' [`luma`], from 0 to 255; of an empty image 0.
///
/// It is the gray that Pillow's and torchvision's contrast moves colors away from; see
/// [`Tone::contrast_about`](crate::Tone::contrast_about). (Pillow rounds it to a whole number, torchvision does not.)
///
/// ```
/// use aumenta_imgproc::{Image, mean_luma};
///
/// let image = Image::from_pixels(2, 1, vec![255, 0, 0, 11, 11, 11]);
/// assert_eq!(mean_luma(&image), (76.0 + 11.0) / 2.0);
/// ```
pub fn mean_luma<'a>(image: impl Into<ImageRef<'a>>) -> f64 {
    mean(image.into().pixels())
}

fn mean(pixels: &[u8]) -> f64 {
    let pixels = pixels.as_chunks().0;
    Arch::new().dispatch(Sum { pixels }) as f64 / pixels.len().max(1) as f64
}

/// The sum of the lumas.
struct Sum<'a> {
    pixels: &'a [[u8; 3]],
}

impl WithSimd for Sum<'_> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> u64 {
        let (blocks, rest) = self.pixels.as_chunks::<64>();
        blocks.iter().map(|block| u64::from(sum(block))).sum::<u64>() + u64::from(sum(rest))
    }
}

#[inline(always)]
fn sum(pixels: &[[u8; 3]]) -> u32 {
    let mut sum = 0;
    for &rgb in pixels {
        sum += u32::from(luma(rgb));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Image;

    #[test]
    fn a_flat_picture_has_its_own_luma_and_an_empty_one_none() {
        assert_eq!(mean_luma(&Image::filled(7, 3, [0, 255, 0])), 150.0);
        assert_eq!(mean_luma(&Image::default()), 0.0);
    }
}
