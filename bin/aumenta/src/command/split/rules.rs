//! Where classes and groups stand: the flags of `aumenta split` about labels.

use std::path::PathBuf;

use anyhow::Result;
use aumenta_dataset::{ColumnRule, GroupRule};

use crate::failure::BadUse;
use crate::labels::LabelArgs;

/// Where classes and groups stand.
#[derive(clap::Args)]
#[group(skip)]
pub struct RuleArgs {
    #[command(flatten)]
    pub labels: LabelArgs,
    /// Images for which this regular expression finds the same in their paths are of one group, which no split divides,
    /// such as the images of a patient: `^(patient[0-9]+)/`. What is meant is its only group or `(?P<group>...)`.
    #[arg(long, value_name = "REGEX", conflicts_with = "group_column")]
    group_by: Option<String>,
    /// Images that have the same in this column of a CSV file are of one group; those that have nothing there are not.
    #[arg(long, value_name = "NAME")]
    group_column: Option<String>,
    /// The CSV file with the groups [default: the one with the labels].
    #[arg(long, value_name = "FILE", requires = "group_column")]
    groups_csv: Option<PathBuf>,
}

impl RuleArgs {
    pub fn groups(&self) -> Result<Option<GroupRule>> {
        let Some(column) = &self.group_column else { return Ok(self.group_by.clone().map(GroupRule::Pattern)) };
        let Some(file) = self.groups_csv.as_ref().or(self.labels.labels_csv.as_ref()) else {
            return Err(BadUse::message("--group-column needs --groups-csv or --labels-csv, where it stands".into()));
        };
        Ok(Some(GroupRule::Csv(ColumnRule {
            file: file.clone(),
            id_column: self.labels.id_column.clone(),
            column: Some(column.clone()),
        })))
    }
}
