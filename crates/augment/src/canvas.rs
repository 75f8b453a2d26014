//! [`Canvas`]: the sizes between which a picture is augmented.

use aumenta_imgproc::Size;

/// What a [`Transform`](crate::Transform) may know of a picture before it draws: two sizes, and never a pixel.
///
/// A crop by area needs the source's aspect ratio; a shift by whole pixels needs the output's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// The decoded picture's, orientation applied.
    pub source: Size,
    /// The batch slot's, in whose coordinates operations act.
    pub output: Size,
}

impl Canvas {
    /// A picture that keeps its size.
    pub const fn of(size: Size) -> Self {
        Self { source: size, output: size }
    }
}
