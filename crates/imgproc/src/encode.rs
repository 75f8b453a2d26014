//! [`encode_png`] and [`encode_jpeg`]: from an [`Image`] to the bytes of a file.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use crate::{Format, Image};

/// Why an image could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The image has no pixels, which no format can hold.
    #[error("an image of {width}x{height} pixels has nothing to encode")]
    Empty {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// A JPEG quality outside of 1 to 100.
    #[error("the JPEG quality is {got}, expected 1 to 100")]
    Quality {
        /// The quality asked for.
        got: u8,
    },
    /// The format cannot hold the image, for example a JPEG with more than 65,535 columns.
    #[error("an image of {width}x{height} pixels cannot be encoded as {format}")]
    Encoder {
        /// The format.
        format: Format,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// What the encoder says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// `image` as a PNG file: lossless, 8-bit RGB.
///
/// # Errors
/// Where the image is empty.
///
/// ```
/// use aumenta_imgproc::{Image, Limits, decode, encode_png};
///
/// let image = Image::filled(4, 3, [10, 20, 30]);
/// assert_eq!(decode(&encode_png(&image)?, &Limits::default())?, image);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode_png(image: &Image) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    write(image, Format::Png, PngEncoder::new(&mut bytes))?;
    Ok(bytes)
}

/// `image` as a JPEG file of `quality` 1 (small) to 100 (close to the original).
///
/// # Errors
/// Where the quality is out of range, or the image empty or above 65,535 pixels on a side.
pub fn encode_jpeg(image: &Image, quality: u8) -> Result<Vec<u8>, EncodeError> {
    if !(1..=100).contains(&quality) {
        return Err(EncodeError::Quality { got: quality });
    }
    let mut bytes = Vec::new();
    write(image, Format::Jpeg, JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}

fn write(image: &Image, format: Format, encoder: impl ImageEncoder) -> Result<(), EncodeError> {
    let (width, height) = (image.width(), image.height());
    if image.pixels().is_empty() {
        return Err(EncodeError::Empty { width, height });
    }
    encoder
        .write_image(image.pixels(), width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|source: ImageError| EncodeError::Encoder { format, width, height, source: source.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode};

    #[test]
    fn a_jpeg_stays_close_to_its_image() {
        let image = Image::from_pixels(16, 16, (0..16 * 16).flat_map(|at| [(at % 16 * 8) as u8; 3]).collect());
        let bytes = encode_jpeg(&image, 95).unwrap();
        let back = decode(&bytes, &Limits::default()).unwrap();
        let worst = back.pixels().iter().zip(image.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(6), "{worst:?}");
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        assert!(matches!(encode_png(&Image::default()), Err(EncodeError::Empty { width: 0, height: 0 })));
        let image = Image::filled(1, 1, [0; 3]);
        assert!(matches!(encode_jpeg(&image, 0), Err(EncodeError::Quality { got: 0 })));
        let wide = Image::filled(70_000, 1, [0; 3]);
        assert!(matches!(encode_jpeg(&wide, 90), Err(EncodeError::Encoder { format: Format::Jpeg, .. })));
    }
}
