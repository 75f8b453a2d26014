//! [`IdxSource`]: images and labels in the IDX format of the MNIST database.
//!
//! Format: <http://yann.lecun.com/exdb/mnist/>. A header of big-endian 32-bit numbers (magic,
//! then one number for each dimension) is followed by unsigned bytes. The pictures are handed out as PGM files, so that
//! they are decoded like any others.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::read_buffer::ReadBuffer;
use super::{Entry, PassedOver, Source, SourceKind, SourceLimits};
use crate::error::DatasetError;

/// Images in a folder of IDX files.
#[derive(Debug)]
pub(super) struct IdxSource {
    path: PathBuf,
    entries: Vec<Entry>,
    parts: Vec<Part>,
    passed_over: PassedOver,
}

/// The pictures of one images file, with the labels of its companion.
#[derive(Debug)]
struct Part {
    first: usize,
    is_test: bool,
    header: String,
    pixels: Vec<u8>,
    picture_bytes: usize,
    labels: Vec<u8>,
}

/// The decimal numbers of all labels that a byte can hold.
static NAMES: std::sync::LazyLock<Vec<String>> =
    std::sync::LazyLock::new(|| (0..=255u8).map(|n| n.to_string()).collect());

impl IdxSource {
    /// Opens the IDX files in the folder `path`, or says that there are none.
    ///
    /// The test files, `t10k-…`, may be absent; the training files may not.
    pub(super) fn open(path: &Path, limits: &SourceLimits) -> Result<Option<Self>, DatasetError> {
        let Some(images) = find(path, "train-images", "idx3") else { return Ok(None) };
        let passed_over = PassedOver::default();
        let mut source = Self { path: path.to_owned(), entries: Vec::new(), parts: Vec::new(), passed_over };
        // Paths are sorted, and `t10k` sorts before `train`.
        if let Some(images) = find(path, "t10k-images", "idx3") {
            source.add("t10k", true, &images, limits)?;
        }
        source.add("train", false, &images, limits)?;
        let known = 2 * source.parts.len();
        source.passed_over.others = fs_err::read_dir(path)?.count().saturating_sub(known);
        Ok(Some(source))
    }

    fn add(&mut self, name: &str, is_test: bool, images: &Path, limits: &SourceLimits) -> Result<(), DatasetError> {
        let Some(labels) = find(&self.path, &format!("{name}-labels"), "idx1") else {
            let path = self.path.join(format!("{name}-labels-idx1-ubyte"));
            return Err(idx_error(&path, "the labels of the images", "no such file"));
        };
        let (dimensions, pixels) = read_idx(images, 3, limits.max_unpacked_bytes)?;
        let [count, height, width] = dimensions[..] else { return Err(idx_error(images, "3 dimensions", "others")) };
        let (_, labels_read) = read_idx(&labels, 1, limits.max_unpacked_bytes)?;
        if labels_read.len() != count {
            return Err(idx_error(&labels, &format!("{count} labels"), &labels_read.len().to_string()));
        }
        if count == 0 || width == 0 || height == 0 {
            return Err(idx_error(images, "at least one pixel", &format!("{count} images of {width}x{height}")));
        }
        if count as u64 > limits.max_entries {
            let (found, limit) = (count as u64, limits.max_entries);
            return Err(DatasetError::TooMuch { path: images.to_owned(), what: "entries", found, limit });
        }
        let header = format!("P5\n{width} {height}\n255\n");
        let picture_bytes = width * height;
        let size = (header.len() + picture_bytes) as u64;
        let digits = (count - 1).to_string().len().max(5);
        let first = self.entries.len();
        self.entries.extend((0..count).map(|index| Entry {
            path: format!("{name}/{index:0digits$}.pgm"),
            size,
            crc32: None,
        }));
        self.parts.push(Part { first, is_test, header, pixels, picture_bytes, labels: labels_read });
        Ok(())
    }

    fn part(&self, index: usize) -> (&Part, usize) {
        let part = &self.parts[self.parts.partition_point(|part| part.first <= index) - 1];
        (part, index - part.first)
    }
}

impl Source for IdxSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Idx
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        let (part, index) = self.part(index);
        let bytes = buffer.cleared();
        bytes.extend_from_slice(part.header.as_bytes());
        bytes.extend_from_slice(&part.pixels[index * part.picture_bytes..][..part.picture_bytes]);
        Ok(())
    }

    fn label(&self, index: usize) -> Option<&str> {
        let (part, index) = self.part(index);
        Some(&NAMES[usize::from(part.labels[index])])
    }

    fn is_test(&self, index: usize) -> bool {
        self.part(index).0.is_test
    }
}

/// The file of this name in `folder`, in any of the spellings that are in use.
fn find(folder: &Path, name: &str, dimensions: &str) -> Option<PathBuf> {
    ["-", "."]
        .iter()
        .flat_map(|separator| ["", ".gz"].map(|end| folder.join(format!("{name}{separator}{dimensions}-ubyte{end}"))))
        .find(|path| path.is_file())
}

/// Reads an IDX file of unsigned bytes: the size of each dimension, and the data.
fn read_idx(path: &Path, dimensions: usize, max_bytes: u64) -> Result<(Vec<usize>, Vec<u8>), DatasetError> {
    let file = fs_err::File::open(path)?;
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        MultiGzDecoder::new(std::io::BufReader::new(file)).take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)
    } else {
        (&file).take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)
    }
    .map_err(|error| idx_error(path, "a whole file", &error.to_string()))?;
    if bytes.len() as u64 > max_bytes {
        let (found, limit) = (bytes.len() as u64, max_bytes);
        return Err(DatasetError::TooMuch { path: path.to_owned(), what: "bytes", found, limit });
    }

    let header_bytes = 4 + 4 * dimensions;
    if bytes.len() < header_bytes {
        return Err(idx_error(path, &format!("a header of {header_bytes} bytes"), &format!("{} bytes", bytes.len())));
    }
    let data = bytes.split_off(header_bytes);
    let numbers: Vec<u32> =
        bytes.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]])).collect();
    let magic = 0x0800 + dimensions as u32;
    if numbers[0] != magic {
        return Err(idx_error(path, &format!("the magic number {magic:#06x}"), &format!("{:#06x}", numbers[0])));
    }
    let sizes: Vec<usize> = numbers[1..].iter().map(|&number| number as usize).collect();
    let expected = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if expected != Some(data.len()) {
        let spelled = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        return Err(idx_error(path, &format!("{spelled} bytes of data"), &data.len().to_string()));
    }
    Ok((sizes, data))
}

fn idx_error(path: &Path, expected: &str, got: &str) -> DatasetError {
    DatasetError::Idx { path: path.to_owned(), expected: expected.to_owned(), got: got.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use aumenta_imgproc::{Limits, decode};

    use super::*;
    use crate::sample;

    fn open(folder: &Path) -> Result<Option<IdxSource>, DatasetError> {
        IdxSource::open(folder, &SourceLimits::default())
    }

    #[track_caller]
    fn check_refused(folder: &Path, file: &str, message: &str) {
        let error = open(folder).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(message), "{error}");
    }

    #[test]
    fn pictures_are_handed_out_as_images_with_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        sample::write_idx_folder(folder.path(), 4);
        let source = open(folder.path()).unwrap().unwrap();
        assert_eq!(source.entries().len(), 8);
        assert_eq!(source.entries()[1].path, "t10k/00001.pgm");
        assert_eq!(source.entries()[7].path, "train/00003.pgm");
        assert!(source.is_test(3) && !source.is_test(4));
        assert_eq!((source.label(6), source.label(7)), (Some("0"), Some("1")));
        let mut buffer = ReadBuffer::default();
        source.read(7, &mut buffer).unwrap();
        assert_eq!(buffer.bytes().len() as u64, source.entries()[7].size);
        let image = decode(buffer.bytes(), &Limits::default()).unwrap();
        assert_eq!((image.width(), image.height()), (3, 2));
        assert_eq!((image.get(0, 0), image.get(2, 1)), ([3; 3], [5; 3]));
    }

    #[test]
    fn compressed_files_are_read_too_and_the_test_files_may_be_absent() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("train-images-idx3-ubyte.gz", sample::idx(&[2, 1, 1], &[7, 9])),
            ("train-labels-idx1-ubyte.gz", sample::idx(&[2], &[0, 1])),
        ] {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            sample::write(folder.path(), name, &encoder.finish().unwrap());
        }
        let source = open(folder.path()).unwrap().unwrap();
        let mut buffer = ReadBuffer::default();
        source.read(1, &mut buffer).unwrap();
        assert_eq!(buffer.bytes(), b"P5\n1 1\n255\n\x09");
        assert!(!source.is_test(1));
    }

    #[test]
    fn other_folders_are_not_idx_folders() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), "a.png", &sample::png(1));
        assert!(open(folder.path()).unwrap().is_none());
    }

    #[test]
    fn files_that_contradict_the_format_or_each_other_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        sample::write(folder, "train-images-idx3-ubyte", &sample::idx(&[2, 1, 1], &[7, 9]));
        check_refused(folder, "train-labels-idx1-ubyte", "no such file");
        sample::write(folder, "train-labels-idx1-ubyte", &sample::idx(&[3], &[0, 1, 0]));
        check_refused(folder, "train-labels-idx1-ubyte", "expected 2 labels, got 3");
        sample::write(folder, "train-images-idx3-ubyte", &sample::idx(&[2], &[7, 9, 1, 1, 1, 1, 1, 1, 1, 1]));
        check_refused(folder, "train-images-idx3-ubyte", "0x0803, got 0x0801");
        sample::write(folder, "train-images-idx3-ubyte", &sample::idx(&[2, 1, 1], &[7]));
        check_refused(folder, "train-images-idx3-ubyte", "expected 2x1x1 bytes of data, got 1");
        sample::write(folder, "train-images-idx3-ubyte", &[0, 0, 8]);
        check_refused(folder, "train-images-idx3-ubyte", "a header of 16 bytes, got 3 bytes");
        sample::write(folder, "train-images-idx3-ubyte", &sample::idx(&[u32::MAX, u32::MAX, u32::MAX], &[]));
        check_refused(folder, "train-images-idx3-ubyte", "bytes of data, got 0");
    }

    #[test]
    fn unpacking_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        sample::write_idx_folder(folder.path(), 4);
        let limits = SourceLimits { max_unpacked_bytes: 20, ..SourceLimits::default() };
        let error = IdxSource::open(folder.path(), &limits).unwrap_err();
        assert!(matches!(error, DatasetError::TooMuch { what: "bytes", limit: 20, .. }), "{error}");
    }
}
