//! [`jpeg_recompress`].

use crate::{Image, Limits, decode_into, encode_jpeg};

/// Sends the picture through a JPEG file of `quality` 1 (blocks and ringing) to 100 (hardly a change).
///
/// Colors are stored in full resolution (4:4:4). The quality is limited to its range, and a picture that no JPEG can
/// hold, empty or above 65,535 pixels on a side, stays as it is.
///
/// ```
/// use aumenta_imgproc::{Image, jpeg_recompress};
///
/// let ramp = Image::from_pixels(16, 16, (0..256).flat_map(|at| [(at % 16 * 16) as u8; 3]).collect());
/// let distance = |quality| {
///     let mut image = ramp.clone();
///     jpeg_recompress(&mut image, quality);
///     image.pixels().iter().zip(ramp.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
/// };
/// assert!(distance(5) > 10 * distance(98));
/// ```
pub fn jpeg_recompress(image: &mut Image, quality: u8) {
    let limits = Limits { max_pixels: u64::MAX, max_bytes: u64::MAX };
    let Ok(bytes) = encode_jpeg(image, quality.clamp(1, 100)) else { return };
    let decoded = decode_into(&bytes, &limits, image);
    debug_assert!(decoded.is_ok(), "a picture just encoded is whole: {decoded:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::tests::pictures;

    #[test]
    fn what_no_file_can_hold_stays() {
        for image in [Image::default(), Image::filled(70_000, 1, [9; 3])] {
            let mut same = image.clone();
            jpeg_recompress(&mut same, 50);
            assert_eq!(same, image);
        }
    }

    proptest! {
        #[test]
        fn the_size_is_kept(image in pictures(), quality in any::<u8>()) {
            let mut changed = image.clone();
            jpeg_recompress(&mut changed, quality);
            prop_assert_eq!(changed.size(), image.size());
        }
    }
}
