//! Curves: the new value of each of a channel's 256 values, where a number or two decides them all.
//!
//! A curve becomes a table of all three channels, which composes with others and costs one look-up a value, however
//! many curves went into it.

use libm::{floor, pow};

/// Raises a value, taken from 0 to 1, to the power of `exponent`: `floor(255.999 * (v / 255)^exponent)`.
///
/// Below 1 shadows brighten, above 1 they darken; 1 changes nothing, and 0 and 255 stay (0 under an exponent of 0 is
/// 255). The formula is torchvision's `adjust_gamma` at a gain of 1. A negative exponent, which would leave the range,
/// and NaN count as 0.
///
/// ```
/// use aumenta_imgproc::curve::gamma;
///
/// let darker = gamma(2.0);
/// assert_eq!([darker[0], darker[51], darker[128], darker[255]], [0, 10, 64, 255]);
/// ```
pub fn gamma(exponent: f64) -> [u8; 256] {
    let exponent = exponent.max(0.0);
    curve(|value| floor(255.999 * pow(f64::from(value) / 255.0, exponent)) as u8)
}

/// `255 - v`, the negative.
///
/// ```
/// assert_eq!(aumenta_imgproc::curve::invert()[10], 245);
/// ```
pub fn invert() -> [u8; 256] {
    curve(|value| 255 - value)
}

/// Keeps the `bits` highest bits of a value and clears the others, as Pillow's `ImageOps.posterize` does: 1 bit leaves
/// 0 and 128, 8 bits and more change nothing, and 0 bits are black.
///
/// ```
/// let two_bits = aumenta_imgproc::curve::posterize(2);
/// assert_eq!([two_bits[63], two_bits[64], two_bits[255]], [0, 64, 192]);
/// ```
pub fn posterize(bits: u8) -> [u8; 256] {
    let cleared = 0xffu8.checked_shr(u32::from(bits)).unwrap_or(0);
    curve(|value| value & !cleared)
}

/// Inverts the values from `threshold` up and keeps those below, as Pillow's `ImageOps.solarize` does: 0 inverts all,
/// 256 and more change nothing.
///
/// ```
/// let bright_half = aumenta_imgproc::curve::solarize(128);
/// assert_eq!([bright_half[127], bright_half[128], bright_half[255]], [127, 127, 0]);
/// ```
pub fn solarize(threshold: u16) -> [u8; 256] {
    curve(|value| if u16::from(value) < threshold { value } else { 255 - value })
}

fn curve(change: impl Fn(u8) -> u8) -> [u8; 256] {
    let mut values = [0; 256];
    for (at, value) in values.iter_mut().enumerate() {
        *value = change(at as u8);
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neutral_settings_change_nothing() {
        let identity = curve(|value| value);
        assert_eq!([gamma(1.0), posterize(8), posterize(200), solarize(256), solarize(u16::MAX)], [identity; 5]);
    }

    #[test]
    fn extreme_settings_are_defined() {
        assert_eq!(posterize(0), [0; 256]);
        assert_eq!(solarize(0), invert());
        assert_eq!([gamma(0.0), gamma(-3.0), gamma(f64::NAN)], [[255; 256]; 3]);
        let steep = gamma(f64::INFINITY);
        assert_eq!([steep[0], steep[254], steep[255]], [0, 0, 255]);
    }

    proptest! {
        #[test]
        fn gamma_keeps_the_order_of_values(exponent in 0.0f64..20.0) {
            prop_assert!(gamma(exponent).is_sorted());
        }
    }
}
