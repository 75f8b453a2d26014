//! [`Source`]: what a plan reads.

use aumenta_imgproc::{Image, ImageRef, Scale, Size};

/// A picture that a [`Plan`](crate::Plan) reads, which may have been decoded with fewer pixels than its file has.
///
/// The pixels are only borrowed, so they may lie in a cache or a mapped file. What a plan does to a picture is measured on
/// the full one, whatever the scale: a pixel at [`Scale::Half`] is read as the four full pixels that it stands for.
///
/// ```
/// use aumenta_augment::{Plan, Scratch, Source};
/// use aumenta_imgproc::{Image, Scale, Size, Slot, shrink};
///
/// let full = Image::from_pixels(8, 8, (0..64).flat_map(|at| [at * 4; 3]).collect());
/// let mut half = Image::default();
/// shrink(&full, 2, 2, &mut half);
/// let source = Source::new(&half, full.size(), Scale::Half);
/// let mut out = [0; 2 * 2 * 3];
/// Plan::identity().apply_to_slot(source, Size::square(2), &mut Scratch::default(), Slot::rgb(&mut out));
/// assert_eq!([out[0], out[3], out[6], out[9]], [54, 70, 182, 198]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    image: ImageRef<'a>,
    full: Size,
    scale: Scale,
}

impl<'a> Source<'a> {
    /// The pixels at `scale` of a picture that has `full` pixels.
    ///
    /// # Panics
    /// Where `image` is not of the size that [`Scale::of`] says.
    pub fn new(image: impl Into<ImageRef<'a>>, full: Size, scale: Scale) -> Self {
        let image = image.into();
        assert_eq!(image.size(), scale.of(full), "a picture of {full:?} has another size at this scale: {scale:?}");
        Self { image, full, scale }
    }

    /// The pixels that there are.
    pub const fn image(&self) -> ImageRef<'a> {
        self.image
    }

    /// The size of the full picture.
    pub const fn full(&self) -> Size {
        self.full
    }

    /// How finely it was decoded.
    pub const fn scale(&self) -> Scale {
        self.scale
    }
}

/// A picture with all its pixels.
impl<'a> From<ImageRef<'a>> for Source<'a> {
    fn from(image: ImageRef<'a>) -> Self {
        Self { image, full: image.size(), scale: Scale::Full }
    }
}

/// A picture with all its pixels.
impl<'a> From<&'a Image> for Source<'a> {
    fn from(image: &'a Image) -> Self {
        ImageRef::from(image).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_do_not_divide_are_rounded_up() {
        let full = Size { width: 9, height: 17 };
        let image = Image::filled(2, 3, [0; 3]);
        assert_eq!(Source::new(&image, full, Scale::Eighth).image().size(), image.size());
    }

    #[test]
    #[should_panic(expected = "has another size at this scale")]
    fn a_picture_of_another_scale_is_refused() {
        Source::new(&Image::filled(4, 4, [0; 3]), Size::square(16), Scale::Half);
    }
}
