//! Max pooling as a Candle operation. Candle's own `max_pool2d` has a wrong gradient (too small by the window's area).

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};

use super::check_reals;
use super::pool2d::Pool2dOptions;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::max_pool2d::{self as kernel, Geometry};
use crate::storage::f32s;
use crate::tape::Graph;

/// The largest element of each window of `x`.
///
/// Shapes, f32: `x` and the result are NHWC, the sizes as [`Pool2dOptions`] says. Padding never wins. A NaN wins over all
/// numbers. The gradient goes to the largest element alone, in a tie to the first in reading order, as in PyTorch; where
/// windows overlap, an element gets the sum.
///
/// # Errors
/// [`NnError::Shape`] where `x` is not NHWC, a dimension is empty, a window or stride is zero, the window does not fit the
/// padded image or lies fully in the padding; [`NnError::Type`] where `x` is not f32.
///
/// ```
/// use aumenta_nn::{Pool2dOptions, max_pool2d};
/// use candle_core::{Device, Tensor};
///
/// let grid = [1f32, 3., 2., 1., 2., 9., 1., 1., 1., 3., 2., 3., 5., 6., 1., 2.];
/// let x = Tensor::new(&grid, &Device::Cpu)?.reshape((1, 4, 4, 1))?;
/// let y = max_pool2d(&x, Pool2dOptions::square(2))?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [9., 2., 6., 3.]);
///
/// let overlapping = Pool2dOptions { window: [3, 3], stride: [1, 1], padding: [0; 4] };
/// assert_eq!(max_pool2d(&x, overlapping)?.flatten_all()?.to_vec1::<f32>()?, [9., 9., 9., 9.]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn max_pool2d(x: &Tensor, options: Pool2dOptions) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, options)
}

/// The operation, left in `graph`.
pub(crate) fn on(graph: &mut Graph<'_>, x: &Tensor, options: Pool2dOptions) -> Result<Tensor, NnError> {
    let geometry = options.geometry("max_pool2d", x.dims())?;
    check_reals("max_pool2d", x, &[])?;
    Ok(graph.one(&x.contiguous()?, MaxPool2d { geometry })?)
}

struct MaxPool2d {
    geometry: Geometry,
}

impl CustomOp1 for MaxPool2d {
    fn name(&self) -> &'static str {
        "max-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let images = f32s(self.name(), x, layout)?;
        let [rows, columns, channels] = self.geometry.output();
        let shape = Shape::from((layout.dims()[0], rows, columns, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::forward(&self.geometry, images, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::max(&self.geometry, x, layout)
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let op = InputGradient { geometry: self.geometry };
        Ok(Some(x.apply_op2_no_bwd(&gradient.contiguous()?, &op)?))
    }
}

struct InputGradient {
    geometry: Geometry,
}

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "max-pool2d-input-gradient"
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
        let mut out = vec![0.0; images.len()];
        kernel::input_gradient(&self.geometry, images, gradient, &mut out);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::max_gradient(&self.geometry, (x, x_layout), (gradient, gradient_layout))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for (shape, window) in [([2, 4, 6, 3], 2), ([1, 5, 7, 2], 2), ([1, 7, 6, 1], 3), ([2, 3, 3, 2], 1)] {
            assert_gradients(&[ramp(&shape, 7)], |t| max_pool2d(&t[0], Pool2dOptions::square(window)));
        }
    }

    #[test]
    fn gradients_of_windows_that_overlap_equal_finite_differences() {
        for (shape, window, stride, padding) in [
            ([1, 7, 6, 2], [3, 3], [2, 2], [1, 1, 1, 1]),
            ([1, 5, 6, 3], [2, 3], [1, 1], [0, 1, 2, 0]),
            ([1, 6, 7, 2], [2, 1], [3, 2], [0; 4]),
        ] {
            let options = Pool2dOptions { window, stride, padding };
            assert_gradients(&[ramp(&shape, 7)], |t| max_pool2d(&t[0], options));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let pool = |dtype| {
            let x = Tensor::zeros((1, 1, 4, 1), dtype, &Device::Cpu).unwrap();
            move |window| max_pool2d(&x, Pool2dOptions::square(window)).unwrap_err().to_string()
        };
        assert!(pool(DType::F32)(2).starts_with("max_pool2d: the window does not fit"));
        assert!(pool(DType::U32)(1).starts_with("max_pool2d: x must be f32, got u32 of shape [1, 1, 4, 1]"));
    }
}
