//! The activation that a convolution or dense layer applies to its own output.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::kernel::conv2d::NO_LIMITS;
use crate::storage::f32s;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 16;

/// What a layer applies to its output, element by element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `y = x`.
    #[default]
    Linear,
    /// `y = max(x, 0)`, with gradient 0 at 0 (Nair and Hinton 2010).
    Relu,
}

impl Activation {
    /// The limits below and above which the activation cuts its input off, where that is all it does.
    pub(crate) fn limits(self) -> Option<[f32; 2]> {
        match self {
            Self::Linear => Some(NO_LIMITS),
            Self::Relu => Some([0.0, f32::INFINITY]),
        }
    }

    /// Applies the activation in place.
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Linear => {}
            // A NaN stays a NaN, which `f32::max` would turn into 0.
            Self::Relu => values.par_chunks_mut(CHUNK).for_each(|values| {
                for value in values {
                    *value = if *value <= 0.0 { 0.0 } else { *value };
                }
            }),
        }
    }

    /// The gradient to the activation's input, from its output and the gradient to that output.
    pub(crate) fn input_gradient(self, output: &Tensor, gradient: &Tensor) -> Result<Tensor> {
        match self {
            Self::Linear => gradient.contiguous(),
            Self::Relu => output.apply_op2_no_bwd(&gradient.contiguous()?, &ReluGradient),
        }
    }
}

struct ReluGradient;

impl CustomOp2 for ReluGradient {
    fn name(&self) -> &'static str {
        "relu-gradient"
    }

    fn cpu_fwd(
        &self,
        output: &CpuStorage,
        output_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let output = f32s(self.name(), output, output_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mut result = vec![0.0; gradient.len()];
        let chunks = result.par_chunks_mut(CHUNK).zip(output.par_chunks(CHUNK)).zip(gradient.par_chunks(CHUNK));
        chunks.for_each(|((result, output), gradient)| {
            for ((result, y), g) in result.iter_mut().zip(output).zip(gradient) {
                *result = if *y <= 0.0 { 0.0 } else { *g };
            }
        });
        Ok((CpuStorage::F32(result), gradient_layout.shape().clone()))
    }
}
