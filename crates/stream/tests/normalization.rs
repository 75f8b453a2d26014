//! Normalization in a stream: fitted to the training images alone, and the same for any number of workers.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::Path;
use std::sync::Arc;

use aumenta_augment::{Centering, NormalizationConfig};
use aumenta_dataset::{Amounts, Dataset, Order, PrepareConfig, Split, prepare};
use aumenta_seed::Seed;
use aumenta_stream::{Color, EvalConfig, EvalStream, Loader, OnError, Preprocessing, StreamError};

const BOTH: Centering = Centering { center: true, std: true };
const FEATUREWISE: NormalizationConfig = NormalizationConfig::Featurewise(BOTH);
const ZCA: NormalizationConfig = NormalizationConfig::Zca { epsilon: 1e-2 };

/// A data set of 10 training images and `val` validation images of each of two classes.
fn drawn(folder: &Path, val: usize) -> Arc<Dataset> {
    let zip = folder.join("drawn.zip");
    aumenta_drawn::write_zip(&zip, 16, 40, Seed::new(7)).unwrap();
    let amounts = Amounts::Counts { train: 10, val, test: Some(1) };
    let config = PrepareConfig { order: Order::InOrder, ..PrepareConfig::new(amounts) };
    prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
    Arc::new(Dataset::open(folder, None).unwrap())
}

fn fitted(dataset: &Arc<Dataset>, config: &NormalizationConfig, workers: usize) -> Preprocessing {
    Preprocessing::new(6, 7, Color::Rgb)
        .normalized(config, dataset, OnError::Fail, &Loader::with_workers(workers))
        .unwrap()
}

/// All values of the training split.
fn values(dataset: &Arc<Dataset>, preprocessing: Preprocessing) -> Vec<f32> {
    let stream = EvalStream::new(Arc::clone(dataset), Split::Train, &EvalConfig::new(preprocessing, 3)).unwrap();
    stream.pass().flat_map(|batch| batch.unwrap().floats().to_vec()).collect()
}

#[test]
fn what_is_fitted_depends_on_the_training_images_alone_and_on_no_number_of_workers() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (few, many) = (drawn(folders[0].path(), 1), drawn(folders[1].path(), 5));
    let paths = |dataset: &Dataset| dataset.records(Split::Train).iter().map(|r| r.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&few), paths(&many));
    for config in [FEATUREWISE, ZCA] {
        let one = fitted(&few, &config, 1);
        assert_eq!(one, fitted(&few, &config, 3));
        assert_eq!(one, fitted(&many, &config, 2), "more validation images change nothing");
    }
}

#[test]
fn training_images_have_mean_0_and_standard_deviation_1_by_channel() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path(), 1);
    let values = values(&dataset, fitted(&dataset, &FEATUREWISE, 2));
    for channel in 0..3 {
        let values: Vec<f64> = values.iter().skip(channel).step_by(3).map(|value| f64::from(*value)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5, "channel {channel}: {mean}, {variance}");
    }
}

#[test]
fn whitened_training_images_have_mean_0_in_every_value() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path(), 1);
    let preprocessing = fitted(&dataset, &ZCA, 2);
    let len = preprocessing.len();
    let values = values(&dataset, preprocessing);
    for at in 0..len {
        let mean = values.iter().skip(at).step_by(len).sum::<f32>() / 20.0;
        assert!(mean.abs() < 1e-4, "value {at} has the mean {mean}");
    }
}

#[test]
fn a_normalization_that_cannot_be_is_refused_before_any_image_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path(), 1);
    let error = Preprocessing::new(33, 32, Color::Rgb)
        .normalized(&ZCA, &dataset, OnError::Fail, &Loader::default())
        .unwrap_err();
    assert!(matches!(error, StreamError::Normalization(_)));
    let gray = Preprocessing::new(6, 7, Color::Gray);
    assert!(gray.normalized(&NormalizationConfig::Imagenet, &dataset, OnError::Fail, &Loader::default()).is_err());
}
