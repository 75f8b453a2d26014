//! Batches as tensors: the only crossing from host to device.

use aumenta_nn::NnError;
use aumenta_stream::{Batch, Preprocessing};
use candle_core::{Device, Tensor};

/// The images of a batch, f32 NHWC, and their classes, u32 `[n]`.
pub(crate) fn from_batch(
    batch: Batch,
    preprocessing: Preprocessing,
    device: &Device,
) -> Result<(Tensor, Tensor), NnError> {
    let Preprocessing { height, width, color } = preprocessing;
    let shape = (batch.len(), height, width, color.channels());
    let images = Tensor::from_vec(batch.pixels, shape, device)?;
    let classes = Tensor::new(batch.classes.as_slice(), device)?;
    Ok((images, classes))
}
