//! Normalizations against numpy's and Keras' numbers (`fixtures/reference/generate_normalization.py`).

use aumenta_imgproc::{Channels, ColorChain, Image, Layout, Slot, write};
use serde::Deserialize;

use super::{Centering, Normalization, NormalizationConfig};

#[derive(Deserialize)]
struct Reference {
    epsilon: f64,
    images: Vec<Vec<u8>>,
    imagenet: Vec<Vec<f32>>,
    caffe: Vec<Vec<f32>>,
    samplewise: Vec<Vec<f32>>,
    featurewise: Vec<Vec<f32>>,
    zca: Vec<Vec<f32>>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../../fixtures/reference/normalization.json")).unwrap()
}

/// The normalization fitted to `images` of 3x2 RGB pixels.
pub(crate) fn fitted(config: &NormalizationConfig, images: &[Vec<u8>]) -> Normalization {
    let mut fit = config.fit(Channels::Rgb, 18).unwrap();
    for image in images {
        fit.add(&image.iter().map(|byte| f32::from(*byte)).collect::<Vec<_>>());
    }
    fit.finish().unwrap()
}

/// The values of an image by the road of a stream: bytes, written in the normalization's format, then finished.
pub(crate) fn normalized(normalization: &Normalization, image: &[u8]) -> Vec<f32> {
    let (format, mut values) = (normalization.format(Channels::Rgb, Layout::Hwc), vec![0.0; 18]);
    let image = Image::from_pixels(3, 2, image.to_vec());
    write(&image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
    normalization.finish(&mut values, &mut Vec::new());
    values
}

#[track_caller]
fn check(config: &NormalizationConfig, images: &[Vec<u8>], expected: &[Vec<f32>], tolerance: f32) {
    let normalization = fitted(config, images);
    for (image, expected) in images.iter().zip(expected) {
        for (value, expected) in normalized(&normalization, image).iter().zip(expected) {
            assert!((value - expected).abs() <= tolerance, "{config:?}: {value} instead of {expected}");
        }
    }
}

#[test]
fn values_are_those_of_numpy_and_keras() {
    let Reference { epsilon, images, imagenet, caffe, samplewise, featurewise, zca } = reference();
    let both = Centering { center: true, std: true };
    check(&NormalizationConfig::Imagenet, &images, &imagenet, 2e-6);
    check(&NormalizationConfig::Caffe, &images, &caffe, 2e-5);
    check(&NormalizationConfig::Samplewise(both), &images, &samplewise, 2e-6);
    check(&NormalizationConfig::Featurewise(both), &images, &featurewise, 2e-6);
    check(&NormalizationConfig::Zca { epsilon }, &images, &zca, 2e-5);
}

#[test]
fn fitted_channels_have_mean_0_and_standard_deviation_1() {
    let images = reference().images;
    let both = NormalizationConfig::Featurewise(Centering { center: true, std: true });
    let normalization = fitted(&both, &images);
    let values: Vec<Vec<f32>> = images.iter().map(|image| normalized(&normalization, image)).collect();
    for channel in 0..3 {
        let channel: Vec<f64> =
            values.iter().flatten().skip(channel).step_by(3).map(|value| f64::from(*value)).collect();
        let count = channel.len() as f64;
        let mean = channel.iter().sum::<f64>() / count;
        let variance = channel.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean}, {variance}");
    }
}
