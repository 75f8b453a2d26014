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
