//! Depthwise convolution as a Candle operation: each channel is convolved with windows of its own.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

use super::conv2d::BiasGradient;
use super::{check_f32, check_reals};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::depthwise_conv2d::{self as kernel, Geometry};
use crate::op::activation::Activation;
use crate::precision::Precision;
use crate::storage::f32s;
use crate::tape::{Differentiable, Graph};

/// How [`depthwise_conv2d`] moves its windows and what it applies to the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseConv2dOptions {
    /// The step between windows, down and across.
    pub stride: [usize; 2],
    /// Zero rows or columns added at the top, bottom, left and right.
    pub padding: [usize; 4],
    /// The step between the elements of a window, down and across.
    pub dilation: [usize; 2],
    /// Applied to the output.
    pub activation: Activation,
    /// How exactly a GPU computes; [`Precision::Bf16`] follows from the type of the operands. The CPU computes in f32.
    pub precision: Precision,
}

impl Default for DepthwiseConv2dOptions {
    fn default() -> Self {
        let (activation, precision) = (Activation::Linear, Precision::F32);
        Self { stride: [1, 1], padding: [0; 4], dilation: [1, 1], activation, precision }
    }
}

impl DepthwiseConv2dOptions {
    /// The sizes of this convolution of a batch of shape `x`.
    pub(crate) fn geometry(self, x: &[usize], weight: &[usize], bias: &[usize]) -> Result<Geometry, NnError> {
        let Self { stride, padding, dilation, .. } = self;
        let wrong = |what: &str| {
            let settings = format!("stride {stride:?}, padding {padding:?}, dilation {dilation:?}");
            let reason = format!("{what} (x {x:?}, weight {weight:?}, bias {bias:?}, {settings})");
            NnError::shape("depthwise_conv2d", reason)
        };
        let &[n, height, width, channels] = x else { return Err(wrong("x must be NHWC")) };
        let &[outputs, 1, kernel_height, kernel_width] = weight else {
            return Err(wrong("weight must be [channels * multiplier, 1, rows, columns]"));
        };
        if [n, height, width, channels, outputs, kernel_height, kernel_width].contains(&0) {
            return Err(wrong("a dimension is empty"));
        }
        if !outputs.is_multiple_of(channels) {
            return Err(wrong("the output channels must be a multiple of the image's channels"));
        }
        if bias != [outputs] {
            return Err(wrong("the bias must have one element an output channel"));
        }
        if stride.contains(&0) || dilation.contains(&0) {
            return Err(wrong("stride and dilation must be at least 1"));
        }
        let windows = |axis: usize, kernel: usize| {
            let reach = (kernel - 1).checked_mul(dilation[axis])?;
            let padded = x[axis + 1].checked_add(padding[2 * axis])?.checked_add(padding[2 * axis + 1])?;
            Some(padded.checked_sub(reach)?.checked_sub(1)? / stride[axis] + 1)
        };
        let (Some(rows), Some(columns)) = (windows(0, kernel_height), windows(1, kernel_width)) else {
            return Err(wrong("the window does not fit the padded image"));
        };
        Ok(Geometry {
            input: [height, width, channels],
            output: [rows, columns, outputs],
            kernel: [kernel_height, kernel_width],
            stride,
            padding: [padding[0], padding[2]],
            dilation,
        })
    }
}

/// Convolves each channel of `x` with its own windows, adds `bias` and applies the activation.
///
/// With padded input `p` and `multiplier` windows a channel, `y[n, i, j, o] = activation(bias[o] + sum over (a, b) of
/// p[n, i * stride + a * dilation, j * stride + b * dilation, o / multiplier] * weight[o, 0, a, b])` (Howard et al. 2017,
/// section 3.1): PyTorch's `conv2d` with `groups` equal to the channels.
///
/// Shapes, all f32: `x` is NHWC, `weight` `[channels * multiplier, 1, rows, columns]`, `bias` `[channels * multiplier]`, the
/// result NHWC with `(height + top + bottom - (rows - 1) * dilation - 1) / stride + 1` rows, rounded down.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit each other, the window does not fit the padded image, a stride or dilation
/// is zero or a dimension is empty; [`NnError::Type`] where a tensor is not f32.
///
/// ```
/// use aumenta_nn::{DepthwiseConv2dOptions, depthwise_conv2d};
/// use candle_core::{Device, Tensor};
///
/// let x = Tensor::new(&[1f32, 10., 2., 20., 3., 30.], &Device::Cpu)?.reshape((1, 1, 3, 2))?;
/// let weight = Tensor::new(&[1f32, 1., -1., 1.], &Device::Cpu)?.reshape((2, 1, 1, 2))?;
/// let bias = Tensor::new(&[0f32, 0.5], &Device::Cpu)?;
/// let y = depthwise_conv2d(&x, &weight, &bias, DepthwiseConv2dOptions::default())?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [3., 10.5, 5., 10.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn depthwise_conv2d(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    options: DepthwiseConv2dOptions,
) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, weight, bias, options)
}

/// [`depthwise_conv2d`], left in `graph`.
pub(crate) fn on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    options: DepthwiseConv2dOptions,
) -> Result<Tensor, NnError> {
    let geometry = options.geometry(x.dims(), weight.dims(), bias.dims())?;
    check_reals("depthwise_conv2d", x, &[("weight", weight)])?;
    check_f32("depthwise_conv2d", &[("bias", bias)])?;
    let of = Convolution { geometry, precision: options.precision };
    let op = DepthwiseConv2d { of, activation: options.activation };
    Ok(graph.three([x.contiguous()?, weight.contiguous()?, bias.contiguous()?], op)?)
}

/// A convolution, and how exactly it is computed.
#[derive(Clone, Copy)]
struct Convolution {
    geometry: Geometry,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "the CPU computes in f32 alone"))]
    precision: Precision,
}

struct DepthwiseConv2d {
    of: Convolution,
    activation: Activation,
}

impl CustomOp3 for DepthwiseConv2d {
    fn name(&self) -> &'static str {
        "depthwise-conv2d"
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
        let images = f32s(self.name(), x, x_layout)?;
        let weight = f32s(self.name(), weight, weight_layout)?;
        let bias = f32s(self.name(), bias, bias_layout)?;
        let [rows, columns, channels] = self.of.geometry.output;
        let shape = Shape::from((x_layout.dims()[0], rows, columns, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::forward(&self.of.geometry, images, weight, bias, self.activation, &mut out);
        Ok((CpuStorage::F32(out), shape))
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
        let (geometry, x, weight, bias) =
            (cuda::sizes::grouped(&self.of.geometry), (x, x_layout), (weight, weight_layout), (bias, bias_layout));
        cuda::conv2d::forward(&geometry, self.of.precision, self.activation, x, weight, bias)
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

impl Differentiable for DepthwiseConv2d {
    fn gradients(
        &self,
        [x, weight, _]: [&Tensor; 3],
        y: &Tensor,
        gradient: &Tensor,
        [of_x, of_weight, of_bias]: [bool; 3],
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let (gradient, of) = (self.activation.input_gradient(y, gradient)?, self.of);
        let to_x = || weight.apply_op2_no_bwd(&gradient, &InputGradient(of));
        let to_weight = || x.apply_op2_no_bwd(&gradient, &WeightGradient(of));
        let to_bias = || gradient.apply_op1_no_bwd(&BiasGradient);
        Ok([of_x.then(to_x).transpose()?, of_weight.then(to_weight).transpose()?, of_bias.then(to_bias).transpose()?])
    }
}

struct InputGradient(Convolution);

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "depthwise-conv2d-input-gradient"
    }

    fn cpu_fwd(
        &self,
        weight: &CpuStorage,
        weight_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let weight = f32s(self.name(), weight, weight_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let [height, width, channels] = self.0.geometry.input;
        let shape = Shape::from((gradient_layout.dims()[0], height, width, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::input_gradient(&self.0.geometry, weight, gradient, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        weight_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        let (weight, gradient) = ((weight, weight_layout), (gradient, gradient_layout));
        cuda::conv2d::input_gradient(&cuda::sizes::grouped(&self.0.geometry), self.0.precision, weight, gradient)
    }
}

struct WeightGradient(Convolution);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "depthwise-conv2d-weight-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let images = f32s(self.name(), x, x_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let [kernel_height, kernel_width] = self.0.geometry.kernel;
        let shape = Shape::from((self.0.geometry.output[2], 1, kernel_height, kernel_width));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::weight_gradient(&self.0.geometry, images, gradient, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        let (x, gradient) = ((x, x_layout), (gradient, gradient_layout));
        cuda::conv2d::weight_gradient(&cuda::sizes::grouped(&self.0.geometry), self.0.precision, x, gradient)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    const PLAIN: DepthwiseConv2dOptions = DepthwiseConv2dOptions {
        stride: [1, 1],
        padding: [0; 4],
        dilation: [1, 1],
        activation: Activation::Linear,
        precision: Precision::F32,
    };

    #[test]
    fn gradients_equal_finite_differences() {
        for (x, weight, options) in [
            ([2, 5, 6, 3], [3, 1, 3, 3], PLAIN),
            ([1, 1, 1, 2], [2, 1, 3, 3], DepthwiseConv2dOptions { padding: [1; 4], ..PLAIN }),
            ([1, 7, 5, 2], [2, 1, 5, 3], DepthwiseConv2dOptions { padding: [2, 2, 1, 1], ..PLAIN }),
            ([1, 6, 7, 2], [4, 1, 3, 3], DepthwiseConv2dOptions { stride: [2, 2], padding: [0, 1, 1, 0], ..PLAIN }),
            ([1, 7, 8, 1], [1, 1, 3, 2], DepthwiseConv2dOptions { dilation: [2, 3], stride: [1, 2], ..PLAIN }),
            ([1, 5, 5, 2], [2, 1, 3, 3], DepthwiseConv2dOptions { activation: Activation::Relu6, ..PLAIN }),
            ([1, 5, 5, 2], [2, 1, 3, 3], DepthwiseConv2dOptions { activation: Activation::Sigmoid, ..PLAIN }),
        ] {
            let inputs = [ramp(&x, 7), ramp(&weight, 11), ramp(&weight[..1], 3)];
            assert_gradients(&inputs, |t| depthwise_conv2d(&t[0], &t[1], &t[2], options));
        }
    }

    #[test]
    fn what_nobody_needs_gets_no_gradient() -> Result<(), NnError> {
        let (x, weight) = (ramp(&[1, 4, 4, 2], 5), ramp(&[2, 1, 3, 3], 7));
        let bias = Var::from_tensor(&ramp(&[2], 3))?;
        let gradients = depthwise_conv2d(&x, &weight, &bias, PLAIN)?.sum_all()?.backward()?;
        assert!(gradients.get(&x).is_none() && gradients.get(&weight).is_none());
        assert_eq!(gradients.get(&bias).unwrap().to_vec1::<f32>()?, [4.0, 4.0]);
        Ok(())
    }

    #[track_caller]
    fn assert_refused(x: &[usize], weight: &[usize], bias: usize, options: DepthwiseConv2dOptions, reason: &str) {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let refused = depthwise_conv2d(&zeros(x), &zeros(weight), &zeros(&[bias]), options).unwrap_err().to_string();
        assert!(refused.starts_with("depthwise_conv2d: ") && refused.contains(reason), "{refused}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_refused(&[4, 4, 2], &[2, 1, 3, 3], 2, PLAIN, "x must be NHWC (x [4, 4, 2], weight [2, 1, 3, 3]");
        assert_refused(&[1, 4, 4, 2], &[2, 2, 3, 3], 2, PLAIN, "weight must be [channels * multiplier, 1");
        assert_refused(&[1, 4, 4, 2], &[3, 1, 3, 3], 3, PLAIN, "must be a multiple of the image's channels");
        assert_refused(&[1, 4, 4, 2], &[2, 1, 3, 3], 3, PLAIN, "one element an output channel");
        assert_refused(&[1, 0, 4, 2], &[2, 1, 3, 3], 2, PLAIN, "a dimension is empty");
        assert_refused(&[1, 4, 2, 2], &[2, 1, 3, 3], 2, PLAIN, "does not fit the padded image");
        let wide = DepthwiseConv2dOptions { dilation: [2, 1], ..PLAIN };
        assert_refused(&[1, 4, 4, 2], &[2, 1, 3, 3], 2, wide, "does not fit the padded image");
        let still = DepthwiseConv2dOptions { dilation: [0, 1], ..PLAIN };
        assert_refused(&[1, 4, 4, 2], &[2, 1, 3, 3], 2, still, "stride and dilation must be at least 1");
        let huge = DepthwiseConv2dOptions { padding: [usize::MAX; 4], ..PLAIN };
        assert_refused(&[1, 4, 4, 2], &[2, 1, 3, 3], 2, huge, "does not fit the padded image");
    }

    #[test]
    fn another_dtype_is_named() {
        let x = Tensor::zeros((1, 4, 4, 1), DType::F32, &Device::Cpu).unwrap();
        let weight = Tensor::zeros((1, 1, 3, 3), DType::F64, &Device::Cpu).unwrap();
        let message = depthwise_conv2d(&x, &weight, &ramp(&[1], 3), PLAIN).unwrap_err().to_string();
        assert!(
            message.starts_with("depthwise_conv2d: weight must be f32, got f64 of shape [1, 1, 3, 3]"),
            "{message}"
        );
    }
}
