//! The part `split`: from an archive to train, val and test.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Serialize;

use super::archive::write_archive;
use super::figures::Figures;
use super::measure::{Entry, measure};
use super::photographs::Photographs;
use super::pictures::{Facts, Wanted};
use super::place::Place;
use super::said::Said;
use super::unpacking::Unpacking;
use crate::outcome::Outcome;

/// The shares of train, val and test.
const RATIOS: &str = "0.7,0.15,0.15";

/// Who splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// `unzip`, and then split-folders.
    UnzipSplitFolders,
    /// Aumenta, with files written.
    OursMaterialize,
    /// Aumenta in place, by bytes alone.
    OursContent,
    /// Aumenta in place, with all pixels decoded.
    OursPixels,
    /// Aumenta in place, with near-duplicates kept together.
    Ours,
}

impl Contender {
    /// All of them, the other library first.
    pub const ALL: [Self; 5] =
        [Self::UnzipSplitFolders, Self::OursMaterialize, Self::OursContent, Self::OursPixels, Self::Ours];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnzipSplitFolders => "unzip-split-folders",
            Self::OursMaterialize => "ours-materialize",
            Self::OursContent => "ours-content",
            Self::OursPixels => "ours-pixels",
            Self::Ours => "ours",
        }
    }

    /// What it is.
    pub fn description(self) -> &'static str {
        match self {
            Self::UnzipSplitFolders => {
                "the archive is unpacked into a folder, and `splitfolders.ratio` copies its files into those of the splits."
            }
            Self::OursMaterialize => "`aumenta split --depth content --materialize`: the same folders of the splits.",
            Self::OursContent => "`aumenta split --depth content`: copies of the same bytes stay on one side.",
            Self::OursPixels => "`aumenta split --depth pixels`: every pixel is decoded, so that damage shows.",
            Self::Ours => "`aumenta split` as it comes: near-duplicates stay on one side, too.",
        }
    }

    fn commands(self, place: &Place, unpacking: Unpacking, zip: &Path, out: &Path) -> Vec<Command> {
        let split = |depth: &str| {
            let mut command = place.aumenta();
            command
                .arg("split")
                .arg(zip)
                .arg("--out")
                .arg(out.join("split"))
                .args(["--ratios", RATIOS, "--depth", depth]);
            command
        };
        match self {
            Self::UnzipSplitFolders => {
                let [unpacked, divided] = ["unpacked", "divided"].map(|name| out.join(name));
                let mut divide = place.python("split_folders_peer.py");
                divide.arg(&unpacked).arg(divided).arg(RATIOS);
                vec![unpacking.command(place, zip, &unpacked), divide]
            }
            Self::OursMaterialize => {
                let mut command = split("content");
                command.arg("--materialize").arg(out.join("files"));
                vec![command]
            }
            Self::OursContent => vec![split("content")],
            Self::OursPixels => vec![split("pixels")],
            Self::Ours => vec![split("likeness")],
        }
    }
}

/// What came of the part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SplitResults {
    /// The pictures of the archive.
    pub pictures: Facts,
    /// The contenders, in order.
    pub rows: Vec<SplitRow>,
}

/// What came of a contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SplitRow {
    /// The contender.
    pub contender: Contender,
    /// What it took.
    pub outcome: Outcome<Figures>,
}

impl SplitResults {
    /// The figures of a contender.
    pub fn figures(&self, contender: Contender) -> Option<&Figures> {
        self.rows.iter().find(|row| row.contender == contender)?.outcome.figures()
    }
}

/// Writes an archive of the wanted pictures and has each of `contenders` split it. Versions are added to `versions`, and `talk`
/// hears how it goes.
///
/// # Errors
/// Where the archive cannot be written.
pub fn measure_split(
    place: &Place,
    photographs: &Photographs,
    (contenders, wanted, rounds): (&[Contender], Wanted, usize),
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Result<SplitResults> {
    let zip = place.file("split.zip");
    talk("split: writing pictures");
    let pictures = write_archive(&zip, photographs, wanted, &place.files)?;
    let unpacking = Unpacking::find();
    let entry = |&contender: &Contender| {
        let zip = &zip;
        Entry::new(format!("split, {}", contender.name()), rounds, move |out| {
            contender.commands(place, unpacking, zip, out)
        })
    };
    let measured = measure(&contenders.iter().map(entry).collect::<Vec<_>>(), &place.files, talk);
    let mut rows = Vec::new();
    for (&contender, measured) in contenders.iter().zip(measured) {
        if contender == Contender::UnzipSplitFolders {
            versions.extend(unpacking.version());
            let said = measured.outputs.last().and_then(|output| Said::read(output).ok());
            versions.extend(said.unwrap_or_default().versions);
        }
        rows.push(SplitRow { contender, outcome: measured.outcome });
    }
    fs_err::remove_file(&zip)?;
    Ok(SplitResults { pictures, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_library_takes_two_programs_and_ours_one() {
        let place = Place { aumenta: "aumenta".into(), python: "python3".into(), files: "files".into() };
        let [zip, out] = ["a.zip", "out"].map(Path::new);
        let lines = Contender::ALL.map(|contender| {
            let commands = contender.commands(&place, Unpacking::Unzip, zip, out);
            commands.iter().map(|command| format!("{command:?}")).collect::<Vec<_>>()
        });
        assert_eq!(lines[0][0], r#""unzip" "-q" "a.zip" "-d" "out/unpacked""#);
        assert!(lines[0][1].ends_with(r#"split_folders_peer.py" "out/unpacked" "out/divided" "0.7,0.15,0.15""#));
        let split = r#""aumenta" "split" "a.zip" "--out" "out/split" "--ratios" "0.7,0.15,0.15" "--depth" "#;
        assert_eq!(lines[1], [format!(r#"{split}"content" "--materialize" "out/files""#)]);
        assert_eq!(lines[4], [format!(r#"{split}"likeness""#)]);
    }
}
