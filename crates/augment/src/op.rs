//! [`Op`]: one change of a picture, as data.

use serde::{Deserialize, Serialize};

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
}
