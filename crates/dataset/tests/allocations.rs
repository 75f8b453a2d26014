//! Reading allocates nothing once a thread's buffer has seen every entry, however a data set is packed.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use aumenta_counting::{Counting, on_this_thread};
use aumenta_dataset::{OpenOptions, ReadBuffer, Source, SourceKind, open, write_zip, zip_bytes};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Entries of many sizes, one of them larger than any buffer that a reader would choose by itself.
fn entries() -> Vec<(String, Vec<u8>)> {
    let noise = |length: usize, seed: u32| {
        let step = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        };
        std::iter::repeat_n((), length).scan(seed, |state, ()| step(state)).collect::<Vec<u8>>()
    };
    [10, 90_000, 0, 700_000, 3_000]
        .iter()
        .zip(0..)
        .map(|(&length, n)| (format!("cat.{n}.png"), noise(length, n)))
        .collect()
}

fn zip(method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries() {
        archive.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tar(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn read_all(source: &dyn Source, buffer: &mut ReadBuffer) -> usize {
    let read = |index| {
        source.read(index, buffer).unwrap();
        buffer.bytes().len()
    };
    (0..source.entries().len()).map(read).sum()
}

#[track_caller]
fn check(path: &Path, kind: SourceKind) {
    let source = open(path, &OpenOptions::default()).unwrap();
    assert_eq!(source.kind(), kind);
    let mut buffer = ReadBuffer::default();
    let first = read_all(source.as_ref(), &mut buffer);
    let before = on_this_thread();
    let second = read_all(source.as_ref(), &mut buffer);
    assert_eq!(on_this_thread() - before, 0, "allocations of the second pass over {}", path.display());
    assert_eq!((first, second), (793_010, 793_010));
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    fs_err::write(folder.join(name), bytes).unwrap();
    folder.join(name)
}

#[test]
fn a_second_pass_over_a_zip_archive_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        check(&write(folder.path(), "data.zip", &zip(method)), SourceKind::Zip);
    }
}

#[test]
fn a_second_pass_over_a_zip_archive_within_another_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outer.zip");
    write_zip(&path, [("train.zip".to_owned(), zip(CompressionMethod::Deflated))]).unwrap();
    check(&path, SourceKind::Zip);
    write_zip(&path, [("train.zip".to_owned(), zip_bytes(entries()).unwrap())]).unwrap();
    check(&path, SourceKind::Zip);
}

#[test]
fn a_second_pass_over_a_folder_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in entries() {
        write(folder.path(), &name, &bytes);
    }
    check(folder.path(), SourceKind::Folder);
}

#[test]
fn a_second_pass_over_a_tar_archive_or_its_shards_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    check(&write(folder.path(), "data.tar", &tar(&entries())), SourceKind::Tar);
    // Not all of so many shards are kept open.
    let shards = tempfile::tempdir().unwrap();
    for number in 0..200 {
        write(shards.path(), &format!("{number}.tar"), &tar(&[(format!("empty.{number}.png"), Vec::new())]));
    }
    write(shards.path(), "images.tar", &tar(&entries()));
    check(shards.path(), SourceKind::Tar);
}
