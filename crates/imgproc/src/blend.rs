//! [`blend`]: two pictures over each other, pixel by pixel.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::Arch;

use crate::{Image, ImageRef};

/// Replaces each value of `image` by `image + weight * (other - image)`, rounded half up and clipped to `0..=255`.
///
/// A weight of 0 leaves the image, 1 gives `other`, 0.3 takes three tenths of it. Weights outside of 0 to 1 move away
/// from `other` or beyond it; those beyond -100 or 100 count as that, and one that is not a number as 0. Weights are
/// quantized to 2^-16.
///
/// # Panics
/// Where the sizes differ.
///
/// ```
/// use aumenta_imgproc::{Image, blend};
///
/// let mut image = Image::filled(2, 1, [100, 0, 200]);
/// blend(&mut image, &Image::filled(2, 1, [200, 255, 0]), 0.25);
/// assert_eq!(image, Image::filled(2, 1, [125, 64, 150]));
/// ```
pub fn blend<'a>(image: &mut Image, other: impl Into<ImageRef<'a>>, weight: f64) {
    let other = other.into();
    assert_eq!(image.size(), other.size(), "only pictures of one size blend");
    blend_values(image.pixels_mut(), other.pixels(), Weight::new(weight));
}

fn blend_values(values: &mut [u8], others: &[u8], weight: Weight) {
    Arch::new().dispatch(|| {
        for (value, &other) in values.iter_mut().zip(others) {
            *value = weight.mix(i32::from(*value), i32::from(other));
        }
    });
}

/// The weight of a blend in units of 2^-16: a difference of two bytes times it fits in 31 bits.
#[derive(Clone, Copy)]
pub(crate) struct Weight(i32);

impl Weight {
    const BITS: u32 = 16;

    pub(crate) fn new(weight: f64) -> Self {
        Self((weight.clamp(-100.0, 100.0) * f64::from(1 << Self::BITS)).round() as i32)
    }

    /// `from + weight * (to - from)` of two values from 0 to 255.
    #[inline(always)]
    pub(crate) fn mix(self, from: i32, to: i32) -> u8 {
        let moved = ((to - from) * self.0 + (1 << (Self::BITS - 1))) >> Self::BITS;
        (from + moved).clamp(0, 255) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blended(from: u8, to: u8, weight: f64) -> u8 {
        let mut image = Image::filled(1, 1, [from; 3]);
        blend(&mut image, &Image::filled(1, 1, [to; 3]), weight);
        image.get(0, 0)[1]
    }

    #[test]
    fn the_ends_are_exact() {
        for (from, to) in [(0, 255), (255, 0), (17, 18), (9, 9)] {
            assert_eq!([blended(from, to, 0.0), blended(from, to, 1.0)], [from, to]);
            assert_eq!(blended(from, to, f64::NAN), from);
        }
    }

    #[test]
    fn weights_outside_of_0_to_1_extrapolate_and_clip() {
        assert_eq!([blended(100, 110, 3.0), blended(100, 110, -2.0)], [130, 80]);
        assert_eq!([blended(0, 255, -1e9), blended(0, 255, f64::INFINITY)], [0, 255]);
    }

    #[test]
    fn empty_pictures_blend_to_an_empty_one() {
        let mut image = Image::default();
        blend(&mut image, &Image::default(), 0.5);
        assert_eq!(image, Image::default());
    }

    proptest! {
        #[test]
        fn a_blend_is_that_of_floats(from in any::<u8>(), to in any::<u8>(), weight in -100.0..100.0f64) {
            let exact = (f64::from(from) + weight * (f64::from(to) - f64::from(from))).clamp(0.0, 255.0);
            prop_assert!((f64::from(blended(from, to, weight)) - exact).abs() <= 0.51);
        }
    }
}
