//! Backbones compute what other libraries' networks of the same names do; `fixtures/backbones` says how the numbers were made.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::Path;

use aumenta_models::{Model, ModelConfig, Vgg16Top, read_weights};
use aumenta_nn::{Mode, NamedTensor, TensorFile};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

const REFERENCE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/backbones/reference.safetensors"));

const EFFICIENTNET: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/backbones/efficientnet_lite0.safetensors"));

/// The side of the image, in pixels.
const SIZE: usize = 75;

const CLASSES: usize = 10;

/// `SplitMix64` over FNV-1a of the name and the place, as numbers in `[-1, 1)`.
fn units(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let fold = |key: u64, byte| (key ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    let key = name.bytes().fold(0xCBF2_9CE4_8422_2325, fold);
    (1..=count as u64).map(move |place| {
        let mut z = key.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

/// The parameter `name` as the program that made the reference fills it.
fn parameter(name: &str, shape: &[usize]) -> Vec<f32> {
    let inputs: usize = shape[1..].iter().product();
    let (center, width) = if shape.len() > 1 {
        (0.0, (6.0 / inputs as f64).sqrt())
    } else if name.ends_with(".weight") || name.ends_with(".running_var") {
        (1.0, 0.1)
    } else {
        (0.0, 0.1)
    };
    units(name, shape.iter().product()).map(|unit| (center + width * unit) as f32).collect()
}

fn network(config: &ModelConfig) -> Box<dyn Model> {
    let model = config.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
    let parameters = model.parameters();
    for parameter in parameters.iter().chain(parameters.statistics()) {
        let values = self::parameter(&parameter.name, parameter.var.dims());
        parameter.var.set(&Tensor::from_vec(values, parameter.var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
    model
}

/// Whether `got` equals what torchvision computed, to 1e-5 of its largest number.
#[track_caller]
fn check_close(reference: &[NamedTensor], name: &str, got: &Tensor) {
    let expected = reference.iter().find(|tensor| tensor.name == name).unwrap();
    assert_eq!(got.dims(), expected.shape, "{name}");
    let got: Vec<f32> = got.flatten_all().unwrap().to_vec1().unwrap();
    let largest = expected.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let error = got.iter().zip(&expected.values).fold(0.0f32, |error, (got, value)| error.max((got - value).abs()));
    assert!(error <= 1e-5 * largest, "{name} differs by {error}, and its largest number is {largest}");
}

#[track_caller]
fn check(config: &ModelConfig) {
    let reference = TensorFile::from_bytes(REFERENCE).unwrap().tensors;
    let (image, model, name) = (image(SIZE, 2.0), network(config), config.name());
    let features = model.features(&image, Mode::Evaluate).unwrap();
    check_close(&reference, &format!("{name}.features"), &features);
    check_close(&reference, &format!("{name}.logits"), &model.head(&features, Mode::Evaluate).unwrap());
    check_close(&reference, &format!("{name}.logits"), &model.predict(&image).unwrap());
}

fn image(size: usize, factor: f32) -> Tensor {
    let values: Vec<f32> = units("image", size * size * 3).map(|unit| factor * unit as f32).collect();
    Tensor::from_vec(values, (1, size, size, 3), &Device::Cpu).unwrap()
}

#[test]
fn vgg16_computes_what_torchvision_does() {
    check(&ModelConfig::Vgg16 { image_size: SIZE, classes: Some(CLASSES), top: Vgg16Top::Original });
}

#[test]
fn resnet18_computes_what_torchvision_does() {
    check(&ModelConfig::Resnet18 { image_size: SIZE, classes: Some(CLASSES) });
}

#[test]
fn mobilenet_v2_computes_what_torchvision_does() {
    check(&ModelConfig::MobilenetV2 { image_size: SIZE, classes: Some(CLASSES) });
}

#[test]
fn efficientnet_lite0_with_its_published_weights_computes_what_pytorch_does() {
    let Some(data) = std::env::var_os("AUMENTA_DATA") else {
        eprintln!("skipped: AUMENTA_DATA is not set");
        return;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(data).join("efficientnet_lite0.safetensors");
    let architecture = ModelConfig::named("efficientnet-lite0").unwrap().architecture().unwrap();
    let model = architecture.build(Seed::new(7), &Device::Cpu).unwrap();
    let found = architecture.find_weights(read_weights(&path).unwrap()).unwrap();
    assert!(found.has_head && found.left_out.is_empty(), "{:?}", found.left_out);
    found.load(model.parameters()).unwrap();
    let reference = TensorFile::from_bytes(EFFICIENTNET).unwrap().tensors;
    check_close(&reference, "logits", &model.predict(&image(224, 1.0)).unwrap());
}
