//! Files that are cut, changed, or ask for too much: what is said of them, for every format.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::io::Cursor;

use aumenta_imgproc::{Damage, DecodeError, Image, Limits, decode, encode_png, probe};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, RgbImage, Rgba, RgbaImage};

fn photograph() -> RgbImage {
    RgbImage::from_fn(37, 29, |x, y| image::Rgb([(x * 7) as u8, (y * 8 + x) as u8, (x * y) as u8]))
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(photograph()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn damage(bytes: &[u8]) -> Damage {
    match decode(bytes, &Limits::default()) {
        Err(DecodeError::Damaged { damage, .. }) => damage,
        other => panic!("{other:?}"),
    }
}

/// Where the chunks of a PNG begin.
fn chunks(png: &[u8]) -> Vec<usize> {
    let mut starts = vec![8];
    while let Some(length) = png.get(starts[starts.len() - 1]..).and_then(|rest| rest.first_chunk::<4>()) {
        starts.push(starts[starts.len() - 1] + 12 + u32::from_be_bytes(*length) as usize);
    }
    starts.pop();
    starts
}

#[test]
fn a_png_cut_at_a_chunk_or_within_one_is_truncated_there() {
    let png = encoded(ImageFormat::Png);
    let starts = chunks(&png);
    let end = starts[starts.len() - 1];
    let at_chunks = starts.iter().flat_map(|&start| [start, start + 4, start + 8, start + 9]);
    for length in at_chunks.filter(|&length| length < end - 4) {
        assert_eq!(damage(&png[..length]), Damage::Truncated { at: length as u64, rows: None });
    }
}

#[test]
fn a_changed_byte_of_a_png_is_found_in_its_chunk() {
    let png = encoded(ImageFormat::Png);
    let starts = chunks(&png);
    let pixels = starts.iter().find(|&&start| &png[start + 4..start + 8] == b"IDAT").unwrap();
    for at in [8, *pixels] {
        let mut changed = png.clone();
        changed[at + 10] ^= 0x40;
        assert_eq!(damage(&changed), Damage::Corrupt { at: Some(at as u64) });
    }
}

#[test]
fn a_jpeg_cut_at_each_marker_says_so() {
    let jpeg = encoded(ImageFormat::Jpeg);
    let markers: Vec<usize> =
        (2..jpeg.len() - 1).filter(|&at| jpeg[at] == 0xff && !matches!(jpeg[at + 1], 0 | 0xff)).collect();
    let scan = *markers.iter().find(|&&at| jpeg[at + 1] == 0xda).unwrap();
    for &at in &markers {
        for length in [at, at + 1, at + 2, at + 3] {
            match damage(&jpeg[..length.min(jpeg.len() - 1).max(3)]) {
                Damage::Truncated { rows, .. } => assert_eq!(rows.is_some(), length > scan + 13, "{length}"),
                Damage::NoEnd { .. } => assert!(length >= jpeg.len() - 2, "{length}"),
                other => panic!("cut to {length}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_format_that_is_cut_in_half_is_truncated() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
        ImageFormat::Pnm,
    ] {
        let bytes = encoded(format);
        let half = bytes.len() / 2;
        let found = damage(&bytes[..half]);
        assert!(matches!(found, Damage::Truncated { .. }), "{format:?}: {found:?}");
    }
}

/// The CRC-32 that PNG chunks end with.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[test]
fn headers_that_ask_for_too_many_pixels_are_refused_before_memory_is_taken() {
    const SIDE: u16 = 60_000;
    let mut jpeg = encoded(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == b"\xff\xc0").unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[SIDE.to_be_bytes(), SIDE.to_be_bytes()].concat());
    let mut png = encoded(ImageFormat::Png);
    png[16..24].copy_from_slice(&[u32::from(SIDE).to_be_bytes(), u32::from(SIDE).to_be_bytes()].concat());
    let checksum = crc(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&checksum);
    let mut gif = encoded(ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[SIDE.to_le_bytes(), SIDE.to_le_bytes()].concat());
    let mut bmp = encoded(ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[u32::from(SIDE).to_le_bytes(), u32::from(SIDE).to_le_bytes()].concat());
    let pnm = format!("P6 {SIDE} {SIDE} 255\n").into_bytes();
    for bytes in [jpeg, png, gif, bmp, pnm] {
        for error in [decode(&bytes, &Limits::default()).unwrap_err(), probe(&bytes, &Limits::default()).unwrap_err()] {
            assert!(matches!(error, DecodeError::TooLarge { width: 60_000, height: 60_000, .. }), "{error:?}");
        }
    }
}

#[test]
fn of_an_animation_the_first_frame_is_decoded_and_one_pixel_is_an_image() {
    let mut gif = Vec::new();
    let frames = [10, 200].map(|shade| Frame::new(RgbaImage::from_pixel(3, 2, Rgba([shade, 0, 0, 255]))));
    GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
    assert_eq!(decode(&gif, &Limits::default()).unwrap(), Image::filled(3, 2, [10, 0, 0]));
    let thin = Image::filled(1, 500, [9, 8, 7]);
    assert_eq!(decode(&encode_png(&thin).unwrap(), &Limits::default()).unwrap(), thin);
}
