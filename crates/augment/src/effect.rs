//! [`Effect`]: how an operation is carried out.

use aumenta_imgproc::{ColorStep, Image, Matrix3, Sampling, Size, Tone};

use crate::Op;
use crate::keras::{self, KerasMap};

/// The three kinds of operations, told apart by what they must see of the picture.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time lives, on the stack, and moves into a list that is reused"
)]
pub(crate) enum Effect {
    /// Moves pixels: the map from the output's pixels to those of the picture before. Neighbours compose into one.
    Motion(Matrix3),
    /// Changes each pixel by its own color alone. Neighbours compose, and are folded into the resampling.
    Color(ColorStep),
    /// Looks at more than one pixel, or at where a pixel is: [`Op::rasterize`] does it, on the picture at its output size.
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
            Self::Brightness { factor } => tone(Tone::brightness(factor)),
            Self::Contrast { factor } => tone(Tone::contrast(factor)),
            Self::Saturation { factor } => tone(Tone::saturation(factor)),
            Self::KerasBrightness { factor } => Effect::Color(keras::brightness(factor)),
            Self::KerasAffine { .. } | Self::KerasChannelShift { .. } => Effect::Raster,
        }
    }

    /// Carries out an operation whose effect is [`Effect::Raster`], in place; `spare` is a buffer of any content.
    pub(crate) fn rasterize(&self, image: &mut Image, spare: &mut Image) {
        match *self {
            Self::KerasAffine {
                version,
                theta_degrees,
                tx_pixels,
                ty_pixels,
                shear_radians,
                zx,
                zy,
                fill,
                interpolation,
            } => {
                let map = KerasMap { version, theta_degrees, tx_pixels, ty_pixels, shear_radians, zx, zy };
                keras::resample(image, &map, Sampling { fill, interpolation }, spare);
            }
            Self::KerasChannelShift { red, green, blue } => keras::shift_channels(image, [red, green, blue]),
            Self::Rotate { .. }
            | Self::Shift { .. }
            | Self::Shear { .. }
            | Self::Zoom { .. }
            | Self::HorizontalFlip {}
            | Self::VerticalFlip {}
            | Self::Brightness { .. }
            | Self::Contrast { .. }
            | Self::Saturation { .. }
            | Self::KerasBrightness { .. } => {}
        }
    }
}

fn tone(tone: Tone) -> Effect {
    Effect::Color(ColorStep::Matrix(tone))
}
