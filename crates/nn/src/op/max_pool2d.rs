//! Max pooling as a Candle operation. Candle's own `max_pool2d` has a wrong gradient (too small by the window's area).

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};

use crate::error::NnError;
use crate::kernel::max_pool2d::{self as kernel, Geometry};
use crate::storage::f32s;

/// The largest element of each `window x window` square of `x`, for windows that do not overlap.
///
/// Shapes, f32: `x` is NHWC, the result has `height / window` rows and `width / window` columns, rounded down. The
/// gradient goes to the largest element alone, and in a tie to the first in reading order.
///
/// # Errors
/// [`NnError::Shape`] where `x` is not NHWC, a dimension is empty or the window is zero or larger than the image.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let grid = [1f32, 3., 2., 1., 2., 9., 1., 1., 1., 3., 2., 3., 5., 6., 1., 2.];
/// let x = Tensor::new(&grid, &Device::Cpu)?.reshape((1, 4, 4, 1))?;
/// let y = aumenta_nn::max_pool2d(&x, 2)?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [9., 2., 6., 3.]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn max_pool2d(x: &Tensor, window: usize) -> Result<Tensor, NnError> {
    let wrong = |what| NnError::shape("max_pool2d", format!("{what} (x {:?}, window {window})", x.dims()));
    let &[n, height, width, channels] = x.dims() else { return Err(wrong("x must be NHWC")) };
    if n * channels == 0 || window == 0 || height < window || width < window {
        return Err(wrong("a dimension is empty or smaller than the window"));
    }
    let geometry = Geometry { input: [height, width, channels], window };
    Ok(x.contiguous()?.apply_op1(MaxPool2d { geometry })?)
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
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        for (shape, window) in [([2, 4, 6, 3], 2), ([1, 5, 7, 2], 2), ([1, 7, 6, 1], 3), ([2, 3, 3, 2], 1)] {
            assert_gradients(&[ramp(&shape, 7)], |t| max_pool2d(&t[0], window));
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        for (shape, window) in [(vec![1, 4, 4], 2), (vec![1, 1, 4, 1], 2), (vec![0, 4, 4, 1], 2), (vec![1, 4, 4, 1], 0)]
        {
            let x = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
            assert!(max_pool2d(&x, window).unwrap_err().to_string().starts_with("max_pool2d: "));
        }
    }
}
