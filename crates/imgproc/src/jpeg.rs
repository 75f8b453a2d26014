//! JPEG, the format of nearly every photograph, and the one whose damage is easily overlooked: a decoder meant for
//! viewing shows what it has and paints the rest gray.

use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A JPEG whose header has been read.
pub(crate) struct Jpeg<'a> {
    bytes: &'a [u8],
    decoder: JpegDecoder<ZCursor<&'a [u8]>>,
}

impl<'a> Jpeg<'a> {
    pub(crate) fn read_header(bytes: &'a [u8]) -> Result<Self, DecodeErrors> {
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::RGB)
            .set_strict_mode(false)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers()?;
        // Stray bytes between header segments are harmless and common, what is missing from the pixels is not.
        decoder.set_options(options.set_strict_mode(true));
        Ok(Self { bytes, decoder })
    }

    /// Width and height as stored, before the orientation is applied.
    pub(crate) fn dimensions(&self) -> (u32, u32) {
        self.decoder.dimensions().map_or((0, 0), |(width, height)| (width as u32, height as u32))
    }

    pub(crate) fn orientation(&self) -> Orientation {
        let exif = self.decoder.exif();
        exif.and_then(|chunk| Orientation::from_exif_chunk(chunk)).unwrap_or(Orientation::NoTransforms)
    }

    /// Decodes into an RGB buffer of exactly the stored size.
    pub(crate) fn read_pixels(mut self, out: &mut [u8]) -> Result<(), DecodeErrors> {
        if !has_end_of_image(self.bytes) {
            return Err(DecodeErrors::FormatStatic("the file ends before its end-of-image marker"));
        }
        self.decoder.decode_into(out)
    }
}

/// Whether an end-of-image marker follows the scans.
///
/// The segments are walked by their lengths, because the thumbnail inside of an EXIF segment has a marker of its own.
/// Without this check a file that was cut within its last bytes would decode, its last blocks made up.
fn has_end_of_image(bytes: &[u8]) -> bool {
    const START_OF_IMAGE: u8 = 0xd8;
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == 0xff) {
        rest = &rest[at + 1..];
        match rest {
            // A stuffed zero, a fill byte or a marker without a length: none has anything to skip.
            [0x00 | 0x01 | 0xff | 0xd0..=0xd7 | START_OF_IMAGE, ..] => {}
            [END_OF_IMAGE, ..] => return true,
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
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
