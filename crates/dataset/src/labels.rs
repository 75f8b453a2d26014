//! [`LabelRule`]: how the class of an image follows from its path.

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::natural::natural_key;
use crate::source::{Source, is_safe, is_tar};

/// How the class of an image follows from its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelRule {
    /// The source's own labels, else the folders' names, else the files' names.
    ///
    /// Folders are not taken as classes where all that differ are named like splits (`train`, `test1`, `val` …) or are
    /// shards (`0.tar`, `1.tar` …).
    #[default]
    Auto,
    /// The name of a folder: of the levels at which all images have a folder and the names differ, the last.
    Folder,
    /// The file's name up to the number at its end: `cat` for `cat.0.jpg`, `cat_001.png`, `cat-1.jpg`, `cat (1).jpg`.
    FileName,
    /// What the source itself says, as IDX files and class files do.
    Source,
}

impl LabelRule {
    /// The rule's name, as in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Folder => "folder",
            Self::FileName => "file-name",
            Self::Source => "source",
        }
    }
}

/// The classes of a source and the class of each of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The rule that was applied, never [`LabelRule::Auto`].
    pub rule: LabelRule,
    /// The names of the classes, in natural order (`2` before `10`).
    pub classes: Vec<String>,
    /// For each entry of the source the index of its class.
    pub class_of: Vec<u32>,
}

impl Labels {
    /// Labels every entry of `source`.
    ///
    /// # Errors
    /// Where the rule does not apply, a file's name has no known form, a class could not name a folder, or there is only
    /// one class.
    pub fn of(source: &dyn Source, rule: LabelRule) -> Result<Self, DatasetError> {
        let level = varying_level(source);
        let has_labels = (0..source.entries().len()).any(|index| source.label(index).is_some());
        let rule = match rule {
            LabelRule::Auto if has_labels => LabelRule::Source,
            LabelRule::Auto => match level {
                Some(level) if !all_named_like_parts(source, level) => LabelRule::Folder,
                _ => LabelRule::FileName,
            },
            rule => rule,
        };
        let misfit = |reason| DatasetError::LabelRule { rule: rule.name(), path: source.path().to_owned(), reason };
        let names = (0..source.entries().len()).map(|index| {
            let path = source.entries()[index].path.as_str();
            match rule {
                LabelRule::Source if has_labels => source.label(index).ok_or_else(|| DatasetError::ClassMissing {
                    path: source.path().to_owned(),
                    entry: path.to_owned(),
                }),
                LabelRule::Source => Err(misfit("it has no labels of its own")),
                LabelRule::Folder => level
                    .and_then(|level| path.split('/').nth(level))
                    .ok_or_else(|| misfit("its images are not in folders of different names")),
                _ => file_label(path).ok_or_else(|| DatasetError::UnknownLabel { entry: path.to_owned() }),
            }
        });
        Self::from_names(source, rule, &names.collect::<Result<Vec<_>, _>>()?)
    }

    fn from_names(source: &dyn Source, rule: LabelRule, names: &[&str]) -> Result<Self, DatasetError> {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.sort_by_cached_key(|name| natural_key(name));
        if let Some(class) = sorted.iter().find(|class| !is_class_name(class)) {
            return Err(DatasetError::ClassName { class: (*class).to_owned() });
        }
        if let [class] = sorted[..] {
            let (path, class) = (source.path().to_owned(), class.to_owned());
            return Err(DatasetError::OneClass { path, class, images: names.len() });
        }
        let index: std::collections::HashMap<&str, u32> = sorted.iter().copied().zip(0..).collect();
        let class_of = names.iter().map(|name| index[name]).collect();
        Ok(Self { rule, classes: sorted.into_iter().map(str::to_owned).collect(), class_of })
    }
}

/// Whether `class` can name a folder, which a class must where splits are written as folders.
pub(crate) fn is_class_name(class: &str) -> bool {
    is_safe(class) && !class.contains('/')
}

/// The last level at which all entries have a folder and the folders' names differ.
fn varying_level(source: &dyn Source) -> Option<usize> {
    let folders = |path: &str| path.split('/').count() - 1;
    let depth = source.entries().iter().map(|entry| folders(&entry.path)).min()?;
    (0..depth).rev().find(|&level| {
        let mut names = folder_names(source, level);
        let first = names.next();
        names.any(|name| Some(name) != first)
    })
}

fn folder_names(source: &dyn Source, level: usize) -> impl Iterator<Item = &str> {
    source.entries().iter().filter_map(move |entry| entry.path.split('/').nth(level))
}

/// Whether the folders at `level` divide the images into splits or shards, and say nothing of classes.
fn all_named_like_parts(source: &dyn Source, level: usize) -> bool {
    folder_names(source, level).all(|name| {
        let name = name.to_ascii_lowercase();
        let is_split = matches!(
            name.trim_end_matches(|c: char| c.is_ascii_digit()),
            "train" | "training" | "val" | "valid" | "validation" | "test" | "testing"
        );
        is_split || is_tar(&name)
    })
}

/// The label in a file's name: what stands before the last separator and number.
fn file_label(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (stem, _) = name.rsplit_once('.')?;
    let stem = stem.strip_suffix(')').unwrap_or(stem);
    let before = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let label = before.trim_end_matches(['.', '_', '-', ' ', '(']);
    let is_known_form = before.len() < stem.len() && label.len() < before.len() && !label.is_empty();
    is_known_form.then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::source::{OpenOptions, open};

    fn labels(paths: &[&str], rule: LabelRule) -> Result<Labels, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = paths.iter().enumerate().map(|(number, path)| (*path, sample::png(number))).collect();
        sample::write_files(folder.path(), &files);
        Labels::of(open(folder.path(), &OpenOptions::default()).unwrap().as_ref(), rule)
    }

    #[track_caller]
    fn check(paths: &[&str], rule: LabelRule, applied: LabelRule, classes: &[&str]) {
        let labels = labels(paths, rule).unwrap();
        assert_eq!(labels.rule, applied);
        assert_eq!(labels.classes, classes);
    }

    #[test]
    fn known_file_names_give_what_stands_before_the_number() {
        for (path, label) in [
            ("train/cat.0.jpg", Some("cat")),
            ("cat_001.png", Some("cat")),
            ("cat-1.jpg", Some("cat")),
            ("cat (12).jpg", Some("cat")),
            ("n0123_45.JPEG", Some("n0123")),
            ("great dane.7.jpg", Some("great dane")),
            ("1.jpg", None),
            ("IMG1234.jpg", None),
            (".5.jpg", None),
            ("cat.jpg", None),
        ] {
            assert_eq!(file_label(path), label, "{path}");
        }
    }

    #[test]
    fn folders_of_different_names_are_classes_else_file_names_are() {
        use LabelRule::{Auto, FileName, Folder};
        check(&["cat/1.png", "dog/1.png"], Auto, Folder, &["cat", "dog"]);
        check(&["all/cat/x/1.png", "all/dog/x/1.png"], Auto, Folder, &["cat", "dog"]);
        check(&["train/cat/1.png", "val/dog/1.png"], Auto, Folder, &["cat", "dog"]);
        check(&["cat/1.png", "dog/deep/1.png"], Auto, Folder, &["cat", "dog"]);
        check(&["train/cat.0.png", "train/dog.0.png"], Auto, FileName, &["cat", "dog"]);
        check(&["train/cat.0.png", "test1/dog.0.png"], Auto, FileName, &["cat", "dog"]);
        check(&["0.tar/cat.0.png", "1.tar/dog.0.png"], Auto, FileName, &["cat", "dog"]);
        check(&["0.tar/cat/0.png", "1.tar/dog/0.png"], Auto, Folder, &["cat", "dog"]);
        check(&["a/cat.0.png", "b/dog.0.png"], FileName, FileName, &["cat", "dog"]);
        check(&["train/1.png", "test/2.png"], Folder, Folder, &["test", "train"]);
    }

    #[test]
    fn classes_stand_in_natural_order() {
        let labels = labels(&["10/a.png", "9/a.png", "b/a.png", "9/b.png"], LabelRule::Auto).unwrap();
        assert_eq!(labels.classes, ["9", "10", "b"]);
        // Entries are in order of their paths: 10/a, 9/a, 9/b, b/a.
        assert_eq!(labels.class_of, [1, 0, 0, 2]);
    }

    #[test]
    fn an_image_that_lacks_the_class_that_others_have_is_named() {
        let files = [("0.png", sample::png(0)), ("cat.1.png", sample::png(1)), ("cat.1.cls", b"tabby".to_vec())];
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "data.tar", &sample::tar(&files));
        let source = open(&path, &OpenOptions::default()).unwrap();
        for rule in [LabelRule::Auto, LabelRule::Source] {
            let error = Labels::of(source.as_ref(), rule).unwrap_err();
            assert!(matches!(&error, DatasetError::ClassMissing { entry, .. } if entry == "0.png"), "{error}");
        }
    }

    #[test]
    fn what_gives_no_classes_says_why() {
        let error = labels(&["cat.1.png", "whiskers.png"], LabelRule::Auto).unwrap_err();
        assert!(matches!(&error, DatasetError::UnknownLabel { entry } if entry == "whiskers.png"), "{error}");
        let error = labels(&["a/cat.1.png", "a/cat.2.png"], LabelRule::Auto).unwrap_err();
        assert!(matches!(error, DatasetError::OneClass { images: 2, .. }), "{error}");
        let error = labels(&["a/cat.1.png", "a/dog.2.png"], LabelRule::Folder).unwrap_err();
        assert!(error.to_string().contains("`folder`"), "{error}");
        let error = labels(&["a/cat.1.png"], LabelRule::Source).unwrap_err();
        assert!(error.to_string().contains("no labels of its own"), "{error}");
    }
}
