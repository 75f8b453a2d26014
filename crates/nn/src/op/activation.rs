//! Activations as Candle operations: on their own, and the gradient that fused layers pass on.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::check_reals;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::activation as kernel;
pub use crate::kernel::activation::Activation;
use crate::storage::f32s;
use crate::tape::Graph;

/// Applies `activation` to each element of `x`, f32 of any shape.
///
/// Convolutions and dense layers apply their own; this is for an activation behind anything else.
///
/// # Errors
/// [`NnError::Type`] where `x` is not f32.
///
/// ```
/// use aumenta_nn::{Activation, activate};
/// use candle_core::{Device, Tensor};
///
/// let x = Tensor::new(&[-1f32, 2., 8.], &Device::Cpu)?;
/// assert_eq!(activate(&x, Activation::Relu6)?.to_vec1::<f32>()?, [0., 2., 6.]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn activate(x: &Tensor, activation: Activation) -> std::result::Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, activation)
}

/// The operation, left in `graph`.
pub(crate) fn on(graph: &mut Graph<'_>, x: &Tensor, activation: Activation) -> std::result::Result<Tensor, NnError> {
    check_reals("activate", x, &[])?;
    Ok(graph.one(&x.contiguous()?, Activate { activation })?)
}

impl Activation {
    /// The gradient to the activation's input, from its output and the gradient to that output.
    pub(crate) fn input_gradient(self, output: &Tensor, gradient: &Tensor) -> Result<Tensor> {
        match self {
            Self::Linear => gradient.contiguous(),
            activation => output.apply_op2_no_bwd(&gradient.contiguous()?, &InputGradient { activation }),
        }
    }
}

struct Activate {
    activation: Activation,
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = f32s(self.name(), x, layout)?.to_vec();
        kernel::apply(self.activation, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        cuda::activation::activate(self.activation, x, layout)
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(self.activation.input_gradient(y, gradient)?))
    }
}

struct InputGradient {
    activation: Activation,
}

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "activation-gradient"
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
        let mut out = vec![0.0; gradient.len()];
        kernel::input_gradient(self.activation, output, gradient, &mut out);
        Ok((CpuStorage::F32(out), gradient_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        output: &CudaStorage,
        output_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        cuda::activation::input_gradient(self.activation, (output, output_layout), (gradient, gradient_layout))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for activation in [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Sigmoid] {
            let x = (ramp(&[3, 5, 7], 7) * 8.0).unwrap();
            assert_gradients(&[x], |t| activate(&t[0], activation));
        }
    }

    #[test]
    fn another_dtype_is_named() {
        let x = Tensor::zeros((2, 3), DType::F64, &Device::Cpu).unwrap();
        let message = activate(&x, Activation::Relu).unwrap_err().to_string();
        assert_eq!(message, "activate: x must be f32, got f64 of shape [2, 3]; convert it with `to_dtype`");
    }
}
