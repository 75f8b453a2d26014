//! A chain whose output is added to its input.

use rayon::prelude::*;

use super::chain::Chain;
use super::stage::{Operands, Pass, Stage};
use crate::error::NnError;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

#[derive(Debug)]
pub struct Residual {
    pub len: usize,
    pub chain: Chain,
}

impl Stage for Residual {
    fn output_len(&self) -> usize {
        self.len
    }

    fn check(&self, count: usize) -> Result<(), NnError> {
        self.chain.check(count)
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(self.chain.forward(pass, x));
        add(y, x);
    }

    fn update_statistics(&self, statistics: &mut [&mut [f32]]) {
        self.chain.update_statistics(statistics);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, gradient, .. } = *operands;
        match to_x {
            Some(to_x) => {
                self.chain.backward(pass, x, gradient, Some(&mut *to_x), to);
                add(to_x, gradient);
            }
            None => self.chain.backward(pass, x, gradient, None, to),
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
