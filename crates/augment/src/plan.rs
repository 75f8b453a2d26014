//! [`Plan`]: what happens to one picture, as data.
//!
//! A plan is drawn once with a generator and applied without one. It can be logged, replayed, shown as a caption and
//! compared; nothing in it is random.

use std::fmt;

use aumenta_imgproc::{Fill, Image, Interpolation, Matrix3, Size, Tone, shrink, warp};
use serde::{Deserialize, Serialize};

/// One change of a picture, with the drawn numbers.
///
/// The geometric ones act on the picture **after** its resize to the output size, about the output's centre, so an
/// angle is an angle in what the network sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

impl Op {
    /// The motion on an output of `size`, or `None` for an operation on colours.
    fn matrix(&self, size: Size) -> Option<Matrix3> {
        let (width, height) = (size.width as f64, size.height as f64);
        let center = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        match *self {
            Self::Rotate { degrees } => Some(Matrix3::rotation(degrees, center)),
            Self::Shift { x_fraction, y_fraction } => Some(Matrix3::shift(x_fraction * width, y_fraction * height)),
            Self::Shear { degrees } => Some(Matrix3::shear(degrees, center)),
            Self::Zoom { x, y } => Some(Matrix3::scale(x, y, center)),
            Self::HorizontalFlip {} => Some(Matrix3::horizontal_flip(center)),
            Self::VerticalFlip {} => Some(Matrix3::vertical_flip(center)),
            Self::Brightness { .. } | Self::Contrast { .. } | Self::Saturation { .. } => None,
        }
    }

    /// The change of colour, or `None` for a motion.
    fn tone(&self) -> Option<Tone> {
        match *self {
            Self::Brightness { factor } => Some(Tone::brightness(factor)),
            Self::Contrast { factor } => Some(Tone::contrast(factor)),
            Self::Saturation { factor } => Some(Tone::saturation(factor)),
            _ => None,
        }
    }
}

/// What happens to one picture: operations in the order in which they act on it, and how it is resampled.
///
/// ```
/// use aumenta_augment::{Op, Plan, Scratch};
/// use aumenta_imgproc::{Image, Size};
///
/// let plan = Plan { ops: vec![Op::HorizontalFlip {}, Op::Brightness { factor: 0.5 }], ..Plan::identity() };
/// assert_eq!(plan.to_string(), "flip bright 0.50");
///
/// let source = Image::from_pixels(2, 1, vec![0, 0, 0, 200, 100, 50]);
/// let mut out = Image::default();
/// plan.apply(&source, source.size(), &mut Scratch::default(), &mut out);
/// assert_eq!(out.pixels(), [100, 50, 25, 0, 0, 0]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The operations; the first acts first.
    pub ops: Vec<Op>,
    /// What shows where the picture has moved away.
    #[serde(default)]
    pub fill: Fill,
    /// How colours between pixels are read.
    #[serde(default)]
    pub interpolation: Interpolation,
}

/// Buffers that [`Plan::apply`] reuses, so that applying allocates nothing once they have grown; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    shrunk: Image,
}

impl Plan {
    /// The plan of evaluation: a plain bilinear resize and nothing else.
    pub fn identity() -> Self {
        Self::default()
    }

    /// Resizes `source` to `output` (the aspect ratio is not kept) and carries out the operations, into `out`, whose
    /// buffer is reused.
    ///
    /// However many operations there are, the picture is resampled once: the motions and the resize are composed
    /// into one matrix, the changes of colour into another. Colours commute with motions, so their order among each
    /// other does not matter, except that a [`Fill::Constant`] is coloured too. Where the composed matrix skips source
    /// pixels (a stride of 2 or more), the source is first averaged over blocks of as many whole pixels, unless the
    /// interpolation is [`Interpolation::Nearest`].
    pub fn apply(&self, source: &Image, output: Size, scratch: &mut Scratch, out: &mut Image) {
        out.resize_buffer(output.width, output.height);
        self.apply_to_slice(source, output, scratch, out.pixels_mut());
    }

    /// As [`apply`](Self::apply), into an HWC buffer, such as one sample's slot of a batch.
    ///
    /// # Panics
    /// Where `out` does not hold `output.width * output.height * 3` bytes.
    pub fn apply_to_slice(&self, source: &Image, output: Size, scratch: &mut Scratch, out: &mut [u8]) {
        let matrix = self.matrix(source.size(), output);
        let tone = self.tone();
        let (columns, rows) = self.blocks(&matrix, source.size());
        if columns == 1 && rows == 1 {
            warp(source, &matrix, self.fill, self.interpolation, &tone, output, out);
        } else {
            shrink(source, columns, rows, &mut scratch.shrunk);
            let matrix = matrix.then(&Matrix3::grid(1.0 / columns as f64, 1.0 / rows as f64));
            warp(&scratch.shrunk, &matrix, self.fill, self.interpolation, &tone, output, out);
        }
    }

    /// From output pixels to source pixels: the motions undone from the last to the first, then the resize.
    fn matrix(&self, source: Size, output: Size) -> Matrix3 {
        let motions = self.ops.iter().rev().filter_map(|op| op.matrix(output));
        let columns = source.width as f64 / output.width as f64;
        let rows = source.height as f64 / output.height as f64;
        motions.fold(Matrix3::IDENTITY, |all, motion| all.then(&motion)).then(&Matrix3::grid(columns, rows))
    }

    fn tone(&self) -> Tone {
        self.ops.iter().filter_map(Op::tone).fold(Tone::IDENTITY, |all, tone| all.then(&tone))
    }

    /// The blocks of source pixels to average beforehand, so that the warp's stride ends up below 2.
    fn blocks(&self, matrix: &Matrix3, source: Size) -> (usize, usize) {
        if self.interpolation == Interpolation::Nearest {
            return (1, 1);
        }
        // The margin keeps a rotated or mirrored reduction by exactly 2 from falling below it by a rounding error.
        let whole = |stride: f64, side: usize| ((stride + 1e-6) as usize).clamp(1, side.max(1));
        let (columns, rows) = matrix.stride();
        (whole(columns, source.width), whole(rows, source.height))
    }
}

/// A short caption, such as `rot +23° shift +0.10,-0.05 zoom 1.12,0.95 flip`; `original` for a plan without operations.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ops.is_empty() {
            return f.write_str("original");
        }
        for (at, op) in self.ops.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{op}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rotate { degrees } => write!(f, "rot {degrees:+.0}°"),
            Self::Shift { x_fraction, y_fraction } => write!(f, "shift {x_fraction:+.2},{y_fraction:+.2}"),
            Self::Shear { degrees } => write!(f, "shear {degrees:+.0}°"),
            Self::Zoom { x, y } => write!(f, "zoom {x:.2},{y:.2}"),
            Self::HorizontalFlip {} => f.write_str("flip"),
            Self::VerticalFlip {} => f.write_str("vflip"),
            Self::Brightness { factor } => write!(f, "bright {factor:.2}"),
            Self::Contrast { factor } => write!(f, "contrast {factor:.2}"),
            Self::Saturation { factor } => write!(f, "sat {factor:.2}"),
        }
    }
}
