//! Spatial dropout (Tompson et al. 2015) from a counter, as [dropout](super::dropout): whole channels of an image are
//! dropped, since neighboring pixels are too alike for single ones to be missed.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::dropout::check;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::dropout as kernel;
use crate::storage::f32s;
use crate::tape::Graph;

/// Sets a share `rate` of the channels of each image to zero and divides the others by `1 - rate`, so that the expected
/// value stays.
///
/// `key` names the mask; [`aumenta_seed::Seed::counter_key`] makes one for each layer and step. Channel `c` of image `n` is
/// kept as element `n * channels + c` would be by [`dropout`](crate::dropout). `x` is f32 NHWC.
///
/// # Errors
/// [`NnError::Shape`] where `rate` is not in `[0, 1)`, `x` is not NHWC or a dimension is empty; [`NnError::Type`] where `x` is
/// not f32.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
///
/// let x = Tensor::ones((1, 2, 2, 1000), DType::F32, &Device::Cpu)?;
/// let y = aumenta_nn::spatial_dropout(&x, 0.5, 7)?.reshape((4, 1000))?.to_vec2::<f32>()?;
/// assert!(y.iter().all(|pixel| pixel == &y[0]));
/// assert!((450..550).contains(&y[0].iter().filter(|value| **value == 2.0).count()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn spatial_dropout(x: &Tensor, rate: f32, key: u64) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, rate, key)
}

/// The operation, left in `graph`.
pub(crate) fn on(graph: &mut Graph<'_>, x: &Tensor, rate: f32, key: u64) -> Result<Tensor, NnError> {
    let op = "spatial_dropout";
    check(op, x, rate)?;
    let wrong = |what| NnError::shape(op, format!("{what} (x {:?})", x.dims()));
    let &[_, height, width, channels] = x.dims() else { return Err(wrong("x must be NHWC")) };
    if x.elem_count() == 0 {
        return Err(wrong("a dimension is empty"));
    }
    Ok(graph.one(&x.contiguous()?, SpatialDropout { rate, key, sizes: [height * width, channels] })?)
}

struct SpatialDropout {
    rate: f32,
    key: u64,
    /// Pixels of an image and channels.
    sizes: [usize; 2],
}

impl CustomOp1 for SpatialDropout {
    fn name(&self) -> &'static str {
        "spatial-dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, layout)?;
        let mut out = vec![0.0; x.len()];
        kernel::apply_to_channels(self.rate, self.key, self.sizes, x, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::dropout::dropout(kernel::Mask::new(self.rate, self.key), Some(self.sizes), x, layout)
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(self)?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    #[test]
    fn gradients_equal_finite_differences() {
        assert_gradients(&[ramp(&[3, 2, 3, 5], 7)], |t| spatial_dropout(&t[0], 0.4, 11));
    }

    #[test]
    fn channels_are_dropped_in_each_image_apart() {
        let x = Tensor::ones((50, 2, 3, 40), DType::F32, &Device::Cpu).unwrap();
        let means = crate::global_avg_pool2d(&spatial_dropout(&x, 0.25, 3).unwrap()).unwrap().to_vec2::<f32>().unwrap();
        assert!(means.iter().flatten().all(|mean| *mean == 0.0 || (mean - 4.0 / 3.0).abs() < 1e-6));
        let dropped = means.iter().flatten().filter(|mean| **mean == 0.0).count();
        assert!((450..550).contains(&dropped), "{dropped} of 2000");
        assert_ne!(means[0], means[1]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |shape: &[usize], dtype, rate| {
            let x = Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
            spatial_dropout(&x, rate, 0).unwrap_err().to_string()
        };
        assert_eq!(refused(&[2, 3], DType::F32, 0.5), "spatial_dropout: x must be NHWC (x [2, 3])");
        assert_eq!(refused(&[0, 3, 3, 1], DType::F32, 0.5), "spatial_dropout: a dimension is empty (x [0, 3, 3, 1])");
        assert!(refused(&[1, 1, 1, 1], DType::F32, 1.0).starts_with("spatial_dropout: the rate must be at least 0"));
        assert!(refused(&[1, 1, 1, 1], DType::F64, 0.5).starts_with("spatial_dropout: x must be f32, got f64"));
    }
}
