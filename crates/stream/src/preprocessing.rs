//! What every image goes through, augmented or not; saved with a model, since predictions need the same.

use aumenta_imgproc::{Size, luma};
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

    /// Writes 8-bit RGB pixels (HWC) as values in `[0, 1]`, that is divided by 255, HWC with the color's channels.
    pub(crate) fn write(self, rgb: &[u8], out: &mut [f32]) {
        match self.color {
            Color::Rgb => {
                for (value, byte) in out.iter_mut().zip(rgb) {
                    *value = f32::from(*byte) / 255.0;
                }
            }
            Color::Gray => {
                for (value, pixel) in out.iter_mut().zip(rgb.chunks_exact(3)) {
                    *value = f32::from(luma([pixel[0], pixel[1], pixel[2]])) / 255.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_divided_by_255_and_gray_is_luma() {
        let rgb = [255, 0, 51, 7, 7, 7];
        let mut out = [0.0; 6];
        Preprocessing { height: 1, width: 2, color: Color::Rgb }.write(&rgb, &mut out);
        assert_eq!(out[..3], [1.0, 0.0, 0.2]);
        let mut out = [0.0; 2];
        Preprocessing { height: 1, width: 2, color: Color::Gray }.write(&rgb, &mut out);
        assert_eq!(out, [82.0 / 255.0, 7.0 / 255.0]);
    }
}
