//! [`Zune`]: the decoder for files of every kind, by the crate zune-jpeg.

use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{DecodeJpeg, Jpeg, JpegError, Source, end_of_image};
use crate::{Damage, DecodeError, Format, Image, Size, View};

/// Decodes progressive files, those of four colors and the rare kinds; all pixels, whatever the view.
#[derive(Debug, Default)]
pub struct Zune;

impl DecodeJpeg for Zune {
    fn follows_views(&self) -> bool {
        false
    }

    fn decode(&mut self, jpeg: &Jpeg<'_>, _: &View, image: &mut Image) -> Result<(), DecodeError> {
        if end_of_image(jpeg.bytes).is_none() {
            return Err(JpegError::NoEndOfScans.in_file(jpeg.bytes, &jpeg.header));
        }
        decode(jpeg, image).map_err(|source| match source.downcast_ref() {
            Some(DecodeErrors::Unsupported(_)) => DecodeError::Unsupported { format: Format::Jpeg, source },
            _ => DecodeError::Damaged { format: Format::Jpeg, damage: Damage::Corrupt { at: None }, source },
        })
    }
}

fn decode(jpeg: &Jpeg<'_>, image: &mut Image) -> Result<(), Source> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(jpeg.bytes), options);
    decoder.decode_headers()?;
    // Stray bytes between header segments are harmless and common, what is missing from the pixels is not.
    decoder.set_options(options.set_strict_mode(true));
    let Size { width, height } = jpeg.header.size;
    if decoder.dimensions() != Some((width, height)) {
        return Err(JpegError::SecondFrame.into());
    }
    image.resize_buffer(width, height);
    Ok(decoder.decode_into(image.pixels_mut())?)
}
