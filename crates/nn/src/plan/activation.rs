//! An activation on its own.

use super::stage::{Operands, Pass, Stage};
use crate::kernel::activation::{self as kernel, Activation as Function};

#[derive(Debug)]
pub struct Activation {
    pub len: usize,
    pub function: Function,
}

impl Stage for Activation {
    fn output_len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, _pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(x);
        kernel::apply(self.function, y);
    }

    fn backward(
        &mut self,
        _pass: &Pass<'_>,
        operands: &Operands<'_>,
        to_x: Option<&mut [f32]>,
        _to: &mut [&mut [f32]],
    ) {
        if let Some(to_x) = to_x {
            kernel::input_gradient(self.function, operands.y, operands.gradient, to_x);
        }
    }
}
