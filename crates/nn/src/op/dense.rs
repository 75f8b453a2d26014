//! The dense layer as a Candle operation: `activation(x * weight^T + bias)`.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

use super::{check_f32, check_reals};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::activation;
use crate::kernel::dense as kernel;
use crate::op::activation::Activation;
use crate::op::conv2d::BiasGradient;
use crate::storage::f32s;
use crate::tape::{Differentiable, Graph};

/// `y[n, o] = activation(bias[o] + sum over i of x[n, i] * weight[o, i])`.
///
/// Shapes, all f32: `x` is `[n, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`, the result `[n, outputs]`.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit each other or a dimension is empty; [`NnError::Type`] where an operand is
/// not f32.
pub fn dense(x: &Tensor, weight: &Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, weight, bias, activation)
}

/// [`dense`], left in `graph`.
pub(crate) fn on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    activation: Activation,
) -> Result<Tensor, NnError> {
    let shapes = (x.dims(), weight.dims(), bias.dims());
    let wrong = |what: &str| {
        let (x, weight, bias) = shapes;
        NnError::shape("dense", format!("{what} (x {x:?}, weight {weight:?}, bias {bias:?})"))
    };
    let (&[n, features], &[outputs, inputs]) = (shapes.0, shapes.1) else {
        return Err(wrong("x and weight must be matrices"));
    };
    if features != inputs {
        return Err(wrong("the weight's inputs differ from the features"));
    }
    if shapes.2 != [outputs] {
        return Err(wrong("the bias must have one element an output"));
    }
    if n * inputs * outputs == 0 {
        return Err(wrong("a dimension is empty"));
    }
    check_reals("dense", x, &[("weight", weight)])?;
    check_f32("dense", &[("bias", bias)])?;
    Ok(graph.three([x.contiguous()?, weight.contiguous()?, bias.contiguous()?], Dense { activation })?)
}

struct Dense {
    activation: Activation,
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, inputs) = x_layout.shape().dims2()?;
        let outputs = bias_layout.dims()[0];
        let x = f32s(self.name(), x, x_layout)?;
        let weight = f32s(self.name(), weight, weight_layout)?;
        let bias = f32s(self.name(), bias, bias_layout)?;
        let mut out = vec![0.0; n * outputs];
        kernel::forward(inputs, x, weight, bias, &mut out);
        activation::apply(self.activation, &mut out);
        Ok((CpuStorage::F32(out), Shape::from((n, outputs))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::dense::forward(self.activation, (x, x_layout), (weight, weight_layout), (bias, bias_layout))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.tracked_gradients([x, weight, bias], y, gradient)
    }
}

impl Differentiable for Dense {
    fn gradients(
        &self,
        [x, weight, _]: [&Tensor; 3],
        y: &Tensor,
        gradient: &Tensor,
        [of_x, of_weight, of_bias]: [bool; 3],
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let gradient = self.activation.input_gradient(y, gradient)?;
        let to_x = of_x.then(|| weight.apply_op2_no_bwd(&gradient, &InputGradient));
        let to_weight = of_weight.then(|| x.apply_op2_no_bwd(&gradient, &WeightGradient));
        let to_bias = of_bias.then(|| gradient.apply_op1_no_bwd(&BiasGradient));
        Ok([to_x.transpose()?, to_weight.transpose()?, to_bias.transpose()?])
    }
}

struct InputGradient;

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "dense-input-gradient"
    }

    fn cpu_fwd(
        &self,
        weight: &CpuStorage,
        weight_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (outputs, inputs) = weight_layout.shape().dims2()?;
        let n = gradient_layout.dims()[0];
        let weight = f32s(self.name(), weight, weight_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mut out = vec![0.0; n * inputs];
        kernel::input_gradient(inputs, outputs, weight, gradient, &mut out);
        Ok((CpuStorage::F32(out), Shape::from((n, inputs))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        weight_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::dense::input_gradient((weight, weight_layout), (gradient, gradient_layout))
    }
}

struct WeightGradient;

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "dense-weight-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, inputs) = x_layout.shape().dims2()?;
        let (_, outputs) = gradient_layout.shape().dims2()?;
        let x = f32s(self.name(), x, x_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mut out = vec![0.0; outputs * inputs];
        kernel::weight_gradient(inputs, outputs, x, gradient, &mut out);
        Ok((CpuStorage::F32(out), Shape::from((outputs, inputs))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::dense::weight_gradient((x, x_layout), (gradient, gradient_layout))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for activation in [Activation::Linear, Activation::Relu] {
            for (n, inputs, outputs) in [(1, 1, 1), (3, 5, 4), (2, 3, 70)] {
                let tensors = [ramp(&[n, inputs], 7), ramp(&[outputs, inputs], 11), ramp(&[outputs], 3)];
                assert_gradients(&tensors, |t| dense(&t[0], &t[1], &t[2], activation));
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        for (x, weight, bias) in [
            (vec![2, 3], vec![4, 2], vec![4]),
            (vec![2, 3], vec![4, 3], vec![3]),
            (vec![2, 3, 1], vec![4, 3], vec![4]),
            (vec![0, 3], vec![4, 3], vec![4]),
        ] {
            let zeros = |shape| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
            let error = dense(&zeros(x), &zeros(weight), &zeros(bias), Activation::Linear).unwrap_err();
            assert!(error.to_string().starts_with("dense: "), "{error}");
        }
    }
}
