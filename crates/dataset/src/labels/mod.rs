//! [`LabelRule`]: where the class of an image stands; [`Labels`]: the classes that it gives.

mod file_name;
mod folder;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use self::file_name::file_label;
use self::folder::{all_named_like_parts, last_level, varying_level};
use crate::error::DatasetError;
use crate::natural::natural_key;
use crate::pattern::Pattern;
use crate::source::{Source, is_safe};
use crate::table::{ColumnRule, Table, TableFault};

/// Where the class of an image stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The group `(?P<class>...)` of a regular expression that is searched in the image's path.
    Pattern(String),
    /// A column of a CSV file.
    Csv(ColumnRule),
}

impl LabelRule {
    /// The rule's name, as in a configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Folder => "folder",
            Self::FileName => "file-name",
            Self::Source => "source",
            Self::Pattern(_) => "pattern",
            Self::Csv(_) => "csv",
        }
    }
}

/// The classes of a source and the class of each of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The rule that was applied, never [`LabelRule::Auto`], with the columns that were found.
    pub rule: LabelRule,
    /// The names of the classes, in natural order (`2` before `10`).
    pub classes: Vec<String>,
    /// For each entry of the source the index of its class.
    pub class_of: Vec<u32>,
    /// Rows of the CSV file that name no image of the source.
    pub unmatched_rows: usize,
}

impl Labels {
    /// Labels every entry of `source`.
    ///
    /// # Errors
    /// Where the rule does not apply, an image gets no class, a class could not name a folder, or there is only one class.
    pub fn of(source: &dyn Source, rule: &LabelRule) -> Result<Self, DatasetError> {
        let level = varying_level(source);
        let has_labels = (0..source.entries().len()).any(|index| source.label(index).is_some());
        let misfit = |reason| DatasetError::LabelRule { rule: rule.name(), path: source.path().to_owned(), reason };
        let applied = match rule {
            LabelRule::Auto if has_labels => LabelRule::Source,
            LabelRule::Auto => match level {
                Some(level) if !all_named_like_parts(source, level) => LabelRule::Folder,
                // Of one folder whose files have no classes in their names there is one class.
                None if !are_named_by_class(source) && is_class_folder(source) => LabelRule::Folder,
                _ => LabelRule::FileName,
            },
            rule => rule.clone(),
        };
        let paths = || source.entries().iter().map(|entry| entry.path.as_str());
        match &applied {
            LabelRule::Source if !has_labels => Err(misfit("it has no labels of its own")),
            LabelRule::Source => {
                let label = |(index, path): (usize, &str)| {
                    source.label(index).ok_or_else(|| DatasetError::ClassMissing {
                        path: source.path().to_owned(),
                        entry: path.to_owned(),
                    })
                };
                Self::from_names(source, applied, &paths().enumerate().map(label).collect::<Result<Vec<_>, _>>()?)
            }
            LabelRule::Folder => {
                let level = level.or_else(|| last_level(source));
                let level = level.ok_or_else(|| misfit("its images are not in folders"))?;
                let names: Vec<&str> = paths().filter_map(|path| path.split('/').nth(level)).collect();
                Self::from_names(source, applied, &names)
            }
            LabelRule::Pattern(pattern) => {
                let names = Pattern::new(pattern, "class")?.find_all(source)?;
                Self::from_names(source, applied, &names)
            }
            LabelRule::Csv(rule) => Self::from_table(source, rule),
            LabelRule::Auto | LabelRule::FileName => {
                let label =
                    |path| file_label(path).ok_or_else(|| DatasetError::UnknownLabel { entry: String::from(path) });
                Self::from_names(source, applied, &paths().map(label).collect::<Result<Vec<_>, _>>()?)
            }
        }
    }

    fn from_table(source: &dyn Source, rule: &ColumnRule) -> Result<Self, DatasetError> {
        let table = Table::read(&rule.file)?;
        let column = table.column(rule, source)?;
        let values = column.values(source)?;
        let missing = values.of_entry.iter().filter(|value| value.is_none()).count();
        if let Some(first) = values.of_entry.iter().position(Option::is_none) {
            let entry = source.entries()[first].path.clone();
            return Err(table.fault(TableFault::RowMissing { entry, missing, images: values.of_entry.len() }));
        }
        let names: Vec<&str> = values.of_entry.into_iter().flatten().collect();
        if let Some(empty) = names.iter().position(|name| name.is_empty()) {
            let entry = source.entries()[empty].path.clone();
            return Err(table.fault(TableFault::EmptyCell { entry, column: column.name().to_owned() }));
        }
        let labels = Self::from_names(source, LabelRule::Csv(column.rule()), &names)?;
        Ok(Self { unmatched_rows: values.unmatched_rows, ..labels })
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
        let index: HashMap<&str, u32> = sorted.iter().copied().zip(0..).collect();
        let class_of = names.iter().map(|name| index[name]).collect();
        let classes = sorted.into_iter().map(str::to_owned).collect();
        Ok(Self { rule, classes, class_of, unmatched_rows: 0 })
    }
}

/// Whether any file's name says a class.
fn are_named_by_class(source: &dyn Source) -> bool {
    source.entries().iter().any(|entry| file_label(&entry.path).is_some())
}

/// Whether all images lie in a folder that could be a class's.
fn is_class_folder(source: &dyn Source) -> bool {
    last_level(source).is_some_and(|level| !all_named_like_parts(source, level))
}

/// Whether `class` can name a folder, which a class must where splits are written as folders.
pub(crate) fn is_class_name(class: &str) -> bool {
    is_safe(class) && !class.contains(['/', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::source::{OpenOptions, open};

    fn labels(paths: &[&str], rule: &LabelRule) -> Result<Labels, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = paths.iter().enumerate().map(|(number, path)| (*path, sample::png(number))).collect();
        sample::write_files(folder.path(), &files);
        Labels::of(open(folder.path(), &OpenOptions::default()).unwrap().as_ref(), rule)
    }

    #[track_caller]
    fn check(paths: &[&str], rule: &LabelRule, applied: &LabelRule, classes: &[&str]) {
        let labels = labels(paths, rule).unwrap();
        assert_eq!(labels.rule, *applied);
        assert_eq!(labels.classes, classes);
    }

    #[test]
    fn folders_of_different_names_are_classes_else_file_names_are() {
        use LabelRule::{Auto, FileName, Folder};
        check(&["cat/1.png", "dog/1.png"], &Auto, &Folder, &["cat", "dog"]);
        check(&["all/cat/x/1.png", "all/dog/x/1.png"], &Auto, &Folder, &["cat", "dog"]);
        check(&["train/cat/1.png", "val/dog/1.png"], &Auto, &Folder, &["cat", "dog"]);
        check(&["cat/1.png", "dog/deep/1.png"], &Auto, &Folder, &["cat", "dog"]);
        check(&["train/cat.0.png", "train/dog.0.png"], &Auto, &FileName, &["cat", "dog"]);
        check(&["train/cat.0.png", "test1/dog.0.png"], &Auto, &FileName, &["cat", "dog"]);
        check(&["0.tar/cat.0.png", "1.tar/dog.0.png"], &Auto, &FileName, &["cat", "dog"]);
        check(&["0.tar/cat/0.png", "1.tar/dog/0.png"], &Auto, &Folder, &["cat", "dog"]);
        check(&["a/cat.0.png", "b/dog.0.png"], &FileName, &FileName, &["cat", "dog"]);
        check(&["train/1.png", "test/2.png"], &Folder, &Folder, &["test", "train"]);
    }

    #[test]
    fn classes_stand_in_natural_order() {
        let labels = labels(&["10/a.png", "9/a.png", "b/a.png", "9/b.png"], &LabelRule::Auto).unwrap();
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
            let error = Labels::of(source.as_ref(), &rule).unwrap_err();
            assert!(matches!(&error, DatasetError::ClassMissing { entry, .. } if entry == "0.png"), "{error}");
        }
    }

    #[test]
    fn what_gives_no_classes_says_why() {
        let error = labels(&["cat.1.png", "whiskers.png"], &LabelRule::Auto).unwrap_err();
        assert!(matches!(&error, DatasetError::UnknownLabel { entry } if entry == "whiskers.png"), "{error}");
        let error = labels(&["a/cat.1.png", "a/cat.2.png"], &LabelRule::Auto).unwrap_err();
        assert!(matches!(error, DatasetError::OneClass { images: 2, .. }), "{error}");
        let error = labels(&["cat.1.png", "dog.2.png"], &LabelRule::Folder).unwrap_err();
        assert!(error.to_string().contains("`folder`"), "{error}");
        for (paths, rule) in
            [(["cats/1.png", "cats/2.png"], LabelRule::Auto), (["cats/cat.1.png", "cats/dog.2.png"], LabelRule::Folder)]
        {
            let error = labels(&paths, &rule).unwrap_err();
            assert!(matches!(&error, DatasetError::OneClass { class, .. } if class == "cats"), "{error}");
        }
        let error = labels(&["train/1.png", "train/2.png"], &LabelRule::Auto).unwrap_err();
        assert!(matches!(error, DatasetError::UnknownLabel { .. }), "{error}");
        let error = labels(&["a/cat.1.png"], &LabelRule::Source).unwrap_err();
        assert!(error.to_string().contains("no labels of its own"), "{error}");
    }

    /// The labels of `paths` by a CSV file of this text.
    fn by_csv(paths: &[&str], csv: &str) -> Result<Labels, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let file = sample::write(folder.path(), "labels.csv", csv.as_bytes());
        labels(paths, &LabelRule::Csv(ColumnRule::new(file)))
    }

    #[test]
    fn a_pattern_or_a_csv_file_gives_classes_and_is_recorded_with_what_was_found() {
        let pattern = LabelRule::Pattern(r"(?P<class>[a-z]+)\.png$".to_owned());
        check(&["1-cat.png", "2-dog.png"], &pattern, &pattern, &["cat", "dog"]);
        let labels = by_csv(&["t/1.png", "t/2.png"], "id,breed\n2,tabby\n1,great dane\n3,pug\n").unwrap();
        assert_eq!((labels.classes, labels.class_of), (vec!["great dane".to_owned(), "tabby".to_owned()], vec![0, 1]));
        assert_eq!(labels.unmatched_rows, 1);
        let applied =
            ColumnRule { id_column: Some("id".into()), column: Some("breed".into()), file: "labels.csv".into() };
        assert_eq!(labels.rule, LabelRule::Csv(applied));
    }

    #[test]
    fn an_image_without_a_row_or_a_class_is_named() {
        let error = |csv: &str| {
            let error = by_csv(&["1.png", "2.png", "3.png"], csv).unwrap_err();
            std::error::Error::source(&error).unwrap().to_string()
        };
        assert!(error("id,label\n1,a\n3,b\n").starts_with("1 of 3 images have no row, such as `2.png`"));
        assert!(error("id,label\n1,a\n2,\n3,b\n").starts_with("`2.png` has nothing in the column `label`"));
    }
}
