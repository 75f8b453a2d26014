//! [`Codec`]: every format but JPEG, by the decoders of the `image` crate.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageReader, ImageResult};

use super::Limits;
use crate::Format;

/// A file whose header has been read.
pub struct Codec<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
}

impl<'a> Codec<'a> {
    pub fn open(bytes: &'a [u8], format: Format, limits: &Limits) -> ImageResult<Self> {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format.of_codec());
        let mut allocation = image::Limits::no_limits();
        allocation.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(limits.max_bytes));
        reader.limits(allocation);
        Ok(Self { decoder: Box::new(reader.into_decoder()?) })
    }

    /// Width and height as stored, before the orientation is applied.
    pub fn dimensions(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    pub fn orientation(&mut self) -> ImageResult<Orientation> {
        self.decoder.orientation()
    }

    /// Decodes into an RGB buffer of exactly the stored size.
    pub fn read_pixels(self, out: &mut [u8]) -> ImageResult<()> {
        if self.decoder.color_type() == ColorType::Rgb8 {
            return self.decoder.read_image_boxed(out);
        }
        let decoded = DynamicImage::from_decoder(self.decoder)?;
        if decoded.color().has_alpha() {
            lay_over_white(&decoded.into_rgba8(), out);
        } else {
            out.copy_from_slice(&decoded.into_rgb8());
        }
        Ok(())
    }
}

fn lay_over_white(rgba: &[u8], out: &mut [u8]) {
    for (pixel, &[red, green, blue, alpha]) in out.as_chunks_mut::<3>().0.iter_mut().zip(rgba.as_chunks().0) {
        *pixel = [red, green, blue].map(|value| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        });
    }
}
