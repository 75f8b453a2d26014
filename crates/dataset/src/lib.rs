//! Data sets of images: where they come from, which class each image has, and how they are split without leaks.
//!
//! The way of a data set: [`open`] finds out how it is packed and gives a [`Source`]; [`prepare`] scans every image,
//! finds classes by a [`LabelRule`] and groups by a [`GroupRule`], leaves faulty images out as [`Finding`]s, divides the rest by
//! [`Amounts`] into the three [`Split`]s, groups, copies and near-duplicates together, and gives a [`Manifest`]; a [`Dataset`]
//! is a manifest with its source, from which any number of threads read, each with a [`ReadBuffer`]. Nothing is unpacked:
//! images are read from within a zip or tar archive, even from a zip archive within another. Those who want folders all
//! the same, or other programs' archives and tables, call [`export`]. [`open_images`] opens what is only to be looked at, such
//! as images to be predicted. [`scan`] and [`Inspection`] look
//! without dividing; [`near_duplicates`] says how images that look alike are found. [`verify`] reads everything again and gives a [`Certificate`].
//!
//! ```
//! use aumenta_dataset::{Amounts, Dataset, PrepareConfig, ReadBuffer, Split, prepare, write_zip};
//! use aumenta_imgproc::{Image, encode_png};
//!
//! let folder = tempfile::tempdir()?;
//! let zip = folder.path().join("animals.zip");
//! let pictures = (0..10).map(|n| {
//!     let class = if n % 2 == 0 { "cat" } else { "dog" };
//!     let image = Image::filled(8, 8, [n * 20, 0, 0]);
//!     (format!("train/{class}.{n}.png"), encode_png(&image).expect("a PNG of 8x8 pixels"))
//! });
//! write_zip(&zip, pictures)?;
//!
//! // Of each class three images for training, one for validation and one for the test.
//! let config = PrepareConfig::new(Amounts::Counts { train: 3, val: 1, test: Some(1) });
//! let manifest = prepare(&zip, &config, &|_done, _total| {})?;
//! manifest.write(&folder.path().join("manifest.json"))?;
//!
//! let dataset = Dataset::open(folder.path(), None)?;
//! assert_eq!(dataset.manifest().classes, ["cat", "dog"]);
//! assert_eq!(dataset.records(Split::Train).len(), 6);
//! let mut buffer = ReadBuffer::default();
//! dataset.read(&dataset.records(Split::Test)[0], &mut buffer)?;
//! assert!(buffer.bytes().starts_with(b"\x89PNG"));
//! # Ok::<(), aumenta_dataset::DatasetError>(())
//! ```

mod altered;
mod amounts;
mod archive;
mod atomic;
mod dataset;
mod duplicates;
mod error;
mod export;
mod finding;
mod flatness;
mod groups;
mod hamming;
mod inspection;
mod labels;
mod manifest;
mod natural;
mod near_duplicates;
mod oddities;
mod pattern;
mod portable_names;
mod positional;
mod prepare;
mod quarantine;
mod record;
mod record_lines;
#[cfg(test)]
mod sample;
mod scan;
mod source;
mod split;
mod table;
mod verify;

pub use crate::altered::FlippedLabel;
pub use crate::amounts::Amounts;
pub use crate::archive::{write_zip, zip_bytes};
pub use crate::atomic::{check_vacant, write_file, write_folder};
pub use crate::dataset::Dataset;
pub use crate::error::{DatasetError, EntryFault, ExportFault};
pub use crate::export::{Existing, Format, Link, ShardSize, check_class_folders, check_output, export, export_folder};
pub use crate::finding::{Cause, Finding, Kind, Severity};
pub use crate::flatness::{Flatness, FlatnessScratch};
pub use crate::groups::GroupRule;
pub use crate::hamming::HammingIndex;
pub use crate::inspection::{Bin, COLOR_POLICY, ClassCount, INSPECTION_FORMAT, Inspection, Sizes, Tally};
pub use crate::labels::{LabelRule, Labels};
pub use crate::manifest::{Grouping, MANIFEST_FILE, MANIFEST_FORMAT, Manifest, SourceReference};
pub use crate::near_duplicates::{
    Gallery, NEAR_CORRELATION, NEAR_SIDE, NearDuplicates, NearPair, Portrait, near_duplicates,
};
pub use crate::prepare::{OnFaulty, PrepareConfig, Survey, prepare};
pub use crate::quarantine::{Policy, QUARANTINE_FILE, QUARANTINE_FORMAT, Quarantine, Quarantined, UnknownKind};
pub use crate::record::Record;
pub use crate::scan::{Depth, Facts, PixelFacts, Progress, Scanned, scan};
pub use crate::source::{
    Entry, OpenOptions, PassedOver, ReadBuffer, Source, SourceKind, SourceLimits, open, open_images,
};
pub use crate::split::{Candidate, Fold, Holdout, Order, Split, assign};
pub use crate::table::{ColumnRule, TableFault};
pub use crate::verify::{Breach, Certificate, CertifiedManifest, Placed, Violation, verify};
