//! [`Stage`]: one step of a [`super::Plan`], over slices.

use std::fmt::Debug;

use aumenta_seed::Seed;

/// What all stages of one training step share.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Images in the batch.
    pub count: usize,
    /// The values of all parameters of the network.
    pub parameters: &'a [&'a [f32]],
    /// Chooses the dropout masks together with the step.
    pub seed: Seed,
    /// Counts the optimizer's steps from 0.
    pub step: u64,
}

/// What a stage keeps from its forward pass for its backward pass.
#[derive(Debug, Default)]
pub struct Saved {
    /// The place in its window of each largest element.
    pub winners: Vec<u8>,
}

/// An operation on a batch of samples, one after the other in a slice.
pub trait Stage: Debug + Send {
    /// Elements of an output sample.
    fn output_len(&self) -> usize;

    /// Writes the output of the batch `x` to `y`.
    fn forward(&self, pass: &Pass<'_>, x: &[f32], y: &mut [f32], saved: &mut Saved);

    /// Writes the gradients to the stage's parameters, and to its input where that is wanted, from its operands and the
    /// gradient to its output.
    fn backward(&self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]);
}

/// What the backward pass of a stage reads.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a> {
    /// The input.
    pub x: &'a [f32],
    /// The output.
    pub y: &'a [f32],
    /// What the forward pass saved.
    pub saved: &'a Saved,
    /// The gradient to the output.
    pub gradient: &'a [f32],
}

/// Two of the gradients to parameters, by index.
pub fn two<'a>(to: &'a mut [&mut [f32]], [a, b]: [usize; 2]) -> [&'a mut [f32]; 2] {
    match to.get_disjoint_mut([a, b]) {
        Ok([a, b]) => [a, b],
        Err(error) => unreachable!("parameters {a} and {b}: {error}"),
    }
}
