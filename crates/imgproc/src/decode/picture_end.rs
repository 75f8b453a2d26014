//! [`picture_end`]: where a file has said all that it has to say.

use crate::Format;
use crate::jpeg::end_of_image;

/// The place in `bytes` behind the picture, where its format marks one; what follows are bytes that someone appended, such
/// as a second picture, a telephone's video or garbage.
///
/// `None` for a format without such a mark and for a file that ends before it.
///
/// ```
/// use aumenta_imgproc::{Format, Image, encode_png, picture_end};
///
/// let mut bytes = encode_png(&Image::filled(4, 3, [9; 3]))?;
/// let end = bytes.len();
/// bytes.extend(b"appended");
/// assert_eq!(picture_end(&bytes, Format::Png), Some(end));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn picture_end(bytes: &[u8], format: Format) -> Option<usize> {
    match format {
        Format::Jpeg => end_of_image(bytes),
        Format::Png => png_chunks(bytes).find(|chunk| chunk.kind == *b"IEND").map(|chunk| chunk.end),
        Format::Gif => gif_blocks(bytes).find(|block| block.kind == GIF_TRAILER).map(|block| block.end),
        Format::WebP => riff_end(bytes).filter(|&end| end <= bytes.len()),
        Format::Bmp | Format::Tiff | Format::Pnm => None,
    }
}

/// A chunk of a PNG.
pub struct PngChunk<'a> {
    pub kind: [u8; 4],
    pub data: &'a [u8],
    checksum: u32,
    /// Where the next one begins.
    pub end: usize,
}

impl PngChunk<'_> {
    /// Whether its checksum fits: CRC-32 of its kind and data.
    pub fn is_sound(&self) -> bool {
        let bytes = self.kind.iter().chain(self.data);
        let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        let crc = bytes.fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step));
        !crc == self.checksum
    }
}

/// The chunks of a PNG that are whole.
pub fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = PngChunk<'_>> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let (length, rest) = bytes.get(at..)?.split_first_chunk()?;
        let (&kind, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let data = rest.get(..length)?;
        let checksum = u32::from_be_bytes(*rest.get(length..)?.first_chunk()?);
        at += 12 + length;
        Some(PngChunk { kind, data, checksum, end: at })
    })
}

pub const GIF_FRAME: u8 = b',';
pub const GIF_EXTENSION: u8 = b'!';
const GIF_TRAILER: u8 = b';';

/// Whether a block may begin with this byte.
pub fn is_gif_block(kind: u8) -> bool {
    matches!(kind, GIF_FRAME | GIF_EXTENSION | GIF_TRAILER)
}

/// A block of a GIF, with all of its data.
pub struct GifBlock<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
    /// Where the next one begins.
    pub end: usize,
}

/// The blocks of a GIF that are whole.
pub fn gif_blocks(bytes: &[u8]) -> impl Iterator<Item = GifBlock<'_>> {
    let table = |packed: u8| if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) };
    let mut at = 13 + bytes.get(10).map_or(0, |&packed| table(packed));
    std::iter::from_fn(move || {
        let kind = *bytes.get(at)?;
        // What stands before the data: a frame's place, colors and code size, or an extension's label.
        let end = match kind {
            GIF_FRAME => gif_data_end(bytes, at + 11 + table(*bytes.get(at + 9)?))?,
            GIF_EXTENSION => gif_data_end(bytes, at + 2)?,
            GIF_TRAILER => at + 1,
            _ => return None,
        };
        let block = GifBlock { kind, bytes: bytes.get(at..end)?, end };
        at = end;
        Some(block)
    })
}

/// Where the data that begins at `at` ends: runs of up to 255 bytes, each behind its length, and a length of 0.
fn gif_data_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// The chunks of a WebP that are whole: their names and data.
pub fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&kind, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = after.get(..length)?;
        // Chunks begin at even places.
        rest = after.get(length + length % 2..).unwrap_or_default();
        Some((kind, data))
    })
}

/// Where a WebP says that it ends.
fn riff_end(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?) as usize;
    length.checked_add(8)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, RgbImage};

    use super::*;

    #[test]
    fn every_format_with_an_end_finds_it_before_what_was_appended() {
        for (format, codec) in [
            (Format::Jpeg, ImageFormat::Jpeg),
            (Format::Png, ImageFormat::Png),
            (Format::Gif, ImageFormat::Gif),
            (Format::WebP, ImageFormat::WebP),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, 7])).write_to(&mut bytes, codec).unwrap();
            let mut bytes = bytes.into_inner();
            let end = bytes.len();
            assert_eq!(picture_end(&bytes, format), Some(end), "{format}");
            bytes.extend(b"\xff\xd9appended");
            assert_eq!(picture_end(&bytes, format), Some(end), "{format}");
            for length in 0..end {
                assert_eq!(picture_end(&bytes[..length], format), None, "{format} cut to {length}");
            }
        }
    }
}
