//! [`Effect`]: how an operation is carried out.

use aumenta_imgproc::{Image, Matrix3, Size, Tone};

use crate::Op;

/// The three kinds of operations, told apart by what they must see of the picture.
pub(crate) enum Effect {
    /// Moves pixels: the map from the output's pixels to those of the picture before. Neighbours compose into one.
    Motion(Matrix3),
    /// Changes each pixel by its own color alone. Neighbours compose, and are folded into the resampling.
    Color(Tone),
    /// Looks at more than one pixel, or at where a pixel is: [`Op::rasterize`] does it, on the picture at its output size.
    #[expect(dead_code, reason = "the first such operation comes next")]
    Raster,
}

impl Op {
    /// How this operation acts on a picture at the output's `size`.
    pub(crate) fn effect(&self, size: Size) -> Effect {
        let (width, height) = (size.width as f64, size.height as f64);
        let center = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        match *self {
            Self::Rotate { degrees } => Effect::Motion(Matrix3::rotation(degrees, center)),
            Self::Shift { x_fraction, y_fraction } => {
                Effect::Motion(Matrix3::shift(x_fraction * width, y_fraction * height))
            }
            Self::Shear { degrees } => Effect::Motion(Matrix3::shear(degrees, center)),
            Self::Zoom { x, y } => Effect::Motion(Matrix3::scale(x, y, center)),
            Self::HorizontalFlip {} => Effect::Motion(Matrix3::horizontal_flip(center)),
            Self::VerticalFlip {} => Effect::Motion(Matrix3::vertical_flip(center)),
            Self::Brightness { factor } => Effect::Color(Tone::brightness(factor)),
            Self::Contrast { factor } => Effect::Color(Tone::contrast(factor)),
            Self::Saturation { factor } => Effect::Color(Tone::saturation(factor)),
        }
    }

    /// Carries out an operation whose effect is [`Effect::Raster`], in place; `spare` is a buffer of any content.
    #[expect(clippy::unused_self, reason = "the first such operation comes next")]
    pub(crate) fn rasterize(&self, _image: &mut Image, _spare: &mut Image) {}
}
