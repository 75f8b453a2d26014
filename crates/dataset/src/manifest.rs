//! [`Manifest`]: the written outcome of a preparation, which every later step names.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::atomic::{parent, write_file};
use crate::error::DatasetError;
use crate::finding::Finding;
use crate::groups::{GroupRule, is_group_name};
use crate::labels::{LabelRule, is_class_name};
use crate::record::Record;
use crate::record_lines::RecordLines;
use crate::scan::Depth;
use crate::source::{SourceKind, is_safe};
use crate::split::{Order, Split};
use crate::verify::leaks;

/// The version of the format that is written, and the only one that is read.
pub const MANIFEST_FORMAT: u32 = 2;

/// The name of the manifest's file where a folder is given.
pub const MANIFEST_FILE: &str = "manifest.json";

/// No honest manifest is larger; a file that is will not be read into memory.
const MAX_BYTES: u64 = 1 << 30;

/// Which images a data set consists of, their classes and their splits.
///
/// As JSON it has one record a line and the same bytes on every machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: u32,
    /// Where the images are.
    pub source: SourceReference,
    /// How closely images were looked at.
    pub depth: Depth,
    /// How the classes were found, never [`LabelRule::Auto`].
    pub label_rule: LabelRule,
    /// Rows of a CSV file of classes that name no image of the source.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmatched_rows: usize,
    /// The names of the classes; a record's `class` is an index into them.
    pub classes: Vec<String>,
    /// How groups were made.
    pub grouping: Grouping,
    /// What the shuffling followed from.
    pub seed: u64,
    /// In which order images were dealt to the splits.
    pub order: Order,
    /// How many images each split was to get.
    pub amounts: Amounts,
    /// The regular expression in whose matches the test set was found, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_pattern: Option<String>,
    /// Sound images that no split needed.
    pub unused: usize,
    /// How many files of the source are no images, and were passed over.
    pub other_files: usize,
    /// The training split, by class and natural order of paths.
    pub train: Vec<Record>,
    /// The validation split, by class and natural order of paths.
    pub val: Vec<Record>,
    /// The test split, by class and natural order of paths.
    pub test: Vec<Record>,
    /// Images that cannot or must not be used, by natural order of paths.
    pub left_out: Vec<Finding>,
}

/// How groups were made, which no split divides. Images of the same bytes are always of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Grouping {
    /// The correlation of details from which on images were taken for near-duplicates, if they were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_correlation: Option<f32>,
    /// How many images had hashes like those of more images than they were compared with: near-duplicates of theirs may
    /// have been missed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crowded: usize,
    /// Where the names of declared groups stood, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<GroupRule>,
}

/// Where a manifest's images are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceReference {
    /// The packing.
    pub kind: SourceKind,
    /// The source's path. In the file it is relative to the manifest's folder where that is possible; in memory it can
    /// be opened as it is.
    pub path: PathBuf,
    /// The archive within the archive, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(crate) fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Enough of a manifest to tell its version.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// Reads the manifest in the file `path`, or in the file [`MANIFEST_FILE`] of the folder `path`.
    ///
    /// # Errors
    /// Where the file cannot be read, is no manifest (with line and column), is of another version, contradicts itself, or
    /// has in several splits what belongs in one.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let manifest = Self::read_suspect(path)?;
        match leaks(&manifest).first() {
            None => Ok(manifest),
            Some(leak) => Err(DatasetError::ManifestContent { path: Self::file(path), reason: leak.to_string() }),
        }
    }

    /// Reads a manifest as [`Manifest::read`] does, even if it has in several splits what belongs in one.
    pub(crate) fn read_suspect(path: &Path) -> Result<Self, DatasetError> {
        let path = Self::file(path);
        if !path.is_file() {
            return Err(DatasetError::ManifestMissing { path });
        }
        let size = fs_err::metadata(&path)?.len();
        if size > MAX_BYTES {
            return Err(DatasetError::TooMuch { path, what: "bytes", found: size, limit: MAX_BYTES });
        }
        let json = fs_err::read(&path)?;
        let syntax = |source| DatasetError::ManifestSyntax { path: path.clone(), source };
        let Version { format } = serde_json::from_slice(&json).map_err(syntax)?;
        if format != MANIFEST_FORMAT {
            return Err(DatasetError::ManifestVersion { path, found: format, supported: MANIFEST_FORMAT });
        }
        let mut manifest: Self = serde_json::from_slice(&json).map_err(syntax)?;
        if let Err(reason) = manifest.check() {
            return Err(DatasetError::ManifestContent { path, reason });
        }
        manifest.source.path = parent(&path).join(&manifest.source.path);
        Ok(manifest)
    }

    /// The file of the manifest at `path`, which may be its folder.
    pub(crate) fn file(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(MANIFEST_FILE) } else { path.to_owned() }
    }

    /// Writes the manifest to the file `path`, never half of it. Missing folders are made.
    ///
    /// # Errors
    /// What the operating system refuses, or a source whose path is not UTF-8.
    pub fn write(&self, path: &Path) -> Result<(), DatasetError> {
        let folder = parent(path);
        fs_err::create_dir_all(folder)?;
        let source = fs_err::canonicalize(&self.source.path).or_else(|_| std::path::absolute(&self.source.path))?;
        let relative = pathdiff::diff_paths(&source, fs_err::canonicalize(folder)?).unwrap_or(source);
        let Some(relative) = relative.to_str() else { return Err(DatasetError::NotUtf8 { path: relative }) };
        let json = self.to_json(relative.replace(MAIN_SEPARATOR_STR, "/").into());
        write_file(path, |file| Ok(file.write_all(&json)?))
    }

    /// The BLAKE3 hash of the manifest without the source's path, 64 hexadecimal digits: two manifests of one hash mean
    /// the same images in the same splits, wherever they lie.
    pub fn hash(&self) -> String {
        blake3::hash(&self.to_json(PathBuf::new())).to_hex().to_string()
    }

    /// The records of a split.
    pub fn records(&self, split: Split) -> &[Record] {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }

    /// All records, by id.
    pub fn all_records(&self) -> impl Iterator<Item = &Record> {
        Split::ALL.into_iter().flat_map(|split| self.records(split))
    }

    /// How many records of `class` a split has.
    pub fn count(&self, split: Split, class: u32) -> usize {
        self.records(split).iter().filter(|record| record.class == class).count()
    }

    /// How many images of `class` train, val and test were to get, which groups that stay whole may not allow.
    pub fn wanted(&self, class: u32) -> [usize; 3] {
        let [train, val, test] = Split::ALL.map(|split| self.count(split, class));
        let sizes = self.amounts.sizes(train + val + if self.amounts.names_test() { test } else { 0 });
        [sizes[0], sizes[1], sizes.get(2).copied().unwrap_or(test)]
    }

    /// Records whose content an earlier record has too, each with that record.
    pub fn copies(&self) -> Vec<(&Record, &Record)> {
        let mut first = HashMap::new();
        self.all_records()
            .filter_map(|record| {
                let original = *first.entry(record.hash.as_str()).or_insert(record);
                (original.id != record.id).then_some((record, original))
            })
            .collect()
    }

    fn to_json(&self, source_path: PathBuf) -> Vec<u8> {
        let source = SourceReference { path: source_path, ..self.source.clone() };
        let manifest = Self { source, ..self.clone() };
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, RecordLines::default());
        // Nothing in a manifest can fail: its keys are strings, its paths were checked and memory takes every write.
        manifest.serialize(&mut serializer).expect("a manifest is valid JSON");
        json.push(b'\n');
        json
    }

    /// What is wrong with the content, which may come from a stranger.
    fn check(&self) -> Result<(), String> {
        if self.classes.len() < 2 {
            return Err(format!("it has {} classes", self.classes.len()));
        }
        let mut names = HashSet::new();
        if let Some(class) = self.classes.iter().find(|class| !is_class_name(class) || !names.insert(class.as_str())) {
            return Err(format!("`{class}` is repeated or cannot name a class"));
        }
        if self.label_rule == LabelRule::Auto {
            return Err("it does not say how the classes were found".to_owned());
        }
        for (expected, record) in self.all_records().enumerate() {
            let path = &record.path;
            if record.id as usize != expected {
                return Err(format!("the record of `{path}` has id {} and should have {expected}", record.id));
            }
            if record.class as usize >= self.classes.len() {
                return Err(format!("the record of `{path}` has class {} of {}", record.class, self.classes.len()));
            }
            if !is_safe(path) {
                return Err(format!("the path `{path}` is unsafe"));
            }
            if blake3::Hash::from_hex(&record.hash).is_err() {
                return Err(format!("the record of `{path}` has the hash `{}`", record.hash));
            }
            if record.declared.as_ref().is_some_and(|name| !is_group_name(name)) {
                return Err(format!("the record of `{path}` is declared of a group without a name"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::prepare::{PrepareConfig, prepare};
    use crate::sample;

    /// A folder with `data/` in it, and the manifest of that.
    fn prepared() -> (TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(&folder.path().join("data"), &sample::cats_and_dogs(5));
        let config = PrepareConfig::new(Amounts::Counts { train: 2, val: 1, test: Some(1) });
        let manifest = prepare(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        (folder, manifest)
    }

    #[track_caller]
    fn check_refused(change: impl Fn(&str) -> String, message: &str) {
        let (folder, manifest) = prepared();
        let path = folder.path().join("manifest.json");
        manifest.write(&path).unwrap();
        let json = fs_err::read_to_string(&path).unwrap();
        let changed = change(&json);
        assert_ne!(json, changed);
        fs_err::write(&path, changed).unwrap();
        let error = Manifest::read(&path).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let text = format!("{error}: {source}");
        assert!(text.contains(message) && text.contains("manifest.json"), "{text}");
    }

    #[test]
    fn what_is_written_is_read_again_from_the_file_or_its_folder() {
        let (folder, manifest) = prepared();
        let path = folder.path().join("deep/er/manifest.json");
        manifest.write(&path).unwrap();
        for place in [path.as_path(), path.parent().unwrap()] {
            let read = Manifest::read(place).unwrap();
            assert_eq!(read.hash(), manifest.hash());
            assert_eq!(read.train, manifest.train);
            assert_eq!(fs_err::canonicalize(&read.source.path).unwrap(), manifest.source.path);
        }
    }

    #[test]
    fn the_file_has_a_record_a_line_and_a_path_relative_to_its_folder() {
        let (folder, manifest) = prepared();
        let path = folder.path().join("splits/manifest.json");
        manifest.write(&path).unwrap();
        let json = fs_err::read_to_string(&path).unwrap();
        let records: Vec<&str> = json.lines().filter(|line| line.starts_with("    {\"id\": ")).collect();
        assert_eq!(records.len(), 8);
        assert!(json.contains("\"path\": \"../data\""), "{json}");
        assert!(json.starts_with("{\n  \"format\": 2,\n"), "{json}");
        assert!(json.ends_with("  \"left-out\": []\n}\n"), "{json}");
    }

    #[test]
    fn a_data_set_that_moves_as_a_whole_keeps_its_manifest() {
        let (folder, manifest) = prepared();
        manifest.write(&folder.path().join("manifest.json")).unwrap();
        let moved = tempfile::tempdir().unwrap();
        let place = moved.path().join("elsewhere");
        fs_err::rename(folder.path(), &place).unwrap();
        let read = Manifest::read(&place).unwrap();
        assert!(read.source.path.join("train/cat.0.png").is_file());
        assert_eq!(read.hash(), manifest.hash());
        // What was read can be written elsewhere and still finds its source.
        let other = moved.path().join("other/manifest.json");
        read.write(&other).unwrap();
        assert!(Manifest::read(&other).unwrap().source.path.join("train/cat.0.png").is_file());
    }

    #[test]
    fn the_hash_depends_on_everything_but_the_place() {
        let (_folder, manifest) = prepared();
        let mut changed = manifest.clone();
        changed.source.path = "somewhere/else".into();
        assert_eq!(manifest.hash(), changed.hash());
        changed.train[0].class = 1;
        assert_ne!(manifest.hash(), changed.hash());
    }

    #[test]
    fn foreign_and_contradicting_files_are_refused_with_their_place() {
        check_refused(|_| "{".into(), "line 1");
        check_refused(|json| json[..json.len() / 2].into(), "EOF");
        check_refused(|json| json.replacen("\"format\": 2", "\"format\": 1", 1), "format 1, this program reads 2");
        check_refused(|json| json.replacen("\"seed\"", "\"sed\"", 1), "unknown field `sed`");
        check_refused(|json| json.replacen("\"id\": 3", "\"id\": 3, \"extra\": 1", 1), "unknown field `extra`");
        check_refused(|json| json.replacen("\"id\": 3", "\"id\": 4", 1), "has id 4 and should have 3");
        check_refused(|json| json.replacen("\"class\": 1", "\"class\": 2", 1), "class 2 of 2");
        check_refused(|json| json.replacen("\"path\": \"train/", "\"path\": \"../", 1), "is unsafe");
        check_refused(|json| json.replacen("\"cat\"", "\"a/b\"", 1), "`a/b` is repeated or cannot");
        check_refused(|json| json.replacen("\"cat\"", "\"dog\"", 1), "`dog` is repeated or cannot");
        check_refused(|json| json.replacen("\"hash\": \"", "\"hash\": \"x", 1), "has the hash");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let (folder, mut manifest) = prepared();
        let path = folder.path().join("manifest.json");
        manifest.write(&path).unwrap();
        let before = fs_err::read(&path).unwrap();
        manifest.seed = 9;
        manifest.write(&path.join("below/a/file.json")).unwrap_err();
        assert_eq!(fs_err::read(&path).unwrap(), before);
        manifest.write(&path).unwrap();
        assert_eq!(Manifest::read(&path).unwrap().seed, 9);
        let names: Vec<_> = fs_err::read_dir(folder.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");
    }
}
