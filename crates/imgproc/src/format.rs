//! [`Format`]: the file formats that can be decoded, told apart by their first bytes.

use std::fmt;

use image::ImageFormat;
use serde::{Deserialize, Serialize};

/// A file format that [`decode`](crate::decode()) reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JPEG, baseline and progressive.
    Jpeg,
    /// PNG.
    Png,
    /// GIF, of which the first frame is read.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF, of which the first page is read.
    Tiff,
    /// WebP, lossy and lossless; the first frame of an animation.
    #[serde(rename = "webp")]
    WebP,
    /// Portable anymap: PBM, PGM, PPM and PAM.
    Pnm,
}

impl Format {
    /// The format whose signature `bytes` begin with; names and extensions play no part.
    ///
    /// ```
    /// use aumenta_imgproc::Format;
    ///
    /// assert_eq!(Format::sniff(b"P5 28 28 255\n"), Some(Format::Pnm));
    /// assert_eq!(Format::sniff(b"<html>"), None);
    /// ```
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes).ok()? {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::Gif => Some(Self::Gif),
            ImageFormat::Bmp => Some(Self::Bmp),
            ImageFormat::Tiff => Some(Self::Tiff),
            ImageFormat::WebP => Some(Self::WebP),
            ImageFormat::Pnm => Some(Self::Pnm),
            _ => None,
        }
    }

    /// The extensions that files of the format have, in lower case.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp"],
            Self::Tiff => &["tif", "tiff"],
            Self::WebP => &["webp"],
            Self::Pnm => &["pnm", "pbm", "pgm", "ppm"],
        }
    }

    pub(crate) fn of_codec(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::Gif => ImageFormat::Gif,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
            Self::WebP => ImageFormat::WebP,
            Self::Pnm => ImageFormat::Pnm,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
            Self::Pnm => "PNM",
        })
    }
}
