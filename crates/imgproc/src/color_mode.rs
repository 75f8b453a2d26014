//! [`ColorMode`]: how a file stores colors, before they become RGB.

use std::fmt;

use image::ExtendedColorType;
use serde::{Deserialize, Serialize};

/// How a file stores colors, before they become RGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorMode {
    /// Shades of gray.
    Gray,
    /// Shades of gray with transparency.
    GrayAlpha,
    /// Red, green and blue, or what is computed from them as JPEG's YCbCr.
    Rgb,
    /// Red, green and blue with transparency.
    RgbAlpha,
    /// A table of colors.
    Palette,
    /// A table of colors some of which are transparent.
    PaletteAlpha,
    /// Four inks, CMYK or YCCK.
    Cmyk,
}

impl ColorMode {
    /// The mode and the bits a channel.
    pub(crate) fn of_codec(color: ExtendedColorType) -> (Self, u8) {
        use ExtendedColorType as Color;
        let mode = match color {
            Color::Cmyk8 | Color::Cmyk16 => Self::Cmyk,
            color => match color.channel_count() {
                1 => Self::Gray,
                2 => Self::GrayAlpha,
                4 => Self::RgbAlpha,
                _ => Self::Rgb,
            },
        };
        (mode, (color.bits_per_pixel() / u16::from(color.channel_count())) as u8)
    }

    /// Its name, such as `gray with alpha`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::GrayAlpha => "gray with alpha",
            Self::Rgb => "RGB",
            Self::RgbAlpha => "RGB with alpha",
            Self::Palette => "palette",
            Self::PaletteAlpha => "palette with alpha",
            Self::Cmyk => "CMYK",
        }
    }
}

impl fmt::Display for ColorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
