//! A chain whose output is added to its input, or to what another chain makes of it.

use rayon::prelude::*;

use super::chain::Chain;
use super::stage::{Operands, Pass, Stage};
use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::scratch::Scratch;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

#[derive(Debug)]
pub struct Residual {
    /// Elements of an output sample.
    pub len: usize,
    pub chain: Chain,
    /// Where there is none, the input itself is added.
    pub shortcut: Option<Chain>,
    pub activation: Activation,
}

impl Stage for Residual {
    fn output_len(&self) -> usize {
        self.len
    }

    fn check(&self, count: usize) -> Result<(), NnError> {
        self.chain.check(count)?;
        self.shortcut.as_ref().map_or(Ok(()), |shortcut| shortcut.check(count))
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(self.chain.forward(pass, x));
        add(y, self.shortcut.as_mut().map_or(x, |shortcut| shortcut.forward(pass, x)));
        activation::apply(self.activation, y);
    }

    fn update_statistics(&self, statistics: &mut [&mut [f32]]) {
        self.chain.update_statistics(statistics);
        if let Some(shortcut) = &self.shortcut {
            shortcut.update_statistics(statistics);
        }
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, gradient } = *operands;
        if self.activation == Activation::Linear {
            return self.backward_of_sum(pass, x, gradient, to_x, to);
        }
        let mut to_sum = Scratch::of(gradient.len());
        activation::input_gradient(self.activation, y, gradient, &mut to_sum);
        self.backward_of_sum(pass, x, &to_sum, to_x, to);
    }
}

impl Residual {
    /// As [`Stage::backward`], from the `gradient` to the sum before its activation.
    fn backward_of_sum(
        &mut self,
        pass: &Pass<'_>,
        x: &[f32],
        gradient: &[f32],
        mut to_x: Option<&mut [f32]>,
        to: &mut [&mut [f32]],
    ) {
        self.chain.backward(pass, x, gradient, to_x.as_deref_mut(), to);
        match (&mut self.shortcut, to_x) {
            (None, Some(to_x)) => add(to_x, gradient),
            (Some(shortcut), Some(to_x)) => {
                let mut through_shortcut = Scratch::of(x.len());
                shortcut.backward(pass, x, gradient, Some(&mut through_shortcut), to);
                add(to_x, &through_shortcut);
            }
            (Some(shortcut), None) => shortcut.backward(pass, x, gradient, None, to),
            (None, None) => {}
        }
    }
}

fn add(sum: &mut [f32], values: &[f32]) {
    sum.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK)).for_each(|(sum, values)| {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value;
        }
    });
}
