//! `aumenta predict`: what a trained network says of images whose classes nobody knows.

use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_dataset::{OpenOptions, Source, open_images, write_file};
use aumenta_models::Model;
use aumenta_report::{ImageProbabilities, SubmissionForm, SubmissionSettings, count, csv_line, csv_probability};
use aumenta_runs::RunFolder;
use aumenta_stream::{Fault, ImageConfig, ImageStream, Loader, OnError};
use aumenta_train::{Checkpoint, batch_layout, predict};
use candle_core::Device;
use indicatif::ProgressBar;

use crate::failure::BadUse;
use crate::inference::InferenceArgs;
use crate::limits::LimitArgs;
use crate::output::print;
use crate::progress::counting;

/// Say how probable each class is for images without classes: as CSV, or in a competition's form.
///
/// The CSV has a line an image, in the order of the sources and of the paths within each: `path`, a column a class,
/// `predicted`. A path is that within its source; where several sources are named, the source stands before it.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run.
    run: PathBuf,
    /// Image files, zip or tar archives, folders.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The file to write, whole or not at all [default: standard output].
    #[arg(long)]
    out: Option<PathBuf>,
    /// The archive within a zip archive, such as `test1.zip` [default: `train.zip`, or the only one with images].
    #[arg(long)]
    inner: Option<String>,
    /// A competition's sample submission to fill in: CSV, ids in the first column; an id is an image's file name, with or
    /// without extension. A column a class gets its probability; a single column the probability of the positive class, or
    /// names of classes where the sample has such.
    #[arg(long, value_name = "FORM")]
    submission: Option<PathBuf>,
    /// The class whose probability a form with a single column gets [default: the last class of two].
    #[arg(long, value_name = "CLASS", requires = "submission")]
    positive: Option<String>,
    /// What a form gets for an image that cannot be used, which is then no error.
    #[arg(long, value_name = "VALUE", requires = "submission", value_parser = finite)]
    fill: Option<f64>,
    /// Keep probabilities as far from 0 and 1, so that no certain error costs everything where log loss is scored.
    #[arg(long, value_name = "EPS", value_parser = clip)]
    clip: Option<f64>,
    #[command(flatten)]
    inference: InferenceArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

fn finite(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| "it is no number".to_owned())
}

fn clip(text: &str) -> Result<f64, String> {
    let value = finite(text)?;
    if value > 0.0 && value < 0.5 { Ok(value) } else { Err("it must lie between 0 and 0.5".to_owned()) }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let run = RunFolder::open(&self.run)?;
        let device = self.inference.device.open()?;
        let (checkpoint, model) = Checkpoint::load(&run.weights_path(self.inference.checkpoint.into()), &device)?;
        checkpoint.check_classes()?;
        let options = OpenOptions { inner: self.inner.clone(), limits: self.limits.of_source() };
        let sources = open_images(&self.images, &options)?;
        let mut streams = Vec::new();
        for source in sources {
            let prefix = self.prefix(&*source);
            streams.push((prefix, self.stream(&run, &checkpoint, &device, source.into())?));
        }
        let images = streams.iter().map(|(_, stream)| stream.image_count() as u64).sum();
        let bar = counting("predicting");
        bar.set_length(images);
        let predictor = Predictor { model: &*model, device, streams, bar };
        let faults = match &self.submission {
            Some(form) => self.fill_in(form, &predictor, &checkpoint.classes)?,
            None => self.write_csv(&predictor, &checkpoint.classes)?,
        };
        for Fault { path, reason, .. } in &faults {
            eprintln!("left out `{path}`: {reason}");
        }
        if !faults.is_empty() {
            eprintln!("{} of {images} images could not be used", faults.len());
        }
        if let Some(path) = &self.out {
            eprintln!("wrote {}: {}", path.display(), of_images(images - faults.len() as u64));
        }
        Ok(())
    }

    /// What stands before the paths of a source: nothing before those of single files, or where there is no other source.
    fn prefix(&self, source: &dyn Source) -> Option<PathBuf> {
        let has_place = self.images.len() > 1 && source.path() != Path::new(".");
        has_place.then(|| source.path().to_owned())
    }

    fn stream(
        &self,
        run: &RunFolder,
        checkpoint: &Checkpoint,
        device: &Device,
        source: Arc<dyn Source>,
    ) -> Result<ImageStream> {
        let config = ImageConfig {
            views: self.inference.views(run)?,
            layout: batch_layout(&checkpoint.preprocessing, device),
            on_error: if self.fill.is_some() { OnError::Skip } else { self.inference.on_error.into() },
            loader: Loader { workers: self.inference.workers, limits: self.limits.of_images(), ..Loader::default() },
            ..ImageConfig::new(checkpoint.preprocessing.clone(), self.inference.batch_size)
        };
        Ok(ImageStream::new(source, config)?)
    }

    fn write_csv(&self, predictor: &Predictor<'_>, classes: &[String]) -> Result<Vec<Fault>> {
        let Some(path) = &self.out else {
            let written = self.write_lines(predictor, classes, &mut BufWriter::new(stdout().lock()));
            let is_closed = |error: &anyhow::Error| {
                error.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == ErrorKind::BrokenPipe)
            };
            // A reader that has seen enough, such as `head`, is no error.
            return written.or_else(|error| if is_closed(&error) { Ok(Vec::new()) } else { Err(error) });
        };
        let mut faults = Vec::new();
        write_file(path, |writer| -> Result<()> {
            faults = self.write_lines(predictor, classes, writer)?;
            Ok(())
        })?;
        Ok(faults)
    }

    fn write_lines(&self, predictor: &Predictor<'_>, classes: &[String], writer: &mut dyn Write) -> Result<Vec<Fault>> {
        let header = ["path"].into_iter().chain(classes.iter().map(String::as_str)).chain(["predicted"]);
        writer.write_all(csv_line(header).as_bytes())?;
        let faults = predictor.predict(|path, probabilities| {
            let predicted = classes[aumenta_metrics::predicted_class(probabilities)].clone();
            let cells = probabilities.iter().map(|probability| csv_probability(*probability, self.clip));
            let line = csv_line([path].into_iter().chain(cells).chain([predicted]));
            Ok(writer.write_all(line.as_bytes())?)
        })?;
        writer.flush()?;
        Ok(faults)
    }

    /// Fills the form at `form`, for which all predictions are kept in memory.
    fn fill_in(&self, form: &Path, predictor: &Predictor<'_>, classes: &[String]) -> Result<Vec<Fault>> {
        let refused = || format!("cannot fill `{}`", form.display());
        let positive = self.positive.as_deref().map(|name| class_named(name, classes)).transpose()?;
        let settings = SubmissionSettings { classes, positive, fill: self.fill, clip: self.clip };
        let form = fs_err::read(form).map_err(BadUse::from_error)?;
        let form = SubmissionForm::parse(&form).with_context(refused)?;
        form.check(predictor.paths(), &settings).with_context(refused)?;
        let mut images = Vec::new();
        let faults = predictor.predict(|path, probabilities| {
            images.push(ImageProbabilities { path, probabilities: Some(probabilities.to_vec()) });
            Ok(())
        })?;
        images.extend(faults.iter().map(|fault| ImageProbabilities { path: fault.path.clone(), probabilities: None }));
        let filled = form.fill(&images, &settings).with_context(refused)?;
        match &self.out {
            Some(path) => write_file(path, |writer| -> Result<()> { Ok(writer.write_all(filled.as_bytes())?) })?,
            None => print(&filled)?,
        }
        Ok(faults)
    }
}

fn of_images(images: u64) -> String {
    if images == 1 { "1 image".to_owned() } else { format!("{} images", count(images)) }
}

fn class_named(name: &str, classes: &[String]) -> Result<usize> {
    let unknown = || BadUse::message(format!("`{name}` is no class of the network: it has {}", classes.join(", ")));
    classes.iter().position(|class| class == name).ok_or_else(unknown)
}

/// A network with what it is to look at.
struct Predictor<'a> {
    model: &'a dyn Model,
    device: Device,
    /// Each with what stands before its paths.
    streams: Vec<(Option<PathBuf>, ImageStream)>,
    bar: ProgressBar,
}

impl Predictor<'_> {
    /// The paths of all images, in their order.
    fn paths(&self) -> impl Iterator<Item = String> {
        self.streams.iter().flat_map(|(prefix, stream)| {
            (0..stream.image_count()).map(|index| named(prefix.as_deref(), stream.path(index)))
        })
    }

    /// Hands the path and the probabilities of each image to `each`; the images that could not be used.
    fn predict(&self, mut each: impl FnMut(String, &[f32]) -> Result<()>) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        for (prefix, stream) in &self.streams {
            let named = |path: &str| named(prefix.as_deref(), path);
            let of_stream = predict(self.model, stream, &self.device, |path, probabilities| {
                self.bar.inc(1);
                each(named(path), probabilities)
            })?;
            faults.extend(of_stream.into_iter().map(|fault| Fault { path: named(&fault.path), ..fault }));
        }
        self.bar.finish_and_clear();
        Ok(faults)
    }
}

fn named(prefix: Option<&Path>, path: &str) -> String {
    prefix.map_or_else(|| path.to_owned(), |prefix| format!("{}/{path}", prefix.display()))
}
