//! `aumenta export`: a prepared data set, or a run's network, for other programs.

mod augmented;
mod network;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use aumenta_dataset::{Dataset, Existing, Format, Link, ShardSize, check_output, export};
use aumenta_report::count;
use aumenta_runs::{Kept, RunFolder};
use clap::ValueEnum;

use self::augmented::AugmentedArgs;
use self::network::NetworkFormat;
use crate::failure::BadUse;
use crate::inference::CheckpointName;
use crate::output::print;
use crate::progress::counting;

/// Write a prepared data set for other programs: class folders, a zip archive, WebDataset's tar shards, or a table; or a
/// run's network: weights as safetensors, or a graph with weights as ONNX.
///
/// Every image is compared with its hash on the way. What is written appears under its name when it is complete.
///
/// With --augmented it writes augmented versions of the training images instead, each with what was drawn for it.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest, or the folder of it; or, for safetensors and ONNX, the folder of a run.
    #[arg(value_name = "MANIFEST|RUN")]
    from: PathBuf,
    /// What to write.
    #[arg(long, value_enum, required_unless_present = "augmented", conflicts_with = "augmented")]
    format: Option<Kind>,
    /// For a network: which of the run's checkpoints [default: best].
    #[arg(long, value_enum)]
    checkpoint: Option<CheckpointName>,
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
    /// class's index into `classes.txt` beside them.
    Tar,
    /// A CSV file with a row an image, without pixels.
    Csv,
    /// A Parquet file with a row an image, without pixels.
    Parquet,
    /// Of a run: the weights under PyTorch's names, with preprocessing and classes in the header.
    Safetensors,
    /// Of a run: the network with its weights, with preprocessing and classes in the metadata.
    Onnx,
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

impl Kind {
    /// What it is of a run, where it is one of a run's.
    fn of_network(self) -> Option<NetworkFormat> {
        match self {
            Self::Safetensors => Some(NetworkFormat::Safetensors),
            Self::Onnx => Some(NetworkFormat::Onnx),
            Self::Folders | Self::Zip | Self::Tar | Self::Csv | Self::Parquet => None,
        }
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let existing = if self.replace { Existing::ReplaceExport } else { Existing::Refuse };
        if self.link != Linking::Copy && !matches!(self.format, Some(Kind::Folders)) {
            return Err(BadUse::message("--link is for --format folders".into()));
        }
        match self.format.and_then(Kind::of_network) {
            Some(format) => self.export_network(format, existing),
            None => self.export_data(existing),
        }
    }

    fn export_network(self, format: NetworkFormat, existing: Existing) -> Result<()> {
        let run = RunFolder::open(&self.from).context("safetensors and onnx are formats of a run's network")?;
        let kept = self.checkpoint.map_or(Kept::Best, Kept::from);
        let bytes = network::write(&run, kept, format, &self.out, existing)?;
        if self.json {
            return print(&format!("{:#}\n", serde_json::json!({ "out": self.out, "bytes": bytes })));
        }
        print(&format!("wrote {} ({} bytes)\n", self.out.display(), count(bytes as u64)))
    }

    fn export_data(self, existing: Existing) -> Result<()> {
        if RunFolder::open(&self.from).is_ok() {
            let run = self.from.display();
            return Err(BadUse::message(format!(
                "`{run}` is a run: its network is written with --format safetensors or --format onnx, and its data set by \
                 the manifest of that"
            )));
        }
        if self.checkpoint.is_some() {
            return Err(BadUse::message("--checkpoint is for --format safetensors and --format onnx".into()));
        }
        check_output(&self.out, existing)?;
        let dataset = Dataset::open(&self.from, self.source.as_deref())?;
        let format = self.format.and_then(|kind| self.format_of_data(kind));
        let written = match format {
            Some(format) => write(&dataset, format, &self.out, existing)?,
            None => self.augmented.write(dataset, &self.out, existing)?,
        };
        if self.json {
            let json = serde_json::json!({ "out": self.out, "images": written });
            return print(&format!("{json:#}\n"));
        }
        print(&format!("wrote {written} images to {}\n", self.out.display()))
    }

    fn format_of_data(&self, kind: Kind) -> Option<Format> {
        match kind {
            Kind::Folders => Some(Format::Folders(match self.link {
                Linking::Copy => Link::Copy,
                Linking::Hard => Link::Hard,
                Linking::Symbolic => Link::Symbolic,
            })),
            Kind::Zip => Some(Format::Zip),
            Kind::Tar => Some(Format::Shards(self.shard_size)),
            Kind::Csv => Some(Format::Csv),
            Kind::Parquet => Some(Format::Parquet),
            Kind::Safetensors | Kind::Onnx => None,
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
