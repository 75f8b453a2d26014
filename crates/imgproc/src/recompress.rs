//! [`jpeg_recompress`]: what a picture loses in a JPEG file, without the file.
//!
//! A JPEG loses in three places: colors become whole numbers of brightness and two differences, the differences are
//! stored at half the size, and the frequencies of each 8x8 block are stored as multiples of a step. The codes that the
//! multiples are then written in lose nothing, so they are neither written nor read here.
//!
//! `color.rs` has the first, `chroma.rs` the second, `blocks.rs` the third with the steps of `steps.rs`.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

mod blocks;
mod chroma;
mod color;
mod steps;

use pulp::{Arch, Simd, WithSimd};

use self::blocks::Quantization;
use crate::Image;

/// Sends the picture through a JPEG file of `quality` 1 (blocks and ringing) to 100 (hardly a change).
///
/// The result is, to the last bit, what Pillow and OpenCV read back from the file that they write at this quality, both on
/// libjpeg(-turbo) with its defaults: differences of color at half the size (4:2:0), exact integer transforms, smooth
/// enlargement. (ITU-T T.81, annexes A.3 and K.1; JFIF 1.02.) The quality is limited to its range, and a picture that no
/// JPEG can hold, empty or above 65,535 pixels on a side, stays as it is.
///
/// `scratch` is a buffer of any content; it is reused where it is large enough.
///
/// ```
/// use aumenta_imgproc::{Image, jpeg_recompress};
///
/// let ramp = Image::from_pixels(16, 16, (0..256).flat_map(|at| [(at % 16 * 16) as u8; 3]).collect());
/// let distance = |quality| {
///     let mut image = ramp.clone();
///     jpeg_recompress(&mut image, quality, &mut Image::default());
///     image.pixels().iter().zip(ramp.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
/// };
/// assert!(distance(5) > 10 * distance(98));
/// ```
pub fn jpeg_recompress(image: &mut Image, quality: u8, scratch: &mut Image) {
    if image.pixels().is_empty() || image.width().max(image.height()) > usize::from(u16::MAX) {
        return;
    }
    Arch::new().dispatch(Recompress { quality: quality.clamp(1, 100), image, scratch });
}

struct Recompress<'a> {
    quality: u8,
    image: &'a mut Image,
    scratch: &'a mut Image,
}

impl WithSimd for Recompress<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (width, height) = (self.image.width(), self.image.height());
        let (wide, high) = (width.next_multiple_of(16), height.next_multiple_of(16));
        let half = Half { width: width.div_ceil(2), height: height.div_ceil(2), stride: wide / 2 };
        // Three planes and two of a quarter of their size.
        self.scratch.resize_buffer(wide, high + high.div_ceil(6));
        let (luma, rest) = self.scratch.pixels_mut().split_at_mut(wide * high);
        let (blue, rest) = rest.split_at_mut(wide * high);
        let (red, rest) = rest.split_at_mut(wide * high);
        let (half_blue, rest) = rest.split_at_mut(wide * high / 4);
        let half_red = &mut rest[..wide * high / 4];

        color::split(self.image, wide, [&mut *luma, &mut *blue, &mut *red]);
        blocks::quantize(luma, wide, &Quantization::new(&steps::LUMA, self.quality));
        let steps = Quantization::new(&steps::CHROMA, self.quality);
        for (plane, half_plane) in [(&mut *blue, half_blue), (&mut *red, half_red)] {
            chroma::halve(plane, half, half_plane);
            blocks::quantize(half_plane, half.stride, &steps);
            chroma::double(half_plane, half, plane);
        }
        color::join([luma, blue, red], wide, self.image);
    }
}

/// The size of a plane that is stored at half the picture's.
#[derive(Clone, Copy)]
struct Half {
    width: usize,
    height: usize,
    /// The columns that there are with those that fill the last blocks.
    stride: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::pictures;

    fn recompressed(image: &Image, quality: u8) -> Image {
        let mut changed = image.clone();
        jpeg_recompress(&mut changed, quality, &mut Image::filled(2, 1, [9; 3]));
        changed
    }

    #[test]
    fn what_no_file_can_hold_stays() {
        for image in [Image::default(), Image::filled(70_000, 1, [9; 3])] {
            assert_eq!(recompressed(&image, 50), image);
        }
    }

    #[test]
    fn qualities_beyond_the_range_are_its_ends() {
        let image = Image::from_pixels(20, 3, (0..180).map(|at| at * 7 % 251).map(|value| value as u8).collect());
        assert_eq!(recompressed(&image, 0), recompressed(&image, 1));
        assert_eq!(recompressed(&image, 255), recompressed(&image, 100));
        assert_ne!(recompressed(&image, 1), recompressed(&image, 100));
    }

    proptest! {
        #[test]
        fn the_size_is_kept_and_little_is_lost_at_the_best_quality(image in pictures(), gray in any::<u8>(), quality in any::<u8>()) {
            prop_assert_eq!(recompressed(&image, quality).size(), image.size());
            let flat = Image::filled(image.width(), image.height(), [gray; 3]);
            for value in recompressed(&flat, 100).pixels() {
                prop_assert!(value.abs_diff(gray) <= 1);
            }
        }
    }
}
