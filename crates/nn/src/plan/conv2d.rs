//! A convolution with its activation and, where it follows, 2x2 max pooling.

use super::stage::{Operands, Pass, Saved, Stage, two};
use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::conv2d::{self as kernel, Geometry, NO_LIMITS, OutputGradient, Wanted};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;
use crate::layer::NamedLayer;
use crate::parameters::Parameters;

#[derive(Debug)]
pub struct Conv2d {
    geometry: Geometry,
    activation: Activation,
    pooled: bool,
    /// Weight and bias among the parameters.
    parameters: [usize; 2],
    vectors: Vectors,
}

impl Conv2d {
    pub fn new(
        layer: &NamedLayer,
        input: &[usize],
        output: &[usize],
        activation: Activation,
        parameters: &Parameters,
    ) -> Result<Self, NnError> {
        let geometry = layer.conv2d_geometry(input, output)?;
        let parameters = parameters.indices(&layer.name, ["weight", "bias"])?;
        Ok(Self { geometry, activation, pooled: false, parameters, vectors: Vectors::widest() })
    }

    /// Takes the 2x2 max pooling that follows into the stage, where the activation allows it.
    pub fn pool(&mut self) -> bool {
        self.pooled = self.activation.limits().is_some();
        self.pooled
    }
}

impl Stage for Conv2d {
    fn output_len(&self) -> usize {
        let [rows, columns] = self.geometry.pooled();
        if self.pooled { rows * columns * self.geometry.output[2] } else { self.geometry.output_len() }
    }

    fn forward(&self, pass: &Pass<'_>, x: &[f32], y: &mut [f32], saved: &mut Saved) {
        let [weight, bias] = self.parameters.map(|index| pass.parameters[index]);
        let limits = self.activation.limits().unwrap_or(NO_LIMITS);
        if self.pooled {
            saved.winners.resize(y.len(), 0);
            let winners = &mut saved.winners;
            kernel::forward_pooled(self.vectors, &self.geometry, x, weight, Some(bias), limits, y, winners);
        } else {
            kernel::forward(self.vectors, &self.geometry, x, weight, Some(bias), limits, y);
            if self.activation.limits().is_none() {
                activation::apply(self.activation, y);
            }
        }
    }

    fn backward(&self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, saved, gradient } = *operands;
        let [to_weight, to_bias] = two(to, self.parameters);
        let wanted = Wanted { images: to_x, weight: Some(to_weight), bias: Some(to_bias) };
        let run = |source| {
            kernel::gradients(self.vectors, &self.geometry, x, pass.parameters[self.parameters[0]], source, wanted);
        };
        match self.activation.limits() {
            Some(limits) if self.pooled => {
                run(OutputGradient::Pooled { gradient, pooled: y, winners: &saved.winners, limits });
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
