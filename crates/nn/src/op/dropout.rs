//! Dropout (Srivastava et al. 2014) from a counter, not from a stored mask.
//!
//! Whether element `i` is kept is a function of a key and `i`: the backward pass computes the same mask again, and the
//! result does not depend on threads.

use aumenta_seed::Seed;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::check_reals;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::dropout as kernel;
use crate::storage::f32s;
use crate::tape::Graph;

/// Sets a share `rate` of the elements to zero and divides the others by `1 - rate` (inverted dropout), so that the
/// expected value stays.
///
/// `key` names the mask; [`aumenta_seed::Seed::counter_key`] makes one for each layer and step. `x` is f32 of any shape.
///
/// # Errors
/// [`NnError::Shape`] where `rate` is not in `[0, 1)`; [`NnError::Type`] where `x` is not f32.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
///
/// let x = Tensor::ones(10_000, DType::F32, &Device::Cpu)?;
/// let y = aumenta_nn::dropout(&x, 0.25, 7)?;
/// let kept = y.to_vec1::<f32>()?.iter().filter(|v| **v > 0.0).count();
/// assert!((7_300..7_700).contains(&kept));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn dropout(x: &Tensor, rate: f32, key: u64) -> Result<Tensor, NnError> {
    on(&mut Graph::Candle, x, rate, key)
}

/// The operation, left in `graph`.
pub(crate) fn on(graph: &mut Graph<'_>, x: &Tensor, rate: f32, key: u64) -> Result<Tensor, NnError> {
    check("dropout", x, rate)?;
    Ok(graph.one(&x.contiguous()?, Dropout { rate, key })?)
}

/// The key of the mask of the dropout layer named `layer` in step `step`.
pub(crate) fn mask_key(seed: Seed, layer: &str, step: u64) -> u64 {
    seed.counter_key(&format!("dropout/{layer}"), step)
}

pub(super) fn check(op: &'static str, x: &Tensor, rate: f32) -> Result<(), NnError> {
    if !(0.0..1.0).contains(&rate) {
        return Err(NnError::shape(op, format!("the rate must be at least 0 and below 1, got {rate}")));
    }
    check_reals(op, x, &[])
}

#[derive(Clone, Copy)]
struct Dropout {
    rate: f32,
    key: u64,
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, layout)?;
        let mut out = vec![0.0; x.len()];
        kernel::apply(self.rate, self.key, x, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::dropout::dropout(kernel::Mask::new(self.rate, self.key), None, x, layout)
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

    fn dropped(len: usize, rate: f32, key: u64) -> Vec<f32> {
        let ones = Tensor::ones(len, DType::F32, &Device::Cpu).unwrap();
        dropout(&ones, rate, key).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_share_of_zeros_is_the_rate_and_the_mean_stays() {
        for rate in [0.1f32, 0.5, 0.9] {
            let values = dropped(100_000, rate, 3);
            let zeros = values.iter().filter(|v| **v == 0.0).count() as f32 / 1e5;
            assert!((zeros - rate).abs() < 0.01, "{zeros} zeros at rate {rate}");
            assert!((values.iter().sum::<f32>() / 1e5 - 1.0).abs() < 0.03);
        }
    }

    #[test]
    fn the_key_alone_chooses_the_mask() {
        assert_eq!(dropped(1000, 0.5, 3), dropped(1000, 0.5, 3));
        assert_ne!(dropped(1000, 0.5, 3), dropped(1000, 0.5, 4));
        assert_eq!(dropped(1000, 0.0, 3), vec![1.0; 1000]);
    }

    #[test]
    fn one_thread_and_five_give_the_same_mask() {
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| dropped(50_000, 0.5, 9))
        };
        assert_eq!(run(1), run(5));
    }

    #[test]
    fn gradients_equal_finite_differences() {
        assert_gradients(&[ramp(&[4, 9], 7)], |t| dropout(&t[0], 0.4, 11));
    }

    #[test]
    fn another_dtype_is_named() {
        let x = Tensor::zeros((2, 3), DType::F64, &Device::Cpu).unwrap();
        let message = dropout(&x, 0.5, 0).unwrap_err().to_string();
        assert!(message.starts_with("dropout: x must be f32, got f64 of shape [2, 3]"), "{message}");
    }

    #[test]
    fn a_rate_outside_its_range_is_refused() {
        let x = ramp(&[2], 7);
        for rate in [-0.1, 1.0, f32::NAN] {
            assert!(dropout(&x, rate, 0).unwrap_err().to_string().contains("rate must be"));
        }
    }
}
