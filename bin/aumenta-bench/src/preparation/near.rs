//! The part `near`: which planted near-duplicates are found, and what else.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use aumenta_seed::Seed;
use serde::Serialize;

use super::figures::Figures;
use super::measure::{Entry, Measured, measure};
use super::near_set::NearSet;
use super::pairs::Judgement;
use super::photographs::Photographs;
use super::place::Place;
use super::said::Said;
use crate::outcome::Outcome;

/// Who looks for near-duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta.
    Ours,
    /// imagededup with its default.
    Imagededup,
    /// imagededup with a smaller distance.
    ImagededupClose,
    /// `CleanVision`.
    Cleanvision,
}

impl Contender {
    /// All of them, ours first.
    pub const ALL: [Self; 4] = [Self::Ours, Self::Imagededup, Self::ImagededupClose, Self::Cleanvision];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Imagededup => "imagededup",
            Self::ImagededupClose => "imagededup-6",
            Self::Cleanvision => "cleanvision",
        }
    }

    /// What it is.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => {
                "the library's `scan` at its depth `likeness`, which also decodes every pixel and looks for damage."
            }
            Self::Imagededup => "`PHash().find_duplicates` as it comes: hashes of 64 bits that differ in at most 10.",
            Self::ImagededupClose => "the same with `max_distance_threshold=6`.",
            Self::Cleanvision => {
                "`Imagelab.find_issues` for near-duplicates and exact ones: images of the same perceptual hash."
            }
        }
    }

    fn command(self, place: &Place, folder: &Path) -> Command {
        let mut command = match self {
            Self::Ours => Place::preparer("near"),
            Self::Imagededup | Self::ImagededupClose => place.python("imagededup_peer.py"),
            Self::Cleanvision => place.python("cleanvision_peer.py"),
        };
        command.arg(folder);
        match self {
            Self::Ours | Self::Imagededup => &mut command,
            Self::ImagededupClose => command.args(["--threshold", "6"]),
            Self::Cleanvision => command.arg("--near"),
        };
        command
    }
}

/// How the part is measured.
#[derive(Clone, Copy, Debug)]
pub struct NearConfig<'a> {
    /// The contenders.
    pub contenders: &'a [Contender],
    /// How many photographs have variants.
    pub originals: usize,
    /// How many pictures there are.
    pub files: usize,
    /// Runs of each contender.
    pub rounds: usize,
    /// The seed of what is planted.
    pub seed: Seed,
}

/// What came of the part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NearResults {
    /// How many pictures there are.
    pub files: usize,
    /// How many photographs are among them.
    pub photographs: usize,
    /// How many of these have variants.
    pub originals: usize,
    /// Runs of each contender.
    pub rounds: usize,
    /// The contenders, in order.
    pub rows: Vec<NearRow>,
}

/// What came of a contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NearRow {
    /// The contender.
    pub contender: Contender,
    /// What it took.
    pub outcome: Outcome<Figures>,
    /// How long it worked in the last run, without starting and loading, in seconds.
    pub work_seconds: Option<f64>,
    /// What it found.
    pub judgement: Option<Judgement>,
}

/// Plants near-duplicates among other pictures and has each contender look for them. Versions are added to `versions`, and
/// `talk` hears how it goes.
///
/// # Errors
/// Where the pictures cannot be written.
pub fn measure_near(
    place: &Place,
    photographs: &Photographs,
    config: &NearConfig<'_>,
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Result<NearResults> {
    let folder = place.file("near");
    talk("near: writing pictures");
    let set = NearSet::write(&folder, photographs, config.originals, config.files, config.seed)?;
    let entry = |contender: Contender| {
        let folder = &folder;
        Entry::new(format!("near, {}", contender.name()), config.rounds, move |_| {
            vec![contender.command(place, folder)]
        })
    };
    let entries: Vec<Entry<'_>> = config.contenders.iter().copied().map(entry).collect();
    let measured = measure(&entries, &place.files, talk);
    let row = |(&contender, measured)| NearRow::new(contender, measured, &set, &folder, versions);
    let rows = config.contenders.iter().zip(measured).map(row).collect();
    fs_err::remove_dir_all(&folder)?;
    let NearSet { files, photographs, originals, .. } = set;
    Ok(NearResults { files, photographs, originals, rounds: config.rounds, rows })
}

impl NearRow {
    fn new(
        contender: Contender,
        measured: Measured,
        set: &NearSet,
        folder: &Path,
        versions: &mut BTreeMap<String, String>,
    ) -> Self {
        let Measured { outcome, outputs } = measured;
        if outcome.figures().is_none() {
            return Self { contender, outcome, work_seconds: None, judgement: None };
        }
        match outputs.last().context("it said nothing").and_then(|output| Said::read(output)) {
            Ok(said) => {
                versions.extend(said.versions);
                let judgement = Some(Judgement::of(said.pairs, set, folder));
                Self { contender, outcome, work_seconds: said.work_seconds, judgement }
            }
            Err(error) => {
                let outcome = Outcome::Refused(format!("{error:#}"));
                Self { contender, outcome, work_seconds: None, judgement: None }
            }
        }
    }
}
