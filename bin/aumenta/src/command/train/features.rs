//! The features of a configuration: read from their file, or computed and written there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use aumenta_augment::MixConfig;
use aumenta_dataset::Split;
use aumenta_models::Model;
use aumenta_stream::{EvalStream, Sampling, TrainConfig, TrainStream};
use aumenta_train::{Features, FeaturesKey};

use super::setup::{Setup, train_config};
use crate::config::Config;
use crate::failure::BadUse;
use crate::progress::TrainingBar;

/// The name of the file in a run's folder, where the configuration names none.
const FILE: &str = "features.safetensors";

/// Features with how long they took, where they were computed now.
pub struct Made {
    pub features: Features,
    pub path: PathBuf,
    /// Images, views counted, and seconds.
    pub computed: Option<(usize, f64)>,
}

/// Those of the configuration's file, where it is there already; they must be those of `model` as it is.
pub fn existing(setup: &Setup<'_>, model: &mut dyn Model) -> Result<Option<Features>> {
    let Some(path) = setup.config.features.as_ref().filter(|path| path.exists()) else { return Ok(None) };
    Ok(Some(made(setup, model, path, &[])?.features))
}

/// Those that a training in `folder` takes in place of images, if it is to have some; computed where they are not there.
pub fn of_training(setup: &Setup<'_>, model: &mut dyn Model, folder: &Path) -> Result<Option<Features>> {
    let config = setup.config;
    if !is_wanted(config) {
        return Ok(None);
    }
    let path = config.features.clone().unwrap_or_else(|| folder.join(FILE));
    Ok(Some(made(setup, model, &path, &[Split::Val])?.features))
}

/// Whether a training takes features in place of images.
pub fn is_wanted(config: &Config) -> bool {
    config.features.is_some() || config.views.is_some()
}

/// The features of `model` for the training images and those of `splits`, in the file `path`.
pub fn made(setup: &Setup<'_>, model: &mut dyn Model, path: &Path, splits: &[Split]) -> Result<Made> {
    let config = setup.config;
    let layers = setup.fit.freezing.layers;
    model.freeze(layers)?;
    let network = &setup.network;
    let (preprocessing, manifest) = (&network.preprocessing, &network.manifest_hash);
    let key = FeaturesKey::new(&setup.architecture, model, layers, preprocessing, manifest, &network.classes)?;
    let augment = config.views.map(|_| serde_json::to_string(&(&config.augment, config.seed))).transpose()?;
    let key = FeaturesKey { views: config.views.unwrap_or(1), augment, ..key };
    if path.exists() {
        return Ok(Made { features: Features::load(path, &key)?, path: path.to_path_buf(), computed: None });
    }
    let (dataset, loader) = (&setup.dataset, setup.eval.loader.clone());
    let train = TrainConfig {
        sampling: Sampling::SEQUENTIAL,
        layout: setup.eval.layout,
        ..train_config(config, preprocessing.clone(), loader)?
    };
    let train = TrainStream::new(dataset.clone(), train)?;
    let others = splits.iter().filter(|split| !dataset.records(**split).is_empty());
    let others =
        others.map(|split| EvalStream::new(dataset.clone(), *split, &setup.eval)).collect::<Result<Vec<_>, _>>()?;
    let evaluated: usize = others.iter().map(EvalStream::image_count).sum();
    let images = train.image_count() * key.views as usize + evaluated;
    let started = Instant::now();
    let mut bar = TrainingBar::for_features();
    let features = Features::compute(key, model, &train, &others, &setup.device, &mut bar)?;
    let seconds = started.elapsed().as_secs_f64();
    drop(bar);
    features.save(path)?;
    Ok(Made { features, path: path.to_path_buf(), computed: Some((images, seconds)) })
}

/// Whether what `layers` frozen layers make of images can take their place.
pub fn check(config: &Config, layers: usize) -> Result<()> {
    let refuse = |message: &str| Err(BadUse::message(message.to_string()));
    if layers == 0 {
        return refuse(
            "features are what frozen layers make of images: say with `freeze-until` (--freeze-until) which",
        );
    }
    if config.mix != MixConfig::default() {
        return refuse("`mix` has no effect on features: leave out `mix`, or `features` and `views`");
    }
    if config.sampling.views > 1 {
        return refuse("`sampling.views` has no effect on features: `views` says how many there are of each image");
    }
    if config.on_error != aumenta_stream::OnError::Fail {
        return refuse(
            "features need every image: leave out `on-error`, and prepare the data set without damaged images",
        );
    }
    match config.views {
        Some(0) => refuse("`views` must be at least 1"),
        None if !config.augment.is_neutral() => refuse(
            "the augmentation draws each image anew in every epoch: say with `views` (--views) how many draws of each \
             are kept, or leave out `augment`",
        ),
        _ => Ok(()),
    }
}
