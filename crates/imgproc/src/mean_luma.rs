//! [`mean_luma`]: how bright a picture is.

use crate::{Image, luma};

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
pub fn mean_luma(image: &Image) -> f64 {
    let pixels = image.pixels().as_chunks::<3>().0;
    let sum: u64 = pixels.iter().map(|&rgb| u64::from(luma(rgb))).sum();
    sum as f64 / pixels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_has_its_own_luma_and_an_empty_one_none() {
        assert_eq!(mean_luma(&Image::filled(7, 3, [0, 255, 0])), 150.0);
        assert_eq!(mean_luma(&Image::default()), 0.0);
    }
}
