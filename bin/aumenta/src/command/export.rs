//! `aumenta export`: a prepared data set for other programs.

mod augmented;

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use aumenta_dataset::{Dataset, Existing, Format, Link, ShardSize, check_output, export};
use clap::ValueEnum;

use self::augmented::AugmentedArgs;
use crate::failure::BadUse;
use crate::output::print;
use crate::progress::counting;

/// Write a prepared data set for other programs: class folders, a zip archive, WebDataset's tar shards, or a table.
///
/// Every image is compared with its hash on the way. What is written appears under its name when it is complete.
///
/// With --augmented it writes augmented versions of the training images instead, each with what was drawn for it.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest, or the folder of it.
    manifest: PathBuf,
    /// What to write.
    #[arg(long, value_enum, required_unless_present = "augmented", conflicts_with = "augmented")]
    format: Option<Kind>,
    /// The folder (for folders, tar, and augmented images) or the file to write.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// For folders: how a file gets its bytes. Links need a data set that is a folder itself.
    #[arg(long, value_enum, default_value_t = Linking::Copy)]
    link: Linking,
    /// For tar: how much goes into a shard, a number of images such as 1000 or a size such as 256MB.
    #[arg(long, value_name = "N|MB", default_value = "1000", value_parser = shard_size)]
    shard_size: ShardSize,
    /// Replace what is at PATH, if it is an earlier export.
    #[arg(long)]
    replace: bool,
    /// Where the images are, if not where the manifest says.
    #[arg(long, value_name = "PATH")]
    source: Option<PathBuf>,
    #[command(flatten)]
    augmented: AugmentedArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A folder a split and a class: `train/cat/cat.0.jpg`.
    Folders,
    /// One zip archive of such folders.
    Zip,
    /// A folder of tar shards for WebDataset, shuffled: `train-000000.tar` with `00000012.jpg` and `00000012.cls`, the
    /// class's index.
    Tar,
    /// A CSV file with a row an image, without pixels.
    Csv,
    /// A Parquet file with a row an image, without pixels.
    Parquet,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Linking {
    /// It is a copy.
    Copy,
    /// It is another name of the same file: to change one is to change the other.
    Hard,
    /// It leads to the file.
    Symbolic,
}

/// A number of images, or of megabytes where these stand behind it.
fn shard_size(text: &str) -> Result<ShardSize> {
    let misfit = || anyhow!("`{text}` is neither a number of images such as 1000 nor a size such as 256MB");
    match text.strip_suffix("MB").map(str::trim) {
        Some(megabytes) => match megabytes.parse::<u64>() {
            Ok(megabytes @ 1..) => Ok(ShardSize::Bytes(megabytes.saturating_mul(1_000_000))),
            _ => Err(misfit()),
        },
        None => match text.parse() {
            Ok(images @ 1..) => Ok(ShardSize::Images(images)),
            _ => Err(misfit()),
        },
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let existing = if self.replace { Existing::ReplaceExport } else { Existing::Refuse };
        if self.link != Linking::Copy && !matches!(self.format, Some(Kind::Folders)) {
            return Err(BadUse::message("--link is for --format folders".into()));
        }
        check_output(&self.out, existing)?;
        let dataset = Dataset::open(&self.manifest, self.source.as_deref())?;
        let written = match self.format {
            Some(kind) => write(&dataset, self.format(kind), &self.out, existing)?,
            None => self.augmented.write(dataset, &self.out, existing)?,
        };
        if self.json {
            let json = serde_json::json!({ "out": self.out, "images": written });
            return print(&format!("{json:#}\n"));
        }
        print(&format!("wrote {written} images to {}\n", self.out.display()))
    }

    fn format(&self, kind: Kind) -> Format {
        match kind {
            Kind::Folders => Format::Folders(match self.link {
                Linking::Copy => Link::Copy,
                Linking::Hard => Link::Hard,
                Linking::Symbolic => Link::Symbolic,
            }),
            Kind::Zip => Format::Zip,
            Kind::Tar => Format::Shards(self.shard_size),
            Kind::Csv => Format::Csv,
            Kind::Parquet => Format::Parquet,
        }
    }
}

/// Exports `dataset` with a bar; says how many images.
pub fn write(dataset: &Dataset, format: Format, out: &Path, existing: Existing) -> Result<usize> {
    let bar = counting("writing images");
    let written = export(dataset, format, out, existing, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(written?)
}
