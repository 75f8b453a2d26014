//! Batches as tensors: the only crossing from host to device.

use aumenta_nn::NnError;
use aumenta_stream::{Batch, ImageBatch, Layout, Listing};
use candle_core::{Device, Tensor};

/// The layout of batches that [`Examples::of_batch`] takes.
pub(crate) const LAYOUT: Layout = Layout::F32Nhwc;

/// A batch with classes, on its device.
pub(crate) struct Examples {
    /// The batch's number within its epoch, counted from 0.
    pub index: usize,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// What the network gets.
    pub input: Input,
    /// What is right for each image: its class, u32 `[n]`, or the shares of all classes, f32 `[n, classes]`, where images are
    /// mixed.
    pub targets: Tensor,
    /// The class with the larger share in each image.
    pub classes: Vec<u32>,
    /// The share of each class in what is right for each image, `[n, classes]`.
    pub shares: Vec<f32>,
}

/// What a network gets of a batch.
pub(crate) enum Input {
    /// Images, f32 NHWC.
    Images(Tensor),
    /// What its frozen layers have made of them.
    Frozen(Tensor),
}

impl Examples {
    /// The images of a batch. The values are copied, so that the batch's memory goes back to its stream.
    ///
    /// # Panics
    /// Where the batch has another layout.
    pub fn of_batch(batch: &Batch, classes: usize, device: &Device) -> Result<Self, NnError> {
        assert_eq!(batch.shape.layout, LAYOUT, "networks take f32 NHWC");
        let shares = batch.soft_targets(classes);
        let targets = if batch.is_mixed() {
            Tensor::from_slice(&shares, (batch.len(), classes), device)?
        } else {
            Tensor::new(batch.classes.as_slice(), device)?
        };
        Ok(Self {
            index: batch.index,
            ids: batch.ids.clone(),
            input: Input::Images(Tensor::from_slice(batch.floats(), &batch.dimensions(), device)?),
            targets,
            classes: batch.larger_classes(),
            shares,
        })
    }

    /// A batch of which `rows`, `[n, ...]`, are what the frozen layers have made of its images.
    pub fn of_rows(listing: Listing, rows: &Tensor, classes: usize, device: &Device) -> Result<Self, NnError> {
        let mut shares = vec![0.0; listing.classes.len() * classes];
        for (row, class) in shares.chunks_exact_mut(classes).zip(&listing.classes) {
            row[*class as usize] = 1.0;
        }
        Ok(Self {
            index: listing.index,
            ids: listing.ids,
            input: Input::Frozen(rows.to_device(device)?),
            targets: Tensor::new(listing.classes.as_slice(), device)?,
            classes: listing.classes,
            shares,
        })
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
}

/// The views of a batch of images without classes, f32 NHWC, copied as those of [`Examples::of_batch`] are.
pub(crate) fn from_images(batch: &ImageBatch, device: &Device) -> Result<Tensor, NnError> {
    Ok(Tensor::from_slice(batch.floats(), &batch.dimensions(), device)?)
}
