//! A depthwise convolution with its activation.

use super::stage::{Operands, Pass, Stage, weight_and_bias};
use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::conv2d::bias_gradient;
use crate::kernel::depthwise_conv2d::{self as kernel, Geometry};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;
use crate::layer::{DepthwiseConv2dLayer, NamedLayer};
use crate::parameters::Parameters;

#[derive(Debug)]
pub struct DepthwiseConv2d {
    geometry: Geometry,
    activation: Activation,
    /// Among the parameters.
    weight: usize,
    bias: Option<usize>,
    /// Stands in for a bias that the layer does not have.
    no_bias: Vec<f32>,
}

impl DepthwiseConv2d {
    pub fn new(
        layer: &NamedLayer,
        conv: &DepthwiseConv2dLayer,
        input: &[usize],
        parameters: &Parameters,
    ) -> Result<Self, NnError> {
        let (_, geometry) = layer.depthwise_conv2d(conv, input)?;
        let weight = parameters.index(&layer.name, "weight")?;
        let bias = if conv.bias { Some(parameters.index(&layer.name, "bias")?) } else { None };
        let no_bias = vec![0.0; if conv.bias { 0 } else { geometry.output[2] }];
        Ok(Self { geometry, activation: conv.activation, weight, bias, no_bias })
    }
}

impl Stage for DepthwiseConv2d {
    fn output_len(&self) -> usize {
        self.geometry.output.iter().product()
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        let bias = self.bias.map_or(self.no_bias.as_slice(), |bias| pass.parameters[bias]);
        kernel::forward(&self.geometry, x, pass.parameters[self.weight], bias, self.activation, y);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, gradient } = *operands;
        let mut to_sums = Scratch::of(gradient.len());
        activation::input_gradient(self.activation, y, gradient, &mut to_sums);
        if let Some(to_x) = to_x {
            kernel::input_gradient(&self.geometry, pass.parameters[self.weight], &to_sums, to_x);
        }
        let (to_weight, to_bias) = weight_and_bias(to, self.weight, self.bias);
        kernel::weight_gradient(&self.geometry, x, &to_sums, to_weight);
        if let Some(to_bias) = to_bias {
            let [_, columns, channels] = self.geometry.output;
            bias_gradient(Vectors::widest(), columns * channels, &to_sums, to_bias);
        }
    }
}
