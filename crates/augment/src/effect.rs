//! [`Effect`]: how an operation is carried out.

use aumenta_imgproc::{ColorStep, Image, Matrix3, Sampling, Size, Tone};

use crate::Op;
use crate::keras::{self, KerasMap};

/// The three kinds of operations, told apart by what they must see of the picture.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time lives, on the stack, and moves into a list that is reused"
)]
pub(crate) enum Effect<'a> {
    /// Moves pixels: the map from the output's pixels to those of the picture before. Neighbours compose into one.
    Motion(Matrix3),
    /// Changes each pixel by its own color alone. Neighbours compose, and are folded into the resampling.
    Color(ColorStep),
    /// Needs the picture itself, at its output size.
    Pass(Pass<'a>),
}

/// The kinds of passes over a picture of the output's size.
pub(crate) enum Pass<'a> {
    /// A motion that reads the picture in its own way.
    Resample(Matrix3, Sampling),
    /// [`Op::Elastic`].
    Elastic { seed: u64, alpha_pixels: f64, sigma_pixels: f64 },
    /// [`Op::AugMix`].
    Mix { chains: &'a [Vec<Op>], weights: &'a [f64], keep: f64 },
    /// Moves no pixel, but looks at more than one, or at where a pixel is: [`Op::rasterize`] does it.
    Raster,
}

impl Op {
    /// How this operation acts on a picture at the output's `size`.
    pub(crate) fn effect(&self, size: Size) -> Effect<'_> {
        let (width, height) = (size.width as f64, size.height as f64);
        let center = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        match *self {
            Self::Rotate { degrees } => Effect::Motion(Matrix3::rotation(degrees, center)),
            Self::Shift { x_fraction, y_fraction } => {
                Effect::Motion(Matrix3::shift(x_fraction * width, y_fraction * height))
            }
            Self::Shear { degrees } => Effect::Motion(Matrix3::shear(degrees, center)),
            Self::VerticalShear { degrees } => Effect::Motion(Matrix3::vertical_shear(degrees, center)),
            Self::Zoom { x, y } => Effect::Motion(Matrix3::scale(x, y, center)),
            Self::HorizontalFlip {} => Effect::Motion(Matrix3::horizontal_flip(center)),
            Self::VerticalFlip {} => Effect::Motion(Matrix3::vertical_flip(center)),
            Self::QuarterTurns { turns } => Effect::Motion(quarter_turns(turns, size)),
            Self::Crop { x_fraction, y_fraction, width_fraction, height_fraction } => {
                let corner = Matrix3::shift(-x_fraction * width, -y_fraction * height);
                Effect::Motion(Matrix3::grid(width_fraction, height_fraction).then(&corner))
            }
            Self::Perspective { top_left, top_right, bottom_right, bottom_left } => {
                Effect::Motion(perspective([top_left, top_right, bottom_right, bottom_left], width, height))
            }
            Self::Elastic { seed, alpha_pixels, sigma_pixels } => {
                Effect::Pass(Pass::Elastic { seed, alpha_pixels, sigma_pixels })
            }
            Self::AugMix { ref chains, ref weights, keep } => Effect::Pass(Pass::Mix { chains, weights, keep }),
            Self::Brightness { factor } => tone(Tone::brightness(factor)),
            Self::Contrast { factor } => tone(Tone::contrast(factor)),
            Self::Saturation { factor } => tone(Tone::saturation(factor)),
            Self::KerasBrightness { factor } => Effect::Color(keras::brightness(factor)),
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
                Effect::Pass(Pass::Resample(map.matrix(size), Sampling { fill, interpolation }))
            }
            Self::KerasChannelShift { .. } => Effect::Pass(Pass::Raster),
        }
    }

    /// Carries out an operation whose pass is [`Pass::Raster`], in place; `spare` is a buffer of any content.
    pub(crate) fn rasterize(&self, image: &mut Image, _spare: &mut Image) {
        match *self {
            Self::KerasChannelShift { red, green, blue } => keras::shift_channels(image, [red, green, blue]),
            Self::Rotate { .. }
            | Self::Shift { .. }
            | Self::Shear { .. }
            | Self::VerticalShear { .. }
            | Self::Zoom { .. }
            | Self::HorizontalFlip {}
            | Self::VerticalFlip {}
            | Self::QuarterTurns { .. }
            | Self::Crop { .. }
            | Self::Perspective { .. }
            | Self::Elastic { .. }
            | Self::AugMix { .. }
            | Self::KerasAffine { .. }
            | Self::Brightness { .. }
            | Self::Contrast { .. }
            | Self::Saturation { .. }
            | Self::KerasBrightness { .. } => {}
        }
    }
}

/// The turned picture has the canvas' sides swapped; the grid stretches it back over the canvas.
fn quarter_turns(turns: i32, size: Size) -> Matrix3 {
    let turn = Matrix3::quarter_turns(turns, size);
    if turns % 2 == 0 {
        return turn;
    }
    let ratio = size.height as f64 / size.width as f64;
    Matrix3::grid(ratio, ratio.recip()).then(&turn)
}

/// The perspective that draws the canvas' outer corners, clockwise from the top left, at these fractions of it.
fn perspective(corners: [[f64; 2]; 4], width: f64, height: f64) -> Matrix3 {
    let place = |[x, y]: [f64; 2]| (x * width - 0.5, y * height - 0.5);
    let rest = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    Matrix3::perspective(rest.map(place), corners.map(place)).unwrap_or(Matrix3::IDENTITY)
}

fn tone(tone: Tone) -> Effect<'static> {
    Effect::Color(ColorStep::Matrix(tone))
}
