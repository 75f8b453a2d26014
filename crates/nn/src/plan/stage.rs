//! [`Stage`]: one step of a [`super::Plan`], over slices.

use std::fmt::Debug;

use aumenta_seed::Seed;

use crate::error::NnError;

/// What all stages of one training step share.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Images in the batch.
    pub count: usize,
    /// The values of all parameters of the network.
    pub parameters: &'a [&'a [f32]],
    /// The running statistics of the network, on the way forward; none on the way back.
    pub statistics: &'a [&'a [f32]],
    /// Chooses the dropout masks together with the step.
    pub seed: Seed,
    /// Counts the optimizer's steps from 0.
    pub step: u64,
}

/// An operation on a batch of samples, one after the other in a slice. It keeps what its backward pass needs besides its
/// operands.
pub trait Stage: Debug + Send {
    /// Elements of an output sample.
    fn output_len(&self) -> usize;

    /// Whether the stage can be trained on a batch of `count` samples.
    ///
    /// # Errors
    /// [`NnError::Layer`] where it cannot.
    fn check(&self, _count: usize) -> Result<(), NnError> {
        Ok(())
    }

    /// Writes the output of the batch `x` to `y`.
    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]);

    /// Moves the running statistics that the last forward pass changes.
    fn update_statistics(&self, _statistics: &mut [&mut [f32]]) {}

    /// Writes the gradients to the stage's parameters, and to its input where that is wanted, from its operands and the
    /// gradient to its output.
    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]);
}

/// What the backward pass of a stage reads.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a> {
    /// The input.
    pub x: &'a [f32],
    /// The output.
    pub y: &'a [f32],
    /// The gradient to the output.
    pub gradient: &'a [f32],
}

/// Where the gradients to a weight and, where there is one, to its bias go, by their places among the parameters.
pub fn weight_and_bias<'a>(
    to: &'a mut [&mut [f32]],
    weight: usize,
    bias: Option<usize>,
) -> (&'a mut [f32], Option<&'a mut [f32]>) {
    let Some(bias) = bias else { return (&mut *to[weight], None) };
    let [weight, bias] = two(to, [weight, bias]);
    (weight, Some(bias))
}

/// Two different slices, by their places.
pub fn two<'a>(slices: &'a mut [&mut [f32]], [a, b]: [usize; 2]) -> [&'a mut [f32]; 2] {
    match slices.get_disjoint_mut([a, b]) {
        Ok([a, b]) => [a, b],
        Err(error) => unreachable!("slices {a} and {b}: {error}"),
    }
}
