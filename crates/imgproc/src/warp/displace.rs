//! [`displace`]: a resampling in which each pixel has its own way.

use super::{Place, Portable, Warp};
use crate::{ColorChain, Displacement, Image, ImageRef, Sampling, Slot};

/// Fills `out` from `source`: the output pixel at `(x, y)` takes the source's color at `(x, y) + displacement.at(x, y)`.
///
/// `out` becomes as large as the source; its buffer is reused. Points are read as [`warp`](crate::warp()) reads them.
///
/// # Panics
/// Where `source` has another size than the field.
///
/// ```
/// use aumenta_imgproc::{Displacement, Image, Sampling, displace};
///
/// let source = Image::filled(32, 32, [9, 8, 7]);
/// let (mut field, mut out) = (Displacement::default(), Image::default());
/// field.draw(source.size(), 7, 40.0, 4.0);
/// displace(&source, &field, Sampling::default(), &mut out);
/// assert_eq!(out, source, "a picture of one color has nothing to move");
/// ```
pub fn displace<'a>(source: impl Into<ImageRef<'a>>, displacement: &Displacement, sampling: Sampling, out: &mut Image) {
    let source = source.into();
    let size = source.size();
    assert_eq!(size, displacement.size(), "a field fits the picture that it was drawn for");
    out.resize_buffer(size.width, size.height);
    let (color, out) = (&ColorChain::IDENTITY, Slot::rgb(out.pixels_mut()));
    Warp { vectors: Portable, source, place: Place::Displaced(displacement), sampling, color, size, out }.run();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ColorChain, Fill, Interpolation, Matrix3, Size, Slot, warp};

    fn noise(width: usize, height: usize) -> Image {
        let mut state = 1u32;
        let values = (0..width * height * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Image::from_pixels(width, height, values.collect())
    }

    fn displaced(source: &Image, field: &Displacement, sampling: Sampling) -> Image {
        let mut out = Image::default();
        displace(source, field, sampling, &mut out);
        out
    }

    #[test]
    fn a_field_at_rest_changes_nothing() {
        let (source, mut field) = (noise(300, 3), Displacement::default());
        field.draw(source.size(), 1, 0.0, 3.0);
        assert_eq!(displaced(&source, &field, Sampling::default()), source);
    }

    proptest! {
        #[test]
        fn each_pixel_is_what_a_shift_by_its_own_displacement_shows(
            (width, height) in (1usize..20, 1usize..5),
            seed in any::<u64>(),
            alpha in 0.0..60.0f64,
            sigma in 0.0..4.0f64,
            fill in prop_oneof![Just(Fill::Nearest), Just(Fill::Reflect), Just(Fill::Wrap), Just(Fill::Constant([9; 3]))],
            interpolation in prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Nearest)],
        ) {
            let (source, mut field) = (noise(width, height), Displacement::default());
            field.draw(source.size(), seed, alpha, sigma);
            let sampling = Sampling { fill, interpolation };
            let out = displaced(&source, &field, sampling);
            for y in 0..height {
                for x in 0..width {
                    let (right, down) = field.at(x as f64, y as f64);
                    let shift = Matrix3::shift(-(x as f64 + right), -(y as f64 + down));
                    let mut pixel = [0; 3];
                    let slot = Slot::rgb(&mut pixel);
                    warp(&source, &shift, sampling, &ColorChain::IDENTITY, Size::square(1), slot);
                    prop_assert_eq!(out.get(x, y), pixel);
                }
            }
        }
    }
}
