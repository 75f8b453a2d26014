//! From NHWC images to vectors, channel by channel.

use super::stage::{Operands, Pass, Stage};
use crate::kernel::flatten as kernel;

#[derive(Debug)]
pub struct Flatten {
    pixels: usize,
    channels: usize,
}

impl Flatten {
    pub fn new(input: &[usize]) -> Self {
        let (pixels, channels) = match input {
            [rows, columns, channels] => (rows * columns, *channels),
            _ => (1, input.iter().product()),
        };
        Self { pixels, channels }
    }
}

impl Stage for Flatten {
    fn output_len(&self) -> usize {
        self.pixels * self.channels
    }

    fn forward(&mut self, _pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        kernel::transpose_each(self.pixels, self.channels, x, y);
    }

    fn backward(
        &mut self,
        _pass: &Pass<'_>,
        operands: &Operands<'_>,
        to_x: Option<&mut [f32]>,
        _to: &mut [&mut [f32]],
    ) {
        if let Some(to_x) = to_x {
            kernel::transpose_each(self.channels, self.pixels, operands.gradient, to_x);
        }
    }
}
