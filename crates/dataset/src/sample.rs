//! Small images, archives and folders that tests make up.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use aumenta_imgproc::{ColorMode, Format, Image, encode_png};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::scan::Facts;

/// A PNG of 4x3 pixels whose content is that of no other `number`.
pub(crate) fn png(number: usize) -> Vec<u8> {
    let mut image = Image::filled(4, 3, [200, 100, 50]);
    image.set(0, 0, [number as u8, (number >> 8) as u8, 7]);
    encode_png(&image).unwrap()
}

/// A picture of many gray rectangles, other ones for each `seed`, the same ones at each size.
pub(crate) fn scene(seed: u32, width: usize, height: usize) -> Image {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(7);
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as usize * below) >> 16
    };
    let mut image = Image::filled(width, height, [128; 3]);
    for _ in 0..60 {
        let [left, top, right, down] = [random(1000), random(1000), 20 + random(300), 20 + random(300)];
        let gray = random(256) as u8;
        for y in top * height / 1000..((top + down) * height / 1000).min(height) {
            for x in left * width / 1000..((left + right) * width / 1000).min(width) {
                image.set(x, y, [gray; 3]);
            }
        }
    }
    image
}

/// The bytes of a zip archive.
pub(crate) fn zip(method: CompressionMethod, entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The bytes of a tar archive.
pub(crate) fn tar<N: AsRef<str>>(entries: &[(N, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name.as_ref(), bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Images `train/cat.0.png`, `train/dog.0.png` and so on, `per_class` of each, no two alike.
pub(crate) fn cats_and_dogs(per_class: usize) -> Vec<(String, Vec<u8>)> {
    (0..per_class)
        .flat_map(|n| [(format!("train/cat.{n}.png"), png(2 * n)), (format!("train/dog.{n}.png"), png(2 * n + 1))])
        .collect()
}

/// Writes files below `folder`, in folders as needed.
pub(crate) fn write_files<N: AsRef<str>>(folder: &Path, files: &[(N, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = folder.join(name.as_ref());
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
}

/// Writes one file and says where.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs_err::write(&path, bytes).unwrap();
    path
}

/// An IDX file: its dimensions and its bytes.
pub(crate) fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// IDX files of `count` training and as many test images of 3x2 pixels, no two alike, labels 0 and 1 in turn.
pub(crate) fn write_idx_folder(folder: &Path, count: u32) {
    for (part, offset) in [("train", 0), ("t10k", 100)] {
        let pixels: Vec<u8> = (0..count).flat_map(|n| [offset + n as u8, 1, 2, 3, 4, 5]).collect();
        let labels: Vec<u8> = (0..count).map(|n| (n % 2) as u8).collect();
        write(folder, &format!("{part}-images-idx3-ubyte"), &idx(&[count, 2, 3], &pixels));
        write(folder, &format!("{part}-labels-idx1-ubyte"), &idx(&[count], &labels));
    }
}

/// What a scan without pixels tells of an image of 4x3 pixels.
pub(crate) fn facts() -> Facts {
    Facts {
        width: 4,
        height: 3,
        hash: String::new(),
        format: Format::Png,
        color: ColorMode::Rgb,
        bits: 8,
        orientation: 1,
        frames: 1,
        pixels: None,
    }
}

/// Where `pattern` begins in `bytes`.
pub(crate) fn positions(bytes: &[u8], pattern: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|&at| bytes[at..].starts_with(pattern)).collect()
}
