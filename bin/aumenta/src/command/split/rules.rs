//! Where classes and groups stand: the flags of `aumenta split` about labels.

use std::path::PathBuf;

use anyhow::Result;
use aumenta_dataset::{ColumnRule, GroupRule, LabelRule};
use clap::ValueEnum;

use crate::failure::BadUse;

/// Where classes and groups stand.
#[derive(clap::Args)]
#[group(skip)]
pub struct RuleArgs {
    /// Where an image's class stands.
    #[arg(long, value_enum, default_value_t = Labels::Auto, conflicts_with_all = ["labels_pattern", "labels_csv"])]
    labels: Labels,
    /// An image's class is what the group (?P<class>...) of this regular expression finds in its path, such as
    /// '^(?P<class>[a-z]+)-'.
    #[arg(long, value_name = "REGEX", conflicts_with = "labels_csv")]
    labels_pattern: Option<String>,
    /// An image's class stands in this CSV file, such as Kaggle's `train_labels.csv`, whose rows name images with or without
    /// extension and folders.
    #[arg(long, value_name = "FILE")]
    labels_csv: Option<PathBuf>,
    /// The column of the classes [default: the only one besides the images' names].
    #[arg(long, value_name = "NAME", requires = "labels_csv")]
    label_column: Option<String>,
    /// The column of the images' names in a CSV file [default: the one that names most images].
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Images for which this regular expression finds the same in their paths are of one group, which no split divides,
    /// such as the images of a patient: '^(patient[0-9]+)/'. What is meant is its only group or (?P<group>...).
    #[arg(long, value_name = "REGEX", conflicts_with = "group_column")]
    group_by: Option<String>,
    /// Images that have the same in this column of a CSV file are of one group; those that have nothing there are not.
    #[arg(long, value_name = "NAME")]
    group_column: Option<String>,
    /// The CSV file with the groups [default: the one with the labels].
    #[arg(long, value_name = "FILE", requires = "group_column")]
    groups_csv: Option<PathBuf>,
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

impl RuleArgs {
    pub fn labels(&self) -> LabelRule {
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

    pub fn groups(&self) -> Result<Option<GroupRule>> {
        let Some(column) = &self.group_column else { return Ok(self.group_by.clone().map(GroupRule::Pattern)) };
        let Some(file) = self.groups_csv.as_ref().or(self.labels_csv.as_ref()) else {
            return Err(BadUse::message("--group-column needs --groups-csv or --labels-csv, where it stands".into()));
        };
        Ok(Some(GroupRule::Csv(ColumnRule {
            file: file.clone(),
            id_column: self.id_column.clone(),
            column: Some(column.clone()),
        })))
    }
}
