//! [`prepare`]: from a source to a manifest.

mod survey;

use std::path::Path;

use aumenta_imgproc::Limits;
use aumenta_seed::Seed;

pub use self::survey::Survey;
use crate::amounts::Amounts;
use crate::error::DatasetError;
use crate::groups::GroupRule;
use crate::labels::LabelRule;
use crate::manifest::Manifest;
use crate::quarantine::Quarantine;
use crate::scan::{Depth, Progress};
use crate::source::OpenOptions;
use crate::split::Order;

/// How a data set is prepared.
#[derive(Clone, Debug)]
pub struct PrepareConfig {
    /// How many images each split gets.
    pub amounts: Amounts,
    /// In which order images are dealt to the splits.
    pub order: Order,
    /// What the shuffling follows from.
    pub seed: Seed,
    /// Where the class of an image stands.
    pub labels: LabelRule,
    /// Where the group of an image stands, if images are declared of groups.
    pub groups: Option<GroupRule>,
    /// A regular expression: images in whose paths it is found are the test set.
    pub test_pattern: Option<String>,
    /// Images that are left out, whatever they are like.
    pub quarantine: Option<Quarantine>,
    /// What to do about faulty images.
    pub on_faulty: OnFaulty,
    /// How closely images are looked at.
    pub depth: Depth,
    /// How to open the source.
    pub open: OpenOptions,
    /// What an image may ask of this machine.
    pub limits: Limits,
}

impl PrepareConfig {
    /// Shuffled by seed 0, labels found automatically, no declared groups, no test set by pattern, faulty images an error,
    /// images compared, and usual limits.
    pub fn new(amounts: Amounts) -> Self {
        Self {
            amounts,
            order: Order::default(),
            seed: Seed::new(0),
            labels: LabelRule::default(),
            groups: None,
            test_pattern: None,
            quarantine: None,
            on_faulty: OnFaulty::default(),
            depth: Depth::default(),
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
/// Copies of the same bytes or pixels and near-duplicates go to the same split, as far as the depth of the look shows them,
/// so that none is trained on and tested with; so do images that are declared of one group. Copies of the same bytes under
/// different classes are faulty, for one of the labels is wrong; images that belong together with one of a test set that is
/// there already are left out.
///
/// # Errors
/// What is wrong with the source or the amounts, before any image is decoded where possible; [`DatasetError::Faulty`]
/// with every faulty image where these are not skipped.
pub fn prepare(path: &Path, config: &PrepareConfig, progress: Progress<'_>) -> Result<Manifest, DatasetError> {
    Survey::new(path, config, progress)?.divide(&config.amounts)
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::encode_png;
    use tempfile::TempDir;

    use super::*;
    use crate::finding::{Cause, Finding, Kind};
    use crate::near_duplicates::NEAR_CORRELATION;
    use crate::quarantine::{QUARANTINE_FORMAT, Quarantined};
    use crate::sample;
    use crate::split::Split;

    pub(super) fn counts(train: usize, val: usize, test: usize) -> PrepareConfig {
        PrepareConfig::new(Amounts::Counts { train, val, test: Some(test) })
    }

    pub(super) fn folder(files: &[(String, Vec<u8>)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), files);
        folder
    }

    pub(super) fn prepared(folder: &TempDir, config: &PrepareConfig) -> Result<Manifest, DatasetError> {
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
    fn images_in_quarantine_are_left_out_and_are_no_faults() {
        let mut files = sample::cats_and_dogs(6);
        files[0].1 = b"<html>not found</html>".to_vec();
        let folder = folder(&files);
        let entry = |path: &str| Quarantined { path: path.into(), kind: Kind::Blank, reason: "was blank".into() };
        let entries = ["train/cat.0.png", "train/dog.4.png"].map(entry).to_vec();
        let quarantine = Quarantine { format: QUARANTINE_FORMAT, source: "elsewhere".into(), entries };
        let config = PrepareConfig { quarantine: Some(quarantine.clone()), ..counts(2, 1, 1) };
        let manifest = prepared(&folder, &config).unwrap();
        let left_out: Vec<String> = manifest.left_out.iter().map(ToString::to_string).collect();
        assert_eq!(
            left_out,
            ["train/cat.0.png: in quarantine: was blank", "train/dog.4.png: in quarantine: was blank"]
        );
        assert!(manifest.all_records().all(|record| record.path != "train/dog.4.png"));

        let misfit = Quarantine { entries: vec![entry("train/cow.1.png")], ..quarantine };
        let error = prepared(&folder, &PrepareConfig { quarantine: Some(misfit), ..config }).unwrap_err();
        assert!(matches!(&error, DatasetError::QuarantineMisfit { missing: 1, .. }), "{error}");
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
    fn near_duplicates_stay_together_whatever_the_seed_unless_they_are_not_looked_for() {
        let png = |seed: u32, side: usize| encode_png(&sample::scene(seed, side, side)).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = (0..8)
            .flat_map(|n| [(format!("cat.{n}.png"), png(n, 80)), (format!("dog.{n}.png"), png(50 + n, 80))])
            .collect();
        // The same picture smaller, and one of another class.
        files.push(("cat.8.png".to_owned(), png(2, 64)));
        files.push(("dog.8.png".to_owned(), png(5, 72)));
        let folder = folder(&files);
        let amounts = Amounts::Ratios { train: 0.5, val: 0.25, test: Some(0.25) };
        let split_of = |manifest: &Manifest, path: &str| {
            Split::ALL.into_iter().find(|&split| manifest.records(split).iter().any(|record| record.path == path))
        };
        let pairs = [("cat.2.png", "cat.8.png"), ("cat.5.png", "dog.8.png")];
        let mut parted = 0;
        for seed in 0..20 {
            let config = PrepareConfig { seed: Seed::new(seed), ..PrepareConfig::new(amounts.clone()) };
            let manifest = prepared(&folder, &config).unwrap();
            assert_eq!(manifest.grouping.near_correlation, Some(NEAR_CORRELATION));
            for (one, other) in pairs {
                assert_eq!(split_of(&manifest, one), split_of(&manifest, other), "seed {seed}");
            }
            let careless = prepared(&folder, &PrepareConfig { depth: Depth::Pixels, ..config }).unwrap();
            parted += pairs.iter().filter(|pair| split_of(&careless, pair.0) != split_of(&careless, pair.1)).count();
        }
        assert!(parted > 0);
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
        assert!(error.contains("has a test set already: give two amounts (train, val)"), "{error}");
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
    fn a_pattern_chooses_the_test_set_and_takes_the_place_of_the_third_amount() {
        let mut files = sample::cats_and_dogs(8);
        for (path, _) in &mut files[..6] {
            *path = path.replace("train/", "held/");
        }
        let folder = folder(&files);
        let pattern = |pattern: &str, amounts| {
            let (test_pattern, labels) = (Some(pattern.to_owned()), LabelRule::FileName);
            prepared(&folder, &PrepareConfig { labels, test_pattern, ..PrepareConfig::new(amounts) })
        };
        let two = Amounts::Counts { train: 3, val: 2, test: None };
        let manifest = pattern("^held/", two.clone()).unwrap();
        assert_eq!([manifest.train.len(), manifest.val.len(), manifest.test.len()], [6, 4, 6]);
        assert!(manifest.test.iter().all(|record| record.path.starts_with("held/")));
        assert_eq!(manifest.test_pattern.as_deref(), Some("^held/"));
        let text = |result: Result<Manifest, DatasetError>| result.unwrap_err().to_string();
        let three = Amounts::Counts { train: 3, val: 1, test: Some(1) };
        assert!(text(pattern("^held/", three)).contains("has a test set already: give two amounts"));
        assert!(text(pattern("^other/", two.clone())).contains("is found in the paths of 0 of 16 images"));
        assert!(text(pattern("g$", two.clone())).contains("is found in the paths of 16 of 16 images"));
        assert!(text(pattern("(", two)).contains("`(` is no regular expression"));
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
