//! [`Subject`]: a network that is explained, with all that its images go through.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_augment::Normalization;
use aumenta_dataset::{Dataset, OpenOptions, Split, open_images};
use aumenta_explain::{ColorRange, Network, probabilities};
use aumenta_imgproc::{Channels, ColorChain, Image, Layout, Slot, write};
use aumenta_models::{Architecture, Model, ModelConfig, read_weights};
use aumenta_nn::TensorFile;
use aumenta_runs::{Kept, RunFolder};
use aumenta_seed::Seed;
use aumenta_stream::{Color, EvalConfig, EvalStream, ImageConfig, ImageStream, Loader, Preprocessing};
use aumenta_train::Checkpoint;
use candle_core::{Device, Tensor};

use super::beside;
use crate::failure::BadUse;

/// A network, and what it takes and tells apart.
pub struct Subject {
    pub architecture: Architecture,
    pub model: Box<dyn Model>,
    /// Where it computes.
    pub device: Device,
    pub preprocessing: Preprocessing,
    pub classes: Vec<String>,
    /// What a page says of it.
    pub facts: Vec<(String, String)>,
    /// The run's folder or the network's file.
    path: PathBuf,
}

/// An image as the network gets it.
pub struct Seen {
    /// Before normalization.
    pub image: Image,
    /// After it, f32 `[1, height, width, channels]`.
    pub tensor: Tensor,
    pub probabilities: Vec<f32>,
}

impl Seen {
    /// The class with the largest probability.
    pub fn predicted(&self) -> usize {
        aumenta_metrics::predicted_class(&self.probabilities)
    }
}

impl Subject {
    /// Loads the network of a run, of a checkpoint, or of a file of imported weights.
    pub fn load(path: &Path, kept: Kept, device: Device) -> Result<Self> {
        if path.is_dir() {
            let run = RunFolder::open(path)?;
            return Self::of_checkpoint(path, &run.weights_path(kept), device);
        }
        let file = TensorFile::from_bytes(&fs_err::read(path).map_err(BadUse::from_error)?)
            .with_context(|| format!("`{}` is neither a run nor a file of weights", path.display()))
            .map_err(BadUse::wrap)?;
        match file.metadata.get("model") {
            Some(model) if !file.metadata.contains_key("aumenta") => Self::of_weights(path, model, &file, device),
            _ => Self::of_checkpoint(path, path, device),
        }
    }

    fn of_checkpoint(path: &Path, weights: &Path, device: Device) -> Result<Self> {
        let (checkpoint, model) = Checkpoint::load(weights, &device)?;
        checkpoint.check_classes()?;
        let architecture = checkpoint.model.architecture()?;
        let trained = format!("{}, epoch {}", checkpoint.model.name(), checkpoint.epoch);
        Ok(Self {
            architecture,
            model,
            device,
            preprocessing: checkpoint.preprocessing,
            classes: checkpoint.classes,
            facts: vec![("model".to_owned(), trained)],
            path: path.to_owned(),
        })
    }

    /// The network whose weights `aumenta weights` wrote, with what its header says that it takes.
    fn of_weights(path: &Path, model: &str, file: &TensorFile, device: Device) -> Result<Self> {
        let architecture = ModelConfig::named(model)?.architecture()?;
        let found = architecture.find_weights(read_weights(path)?)?;
        if !found.has_head {
            let reason = format!("`{}` has no head, so that it tells no classes apart: train it first", path.display());
            return Err(BadUse::message(reason));
        }
        let network = architecture.build(Seed::new(0), &device)?;
        found.load(network.parameters())?;
        let header = |key: &str| file.metadata.get(key).map(String::as_str).unwrap_or_default();
        let normalization: Normalization = serde_json::from_str(header("normalization"))
            .with_context(|| format!("`{}` does not say how images are normalized: import it again", path.display()))
            .map_err(BadUse::wrap)?;
        let [height, width, _] = architecture.input();
        Ok(Self {
            classes: (0..architecture.classes()).map(|class| format!("class {class}")).collect(),
            preprocessing: Preprocessing { normalization, ..Preprocessing::new(height, width, Color::Rgb) },
            facts: vec![("model".to_owned(), model.to_owned()), ("weights".to_owned(), header("source").to_owned())],
            architecture,
            model: network,
            device,
            path: path.to_owned(),
        })
    }

    /// The network as it is looked into.
    pub fn network(&self) -> Network<'_> {
        Network::new(&self.architecture, &*self.model)
    }

    /// The run's folder, or the one in which the network's file lies.
    pub fn folder(&self) -> PathBuf {
        if self.path.is_dir() { self.path.clone() } else { beside(&self.path) }
    }

    /// The class named `name`.
    pub fn class(&self, name: &str) -> Result<usize> {
        let unknown =
            || BadUse::message(format!("`{name}` is no class of the network: it has {}", self.some_classes()));
        self.classes.iter().position(|class| class == name).ok_or_else(unknown)
    }

    fn some_classes(&self) -> String {
        const MOST: usize = 20;
        let named = self.classes.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.classes.len() > MOST { format!("{named} and {} more", self.classes.len() - MOST) } else { named }
    }

    /// The most probable classes, the first one first.
    pub fn ranked(&self, probabilities: &[f32]) -> Vec<(String, f32)> {
        const MOST: usize = 5;
        let mut ranked: Vec<(String, f32)> = self.classes.iter().cloned().zip(probabilities.iter().copied()).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(MOST);
        ranked
    }

    /// What black and white become on their way into the network.
    pub fn colors(&self) -> ColorRange {
        let end = |level: u8| self.normalized(&Image::filled(1, 1, [level; 3]));
        match self.preprocessing.normalization {
            Normalization::Affine { .. } | Normalization::Bgr { .. } => ColorRange { black: end(0), white: end(255) },
            // These need a whole image; their values lie around 0 and deviate by 1.
            Normalization::Samplewise { .. } | Normalization::Whitening(_) => {
                let channels = self.preprocessing.color.channels();
                ColorRange { black: vec![-2.0; channels], white: vec![2.0; channels] }
            }
        }
    }

    /// The values of pixels as the network takes them.
    fn normalized(&self, image: &Image) -> Vec<f32> {
        let Preprocessing { color, normalization, .. } = &self.preprocessing;
        let channels = match color {
            Color::Rgb => Channels::Rgb,
            Color::Gray => Channels::Gray,
        };
        let format = normalization.format(channels, Layout::Hwc);
        let mut values = vec![0.0; image.width() * image.height() * color.channels()];
        write(image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
        normalization.finish(&mut values, &mut Vec::new());
        values
    }

    /// What the network sees and says of an image of its size.
    pub fn see(&self, image: Image) -> Result<Seen> {
        let Preprocessing { height, width, color, .. } = self.preprocessing;
        let tensor = Tensor::from_vec(self.normalized(&image), (1, height, width, color.channels()), &self.device)?;
        let probabilities = probabilities(&self.network(), &tensor)?.swap_remove(0);
        let image = match color {
            Color::Rgb => image,
            Color::Gray => gray(&image),
        };
        Ok(Seen { image, tensor, probabilities })
    }

    /// The form of the pixels that the network gets, in color and before normalization.
    fn pixels(&self) -> Preprocessing {
        let Preprocessing { height, width, .. } = self.preprocessing;
        Preprocessing { normalization: Normalization::PLAIN, ..Preprocessing::new(height, width, Color::Rgb) }
    }

    fn to_image(&self, values: &[f32]) -> Image {
        let Preprocessing { height, width, .. } = self.preprocessing;
        Image::from_pixels(width, height, values.iter().map(|value| *value as u8).collect())
    }

    /// An image at the network's size: a file, or one of the data set of the run at `run`; and what it is called.
    pub fn find_image(&self, run: &Path, name: &str) -> Result<(Image, String)> {
        let path = Path::new(name);
        if path.is_file() {
            let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((self.read_file(path)?, file_name));
        }
        if !run.is_dir() {
            return Err(BadUse::message(format!("there is no image `{name}`")));
        }
        let dataset = dataset(run)?;
        for split in Split::ALL {
            let records = dataset.records(split).iter();
            let found = records.clone().find(|record| record.path == name || name.parse::<u32>() == Ok(record.id));
            if let Some(record) = found {
                let image = self.images_of(&dataset, split, &[record.id])?.swap_remove(0);
                return Ok((image, record.path.clone()));
            }
        }
        Err(BadUse::message(format!("there is no file `{name}`, and no image of the run's data has this path or id")))
    }

    fn read_file(&self, path: &Path) -> Result<Image> {
        let mut sources = open_images(&[path.to_owned()], &OpenOptions::default())?;
        let config = ImageConfig { loader: Loader::with_workers(1), ..ImageConfig::new(self.pixels(), 1) };
        let stream = ImageStream::new(Arc::from(sources.swap_remove(0)), config)?;
        let batch = stream.pass().next();
        let batch = batch.with_context(|| format!("`{}` holds no image", path.display()))??;
        Ok(self.to_image(batch.floats().get(..self.pixels().len()).unwrap_or_default()))
    }

    /// The images of a split with these ids, in their order, at the network's size.
    pub fn images_of(&self, dataset: &Arc<Dataset>, split: Split, ids: &[u32]) -> Result<Vec<Image>> {
        let stream = EvalStream::new(Arc::clone(dataset), split, &EvalConfig::new(self.pixels(), 32))?;
        let mut found: Vec<Option<Image>> = vec![None; ids.len()];
        for batch in stream.pass() {
            let batch = batch?;
            for (id, values) in batch.ids.iter().zip(batch.floats().chunks_exact(self.pixels().len())) {
                if let Some(at) = ids.iter().position(|wanted| wanted == id) {
                    found[at] = Some(self.to_image(values));
                }
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        let found: Option<Vec<Image>> = found.into_iter().collect();
        found.with_context(|| format!("the split {split} lacks one of the images"))
    }
}

/// The data set that the run at `run` was trained on.
fn dataset(run: &Path) -> Result<Arc<Dataset>> {
    let run = RunFolder::open(run)?;
    let path = run.path().join(run.read_info()?.manifest.path);
    let dataset = Dataset::open(&path, None);
    Ok(Arc::new(dataset.with_context(|| format!("cannot open the data set at `{}`", path.display()))?))
}

/// An image in gray, as a network with one channel gets it.
fn gray(image: &Image) -> Image {
    let levels = image.pixels().as_chunks().0.iter().map(|pixel| aumenta_imgproc::luma(*pixel));
    Image::from_pixels(image.width(), image.height(), levels.flat_map(|level| [level; 3]).collect())
}
