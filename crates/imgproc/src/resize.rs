//! [`resize`]: a plain antialiased resize, for thumbnails and contact sheets.
//!
//! Pictures on their way into a network do not come here; they are resampled once, by the [`warp`](crate::warp()).

use fast_image_resize::images::{Image as Pixels, ImageRef as PixelsRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::{Image, ImageRef, Size};

/// `source` at another size, through a triangle filter that widens with the reduction (antialiased), without keeping
/// the aspect ratio.
///
/// An empty source gives a black image.
///
/// ```
/// use aumenta_imgproc::{Image, Size, resize};
///
/// let source = Image::from_pixels(4, 1, vec![0, 0, 0, 200, 200, 200, 0, 0, 0, 200, 200, 200]);
/// assert_eq!(resize(&source, Size::square(1)).pixels(), [100, 100, 100]);
/// ```
pub fn resize<'a>(source: impl Into<ImageRef<'a>>, size: Size) -> Image {
    resize_pixels(source.into(), size)
}

fn resize_pixels(source: ImageRef<'_>, size: Size) -> Image {
    let mut out = Image::filled(size.width, size.height, [0; 3]);
    let side = |pixels: usize| pixels as u32;
    let view = PixelsRef::new(side(source.width()), side(source.height()), source.pixels(), PixelType::U8x3);
    let slice = Pixels::from_slice_u8(side(size.width), side(size.height), out.pixels_mut(), PixelType::U8x3);
    if let (Ok(view), Ok(mut slice)) = (view, slice) {
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        // The only failures are differing pixel types and a crop outside of the source, and there is neither.
        let _ = Resizer::new().resize(&view, &mut slice, &options);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_keeps_every_pixel() {
        let source = Image::from_pixels(3, 2, (0..18).map(|value| value * 13).collect());
        assert_eq!(resize(&source, source.size()), source);
    }

    #[test]
    fn thin_stripes_become_gray_instead_of_aliasing() {
        let stripes = Image::from_pixels(64, 1, (0..64).flat_map(|x| [if x % 2 == 0 { 0 } else { 255 }; 3]).collect());
        let small = resize(&stripes, Size { width: 8, height: 1 });
        assert!(small.pixels().iter().all(|&value| value.abs_diff(128) <= 8), "{:?}", small.pixels());
    }

    #[test]
    fn empty_images_are_no_trouble() {
        assert_eq!(resize(&Image::default(), Size::square(2)), Image::filled(2, 2, [0; 3]));
        assert_eq!(resize(&Image::filled(2, 2, [9; 3]), Size::square(0)), Image::default());
    }
}
