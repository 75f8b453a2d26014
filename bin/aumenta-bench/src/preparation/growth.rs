//! The part `growth`: what more images cost.

use anyhow::Result;
use aumenta_seed::Seed;
use serde::Serialize;

use super::archive::pack;
use super::figures::Figures;
use super::measure::{Entry, Measured, measure};
use super::photographs::Photographs;
use super::pictures::{Facts, Wanted, write_pictures};
use super::place::Place;
use super::settings::Settings;
use crate::outcome::Outcome;

/// The width and height of the pictures.
const SIDE: usize = 64;

/// From so many images on a run takes long.
const MANY: usize = 100_000;

/// How closely images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Bytes and headers.
    Content,
    /// Pixels, and what looks alike.
    Likeness,
}

impl Depth {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Content, Self::Likeness];

    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Likeness => "likeness",
        }
    }
}

/// What came of the part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrowthResults {
    /// The pictures of the largest archive.
    pub pictures: Facts,
    /// The rows, by depth and then by the number of images.
    pub rows: Vec<GrowthRow>,
}

/// A split of some images.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrowthRow {
    /// How closely they are looked at.
    pub depth: Depth,
    /// How many there are.
    pub images: usize,
    /// What it took.
    pub outcome: Outcome<Figures>,
}

impl GrowthRow {
    /// The images of a second.
    pub fn rate(&self) -> Option<f64> {
        Some(self.images as f64 / self.outcome.figures()?.median())
    }
}

/// Splits archives of `counts` images at both depths. `talk` hears how it goes.
///
/// # Errors
/// Where an archive cannot be written.
pub fn measure_growth(
    place: &Place,
    photographs: &Photographs,
    (counts, seed): (&[usize], Seed),
    settings: &Settings,
    talk: &dyn Fn(&str),
) -> Result<GrowthResults> {
    talk("growth: writing pictures");
    let most = counts.iter().copied().max().unwrap_or(0);
    let folder = place.file("growth");
    let all: Vec<usize> = (0..photographs.len()).collect();
    let (wanted, mut paths) = (Wanted { count: most, side: SIDE, seed }, Vec::with_capacity(most));
    let pictures = write_pictures(&folder, photographs, &all, wanted, &mut |path| paths.push(path))?;
    let zip = |images: usize| place.file(format!("growth-{images}.zip"));
    for &images in counts {
        pack(&zip(images), &folder, &paths[..images])?;
    }
    fs_err::remove_dir_all(&folder)?;
    let cases: Vec<(Depth, usize)> =
        Depth::ALL.into_iter().flat_map(|depth| counts.iter().map(move |&images| (depth, images))).collect();
    let entry = |&(depth, images): &(Depth, usize)| {
        let rounds = if images < MANY { settings.rounds } else { settings.slow_rounds };
        Entry::new(format!("growth, {images} at depth {}", depth.name()), rounds, move |out| {
            let mut command = place.aumenta();
            command.arg("split").arg(zip(images)).arg("--out").arg(out.join("split"));
            command.args(["--ratios", "0.7,0.15,0.15", "--depth", depth.name()]);
            vec![command]
        })
    };
    let measured = measure(&cases.iter().map(entry).collect::<Vec<_>>(), &place.files, talk);
    let row = |(&(depth, images), measured): (&(Depth, usize), Measured)| GrowthRow {
        depth,
        images,
        outcome: measured.outcome,
    };
    let rows = cases.iter().zip(measured).map(row).collect();
    for &images in counts {
        fs_err::remove_file(zip(images))?;
    }
    Ok(GrowthResults { pictures, rows })
}
