//! Colors from brightness and two differences, in JFIF's matrix, in units of 2^-16.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::planes::Planes;

/// A factor in units of 2^-16.
pub const fn fixed(value: f64) -> i32 {
    (value * 65_536.0 + 0.5) as i32
}

/// Half of a whole in units of 2^-16.
pub const HALF: i32 = 1 << 15;

/// Writes the colors of a row of brightness and of differences to blue and to red; the planes may be longer.
#[inline(always)]
pub fn join_row(planes: [&[u8]; 3], pixels: &mut [[u8; 3]]) {
    by_planes(planes, pixels, join);
}

/// Writes a row of three planes that are colors already.
#[inline(always)]
pub fn interleave_row(planes: [&[u8]; 3], pixels: &mut [[u8; 3]]) {
    by_planes(planes, pixels, |[&red, &green, &blue]| Planes { red, green, blue });
}

type Plane = [u8; Planes::PIXELS];

#[inline(always)]
fn by_planes(planes: [&[u8]; 3], pixels: &mut [[u8; 3]], colors: impl Fn([&Plane; 3]) -> Planes) {
    let [first, second, third] = planes;
    let (first, first_rest) = first[..pixels.len()].as_chunks();
    let (second, second_rest) = second[..pixels.len()].as_chunks();
    let (third, third_rest) = third[..pixels.len()].as_chunks();
    let (whole, rest) = pixels.as_chunks_mut::<{ Planes::PIXELS }>();
    for (((pixels, first), second), third) in whole.iter_mut().zip(first).zip(second).zip(third) {
        *pixels = colors([first, second, third]).to_pixels();
    }
    if !rest.is_empty() {
        let mut few = [[0; Planes::PIXELS]; 3];
        for (few, rest) in few.iter_mut().zip([first_rest, second_rest, third_rest]) {
            few[..rest.len()].copy_from_slice(rest);
        }
        let [first, second, third] = &few;
        rest.copy_from_slice(&colors([first, second, third]).to_pixels()[..rest.len()]);
    }
}

/// The colors of brightness and of differences to blue and to red.
///
/// The matrix' factors are a whole number and a rest of 16 bits, because products of that size cost least.
#[inline(always)]
fn join([luma, blue, red]: [&Plane; 3]) -> Planes {
    const RED: i16 = (fixed(1.402) - (1 << 16)) as i16;
    const BLUE: i16 = (fixed(1.772) - (2 << 16)) as i16;
    const GREEN_OF_BLUE: i32 = -fixed(0.344_14);
    const GREEN_OF_RED: i32 = (1 << 16) - fixed(0.714_14);
    let difference = |value: u8| i16::from(value) - 128;
    let clipped = |value: i16| value.clamp(0, 255) as u8;
    // A product of twice the difference, halved after it was rounded down, is rounded half up.
    let part = |difference: i16, factor: i16| (((i32::from(2 * difference) * i32::from(factor)) >> 16) as i16 + 1) >> 1;
    let mut planes = Planes::BLACK;
    for at in 0..Planes::PIXELS {
        let (luma, red) = (i16::from(luma[at]), difference(red[at]));
        planes.red[at] = clipped(luma + red + part(red, RED));
    }
    for at in 0..Planes::PIXELS {
        let (luma, blue) = (i16::from(luma[at]), difference(blue[at]));
        planes.blue[at] = clipped(luma + 2 * blue + part(blue, BLUE));
    }
    for at in 0..Planes::PIXELS {
        let (luma, blue, red) = (i16::from(luma[at]), difference(blue[at]), difference(red[at]));
        let parts = (GREEN_OF_BLUE * i32::from(blue) + GREEN_OF_RED * i32::from(red) + HALF) >> 16;
        planes.green[at] = clipped(luma - red + parts as i16);
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_is_the_matrix_rounded_half_up() {
        for luma in [0, 1, 100, 254, 255] {
            for blue in 0..=255u8 {
                let red: Vec<u8> = (0..=255).collect();
                let mut pixels = [[0; 3]; 256];
                join_row([&[luma; 256], &[blue; 256], &red], &mut pixels);
                for (red, pixel) in red.into_iter().zip(pixels) {
                    let [luma, blue, red] = [i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128];
                    let value = |difference: i32| (luma + ((difference + HALF) >> 16)).clamp(0, 255) as u8;
                    let green = -fixed(0.344_14) * blue - fixed(0.714_14) * red;
                    let expected = [value(fixed(1.402) * red), value(green), value(fixed(1.772) * blue)];
                    assert_eq!(pixel, expected, "{luma} {blue} {red}");
                }
            }
        }
    }

    #[test]
    fn rows_of_any_length_are_written() {
        let values: Vec<u8> = (0..150).collect();
        for length in [0, 1, 63, 64, 65, 150] {
            let mut pixels = vec![[9; 3]; length];
            interleave_row([&values, &values, &values[..length]], &mut pixels);
            assert!(pixels.iter().zip(&values).all(|(pixel, &value)| *pixel == [value; 3]), "{length}");
        }
    }
}
