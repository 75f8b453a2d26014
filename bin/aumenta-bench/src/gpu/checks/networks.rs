//! Whole networks: a training step's logits, losses, gradients and statistics, a few steps of training, and a prediction.

use anyhow::{Context as _, Result};
use aumenta_models::ModelConfig;
use aumenta_nn::{Gradients, Loss, Optimizer, OptimizerConfig, Parameter, Parameters, Precision, SgdConfig};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use crate::gpu::check::{Check, Output, Tolerance, random};

/// Images of the batch.
const IMAGES: usize = 4;

/// Steps of training after the one whose gradients are compared.
const STEPS: u64 = 3;

/// Small, so that what few roundings have done to gradients does not decide where the next steps go.
const LEARNING_RATE: f32 = 1e-4;

/// How far a network's numbers may lie from those in f32, relative to their norm.
#[derive(Clone, Copy)]
struct Limits {
    /// Logits, losses and statistics.
    output: f64,
    gradient: f64,
}

impl Limits {
    /// More than twice what roundings have done on the CPU: those of weights and images to the mantissa of TF32 moved single gradients
    /// by up to 0.11 of their norm, and to that of bfloat16 by up to 0.29; a GPU rounds at every layer.
    fn of(config: &ModelConfig, precision: Precision) -> Self {
        let wider = if is_sensitive(config) { 10.0 } else { 1.0 };
        let Self { output, gradient } = match precision {
            Precision::F32 => Self { output: 5e-4, gradient: 5e-3 },
            Precision::Tf32 => Self { output: 2e-2, gradient: 0.3 },
            Precision::Bf16 => Self { output: 0.1, gradient: 0.7 },
        };
        Self { output, gradient: wider * gradient }
    }
}

/// Whether a network makes much of little: its normalizations, one behind the other, see few values a channel. One more rounding of
/// EfficientNet-Lite0's images moves its gradients a thousand roundings, and what comes of them over some steps further still; rounding
/// its weights to 10 bits turns gradients around. So it is compared in f32 alone, and after one step.
fn is_sensitive(config: &ModelConfig) -> bool {
    matches!(config, ModelConfig::EfficientnetLite0 { .. })
}

const NETWORKS: [ModelConfig; 4] = [
    ModelConfig::MnistConvnet {},
    ModelConfig::CatsDogsConvnet { image_size: 150, dropout: 0.3 },
    ModelConfig::EfficientnetLite0 { image_size: 128, classes: Some(3) },
    ModelConfig::Resnet18 { image_size: 64, classes: Some(3) },
];

pub fn checks(precisions: &[Precision]) -> Vec<Check> {
    let mut checks = Vec::new();
    for config in NETWORKS {
        let told = precisions.iter().filter(|precision| **precision == Precision::F32 || !is_sensitive(&config));
        for &precision in told {
            let (name, config) = (format!("{} in {precision}", config.name()), config.clone());
            checks.push(Check::new(name, move |device| steps(&config, precision, device, &Tensor::clone)));
        }
    }
    checks
}

/// What `device` computes in `precision`, or the CPU in f32, of images that `prepared` has had in its hands.
fn steps(
    config: &ModelConfig,
    precision: Precision,
    device: &Device,
    prepared: &dyn Fn(&Tensor) -> Tensor,
) -> Result<Vec<Output>> {
    let architecture = config.architecture()?;
    let mut model = architecture.build(Seed::new(7), device)?;
    model.set_precision(if device.is_cpu() { Precision::F32 } else { precision })?;
    let [height, width, channels] = architecture.input();
    let images = prepared(&random("images", &[IMAGES, height, width, channels], device)?);
    let classes: Vec<u32> = (0..IMAGES as u32).map(|image| image % architecture.classes() as u32).collect();
    let classes = Tensor::new(classes, device)?;
    let limits = Limits::of(config, precision);
    let (output, gradient) = (Tolerance::OfNorm(limits.output), Tolerance::OfNorm(limits.gradient));
    let mut outputs = vec![Output::new("prediction before training", &model.predict(&images)?, output)?];

    let parameters = model.parameters().clone();
    let sgd = OptimizerConfig::Sgd(SgdConfig { learning_rate: LEARNING_RATE, ..SgdConfig::default() });
    let mut optimizer = Optimizer::new(sgd, &parameters)?;
    let mut losses = Vec::new();
    let further = if is_sensitive(config) { 0 } else { STEPS };
    for number in 0..=further {
        let mut loss = |logits: &Tensor| Loss::for_outputs(logits.dims()[1]).of_each(logits, &classes);
        let step = model.gradients(&images, number, &mut loss)?;
        losses.push(step.losses.mean_all()?.reshape(1)?);
        if number == 0 {
            outputs.push(Output::new("logits", &step.output, output)?);
            outputs.extend(gradients(&parameters, &step.gradients, gradient)?);
        }
        optimizer.step(&parameters, &step.gradients)?;
    }
    outputs.push(Output::new("losses of all steps", &Tensor::cat(&losses, 0)?, output)?);
    outputs.extend(statistics(&parameters, output)?);
    outputs.push(Output::new("prediction after training", &model.predict(&images)?, output)?);
    Ok(outputs)
}

/// The gradients to the parameters of each layer, beside each other: those to a shift that the next normalization takes away again are
/// zero but for roundings.
fn gradients(parameters: &Parameters, gradients: &Gradients<'_>, tolerance: Tolerance) -> Result<Vec<Output>> {
    let layer = |parameter: &Parameter| parameter.name.rsplit_once('.').map(|(layer, _)| layer.to_string());
    let pairs: Vec<_> = parameters.iter().zip(gradients.tensors()).collect();
    let of_layers = pairs.chunk_by(|(a, _), (b, _)| layer(a) == layer(b));
    let outputs = of_layers.map(|of_layer| {
        let name = layer(of_layer[0].0).context("a parameter belongs to a layer")?;
        let flat =
            of_layer.iter().map(|(_, gradient)| gradient.flatten_all()).collect::<candle_core::Result<Vec<_>>>()?;
        Output::new(format!("gradient of {name}"), &Tensor::cat(&flat, 0)?, tolerance)
    });
    outputs.collect()
}

/// The running mean of each normalization, beside the standard deviation that it is to be seen against: behind a layer without an
/// activation means are zero but for roundings.
fn statistics(parameters: &Parameters, tolerance: Tolerance) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for mean in parameters.statistics() {
        let Some(layer) = mean.name.strip_suffix("running_mean") else { continue };
        let variance = parameters.statistics().find(|other| other.name == format!("{layer}running_var"));
        let variance = variance.context("a running mean has a variance")?;
        let both = Tensor::cat(&[mean.var.as_tensor(), &variance.var.as_tensor().sqrt()?], 0)?;
        outputs.push(Output::new(format!("{layer}running_mean"), &both, tolerance)?);
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::check::compare;

    /// What a GPU rounds otherwise at every layer, this rounds once.
    #[test]
    fn one_more_rounding_of_the_images_uses_up_little_of_the_limits() {
        let rounded = |images: &Tensor| (((images * 3.0).unwrap() + 1.0).unwrap() / 3.0).unwrap();
        let back = |images: &Tensor| (rounded(images) - 1.0 / 3.0).unwrap();
        for config in NETWORKS {
            let as_they_are = steps(&config, Precision::F32, &Device::Cpu, &Tensor::clone).unwrap();
            let compared =
                compare(&as_they_are, &steps(&config, Precision::F32, &Device::Cpu, &back).unwrap()).unwrap();
            let is_little = compared.deviation > 0.0 && compared.deviation < 0.2 * compared.limit;
            assert!(is_little, "{}: {compared:?}", config.name());
        }
    }
}
