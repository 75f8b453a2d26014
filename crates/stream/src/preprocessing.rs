//! What every image goes through, augmented or not; saved with a model, since predictions need the same.

use aumenta_imgproc::{Channels, FloatFormat, Layout, Size};
use serde::{Deserialize, Serialize};

/// The form of an image as the network takes it: its size, its channels, and values in `[0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Preprocessing {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub color: Color,
}

/// The channels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// Red, green and blue.
    Rgb,
    /// One channel: Rec. 601 luma.
    Gray,
}

impl Color {
    /// How many channels there are.
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Gray => 1,
        }
    }

    /// The color with so many channels, where there is one.
    pub fn with_channels(channels: usize) -> Option<Self> {
        [Self::Rgb, Self::Gray].into_iter().find(|color| color.channels() == channels)
    }
}

impl Preprocessing {
    /// Width and height.
    pub fn size(self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// How many values one image has.
    pub fn len(self) -> usize {
        self.height * self.width * self.color.channels()
    }

    /// Whether an image has no values at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How the values of an image are written into a batch: divided by 255.
    pub(crate) fn format(self) -> FloatFormat {
        FloatFormat { scale: [1.0 / 255.0; 3], ..self.plain_format() }
    }

    /// How the values of an image are written as they are, from 0 to 255.
    pub(crate) fn plain_format(self) -> FloatFormat {
        let channels = match self.color {
            Color::Rgb => Channels::Rgb,
            Color::Gray => Channels::Gray,
        };
        FloatFormat { layout: Layout::Hwc, channels, scale: [1.0; 3], offset: [0.0; 3] }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{ColorChain, Image, Slot, write};

    use super::*;

    #[track_caller]
    fn check(color: Color, expected: &[f32]) {
        let image = Image::from_pixels(2, 1, vec![255, 0, 51, 7, 7, 7]);
        let format = Preprocessing { height: 1, width: 2, color }.format();
        let mut values = vec![f32::NAN; expected.len()];
        write(&image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected / 255.0).abs() <= f32::EPSILON, "{values:?}");
        }
    }

    #[test]
    fn values_are_divided_by_255_and_gray_is_luma() {
        check(Color::Rgb, &[255.0, 0.0, 51.0, 7.0, 7.0, 7.0]);
        check(Color::Gray, &[82.0, 7.0]);
    }
}
