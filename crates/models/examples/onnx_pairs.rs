//! Writes networks as ONNX files, each with images and what this crate computes from them, for another runtime to compare:
//! `tests/python/check_onnx.py` does so.
//!
//!     cargo run -p aumenta-models --example onnx_pairs -- FOLDER
//!
//! Beside `NAME.onnx` stands `NAME.safetensors` with `images`, f32 `[n, channels, height, width]`, and `logits`, f32
//! `[n, outputs]`.

use std::error::Error;
use std::path::Path;

use aumenta_models::{Architecture, ModelConfig, SequentialConfig};
use aumenta_nn::{NamedTensor, Parameters, TensorFile};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};
use rand::RngExt as _;

/// Images a network.
const COUNT: usize = 5;

/// A network with all kinds of layers, paddings and activations.
const DIVERSE: &str = r#"
title = "diverse"
input = [21, 18, 3]
layers = [
    { type = "conv2d", filters = 8, kernel = 3, stride = 2, padding = "same", activation = "relu6" },
    { type = "residual", activation = "sigmoid", layers = [
        { type = "depthwise-conv2d", kernel = 3, multiplier = 2, dilation = 2, padding = { zeros = 2 }, bias = false },
        { type = "batch-norm", activation = "relu" },
    ], shortcut = [{ type = "conv2d", filters = 16, kernel = 1, groups = 4 }] },
    { type = "residual", layers = [{ type = "dropout", rate = 0.5 }, { type = "conv2d", filters = 16, kernel = 3, padding = "same" }] },
    { type = "max-pool2d", window = 3, stride = 2, padding = "same" },
    { type = "activation", activation = "sigmoid" },
    { type = "avg-pool2d", window = 3, stride = 1, padding = { zeros = 1 } },
    { type = "spatial-dropout", rate = 0.5 },
    { type = "flatten" },
    { type = "batch-norm", epsilon = 0.001 },
    { type = "dense", units = 12, activation = "relu" },
    { type = "dropout", rate = 0.5 },
    { type = "dense", units = 4 },
]
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder to write to")?;
    fs_err::create_dir_all(&folder)?;
    let models = [
        ModelConfig::MnistConvnet {},
        ModelConfig::CatsDogsConvnet { image_size: 80, dropout: 0.5 },
        ModelConfig::EfficientnetLite0 { image_size: 65, classes: Some(7) },
        ModelConfig::ResnetSmall { image_size: 33, classes: Some(10) },
        ModelConfig::Sequential(toml::from_str::<SequentialConfig>(DIVERSE)?),
    ];
    for model in models {
        write(&model.architecture()?, Path::new(&folder))?;
    }
    Ok(())
}

fn write(architecture: &Architecture, folder: &Path) -> Result<(), Box<dyn Error>> {
    let model = architecture.build(Seed::new(7), &Device::Cpu)?;
    scatter_statistics(model.parameters())?;
    let [height, width, channels] = architecture.input();
    let mut rng = Seed::new(8).rng("images", 0, 0);
    let values: Vec<f32> = (0..COUNT * height * width * channels).map(|_| rng.random_range(-1.0..1.0)).collect();
    let images = Tensor::from_vec(values, (COUNT, height, width, channels), &Device::Cpu)?;
    let logits = model.predict(&images)?;
    let tensor = |name: &str, tensor: &Tensor| -> Result<NamedTensor, Box<dyn Error>> {
        let (shape, values) = (tensor.dims().to_vec(), tensor.flatten_all()?.to_vec1()?);
        Ok(NamedTensor { name: name.to_string(), shape, values })
    };
    let tensors = vec![tensor("images", &images.permute((0, 3, 1, 2))?)?, tensor("logits", &logits)?];
    let pair = TensorFile { tensors, ..TensorFile::default() };
    let path = folder.join(architecture.name());
    fs_err::write(path.with_extension("safetensors"), pair.to_bytes()?)?;
    fs_err::write(path.with_extension("onnx"), architecture.to_onnx(model.parameters(), &[])?)?;
    Ok(())
}

/// Gives all parameters that are constant at first values of their own, so that an exchange of two would show.
fn scatter_statistics(parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let constant = |name: &str| !name.ends_with(".weight");
    let trained = parameters.iter().filter(|parameter| constant(&parameter.name) || parameter.var.rank() == 1);
    for parameter in trained.chain(parameters.statistics()) {
        let mut rng = Seed::new(9).rng(&parameter.name, 0, 0);
        let values: Vec<f32> = (0..parameter.var.elem_count()).map(|_| rng.random_range(0.5..1.5)).collect();
        parameter.var.set(&Tensor::from_vec(values, parameter.var.shape(), &Device::Cpu)?)?;
    }
    Ok(())
}
