//! `aumenta split`: from an archive or folder to a manifest.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Result, anyhow};
use aumenta_dataset::{
    Amounts, Dataset, DatasetError, LabelRule, MANIFEST_FILE, Manifest, OnFaulty, OpenOptions, Order, PrepareConfig,
    Split, check_vacant, materialize, prepare,
};
use aumenta_report::{Alignment, Table};
use aumenta_seed::Seed;
use clap::ValueEnum;
use serde_json::json;

use crate::failure::BadUse;
use crate::output::print;
use crate::progress::counting;

/// Split a data set into train, val and test, and write a manifest that later commands read.
///
/// SOURCE is a zip archive (also one inside another, as Kaggle packs them), a tar archive, a folder of images, a folder of
/// tar shards (as WebDataset packs them), or a folder of IDX files such as MNIST's. It is read in place; nothing is unpacked. Every image is decoded once, so that a damaged one shows
/// now and not in the middle of a training. Exact copies never end up on both sides of a split.
#[derive(clap::Args)]
pub struct Args {
    /// The archive or folder.
    source: PathBuf,
    /// The folder for the manifest.
    #[arg(long)]
    out: PathBuf,
    /// Images of each class for train, val and test, such as 1000,500,500; the rest is not used. Two numbers (train,
    /// val) for a source that brings its own test set.
    #[arg(long, required_unless_present = "ratios", conflicts_with = "ratios")]
    counts: Option<Amount<usize>>,
    /// Shares of each class for train, val and test that sum to 1, such as 0.7,0.15,0.15; two for a source that brings
    /// its own test set.
    #[arg(long)]
    ratios: Option<Amount<f64>>,
    /// Chooses the images of each split.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Take the first images of each class for train, the next for val, the next for test, in natural order of their
    /// names, instead of shuffling.
    #[arg(long)]
    in_order: bool,
    /// Where an image's class stands.
    #[arg(long, value_enum, default_value_t = Labels::Auto)]
    labels: Labels,
    /// The archive to use, where the outer archive holds several.
    #[arg(long)]
    inner: Option<String>,
    /// Leave damaged images out and note them in the manifest, instead of stopping.
    #[arg(long)]
    skip_faulty: bool,
    /// Also write the images into class folders below this folder, for those who want files.
    #[arg(long, value_name = "FOLDER")]
    materialize: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Labels {
    /// The source's own labels, else folder names, else file names.
    Auto,
    /// The folder's name.
    Folder,
    /// The file's name up to its number: `cat` for `cat.0.jpg`.
    FileName,
}

/// Two or three numbers, separated by commas.
#[derive(Clone, Copy)]
struct Amount<T> {
    train: T,
    val: T,
    test: Option<T>,
}

impl<T: FromStr + Copy> FromStr for Amount<T> {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split(',').map(|number| {
            number.trim().parse().map_err(|_| anyhow!("`{number}` is no such number; give TRAIN,VAL,TEST"))
        });
        match *numbers.collect::<Result<Vec<T>>>()?.as_slice() {
            [train, val] => Ok(Self { train, val, test: None }),
            [train, val, test] => Ok(Self { train, val, test: Some(test) }),
            _ => Err(anyhow!("give two or three numbers, TRAIN,VAL,TEST")),
        }
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let path = self.out.join(MANIFEST_FILE);
        if path.exists() {
            return Err(BadUse::from_error(DatasetError::OutputTaken { path: self.out }));
        }
        if let Some(folder) = &self.materialize {
            check_vacant(folder)?;
        }
        let manifest = split(&self.source, &self.out, &self.config()?)?;
        let dataset = Dataset::open(&path, None)?;
        if let Some(folder) = &self.materialize {
            let bar = counting("writing files");
            let written = materialize(&dataset, folder, &|done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            });
            bar.finish_and_clear();
            eprintln!("wrote {} files below {}", written?, folder.display());
        }
        for finding in manifest.left_out.iter().take(10) {
            eprintln!("left out: {finding}");
        }
        if manifest.left_out.len() > 10 {
            eprintln!("left out: {} more, see the manifest", manifest.left_out.len() - 10);
        }
        if self.json { print(&format!("{:#}\n", to_json(&manifest, &path))) } else { print(&to_text(&manifest, &path)) }
    }

    fn config(&self) -> Result<PrepareConfig> {
        let amounts = match (self.counts, self.ratios) {
            (Some(Amount { train, val, test }), None) => Amounts::Counts { train, val, test },
            (None, Some(Amount { train, val, test })) => Amounts::Ratios { train, val, test },
            _ => return Err(BadUse::message("give either --counts or --ratios".to_string())),
        };
        Ok(PrepareConfig {
            order: if self.in_order { Order::InOrder } else { Order::Shuffled },
            seed: Seed::new(self.seed),
            labels: match self.labels {
                Labels::Auto => LabelRule::Auto,
                Labels::Folder => LabelRule::Folder,
                Labels::FileName => LabelRule::FileName,
            },
            on_faulty: if self.skip_faulty { OnFaulty::Skip } else { OnFaulty::Fail },
            open: OpenOptions { inner: self.inner.clone(), ..OpenOptions::default() },
            ..PrepareConfig::new(amounts)
        })
    }
}

/// Scans and splits `source`, and writes the manifest into the folder `out`.
pub fn split(source: &Path, out: &Path, config: &PrepareConfig) -> Result<Manifest> {
    let bar = counting("checking images");
    let prepared = prepare(source, config, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let manifest = prepared?;
    fs_err::create_dir_all(out)?;
    let path = out.join(MANIFEST_FILE);
    manifest.write(&path)?;
    Ok(Manifest::read(&path)?)
}

fn to_text(manifest: &Manifest, path: &Path) -> String {
    let splits = Split::ALL.map(|split| (split.name().to_string(), Alignment::Right));
    let mut table = Table::new([("class".to_string(), Alignment::Left)].into_iter().chain(splits));
    for (class, name) in (0u32..).zip(&manifest.classes) {
        let counts = Split::ALL.map(|split| manifest.count(split, class).to_string());
        table.push([name.clone()].into_iter().chain(counts));
    }
    format!(
        "{}{} images left out, {} not used, {} other files passed over\nmanifest {}, hash {}\n",
        table.to_text(),
        manifest.left_out.len(),
        manifest.unused,
        manifest.other_files,
        path.display(),
        &manifest.hash()[..16],
    )
}

fn to_json(manifest: &Manifest, path: &Path) -> serde_json::Value {
    let splits = Split::ALL.map(|split| {
        let counts =
            (0u32..).zip(&manifest.classes).map(|(class, name)| (name.clone(), json!(manifest.count(split, class))));
        (split.name().to_string(), json!(counts.collect::<serde_json::Map<_, _>>()))
    });
    json!({
        "manifest": path,
        "hash": manifest.hash(),
        "classes": manifest.classes,
        "splits": splits.into_iter().collect::<serde_json::Map<_, _>>(),
        "left-out": manifest.left_out.len(),
        "unused": manifest.unused,
        "other-files": manifest.other_files,
    })
}
