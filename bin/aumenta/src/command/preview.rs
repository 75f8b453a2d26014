//! `aumenta preview`: a contact sheet of what augmentation does.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_augment::{Plan, Scratch};
use aumenta_dataset::{Dataset, ReadBuffer, Record, Split};
use aumenta_imgproc::{Image, Limits, Size, decode, encode_png};
use aumenta_models::ModelConfig;
use aumenta_report::{Cell, Row, SheetStyle, contact_sheet};
use aumenta_runs::write_atomic_bytes;
use aumenta_seed::Seed;
use aumenta_stream::{Color, Loader, Preprocessing, TrainConfig, TrainStream};

use crate::command::train::{AugmentPreset, Settings};
use crate::config::Config;
use crate::failure::BadUse;

/// Draw a contact sheet: a row an image, the original first, then what the first epochs of a training make of it.
///
/// The versions are exactly those that `aumenta train` sees with the same data, seed and augmentation: the first column
/// after the original is epoch 1, the next epoch 2, and so on.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest, or the folder of it; overrides the configuration's `data`.
    data: Option<PathBuf>,
    /// The PNG file to write.
    #[arg(long)]
    out: PathBuf,
    /// A training's configuration; its data, seed, model's image size and augmentation are used.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Overrides the configuration's augmentation; without a configuration, the book's.
    #[arg(long, value_enum)]
    augment: Option<AugmentPreset>,
    /// Overrides the configuration's seed.
    #[arg(long)]
    seed: Option<u64>,
    /// How many training images, taken in turn from each class.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    rows: u16,
    /// How many augmented versions of each.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=30))]
    versions: u16,
    /// Side of each version in pixels [default: the model's, or 150 without a model].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2048))]
    size: Option<u16>,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let config = Config::of(self.config.as_deref())?;
        let augment = self.augment.or(self.config.is_none().then_some(AugmentPreset::Book));
        let flags = Settings { data: self.data, augment, seed: self.seed, ..Settings::default() };
        let config = flags.over(config)?;
        let dataset = Arc::new(Dataset::open(config.data()?, None)?);
        let size = size(self.size, config.model.as_ref())?;
        let sheet = sheet(&dataset, &config, size, self.rows.into(), self.versions.into())?;
        let png = encode_png(&sheet)?;
        if let Some(folder) = self.out.parent() {
            fs_err::create_dir_all(folder)?;
        }
        write_atomic_bytes(&self.out, &png)?;
        eprintln!("wrote {} ({}x{} pixels)", self.out.display(), sheet.width(), sheet.height());
        Ok(())
    }
}

/// The size of augmented images: the side asked for, or the model's input, or 150.
pub fn size(side: Option<u16>, model: Option<&ModelConfig>) -> Result<Size> {
    Ok(match (side, model) {
        (Some(side), _) => Size::square(side.into()),
        (None, Some(model)) => {
            let [height, width, _] = model.architecture()?.input();
            Size { width, height }
        }
        (None, None) => Size::square(150),
    })
}

/// The contact sheet of `rows` training images with `versions` augmented versions of `size` each.
pub fn sheet(dataset: &Arc<Dataset>, config: &Config, size: Size, rows: usize, versions: u64) -> Result<Image> {
    let preprocessing = Preprocessing::new(size.height, size.width, Color::Rgb);
    let stream = TrainStream::new(
        Arc::clone(dataset),
        TrainConfig {
            augment: config.augment.build().map_err(BadUse::from_error)?,
            loader: Loader::with_workers(1),
            ..TrainConfig::new(preprocessing, 1, Seed::new(config.seed))
        },
    )?;
    let rows = one_class_after_another(dataset, rows).into_iter().map(|record| {
        let plain = Cell { image: resized(dataset, record, size)?, caption: caption(&Plan::identity()) };
        let augmented = (0..versions).map(|epoch| {
            let sample = stream.sample(epoch, record)?.context("an epoch draws every image")?;
            Ok(Cell { image: sample.image, caption: caption(&sample.plan) })
        });
        let cells = std::iter::once(Ok(plain)).chain(augmented).collect::<Result<_>>()?;
        Ok(Row { title: format!("{} ({}x{})", record.path, record.width, record.height), cells })
    });
    let style = SheetStyle { cell_side: size.width.max(size.height).max(96), ..SheetStyle::default() };
    Ok(contact_sheet(&rows.collect::<Result<Vec<_>>>()?, &style))
}

/// The first training images, a class after the other, so that all classes are seen.
fn one_class_after_another(dataset: &Dataset, count: usize) -> Vec<&Record> {
    let records = dataset.records(Split::Train);
    let classes = 0..dataset.manifest().classes.len() as u32;
    let by_class: Vec<Vec<&Record>> =
        classes.map(|class| records.iter().filter(|record| record.class == class).collect()).collect();
    let longest = by_class.iter().map(Vec::len).max().unwrap_or(0);
    let rounds = (0..longest).flat_map(|round| by_class.iter().filter_map(move |class| class.get(round).copied()));
    rounds.take(count).collect()
}

/// The image of `record`, resized to `size`.
fn resized(dataset: &Dataset, record: &Record, size: Size) -> Result<Image> {
    let mut buffer = ReadBuffer::default();
    dataset.read(record, &mut buffer)?;
    let source = decode(buffer.bytes(), &Limits::default());
    let mut image = Image::default();
    let source = source.with_context(|| format!("cannot decode `{}`", record.path))?;
    Plan::identity().apply(&source, size, &mut Scratch::default(), &mut image);
    Ok(image)
}

/// What a plan does, each short operation with its numbers on one line.
fn caption(plan: &Plan) -> String {
    let bound = |part: String| if part.matches(' ').count() == 1 { part.replace(' ', "\u{a0}") } else { part };
    let parts: Vec<String> = plan.ops.iter().map(|op| bound(op.to_string())).collect();
    if parts.is_empty() { plan.to_string() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use aumenta_augment::Op;

    use super::*;

    #[test]
    fn a_short_operation_and_its_numbers_are_bound_together() {
        let ops = vec![Op::Rotate { degrees: 23.0 }, Op::HorizontalFlip {}];
        assert_eq!(caption(&Plan { ops, ..Plan::identity() }), "rot\u{a0}+23° flip");
        assert_eq!(caption(&Plan::identity()), "original");
    }
}
