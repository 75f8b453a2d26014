//! JPEG, the format of nearly every photograph, and the one whose damage is easily overlooked: a decoder meant for
//! viewing shows what it has and paints the rest gray.
//!
//! There are several decoders behind one trait, [`DecodeJpeg`], and a file's kind decides which of them takes it, never
//! another one's failure: a damaged file is an error. `baseline.rs` is our own, for nearly all photographs, and `zune.rs`
//! takes what is left. With the feature `turbo`, `turbo.rs` takes what it can before them.
//!
//! Our own goes through a file in this order: `header.rs` reads what stands before the scan, `scan.rs` the scan without
//! markers, `geometry.rs` says what of it is needed, `units.rs` and `block.rs` read blocks by `bits.rs` and `huffman.rs`,
//! with
//! `tables.rs`, and `component.rs` makes samples of them by `idct.rs` and as many as pixels by `upsample.rs`, which `color.rs` makes
//! colors of.

mod baseline;
mod bits;
mod block;
pub(crate) mod color;
mod component;
pub(crate) mod dct;
mod geometry;
mod header;
mod huffman;
mod idct;
mod scan;
mod tables;
#[cfg(feature = "turbo")]
mod turbo;
mod units;
pub(crate) mod upsample;
mod zune;

use std::error::Error;

use image::metadata::Orientation;

use self::baseline::Baseline;
use self::block::Fault;
use self::header::Header;
use self::huffman::TooManyCodes;
use self::scan::{Place, find_marker_prefix};
#[cfg(feature = "turbo")]
use self::turbo::Turbo;
use self::zune::Zune;
use crate::{ColorMode, Damage, DecodeError, Format, Image, RowsRead, Size, View};

/// What a decoder says of a file that it cannot decode.
pub(crate) type Source = Box<dyn Error + Send + Sync>;

/// A decoder for some kinds of JPEG.
trait DecodeJpeg {
    /// Whether it decodes what a view asks for and no more; otherwise it decodes all pixels.
    fn follows_views(&self) -> bool;

    /// Decodes to `image`, which gets the size of the whole picture at the view's scale; as stored, without a turn.
    fn decode(&mut self, jpeg: &Jpeg<'_>, view: &View, image: &mut Image) -> Result<(), DecodeError>;
}

/// A name of the decoders for JPEG with their versions: another name may mean other pixels.
///
/// What is kept of decoded pictures belongs under it.
pub const fn jpeg_decoder_name() -> &'static str {
    if cfg!(feature = "turbo") { "libjpeg-turbo 3.1, aumenta 1, zune-jpeg 0.5" } else { "aumenta 1, zune-jpeg 0.5" }
}

/// All decoders with their memory.
#[derive(Debug, Default)]
pub(crate) struct JpegDecoders {
    #[cfg(feature = "turbo")]
    turbo: Turbo,
    baseline: Baseline,
    zune: Zune,
}

impl JpegDecoders {
    fn of(&mut self, jpeg: &Jpeg<'_>) -> &mut dyn DecodeJpeg {
        #[cfg(feature = "turbo")]
        if Turbo::reads(jpeg) {
            return &mut self.turbo;
        }
        if Baseline::reads(&jpeg.header) { &mut self.baseline } else { &mut self.zune }
    }

    /// Whether the file's decoder decodes what a view asks for and no more.
    pub(crate) fn follow_views(&mut self, jpeg: &Jpeg<'_>) -> bool {
        self.of(jpeg).follows_views()
    }

    /// Decodes to `image`, as stored, without a turn; all of it where the file's decoder follows no views.
    pub(crate) fn decode(&mut self, jpeg: &Jpeg<'_>, view: &View, image: &mut Image) -> Result<(), DecodeError> {
        let decoded = self.of(jpeg).decode(jpeg, view, image);
        // Our own decoder tells best what is wrong with a file of its kind, whichever decoder refused it.
        if cfg!(feature = "turbo") && decoded.is_err() && Baseline::reads(&jpeg.header) {
            self.baseline.decode(jpeg, view, image)?;
        }
        decoded
    }
}

/// A JPEG whose header has been read.
pub(crate) struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
}

impl<'a> Jpeg<'a> {
    pub(crate) fn read_header(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match Header::read(bytes) {
            Ok(header) => Ok(Self { bytes, header }),
            Err(error) => Err(error.in_header(bytes)),
        }
    }

    /// As stored, before the orientation is applied.
    pub(crate) fn size(&self) -> Size {
        self.header.size
    }

    pub(crate) fn orientation(&self) -> Orientation {
        self.header.orientation
    }

    pub(crate) fn color_mode(&self) -> ColorMode {
        match self.header.components.as_slice().len() {
            1 => ColorMode::Gray,
            4 => ColorMode::Cmyk,
            _ => ColorMode::Rgb,
        }
    }

    /// The bits of a sample.
    pub(crate) fn bits(&self) -> u8 {
        self.header.precision
    }
}

/// Why the bytes of a JPEG are no picture. Places in the header are counted from the start of the file, those in scans
/// from the start of the first scan's data.
#[derive(Debug, thiserror::Error)]
pub enum JpegError {
    #[error("the file ends within its header")]
    CutHeader,
    #[error("the file ends before its end-of-image marker")]
    NoEnd,
    /// Where it is not known how much of the picture is there.
    #[error("the file ends before its end-of-image marker")]
    NoEndOfScans,
    #[error("the file has no scan")]
    NoScan { at: usize },
    #[error("the segment of marker {marker:#04x} is not as it should be")]
    Segment { marker: u8, at: usize },
    #[error("the file has several frames")]
    SecondFrame,
    #[error("the scan needs a {what} that the file does not define")]
    Undefined { what: &'static str },
    #[error(transparent)]
    Codes(#[from] TooManyCodes),
    #[error("restart marker {found} stands where {expected} should")]
    RestartMarker { expected: u8, found: u8, at: usize },
    #[error("the scan has {found} restart intervals instead of {expected}")]
    Intervals { expected: usize, found: usize },
    #[error("the scan has {fault} in MCU {unit} of {units}")]
    Scan { fault: Fault, unit: usize, units: usize, row: usize, place: Place },
    #[error("{bytes} bytes are left over at the end of restart interval {interval}")]
    LeftOver { bytes: i64, interval: usize, place: Place },
}

impl JpegError {
    /// What is wrong with a file whose header could not be read.
    #[cold]
    fn in_header(self, bytes: &[u8]) -> DecodeError {
        let damage = match self {
            Self::CutHeader => Damage::Truncated { at: bytes.len() as u64, rows: None },
            Self::NoScan { at } | Self::Segment { at, .. } => Damage::Corrupt { at: Some(at as u64) },
            _ => Damage::Corrupt { at: None },
        };
        self.into_damage(damage)
    }

    /// What is wrong with a file that has this header.
    #[cold]
    fn in_file(self, bytes: &[u8], header: &Header<'_>) -> DecodeError {
        let (end, data) = (bytes.len() as u64, header.data);
        let in_file = |at: usize| (bytes.len() - data.len() + at) as u64;
        let damage = match self {
            Self::NoEnd => Damage::NoEnd { at: end },
            Self::NoEndOfScans => Damage::Truncated { at: end, rows: None },
            Self::Scan { fault: Fault::EndOfData, row, place, .. } => {
                let height = header.size.height;
                let rows = RowsRead { read: (row * header.unit_rows()).min(height) as u32, of: height as u32 };
                Damage::Truncated { at: in_file(place.in_data(data)), rows: Some(rows) }
            }
            Self::Scan { place, .. } => Damage::Corrupt { at: Some(in_file(place.in_data(data))) },
            Self::LeftOver { bytes, place, .. } => {
                Damage::LeftOver { at: in_file(place.in_data(data)), bytes: bytes as u64 }
            }
            Self::RestartMarker { at, .. } => Damage::Corrupt { at: Some(in_file(at)) },
            _ => Damage::Corrupt { at: None },
        };
        self.into_damage(damage)
    }

    fn into_damage(self, damage: Damage) -> DecodeError {
        DecodeError::Damaged { format: Format::Jpeg, damage, source: self.into() }
    }
}

/// The place behind the end-of-image marker that follows the scans, if there is one.
///
/// The segments are walked by their lengths, because the thumbnail inside of an EXIF segment has a marker of its own.
/// Without this check a file that was cut within its last bytes would decode, its last blocks made up.
pub(crate) fn end_of_image(bytes: &[u8]) -> Option<usize> {
    const START_OF_IMAGE: u8 = 0xd8;
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = bytes;
    while let Some(at) = find_marker_prefix(rest) {
        rest = &rest[at + 1..];
        match rest {
            // A stuffed zero, a fill byte or a marker without a length: none has anything to skip.
            [0x00 | 0x01 | 0xff | 0xd0..=0xd7 | START_OF_IMAGE, ..] => {}
            [END_OF_IMAGE, ..] => return Some(bytes.len() - rest.len() + 1),
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::{Image, Limits, decode};

    /// 16x8 pixels, the left half of gray 40 and the right of 200, in four scans. Made by Pillow:
    /// `image.save(file, "JPEG", optimize=True, progressive=True)`.
    const PROGRESSIVE: &str = "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f\
        141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc2000b08000800100101\
        1100ffc4001500010100000000000000000000000000000607ffda00080101000000012750ffc40014100100000000000000\
        000000000000000010ffda00080101000105023fffc40014100100000000000000000000000000000010ffda000801010006\
        3f023fffc40014100100000000000000000000000000000010ffda0008010100013f213fffda00080101000000103fffc400\
        14100100000000000000000000000000000010ffda0008010100013f103fffd9";

    /// 8x8 pixels of cyan 0, magenta 200, yellow 100, black 50, stored inverted as Adobe's programs do. Made by Pillow:
    /// `Image.new("CMYK", (8, 8), (0, 200, 100, 50)).save(file, "JPEG", optimize=True)`.
    const CMYK: &str = "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d\
        1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc00014080008000804431100\
        4d11005911004b1100ffc4001500010100000000000000000000000000000705ffc400141001000000000000000000000000\
        00000000ffda000e0443004d0059004b00003f007f1b2d935fffd9";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_progressive_jpeg_is_decoded_whole_or_not_at_all() {
        let file = bytes(PROGRESSIVE);
        let image = decode(&file, &Limits::default()).unwrap();
        assert_eq!([image.get(2, 3), image.get(12, 3)], [[40; 3], [200; 3]]);
        for length in 0..file.len() {
            assert!(decode(&file[..length], &Limits::default()).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn cmyk_becomes_rgb() {
        let image = decode(&bytes(CMYK), &Limits::default()).unwrap();
        // 255 - ink, darkened by the black's 205 / 255.
        let expected = Image::filled(8, 8, [205, 44, 125]);
        assert_eq!(image.size(), expected.size());
        for (value, expected) in image.pixels().iter().zip(expected.pixels()) {
            assert!(value.abs_diff(*expected) <= 2, "{value} instead of {expected}");
        }
    }
}
