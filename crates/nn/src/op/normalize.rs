//! Images as bytes, turned into the values that a network takes on the network's device.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp3, DType, Layout, Shape, Tensor};

use super::{check_dtype, check_f32};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::normalize as kernel;
use crate::storage::{f32s, u8s};

/// `images * scale + offset`, f32, of images u8 `[..., channels]`; `scale` and `offset` are f32 `[channels]`.
///
/// Conversion, product and sum are each rounded, so a GPU gives the CPU's bits. It has no gradient.
///
/// # Errors
/// [`NnError::Shape`] where `scale` or `offset` has not as many values as there are channels; [`NnError::Type`] where a tensor is of
/// another type.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let images = Tensor::new(&[[0u8, 255], [128, 0]], &Device::Cpu)?;
/// let (scale, offset) = (Tensor::new(&[0.5f32, 1.0], &Device::Cpu)?, Tensor::new(&[1.0f32, 0.0], &Device::Cpu)?);
/// let values = aumenta_nn::normalize(&images, &scale, &offset)?;
/// assert_eq!(values.to_vec2::<f32>()?, [[1.0, 255.0], [65.0, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn normalize(images: &Tensor, scale: &Tensor, offset: &Tensor) -> Result<Tensor, NnError> {
    const OP: &str = "normalize";
    check_dtype(OP, "images", images, DType::U8)?;
    check_f32(OP, &[("scale", scale), ("offset", offset)])?;
    let channels = images.dims().last().copied().unwrap_or(0);
    for (name, of_channels) in [("scale", scale), ("offset", offset)] {
        if channels == 0 || of_channels.dims() != [channels] {
            let reason =
                format!("{name} must be of shape {:?} as the channels are, not {:?}", [channels], of_channels.dims());
            return Err(NnError::shape(OP, reason));
        }
    }
    let (images, scale, offset) = (images.contiguous()?, scale.contiguous()?, offset.contiguous()?);
    Ok(images.apply_op3_no_bwd(&scale, &offset, &Normalize)?)
}

struct Normalize;

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn cpu_fwd(
        &self,
        images: &CpuStorage,
        images_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        offset: &CpuStorage,
        offset_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let bytes = u8s(self.name(), images, images_layout)?;
        let scale = f32s(self.name(), scale, scale_layout)?;
        let offset = f32s(self.name(), offset, offset_layout)?;
        let mut out = vec![0.0; bytes.len()];
        kernel::apply(bytes, scale, offset, &mut out);
        Ok((CpuStorage::F32(out), images_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        images: &CudaStorage,
        images_layout: &Layout,
        scale: &CudaStorage,
        scale_layout: &Layout,
        offset: &CudaStorage,
        offset_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::normalize::normalize((images, images_layout), (scale, scale_layout), (offset, offset_layout))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[track_caller]
    fn check(images: &Tensor, channels: usize, expected: &str) {
        let of_channels = Tensor::ones(channels, DType::F32, &Device::Cpu).unwrap();
        let error = normalize(images, &of_channels, &of_channels).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let images = Tensor::zeros((2, 4, 4, 3), DType::U8, &Device::Cpu).unwrap();
        check(&images, 1, "scale must be of shape [3]");
        check(&images.to_dtype(DType::F32).unwrap(), 3, "images must be u8");
    }

    #[test]
    fn a_part_of_a_batch_is_normalized_as_it_is_in_the_batch() {
        let bytes: Vec<u8> = (0..2 * 3 * 3 * 3).collect();
        let images = Tensor::from_vec(bytes, (2, 3, 3, 3), &Device::Cpu).unwrap();
        let (scale, offset) = ([0.1f32, 0.2, 0.3], [-1.0f32, 0.0, 1.0]);
        let [scale, offset] = [scale, offset].map(|numbers| Tensor::new(&numbers, &Device::Cpu).unwrap());
        let all = normalize(&images, &scale, &offset).unwrap();
        let part = normalize(&images.narrow(0, 1, 1).unwrap(), &scale, &offset).unwrap();
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&all)[27..], values(&part));
    }
}
