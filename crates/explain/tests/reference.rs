//! Maps and activations are those of PyTorch; `fixtures/explain` says how the numbers were made.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::HashMap;

use aumenta_explain::{Activations, ClassMap, HeatMap, Network, saliency};
use aumenta_models::{Architecture, Model, ModelConfig, SequentialConfig};
use aumenta_seed::Seed;
use candle_core::{DType, Device, Tensor};

const REFERENCE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/explain/reference.safetensors"));

const LAYERS: [&str; 4] = ["conv1", "block.conv1", "block", "conv2"];

const CLASSES: usize = 3;

/// The network of `fixtures/explain/generate.py`.
const NETWORK: &str = r#"{"input": [20, 23, 3], "layers": [
    {"name": "conv1", "type": "conv2d", "filters": 6, "kernel": 3, "activation": "relu"},
    {"name": "pool", "type": "max-pool2d", "window": 2},
    {"name": "block", "type": "residual", "activation": "relu", "layers": [
        {"name": "block.conv1", "type": "conv2d", "filters": 6, "kernel": 3, "padding": "same", "bias": false},
        {"name": "block.norm1", "type": "batch-norm", "activation": "relu"},
        {"name": "block.conv2", "type": "conv2d", "filters": 6, "kernel": 3, "padding": "same", "bias": false},
        {"name": "block.norm2", "type": "batch-norm"}
    ]},
    {"name": "conv2", "type": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"},
    {"name": "mean", "type": "global-avg-pool2d"},
    {"name": "dense", "type": "dense", "units": 3}
]}"#;

struct Reference {
    tensors: HashMap<String, Tensor>,
    architecture: Architecture,
    model: Box<dyn Model>,
}

impl Reference {
    fn read() -> Self {
        let tensors = candle_core::safetensors::load_buffer(REFERENCE, &Device::Cpu).unwrap();
        let config: SequentialConfig = serde_json::from_str(NETWORK).unwrap();
        let architecture = ModelConfig::Sequential(config).architecture().unwrap();
        let model = architecture.build(Seed::new(7), &Device::Cpu).unwrap();
        for parameter in model.parameters().iter().chain(model.parameters().statistics()) {
            parameter.var.set(&tensors[&format!("network.{}", parameter.name)]).unwrap();
        }
        Self { tensors, architecture, model }
    }

    fn network(&self) -> Network<'_> {
        Network::new(&self.architecture, &*self.model)
    }

    fn image(&self) -> Tensor {
        self.tensors["image"].clone()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.tensors[name].to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Whether a map is that of PyTorch, to 1e-3 of its largest number.
    #[track_caller]
    fn check(&self, name: &str, map: &HeatMap) {
        let expected = self.numbers(name);
        assert_eq!(self.tensors[name].dims(), [map.height(), map.width()], "{name}");
        let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        assert!(largest > 0.0, "{name} is empty");
        for (got, expected) in map.values().iter().zip(&expected) {
            assert!((f64::from(*got) - expected).abs() <= 1e-3 * largest, "{name}: {got} instead of {expected}");
        }
    }
}

#[test]
fn class_activation_maps_are_those_of_pytorch() {
    let reference = Reference::read();
    for layer in LAYERS {
        for class in 0..CLASSES {
            for (kind, word) in [(ClassMap::GradCam, "grad-cam"), (ClassMap::GradCamPlusPlus, "grad-cam-plus-plus")] {
                let map = kind.of(&reference.network(), &reference.image(), layer, class).unwrap();
                reference.check(&format!("{word}.{layer}.{class}"), &map);
            }
        }
    }
}

#[test]
fn saliency_is_pytorchs_gradient() {
    let reference = Reference::read();
    for class in 0..CLASSES {
        let map = saliency(&reference.network(), &reference.image(), class).unwrap();
        reference.check(&format!("saliency.{class}"), &map);
    }
}

#[test]
fn activations_are_those_of_pytorch_and_their_pictures_the_books() {
    let reference = Reference::read();
    let all = Activations::of(&reference.network(), &reference.image(), &LAYERS).unwrap();
    // Layers within a block are computed before it.
    let names: Vec<&str> = all.iter().map(|activations| activations.layer.as_str()).collect();
    assert_eq!(names, LAYERS);
    for activations in all {
        let (expected, channels) =
            (reference.numbers(&format!("activations.{}", activations.layer)), activations.channels());
        let pictures = reference.numbers(&format!("pictures.{}", activations.layer));
        let of_channel = pictures.len() / channels;
        for (channel, picture) in activations.pictures().iter().enumerate() {
            for (at, got) in activations.channel(channel).iter().enumerate() {
                assert!((f64::from(*got) - expected[at * channels + channel]).abs() < 1e-4, "{}", activations.layer);
            }
            let levels = picture.pixels().iter().step_by(3);
            for (got, expected) in levels.zip(&pictures[channel * of_channel..]) {
                assert!(
                    (f64::from(*got) - expected).abs() <= 1.0,
                    "{}: {got} instead of {expected}",
                    activations.layer
                );
            }
        }
    }
}

#[test]
fn what_there_is_not_is_named() {
    let reference = Reference::read();
    let (network, image) = (reference.network(), reference.image());
    let message = |layer: &str, class| ClassMap::GradCam.of(&network, &image, layer, class).unwrap_err().to_string();
    let known = "`conv1`, `pool`, `block`, `block.conv1`, `block.norm1`, `block.conv2`, `block.norm2`, `conv2`";
    assert_eq!(message("dense", 0), format!("there is no layer `dense` whose output is a picture: there are {known}"));
    assert_eq!(message("conv2", 3), "there is no class 3: the network tells 3 apart");
    let wide = Tensor::zeros((1, 20, 24, 3), DType::F32, &Device::Cpu).unwrap();
    assert!(saliency(&network, &wide, 0).is_ok(), "what averages its places takes any width");
    assert_eq!(network.last_layer().unwrap().name, "conv2");
}
