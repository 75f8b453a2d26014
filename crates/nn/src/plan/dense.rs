//! A dense layer with its activation.

use super::stage::{Operands, Pass, Stage, two};
use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::conv2d::bias_gradient;
use crate::kernel::dense as kernel;
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;
use crate::layer::NamedLayer;
use crate::parameters::Parameters;

#[derive(Debug)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    /// Among the parameters.
    weight: usize,
    bias: usize,
}

impl Dense {
    pub fn new(
        layer: &NamedLayer,
        inputs: usize,
        units: usize,
        activation: Activation,
        parameters: &Parameters,
    ) -> Result<Self, NnError> {
        let [weight, bias] = [parameters.index(&layer.name, "weight")?, parameters.index(&layer.name, "bias")?];
        Ok(Self { inputs, outputs: units, activation, weight, bias })
    }
}

impl Stage for Dense {
    fn output_len(&self) -> usize {
        self.outputs
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        let [weight, bias] = [self.weight, self.bias].map(|index| pass.parameters[index]);
        kernel::forward(self.inputs, x, weight, bias, y);
        activation::apply(self.activation, y);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, gradient, .. } = *operands;
        let [to_weight, to_bias] = two(to, [self.weight, self.bias]);
        let mut to_sums = Scratch::of(gradient.len());
        activation::input_gradient(self.activation, y, gradient, &mut to_sums);
        if let Some(to_x) = to_x {
            kernel::input_gradient(self.inputs, self.outputs, pass.parameters[self.weight], &to_sums, to_x);
        }
        kernel::weight_gradient(self.inputs, self.outputs, x, &to_sums, to_weight);
        bias_gradient(Vectors::widest(), self.outputs, &to_sums, to_bias);
    }
}
