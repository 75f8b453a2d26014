//! Every optimizer's rule over a few steps: where the parameters end, and what is remembered.

use anyhow::Result;
use aumenta_nn::{
    AdamConfig, AdamWConfig, Decayed, Gradients, Optimizer, OptimizerConfig, OptimizerVariant, ParameterGroup,
    Parameters, Penalty, RmsPropConfig, SgdConfig,
};
use candle_core::{Device, Var};

use crate::gpu::check::{Check, Output, Tolerance, random};

const STEPS: usize = 4;

/// Steps divide by roots of sums of squares, so that a rounding in a gradient near zero shows at the size of a whole step; four
/// steps of a hundredth of the parameters' size stay far below this.
const TOLERANCE: Tolerance = Tolerance::OfLargest(1e-5);

/// Name and shape; of some thousand elements, of few, and of one.
const PARAMETERS: [(&str, &[usize]); 4] =
    [("conv1.weight", &[16, 8, 3, 3]), ("conv1.bias", &[16]), ("dense1.weight", &[33, 65]), ("dense1.bias", &[1])];

pub fn checks() -> Vec<Check> {
    let cases = configurations().into_iter();
    cases.map(|(name, config)| Check::new(format!("optimizer {name}"), move |device| moved(&config, device))).collect()
}

fn configurations() -> Vec<(String, OptimizerConfig)> {
    let sgd = SgdConfig { learning_rate: 0.01, ..SgdConfig::default() };
    let mut configurations = vec![("sgd".to_string(), OptimizerConfig::Sgd(sgd.clone()))];
    for (variant, whose) in [(OptimizerVariant::Pytorch, "PyTorch"), (OptimizerVariant::Keras, "Keras")] {
        let momentum = SgdConfig { momentum: 0.9, variant, ..sgd.clone() };
        let rmsprop = RmsPropConfig { variant, ..RmsPropConfig::default() };
        let adam = AdamConfig { variant, ..AdamConfig::default() };
        for (name, config) in [
            ("momentum", OptimizerConfig::Sgd(momentum.clone())),
            ("nesterov", OptimizerConfig::Sgd(SgdConfig { nesterov: true, ..momentum })),
            ("rmsprop", OptimizerConfig::Rmsprop(rmsprop.clone())),
            ("rmsprop, centered, with momentum", {
                OptimizerConfig::Rmsprop(RmsPropConfig { centered: true, momentum: 0.9, ..rmsprop })
            }),
            ("adam", OptimizerConfig::Adam(adam)),
            ("adamw", OptimizerConfig::AdamW(AdamWConfig { variant, ..AdamWConfig::default() })),
        ] {
            configurations.push((format!("{name}, as {whose} has it"), config));
        }
    }
    let groups = vec![
        ParameterGroup { weight_decay: Some(0.0), learning_rate_scale: 0.5, ..ParameterGroup::new("*.bias") },
        ParameterGroup { frozen: true, ..ParameterGroup::new("dense1.*") },
    ];
    let clipped = Some(0.5);
    configurations.extend([
        ("sgd, clipped, with decay and l1".to_string(), {
            OptimizerConfig::Sgd(SgdConfig { clip_norm: clipped, weight_decay: 0.1, l1: 0.01, ..sgd })
        }),
        ("adam, clipped, with decay of weights".to_string(), {
            let decayed = Decayed::Weights;
            OptimizerConfig::Adam(AdamConfig {
                clip_norm: clipped,
                weight_decay: 0.1,
                decayed,
                ..AdamConfig::default()
            })
        }),
        ("adamw, in groups".to_string(), {
            OptimizerConfig::AdamW(AdamWConfig { weight_decay: 0.1, groups, ..AdamWConfig::default() })
        }),
    ]);
    configurations
}

/// The parameters and what is remembered of them after [`STEPS`] steps.
fn moved(config: &OptimizerConfig, device: &Device) -> Result<Vec<Output>> {
    let mut parameters = Parameters::default();
    for (name, shape) in PARAMETERS {
        let var = Var::from_tensor(&random(name, shape, device)?)?;
        parameters.push_penalized(name.to_string(), var, Penalty { l1: 0.0, l2: 0.01 });
    }
    let mut optimizer = Optimizer::new(config.clone(), &parameters)?;
    for step in 0..STEPS {
        optimizer.step(&parameters, &gradients(&parameters, step, device)?)?;
    }
    let named = parameters.tensors()?.into_iter().chain(optimizer.state()?.tensors);
    Ok(named.map(|tensor| Output { name: tensor.name, values: tensor.values, tolerance: TOLERANCE }).collect())
}

/// Random gradients of step `step`: those of the sum of the parameters times random numbers.
fn gradients(parameters: &Parameters, step: usize, device: &Device) -> Result<Gradients<'static>> {
    let terms = parameters.iter().map(|parameter| {
        let name = format!("gradient {step} of {}", parameter.name);
        Ok((parameter.var.as_tensor() * random(&name, parameter.var.dims(), device)?)?.sum_all()?)
    });
    let loss = terms.reduce(|sum, term: Result<_>| Ok((sum? + term?)?)).expect("there are parameters")?;
    Ok(Gradients::of(&loss, parameters)?)
}
