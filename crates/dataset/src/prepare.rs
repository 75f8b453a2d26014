//! [`prepare`]: from a source to a manifest.

use std::collections::HashSet;
use std::path::Path;

use aumenta_imgproc::Limits;
use aumenta_seed::Seed;

use crate::amounts::Amounts;
use crate::duplicates::{Content, contradictions_and_leaks};
use crate::error::DatasetError;
use crate::finding::Finding;
use crate::labels::{LabelRule, Labels};
use crate::manifest::{MANIFEST_FORMAT, Manifest, SourceReference};
use crate::natural::natural_key;
use crate::record::Record;
use crate::scan::{Depth, Facts, Progress, scan};
use crate::source::{OpenOptions, Source, open};
use crate::split::{Candidate, Order, Split, assign};

/// How a data set is prepared.
#[derive(Clone, Debug)]
pub struct PrepareConfig {
    /// How many images each split gets.
    pub amounts: Amounts,
    /// In which order images are dealt to the splits.
    pub order: Order,
    /// What the shuffling follows from.
    pub seed: Seed,
    /// How the class of an image follows from its path.
    pub labels: LabelRule,
    /// What to do about faulty images.
    pub on_faulty: OnFaulty,
    /// How to open the source.
    pub open: OpenOptions,
    /// What an image may ask of this machine.
    pub limits: Limits,
}

impl PrepareConfig {
    /// Shuffled by seed 0, labels found automatically, faulty images an error, and usual limits.
    pub fn new(amounts: Amounts) -> Self {
        Self {
            amounts,
            order: Order::default(),
            seed: Seed::new(0),
            labels: LabelRule::default(),
            on_faulty: OnFaulty::default(),
            open: OpenOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// What to do about images that cannot be decoded or whose labels contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFaulty {
    /// Stop with an error that lists them.
    #[default]
    Fail,
    /// Leave them out and record them in the manifest.
    Skip,
}

/// Opens the source at `path`, scans all of its images and divides them into splits.
///
/// Byte-identical copies go to the same split, so that none is trained on and tested with. Copies under different
/// classes are faulty, for one of the labels is wrong; copies of images in a test set that the source brings along are
/// left out.
///
/// # Errors
/// What is wrong with the source or the amounts, before any image is decoded where possible; [`DatasetError::Faulty`]
/// with every faulty image where these are not skipped.
pub fn prepare(path: &Path, config: &PrepareConfig, progress: Progress<'_>) -> Result<Manifest, DatasetError> {
    config.amounts.check()?;
    let source = open(path, &config.open)?;
    let source = source.as_ref();
    let entries = source.entries();
    let has_test_set = (0..entries.len()).any(|index| source.is_test(index));
    if has_test_set == config.amounts.names_test() {
        return Err(DatasetError::AmountsMisfit { path: path.to_owned(), has_test_set });
    }
    let labels = Labels::of(source, &config.labels)?;
    let all: Vec<usize> = (0..entries.len()).collect();
    // What fails with all images fails without the faulty ones too, and says so before the scan.
    assign_entries(source, &labels, &all, config, |index| &entries[index].path)?;

    let scanned = scan(source, &config.limits, Depth::Full, progress);
    let left_out = left_out(source, &labels, &scanned);
    let faults: Vec<Finding> = left_out.iter().filter(|finding| finding.is_fault()).cloned().collect();
    if config.on_faulty == OnFaulty::Fail && !faults.is_empty() {
        return Err(DatasetError::Faulty { scanned: entries.len(), findings: faults });
    }

    let unusable: HashSet<&str> = left_out.iter().map(|finding| finding.path.as_str()).collect();
    let usable: Vec<usize> =
        all.into_iter().filter(|&index| !unusable.contains(entries[index].path.as_str())).collect();
    let content = |index: usize| scanned[index].as_ref().map_or("", |facts| facts.hash.as_str());
    let assigned = assign_entries(source, &labels, &usable, config, content)?;
    let mut next_id = 0..;
    let [train, val, test] = Split::ALL.map(|split| {
        let indices = usable.iter().zip(&assigned).filter(|(_, to)| **to == Some(split)).map(|(&index, _)| index);
        records(source, &labels, &scanned, indices.collect(), &mut next_id)
    });
    Ok(Manifest {
        format: MANIFEST_FORMAT,
        source: SourceReference {
            kind: source.kind(),
            path: fs_err::canonicalize(path)?,
            inner: source.inner().map(str::to_owned),
        },
        label_rule: labels.rule,
        classes: labels.classes,
        seed: config.seed.value(),
        order: config.order,
        amounts: config.amounts.clone(),
        other_files: source.ignored(),
        unused: usable.len() - train.len() - val.len() - test.len(),
        train,
        val,
        test,
        left_out,
    })
}

fn assign_entries<'a>(
    source: &'a dyn Source,
    labels: &Labels,
    indices: &[usize],
    config: &PrepareConfig,
    group: impl Fn(usize) -> &'a str,
) -> Result<Vec<Option<Split>>, DatasetError> {
    let candidates: Vec<Candidate<'_>> = indices
        .iter()
        .map(|&index| Candidate {
            path: &source.entries()[index].path,
            class: labels.class_of[index],
            is_test: source.is_test(index),
            group: group(index),
        })
        .collect();
    assign(&labels.classes, &candidates, &config.amounts, config.order, config.seed)
}

/// Images that cannot or must not be used, in natural order of their paths.
fn left_out(source: &dyn Source, labels: &Labels, scanned: &[Result<Facts, Finding>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = scanned.iter().filter_map(|result| result.as_ref().err().cloned()).collect();
    let mut contents: Vec<Content<'_>> = scanned
        .iter()
        .enumerate()
        .filter_map(|(index, result)| {
            Some(Content {
                path: &source.entries()[index].path,
                hash: &result.as_ref().ok()?.hash,
                class: labels.class_of[index],
                is_test: source.is_test(index),
            })
        })
        .collect();
    contents.sort_by_cached_key(|content| natural_key(content.path));
    findings.extend(contradictions_and_leaks(&contents));
    findings.sort_by(|a, b| natural_key(&a.path).cmp(&natural_key(&b.path)));
    findings
}

/// The records of one split, by class and then by natural order of their paths.
fn records(
    source: &dyn Source,
    labels: &Labels,
    scanned: &[Result<Facts, Finding>],
    mut indices: Vec<usize>,
    next_id: &mut impl Iterator<Item = u32>,
) -> Vec<Record> {
    indices.sort_by_cached_key(|&index| (labels.class_of[index], natural_key(&source.entries()[index].path)));
    let sound = indices.into_iter().filter_map(|index| Some((index, scanned[index].as_ref().ok()?)));
    sound
        .zip(next_id)
        .map(|((index, facts), id)| {
            let entry = &source.entries()[index];
            Record {
                id,
                path: entry.path.clone(),
                class: labels.class_of[index],
                width: facts.width,
                height: facts.height,
                size: entry.size,
                crc32: entry.crc32,
                hash: facts.hash.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::finding::Cause;
    use crate::sample;

    fn counts(train: usize, val: usize, test: usize) -> PrepareConfig {
        PrepareConfig::new(Amounts::Counts { train, val, test: Some(test) })
    }

    fn folder(files: &[(String, Vec<u8>)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), files);
        folder
    }

    fn prepared(folder: &TempDir, config: &PrepareConfig) -> Result<Manifest, DatasetError> {
        prepare(folder.path(), config, &|_, _| {})
    }

    #[test]
    fn every_record_knows_its_image_and_ids_count_over_the_splits() {
        let folder = folder(&sample::cats_and_dogs(12));
        let manifest = prepared(&folder, &counts(8, 2, 1)).unwrap();
        assert_eq!(manifest.label_rule, LabelRule::FileName);
        assert_eq!([manifest.train.len(), manifest.val.len(), manifest.test.len(), manifest.unused], [16, 4, 2, 2]);
        for (id, record) in manifest.all_records().enumerate() {
            let bytes = fs_err::read(folder.path().join(&record.path)).unwrap();
            assert_eq!(record.id as usize, id);
            assert_eq!((record.width, record.height), (4, 3));
            assert_eq!(record.size, bytes.len() as u64);
            assert_eq!(record.hash, blake3::hash(&bytes).to_hex().as_str());
            assert!(record.path.contains(&manifest.classes[record.class as usize]));
        }
        assert_eq!(manifest.count(Split::Val, 0), 2);
    }

    #[test]
    fn preparing_twice_gives_the_same_manifest_and_another_seed_another() {
        let folder = folder(&sample::cats_and_dogs(20));
        let first = prepared(&folder, &counts(10, 5, 5)).unwrap();
        assert_eq!(first, prepared(&folder, &counts(10, 5, 5)).unwrap());
        let reseeded = PrepareConfig { seed: Seed::new(1), ..counts(10, 5, 5) };
        assert_ne!(first.hash(), prepared(&folder, &reseeded).unwrap().hash());
    }

    #[test]
    fn faulty_images_are_listed_or_left_out() {
        let mut files = sample::cats_and_dogs(6);
        files[0].1 = b"<html>not found</html>".to_vec();
        files[3].1.truncate(40);
        let folder = folder(&files);
        let error = prepared(&folder, &counts(2, 1, 1)).unwrap_err();
        assert!(matches!(&error, DatasetError::Faulty { scanned: 12, findings } if findings.len() == 2), "{error}");
        assert!(error.to_string().contains("\n  train/cat.0.png: not an image"), "{error}");
        let skip = PrepareConfig { on_faulty: OnFaulty::Skip, ..counts(2, 1, 1) };
        let manifest = prepared(&folder, &skip).unwrap();
        let left_out: Vec<&str> = manifest.left_out.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(left_out, ["train/cat.0.png", "train/dog.1.png"]);
        assert_eq!(manifest.unused, 12 - 2 - 8);
        assert!(manifest.all_records().all(|record| !left_out.contains(&record.path.as_str())));
        // Five sound cats do not fill six places.
        let skip = PrepareConfig { on_faulty: OnFaulty::Skip, ..counts(4, 1, 1) };
        let error = prepared(&folder, &skip).unwrap_err();
        assert!(matches!(error, DatasetError::TooFew { wanted: 6, available: 5, .. }), "{error}");
    }

    #[test]
    fn copies_stay_together_whatever_the_seed() {
        let mut files = sample::cats_and_dogs(10);
        files[4].1 = files[2].1.clone();
        let folder = folder(&files);
        for seed in 0..20 {
            let config = PrepareConfig { seed: Seed::new(seed), ..counts(4, 3, 3) };
            let manifest = prepared(&folder, &config).unwrap();
            let copies = manifest.copies();
            let [(copy, original)] = copies[..] else { panic!("{copies:?}") };
            assert_eq!((original.path.as_str(), copy.path.as_str()), ("train/cat.1.png", "train/cat.2.png"));
            let holders =
                Split::ALL.into_iter().filter(|split| manifest.records(*split).iter().any(|r| r.hash == copy.hash));
            assert_eq!(holders.count(), 1, "seed {seed}");
        }
    }

    #[test]
    fn copies_of_contradicting_classes_are_faulty() {
        let mut files = sample::cats_and_dogs(6);
        files[3].1 = files[2].1.clone();
        let folder = folder(&files);
        assert!(matches!(prepared(&folder, &counts(2, 1, 1)), Err(DatasetError::Faulty { .. })));
        let skip = PrepareConfig { on_faulty: OnFaulty::Skip, ..counts(2, 1, 1) };
        let left_out = prepared(&folder, &skip).unwrap().left_out;
        let conflict = |path: &str, of: &str| Finding { path: path.into(), cause: Cause::Conflict { of: of.into() } };
        let expected = [conflict("train/cat.1.png", "train/dog.1.png"), conflict("train/dog.1.png", "train/cat.1.png")];
        assert_eq!(left_out, expected);
    }

    #[test]
    fn a_source_with_a_test_set_takes_two_amounts_and_others_three() {
        let idx = tempfile::tempdir().unwrap();
        sample::write_idx_folder(idx.path(), 20);
        let two = PrepareConfig::new(Amounts::Counts { train: 6, val: 3, test: None });
        let manifest = prepared(&idx, &two).unwrap();
        assert_eq!(manifest.label_rule, LabelRule::Source);
        assert_eq!([manifest.train.len(), manifest.val.len(), manifest.test.len(), manifest.unused], [12, 6, 20, 2]);
        assert!(manifest.test.iter().all(|record| record.path.starts_with("t10k/")));
        let error = prepared(&idx, &counts(6, 2, 2)).unwrap_err().to_string();
        assert!(error.contains("brings its own test set: give two amounts (train, val)"), "{error}");
        let error = prepared(&folder(&sample::cats_and_dogs(9)), &two).unwrap_err().to_string();
        assert!(error.contains("no test set of its own: give three amounts"), "{error}");
    }

    #[test]
    fn an_image_of_the_test_set_is_not_trained_on() {
        let idx = tempfile::tempdir().unwrap();
        sample::write_idx_folder(idx.path(), 20);
        let mut pixels = fs_err::read(idx.path().join("train-images-idx3-ubyte")).unwrap();
        let test = fs_err::read(idx.path().join("t10k-images-idx3-ubyte")).unwrap();
        // Picture 4 of both parts has the label 0.
        pixels[16 + 24..16 + 30].copy_from_slice(&test[16 + 24..16 + 30]);
        sample::write(idx.path(), "train-images-idx3-ubyte", &pixels);
        let manifest = prepared(&idx, &PrepareConfig::new(Amounts::Counts { train: 6, val: 3, test: None })).unwrap();
        let cause = Cause::InTestSet { of: "t10k/00004.pgm".into() };
        assert_eq!(manifest.left_out, [Finding { path: "train/00004.pgm".into(), cause }]);
        assert_eq!(manifest.test.len(), 20);
    }

    #[test]
    fn progress_reaches_the_number_of_images() {
        let highest = std::sync::atomic::AtomicUsize::new(0);
        let folder = folder(&sample::cats_and_dogs(9));
        let progress = |done: usize, total: usize| {
            assert_eq!(total, 18);
            highest.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
        };
        prepare(folder.path(), &counts(2, 1, 1), &progress).unwrap();
        assert_eq!(highest.into_inner(), 18);
    }

    #[test]
    fn a_missing_source_is_named() {
        let error = prepare(Path::new("no/such.zip"), &counts(2, 1, 1), &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains("`no/such.zip`"), "{error}");
    }
}
