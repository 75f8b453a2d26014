//! Augmented versions of the training images as files, each with what was drawn for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_augment::{Plan, Scratch};
use aumenta_dataset::{Dataset, Existing, ReadBuffer, Record, Split, check_class_folders, export_folder};
use aumenta_imgproc::{Decoder, Image, Limits, Size, View, encode_png};
use aumenta_runs::write_atomic_bytes;
use aumenta_seed::Seed;
use aumenta_stream::{Color, Loader, Preprocessing, TrainConfig, TrainStream};
use rayon::prelude::*;
use serde_json::json;

use crate::command::preview;
use crate::command::train::{AugmentPreset, Settings};
use crate::config::Config;
use crate::failure::BadUse;
use crate::progress::counting;

/// The file that says what was drawn for each image, a line an image.
const SIDECAR: &str = "augmented.jsonl";

/// What is drawn for how many versions.
#[derive(clap::Args)]
#[group(skip)]
pub struct AugmentedArgs {
    /// Write so many augmented versions of each training image as PNG files, below a folder a class, and `augmented.jsonl`
    /// with the source, seed and drawn operations of each. Version 1 is drawn as in epoch 1 of a training, and so on. A
    /// file's name follows from the image's content and what was drawn.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    augmented: Option<u64>,
    /// With --augmented: a training's configuration; its seed, model's image size and augmentation are used.
    #[arg(long, value_name = "FILE", requires = "augmented")]
    config: Option<PathBuf>,
    /// With --augmented: overrides the configuration's augmentation; without a configuration, the book's.
    #[arg(long, value_enum, requires = "augmented")]
    augment: Option<AugmentPreset>,
    /// With --augmented: overrides the configuration's seed.
    #[arg(long, requires = "augmented")]
    seed: Option<u64>,
    /// With --augmented: side of each image in pixels [default: the model's, or 150 without a model].
    #[arg(long, requires = "augmented", value_parser = clap::value_parser!(u16).range(1..=2048))]
    size: Option<u16>,
}

impl AugmentedArgs {
    /// Writes the versions below the folder `out`; says how many.
    pub fn write(&self, dataset: Dataset, out: &Path, existing: Existing) -> Result<usize> {
        let config = Config::of(self.config.as_deref())?;
        let augment = self.augment.or(self.config.is_none().then_some(AugmentPreset::Book));
        let config = Settings { augment, seed: self.seed, ..Settings::default() }.over(config)?;
        let size = preview::size(self.size, config.model.as_ref())?;
        let dataset = Arc::new(dataset);
        let stream = TrainStream::new(
            Arc::clone(&dataset),
            TrainConfig {
                augment: config.augment.build().map_err(BadUse::from_error)?,
                loader: Loader::with_workers(1),
                ..TrainConfig::new(Preprocessing::new(size.height, size.width, Color::Rgb), 1, Seed::new(config.seed))
            },
        )?;
        let versions =
            Versions { dataset: &dataset, stream, size, count: self.augmented.unwrap_or(1), seed: config.seed };
        export_folder(&dataset, "augmented", out, existing, |folder| versions.write(folder))
    }
}

/// The versions of all training images.
struct Versions<'a> {
    dataset: &'a Dataset,
    stream: TrainStream,
    size: Size,
    count: u64,
    seed: u64,
}

/// What one thread reuses from image to image.
#[derive(Default)]
struct Buffers {
    encoded: ReadBuffer,
    decoder: Decoder,
    source: Image,
    scratch: Scratch,
    image: Image,
}

impl Versions<'_> {
    fn write(&self, folder: &Path) -> Result<usize> {
        let classes = &self.dataset.manifest().classes;
        check_class_folders(classes)?;
        for class in classes {
            fs_err::create_dir_all(folder.join(class))?;
        }
        let records = self.dataset.records(Split::Train);
        let bar = counting("augmenting images");
        bar.set_length(records.len() as u64);
        let write = |buffers: &mut Buffers, record: &Record| {
            let lines = self.write_versions(record, folder, buffers);
            bar.inc(1);
            lines
        };
        let lines: Result<Vec<String>> = records.par_iter().map_init(Buffers::default, write).collect();
        bar.finish_and_clear();
        write_atomic_bytes(&folder.join(SIDECAR), lines?.concat().as_bytes())?;
        Ok(records.len() * self.count as usize)
    }

    /// Writes the versions of one image; a line about each.
    fn write_versions(&self, record: &Record, folder: &Path, buffers: &mut Buffers) -> Result<String> {
        let Buffers { encoded, decoder, source, scratch, image } = buffers;
        self.dataset.read(record, encoded)?;
        decoder
            .decode(encoded.bytes(), &Limits::default(), &View::FULL, source)
            .with_context(|| format!("cannot decode `{}`", record.path))?;
        let class = &self.dataset.manifest().classes[record.class as usize];
        let mut lines = String::new();
        for version in 1..=self.count {
            // The stream counts epochs from 0.
            let plan = self.stream.plan(version - 1, record);
            let file = format!("{class}/{}.png", self.name(record, &plan)?);
            plan.apply(source, self.size, scratch, image);
            write_atomic_bytes(&folder.join(&file), &encode_png(image)?)?;
            let line = json!({
                "file": file,
                "source": record.path,
                "hash": record.hash,
                "class": class,
                "version": version,
                "seed": self.seed,
                "size": [self.size.width, self.size.height],
                "plan": plan,
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        Ok(lines)
    }

    /// What the file's name follows from: the image's content, and what is drawn for it at which size.
    fn name(&self, record: &Record, plan: &Plan) -> Result<String> {
        let drawn = json!({ "plan": plan, "size": [self.size.width, self.size.height] });
        let drawn = blake3::hash(&serde_json::to_vec(&drawn)?).to_hex();
        Ok(format!("{}-{}", &record.hash[..16], &drawn[..16]))
    }
}
