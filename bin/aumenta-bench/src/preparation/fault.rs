//! [`Fault`]: what is wrong with a planted picture.

use anyhow::Result;
use aumenta_imgproc::{Image, Limits, decode, encode_jpeg, encode_png};
use serde::Serialize;

/// What a web server sends in place of a picture that is gone.
const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n";

/// What is wrong with a planted picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The second half of the file is missing.
    Truncated,
    /// The marker that ends a JPEG is missing.
    NoEnd,
    /// It is a PNG by the name of a JPEG.
    WrongExtension,
    /// It is a page of HTML by the name of a JPEG.
    Html,
    /// It has no bytes.
    Empty,
    /// It is a copy of another picture.
    Copy,
    /// It has one color.
    Blank,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Truncated, Self::NoEnd, Self::WrongExtension, Self::Html, Self::Empty, Self::Copy, Self::Blank];

    /// Its name in tables and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::NoEnd => "no-end",
            Self::WrongExtension => "wrong-extension",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::Copy => "copy",
            Self::Blank => "blank",
        }
    }

    /// Whether a finding of this kind names the fault, in the words of any of the contenders.
    pub fn is_named_by(self, kind: &str) -> bool {
        let kinds: &[&str] = match self {
            Self::Truncated => &["truncated", "damaged", "invalid-image"],
            Self::NoEnd => &["no-end", "truncated", "invalid-image"],
            Self::WrongExtension => &["wrong-extension"],
            Self::Html => &["not-an-image", "invalid-image"],
            Self::Empty => &["empty", "not-an-image", "invalid-image"],
            Self::Copy => &["copy", "same-pixels", "exact_duplicates", "duplicate"],
            Self::Blank => &["blank", "low_information"],
        };
        kinds.contains(&kind)
    }

    /// Whether Pillow, which the other libraries read pictures with, reads no picture in such a file.
    pub fn is_unreadable(self) -> bool {
        matches!(self, Self::Truncated | Self::NoEnd | Self::Html | Self::Empty)
    }

    /// The file number `number` with the fault, made from the JPEG `file`.
    ///
    /// # Errors
    /// Where the JPEG cannot be decoded.
    pub fn make(self, file: &[u8], number: usize) -> Result<Vec<u8>> {
        let image = decode(file, &Limits::default())?;
        Ok(match self {
            Self::Truncated => file[..file.len() / 2].to_vec(),
            Self::NoEnd => file[..file.len() - 2].to_vec(),
            Self::WrongExtension => encode_png(&image)?,
            Self::Html => [PAGE, format!("<!-- {number} -->\n").as_bytes()].concat(),
            Self::Empty => Vec::new(),
            Self::Copy => file.to_vec(),
            // Each has another color, so that no two are copies.
            Self::Blank => {
                let color = [number as u8, (number >> 8) as u8, 128].map(|value: u8| value.wrapping_mul(37));
                encode_jpeg(&Image::filled(image.width(), image.height(), color), 90)?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{Format, probe};

    use super::*;

    #[test]
    fn each_fault_is_what_it_says() {
        let pixels = (0..64 * 48).flat_map(|at: usize| [(at % 64) as u8 * 3, (at / 64) as u8 * 5, 40]);
        let file = encode_jpeg(&Image::from_pixels(64, 48, pixels.collect()), 90).unwrap();
        let limits = Limits::default();
        for fault in Fault::ALL {
            let made = fault.make(&file, 3).unwrap();
            let is_readable = decode(&made, &limits).is_ok();
            assert_eq!(is_readable, !fault.is_unreadable(), "{fault:?}");
        }
        let png = Fault::WrongExtension.make(&file, 0).unwrap();
        assert_eq!(probe(&png, &limits).unwrap().format, Format::Png);
        assert_ne!(Fault::Blank.make(&file, 1).unwrap(), Fault::Blank.make(&file, 2).unwrap());
    }
}
