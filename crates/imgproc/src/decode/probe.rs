//! [`probe`]: what a file's header tells without its pixels.

use super::codecs::Codec;
use super::picture_end::{GIF_EXTENSION, GIF_FRAME, gif_blocks, png_chunks, webp_chunks};
use super::{DecodeError, File, Limits, Reader};
use crate::{ColorMode, Format, Size};

/// What a file's header tells without decoding the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The format.
    pub format: Format,
    /// The size that [`decode`](crate::decode()) would give, orientation applied.
    pub size: Size,
    /// How the stored picture is to be turned, 1 to 8 as in EXIF (2.3, tag 274); 1 is as it is.
    pub orientation: u8,
    /// How colors are stored.
    pub color: ColorMode,
    /// Bits of a channel, as stored; of the colors in a table 8, or 16 where a bitmap has five or six.
    pub bits: u8,
    /// Pictures of an animation; 1 for a still picture.
    pub frames: u32,
}

/// Reads what the header tells, under the same limits as [`decode`](crate::decode()).
///
/// A good probe does not promise that the pixels are whole. Animations of GIF and WebP are walked from frame to frame,
/// of all other formats the header alone is read.
///
/// # Errors
/// As [`decode`](crate::decode()), for what the header shows.
///
/// ```
/// use aumenta_imgproc::{ColorMode, Format, Limits, Size, probe};
///
/// let probe = probe(b"P5 28 20 255\n", &Limits::default())?;
/// assert_eq!((probe.format, probe.size), (Format::Pnm, Size { width: 28, height: 20 }));
/// assert_eq!((probe.color, probe.bits, probe.orientation), (ColorMode::Gray, 8, 1));
/// # Ok::<(), aumenta_imgproc::DecodeError>(())
/// ```
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Probe, DecodeError> {
    let file = File::open(bytes, limits)?;
    let (color, bits) = match &file.reader {
        Reader::Jpeg(jpeg) => (jpeg.color_mode(), jpeg.bits()),
        Reader::Codec(codec) => color_of(bytes, file.format, codec),
    };
    Ok(Probe {
        format: file.format,
        size: file.turn.of(file.size),
        orientation: file.orientation.to_exif(),
        color,
        bits,
        frames: frames(bytes, file.format),
    })
}

/// How colors are stored. Decoders tell what they make of a table, not that there is one.
fn color_of(bytes: &[u8], format: Format, codec: &Codec<'_>) -> (ColorMode, u8) {
    match format {
        Format::Png => png_color(bytes),
        Format::Gif => {
            let is_transparent =
                |block: &[u8]| matches!(block, [GIF_EXTENSION, 0xf9, 4, packed, ..] if packed & 1 == 1);
            let first = gif_blocks(bytes).take_while(|block| block.kind != GIF_FRAME);
            let has_alpha = first.into_iter().any(|block| is_transparent(block.bytes));
            (if has_alpha { ColorMode::PaletteAlpha } else { ColorMode::Palette }, 8)
        }
        Format::Bmp if bmp_bits(bytes).is_some_and(|bits| bits <= 8) => (ColorMode::Palette, 8),
        _ => ColorMode::of_codec(codec.color()),
    }
}

/// PNG, third edition, sections 11.2.1 and 11.3.1.1.
fn png_color(bytes: &[u8]) -> (ColorMode, u8) {
    let before_pixels = || png_chunks(bytes).take_while(|chunk| chunk.kind != *b"IDAT");
    let has_transparent_color = before_pixels().any(|chunk| chunk.kind == *b"tRNS");
    let header = before_pixels().next().map(|chunk| chunk.data).unwrap_or_default();
    let &[_, _, _, _, _, _, _, _, bits, color, ..] = header else { return (ColorMode::Rgb, 8) };
    match (color, has_transparent_color) {
        (0, false) => (ColorMode::Gray, bits),
        (0, true) | (4, _) => (ColorMode::GrayAlpha, bits),
        (3, false) => (ColorMode::Palette, 8),
        (3, true) => (ColorMode::PaletteAlpha, 8),
        (2, false) => (ColorMode::Rgb, bits),
        _ => (ColorMode::RgbAlpha, bits),
    }
}

/// Bits of a pixel; the oldest header has no compression and shorter sides.
fn bmp_bits(bytes: &[u8]) -> Option<u16> {
    let header = u32::from_le_bytes(*bytes.get(14..)?.first_chunk()?);
    let at = if header == 12 { 24 } else { 28 };
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn frames(bytes: &[u8], format: Format) -> u32 {
    let count = match format {
        Format::Png => {
            let control = png_chunks(bytes).take_while(|chunk| chunk.kind != *b"IDAT").find(|c| c.kind == *b"acTL");
            control.and_then(|chunk| Some(u32::from_be_bytes(*chunk.data.first_chunk()?))).unwrap_or(1)
        }
        Format::Gif => gif_blocks(bytes).filter(|block| block.kind == GIF_FRAME).count() as u32,
        Format::WebP => webp_chunks(bytes).filter(|(kind, _)| kind == b"ANMF").count() as u32,
        Format::Jpeg | Format::Bmp | Format::Tiff | Format::Pnm => 1,
    };
    count.max(1)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::gif::GifEncoder;
    use image::{
        DynamicImage, Frame, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage,
    };

    use super::*;

    fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[track_caller]
    fn check(bytes: &[u8], format: Format, color: ColorMode, bits: u8, frames: u32) {
        let expected = Probe { format, size: Size { width: 3, height: 2 }, orientation: 1, color, bits, frames };
        assert_eq!(probe(bytes, &Limits::default()).unwrap(), expected);
    }

    #[test]
    fn the_header_tells_how_colors_are_stored() {
        use ColorMode::{Gray, GrayAlpha, Rgb as Color, RgbAlpha};
        let (gray, rgb) = (GrayImage::new(3, 2), RgbImage::new(3, 2));
        let (gray_alpha, rgba) = (GrayAlphaImage::new(3, 2), RgbaImage::new(3, 2));
        let deep: ImageBuffer<Rgb<u16>, _> = ImageBuffer::new(3, 2);
        let deep_alpha: ImageBuffer<Rgba<u16>, _> = ImageBuffer::new(3, 2);
        check(&encode(gray.clone(), ImageFormat::Jpeg), Format::Jpeg, Gray, 8, 1);
        check(&encode(rgb.clone(), ImageFormat::Jpeg), Format::Jpeg, Color, 8, 1);
        check(&encode(gray.clone(), ImageFormat::Png), Format::Png, Gray, 8, 1);
        check(&encode(gray_alpha, ImageFormat::Png), Format::Png, GrayAlpha, 8, 1);
        check(&encode(rgb.clone(), ImageFormat::Png), Format::Png, Color, 8, 1);
        check(&encode(rgba.clone(), ImageFormat::Png), Format::Png, RgbAlpha, 8, 1);
        check(&encode(deep.clone(), ImageFormat::Png), Format::Png, Color, 16, 1);
        check(&encode(deep_alpha, ImageFormat::Png), Format::Png, RgbAlpha, 16, 1);
        check(&encode(rgb.clone(), ImageFormat::WebP), Format::WebP, Color, 8, 1);
        check(&encode(rgba.clone(), ImageFormat::WebP), Format::WebP, RgbAlpha, 8, 1);
        check(&encode(deep, ImageFormat::Tiff), Format::Tiff, Color, 16, 1);
        check(&encode(gray.clone(), ImageFormat::Tiff), Format::Tiff, Gray, 8, 1);
        check(&encode(gray, ImageFormat::Bmp), Format::Bmp, ColorMode::Palette, 8, 1);
        check(&encode(rgb, ImageFormat::Bmp), Format::Bmp, Color, 8, 1);
        check(&encode(rgba.clone(), ImageFormat::Bmp), Format::Bmp, RgbAlpha, 8, 1);
        check(b"P1 3 2\n", Format::Pnm, Gray, 1, 1);
        check(b"P6 3 2 65535\n", Format::Pnm, Color, 16, 1);
        // All of its pixels are transparent.
        check(&encode(rgba, ImageFormat::Gif), Format::Gif, ColorMode::PaletteAlpha, 8, 1);
    }

    #[test]
    fn frames_of_animations_are_counted() {
        let mut gif = Vec::new();
        let frames = (0..3).map(|shade| Frame::new(RgbaImage::from_pixel(3, 2, Rgba([shade, 0, 0, 255]))));
        GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
        check(&gif, Format::Gif, ColorMode::Palette, 8, 3);
        // An animated PNG is a still one with a chunk that says how many frames there are.
        let mut png = encode(RgbImage::new(3, 2), ImageFormat::Png);
        png.splice(33..33, *b"\0\0\0\x08acTL\0\0\0\x05\0\0\0\0\x4a\x3d\xb2\xd9");
        assert_eq!(super::frames(&png, Format::Png), 5);
        // Two empty frames behind the header of an extended WebP.
        let webp = b"RIFF\x38\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x02\0\0\x01\0\0ANMF\0\0\0\0ANMF\0\0\0\0";
        assert_eq!(super::frames(webp, Format::WebP), 2);
    }

    #[test]
    fn a_palette_is_told_from_what_it_becomes() {
        let mut header = vec![0, 0, 0, 3, 0, 0, 0, 2, 4, 3, 0, 0, 0];
        let chunk =
            |kind: &[u8; 4], data: &[u8]| [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat();
        let png = |header: &[u8], transparency: bool| {
            let transparency = if transparency { chunk(b"tRNS", &[0]) } else { Vec::new() };
            [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", header), &transparency, &chunk(b"IDAT", &[])].concat()
        };
        assert_eq!(png_color(&png(&header, false)), (ColorMode::Palette, 8));
        assert_eq!(png_color(&png(&header, true)), (ColorMode::PaletteAlpha, 8));
        header[8..10].copy_from_slice(&[1, 0]);
        assert_eq!(png_color(&png(&header, false)), (ColorMode::Gray, 1));
        assert_eq!(png_color(&png(&header, true)), (ColorMode::GrayAlpha, 1));
    }
}
