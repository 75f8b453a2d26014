//! [`verify`]: whether manifests keep what they promise, and the [`Certificate`] of it.

mod breach;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use aumenta_imgproc::Limits;
use serde::{Deserialize, Serialize};

pub(crate) use self::breach::leaks;
pub use self::breach::{Breach, Placed};
use crate::amounts::Amounts;
use crate::dataset::open_source;
use crate::error::DatasetError;
use crate::manifest::{MANIFEST_FILE, Manifest, is_zero};
use crate::natural::natural_key;
use crate::near_duplicates::{NearDuplicates, NearPair};
use crate::record::Record;
use crate::scan::{Depth, Progress, ScannedEntries, scan_entries};
use crate::source::{Entry, Source};
use crate::split::{Fold, Split};

/// What was verified, and every violation that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Certificate {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The manifests: one, or one for each fold.
    pub manifests: Vec<CertifiedManifest>,
    /// How many images were read from the source.
    pub images: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// How closely they were looked at: only at [`Depth::Likeness`] are near-duplicates found anew.
    pub depth: Depth,
    /// How many images had hashes like those of more images than they were compared with: near-duplicates of theirs may
    /// have been missed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crowded: usize,
    /// What is not as it should be.
    pub violations: Vec<Violation>,
}

/// A manifest that was verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CertifiedManifest {
    /// Its file.
    pub path: PathBuf,
    /// Its hash, see [`Manifest::hash`].
    pub hash: String,
    /// Which fold it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// For each class the number of images in train, val and test.
    pub counts: Vec<[usize; 3]>,
    /// How many groups have several images or a declared name.
    pub groups: usize,
}

/// A breach, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Violation {
    /// The manifest's file, where the breach is within one manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<PathBuf>,
    /// What is broken.
    pub breach: Breach,
}

impl Certificate {
    /// Whether nothing is violated.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Verifies the manifest at `path` (a file or its folder) or all folds below the folder `path`, against their source or the
/// one at `source` in its place.
///
/// In each manifest no file, no content, no group, no near-duplicate and no declared group is in two splits. In each repeat
/// of a cross-validation every image is in the validation split of one fold, or held out from all. Every image is in the
/// source with its size and hash; each is read once, on all cores. Images that manifests at `earlier` have as well are in the
/// same splits as there. At [`Depth::Likeness`] pixels are decoded and compared anew, and no two images that are alike are
/// in two splits, whatever the manifests say of groups.
///
/// # Errors
/// Where a manifest cannot be read, or the source cannot be opened. What is wrong with the division or with single images
/// is in the certificate.
pub fn verify(
    path: &Path,
    source: Option<&Path>,
    earlier: Option<&Path>,
    depth: Depth,
    progress: Progress<'_>,
) -> Result<Certificate, DatasetError> {
    let manifests = read_all(path)?;
    let (_, first) = &manifests[0];
    let source = open_source(first, source)?;
    let mut violations = Vec::new();
    for (path, manifest) in &manifests {
        let of_manifest = |breach| Violation { manifest: Some(path.clone()), breach };
        violations.extend(leaks(manifest).into_iter().map(of_manifest));
    }
    if let Some(earlier) = earlier {
        let earlier = read_all(earlier)?;
        if earlier.len() != manifests.len() {
            return Err(DatasetError::EarlierMisfit { found: earlier.len(), expected: manifests.len() });
        }
        for ((path, manifest), (_, earlier)) in manifests.iter().zip(&earlier) {
            let of_manifest = |breach| Violation { manifest: Some(path.clone()), breach };
            violations.extend(moved(earlier, manifest).into_iter().map(of_manifest));
        }
    }
    let mut of_all = not_validated_once(&manifests);
    let mut records: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in manifests.iter().flat_map(|(_, manifest)| manifest.all_records()) {
        records.insert(&record.path, record);
    }
    let records: Vec<&Record> = records.into_values().collect();
    let Looked { present, near, breaches } = look(source.as_ref(), &records, depth, progress)?;
    of_all.extend(breaches);
    let known: HashSet<Violation> = violations.iter().cloned().collect();
    let alike = alike_across(&present, &near.pairs, &manifests);
    violations.extend(alike.into_iter().filter(|violation| !known.contains(violation)));
    violations.extend(of_all.into_iter().map(|breach| Violation { manifest: None, breach }));
    Ok(Certificate {
        classes: first.classes.clone(),
        images: records.len(),
        bytes: records.iter().map(|record| record.size).sum(),
        depth,
        crowded: near.crowded,
        manifests: manifests.iter().map(|(path, manifest)| certified(path, manifest)).collect(),
        violations,
    })
}

/// The manifests at `path` with their files: one, or those of all folds.
fn read_all(path: &Path) -> Result<Vec<(PathBuf, Manifest)>, DatasetError> {
    let mut files = Vec::new();
    if path.is_dir() && !path.join(MANIFEST_FILE).is_file() {
        for folder in folders_named(path, "repeat-")?.into_iter().chain([path.to_owned()]) {
            files.extend(folders_named(&folder, "fold-")?.into_iter().map(|fold| fold.join(MANIFEST_FILE)));
        }
    }
    if files.is_empty() {
        files.push(Manifest::file(path));
    }
    let read = |file: PathBuf| Manifest::read_suspect(&file).map(|manifest| (file, manifest));
    files.into_iter().map(read).collect()
}

/// The folders in `folder` whose names begin so, in natural order.
fn folders_named(folder: &Path, start: &str) -> Result<Vec<PathBuf>, DatasetError> {
    let mut names = Vec::new();
    for item in fs_err::read_dir(folder)? {
        let item = item?;
        let name = item.file_name().to_string_lossy().into_owned();
        if name.starts_with(start) && item.path().is_dir() {
            names.push(name);
        }
    }
    names.sort_by(|a, b| natural_key(a).cmp(&natural_key(b)));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Images of both manifests that are in different splits, told by their content.
fn moved(earlier: &Manifest, manifest: &Manifest) -> Vec<Breach> {
    let placed = |manifest| {
        let of_split = move |split| Manifest::records(manifest, split).iter().map(move |record| (record, split));
        Split::ALL.into_iter().flat_map(of_split)
    };
    let before: HashMap<&str, Split> = placed(earlier).map(|(record, split)| (record.hash.as_str(), split)).collect();
    placed(manifest)
        .filter_map(|(record, to)| {
            let from = *before.get(record.hash.as_str())?;
            (from != to).then(|| Breach::Moved { path: record.path.clone(), from, to })
        })
        .collect()
}

/// Folds that are missing, and images that are not in the validation split of one fold of each repeat, unless they are held
/// out from all of them.
fn not_validated_once(manifests: &[(PathBuf, Manifest)]) -> Vec<Breach> {
    let mut repeats: BTreeMap<usize, BTreeMap<usize, &Manifest>> = BTreeMap::new();
    let mut shape = None;
    for (_, manifest) in manifests {
        if let Amounts::Fold(fold) = manifest.amounts {
            repeats.entry(fold.repeat).or_default().insert(fold.fold, manifest);
            shape = Some(fold);
        }
    }
    // A fold by itself may well be verified.
    let Some(Fold { folds, repeats: repeat_count, .. }) = shape.filter(|_| manifests.len() > 1) else {
        return Vec::new();
    };
    let mut breaches = Vec::new();
    for repeat in 1..=repeat_count {
        let of_repeat = repeats.remove(&repeat).unwrap_or_default();
        let missing = (1..=folds).filter(|fold| !of_repeat.contains_key(fold));
        breaches.extend(missing.map(|fold| Breach::FoldMissing { repeat, fold }));
        let mut validating: BTreeMap<&str, (Vec<usize>, usize)> = BTreeMap::new();
        for (&fold, manifest) in &of_repeat {
            for record in manifest.train.iter().chain(&manifest.val) {
                validating.entry(&record.path).or_default();
            }
            for record in &manifest.val {
                validating.entry(&record.path).or_default().0.push(fold);
            }
            for record in &manifest.test {
                validating.entry(&record.path).or_default().1 += 1;
            }
        }
        for (path, (folds, held_out)) in validating {
            let is_held_out = folds.is_empty() && held_out == of_repeat.len();
            if !is_held_out && (folds.len() != 1 || held_out > 0) {
                breaches.push(Breach::Validated { path: path.to_owned(), repeat, folds });
            }
        }
    }
    breaches
}

/// Images as they are in the source now.
struct Looked<'a> {
    /// The records whose images are there.
    present: Vec<&'a Record>,
    /// Pairs of these with the same pixels and near-duplicates, found anew from the pixels at [`Depth::Likeness`].
    near: NearDuplicates,
    /// Images that are not there, or not with the size and the hash of their records.
    breaches: Vec<Breach>,
}

/// Reads every image once.
fn look<'a>(
    source: &dyn Source,
    records: &[&'a Record],
    depth: Depth,
    progress: Progress<'_>,
) -> Result<Looked<'a>, DatasetError> {
    let by_path: HashMap<&str, usize> =
        source.entries().iter().enumerate().map(|(index, entry)| (entry.path.as_str(), index)).collect();
    let entry = |record: &'a Record| Some((record, *by_path.get(record.path.as_str())?));
    let (present, entries): (Vec<&Record>, Vec<usize>) = records.iter().copied().filter_map(entry).unzip();
    // Bytes tell whether they have changed; pixels are needed to compare images alone.
    let depth = if depth == Depth::Likeness { depth } else { Depth::Content };
    let found = scan_entries(source, &entries, &Limits::default(), depth, progress)?;
    let place_of: HashMap<&str, usize> =
        present.iter().enumerate().map(|(place, record)| (record.path.as_str(), place)).collect();
    let breach = |record: &&Record| match place_of.get(record.path.as_str()) {
        None => Some(Breach::Missing { path: record.path.clone() }),
        Some(&place) => not_as_recorded(record, &source.entries()[entries[place]], &found, place),
    };
    let breaches = records.iter().filter_map(breach).collect();
    Ok(Looked { present, near: found.scanned.near, breaches })
}

/// What is not as it was recorded of the image at `place` of what was found, which is `entry` of the source.
fn not_as_recorded(record: &Record, entry: &Entry, found: &ScannedEntries, place: usize) -> Option<Breach> {
    let path = record.path.clone();
    let hash = match &found.scanned.images[place] {
        Ok(facts) => Ok(&facts.hash),
        Err(finding) => found.unsound_hashes.get(&place).ok_or(finding),
    };
    match hash {
        _ if entry.size != record.size => Some(Breach::Changed { path }),
        Ok(hash) => (*hash != record.hash).then_some(Breach::Changed { path }),
        Err(finding) => Some(Breach::Unreadable { path, reason: finding.cause.to_string() }),
    }
}

/// Pairs of images that look alike and are in different splits of a manifest.
fn alike_across(present: &[&Record], pairs: &[NearPair], manifests: &[(PathBuf, Manifest)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, manifest) in manifests {
        let of_split = |split| manifest.records(split).iter().map(move |record| (record.path.as_str(), split));
        let split_of: HashMap<&str, Split> = Split::ALL.into_iter().flat_map(of_split).collect();
        let placed = |place: usize| {
            let path = &present[place].path;
            Some(Placed { path: path.clone(), split: *split_of.get(path.as_str())? })
        };
        let crossing = pairs.iter().filter_map(|pair| {
            let images = vec![placed(pair.first)?, placed(pair.second)?];
            let is_copy = present[pair.first].hash == present[pair.second].hash;
            (images[0].split != images[1].split && !is_copy).then_some(Breach::Near { images })
        });
        violations.extend(crossing.map(|breach| Violation { manifest: Some(path.clone()), breach }));
    }
    violations
}

fn certified(path: &Path, manifest: &Manifest) -> CertifiedManifest {
    let count = |class| Split::ALL.map(|split| manifest.count(split, class));
    let groups: HashSet<u32> = manifest.all_records().filter_map(|record| record.group).collect();
    CertifiedManifest {
        path: path.to_owned(),
        hash: manifest.hash(),
        fold: if let Amounts::Fold(fold) = manifest.amounts { Some(fold) } else { None },
        counts: (0..manifest.classes.len() as u32).map(count).collect(),
        groups: groups.len(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aumenta_imgproc::encode_png;
    use tempfile::TempDir;

    use super::*;
    use crate::prepare::{PrepareConfig, Survey, prepare};
    use crate::sample;

    /// A folder with `data/` and its manifest, after `change`.
    fn prepared(change: impl FnOnce(&mut Manifest)) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(&folder.path().join("data"), &sample::cats_and_dogs(8));
        let config = PrepareConfig::new(Amounts::Counts { train: 4, val: 2, test: Some(2) });
        let mut manifest = prepare(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        change(&mut manifest);
        manifest.write(&folder.path().join(MANIFEST_FILE)).unwrap();
        folder
    }

    fn verified(folder: &TempDir) -> Certificate {
        verify(folder.path(), None, None, Depth::Content, &|_, _| {}).unwrap()
    }

    fn breaches(folder: &TempDir) -> Vec<String> {
        verified(folder).violations.into_iter().map(|violation| violation.breach.to_string()).collect()
    }

    #[test]
    fn a_manifest_that_keeps_its_promises_is_certified_with_its_counts() {
        let certificate = verified(&prepared(|_| {}));
        assert!(certificate.holds());
        assert_eq!(certificate.images, 16);
        assert_eq!(certificate.manifests[0].counts, [[4, 2, 2], [4, 2, 2]]);
        let json = serde_json::to_string(&certificate).unwrap();
        assert_eq!(serde_json::from_str::<Certificate>(&json).unwrap(), certificate);
    }

    #[test]
    fn everything_that_crosses_a_split_is_named_and_such_a_manifest_is_not_read_elsewhere() {
        let folder = prepared(|manifest| {
            manifest.val[0].hash = manifest.train[0].hash.clone();
            manifest.train[1].group = Some(7);
            manifest.test[1].group = Some(7);
            manifest.train[2].near = Some(1);
            manifest.test[2].near = Some(1);
            manifest.train[3].declared = Some("p1".to_owned());
            manifest.val[1].declared = Some("p1".to_owned());
        });
        let found = breaches(&folder);
        for start in [
            "the same content is in several splits: ",
            "group 7 is in several splits: ",
            "near-duplicates are in several splits: ",
            "the declared group `p1` is in several splits: ",
        ] {
            assert_eq!(found.iter().filter(|breach| breach.starts_with(start)).count(), 1, "{start}: {found:?}");
        }
        // The image that was given another hash has also changed.
        assert_eq!(found.len(), 5, "{found:?}");
        let error = Manifest::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("several splits"), "{error}");
    }

    #[test]
    fn a_file_with_two_records_is_named() {
        let folder = prepared(|manifest| manifest.test[0].path = manifest.train[0].path.clone());
        let found = breaches(&folder);
        assert!(found[0].starts_with("one file has several records: ") && found[0].contains("(test)"), "{found:?}");
    }

    #[test]
    fn images_that_vanished_or_changed_are_all_named() {
        let folder = prepared(|_| {});
        let manifest = Manifest::read(folder.path()).unwrap();
        let file = |record: &Record| folder.path().join("data").join(&record.path);
        fs_err::remove_file(file(&manifest.train[0])).unwrap();
        let mut bytes = fs_err::read(file(&manifest.val[0])).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs_err::write(file(&manifest.val[0]), bytes).unwrap();
        fs_err::write(file(&manifest.test[0]), b"longer than it was, or shorter").unwrap();
        let mut expected = [
            format!("{} is not in the source", manifest.train[0].path),
            format!("{} has changed since the manifest was made", manifest.val[0].path),
            format!("{} has changed since the manifest was made", manifest.test[0].path),
        ];
        let mut found = breaches(&folder);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_image_that_cannot_be_decoded_here_is_as_it_was_recorded_if_its_bytes_are() {
        let text = b"no image".to_vec();
        let folder = prepared(|manifest| {
            let record = &mut manifest.val[0];
            (record.size, record.hash) = (text.len() as u64, blake3::hash(&text).to_hex().to_string());
        });
        let path = Manifest::read(folder.path()).unwrap().val[0].path.clone();
        sample::write_files(&folder.path().join("data"), &[(path, text)]);
        for depth in [Depth::Content, Depth::Likeness] {
            assert!(verify(folder.path(), None, None, depth, &|_, _| {}).unwrap().holds());
        }
    }

    #[test]
    fn every_image_is_read_once_at_any_depth() {
        let folder = prepared(|_| {});
        for depth in [Depth::Content, Depth::Likeness] {
            let looks = AtomicUsize::new(0);
            verify(folder.path(), None, None, depth, &|_, _| {
                looks.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
            assert_eq!(looks.into_inner(), 16);
        }
    }

    #[test]
    fn an_image_that_moved_since_an_earlier_manifest_is_named() {
        let (earlier, now) = (
            prepared(|_| {}),
            prepared(|manifest| {
                let (train, val) = (manifest.train[0].clone(), manifest.val[0].clone());
                let id = (train.id, val.id);
                manifest.train[0] = Record { id: id.0, ..val };
                manifest.val[0] = Record { id: id.1, ..train };
            }),
        );
        let verified = verify(now.path(), None, Some(earlier.path()), Depth::Content, &|_, _| {}).unwrap();
        let found: Vec<String> = verified.violations.iter().map(|violation| violation.breach.to_string()).collect();
        assert_eq!(found.len(), 2);
        assert!(found.iter().any(|breach| breach.ends_with("was in train and is in val")), "{found:?}");
    }

    /// A folder with three folds.
    fn folds() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(&folder.path().join("data"), &sample::cats_and_dogs(8));
        let all: Vec<Fold> = Fold::all(3, 2, Some(crate::split::Holdout::Count(2))).collect();
        let config = PrepareConfig::new(Amounts::Fold(all[0]));
        let survey = Survey::new(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        for fold in all {
            let manifest = survey.divide(&Amounts::Fold(fold)).unwrap();
            manifest.write(&folder.path().join(fold.folder()).join(MANIFEST_FILE)).unwrap();
        }
        folder
    }

    #[test]
    fn folds_are_verified_together() {
        let folder = folds();
        let certificate = verified(&folder);
        assert!(certificate.holds(), "{:?}", certificate.violations);
        assert_eq!((certificate.manifests.len(), certificate.images), (6, 16));
        assert_eq!(certificate.manifests[4].fold.unwrap().folder(), Path::new("repeat-2/fold-2"));
    }

    #[test]
    fn a_fold_that_is_missing_or_validates_on_another_ones_images_is_named() {
        let folder = folds();
        fs_err::copy(
            folder.path().join("repeat-1/fold-1").join(MANIFEST_FILE),
            folder.path().join("repeat-1/fold-2").join(MANIFEST_FILE),
        )
        .unwrap();
        fs_err::remove_dir_all(folder.path().join("repeat-2/fold-3")).unwrap();
        let found = breaches(&folder);
        assert!(found.contains(&"fold 2 of repeat 1 is missing".to_owned()), "{found:?}");
        assert!(found.contains(&"fold 3 of repeat 2 is missing".to_owned()), "{found:?}");
        assert!(found.iter().any(|breach| breach.ends_with("is in no validation split of repeat 1")), "{found:?}");
    }

    #[test]
    fn near_duplicates_are_found_anew_whatever_the_records_say() {
        let folder = tempfile::tempdir().unwrap();
        let png = |seed: u32, side: usize| encode_png(&sample::scene(seed, side, side)).unwrap();
        let files: Vec<(String, Vec<u8>)> = (0..6)
            .flat_map(|n| [(format!("cat.{n}.png"), png(n, 80)), (format!("dog.{n}.png"), png(50 + n, 80))])
            .chain([("cat.6.png".to_owned(), png(2, 64))])
            .collect();
        sample::write_files(&folder.path().join("data"), &files);
        let config = PrepareConfig::new(Amounts::Ratios { train: 0.5, val: 0.25, test: Some(0.25) });
        let mut manifest = prepare(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        manifest.write(&path).unwrap();
        let verified = |depth| verify(&path, None, None, depth, &|_, _| {}).unwrap().violations;
        assert_eq!(verified(Depth::Likeness), []);
        // Someone moves one of the two, and forgets that they belong together.
        let split = Split::ALL.into_iter().find(|&split| manifest.records(split).iter().any(|r| r.path == "cat.6.png"));
        let all: Vec<Record> = manifest.all_records().cloned().collect();
        let (moved, mut rest): (Vec<Record>, Vec<Record>) = all.into_iter().partition(|r| r.path == "cat.6.png");
        for record in rest.iter_mut().filter(|record| record.path == "cat.2.png") {
            (record.group, record.near) = (None, None);
        }
        let moved = Record { group: None, near: None, ..moved[0].clone() };
        (manifest.train, manifest.val, manifest.test) = match split {
            Some(Split::Test) => (vec![moved], Vec::new(), rest),
            _ => (rest, Vec::new(), vec![moved]),
        };
        let mut next = 0..;
        for records in [&mut manifest.train, &mut manifest.val, &mut manifest.test] {
            records.iter_mut().zip(&mut next).for_each(|(record, id)| record.id = id);
        }
        manifest.write(&path).unwrap();
        assert_eq!(verified(Depth::Pixels), []);
        let found = verified(Depth::Likeness);
        assert!(
            matches!(&found[..], [Violation { breach: Breach::Near { images }, .. }] if images.len() == 2),
            "{found:?}"
        );
    }
}
