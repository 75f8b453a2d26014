//! The part `inspect`: which planted faults are named, and how long that takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use super::fault_set::{FaultSet, Named};
use super::figures::Figures;
use super::measure::{Entry, Measured, measure};
use super::photographs::Photographs;
use super::pictures::{Facts, Wanted};
use super::place::Place;
use super::said::Said;
use super::settings::Settings;
use crate::outcome::Outcome;

/// Who looks for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta.
    Ours,
    /// `CleanVision`.
    Cleanvision,
    /// imagededup.
    Imagededup,
}

impl Contender {
    /// All of them, ours first.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Cleanvision, Self::Imagededup];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Cleanvision => "cleanvision",
            Self::Imagededup => "imagededup",
        }
    }

    /// What it is.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => "`aumenta inspect --json` as it comes: damage, copies, near-duplicates and oddities.",
            Self::Cleanvision => "`Imagelab.find_issues` with all its checks.",
            Self::Imagededup => {
                "`PHash().find_duplicates` as it comes; a duplicate is named where the hashes are the same, and an invalid image \
                 where its log says so."
            }
        }
    }

    fn command(self, place: &Place, folder: &Path) -> Command {
        let mut command = match self {
            Self::Ours => place.aumenta(),
            Self::Cleanvision => place.python("cleanvision_peer.py"),
            Self::Imagededup => place.python("imagededup_peer.py"),
        };
        match self {
            Self::Ours => command.arg("inspect").arg(folder).arg("--json"),
            Self::Cleanvision | Self::Imagededup => command.arg(folder),
        };
        command
    }
}

/// How the part is measured.
#[derive(Clone, Copy, Debug)]
pub struct InspectConfig<'a> {
    /// The contenders.
    pub contenders: &'a [Contender],
    /// The pictures without a fault.
    pub wanted: Wanted,
    /// How many files have each fault.
    pub each: usize,
    /// How it is measured.
    pub settings: Settings,
}

/// What came of the part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectResults {
    /// The pictures without a fault.
    pub pictures: Facts,
    /// How many files have each fault.
    pub each: usize,
    /// Runs of those that take long.
    pub slow_rounds: usize,
    /// The contenders, in order.
    pub rows: Vec<InspectRow>,
}

/// What came of a contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectRow {
    /// The contender.
    pub contender: Contender,
    /// What it took.
    pub outcome: Outcome<Figures>,
    /// What it named.
    pub named: Option<Named>,
    /// What it stopped with, where it was run again without the files that it cannot read.
    pub stopped: Option<String>,
}

impl InspectResults {
    /// The figures of a contender.
    pub fn figures(&self, contender: Contender) -> Option<&Figures> {
        self.rows.iter().find(|row| row.contender == contender)?.outcome.figures()
    }
}

/// Plants faults among pictures and has each contender look for them; those that stop at a file they cannot read do it again
/// without such files. Versions are added to `versions`, and `talk` hears how it goes.
///
/// # Errors
/// Where the pictures cannot be written.
pub fn measure_inspect(
    place: &Place,
    photographs: &Photographs,
    config: &InspectConfig<'_>,
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Result<InspectResults> {
    let folder = place.file("inspect");
    talk("inspect: writing pictures");
    let set = FaultSet::write(&folder, photographs, config.wanted, config.each)?;
    let run = |contenders: &[Contender]| {
        let entry = |&contender: &Contender| {
            let Settings { rounds, slow_rounds } = config.settings;
            let rounds = if contender == Contender::Ours { rounds } else { slow_rounds };
            let folder = &folder;
            Entry::new(format!("inspect, {}", contender.name()), rounds, move |_| {
                vec![contender.command(place, folder)]
            })
        };
        measure(&contenders.iter().map(entry).collect::<Vec<_>>(), &place.files, talk)
    };
    let measured = run(config.contenders);
    let mut rows: Vec<InspectRow> = config
        .contenders
        .iter()
        .zip(measured)
        .map(|(&contender, measured)| InspectRow::new(contender, measured, &set, versions))
        .collect();
    set.without_unreadable(&folder, &place.file("unreadable"))?;
    for row in rows.iter_mut().filter(|row| row.contender != Contender::Ours) {
        if let Some(reason) = row.outcome.refusal() {
            let measured = run(&[row.contender]).remove(0);
            *row = InspectRow::new(row.contender, measured, &set, versions);
            row.stopped = Some(reason);
        }
    }
    fs_err::remove_dir_all(&folder)?;
    let InspectConfig { each, settings: Settings { slow_rounds, .. }, .. } = *config;
    Ok(InspectResults { pictures: set.pictures, each, slow_rounds, rows })
}

impl InspectRow {
    fn new(contender: Contender, measured: Measured, set: &FaultSet, versions: &mut BTreeMap<String, String>) -> Self {
        let Measured { outcome, outputs } = measured;
        let refused = |outcome| Self { contender, outcome, named: None, stopped: None };
        if outcome.figures().is_none() {
            return refused(outcome);
        }
        match outputs.last().context("it said nothing").and_then(|output| Said::read(output)) {
            Ok(said) => {
                versions.extend(said.versions);
                Self { contender, outcome, named: Some(set.judge(&said.findings)), stopped: None }
            }
            Err(error) => refused(Outcome::Refused(format!("{error:#}"))),
        }
    }
}
