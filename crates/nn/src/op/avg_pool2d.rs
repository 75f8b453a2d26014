//! Average pooling as a Candle operation.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::check_reals;
use super::pool2d::Pool2dOptions;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
pub use crate::kernel::avg_pool2d::PaddingCount;
use crate::kernel::avg_pool2d::{self as kernel, Geometry};
use crate::storage::f32s;
use crate::tape::Graph;

/// The mean of each window of `x`.
///
/// Shapes, f32: `x` and the result are NHWC, the sizes as [`Pool2dOptions`] says. `padding_count` says whether padding
/// counts as zeros: [`PaddingCount::Excluded`] is what TensorFlow does, [`PaddingCount::Included`] PyTorch's default. The
/// gradient goes to a window's elements in equal shares; where windows overlap, an element gets the sum.
///
/// # Errors
/// As [`max_pool2d`](crate::max_pool2d).
///
/// ```
/// use aumenta_nn::{PaddingCount, Pool2dOptions, avg_pool2d};
/// use candle_core::{Device, Tensor};
///
/// let x = Tensor::new(&[1f32, 3., 5., 7.], &Device::Cpu)?.reshape((1, 1, 4, 1))?;
/// let pairs = Pool2dOptions { window: [1, 2], stride: [1, 2], padding: [0, 0, 1, 1] };
/// let y = avg_pool2d(&x, pairs, PaddingCount::Excluded)?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [1., 4., 7.]);
/// let y = avg_pool2d(&x, pairs, PaddingCount::Included)?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [0.5, 4., 3.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn avg_pool2d(x: &Tensor, options: Pool2dOptions, padding_count: PaddingCount) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, options, padding_count)
}

/// The operation, left in `graph`.
pub(crate) fn on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    options: Pool2dOptions,
    padding_count: PaddingCount,
) -> Result<Tensor, NnError> {
    let geometry = options.geometry("avg_pool2d", x.dims())?;
    check_reals("avg_pool2d", x, &[])?;
    Ok(graph.one(&x.contiguous()?, AvgPool2d { geometry, padding_count })?)
}

#[derive(Clone, Copy)]
struct AvgPool2d {
    geometry: Geometry,
    padding_count: PaddingCount,
}

impl CustomOp1 for AvgPool2d {
    fn name(&self) -> &'static str {
        "avg-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let images = f32s(self.name(), x, layout)?;
        let [rows, columns, channels] = self.geometry.output();
        let shape = Shape::from((layout.dims()[0], rows, columns, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::forward(&self.geometry, self.padding_count, images, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::avg(&self.geometry, self.padding_count, x, layout)
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&InputGradient(*self))?))
    }
}

struct InputGradient(AvgPool2d);

impl CustomOp1 for InputGradient {
    fn name(&self) -> &'static str {
        "avg-pool2d-input-gradient"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let gradient = f32s(self.name(), gradient, layout)?;
        let AvgPool2d { geometry, padding_count } = &self.0;
        let [height, width, channels] = geometry.input;
        let shape = Shape::from((layout.dims()[0], height, width, channels));
        let mut out = vec![0.0; shape.elem_count()];
        kernel::input_gradient(geometry, *padding_count, gradient, &mut out);
        Ok((CpuStorage::F32(out), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, gradient: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::pool2d::avg_gradient(&self.0.geometry, self.0.padding_count, gradient, layout)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for (shape, window, stride, padding) in [
            ([2, 4, 6, 3], [2, 2], [2, 2], [0; 4]),
            ([1, 7, 6, 2], [3, 3], [2, 2], [1, 1, 1, 1]),
            ([1, 5, 6, 3], [2, 3], [1, 1], [0, 1, 2, 0]),
            ([2, 1, 1, 2], [1, 1], [1, 1], [0; 4]),
        ] {
            let options = Pool2dOptions { window, stride, padding };
            for padding_count in [PaddingCount::Excluded, PaddingCount::Included] {
                assert_gradients(&[ramp(&shape, 7)], |t| avg_pool2d(&t[0], options, padding_count));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let x = Tensor::zeros((1, 1, 4, 1), DType::F64, &Device::Cpu).unwrap();
        let refused = |window| {
            let options = Pool2dOptions::square(window);
            avg_pool2d(&x, options, PaddingCount::Excluded).unwrap_err().to_string()
        };
        assert!(refused(2).starts_with("avg_pool2d: the window does not fit"));
        assert!(refused(1).starts_with("avg_pool2d: x must be f32, got f64 of shape [1, 1, 4, 1]"));
    }
}
