//! Batches as tensors: the only crossing from host to device.

use aumenta_nn::NnError;
use aumenta_stream::{Batch, Preprocessing};
use candle_core::{Device, Tensor};

/// The images of a batch, f32 NHWC, and what is right for them: their classes, u32 `[n]`, or the shares of `classes` classes,
/// f32 `[n, classes]`, where images are mixed.
pub(crate) fn from_batch(
    batch: Batch,
    preprocessing: &Preprocessing,
    classes: usize,
    device: &Device,
) -> Result<(Tensor, Tensor), NnError> {
    let targets = if batch.is_mixed() {
        Tensor::from_vec(batch.soft_targets(classes), (batch.len(), classes), device)?
    } else {
        Tensor::new(batch.classes.as_slice(), device)?
    };
    let &Preprocessing { height, width, color, .. } = preprocessing;
    let shape = (batch.len(), height, width, color.channels());
    Ok((Tensor::from_vec(batch.pixels, shape, device)?, targets))
}
