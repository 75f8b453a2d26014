//! [`LabelArgs`]: where an image's class stands, as flags.

use std::path::PathBuf;

use aumenta_dataset::{ColumnRule, LabelRule};
use clap::ValueEnum;

/// Where an image's class stands.
#[derive(clap::Args)]
#[group(skip)]
pub struct LabelArgs {
    /// Where an image's class stands.
    #[arg(long, value_enum, default_value_t = Labels::Auto, conflicts_with_all = ["labels_pattern", "labels_csv"])]
    labels: Labels,
    /// An image's class is what the group `(?P<class>...)` of this regular expression finds in its path, such as
    /// `^(?P<class>[a-z]+)-`.
    #[arg(long, value_name = "REGEX", conflicts_with = "labels_csv")]
    labels_pattern: Option<String>,
    /// An image's class stands in this CSV file, such as Kaggle's `train_labels.csv`, whose rows name images with or without
    /// extension and folders.
    #[arg(long, value_name = "FILE")]
    pub labels_csv: Option<PathBuf>,
    /// The column of the classes [default: the only one besides the images' names].
    #[arg(long, value_name = "NAME", requires = "labels_csv")]
    label_column: Option<String>,
    /// The column of the images' names in a CSV file [default: the one that names most images].
    #[arg(long, value_name = "NAME")]
    pub id_column: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Labels {
    /// The source's own labels, else folder names, else file names.
    Auto,
    /// The folder's name.
    Folder,
    /// The file's name up to its number: `cat` for `cat.0.jpg`, `cat_001.png`, `cat (1).jpg`.
    FileName,
}

impl LabelArgs {
    pub fn rule(&self) -> LabelRule {
        let column = |file: &PathBuf| ColumnRule {
            file: file.clone(),
            id_column: self.id_column.clone(),
            column: self.label_column.clone(),
        };
        match (self.labels, &self.labels_pattern, &self.labels_csv) {
            (_, Some(pattern), _) => LabelRule::Pattern(pattern.clone()),
            (_, None, Some(file)) => LabelRule::Csv(column(file)),
            (Labels::Auto, None, None) => LabelRule::Auto,
            (Labels::Folder, None, None) => LabelRule::Folder,
            (Labels::FileName, None, None) => LabelRule::FileName,
        }
    }
}
