//! Whole networks on the CPU: the fast way to what [`crate::op`] computes layer by layer on any device.
//!
//! Candle's backward pass allocates a tensor of zeros for every gradient, adds the gradient to it into a third one, and
//! drops all of them; with activations of many megabytes that costs more than some layers. A [`Plan`] runs the same
//! kernels over activations, gradients and winners of pooling that are allocated by the first step and used again by each
//! later one; a convolution and the max pooling behind it run as one. Evaluation needs no memory of a whole batch at all:
//! [`infer`].

mod activation;
mod batch_norm;
mod chain;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod flatten;
mod inference;
mod pool2d;
mod residual;
mod stage;

use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use self::chain::Chain;
use self::inference::{Inference, Values};
use self::stage::Pass;
use crate::error::NnError;
use crate::gradients::Gradients;
use crate::layer::NamedLayer;
use crate::parameters::Parameters;
use crate::storage::{with_f32s, with_f32s_mut};

const OP: &str = "training step";

/// The output of `layers` for the batch `x` in evaluation, on the CPU.
pub fn infer(input: &[usize], layers: &[NamedLayer], parameters: &Parameters, x: &Tensor) -> Result<Tensor, NnError> {
    let count = x.dims()[0];
    let all = parameters.all().map(|parameter| parameter.var.as_tensor());
    let operands: Vec<&Tensor> = std::iter::once(x).chain(all).collect();
    let (output, shape) = with_f32s("inference", &operands, |operands| {
        let values = Values { parameters, slices: &operands[1..] };
        let (inference, shape) = Inference::new(input, layers, &values)?;
        Ok::<_, NnError>((inference.run(count, operands[0]), shape))
    })??;
    let shape: Vec<usize> = std::iter::once(count).chain(shape).collect();
    Ok(Tensor::from_vec(output, shape, &Device::Cpu)?)
}

/// Layers ready to be trained, with all memory that a step needs.
#[derive(Debug)]
pub struct Plan {
    chain: Chain,
    /// The shape of an output sample.
    output: Vec<usize>,
    /// One for each parameter, in order.
    gradients: Vec<Tensor>,
    seed: Seed,
}

impl Plan {
    /// A plan for layers that fit each other and the input, none of them frozen, whose parameters are `parameters`.
    pub fn new(input: &[usize], layers: &[NamedLayer], parameters: &Parameters, seed: Seed) -> Result<Self, NnError> {
        let (chain, output) = Chain::new(input, layers, parameters)?;
        let gradients = parameters.iter().map(|parameter| parameter.var.zeros_like());
        Ok(Self { chain, output, gradients: gradients.collect::<Result<_, _>>()?, seed })
    }

    /// The layers' output for the batch `x` in training, which a call of [`Plan::backward`] can follow.
    pub fn forward(&mut self, x: &Tensor, parameters: &Parameters, step: u64) -> Result<Tensor, NnError> {
        let count = x.dims()[0];
        self.chain.check(count)?;
        let operands: Vec<&Tensor> = std::iter::once(x).chain(parameters.iter().map(|p| p.var.as_tensor())).collect();
        let output = with_f32s(OP, &operands, |operands| {
            let pass = Pass { count, parameters: &operands[1..], seed: self.seed, step };
            self.chain.forward(&pass, operands[0]).to_vec()
        })?;
        let statistics: Vec<&Tensor> = parameters.statistics().map(|statistic| statistic.var.as_tensor()).collect();
        with_f32s_mut(OP, &statistics, &mut |mut statistics| self.chain.update_statistics(&mut statistics))?;
        let shape: Vec<usize> = std::iter::once(count).chain(self.output.iter().copied()).collect();
        Ok(Tensor::from_vec(output, shape, &Device::Cpu)?)
    }

    /// The gradients of the loss that has the `gradient` to the output of the last [`Plan::forward`], which was given the
    /// same `x`, `parameters` and `step`.
    pub fn backward(
        &mut self,
        x: &Tensor,
        parameters: &Parameters,
        step: u64,
        gradient: &Tensor,
    ) -> Result<Gradients<'_>, NnError> {
        let count = x.dims()[0];
        let operands: Vec<&Tensor> =
            [x, gradient].into_iter().chain(parameters.iter().map(|p| p.var.as_tensor())).collect();
        let to_parameters: Vec<&Tensor> = self.gradients.iter().collect();
        let (chain, seed) = (&mut self.chain, self.seed);
        with_f32s(OP, &operands, |operands| {
            let pass = Pass { count, parameters: &operands[2..], seed, step };
            with_f32s_mut(OP, &to_parameters, &mut |mut to_parameters| {
                chain.backward(&pass, operands[0], operands[1], None, &mut to_parameters);
            })
        })??;
        Ok(Gradients::in_buffers(&self.gradients))
    }
}
