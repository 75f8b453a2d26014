//! Stages one after the other, with the buffers between them.

use super::conv2d::Conv2d;
use super::dense::Dense;
use super::dropout::Dropout;
use super::flatten::Flatten;
use super::max_pool2d::MaxPool2d;
use super::stage::{Operands, Pass, Saved, Stage};
use crate::error::NnError;
use crate::layer::{LayerSpec, NamedLayer};
use crate::parameters::Parameters;

/// Stages and, for each, its output and what it saved.
#[derive(Debug)]
pub struct Chain {
    stages: Vec<Box<dyn Stage>>,
    outputs: Vec<Vec<f32>>,
    saved: Vec<Saved>,
    /// The gradients to the output and to the input of the stage that runs backward now.
    gradients: [Vec<f32>; 2],
}

impl Chain {
    /// The chain of `layers`, and the shape of an output sample.
    pub fn new(input: &[usize], layers: &[NamedLayer], parameters: &Parameters) -> Result<(Self, Vec<usize>), NnError> {
        let mut stages: Vec<Box<dyn Stage>> = Vec::with_capacity(layers.len());
        let mut shape = input.to_vec();
        let mut rest = layers;
        while let [layer, others @ ..] = rest {
            let mut taken = 1;
            let output = layer.output_shape(&shape)?;
            stages.push(match &layer.spec {
                LayerSpec::Conv2d { activation, .. } => {
                    let mut stage = Conv2d::new(layer, &shape, &output, *activation, parameters)?;
                    if let Some(NamedLayer { spec: LayerSpec::MaxPool2d { window: 2 }, .. }) = others.first()
                        && stage.pool()
                    {
                        taken = 2;
                    }
                    Box::new(stage)
                }
                LayerSpec::MaxPool2d { window } => Box::new(MaxPool2d::new(&shape, *window)),
                LayerSpec::Flatten {} => Box::new(Flatten::new(&shape)),
                LayerSpec::Dropout { rate } => Box::new(Dropout::new(layer, &shape, *rate)),
                LayerSpec::Dense { activation, .. } => Box::new(Dense::new(layer, &shape, &output, *activation, parameters)?),
            });
            shape = layers_shape(&rest[..taken], &shape)?;
            rest = &rest[taken..];
        }
        let outputs = stages.iter().map(|_| Vec::new()).collect();
        let saved = stages.iter().map(|_| Saved::default()).collect();
        Ok((Self { stages, outputs, saved, gradients: [Vec::new(), Vec::new()] }, shape))
    }

    /// The output for the batch `x`.
    pub fn forward(&mut self, pass: &Pass<'_>, x: &[f32]) -> &[f32] {
        for (i, stage) in self.stages.iter().enumerate() {
            let (before, rest) = self.outputs.split_at_mut(i);
            let x = before.last().map_or(x, Vec::as_slice);
            rest[0].resize(pass.count * stage.output_len(), 0.0);
            stage.forward(pass, x, &mut rest[0], &mut self.saved[i]);
        }
        self.outputs.last().map_or(&[], Vec::as_slice)
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
        for (i, stage) in self.stages.iter().enumerate().rev() {
            let (before, y) = self.outputs[..=i].split_at(i);
            let x = before.last().map_or(x, Vec::as_slice);
            let operands = Operands { x, y: &y[0], saved: &self.saved[i], gradient: current };
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

fn layers_shape(layers: &[NamedLayer], input: &[usize]) -> Result<Vec<usize>, NnError> {
    layers.iter().try_fold(input.to_vec(), |shape, layer| layer.output_shape(&shape))
}
