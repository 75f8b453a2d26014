//! A convolution with its activation and, where it follows, 2x2 max pooling.

use super::stage::{Operands, Pass, Stage, weight_and_bias};
use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::conv2d::{self as kernel, Geometry, NO_LIMITS, OutputGradient, Wanted};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;
use crate::layer::{Conv2dLayer, LayerSpec, NamedLayer};
use crate::parameters::Parameters;

#[derive(Debug)]
pub struct Conv2d {
    geometry: Geometry,
    activation: Activation,
    pooled: bool,
    /// The place in its pooling window of each largest element.
    winners: Vec<u8>,
    /// Among the parameters.
    weight: usize,
    bias: Option<usize>,
    vectors: Vectors,
}

impl Conv2d {
    pub fn new(
        layer: &NamedLayer,
        conv: &Conv2dLayer,
        input: &[usize],
        parameters: &Parameters,
    ) -> Result<Self, NnError> {
        let (_, geometry) = layer.conv2d(conv, input)?;
        let weight = parameters.index(&layer.name, "weight")?;
        let bias = if conv.bias { Some(parameters.index(&layer.name, "bias")?) } else { None };
        let (activation, vectors) = (conv.activation, Vectors::widest());
        Ok(Self { geometry, activation, pooled: false, winners: Vec::new(), weight, bias, vectors })
    }

    /// Whether the stage can pool as the next layer does.
    pub fn pools_with(&self, next: &LayerSpec) -> bool {
        next.is_pooling_of_pairs() && self.activation.limits().is_some()
    }

    /// Takes the pooling behind it into the stage.
    pub fn pool(&mut self) {
        self.pooled = true;
    }
}

impl Stage for Conv2d {
    fn output_len(&self) -> usize {
        let [rows, columns] = self.geometry.pooled();
        if self.pooled { rows * columns * self.geometry.output[2] } else { self.geometry.output_len() }
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        let (weight, bias) = (pass.parameters[self.weight], self.bias.map(|bias| pass.parameters[bias]));
        let limits = self.activation.limits().unwrap_or(NO_LIMITS);
        if self.pooled {
            self.winners.resize(y.len(), 0);
            let winners = &mut self.winners;
            kernel::forward_pooled(self.vectors, &self.geometry, x, weight, bias, limits, y, winners);
        } else {
            kernel::forward(self.vectors, &self.geometry, x, weight, bias, limits, y);
            if self.activation.limits().is_none() {
                activation::apply(self.activation, y);
            }
        }
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, gradient } = *operands;
        let (to_weight, to_bias) = weight_and_bias(to, self.weight, self.bias);
        let wanted = Wanted { images: to_x, weight: Some(to_weight), bias: to_bias };
        let run = |source| {
            kernel::gradients(self.vectors, &self.geometry, x, pass.parameters[self.weight], source, wanted);
        };
        match self.activation.limits() {
            Some(limits) if self.pooled => {
                run(OutputGradient::Pooled { gradient, pooled: y, winners: &self.winners, limits });
            }
            Some(NO_LIMITS) => run(OutputGradient::Plain(gradient)),
            Some(limits) => run(OutputGradient::Limited { gradient, output: y, limits }),
            None => {
                let mut to_sums = Scratch::of(gradient.len());
                activation::input_gradient(self.activation, y, gradient, &mut to_sums);
                run(OutputGradient::Plain(&to_sums));
            }
        }
    }
}
