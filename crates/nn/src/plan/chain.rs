//! Stages one after the other, with the buffers between them.

use super::activation::Activation;
use super::batch_norm::BatchNorm;
use super::conv2d::Conv2d;
use super::dense::Dense;
use super::depthwise_conv2d::DepthwiseConv2d;
use super::dropout::{Dropout, SpatialDropout};
use super::flatten::Flatten;
use super::pool2d::{AvgPool2d, GlobalAvgPool2d, MaxPool2d};
use super::residual::Residual;
use super::stage::{Operands, Pass, Stage};
use crate::error::NnError;
use crate::layer::{LayerSpec, NamedLayer};
use crate::parameters::Parameters;

/// Stages and the output of each.
#[derive(Debug)]
pub struct Chain {
    stages: Vec<Box<dyn Stage>>,
    outputs: Vec<Vec<f32>>,
    /// The gradients to the output and to the input of the stage that runs backward now.
    gradients: [Vec<f32>; 2],
}

impl Chain {
    /// The chain of `layers`, and the shape of an output sample.
    pub fn new(input: &[usize], layers: &[NamedLayer], parameters: &Parameters) -> Result<(Self, Vec<usize>), NnError> {
        let mut stages: Vec<Box<dyn Stage>> = Vec::with_capacity(layers.len());
        let mut shape = input.to_vec();
        let mut rest = layers.iter().peekable();
        while let Some(layer) = rest.next() {
            let len = shape.iter().product();
            let output = layer.output_shape(&shape)?;
            stages.push(match &layer.spec {
                LayerSpec::Conv2d(conv) => {
                    let mut stage = Conv2d::new(layer, conv, &shape, parameters)?;
                    if let Some(pool) = rest.next_if(|next| stage.pools_with(&next.spec)) {
                        stage.pool();
                        shape = pool.output_shape(&output)?;
                        stages.push(Box::new(stage));
                        continue;
                    }
                    Box::new(stage)
                }
                LayerSpec::DepthwiseConv2d(conv) => Box::new(DepthwiseConv2d::new(layer, conv, &shape, parameters)?),
                LayerSpec::BatchNorm(norm) => Box::new(BatchNorm::new(layer, norm, &shape, parameters)?),
                LayerSpec::MaxPool2d(pool) => Box::new(MaxPool2d(layer.pool2d(pool, &shape)?.1)),
                LayerSpec::AvgPool2d(pool) => Box::new(AvgPool2d(layer.pool2d(pool, &shape)?.1)),
                LayerSpec::GlobalAvgPool2d {} => {
                    let channels = output.iter().product();
                    Box::new(GlobalAvgPool2d { pixels: len / channels, channels })
                }
                LayerSpec::Activation { activation } => Box::new(Activation { len, function: *activation }),
                LayerSpec::Flatten {} => Box::new(Flatten::new(&shape)),
                LayerSpec::Dropout { rate } => Box::new(Dropout::new(layer, len, *rate)),
                LayerSpec::SpatialDropout { rate } => {
                    Box::new(SpatialDropout::new(layer, len, shape[shape.len() - 1], *rate))
                }
                LayerSpec::Dense { units, activation } => {
                    Box::new(Dense::new(layer, len, *units, *activation, parameters)?)
                }
                LayerSpec::Residual { layers, shortcut, activation } => Box::new(Residual {
                    len: output.iter().product(),
                    chain: Self::new(&shape, layers, parameters)?.0,
                    shortcut: match &shortcut[..] {
                        [] => None,
                        layers => Some(Self::new(&shape, layers, parameters)?.0),
                    },
                    activation: *activation,
                }),
            });
            shape = output;
        }
        let outputs = stages.iter().map(|_| Vec::new()).collect();
        Ok((Self { stages, outputs, gradients: [Vec::new(), Vec::new()] }, shape))
    }

    /// Whether all stages can be trained on a batch of `count` samples.
    pub fn check(&self, count: usize) -> Result<(), NnError> {
        self.stages.iter().try_for_each(|stage| stage.check(count))
    }

    /// The output for the batch `x`.
    pub fn forward(&mut self, pass: &Pass<'_>, x: &[f32]) -> &[f32] {
        for (i, stage) in self.stages.iter_mut().enumerate() {
            let (before, rest) = self.outputs.split_at_mut(i);
            let x = before.last().map_or(x, Vec::as_slice);
            rest[0].resize(pass.count * stage.output_len(), 0.0);
            stage.forward(pass, x, &mut rest[0]);
        }
        self.outputs.last().map_or(&[], Vec::as_slice)
    }

    /// Moves the running statistics towards those of the last forward pass.
    pub fn update_statistics(&self, statistics: &mut [&mut [f32]]) {
        for stage in &self.stages {
            stage.update_statistics(statistics);
        }
    }

    /// Writes the gradients to all parameters of the chain, and to its input `x` where that is wanted, from the `gradient`
    /// to the output of the last forward pass.
    pub fn backward(
        &mut self,
        pass: &Pass<'_>,
        x: &[f32],
        gradient: &[f32],
        mut to_x: Option<&mut [f32]>,
        to_parameters: &mut [&mut [f32]],
    ) {
        let [current, next] = &mut self.gradients;
        current.clear();
        current.extend_from_slice(gradient);
        for (i, stage) in self.stages.iter_mut().enumerate().rev() {
            let (before, y) = self.outputs[..=i].split_at(i);
            let x = before.last().map_or(x, Vec::as_slice);
            let operands = Operands { x, y: &y[0], gradient: current };
            if i == 0 {
                stage.backward(pass, &operands, to_x.take(), to_parameters);
            } else {
                next.resize(x.len(), 0.0);
                stage.backward(pass, &operands, Some(next), to_parameters);
                std::mem::swap(current, next);
            }
        }
    }
}
