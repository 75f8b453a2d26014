//! Batches as tensors: the only crossing from host to device.

use aumenta_nn::NnError;
use aumenta_stream::{Batch, ImageBatch, Layout};
use candle_core::{Device, Tensor};

/// The layout of batches that [`from_batch`] takes.
pub(crate) const LAYOUT: Layout = Layout::F32Nhwc;

/// The images of a batch, f32 NHWC, and what is right for them: their classes, u32 `[n]`, or the shares of `classes` classes,
/// f32 `[n, classes]`, where images are mixed. The values are copied, so that the batch's memory goes back to its stream.
///
/// # Panics
/// Where the batch has another layout.
pub(crate) fn from_batch(batch: &Batch, classes: usize, device: &Device) -> Result<(Tensor, Tensor), NnError> {
    assert_eq!(batch.shape.layout, LAYOUT, "networks take f32 NHWC");
    let targets = if batch.is_mixed() {
        Tensor::from_vec(batch.soft_targets(classes), (batch.len(), classes), device)?
    } else {
        Tensor::new(batch.classes.as_slice(), device)?
    };
    Ok((Tensor::from_slice(batch.floats(), &batch.dimensions(), device)?, targets))
}

/// The views of a batch of images without classes, f32 NHWC, copied as those of [`from_batch`] are.
pub(crate) fn from_images(batch: &ImageBatch, device: &Device) -> Result<Tensor, NnError> {
    Ok(Tensor::from_slice(batch.floats(), &batch.dimensions(), device)?)
}
