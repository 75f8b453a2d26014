//! [`decode`]: from the bytes of a file to an [`Image`], under limits.
//!
//! Whatever a file holds comes out as 8-bit RGB with its orientation applied: gray is replicated, 16 bits are scaled
//! to 8, CMYK is converted, and transparency is laid over white.
//!
//! A file that ends too early is an error in every format. What the formats cannot reveal is bytes changed in the
//! middle: only PNG has checksums. A JPEG with garbage in its scan is refused where the garbage is no valid code, and
//! decodes to wrong pixels where it happens to be one; a JPEG that was cut and then closed by an end-of-image marker
//! decodes with its missing part gray.

use std::error::Error;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};

use crate::jpeg::Jpeg;
use crate::{Format, Image, Size};

/// What a file may ask for; checked before anything is allocated for its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels, width times height. A decoder's own buffers take up to 16 bytes for each of them.
    pub max_pixels: u64,
    /// The most bytes of the encoded file.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 100 megapixels and 64 MiB: far above any photograph, far below what exhausts a machine's memory.
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_bytes: 64 << 20 }
    }
}

/// Why bytes did not become an image.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The first bytes are no known signature.
    #[error("not an image of a known format (JPEG, PNG, GIF, BMP, TIFF, WebP, PNM): it begins with {first_bytes:02x?}")]
    UnknownFormat {
        /// Up to eight bytes from the start of the file.
        first_bytes: Vec<u8>,
    },
    /// The file is larger than [`Limits::max_bytes`].
    #[error("the file has {bytes} bytes, above the limit of {limit}; raise the limit to read it")]
    TooManyBytes {
        /// The file's size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The header announces more pixels than [`Limits::max_pixels`].
    #[error("the image has {width}x{height} pixels, above the limit of {limit}; raise the limit to read it")]
    TooLarge {
        /// Columns, as stored.
        width: u32,
        /// Rows, as stored.
        height: u32,
        /// The limit.
        limit: u64,
    },
    /// The file is cut short, broken, or of a kind that no decoder here reads.
    #[error("the {format} file is damaged or of an unsupported kind")]
    Damaged {
        /// The format that the first bytes announce.
        format: Format,
        /// What the decoder says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What a file's header tells without decoding the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The format.
    pub format: Format,
    /// The size that [`decode`] would give, orientation applied.
    pub size: Size,
}

/// Reads format and size from the header alone, under the same limits as [`decode`].
///
/// A good probe does not promise that the pixels are whole.
///
/// # Errors
/// As [`decode`], for what the header shows.
///
/// ```
/// use aumenta_imgproc::{Format, Limits, Size, probe};
///
/// let probe = probe(b"P5 28 20 255\n", &Limits::default())?;
/// assert_eq!((probe.format, probe.size), (Format::Pnm, Size { width: 28, height: 20 }));
/// # Ok::<(), aumenta_imgproc::DecodeError>(())
/// ```
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Probe, DecodeError> {
    let file = File::open(bytes, limits)?;
    let (width, height) = (file.size.width, file.size.height);
    let size = if swaps_sides(file.orientation) { Size { width: height, height: width } } else { file.size };
    Ok(Probe { format: file.format, size })
}

/// Decodes a file to 8-bit RGB.
///
/// # Errors
/// [`DecodeError`] says what is wrong with the bytes; wrong bytes never panic.
///
/// ```
/// use aumenta_imgproc::{Image, Limits, decode};
///
/// let image = decode(b"P5 2 1 255\n\x07\xff", &Limits::default())?;
/// assert_eq!(image, Image::from_pixels(2, 1, vec![7, 7, 7, 255, 255, 255]));
/// # Ok::<(), aumenta_imgproc::DecodeError>(())
/// ```
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Image, DecodeError> {
    let mut image = Image::default();
    decode_into(bytes, limits, &mut image)?;
    Ok(image)
}

/// Decodes a file to 8-bit RGB into `image`, reusing its buffer where it is large enough (always for JPEG and RGB
/// files that need no turning by their orientation).
///
/// # Errors
/// As [`decode`]; `image` is unspecified afterwards.
pub fn decode_into(bytes: &[u8], limits: &Limits, image: &mut Image) -> Result<(), DecodeError> {
    let File { format, size, orientation, reader } = File::open(bytes, limits)?;
    let damaged = |source| DecodeError::Damaged { format, source };
    match reader {
        Reader::Jpeg(jpeg) => {
            image.resize_buffer(size.width, size.height);
            jpeg.read_pixels(image.pixels_mut()).map_err(|error| damaged(error.into()))?;
        }
        Reader::Rgb(decoder) => {
            image.resize_buffer(size.width, size.height);
            decoder.read_image_boxed(image.pixels_mut()).map_err(|error| damaged(error.into()))?;
        }
        Reader::Other(decoder) => {
            let decoded = DynamicImage::from_decoder(decoder).map_err(|error| damaged(error.into()))?;
            *image = to_rgb_over_white(decoded);
        }
    }
    if orientation != Orientation::NoTransforms {
        let turned = std::mem::take(image);
        *image = turn(turned, orientation);
    }
    Ok(())
}

/// A file whose header has been read and found within the limits.
struct File<'a> {
    format: Format,
    /// As stored, before the orientation is applied.
    size: Size,
    orientation: Orientation,
    reader: Reader<'a>,
}

enum Reader<'a> {
    Jpeg(Box<Jpeg<'a>>),
    /// A decoder whose pixels are 8-bit RGB already.
    Rgb(Box<dyn ImageDecoder + 'a>),
    Other(Box<dyn ImageDecoder + 'a>),
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        if bytes.len() as u64 > limits.max_bytes {
            return Err(DecodeError::TooManyBytes { bytes: bytes.len() as u64, limit: limits.max_bytes });
        }
        let Some(format) = Format::sniff(bytes) else {
            return Err(DecodeError::UnknownFormat { first_bytes: bytes[..bytes.len().min(8)].to_vec() });
        };
        let (dimensions, orientation, reader) =
            Reader::open(bytes, format, limits).map_err(|source| DecodeError::Damaged { format, source })?;
        let (width, height) = dimensions;
        if u64::from(width) * u64::from(height) > limits.max_pixels {
            return Err(DecodeError::TooLarge { width, height, limit: limits.max_pixels });
        }
        let size = Size { width: width as usize, height: height as usize };
        Ok(Self { format, size, orientation, reader })
    }
}

type Opened<'a> = ((u32, u32), Orientation, Reader<'a>);

impl<'a> Reader<'a> {
    fn open(bytes: &'a [u8], format: Format, limits: &Limits) -> Result<Opened<'a>, Box<dyn Error + Send + Sync>> {
        if format == Format::Jpeg {
            let jpeg = Jpeg::read_header(bytes)?;
            return Ok((jpeg.dimensions(), jpeg.orientation(), Self::Jpeg(Box::new(jpeg))));
        }
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format.of_codec());
        let mut allocation = image::Limits::no_limits();
        allocation.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(limits.max_bytes));
        reader.limits(allocation);
        let mut decoder: Box<dyn ImageDecoder + 'a> = Box::new(reader.into_decoder()?);
        let dimensions = decoder.dimensions();
        let orientation = decoder.orientation()?;
        let is_rgb = decoder.color_type() == image::ColorType::Rgb8;
        Ok((dimensions, orientation, if is_rgb { Self::Rgb(decoder) } else { Self::Other(decoder) }))
    }
}

fn to_rgb_over_white(decoded: DynamicImage) -> Image {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    if !decoded.color().has_alpha() {
        return Image::from_pixels(width, height, decoded.into_rgb8().into_raw());
    }
    let rgba = decoded.into_rgba8().into_raw();
    let pixels = rgba.as_chunks().0.iter().flat_map(|&[red, green, blue, alpha]| {
        [red, green, blue].map(|value| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        })
    });
    Image::from_pixels(width, height, pixels.collect())
}

fn turn(image: Image, orientation: Orientation) -> Image {
    let (width, height) = (image.width() as u32, image.height() as u32);
    let Some(pixels) = RgbImage::from_raw(width, height, image.into_pixels()) else {
        return Image::default();
    };
    let mut turned = DynamicImage::ImageRgb8(pixels);
    turned.apply_orientation(orientation);
    Image::from_pixels(turned.width() as usize, turned.height() as usize, turned.into_rgb8().into_raw())
}

fn swaps_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}
