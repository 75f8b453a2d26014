//! [`Turbo`]: libjpeg-turbo, for nearly all files, where the feature `turbo` is on.
//!
//! Its build needs cmake and nasm. Every warning of it is an error here: it warns where it makes pixels up.

use turbojpeg::{Decompressor, PixelFormat, ScalingFactor};

use super::header::Header;
use super::{DecodeJpeg, Jpeg, JpegError, Source, end_of_image};
use crate::{Damage, DecodeError, Format, Image, Size, View};

/// Decodes at every scale; all pixels, whatever the window.
#[derive(Debug, Default)]
pub struct Turbo {
    decompressor: Option<Decompressor>,
}

impl Turbo {
    /// Whether a file is of this decoder's kind: it makes no RGB of four colors, and warns of bytes between segments.
    pub fn reads(jpeg: &Jpeg<'_>) -> bool {
        jpeg.header.components.as_slice().len() <= 3 && segments_touch(&jpeg.header, jpeg.bytes)
    }
}

impl DecodeJpeg for Turbo {
    fn follows_views(&self) -> bool {
        true
    }

    fn decode(&mut self, jpeg: &Jpeg<'_>, view: &View, image: &mut Image) -> Result<(), DecodeError> {
        if end_of_image(jpeg.bytes).is_none() {
            return Err(JpegError::NoEndOfScans.in_file(jpeg.bytes, &jpeg.header));
        }
        self.decompress(jpeg, view, image).map_err(|source| DecodeError::Damaged {
            format: Format::Jpeg,
            damage: Damage::Corrupt { at: None },
            source,
        })
    }
}

impl Turbo {
    fn decompress(&mut self, jpeg: &Jpeg<'_>, view: &View, image: &mut Image) -> Result<(), Source> {
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        };
        decompressor.set_scaling_factor(ScalingFactor::new(1, view.scale.divisor()))?;
        let Size { width, height } = view.scale.of(jpeg.header.size);
        image.resize_buffer(width, height);
        let pixels = image.pixels_mut();
        let out = turbojpeg::Image { pixels, width, pitch: 3 * width, height, format: PixelFormat::RGB };
        Ok(decompressor.decompress(jpeg.bytes, out)?)
    }
}

/// Whether each segment of the header begins where the one before ends.
fn segments_touch(header: &Header<'_>, bytes: &[u8]) -> bool {
    let mut rest = &bytes[2..bytes.len() - header.data.len()];
    while let [0xff, marker, after @ ..] = rest {
        rest = match (marker, after) {
            (0xff, _) => &rest[1..],
            (_, [high, low, ..]) => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                after.get(length..).unwrap_or_default()
            }
            _ => return false,
        };
    }
    rest.is_empty()
}
