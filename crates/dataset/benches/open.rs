//! How long it takes to open a data set of 10,000 images in each packing, after which every image can be read.

use std::path::{Path, PathBuf};

use aumenta_dataset::{OpenOptions, open, write_zip, zip_bytes};
use criterion::{Criterion, criterion_group, criterion_main};

const IMAGES: usize = 10_000;

/// As long as a name and as short as a file can be: opening reads no image.
fn images() -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..IMAGES).map(|number| (format!("train/{}.{number}.jpg", ["cat", "dog"][number % 2]), vec![0xff; 100]))
}

fn opening(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("open 10,000 images");
    for (packing, path) in [
        ("zip", zip(folder.path())),
        ("zip within a zip", zip_within_zip(folder.path())),
        ("tar", tar(folder.path())),
        ("folder", files(folder.path())),
    ] {
        group.bench_function(packing, |bencher| {
            bencher.iter(|| {
                let source = open(&path, &OpenOptions::default()).expect("a data set");
                assert_eq!(source.entries().len(), IMAGES);
            });
        });
    }
    group.finish();
}

fn zip(folder: &Path) -> PathBuf {
    let path = folder.join("images.zip");
    write_zip(&path, images()).expect("an archive");
    path
}

fn zip_within_zip(folder: &Path) -> PathBuf {
    let path = folder.join("outer.zip");
    write_zip(&path, [("train.zip".to_owned(), zip_bytes(images()).expect("an archive"))]).expect("an archive");
    path
}

fn tar(folder: &Path) -> PathBuf {
    let path = folder.join("images.tar");
    let mut archive = tar::Builder::new(fs_err::File::create(&path).expect("a file"));
    for (name, bytes) in images() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes.as_slice()).expect("a file in an archive");
    }
    archive.finish().expect("an archive");
    path
}

fn files(folder: &Path) -> PathBuf {
    let path = folder.join("files");
    fs_err::create_dir_all(path.join("train")).expect("a folder");
    for (name, bytes) in images() {
        fs_err::write(path.join(name), bytes).expect("a file");
    }
    path
}

criterion_group!(benches, opening);
criterion_main!(benches);
