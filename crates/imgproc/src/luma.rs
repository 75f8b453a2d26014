//! [`luma`]: the gray value of a colour.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

/// The gray value of an RGB colour, `(299 R + 587 G + 114 B) / 1000` rounded half up (ITU-R BT.601 weights on the
/// gamma-encoded bytes, as JPEG and most tools compute it).
///
/// ```
/// assert_eq!(aumenta_imgproc::luma([255, 0, 0]), 76);
/// assert_eq!(aumenta_imgproc::luma([200, 200, 200]), 200);
/// ```
#[inline(always)]
pub fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gray_color_keeps_its_value() {
        for value in 0..=255 {
            assert_eq!(luma([value; 3]), value);
        }
    }

    #[test]
    fn green_weighs_most_and_blue_least() {
        assert_eq!([luma([255, 0, 0]), luma([0, 255, 0]), luma([0, 0, 255])], [76, 150, 29]);
    }
}
