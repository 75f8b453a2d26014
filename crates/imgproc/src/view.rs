//! [`View`]: how finely a file is decoded, and which part of it.

use crate::Size;

/// A size at which a file is decoded: its own, or a half, a quarter or an eighth of it.
///
/// These are the sizes that a JPEG has anyway: its 8x8 blocks of frequencies give 4x4, 2x2 and 1x1 blocks of pixels for
/// less work, and without the aliasing of pixels left out. Other formats are decoded whole and then averaged over blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scale {
    /// All pixels.
    #[default]
    Full,
    /// A pixel for 2x2.
    Half,
    /// A pixel for 4x4.
    Quarter,
    /// A pixel for 8x8.
    Eighth,
}

impl Scale {
    /// All scales, the finest first.
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    /// The side of the square of full pixels that one pixel stands for: 1, 2, 4 or 8.
    pub const fn divisor(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// The size of a picture of `full` at this scale, rounded up: pixel `(x, y)` stands for the full pixels from
    /// `(x * divisor, y * divisor)` on, of which there may be fewer in the last column and row.
    ///
    /// ```
    /// use aumenta_imgproc::{Scale, Size};
    ///
    /// let full = Size { width: 500, height: 375 };
    /// assert_eq!(Scale::Half.of(full), Size { width: 250, height: 188 });
    /// ```
    pub const fn of(self, full: Size) -> Size {
        Size { width: full.width.div_ceil(self.divisor()), height: full.height.div_ceil(self.divisor()) }
    }

    /// The coarsest scale of which a pixel stands for no more than `stride` full pixels in a row.
    ///
    /// ```
    /// use aumenta_imgproc::Scale;
    ///
    /// assert_eq!([0.3, 1.99, 2.0, 7.0, 8.0, 100.0].map(Scale::within), [
    ///     Scale::Full, Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth, Scale::Eighth,
    /// ]);
    /// ```
    pub fn within(stride: f64) -> Self {
        Self::ALL.into_iter().rev().find(|scale| scale.divisor() as f64 <= stride).unwrap_or_default()
    }
}

/// How finely a file is decoded, and which part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The size of the decoded picture.
    pub scale: Scale,
    /// The part of it that is wanted; `None` for all of it.
    pub window: Option<Window>,
}

impl View {
    /// The whole picture with all its pixels.
    pub const FULL: Self = Self { scale: Scale::Full, window: None };
}

/// A part of a picture, in pixels of the decoded picture as it is displayed, with its scale and orientation applied.
///
/// What lies beyond the picture is no part of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// The column after the last one.
    pub right: usize,
    /// The row after the last one.
    pub bottom: usize,
}
