//! A table of labels that a stranger wrote.
//!
//! It is read for the classes of a few images, with the columns that follow from it; nothing may panic, and where it gives
//! classes, every image has one of them.

#![no_main]

use std::sync::LazyLock;

use aumenta_dataset::{ColumnRule, LabelRule, Labels, OpenOptions, Source, open, write_zip};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// A folder for tables, and images by whose paths they are read. No pixel of them is.
static IMAGES: LazyLock<(TempDir, Box<dyn Source>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let zip = folder.path().join("images.zip");
    let images = ["a/1.png", "a/2.png", "b/1.png", "b/3.0.jpg", "c d/4 (5).png"];
    write_zip(&zip, images.map(|path| (path.to_owned(), vec![0]))).expect("an archive");
    let source = open(&zip, &OpenOptions::default()).expect("an archive of images");
    (folder, source)
});

fuzz_target!(|table: &[u8]| {
    let (folder, source) = &*IMAGES;
    let file = folder.path().join("labels.csv");
    std::fs::write(&file, table).expect("a file");
    if let Ok(labels) = Labels::of(source.as_ref(), &LabelRule::Csv(ColumnRule::new(file))) {
        assert!(labels.classes.len() >= 2 && labels.class_of.len() == source.entries().len());
        assert!(labels.class_of.iter().all(|&class| (class as usize) < labels.classes.len()));
    }
});
