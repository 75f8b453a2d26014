//! [`Op`]: one change of a picture, as data.

use aumenta_imgproc::{Fill, Interpolation};
use serde::{Deserialize, Serialize};

use crate::KerasVersion;

/// One change of a picture, with the drawn numbers.
///
/// The geometric ones act on the picture **after** its resize to the output size, about the output's centre, so an
/// angle is an angle in what the network sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// Turns the picture counter-clockwise about its centre.
    Rotate {
        /// The angle; a negative one turns clockwise.
        degrees: f64,
    },
    /// Moves the picture.
    Shift {
        /// To the right, in widths of the output; negative to the left.
        x_fraction: f64,
        /// Down, in heights of the output; negative up.
        y_fraction: f64,
    },
    /// Leans the picture's vertical lines counter-clockwise; the middle row stays.
    ///
    /// Rows slide by the tangent of the angle and keep their height. (Keras slides by the sine and also stretches the
    /// picture's height by the inverse cosine, which differs by 2% at 11 degrees.)
    Shear {
        /// The angle between the leaning lines and the vertical, from -90 to 90 exclusive.
        degrees: f64,
    },
    /// Leans the picture's horizontal lines counter-clockwise; the middle column stays.
    VerticalShear {
        /// The angle between the leaning lines and the horizontal, from -90 to 90 exclusive.
        degrees: f64,
    },
    /// Enlarges the picture about its centre.
    ///
    /// (Keras gives its factors to the inverse map: there, 1.2 shrinks. Its range around 1 is the same idea mirrored.)
    Zoom {
        /// Factor in width: 1.2 shows everything a fifth wider, 0.8 a fifth narrower. Positive.
        x: f64,
        /// Factor in height. Positive.
        y: f64,
    },
    /// Mirrors the picture left to right.
    HorizontalFlip {},
    /// Mirrors the picture top to bottom.
    VerticalFlip {},
    /// Turns the picture counter-clockwise by quarters, exactly. On a canvas that is no square the turned picture is
    /// stretched to fill it, as the plain resize stretches a picture.
    QuarterTurns {
        /// How many; negative ones turn clockwise.
        turns: i32,
    },
    /// Shows a window of the picture on the whole canvas. What a window shows beyond the picture is the plan's fill.
    Crop {
        /// The window's left edge, in widths of the picture from its left edge.
        x_fraction: f64,
        /// The window's top edge, in heights of the picture from its top edge.
        y_fraction: f64,
        /// The window's width, in widths of the picture.
        width_fraction: f64,
        /// The window's height, in heights of the picture.
        height_fraction: f64,
    },
    /// Draws the picture's outer corners elsewhere, the rest in perspective. Each corner is a fraction of the width from
    /// the left and a fraction of the height from the top. Three corners on one line are no perspective and change nothing.
    Perspective {
        /// `[0, 0]` at rest.
        top_left: [f64; 2],
        /// `[1, 0]` at rest.
        top_right: [f64; 2],
        /// `[1, 1]` at rest.
        bottom_right: [f64; 2],
        /// `[0, 1]` at rest.
        bottom_left: [f64; 2],
    },
    /// Moves each pixel by a smooth random field of its own; see [`Displacement`](aumenta_imgproc::Displacement).
    Elastic {
        /// The number from which the field follows.
        seed: u64,
        /// What the smoothed numbers, which were drawn from -1 to 1, are multiplied by.
        alpha_pixels: f64,
        /// The standard deviation of the Gaussian that smooths them.
        sigma_pixels: f64,
    },
    /// Mixes the picture with the weighted sum of what chains of operations make of it: `keep * picture + (1 - keep) * sum`,
    /// rounded half up and clipped. Masks, boxes and points stay where they are.
    AugMix {
        /// Operations for each part of the sum, which start from the same picture.
        chains: Vec<Vec<Op>>,
        /// The weight of each chain; chains beyond the last weight have none.
        weights: Vec<f64>,
        /// The picture's own share, from 0 to 1.
        keep: f64,
    },
    /// Multiplies all channels; see [`Tone::brightness`].
    Brightness {
        /// 0 is black, 1 changes nothing.
        factor: f64,
    },
    /// Multiplies the distance from mid gray; see [`Tone::contrast`].
    Contrast {
        /// 0 is flat gray, 1 changes nothing.
        factor: f64,
    },
    /// Multiplies the distance from the pixel's own gray; see [`Tone::saturation`].
    Saturation {
        /// 0 is a gray picture, 1 changes nothing.
        factor: f64,
    },
    /// Rotates, shifts, shears and zooms as Keras does, in one resampling of the resized picture; see
    /// [`KerasConfig`](crate::KerasConfig). The map goes from output to source: positive numbers move, turn and shrink
    /// the picture the other way.
    KerasAffine {
        /// Whose map.
        version: KerasVersion,
        /// The rotation's angle.
        theta_degrees: f64,
        /// The shift along the first axis: rows in 2.0.8, columns in 2.15.
        tx_pixels: f64,
        /// The shift along the second axis.
        ty_pixels: f64,
        /// The shear's angle.
        shear_radians: f64,
        /// The zoom along the first axis; above 1 shrinks.
        zx: f64,
        /// The zoom along the second axis.
        zy: f64,
        /// What shows outside of the picture.
        fill: Fill,
        /// How colors between pixels are read.
        interpolation: Interpolation,
    },
    /// Adds a number of levels to each channel and clips to the range of the levels that the picture had, in any channel;
    /// rounded half up.
    KerasChannelShift {
        /// Added to red.
        red: f64,
        /// Added to green.
        green: f64,
        /// Added to blue.
        blue: f64,
    },
    /// Multiplies all levels in single precision and cuts the fraction off, as Pillow's `ImageEnhance.Brightness` does.
    KerasBrightness {
        /// 0 is black, 1 changes nothing.
        factor: f64,
    },
}
