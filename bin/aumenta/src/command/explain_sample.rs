//! `aumenta explain-sample`: what an epoch does to one training image.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use aumenta_augment::Plan;
use aumenta_dataset::{Dataset, Record, Split};
use aumenta_imgproc::{Size, encode_png};
use aumenta_runs::{RunFolder, write_atomic_bytes};
use aumenta_stream::{Color, Loader, Mixed, Preprocessing, Sample, TrainStream};
use aumenta_train::Length;
use serde_json::{Value, json};

use crate::command::preview;
use crate::command::train::{AugmentPreset, Settings, preprocessing, train_config};
use crate::config::Config;
use crate::failure::BadUse;
use crate::output::print;

/// Explain what an epoch does to one training image: the drawn operations, what is mixed in, and the network's pixels.
///
/// A run is explained with its own configuration, as it was recorded. A manifest takes --config, --augment, --seed and
/// --size as `aumenta preview` does.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run; or a manifest, or the folder of it.
    source: PathBuf,
    /// The image: its path within the data set, or its id in the manifest.
    id: String,
    /// The epoch, counted from 1 as in the run's log.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epoch: u64,
    /// The PNG file to write the pixels to, as the network gets them. Where another image is mixed in, the two parts stand
    /// beside it as FILE.own.png and FILE.partner.png.
    #[arg(long)]
    out: Option<PathBuf>,
    /// For a manifest: a training's configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// For a manifest: overrides the configuration's augmentation; without a configuration, the book's.
    #[arg(long, value_enum)]
    augment: Option<AugmentPreset>,
    /// For a manifest: overrides the configuration's seed.
    #[arg(long)]
    seed: Option<u64>,
    /// For a manifest: side of the image in pixels [default: the model's, or 150 without a model].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2048))]
    size: Option<u16>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let (stream, dataset) = self.stream()?;
        let record = find(&dataset, &self.id)?;
        // The stream counts epochs from 0.
        let sample = stream.sample(self.epoch - 1, record)?;
        let sample = sample.ok_or_else(|| {
            BadUse::message(format!("epoch {} does not draw `{}`, as its sampling says", self.epoch, record.path))
        })?;
        if let Some(out) = &self.out {
            write(&sample, out)?;
        }
        let explained = Explained { epoch: self.epoch, record, sample: &sample, dataset: &dataset };
        if self.json { print(&format!("{:#}\n", explained.to_json())) } else { print(&explained.to_text()?) }
    }

    /// The stream of the training that is explained, and its data set.
    fn stream(&self) -> Result<(TrainStream, Arc<Dataset>)> {
        let (config, dataset) = match RunFolder::open(&self.source) {
            Ok(run) => self.recorded(&run)?,
            Err(_) => self.asked_for()?,
        };
        let form = match (&config.model, self.size) {
            (Some(model), None) => preprocessing(&model.architecture()?)?,
            (model, side) => {
                let Size { width, height } = preview::size(side, model.as_ref())?;
                Preprocessing::new(height, width, Color::Rgb)
            }
        };
        let train = train_config(&config, form, Loader::with_workers(1))?;
        Ok((TrainStream::new(Arc::clone(&dataset), train)?, dataset))
    }

    /// The configuration of a run, and the data set that it was trained on.
    fn recorded(&self, run: &RunFolder) -> Result<(Config, Arc<Dataset>)> {
        let flags = [
            ("--config", self.config.is_some()),
            ("--augment", self.augment.is_some()),
            ("--seed", self.seed.is_some()),
            ("--size", self.size.is_some()),
        ];
        if let Some((flag, _)) = flags.into_iter().find(|(_, given)| *given) {
            return Err(BadUse::message(format!(
                "{flag} is for a manifest, but `{}` is a run, which has its own configuration",
                self.source.display()
            )));
        }
        let config = Config::read(&run.config_path())?;
        if let Length::Epochs(epochs) = config.length()?
            && self.epoch > epochs as u64
        {
            return Err(BadUse::message(format!("epoch {} is asked for, but the run has {epochs}", self.epoch)));
        }
        let dataset = open(config.data()?)?;
        if dataset.manifest().hash() != run.read_info()?.manifest.hash {
            return Err(BadUse::message(format!(
                "`{}` has changed since the training, so images may have other ids: restore it",
                config.data()?.display()
            )));
        }
        Ok((config, dataset))
    }

    /// The configuration that the flags give, and the data set of the manifest.
    fn asked_for(&self) -> Result<(Config, Arc<Dataset>)> {
        let config = Config::of(self.config.as_deref())?;
        let augment = self.augment.or(self.config.is_none().then_some(AugmentPreset::Book));
        let data = Some(self.source.clone());
        let flags = Settings { data, augment, seed: self.seed, ..Settings::default() };
        Ok((flags.over(config)?, open(&self.source)?))
    }
}

fn open(manifest: &Path) -> Result<Arc<Dataset>> {
    Ok(Arc::new(Dataset::open(manifest, None)?))
}

/// Writes the delivered pixels and, where they are a mix, its parts.
fn write(sample: &Sample, out: &Path) -> Result<()> {
    if let Some(folder) = out.parent() {
        fs_err::create_dir_all(folder)?;
    }
    write_atomic_bytes(out, &encode_png(sample.delivered())?)?;
    if let Some(mixed) = &sample.mixed {
        write_atomic_bytes(&out.with_extension("own.png"), &encode_png(&sample.image)?)?;
        write_atomic_bytes(&out.with_extension("partner.png"), &encode_png(&mixed.partner_image)?)?;
    }
    Ok(())
}

/// The training image that `id` names.
fn find<'a>(dataset: &'a Dataset, id: &str) -> Result<&'a Record> {
    let is_named = |record: &&Record| record.path == id || id.parse::<u32>() == Ok(record.id);
    let in_split = |split| dataset.records(split).iter().find(is_named);
    if let Some(record) = in_split(Split::Train) {
        return Ok(record);
    }
    Err(BadUse::message(match [Split::Val, Split::Test].into_iter().find(|split| in_split(*split).is_some()) {
        Some(split) => format!("`{id}` is in the {split} split, which is never augmented"),
        None => format!("no image of the manifest has the path or the id `{id}`"),
    }))
}

/// A sample with what it is a sample of.
struct Explained<'a> {
    epoch: u64,
    record: &'a Record,
    sample: &'a Sample,
    dataset: &'a Dataset,
}

impl Explained<'_> {
    fn class(&self, record: &Record) -> &str {
        &self.dataset.manifest().classes[record.class as usize]
    }

    fn to_text(&self) -> Result<String> {
        let Self { epoch, record, sample, .. } = self;
        let (width, height) = (sample.image.width(), sample.image.height());
        let mut text = format!(
            "image    {} (id {}, class {}), {}x{} pixels, resized to {width}x{height}\n",
            record.path,
            record.id,
            self.class(record),
            record.width,
            record.height,
        );
        writeln!(text, "epoch    {epoch}, batch {}, place {}", sample.batch + 1, sample.position + 1)?;
        text.push_str(&plan_lines(&sample.plan)?);
        if let Some(mixed) = &sample.mixed {
            let partner = self.partner(mixed);
            writeln!(text, "mix      {}", line(&serde_json::to_value(mixed.mix)?, "blend"))?;
            writeln!(text, "partner  {} (id {}, class {})", partner.path, partner.id, self.class(partner))?;
            text.push_str(&plan_lines(&mixed.partner_plan)?);
        }
        Ok(text)
    }

    fn partner(&self, mixed: &Mixed) -> &Record {
        let records = self.dataset.records(Split::Train);
        records.iter().find(|record| record.id == mixed.partner_id).expect("a partner is of the same split")
    }

    fn to_json(&self) -> Value {
        let Self { epoch, record, sample, .. } = self;
        let mix = sample.mixed.as_ref().map(|mixed| {
            let partner = self.partner(mixed);
            json!({
                "mix": mixed.mix,
                "partner": {
                    "id": partner.id,
                    "path": partner.path,
                    "class": self.class(partner),
                    "plan": mixed.partner_plan,
                },
            })
        });
        json!({
            "id": record.id,
            "path": record.path,
            "class": self.class(record),
            "epoch": epoch,
            "batch": sample.batch + 1,
            "position": sample.position + 1,
            "source-size": [record.width, record.height],
            "output-size": [sample.image.width(), sample.image.height()],
            "plan": sample.plan,
            "mixed": mix,
        })
    }
}

/// A plan, a line an operation.
fn plan_lines(plan: &Plan) -> Result<String> {
    let mut text = String::new();
    if plan.ops.is_empty() {
        text.push_str("plan     no operations, only the resize\n");
    }
    for (at, op) in plan.ops.iter().enumerate() {
        writeln!(text, "op {:<4}  {}", at + 1, line(&serde_json::to_value(op)?, "op"))?;
    }
    let (fill, interpolation) = (serde_json::to_value(plan.fill)?, serde_json::to_value(plan.interpolation)?);
    writeln!(text, "reading  fill {}, interpolation {}", shown(&fill), shown(&interpolation))?;
    Ok(text)
}

/// Data with a name and numbers, such as `rotate: degrees 12.5`; the numbers' names hold their units.
fn line(data: &Value, tag: &str) -> String {
    let fields: Vec<String> = data
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != tag)
        .map(|(name, value)| format!("{name} {}", shown(value)))
        .collect();
    let name = shown(&data[tag]);
    if fields.is_empty() { name } else { format!("{name}: {}", fields.join(", ")) }
}

/// A value for reading: words without quotes, and four digits after the point.
fn shown(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.4}", number.as_f64().unwrap_or(f64::NAN)),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
