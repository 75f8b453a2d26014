//! What frozen layers make of a data set's images, computed once and kept, so that what stands behind them is trained in
//! seconds.

use std::path::Path;

use aumenta_dataset::Split;
use aumenta_models::{Architecture, Model};
use aumenta_nn::{NamedLayer, NamedTensor, NnError, Parameters, TensorFile};
use aumenta_runs::write_atomic_bytes;
use aumenta_stream::{Epoch, EvalStream, Listing, Preprocessing, TrainStream};
use blake3::Hasher;
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{FeaturesFault, TrainError};
use crate::feed::Images;
use crate::observer::{Observer, Progress};
use crate::seal::hash_of;
use crate::tensors::{Crossing, Input};

/// The entry of the safetensors header that holds a [`FeaturesKey`] as JSON.
const HEADER: &str = "aumenta-features";

/// All that features depend on. Features with another key are others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeaturesKey {
    /// [`Features::FORMAT`] when written.
    pub format: u32,
    /// The model's name.
    pub model: String,
    /// How many of its first layers have made them.
    pub layers: usize,
    /// The BLAKE3 hash of these layers, with their weights and statistics, in hexadecimal.
    pub weights: String,
    /// The form in which they took images.
    pub preprocessing: Preprocessing,
    /// The BLAKE3 hash of the preprocessing's whitening, where it has one.
    pub whitening: Option<String>,
    /// The hash of the manifest.
    pub manifest: String,
    /// How many views there are of each training image.
    pub views: u32,
    /// What the views were drawn from; `None` where images were taken as they are.
    pub augment: Option<String>,
    /// The class names, in the order of the classes' numbers.
    pub classes: Vec<String>,
}

impl FeaturesKey {
    /// The key of the features that the frozen layers of `model`, which has the layers of `architecture`, make.
    ///
    /// # Errors
    /// [`TrainError::Network`] where a weight cannot be read from its device.
    pub fn new(
        architecture: &Architecture,
        model: &dyn Model,
        layers: usize,
        preprocessing: &Preprocessing,
        manifest: &str,
        classes: &[String],
    ) -> Result<Self, TrainError> {
        let whitening = preprocessing.normalization.whitening().map(|whitening| {
            let mut hasher = Hasher::new();
            for value in whitening.mean().iter().chain(whitening.matrix()) {
                hasher.update(&value.to_le_bytes());
            }
            hasher.finalize().to_string()
        });
        Ok(Self {
            format: Features::FORMAT,
            model: architecture.name().to_string(),
            layers,
            weights: hash_of_layers(&architecture.layers()[..layers], model.parameters())?,
            preprocessing: preprocessing.clone(),
            whitening,
            manifest: manifest.to_string(),
            views: 1,
            augment: None,
            classes: classes.to_vec(),
        })
    }

    /// What differs between this key and that of other features, if anything does.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            (self.model != other.model, "by another model"),
            (self.layers != other.layers, "by another number of frozen layers"),
            (self.weights != other.weights, "from other weights"),
            (
                self.preprocessing != other.preprocessing || self.whitening != other.whitening,
                "with another preprocessing",
            ),
            (self.manifest != other.manifest || self.classes != other.classes, "for another manifest"),
            (self.views != other.views, "with another number of views"),
            (self.augment != other.augment, "with another augmentation or seed"),
            (self != other, "in another way"),
        ];
        parts.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

/// The hash of frozen layers: what they are, and their weights and statistics.
fn hash_of_layers(layers: &[NamedLayer], parameters: &Parameters) -> Result<String, TrainError> {
    let mut hasher = Hasher::new();
    for layer in layers {
        hasher.update(format!("{layer:?}").as_bytes()).update(&[0]);
    }
    for parameter in parameters.frozen() {
        hasher.update(parameter.name.as_bytes()).update(&[0]).update(hash_of(parameter)?.as_bytes());
    }
    Ok(hasher.finalize().to_string())
}

/// What frozen layers make of the images of a data set's splits. They lie in memory: 4 bytes a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    key: FeaturesKey,
    splits: Vec<(Split, Rows)>,
}

/// What frozen layers make of the images of a split, in the manifest's order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    /// Views, images, and the shape of what there is of each.
    shape: Vec<usize>,
    values: Vec<f32>,
    /// The class of each image.
    classes: Vec<u32>,
}

impl Features {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// Computes the features that `key` says with the frozen layers of `model`, which it is the key of: as many views of each
    /// image of `train` as the key has, view `n` as epoch `n` of the stream draws it, and each image of the other streams as it
    /// is. `train` must draw every image once, in the manifest's order, and mix none.
    ///
    /// # Errors
    /// [`TrainError::Stream`] where an image cannot be used, [`TrainError::Network`] where the images do not fit the model.
    ///
    /// # Panics
    /// Where `train` does not deliver as described.
    pub fn compute(
        key: FeaturesKey,
        model: &dyn Model,
        train: &TrainStream,
        others: &[EvalStream],
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let epochs = (0..u64::from(key.views)).map(|view| train.epoch(view));
        let crossing = Crossing::to(device)?;
        let mut extraction = Extraction { model, classes: key.classes.len(), crossing, observer };
        let mut splits = vec![(Split::Train, extraction.rows(epochs, train.preprocessing(), train.listings(0))?)];
        for stream in others {
            let rows = extraction.rows([stream.pass()], stream.preprocessing(), stream.listings())?;
            splits.push((stream.split(), rows));
        }
        Ok(Self { key, splits })
    }

    /// What they were computed from.
    pub fn key(&self) -> &FeaturesKey {
        &self.key
    }

    /// How many numbers there are of one image.
    pub fn len_of_image(&self) -> usize {
        self.splits.first().map_or(0, |(_, rows)| rows.len())
    }

    /// How many bytes all of them take.
    pub fn bytes(&self) -> usize {
        self.splits.iter().map(|(_, rows)| 4 * rows.values.len()).sum()
    }

    /// Those of a split.
    pub(crate) fn rows(&self, split: Split) -> Option<&Rows> {
        self.splits.iter().find(|(of, _)| *of == split).map(|(_, rows)| rows)
    }

    /// Writes them as a safetensors file: for each split its name with `[images, ...]`, for `train` `[views, images, ...]`, in the
    /// manifest's order, and `NAME.classes` with the class number of each image; the key as JSON in the header.
    ///
    /// # Errors
    /// [`TrainError::Run`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let mut tensors = Vec::new();
        for (split, rows) in &self.splits {
            let shape = if *split == Split::Train { rows.shape.clone() } else { rows.shape[1..].to_vec() };
            tensors.push(NamedTensor { name: split.name().to_string(), shape, values: rows.values.clone() });
            let classes: Vec<f32> = rows.classes.iter().map(|class| *class as f32).collect();
            let name = classes_name(*split);
            tensors.push(NamedTensor { name, shape: vec![classes.len()], values: classes });
        }
        let wrong = |source| TrainError::Features { path: path.to_path_buf(), source };
        let header = serde_json::to_string(&self.key).map_err(|error| wrong(error.into()))?;
        let file = TensorFile { tensors, metadata: [(HEADER.to_string(), header)].into() };
        write_atomic_bytes(path, &file.to_bytes().map_err(|error| wrong(error.into()))?)?;
        Ok(())
    }

    /// Reads a file that [`Features::save`] wrote, of features with the key `key`.
    ///
    /// # Errors
    /// [`TrainError::Features`], naming the file and what is wrong with it; also where its features are others.
    pub fn load(path: &Path, key: &FeaturesKey) -> Result<Self, TrainError> {
        let load = || -> Result<Self, FeaturesFault> {
            let mut file = TensorFile::from_bytes(&fs_err::read(path)?)?;
            let header = file.metadata.get(HEADER).ok_or(FeaturesFault::NoHeader(HEADER))?;
            let found: FeaturesKey = serde_json::from_str(header)?;
            if let Some(difference) = key.difference(&found) {
                return Err(FeaturesFault::Others(difference));
            }
            let mut splits = Vec::new();
            let mut take = |name: &str| {
                let at = file.tensors.iter().position(|tensor| tensor.name == name)?;
                Some(file.tensors.swap_remove(at))
            };
            for split in Split::ALL {
                let tensors = take(split.name()).zip(take(&classes_name(split)));
                let Some((NamedTensor { mut shape, values, .. }, classes)) = tensors else { continue };
                if split != Split::Train {
                    shape.insert(0, 1);
                }
                let classes = classes.values.into_iter().map(|class| class as u32).collect();
                splits.push((split, Rows { shape, values, classes }));
            }
            let features = Self { key: found, splits };
            features.check()?;
            Ok(features)
        };
        load().map_err(|source| TrainError::Features { path: path.to_path_buf(), source })
    }

    /// Whether all splits have features of one shape, and the training split as many views as the key says.
    fn check(&self) -> Result<(), FeaturesFault> {
        let train = self.rows(Split::Train).ok_or(FeaturesFault::Others("without a training split"))?;
        let views_fit = train.shape.first() == Some(&(self.key.views as usize));
        let shapes_fit =
            self.splits.iter().all(|(_, rows)| rows.shape.len() > 2 && rows.shape[2..] == train.shape[2..]);
        if views_fit && shapes_fit { Ok(()) } else { Err(FeaturesFault::Others("in other shapes")) }
    }
}

/// The tensor of a split's class numbers.
fn classes_name(split: Split) -> String {
    format!("{}.classes", split.name())
}

impl Rows {
    /// How many numbers there are of one image.
    fn len(&self) -> usize {
        self.shape[2..].iter().product()
    }

    /// How many views there are of each image.
    pub fn views(&self) -> usize {
        self.shape[0]
    }

    /// One view of the images at `positions`, `[n, ...]`.
    pub fn tensor(&self, view: usize, positions: &[usize]) -> Result<Tensor, NnError> {
        let (len, images) = (self.len(), self.shape[1]);
        let mut values = Vec::with_capacity(positions.len() * len);
        for position in positions {
            let start = (view * images + position) * len;
            let row = self.values.get(start..start + len).filter(|_| *position < images);
            let row = row.ok_or_else(|| NnError::Weights {
                reason: format!("there are features of {images} images, and image {position} is asked for"),
            })?;
            values.extend_from_slice(row);
        }
        let shape: Vec<usize> = std::iter::once(positions.len()).chain(self.shape[2..].iter().copied()).collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

/// A walk over the images of several splits.
struct Extraction<'a> {
    model: &'a dyn Model,
    classes: usize,
    crossing: Crossing,
    observer: &'a mut dyn Observer,
}

impl Extraction<'_> {
    /// Of each pass a view of the images in `listings`.
    fn rows(
        &mut self,
        passes: impl IntoIterator<Item = Epoch>,
        preprocessing: &Preprocessing,
        listings: Vec<Listing>,
    ) -> Result<Rows, TrainError> {
        let classes: Vec<u32> = listings.into_iter().flat_map(|listing| listing.classes).collect();
        let images = classes.len();
        let started = std::time::Instant::now();
        let (mut values, mut views, mut shape, mut done) = (Vec::new(), 0, Vec::new(), 0);
        for pass in passes {
            let mut pass = Images::new(pass, preprocessing, self.classes, &self.crossing)?;
            while let Some(examples) = pass.next() {
                let examples = examples?;
                let count = examples.len();
                if let Input::Images(images) = &examples.input {
                    let output = self.model.frozen_output(images)?;
                    shape = output.dims()[1..].to_vec();
                    let output: Vec<f32> =
                        output.flatten_all().and_then(|flat| flat.to_vec1()).map_err(NnError::from)?;
                    values.extend(output);
                }
                done += count as u64;
                self.tell(done, images as u64, started.elapsed().as_secs_f64());
            }
            views += 1;
        }
        let expected: usize = shape.iter().product::<usize>() * views * images;
        assert_eq!(values.len(), expected, "a stream for features delivers every image once a pass");
        let shape = [views, images].into_iter().chain(shape).collect();
        Ok(Rows { shape, values, classes })
    }

    fn tell(&mut self, images: u64, total: u64, seconds: f64) {
        let (loss, accuracy) = (f64::NAN, f64::NAN);
        let images_per_second = images as f64 / seconds;
        self.observer.measured(&Progress { epoch: 0, images, total, loss, accuracy, images_per_second });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aumenta_augment::AugmentConfig;
    use aumenta_runs::Kept;
    use aumenta_stream::{EvalConfig, Sampling, TrainConfig};

    use super::*;
    use crate::fit::FitConfig;
    use crate::freezing::{Freezing, Unfreezing};
    use crate::test_place::{PREPROCESSING, Place, SEED, bytes, epochs, timeless};

    /// The base of the network: four blocks and the flattening.
    const BASE: usize = 9;

    /// Augmented as the book does, without features.
    fn augmented() -> Place {
        Place { augment: AugmentConfig::book(), ..Place::new() }
    }

    /// The features of `place`'s base, with so many views of each training image.
    fn features(place: &Place, views: u32) -> Features {
        let mut model = place.model();
        model.freeze(BASE).unwrap();
        let checkpoint = place.checkpoint();
        let architecture = checkpoint.model.architecture().unwrap();
        let (manifest, classes) = (&checkpoint.manifest_hash, &checkpoint.classes);
        let key = FeaturesKey::new(&architecture, &*model, BASE, &PREPROCESSING, manifest, classes).unwrap();
        let key = FeaturesKey { views, augment: Some("book".to_string()), ..key };
        let train = TrainConfig {
            augment: place.augment.build().unwrap(),
            sampling: Sampling::SEQUENTIAL,
            ..TrainConfig::new(PREPROCESSING, 5, SEED)
        };
        let train = TrainStream::new(Arc::clone(&place.dataset), train).unwrap();
        let config = EvalConfig::new(PREPROCESSING, 5);
        let others = [Split::Val, Split::Test].map(|split| EvalStream::new(Arc::clone(&place.dataset), split, &config));
        let others = others.map(Result::unwrap);
        Features::compute(key, &*model, &train, &others, &Device::Cpu, &mut ()).unwrap()
    }

    fn frozen(count: usize) -> FitConfig {
        FitConfig { freezing: Freezing { layers: BASE, unfreezing: None }, ..epochs(count) }
    }

    #[test]
    fn as_many_epochs_as_views_end_as_without_features() {
        for config in [
            frozen(2),
            FitConfig {
                freezing: Freezing {
                    layers: BASE,
                    unfreezing: Some(Unfreezing { epoch: 3, layers: 4, learning_rate: None }),
                },
                ..epochs(3)
            },
        ] {
            let (plain, mut place) = (augmented(), augmented());
            place.features = Some(features(&place, 2));
            let (with, without) = (place.trained(config.clone()).unwrap(), plain.trained(config).unwrap());
            assert_eq!(timeless(&with.1.epochs), timeless(&without.1.epochs));
            for kept in [Kept::Best, Kept::Last] {
                assert!(bytes(&with.0, kept) == bytes(&without.0, kept), "{kept:?} differs");
            }
        }
    }

    #[test]
    fn a_training_from_features_that_is_interrupted_ends_as_one_that_never_was() {
        let mut place = augmented();
        place.features = Some(features(&place, 2));
        let (whole, _) = place.trained(frozen(3)).unwrap();
        let run = place.new_run("resumed");
        for stop in [2, 7] {
            place.train(&run, frozen(3), Some(stop)).unwrap();
        }
        place.train(&run, frozen(3), None).unwrap();
        assert!(bytes(&run, Kept::Last) == bytes(&whole, Kept::Last));
    }

    #[test]
    fn views_take_turns() {
        let (two, one) = (augmented(), augmented());
        let fit = |mut place: Place, views| {
            place.features = Some(features(&place, views));
            timeless(&place.trained(frozen(3)).unwrap().1.epochs)
        };
        let (two, one) = (fit(two, 2), fit(one, 1));
        assert_eq!(two[0], one[0]);
        assert_ne!(two[1], one[1]);
    }

    #[test]
    fn saved_features_come_back_for_their_own_key_alone() {
        let place = augmented();
        let features = features(&place, 2);
        let path = place.folder.path().join("features.safetensors");
        features.save(&path).unwrap();
        assert_eq!(Features::load(&path, features.key()).unwrap(), features);
        let key = features.key().clone();
        for (other, what) in [
            (FeaturesKey { weights: String::new(), ..key.clone() }, "from other weights"),
            (FeaturesKey { manifest: String::new(), ..key.clone() }, "for another manifest"),
            (FeaturesKey { views: 3, ..key.clone() }, "with another number of views"),
            (FeaturesKey { augment: None, ..key.clone() }, "with another augmentation or seed"),
            (FeaturesKey { layers: 3, ..key }, "by another number of frozen layers"),
        ] {
            let error = Features::load(&path, &other).unwrap_err();
            let reason = std::error::Error::source(&error).unwrap().to_string();
            assert!(reason.starts_with(&format!("its features were computed {what}: ")), "{reason}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_or_is_another_is_refused() {
        let place = augmented();
        let features = features(&place, 1);
        let path = place.folder.path().join("features.safetensors");
        features.save(&path).unwrap();
        let whole = fs_err::read(&path).unwrap();
        for content in
            [&whole[..whole.len() - 1], &whole[..9], b"", &bytes(&place.trained(frozen(1)).unwrap().0, Kept::Last)]
        {
            fs_err::write(&path, content).unwrap();
            assert!(matches!(Features::load(&path, features.key()), Err(TrainError::Features { .. })));
        }
    }

    #[test]
    fn the_key_knows_the_weights_of_frozen_layers_and_of_no_others() {
        let place = Place::new();
        let checkpoint = place.checkpoint();
        let architecture = checkpoint.model.architecture().unwrap();
        let weights = |changed: &str| {
            let mut model = place.model();
            let var = model.parameters().get(changed).unwrap();
            var.set(&(var.as_tensor() + 1.0).unwrap()).unwrap();
            model.freeze(BASE).unwrap();
            FeaturesKey::new(&architecture, &*model, BASE, &PREPROCESSING, "", &[]).unwrap().weights
        };
        assert_eq!(weights("dense1.weight"), weights("dense2.bias"));
        assert_ne!(weights("dense1.weight"), weights("conv4.bias"));
    }
}
