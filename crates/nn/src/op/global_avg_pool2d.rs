//! Global average pooling as a Candle operation.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::check_reals;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::global_avg_pool2d as kernel;
use crate::storage::f32s;
use crate::tape::Graph;

/// The mean of each channel over all pixels of an image (Lin et al. 2013, *Network in network*).
///
/// Shapes, f32: `x` is NHWC, the result `[n, channels]`. Sums are f64. The gradient goes to all pixels in equal shares.
///
/// # Errors
/// [`NnError::Shape`] where `x` is not NHWC or a dimension is empty; [`NnError::Type`] where `x` is not f32.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let x = Tensor::new(&[1f32, 10., 3., 20.], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// assert_eq!(aumenta_nn::global_avg_pool2d(&x)?.to_vec2::<f32>()?, [[2., 15.]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn global_avg_pool2d(x: &Tensor) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x)
}

/// The operation, left in `graph`.
pub(crate) fn on(graph: &mut Graph<'_>, x: &Tensor) -> Result<Tensor, NnError> {
    let wrong = |what| NnError::shape("global_avg_pool2d", format!("{what} (x {:?})", x.dims()));
    let &[_, height, width, channels] = x.dims() else { return Err(wrong("x must be NHWC")) };
    if x.elem_count() == 0 {
        return Err(wrong("a dimension is empty"));
    }
    check_reals("global_avg_pool2d", x, &[])?;
    Ok(graph.one(&x.contiguous()?, GlobalAvgPool2d { input: [height, width, channels] })?)
}

#[derive(Clone, Copy)]
struct GlobalAvgPool2d {
    /// Rows, columns and channels.
    input: [usize; 3],
}

impl CustomOp1 for GlobalAvgPool2d {
    fn name(&self) -> &'static str {
        "global-avg-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let images = f32s(self.name(), x, layout)?;
        let [height, width, channels] = self.input;
        let shape = Shape::from((layout.dims()[0], channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::forward(height * width, channels, images, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::global_avg(self.input, x, layout)
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&InputGradient(*self))?))
    }
}

struct InputGradient(GlobalAvgPool2d);

impl CustomOp1 for InputGradient {
    fn name(&self) -> &'static str {
        "global-avg-pool2d-input-gradient"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let gradient = f32s(self.name(), gradient, layout)?;
        let [height, width, channels] = self.0.input;
        let shape = Shape::from((layout.dims()[0], height, width, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::input_gradient(height * width, channels, gradient, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, gradient: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::global_avg_gradient(self.0.input, gradient, layout)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for shape in [[2, 3, 5, 3], [1, 1, 1, 2], [3, 1, 4, 1]] {
            assert_gradients(&[ramp(&shape, 7)], |t| global_avg_pool2d(&t[0]));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |shape: &[usize], dtype| {
            global_avg_pool2d(&Tensor::zeros(shape, dtype, &Device::Cpu).unwrap()).unwrap_err().to_string()
        };
        assert_eq!(refused(&[2, 3], DType::F32), "global_avg_pool2d: x must be NHWC (x [2, 3])");
        assert_eq!(refused(&[1, 0, 2, 3], DType::F32), "global_avg_pool2d: a dimension is empty (x [1, 0, 2, 3])");
        assert!(refused(&[1, 1, 2, 3], DType::F64).starts_with("global_avg_pool2d: x must be f32, got f64"));
    }
}
