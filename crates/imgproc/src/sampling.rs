//! [`Sampling`]: how a colour is read at a point of a picture, between its pixels and outside of it.

use serde::{Deserialize, Serialize};

/// How the colours of a picture are read at any point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sampling {
    /// What lies outside of the picture.
    #[serde(default)]
    pub fill: Fill,
    /// What lies between pixel centres.
    #[serde(default)]
    pub interpolation: Interpolation,
}

/// What lies outside of the source picture, for the row `a b c d`.
///
/// A coordinate counts pixel centres: a row of `n` pixels has its centres at 0 to `n - 1` and its edges at -0.5 and
/// `n - 0.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The nearest pixel of the edge: `a a a | a b c d | d d d`.
    #[default]
    Nearest,
    /// The picture mirrored at its edge, the edge pixel repeated: `c b a | a b c d | d c b`.
    Reflect,
    /// The picture repeated: `b c d | a b c d | a b c`.
    Wrap,
    /// This colour. A pixel that straddles the edge blends with it, and a change of colour changes it like any other.
    Constant([u8; 3]),
    /// This colour for every point with a coordinate below 0 or above `n - 1`, and no blending with it inside: a hard
    /// edge along the outermost pixel centres, in every interpolation. It is the mode `constant` of `scipy.ndimage`.
    ConstantBeyondCenters([u8; 3]),
    /// The picture repeated so that its last pixel lies on the first one of the next copy: `b c | a b c d | b c d`.
    /// The period is `n - 1`; a coordinate below 0 goes to `(0, n - 1]` and one above `n - 1` to `[0, n - 1)`. It is
    /// the mode `wrap` of `scipy.ndimage`.
    WrapOverlapping,
}

/// How a colour is read between pixel centres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// The four pixels around the point, weighted by closeness.
    #[default]
    Bilinear,
    /// The pixel whose centre is closest (halves go right and down); colours are never mixed.
    Nearest,
    /// The sixteen pixels around the point, weighted by cubic convolution with `a = -0.5` and clipped to `0..=255`
    /// (Keys, *Cubic Convolution Interpolation for Digital Image Processing*, 1981).
    Bicubic,
}
