//! The gradient of a loss to every parameter: what a backward pass hands to an optimizer.

use std::marker::PhantomData;

use candle_core::Tensor;

use crate::error::NnError;
use crate::parameters::Parameters;

/// The gradient of a loss to each parameter, in the parameters' order; each of its parameter's shape.
///
/// A training plan hands out its own buffers and writes the next step's gradients into them; `'a` ends before that.
#[derive(Debug)]
pub struct Gradients<'a> {
    tensors: Vec<Tensor>,
    buffers: PhantomData<&'a ()>,
}

impl<'a> Gradients<'a> {
    /// The gradients that Candle computes for a scalar `loss`.
    ///
    /// # Errors
    /// [`NnError::NoGradient`] where the loss does not depend on a parameter, [`NnError::Candle`] where an operation
    /// cannot be differentiated.
    pub fn of(loss: &Tensor, parameters: &Parameters) -> Result<Self, NnError> {
        let mut store = loss.backward()?;
        let tensors = parameters.iter().map(|parameter| {
            let gradient = store.remove(&parameter.var);
            gradient
                .ok_or_else(|| NnError::NoGradient { name: parameter.name.clone() })?
                .contiguous()
                .map_err(NnError::from)
        });
        Ok(Self { tensors: tensors.collect::<Result<_, _>>()?, buffers: PhantomData })
    }

    /// Gradients that stand in the buffers of a training plan.
    pub(crate) fn in_buffers(buffers: &'a [Tensor]) -> Self {
        Self { tensors: buffers.to_vec(), buffers: PhantomData }
    }

    /// The gradients, in the parameters' order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }
}
