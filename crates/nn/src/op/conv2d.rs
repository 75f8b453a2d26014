//! Convolution as a Candle operation: `activation(conv(x, weight) + bias)` and its three gradients.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Layout, Shape, Tensor, bail};

use super::{check_f32, check_reals};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::activation;
use crate::kernel::conv2d::{self as kernel, Geometry, NO_LIMITS, OutputGradient, Wanted};
use crate::kernel::vectors::Vectors;
use crate::op::activation::Activation;
use crate::precision::Precision;
use crate::storage::f32s;
use crate::tape::{Differentiable, Graph};

/// How [`conv2d`] moves its window and what it applies to the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// The step between windows, down and across.
    pub stride: [usize; 2],
    /// Zero rows or columns added at the top, bottom, left and right. All zero is Keras' `valid`; [`same_padding`] computes
    /// TensorFlow's `same`.
    pub padding: [usize; 4],
    /// The step between the elements of a window, down and across.
    pub dilation: [usize; 2],
    /// Into how many groups the channels are divided; each output channel sees the input channels of its own group.
    pub groups: usize,
    /// Applied to the output.
    pub activation: Activation,
    /// How exactly a GPU computes; [`Precision::Bf16`] follows from the type of the operands. The CPU computes in f32.
    pub precision: Precision,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        let (activation, precision) = (Activation::Linear, Precision::F32);
        Self { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1, activation, precision }
    }
}

/// What an image's side, a stride, a dilation or a padding may be, so that no product of them overflows.
const MOST: usize = 1 << 16;

/// The padding before and after an axis of `size` pixels with which windows give `size / stride` outputs, rounded up, as
/// TensorFlow's `same` does: where the zeros cannot be shared evenly, the odd one comes after.
///
/// # Panics
/// Where `kernel` or `stride` is zero.
///
/// ```
/// assert_eq!(aumenta_nn::same_padding(224, 3, 2, 1), [0, 1]);
/// assert_eq!(aumenta_nn::same_padding(224, 3, 1, 1), [1, 1]);
/// ```
pub fn same_padding(size: usize, kernel: usize, stride: usize, dilation: usize) -> [usize; 2] {
    assert!(kernel > 0 && stride > 0, "a window of {kernel} moved by {stride}");
    let reach = dilation.saturating_mul(kernel - 1);
    let covered = ((size.div_ceil(stride).max(1) - 1) * stride).saturating_add(reach).saturating_add(1);
    let missing = covered.saturating_sub(size);
    [missing / 2, missing - missing / 2]
}

/// Convolves `x` with `weight`, adds `bias` and applies the activation.
///
/// With padded input `p`, `y[n, i, j, o] = activation(bias[o] + sum over (a, b, c) of p[n, i * stride + a * dilation,
/// j * stride + b * dilation, c] * weight[o, c, a, b])`: a cross-correlation, as in every deep-learning library. With
/// groups, `c` runs over the input channels of `o`'s group.
///
/// Shapes, all f32: `x` is NHWC, `weight` OIHW with `channels / groups` inputs, `bias` O, the result NHWC with
/// `(height + top + bottom - dilation * (kernel - 1) - 1) / stride + 1` rows, rounded down. Gradients are computed for
/// those operands alone that are variables or come from some. 3x3 windows are computed by Winograd's filtering, which
/// turns an infinite pixel into NaN in all outputs of its tile.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit each other, the window is larger than the padded image, a stride or
/// dilation is zero, or a dimension is empty; [`NnError::Type`] where an operand is not f32.
///
/// ```
/// use aumenta_nn::{Conv2dOptions, conv2d};
/// use candle_core::{Device, Tensor};
///
/// let edge = Tensor::new(&[10f32, 10., 10., 0., 0., 0.], &Device::Cpu)?.repeat((6, 1))?.reshape((1, 6, 6, 1))?;
/// let kernel = Tensor::new(&[1f32, 0., -1., 1., 0., -1., 1., 0., -1.], &Device::Cpu)?.reshape((1, 1, 3, 3))?;
/// let y = conv2d(&edge, &kernel, None, Conv2dOptions::default())?;
/// assert_eq!(y.reshape((4, 4))?.to_vec2::<f32>()?, vec![vec![0., 30., 30., 0.]; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: Conv2dOptions) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, weight, bias, options)
}

/// [`conv2d`], left in `graph`.
pub(crate) fn on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: Conv2dOptions,
) -> Result<Tensor, NnError> {
    let geometry = geometry(x.dims(), weight.dims(), bias.map(Tensor::dims), &options)?;
    check_reals("conv2d", x, &[("weight", weight)])?;
    check_f32("conv2d", &bias.map(|bias| ("bias", bias)).into_iter().collect::<Vec<_>>())?;
    let op = Conv2d { of: Convolution { geometry, precision: options.precision }, activation: options.activation };
    let bias = match bias {
        Some(bias) => bias.contiguous()?,
        None => Tensor::zeros(geometry.output[2], DType::F32, x.device())?,
    };
    Ok(graph.three([x.contiguous()?, weight.contiguous()?, bias], op)?)
}

/// The sizes of a convolution of operands of these shapes.
pub(crate) fn geometry(
    x: &[usize],
    weight: &[usize],
    bias: Option<&[usize]>,
    options: &Conv2dOptions,
) -> Result<Geometry, NnError> {
    let wrong = |what: &str| {
        NnError::shape("conv2d", format!("{what} (x {x:?}, weight {weight:?}, bias {bias:?}, {options:?})"))
    };
    let &[n, height, width, channels] = x else { return Err(wrong("x must be NHWC")) };
    let &[outputs, inputs, kernel_height, kernel_width] = weight else { return Err(wrong("weight must be OIHW")) };
    let (kernel, [top, bottom, left, right]) = ([kernel_height, kernel_width], options.padding);
    if [n, height, width, channels, outputs, inputs, kernel_height, kernel_width].contains(&0) {
        return Err(wrong("a dimension is empty"));
    }
    let settings = [options.stride, options.dilation, kernel].into_iter().flatten().chain(options.padding);
    if [height, width].into_iter().chain(settings).any(|setting| setting > MOST) {
        return Err(wrong("sizes of images and windows, strides, dilations and paddings may be at most 65536"));
    }
    if options.groups == 0 || channels % options.groups != 0 || outputs % options.groups != 0 {
        return Err(wrong("the channels cannot be divided into the groups"));
    }
    if inputs != channels / options.groups {
        return Err(wrong("the weight's input channels differ from the image's"));
    }
    if bias.is_some_and(|bias| bias != [outputs]) {
        return Err(wrong("the bias must have one element an output channel"));
    }
    if options.stride.contains(&0) || options.dilation.contains(&0) {
        return Err(wrong("the stride or the dilation is zero"));
    }
    let output = |axis: usize, size: usize| {
        let rest = size.checked_sub(options.dilation[axis] * (kernel[axis] - 1) + 1)?;
        Some(rest / options.stride[axis] + 1)
    };
    let (Some(rows), Some(columns)) = (output(0, height + top + bottom), output(1, width + left + right)) else {
        return Err(wrong("the window is larger than the padded image"));
    };
    Ok(Geometry {
        input: [height, width, channels],
        output: [rows, columns, outputs],
        kernel,
        stride: options.stride,
        padding: [top, left],
        dilation: options.dilation,
        groups: options.groups,
    })
}

/// A convolution, and how exactly it is computed.
#[derive(Clone, Copy)]
struct Convolution {
    geometry: Geometry,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "the CPU computes in f32 alone"))]
    precision: Precision,
}

struct Conv2d {
    of: Convolution,
    activation: Activation,
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
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
        let limits = self.activation.limits().unwrap_or(NO_LIMITS);
        kernel::forward(Vectors::widest(), &self.of.geometry, images, weight, Some(bias), limits, &mut out);
        if self.activation.limits().is_none() {
            activation::apply(self.activation, &mut out);
        }
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
        let operands = ((x, x_layout), (weight, weight_layout), (bias, bias_layout));
        let (x, weight, bias) = operands;
        cuda::conv2d::forward(&self.of.geometry, self.of.precision, self.activation, x, weight, bias)
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

impl Differentiable for Conv2d {
    fn gradients(
        &self,
        [x, weight, _]: [&Tensor; 3],
        y: &Tensor,
        gradient: &Tensor,
        [of_x, of_weight, of_bias]: [bool; 3],
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let gradient = self.activation.input_gradient(y, gradient)?;
        // An image that nothing was computed from needs no gradient, and the first layer's is the most expensive one.
        let to_x = of_x.then(|| weight.apply_op2_no_bwd(&gradient, &InputGradient(self.of)));
        let to_weight = of_weight.then(|| x.apply_op2_no_bwd(&gradient, &WeightGradient(self.of)));
        let to_bias = of_bias.then(|| gradient.apply_op1_no_bwd(&BiasGradient));
        Ok([to_x.transpose()?, to_weight.transpose()?, to_bias.transpose()?])
    }
}

struct InputGradient(Convolution);

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d-input-gradient"
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
        let wanted = Wanted { images: Some(&mut out), ..Wanted::default() };
        let source = OutputGradient::Plain(gradient);
        kernel::gradients(Vectors::widest(), &self.0.geometry, &[], weight, source, wanted);
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
        cuda::conv2d::input_gradient(&self.0.geometry, self.0.precision, weight, gradient)
    }
}

struct WeightGradient(Convolution);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-weight-gradient"
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
        let shape = Shape::from((self.0.geometry.output[2], self.0.geometry.group()[0], kernel_height, kernel_width));
        let mut out = vec![0.0; shape.elem_count()];
        let wanted = Wanted { weight: Some(&mut out), ..Wanted::default() };
        let source = OutputGradient::Plain(gradient);
        kernel::gradients(Vectors::widest(), &self.0.geometry, images, &[], source, wanted);
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
        cuda::conv2d::weight_gradient(&self.0.geometry, self.0.precision, x, gradient)
    }
}

/// Sums a gradient over all but its last axis.
pub(crate) struct BiasGradient;

impl CustomOp1 for BiasGradient {
    fn name(&self) -> &'static str {
        "bias-gradient"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let gradient = f32s(self.name(), gradient, layout)?;
        let (channels, row) = match *layout.dims() {
            [_, _, width, channels] => (channels, width * channels),
            [_, outputs] => (outputs, outputs),
            _ => bail!("{}: {:?} is neither NHWC nor a matrix", self.name(), layout.shape()),
        };
        let mut out = vec![0.0; channels];
        kernel::bias_gradient(Vectors::widest(), row, gradient, &mut out);
        Ok((CpuStorage::F32(out), Shape::from(channels)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, gradient: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::sums::over_rows(gradient, layout)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    fn options(stride: usize, padding: [usize; 4], activation: Activation) -> Conv2dOptions {
        Conv2dOptions { stride: [stride, stride], padding, activation, ..Conv2dOptions::default() }
    }

    #[test]
    fn gradients_equal_finite_differences() {
        for (x, weight, options) in [
            ([2, 6, 5, 3], [4, 3, 3, 3], options(1, [0; 4], Activation::Linear)),
            ([2, 6, 5, 3], [4, 3, 3, 3], options(1, [0; 4], Activation::Relu)),
            ([1, 7, 8, 2], [3, 2, 3, 3], options(2, [0, 1, 0, 1], Activation::Relu)),
            ([3, 4, 4, 1], [5, 1, 1, 1], options(1, [0; 4], Activation::Linear)),
            ([1, 3, 3, 2], [2, 2, 3, 3], options(1, [1; 4], Activation::Linear)),
        ] {
            let inputs = [ramp(&x, 7), ramp(&weight, 11), ramp(&weight[..1], 3)];
            assert_gradients(&inputs, |t| conv2d(&t[0], &t[1], Some(&t[2]), options));
        }
    }

    #[test]
    fn gradients_with_dilation_and_groups_equal_finite_differences() {
        let plain = Conv2dOptions::default();
        for (x, weight, options) in [
            ([1, 7, 6, 2], [3, 2, 3, 2], Conv2dOptions { dilation: [2, 3], ..plain }),
            ([2, 5, 5, 4], [6, 2, 3, 3], Conv2dOptions { groups: 2, padding: [1, 1, 2, 0], ..plain }),
            ([1, 6, 7, 3], [3, 1, 3, 3], Conv2dOptions { groups: 3, stride: [2, 1], ..plain }),
            ([1, 3, 3, 2], [2, 2, 2, 2], Conv2dOptions { padding: [3, 0, 0, 2], ..plain }),
        ] {
            let inputs = [ramp(&x, 7), ramp(&weight, 11), ramp(&weight[..1], 3)];
            assert_gradients(&inputs, |t| conv2d(&t[0], &t[1], Some(&t[2]), options));
        }
    }

    #[test]
    fn an_image_without_history_gets_no_gradient() -> Result<(), NnError> {
        let x = ramp(&[1, 4, 4, 1], 5);
        let weight = candle_core::Var::from_tensor(&ramp(&[1, 1, 3, 3], 7))?;
        let bias = Tensor::zeros(1, DType::F32, &Device::Cpu)?;
        let y = conv2d(&x, &weight, Some(&bias), Conv2dOptions::default())?;
        let gradients = y.sum_all()?.backward()?;
        assert!(gradients.get(&x).is_none());
        assert!(gradients.get(&weight).is_some());
        assert!(gradients.get(&bias).is_none());
        Ok(())
    }

    #[track_caller]
    fn assert_refused(x: &[usize], weight: &[usize], bias: &[usize], options: Conv2dOptions, reason: &str) {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = conv2d(&zeros(x), &zeros(weight), Some(&zeros(bias)), options).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let plain = Conv2dOptions::default();
        assert_refused(&[1, 4, 4, 3], &[2, 1, 3, 3], &[2], plain, "input channels differ");
        assert_refused(&[1, 4, 4, 1], &[2, 1, 3, 3], &[3], plain, "one element an output channel");
        assert_refused(&[1, 2, 4, 1], &[2, 1, 3, 3], &[2], plain, "larger than the padded image");
        assert_refused(&[0, 4, 4, 1], &[2, 1, 3, 3], &[2], plain, "a dimension is empty");
        assert_refused(&[4, 4, 1], &[2, 1, 3, 3], &[2], plain, "x must be NHWC");
        assert_refused(&[1, 4, 4, 1], &[1, 3, 3], &[2], plain, "weight must be OIHW");
        let still = Conv2dOptions { stride: [1, 0], ..plain };
        assert_refused(&[1, 4, 4, 1], &[2, 1, 3, 3], &[2], still, "stride or the dilation is zero");
    }

    #[test]
    fn another_dtype_is_named() {
        let x = Tensor::zeros((1, 4, 4, 1), DType::F64, &Device::Cpu).unwrap();
        let weight = Tensor::zeros((1, 1, 3, 3), DType::F64, &Device::Cpu).unwrap();
        let bias = Tensor::zeros(1, DType::F64, &Device::Cpu).unwrap();
        let error = conv2d(&x, &weight, Some(&bias), Conv2dOptions::default()).unwrap_err().to_string();
        assert!(error.contains("x must be f32, got f64 of shape [1, 4, 4, 1]"), "{error}");
    }
}
