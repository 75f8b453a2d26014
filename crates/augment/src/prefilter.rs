//! [`Prefilter`]: what stands before a resampling that skips pixels.

use serde::{Deserialize, Serialize};

/// What happens before a resampling that would skip source pixels, which is one that shrinks the picture to half its size
/// or less.
///
/// A resampling reads a point, or the few pixels around it. Where these points are two or more pixels apart, what lies
/// between them is lost, and fine patterns turn into coarse ones that are not in the picture (aliasing).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prefilter {
    /// The source is averaged over blocks of whole pixels, as many as a step of the resampling crosses: every pixel
    /// counts. Not with [`Interpolation::Nearest`](aumenta_imgproc::Interpolation::Nearest), which never mixes colors.
    #[default]
    Area,
    /// Nothing: faster, and what OpenCV's `warpAffine` and Keras' generator do.
    None,
}
