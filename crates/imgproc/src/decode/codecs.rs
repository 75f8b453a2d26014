//! [`Codec`]: every format but JPEG, by the decoders of the `image` crate.

use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageReader, ImageResult};

use super::picture_end::{gif_blocks, is_gif_block, picture_end, png_chunks};
use super::{Damage, DecodeError, Limits};
use crate::Format;

/// A file whose header has been read.
pub struct Codec<'a> {
    bytes: &'a [u8],
    format: Format,
    decoder: Box<dyn ImageDecoder + 'a>,
}

impl<'a> Codec<'a> {
    pub fn open(bytes: &'a [u8], format: Format, limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format.of_codec());
        let mut allocation = image::Limits::no_limits();
        allocation.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(limits.max_bytes));
        reader.limits(allocation);
        match reader.into_decoder() {
            Ok(decoder) => Ok(Self { bytes, format, decoder: Box::new(decoder) }),
            Err(error) => Err(explained(error, bytes, format)),
        }
    }

    /// Width and height as stored, before the orientation is applied.
    pub fn dimensions(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    pub fn orientation(&mut self) -> Result<Orientation, DecodeError> {
        let orientation = self.decoder.orientation();
        orientation.map_err(|error| explained(error, self.bytes, self.format))
    }

    /// How colors are stored, as far as the decoder tells.
    pub fn color(&self) -> ExtendedColorType {
        self.decoder.original_color_type()
    }

    /// Decodes into an RGB buffer of exactly the stored size.
    pub fn read_pixels(self, out: &mut [u8]) -> Result<(), DecodeError> {
        let Self { bytes, format, decoder } = self;
        read_pixels(decoder, out).map_err(|error| explained(error, bytes, format))
    }
}

fn read_pixels(decoder: Box<dyn ImageDecoder + '_>, out: &mut [u8]) -> ImageResult<()> {
    if decoder.color_type() == ColorType::Rgb8 {
        return decoder.read_image_boxed(out);
    }
    let decoded = DynamicImage::from_decoder(decoder)?;
    if decoded.color().has_alpha() {
        lay_over_white(&decoded.into_rgba8(), out);
    } else {
        out.copy_from_slice(&decoded.into_rgb8());
    }
    Ok(())
}

fn lay_over_white(rgba: &[u8], out: &mut [u8]) {
    for (pixel, &[red, green, blue, alpha]) in out.as_chunks_mut::<3>().0.iter_mut().zip(rgba.as_chunks().0) {
        *pixel = [red, green, blue].map(|value| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        });
    }
}

/// What a decoder's error says of the file.
#[cold]
fn explained(error: ImageError, bytes: &[u8], format: Format) -> DecodeError {
    let is_cut = match &error {
        ImageError::Unsupported(_) => return DecodeError::Unsupported { format, source: error.into() },
        ImageError::IoError(error) => error.kind() == ErrorKind::UnexpectedEof,
        _ => format == Format::WebP && picture_end(bytes, format).is_none(),
    };
    let damage = match format {
        _ if is_cut => Damage::Truncated { at: bytes.len() as u64, rows: None },
        Format::Png => png_damage(bytes),
        Format::Gif => gif_damage(bytes),
        _ => Damage::Corrupt { at: None },
    };
    DecodeError::Damaged { format, damage, source: error.into() }
}

/// Where the chunks of a PNG stop to follow each other, or to be what their checksums say.
fn png_damage(bytes: &[u8]) -> Damage {
    let is_kind = |kind: &[u8]| kind.iter().all(u8::is_ascii_alphabetic);
    let mut at = 8;
    for chunk in png_chunks(bytes) {
        if !is_kind(&chunk.kind) || !chunk.is_sound() {
            return Damage::Corrupt { at: Some(at as u64) };
        }
        if chunk.kind == *b"IEND" {
            return Damage::Corrupt { at: None };
        }
        at = chunk.end;
    }
    // A length that was changed leads beyond the end too.
    match bytes.get(at + 4..at + 8) {
        Some(kind) if !is_kind(kind) => Damage::Corrupt { at: Some(at as u64) },
        _ => Damage::Truncated { at: bytes.len() as u64, rows: None },
    }
}

/// Whether the blocks of a GIF stop to follow each other, or just end.
fn gif_damage(bytes: &[u8]) -> Damage {
    let end = gif_blocks(bytes).last().map(|block| block.end);
    match end.and_then(|end| bytes.get(end)) {
        _ if picture_end(bytes, Format::Gif).is_some() => Damage::Corrupt { at: None },
        Some(&kind) if !is_gif_block(kind) => Damage::Corrupt { at: end.map(|end| end as u64) },
        _ => Damage::Truncated { at: bytes.len() as u64, rows: None },
    }
}
