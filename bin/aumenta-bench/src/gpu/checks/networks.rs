//! Whole networks: a training step's logits, losses, gradients and statistics, a few steps of training, and a prediction.

use anyhow::Result;
use aumenta_models::ModelConfig;
use aumenta_nn::{Loss, Optimizer, OptimizerConfig, Precision, SgdConfig};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use crate::gpu::check::{Check, Output, Tolerance, random};

/// Images of the batch.
const IMAGES: usize = 4;

/// Steps of training after the one whose gradients are compared.
const STEPS: u64 = 3;

/// How far a network's numbers may lie from those in f32, relative to their norm.
#[derive(Clone, Copy)]
struct Limits {
    /// Logits and losses.
    output: f64,
    gradient: f64,
}

impl Limits {
    /// More than twice what roundings have done on the CPU: those of weights and images to the mantissa of TF32 moved single gradients
    /// by up to 0.11 of their norm, and to that of bfloat16 by up to 0.29; a GPU rounds at every layer. Of EfficientNet-Lite0 it was some
    /// thousand times the roundoff, for which there is room in f32.
    fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self { output: 5e-4, gradient: 5e-3 },
            Precision::Tf32 => Self { output: 2e-2, gradient: 0.3 },
            Precision::Bf16 => Self { output: 0.1, gradient: 0.7 },
        }
    }
}

/// Whether a network's gradients tell anything in `precision`. Normalizations that see few values a channel, one behind the other, make
/// much of little: rounding its weights to 10 bits turns gradients of EfficientNet-Lite0 around at this size.
fn is_told(config: &ModelConfig, precision: Precision) -> bool {
    precision == Precision::F32 || !matches!(config, ModelConfig::EfficientnetLite0 { .. })
}

pub fn checks(precisions: &[Precision]) -> Vec<Check> {
    let networks = [
        ModelConfig::MnistConvnet {},
        ModelConfig::CatsDogsConvnet { image_size: 150, dropout: 0.3 },
        ModelConfig::EfficientnetLite0 { image_size: 64, classes: Some(3) },
        ModelConfig::Resnet18 { image_size: 64, classes: Some(3) },
    ];
    let mut checks = Vec::new();
    for config in networks {
        for &precision in precisions.iter().filter(|precision| is_told(&config, **precision)) {
            let (name, config) = (format!("{} in {precision}", config.name()), config.clone());
            checks.push(Check::new(name, move |device| steps(&config, precision, device)));
        }
    }
    checks
}

/// What `device` computes in `precision`, or the CPU in f32.
fn steps(config: &ModelConfig, precision: Precision, device: &Device) -> Result<Vec<Output>> {
    let architecture = config.architecture()?;
    let mut model = architecture.build(Seed::new(7), device)?;
    model.set_precision(if device.is_cpu() { Precision::F32 } else { precision })?;
    let [height, width, channels] = architecture.input();
    let images = random("images", &[IMAGES, height, width, channels], device)?;
    let classes: Vec<u32> = (0..IMAGES as u32).map(|image| image % architecture.classes() as u32).collect();
    let classes = Tensor::new(classes, device)?;
    let limits = Limits::of(precision);
    let (output, gradient) = (Tolerance::OfNorm(limits.output), Tolerance::OfNorm(limits.gradient));
    let mut outputs = vec![Output::new("prediction before training", &model.predict(&images)?, output)?];

    let parameters = model.parameters().clone();
    let config = OptimizerConfig::Sgd(SgdConfig { learning_rate: 1e-3, ..SgdConfig::default() });
    let mut optimizer = Optimizer::new(config, &parameters)?;
    let mut losses = Vec::new();
    for number in 0..=STEPS {
        let mut loss = |logits: &Tensor| Loss::for_outputs(logits.dims()[1]).of_each(logits, &classes);
        let step = model.gradients(&images, number, &mut loss)?;
        losses.push(step.losses.mean_all()?.reshape(1)?);
        if number == 0 {
            outputs.push(Output::new("logits", &step.output, output)?);
            for (parameter, tensor) in parameters.iter().zip(step.gradients.tensors()) {
                outputs.push(Output::new(format!("gradient of {}", parameter.name), tensor, gradient)?);
            }
        }
        optimizer.step(&parameters, &step.gradients)?;
    }
    outputs.push(Output::new("losses of all steps", &Tensor::cat(&losses, 0)?, output)?);
    for statistic in parameters.statistics() {
        outputs.push(Output::new(statistic.name.clone(), statistic.var.as_tensor(), output)?);
    }
    outputs.push(Output::new("prediction after training", &model.predict(&images)?, output)?);
    Ok(outputs)
}
