//! [`DatasetError`]: what stops a data set from being prepared, read or written.

mod entry;
mod export;

use std::io;
use std::path::PathBuf;

pub use self::entry::EntryFault;
pub use self::export::ExportFault;
use crate::finding::Finding;
use crate::table::TableFault;

/// What stopped the work on a data set.
///
/// Messages say what is wrong, where, and what to do about it. A fault of a single file is an [`EntryFault`], which a
/// scan collects instead of stopping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The operating system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A training split of so many images cannot be made of the one that there is.
    #[error(
        "{wanted} training images cannot be had of {available} in {classes} classes: ask for at least one a class, and for no \
         more than there are"
    )]
    TrainImages {
        /// The images asked for.
        wanted: usize,
        /// The images that there are.
        available: usize,
        /// The classes that they are of.
        classes: usize,
    },

    /// A share of labels to flip that is none.
    #[error("a share of {share} of the labels cannot be flipped: give one from 0 to 1")]
    LabelNoise {
        /// The share.
        share: f64,
    },

    /// The source is not there.
    #[error(
        "there is no file or folder `{path}`: give a zip or tar archive, a folder of images or a folder of IDX files"
    )]
    SourceMissing {
        /// What was asked for.
        path: PathBuf,
    },

    /// The source is a file, but no archive of a known format.
    #[error("`{path}` is no zip or tar archive: give one, a folder of images or a folder of IDX files")]
    NotAnArchive {
        /// The file.
        path: PathBuf,
    },

    /// The archive's table of contents, which stands at its end, cannot be read.
    #[error("`{path}` is a damaged or incomplete zip archive: download or copy it again")]
    Archive {
        /// The archive; an inner one is written `outer.zip/inner.zip`.
        path: PathBuf,
        /// What the reader met.
        #[source]
        source: zip::result::ZipError,
    },

    /// The source is a tar archive that was compressed as a whole.
    #[error("`{path}` is a compressed tar archive, within which nothing can be read in place: decompress it first")]
    CompressedTar {
        /// The archive.
        path: PathBuf,
    },

    /// The headers of a tar archive, which stand between its files, cannot be read to the end.
    #[error("`{path}` is a damaged or incomplete tar archive: download or copy it again")]
    TarArchive {
        /// The archive.
        path: PathBuf,
        /// What the reader met.
        #[source]
        source: io::Error,
    },

    /// A file that should hold the class of an image does not.
    #[error("the class file `{entry}` of `{path}` {reason}: it should hold the name of a class and nothing else")]
    ClassFile {
        /// The archive.
        path: PathBuf,
        /// The path within it.
        entry: String,
        /// What is wrong.
        reason: &'static str,
    },

    /// The source gives classes to some images and not to others.
    #[error("`{path}` gives a class to other images, but not to `{entry}`: add its class, or choose a label rule")]
    ClassMissing {
        /// The source.
        path: PathBuf,
        /// The path of the image within it.
        entry: String,
    },

    /// A limit that protects against hostile archives is exceeded.
    #[error("`{path}` holds {found} {what}, more than the limit of {limit}: divide it")]
    TooMuch {
        /// The source.
        path: PathBuf,
        /// What was counted: `entries` or `bytes`.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many are allowed.
        limit: u64,
    },

    /// An entry would be written outside the folder that it is unpacked into.
    #[error("`{path}` holds an entry with the unsafe path `{entry}`: do not trust this archive")]
    UnsafePath {
        /// The source.
        path: PathBuf,
        /// The path within it.
        entry: String,
    },

    /// Two entries have the same path, so that a path does not name one content.
    #[error("`{path}` holds two entries of the same path: pack it again")]
    RepeatedPath {
        /// The archive.
        path: PathBuf,
    },

    /// Entries share bytes, as in archives made to explode.
    #[error("`{path}` holds entries that overlap, such as `{entry}`: do not trust this archive")]
    Overlap {
        /// The archive.
        path: PathBuf,
        /// An entry whose bytes belong to another one too.
        entry: String,
    },

    /// A path cannot be written in a manifest.
    #[error("the path `{path}` is not valid UTF-8: rename it")]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },

    /// Nothing to learn from.
    #[error("`{path}` holds no images ({ignored} other files): JPEG, PNG, GIF, BMP, TIFF, WebP and PNM are known")]
    NoImages {
        /// The source.
        path: PathBuf,
        /// Files of other kinds within it.
        ignored: usize,
    },

    /// An archive within an archive holds further archives in place of images.
    #[error(
        "`{path}` holds no images, but `{inner}`: archives within an archive are read one level deep and no deeper, so \
         unpack the outermost one and give what was in it"
    )]
    TooDeep {
        /// The inner archive, written `outer.zip/inner.zip`.
        path: PathBuf,
        /// The archive within it.
        inner: String,
    },

    /// Several inner archives could be meant.
    #[error("`{path}` holds several archives ({}): name the one to use as the inner archive", candidates.join(", "))]
    AmbiguousInner {
        /// The outer archive.
        path: PathBuf,
        /// The archives within it.
        candidates: Vec<String>,
    },

    /// The inner archive that was named is not there.
    #[error("`{path}` holds no inner archive `{inner}`{}", one_of(candidates))]
    InnerMissing {
        /// The source.
        path: PathBuf,
        /// What was asked for.
        inner: String,
        /// The archives within it.
        candidates: Vec<String>,
    },

    /// An IDX file contradicts the format or its companion.
    #[error("`{path}` is not a sound IDX file: expected {expected}, got {got}")]
    Idx {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },

    /// One file of the source cannot be read.
    #[error("cannot read the image `{entry}` of `{path}`")]
    Entry {
        /// The source.
        path: PathBuf,
        /// The path within it.
        entry: String,
        /// What is wrong with it.
        #[source]
        fault: EntryFault,
    },

    /// Files are faulty and the caller did not choose to leave them out.
    #[error("{} of {scanned} images are faulty: repair them, or choose to skip faulty images{}", findings.len(), listed(findings))]
    Faulty {
        /// Images looked at.
        scanned: usize,
        /// Every faulty file; the message lists the first ten.
        findings: Vec<Finding>,
    },

    /// The class does not follow from the file's name.
    #[error(
        "no class follows from the file name `{entry}`: known forms are `cat.0.jpg`, `cat_001.png`, `cat-1.jpg` and \
         `cat (1).jpg`; or put each class in a folder of its own"
    )]
    UnknownLabel {
        /// The path within the source.
        entry: String,
    },

    /// The label rule needs what the source does not have.
    #[error("the label rule `{rule}` does not apply to `{path}`: {reason}")]
    LabelRule {
        /// The rule's name.
        rule: &'static str,
        /// The source.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },

    /// A regular expression cannot be read.
    #[error("`{pattern}` is no regular expression")]
    Pattern {
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },

    /// A regular expression does not say which of its groups is meant.
    #[error(
        "the regular expression `{pattern}` has {groups} groups, none of them named `{name}`: write what is to be found \
         as `(?P<{name}>...)`"
    )]
    PatternGroup {
        /// The expression.
        pattern: String,
        /// The name that the group should have.
        name: &'static str,
        /// How many groups it has.
        groups: usize,
    },

    /// A regular expression does not match every image.
    #[error(
        "the regular expression `{pattern}` finds nothing in the paths of {missing} of {images} images, such as \
         `{entry}`: correct it"
    )]
    PatternMisfit {
        /// The expression.
        pattern: String,
        /// The first image that it does not match.
        entry: String,
        /// How many it does not match.
        missing: usize,
        /// How many there are.
        images: usize,
    },

    /// There is no CSV file.
    #[error("there is no file `{path}`: give a CSV file with a header")]
    TableMissing {
        /// What was asked for.
        path: PathBuf,
    },

    /// A CSV file does not say of each image what it is asked for.
    #[error("the CSV file `{path}` does not fit the images")]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        fault: TableFault,
    },

    /// A name cannot name a group.
    #[error("{name:?} cannot be the name of a group: take its control characters out")]
    GroupName {
        /// The name.
        name: String,
    },

    /// A class name cannot name a folder.
    #[error("`{class}` cannot be the name of a class: it must also serve as the name of a folder")]
    ClassName {
        /// The name.
        class: String,
    },

    /// A classifier needs two classes.
    #[error(
        "all {images} images of `{path}` are of the class `{class}`: at least two classes are needed, each in a folder of its \
         own or with its name in that of its files"
    )]
    OneClass {
        /// The source.
        path: PathBuf,
        /// The only class.
        class: String,
        /// Its images.
        images: usize,
    },

    /// A class has too few images.
    #[error("class `{class}` has {available} usable images, {wanted} are wanted: ask for fewer")]
    TooFew {
        /// The class.
        class: String,
        /// The sum over the splits.
        wanted: usize,
        /// What there is.
        available: usize,
    },

    /// A part would hold nothing of a class.
    #[error("{part} would get no image of class `{class}` (it has {available}): ask for more")]
    EmptySplit {
        /// The part, such as `the val split` or `fold 3`.
        part: String,
        /// The class.
        class: String,
        /// Images of that class.
        available: usize,
    },

    /// A part holds nothing of a class, whose images stand in groups that are not divided, or are assigned by hash.
    #[error(
        "{part} gets no image of class `{class}`, whose images stand in {groups} groups that stay whole: make groups \
         smaller, ask for other amounts, or try another seed"
    )]
    TooFewGroups {
        /// The part, such as `the val split` or `fold 3`.
        part: String,
        /// The class.
        class: String,
        /// Its groups; an image by itself is one.
        groups: usize,
    },

    /// Folds contradict themselves or the order.
    #[error("these folds are not possible: {reason}")]
    Fold {
        /// Why not.
        reason: &'static str,
    },

    /// Assignment by hash cannot count.
    #[error("assignment by hash knows shares and no counts: give ratios, and a holdout as a share")]
    CountsByHash,

    /// Ratios do not divide a whole.
    #[error(
        "the ratios {} must be above 0 and sum to 1, not to {sum}: correct them, or give counts to use a part of the \
         images",
        spelled(ratios)
    )]
    Ratios {
        /// The ratios as given.
        ratios: Vec<f64>,
        /// Their sum.
        sum: f64,
    },

    /// The number of amounts does not fit the source.
    #[error(
        "`{path}` {}: give {} amounts ({})",
        if *has_test_set { "has a test set already" } else { "brings no test set of its own" },
        if *has_test_set { "two" } else { "three" },
        if *has_test_set { "train, val" } else { "train, val, test" }
    )]
    AmountsMisfit {
        /// The source.
        path: PathBuf,
        /// Whether there is a test set already, the source's own or one by pattern.
        has_test_set: bool,
    },

    /// A test set is asked for by pattern where there is one.
    #[error("`{path}` brings its own test set: do not choose another by a pattern")]
    TwoTestSets {
        /// The source.
        path: PathBuf,
    },

    /// A test set that is there already lacks a class.
    #[error("the test set has no image of class `{class}`: it needs images of every class")]
    TestClass {
        /// The class.
        class: String,
    },

    /// The pattern of the test set divides nothing.
    #[error("the test pattern `{pattern}` is found in the paths of {found} of {images} images: it must divide them")]
    TestPattern {
        /// The pattern.
        pattern: String,
        /// In how many paths it is found: in all, or in none.
        found: usize,
        /// How many images there are.
        images: usize,
    },

    /// There is no manifest.
    #[error("there is no manifest `{path}`: make one with `aumenta split`")]
    ManifestMissing {
        /// Where it should be.
        path: PathBuf,
    },

    /// The manifest is not the JSON that it should be.
    #[error("`{path}` is not a manifest: make one with `aumenta split`")]
    ManifestSyntax {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },

    /// The manifest is of another version.
    #[error("`{path}` has the manifest format {found}, this program reads {supported}: prepare the data set again")]
    ManifestVersion {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },

    /// The manifest contradicts itself.
    #[error("the manifest `{path}` contradicts itself: {reason}; prepare the data set again")]
    ManifestContent {
        /// The manifest.
        path: PathBuf,
        /// How.
        reason: String,
    },

    /// The quarantine is not the JSON that it should be.
    #[error("`{path}` is not a quarantine: make one with `aumenta inspect`")]
    QuarantineSyntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },

    /// The quarantine is of another version.
    #[error("`{path}` has the quarantine format {found}, this program reads {supported}: inspect the data set again")]
    QuarantineVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },

    /// A quarantine names images that the source does not have.
    #[error(
        "{missing} of {entries} images in quarantine are not in `{path}`, such as `{entry}`: is it of this source?"
    )]
    QuarantineMisfit {
        /// The source.
        path: PathBuf,
        /// One of them.
        entry: String,
        /// How many are missing.
        missing: usize,
        /// How many there are in quarantine.
        entries: usize,
    },

    /// Manifests to be compared are not of the same folds.
    #[error("{expected} manifests cannot be compared with {found} earlier ones: give those of the same folds")]
    EarlierMisfit {
        /// How many earlier manifests there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },

    /// A manifest's files are not in its source.
    #[error(
        "{missing} of {records} images of the manifest are not in `{path}`, such as `{entry}`: is it the right source?"
    )]
    RecordMissing {
        /// The source.
        path: PathBuf,
        /// One of them.
        entry: String,
        /// How many are missing.
        missing: usize,
        /// How many records there are.
        records: usize,
    },

    /// A data set cannot be written.
    #[error(transparent)]
    Export(#[from] ExportFault),
}

impl DatasetError {
    /// Whether another call can mend it: what was asked for does not fit the data, which itself is sound.
    pub fn is_bad_use(&self) -> bool {
        match self {
            Self::Table { fault, .. } => fault.is_bad_use(),
            Self::Export(fault) => fault.is_bad_use(),
            Self::SourceMissing { .. }
            | Self::CompressedTar { .. }
            | Self::ClassMissing { .. }
            | Self::AmbiguousInner { .. }
            | Self::InnerMissing { .. }
            | Self::UnknownLabel { .. }
            | Self::LabelRule { .. }
            | Self::Pattern { .. }
            | Self::PatternGroup { .. }
            | Self::PatternMisfit { .. }
            | Self::TableMissing { .. }
            | Self::OneClass { .. }
            | Self::TooFew { .. }
            | Self::TooFewGroups { .. }
            | Self::Fold { .. }
            | Self::CountsByHash
            | Self::EmptySplit { .. }
            | Self::Ratios { .. }
            | Self::AmountsMisfit { .. }
            | Self::TwoTestSets { .. }
            | Self::TestPattern { .. }
            | Self::TestClass { .. }
            | Self::ManifestMissing { .. }
            | Self::ManifestSyntax { .. }
            | Self::QuarantineSyntax { .. }
            | Self::QuarantineVersion { .. }
            | Self::EarlierMisfit { .. }
            | Self::QuarantineMisfit { .. }
            | Self::RecordMissing { .. }
            | Self::TrainImages { .. }
            | Self::LabelNoise { .. } => true,
            _ => false,
        }
    }
}

fn one_of(candidates: &[String]) -> String {
    if candidates.is_empty() { String::new() } else { format!(": it holds {}", candidates.join(", ")) }
}

fn listed(findings: &[Finding]) -> String {
    let mut lines: Vec<String> = findings.iter().take(10).map(Finding::to_string).collect();
    if findings.len() > 10 {
        lines.push(format!("and {} more", findings.len() - 10));
    }
    format!("\n  {}", lines.join("\n  "))
}

fn spelled(ratios: &[f64]) -> String {
    ratios.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}
