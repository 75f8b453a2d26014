//! Colors as brightness and two differences, in JFIF's matrix, in units of 2^-16.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::Image;
use crate::jpeg::color::{HALF, fixed, join_row};

/// Writes the brightness and the differences to blue and to red to planes of `wide` columns, whose columns and rows
/// beyond the picture repeat its last ones.
#[inline(always)]
pub fn split(image: &Image, wide: usize, planes: [&mut [u8]; 3]) {
    let width = image.width();
    let last = image.height() - 1;
    let [luma, blue, red] = planes.map(|plane| plane.chunks_exact_mut(wide));
    for (y, ((luma, blue), red)) in luma.zip(blue).zip(red).enumerate() {
        let pixels = &image.pixels().as_chunks::<3>().0[y.min(last) * width..][..width];
        for (((&[r, g, b], luma), blue), red) in pixels.iter().zip(&mut *luma).zip(&mut *blue).zip(&mut *red) {
            let [r, g, b] = [i32::from(r), i32::from(g), i32::from(b)];
            // A difference is rounded half down, brightness half up.
            let difference = (128 << 16) + HALF - 1;
            *luma = ((r * fixed(0.299) + g * fixed(0.587) + b * fixed(0.114) + HALF) >> 16) as u8;
            *blue = ((b * HALF - r * fixed(0.168_74) - g * fixed(0.331_26) + difference) >> 16) as u8;
            *red = ((r * HALF - g * fixed(0.418_69) - b * fixed(0.081_31) + difference) >> 16) as u8;
        }
        for row in [luma, blue, red] {
            let outermost = row[width - 1];
            row[width..].fill(outermost);
        }
    }
}

/// Makes colors of the planes again.
#[inline(always)]
pub fn join(planes: [&mut [u8]; 3], wide: usize, image: &mut Image) {
    let width = image.width();
    let rows = image.pixels_mut().as_chunks_mut::<3>().0.chunks_exact_mut(width);
    let [luma, blue, red] = planes.map(|plane| plane.chunks_exact(wide));
    for (((pixels, luma), blue), red) in rows.zip(luma).zip(blue).zip(red) {
        join_row([luma, blue, red], pixels);
    }
}
