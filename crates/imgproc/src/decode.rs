//! [`Decoder`]: from the bytes of a file to an [`Image`], under limits, at a [`Scale`](crate::Scale).
//!
//! Whatever a file holds comes out as 8-bit RGB with its orientation applied: gray is replicated, 16 bits are scaled
//! to 8, CMYK is converted, and transparency is laid over white.
//!
//! A file that ends before its last pixel is an error in every format, and so is a JPEG without its end-of-image
//! marker. What the formats cannot reveal is bytes changed in the middle: only PNG has checksums. A JPEG with garbage in
//! its scan is refused where the garbage is no valid code or leads to a wrong length, and decodes to wrong pixels where it
//! happens to fit; a progressive JPEG that was cut and then closed by an end-of-image marker decodes with its missing
//! part gray.
//!
//! `orientation.rs` turns what was decoded, `codecs.rs` reads every format but JPEG, `probe.rs` tells what headers say,
//! `damage.rs` what is wrong with a file, and `picture_end.rs` whether something follows its picture.

mod codecs;
mod damage;
mod orientation;
mod picture_end;
mod probe;

use std::error::Error;

use image::metadata::Orientation;

use self::codecs::Codec;
pub use self::damage::{Damage, RowsRead};
use self::orientation::Turn;
pub use self::picture_end::picture_end;
pub use self::probe::{Probe, probe};
use crate::jpeg::{Jpeg, JpegDecoders};
use crate::{Format, Image, OtherFormat, Scale, Size, View, shrink};

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
    #[error(
        "not an image of a known format (JPEG, PNG, GIF, BMP, TIFF, WebP, PNM): {}",
        match looks_like {
            Some(other) => format!("it is {other}"),
            None => format!("it begins with {first_bytes:02x?}"),
        }
    )]
    UnknownFormat {
        /// What it is instead, where that is known.
        looks_like: Option<OtherFormat>,
        /// Up to eight bytes from the start of the file.
        first_bytes: Vec<u8>,
    },
    /// The file is larger than [`Limits::max_bytes`].
    #[error("the file has {bytes} bytes, above the limit of {limit}; make it smaller or leave it out")]
    TooManyBytes {
        /// The file's size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The header announces more pixels than [`Limits::max_pixels`].
    #[error("the image has {width}x{height} pixels, above the limit of {limit}; make it smaller or leave it out")]
    TooLarge {
        /// Columns, as stored.
        width: u32,
        /// Rows, as stored.
        height: u32,
        /// The limit.
        limit: u64,
    },
    /// The file is cut short or broken.
    #[error("the {format} file {damage}; get it again or leave it out")]
    Damaged {
        /// The format that the first bytes announce.
        format: Format,
        /// What is wrong, and where.
        damage: Damage,
        /// What the decoder says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file may be sound, but no decoder here reads its kind.
    #[error("the {format} file is of a kind that is not supported; convert it or leave it out")]
    Unsupported {
        /// The format that the first bytes announce.
        format: Format,
        /// What the decoder says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Decodes all pixels of a file to 8-bit RGB; a [`Decoder`] does the same again and again in less time.
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
    Decoder::default().decode(bytes, limits, &View::FULL, &mut image)?;
    Ok(image)
}

/// Decodes one file after the other, with memory that it keeps from file to file. Each thread has its own.
///
/// ```
/// use aumenta_imgproc::{Decoder, Image, Limits, Scale, Size, View, encode_jpeg};
///
/// let bytes = encode_jpeg(&Image::filled(50, 31, [90; 3]), 80)?;
/// let (mut decoder, mut image) = (Decoder::default(), Image::default());
/// let view = View { scale: Scale::Quarter, window: None };
/// decoder.decode(&bytes, &Limits::default(), &view, &mut image)?;
/// assert_eq!(image.size(), Size { width: 13, height: 8 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    jpeg: JpegDecoders,
    /// A picture as it is stored, on its way to be turned or shrunk.
    stored: Image,
    /// A turned picture on its way to be shrunk.
    upright: Image,
}

impl Decoder {
    /// Decodes what `view` asks for to 8-bit RGB. The size of `image` becomes [`Scale::of`] the file's size as it is
    /// displayed, whatever the window; its buffer is reused where it is large enough, and pixels outside of the window
    /// are unspecified.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong with the bytes; wrong bytes never panic. `image` is unspecified afterwards.
    pub fn decode(&mut self, bytes: &[u8], limits: &Limits, view: &View, image: &mut Image) -> Result<(), DecodeError> {
        let file = File::open(bytes, limits)?;
        let (turn, divisor) = (file.turn, view.scale.divisor());
        // A decoder that follows views shrinks while it decodes, if blocks are the same before and after the turn.
        let is_followed = match &file.reader {
            Reader::Jpeg(jpeg) => self.jpeg.follow_views(jpeg) && turn.keeps_blocks(file.size, view.scale),
            Reader::Codec(_) => false,
        };
        let read = View {
            scale: if is_followed { view.scale } else { Scale::Full },
            window: view.window.filter(|_| is_followed && turn == Turn::NONE),
        };
        match (turn == Turn::NONE, read.scale == view.scale) {
            (true, true) => file.read(&mut self.jpeg, &read, image)?,
            (true, false) => {
                file.read(&mut self.jpeg, &read, &mut self.stored)?;
                shrink(&self.stored, divisor, divisor, image);
            }
            (false, true) => {
                file.read(&mut self.jpeg, &read, &mut self.stored)?;
                turn.apply(&self.stored, image);
            }
            (false, false) => {
                file.read(&mut self.jpeg, &read, &mut self.stored)?;
                turn.apply(&self.stored, &mut self.upright);
                shrink(&self.upright, divisor, divisor, image);
            }
        }
        Ok(())
    }
}

/// A file whose header has been read and found within the limits.
struct File<'a> {
    format: Format,
    /// As stored, before the orientation is applied.
    size: Size,
    orientation: Orientation,
    /// What makes the displayed picture of the stored one.
    turn: Turn,
    reader: Reader<'a>,
}

#[expect(clippy::large_enum_variant, reason = "a header on the stack costs no allocation")]
enum Reader<'a> {
    Jpeg(Jpeg<'a>),
    Codec(Codec<'a>),
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
            let (looks_like, first_bytes) = (OtherFormat::sniff(bytes), bytes[..bytes.len().min(8)].to_vec());
            return Err(DecodeError::UnknownFormat { looks_like, first_bytes });
        };
        let ((width, height), orientation, reader) = if format == Format::Jpeg {
            let jpeg = Jpeg::read_header(bytes)?;
            let Size { width, height } = jpeg.size();
            ((width as u32, height as u32), jpeg.orientation(), Reader::Jpeg(jpeg))
        } else {
            let mut codec = Codec::open(bytes, format, limits)?;
            let orientation = codec.orientation()?;
            (codec.dimensions(), orientation, Reader::Codec(codec))
        };
        if u64::from(width) * u64::from(height) > limits.max_pixels {
            return Err(DecodeError::TooLarge { width, height, limit: limits.max_pixels });
        }
        let size = Size { width: width as usize, height: height as usize };
        Ok(Self { format, size, orientation, turn: Turn::of_orientation(orientation), reader })
    }

    /// Decodes what `view` asks for as it is stored; all pixels of a file whose decoder follows no views.
    fn read(self, jpeg_decoders: &mut JpegDecoders, view: &View, image: &mut Image) -> Result<(), DecodeError> {
        match self.reader {
            Reader::Jpeg(jpeg) => jpeg_decoders.decode(&jpeg, view, image),
            Reader::Codec(codec) => {
                image.resize_buffer(self.size.width, self.size.height);
                codec.read_pixels(image.pixels_mut())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, RgbImage, RgbaImage};
    use proptest::prelude::*;

    use super::*;
    use crate::{Window, encode_jpeg, encode_png};

    /// Four corners in four colours, so that every orientation looks different; sides are multiples of JPEG's blocks.
    const RED: [u8; 3] = [230, 30, 30];
    const GREEN: [u8; 3] = [30, 200, 30];
    const BLUE: [u8; 3] = [30, 30, 230];
    const WHITE: [u8; 3] = [250, 250, 250];

    fn corners() -> Image {
        let mut image = Image::filled(64, 32, RED);
        for y in 0..32 {
            for x in 0..64 {
                let color = [[RED, GREEN], [BLUE, WHITE]][y / 16][x / 32];
                image.set(x, y, color);
            }
        }
        image
    }

    /// Smooth and noisy areas, whose JPEG has no run of bytes that a cut could leave unnoticed.
    fn photograph() -> Image {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mut image = Image::filled(50, 38, [0; 3]);
        for y in 0..38 {
            for x in 0..50 {
                let gray = if x < 25 { noise() } else { (x * 3 + y * 2) as u8 };
                image.set(x, y, [gray, gray / 2 + 60, 255 - gray]);
            }
        }
        image
    }

    fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn as_codec_image(image: &Image) -> RgbImage {
        RgbImage::from_raw(image.width() as u32, image.height() as u32, image.pixels().to_vec()).unwrap()
    }

    /// The JPEG with an EXIF segment that holds this orientation and nothing else.
    fn with_orientation(jpeg: &[u8], tag: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([tag, 0, 0, 0, 0, 0, 0]);
        let mut bytes = jpeg[..2].to_vec();
        bytes.extend([0xff, 0xe1, 0, (exif.len() + 2) as u8]);
        bytes.extend(exif);
        bytes.extend(&jpeg[2..]);
        bytes
    }

    fn read(bytes: &[u8]) -> Image {
        decode(bytes, &Limits::default()).unwrap()
    }

    #[test]
    fn every_lossless_format_gives_its_pixels_back() {
        let image = photograph();
        let formats = [
            (Format::Png, ImageFormat::Png),
            (Format::Bmp, ImageFormat::Bmp),
            (Format::Tiff, ImageFormat::Tiff),
            (Format::WebP, ImageFormat::WebP),
            (Format::Pnm, ImageFormat::Pnm),
        ];
        for (format, codec) in formats {
            let bytes = encode(as_codec_image(&image), codec);
            assert_eq!(read(&bytes), image, "{format}");
            let probe = probe(&bytes, &Limits::default()).unwrap();
            assert_eq!((probe.format, probe.size), (format, image.size()));
        }
        let four_colors = corners();
        assert_eq!(read(&encode(as_codec_image(&four_colors), ImageFormat::Gif)), four_colors);
    }

    #[test]
    fn gray_is_replicated_and_sixteen_bits_are_scaled() {
        let gray = GrayImage::from_raw(2, 1, vec![3, 250]).unwrap();
        let expected = Image::from_pixels(2, 1, vec![3, 3, 3, 250, 250, 250]);
        assert_eq!(read(&encode(gray, ImageFormat::Png)), expected);
        let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_raw(2, 1, vec![3 * 257, 250 * 257]).unwrap();
        assert_eq!(read(&encode(deep, ImageFormat::Png)), expected);
        let jpeg = encode(GrayImage::from_pixel(16, 8, Luma([77])), ImageFormat::Jpeg);
        assert_eq!(read(&jpeg), Image::filled(16, 8, [77; 3]));
    }

    #[test]
    fn transparency_lies_over_white() {
        let rgba = RgbaImage::from_raw(3, 1, vec![10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 128]).unwrap();
        let expected = Image::from_pixels(3, 1, vec![10, 20, 30, 255, 255, 255, 132, 137, 142]);
        assert_eq!(read(&encode(rgba, ImageFormat::Png)), expected);
        let gray = GrayAlphaImage::from_raw(1, 1, vec![0, 51]).unwrap();
        assert_eq!(read(&encode(gray, ImageFormat::Png)), Image::filled(1, 1, [204; 3]));
    }

    #[test]
    fn every_orientation_is_applied() {
        let jpeg = encode_jpeg(&corners(), 95).unwrap();
        // Top left, top right, bottom left, bottom right, as a viewer should see them.
        let expected = [
            [RED, GREEN, BLUE, WHITE],
            [GREEN, RED, WHITE, BLUE],
            [WHITE, BLUE, GREEN, RED],
            [BLUE, WHITE, RED, GREEN],
            [RED, BLUE, GREEN, WHITE],
            [BLUE, RED, WHITE, GREEN],
            [WHITE, GREEN, BLUE, RED],
            [GREEN, WHITE, RED, BLUE],
        ];
        for (tag, corners) in (1..).zip(expected) {
            let bytes = with_orientation(&jpeg, tag);
            let image = read(&bytes);
            assert_eq!(
                image.size(),
                if tag < 5 { Size { width: 64, height: 32 } } else { Size { width: 32, height: 64 } }
            );
            let probe = probe(&bytes, &Limits::default()).unwrap();
            assert_eq!((probe.size, probe.orientation), (image.size(), tag));
            let (right, bottom) = (image.width() - 3, image.height() - 3);
            let seen = [image.get(2, 2), image.get(right, 2), image.get(2, bottom), image.get(right, bottom)];
            for (seen, expected) in seen.iter().flatten().zip(corners.iter().flatten()) {
                assert!(seen.abs_diff(*expected) <= 6, "orientation {tag}: {seen} instead of {expected}");
            }
        }
        assert_eq!(read(&with_orientation(&jpeg, 9)), read(&jpeg), "an unknown orientation is none");
    }

    #[test]
    fn limits_hold_before_pixels_are_allocated() {
        let limits = Limits { max_pixels: 100, max_bytes: 1000 };
        let huge = b"P5 4000000000 4000000000 255\n";
        assert!(matches!(
            decode(huge, &Limits::default()),
            Err(DecodeError::TooLarge { width: 4_000_000_000, height: 4_000_000_000, limit: 100_000_000 })
        ));
        assert!(matches!(
            probe(b"P5 101 1 255\n", &limits),
            Err(DecodeError::TooLarge { width: 101, height: 1, limit: 100 })
        ));
        assert!(matches!(decode(&[0; 1001], &limits), Err(DecodeError::TooManyBytes { bytes: 1001, limit: 1000 })));
        assert!(decode(&encode_png(&Image::filled(10, 10, RED)).unwrap(), &limits).is_ok());
        assert!(matches!(
            decode(&encode_jpeg(&Image::filled(11, 10, RED), 90).unwrap(), &limits),
            Err(DecodeError::TooLarge { width: 11, height: 10, limit: 100 })
        ));
    }

    #[test]
    fn what_is_no_image_is_named() {
        assert!(matches!(decode(b"", &Limits::default()), Err(DecodeError::Empty)));
        let error = decode(b"<html><body>", &Limits::default()).unwrap_err();
        let DecodeError::UnknownFormat { looks_like: Some(OtherFormat::Html), first_bytes } = &error else {
            panic!("{error}");
        };
        assert_eq!(first_bytes, b"<html><b");
        assert!(error.to_string().ends_with("PNM): it is a web page (HTML)"), "{error}");
    }

    #[test]
    fn a_jpeg_cut_anywhere_is_an_error() {
        let bytes = encode_jpeg(&photograph(), 90).unwrap();
        for length in 0..bytes.len() {
            let result = decode(&bytes[..length], &Limits::default());
            assert!(result.is_err(), "cut to {length} of {} bytes", bytes.len());
        }
        assert!(decode(&bytes, &Limits::default()).is_ok());
    }

    #[test]
    fn a_jpeg_cut_outside_of_its_thumbnail_is_an_error() {
        let mut bytes = encode_jpeg(&photograph(), 90).unwrap();
        // A comment that looks like the end of the image.
        bytes.splice(2..2, [0xff, 0xfe, 0, 4, 0xff, 0xd9]);
        assert!(decode(&bytes, &Limits::default()).is_ok());
        bytes.truncate(bytes.len() - 2);
        assert!(matches!(decode(&bytes, &Limits::default()), Err(DecodeError::Damaged { format: Format::Jpeg, .. })));
    }

    #[test]
    fn bytes_around_the_image_do_no_harm() {
        let bytes = encode_jpeg(&photograph(), 90).unwrap();
        let followed = [&bytes[..], b"appended by a camera"].concat();
        assert_eq!(read(&followed), read(&bytes));
        let mut stray = bytes.clone();
        let after_first_segment = 4 + usize::from(bytes[5]);
        stray.splice(after_first_segment..after_first_segment, *b"stray bytes");
        assert_eq!(read(&stray), read(&bytes));
    }

    #[test]
    fn a_cut_in_another_format_is_an_error_or_costs_no_pixel() {
        // PNG, WebP and GIF end in a few bytes that hold no pixels; without them the image is still whole.
        let image = as_codec_image(&photograph());
        for (codec, ending) in [
            (ImageFormat::Png, 4),
            (ImageFormat::Bmp, 0),
            (ImageFormat::Tiff, 0),
            (ImageFormat::WebP, 1),
            (ImageFormat::Pnm, 0),
            (ImageFormat::Gif, 3),
        ] {
            let bytes = encode(image.clone(), codec);
            let whole = read(&bytes);
            for length in 0..bytes.len() {
                match decode(&bytes[..length], &Limits::default()) {
                    Ok(image) => assert!(length >= bytes.len() - ending && image == whole, "{codec:?} cut to {length}"),
                    Err(error) => assert!(length < bytes.len() - ending, "{codec:?} cut to {length}: {error}"),
                }
            }
        }
    }

    #[test]
    fn a_scaled_picture_holds_the_means_of_blocks() {
        let image = photograph();
        let (mut decoder, mut scaled, mut means) = (Decoder::default(), Image::default(), Image::default());
        for scale in Scale::ALL {
            let view = View { scale, window: None };
            decoder.decode(&encode_png(&image).unwrap(), &Limits::default(), &view, &mut scaled).unwrap();
            shrink(&image, scale.divisor(), scale.divisor(), &mut means);
            assert_eq!(scaled, means, "{scale:?}");
        }
    }

    #[test]
    fn a_scaled_jpeg_stands_for_the_same_blocks_however_it_is_turned() {
        let mut ramp = Image::filled(50, 37, [0; 3]);
        for y in 0..37 {
            for x in 0..50 {
                ramp.set(x, y, [(x * 4) as u8, (y * 6) as u8, 128]);
            }
        }
        let jpeg = encode_jpeg(&ramp, 100).unwrap();
        let (mut decoder, mut scaled, mut means) = (Decoder::default(), Image::default(), Image::default());
        for tag in 1..=8 {
            let bytes = with_orientation(&jpeg, tag);
            let full = read(&bytes);
            for scale in Scale::ALL {
                let view = View { scale, window: None };
                decoder.decode(&bytes, &Limits::default(), &view, &mut scaled).unwrap();
                shrink(&full, scale.divisor(), scale.divisor(), &mut means);
                assert_eq!(scaled.size(), means.size());
                // A JPEG goes on beyond its last column and row as it likes, which a block there has a part of.
                for y in 0..full.height() / scale.divisor() {
                    for x in 0..full.width() / scale.divisor() {
                        for (value, mean) in scaled.get(x, y).into_iter().zip(means.get(x, y)) {
                            assert!(value.abs_diff(mean) <= 3, "{value} for {mean} at {x}, {y}, {tag}, {scale:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_window_of_a_turned_or_lossless_file_is_decoded_with_the_rest() {
        let window = Some(Window { left: 3, top: 2, right: 9, bottom: 5 });
        let turned = with_orientation(&encode_jpeg(&photograph(), 80).unwrap(), 6);
        for bytes in [turned, encode_png(&photograph()).unwrap()] {
            for scale in Scale::ALL {
                let [part, whole] = [window, None].map(|window| {
                    let mut image = Image::default();
                    let view = View { scale, window };
                    Decoder::default().decode(&bytes, &Limits::default(), &view, &mut image).unwrap();
                    image
                });
                assert_eq!(part, whole);
            }
        }
    }

    #[test]
    fn a_buffer_is_reused() {
        let bytes = encode_jpeg(&photograph(), 90).unwrap();
        let mut image = Image::filled(100, 100, RED);
        let before = image.pixels().as_ptr();
        Decoder::default().decode(&bytes, &Limits::default(), &View::FULL, &mut image).unwrap();
        assert_eq!(image.pixels().as_ptr(), before);
        assert_eq!(image, read(&bytes));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_panic(
            signature in prop::sample::select(vec![
                &b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\x40\0\0\0WEBPVP8 ", b"P6 ",
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [signature, &rest].concat();
            let _ = decode(&bytes, &Limits::default());
        }

        #[test]
        fn no_changed_jpeg_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut bytes = encode_jpeg(&photograph(), 80).unwrap();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let _ = decode(&bytes, &Limits::default());
        }
    }
}
