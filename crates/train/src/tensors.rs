//! Batches as tensors: the only crossing from host to device.
//!
//! It has two halves. A [`Crossing`] copies what a batch holds to the device, by whichever thread has the batch; then the thread
//! that computes turns a [`Copied`] batch into [`Examples`]. On the CPU the two follow each other. On a GPU the first half is
//! done in advance, and bytes are normalized there by the second, which comes to the same numbers bit for bit: conversion,
//! product and sum are each rounded as on the CPU.

use std::sync::{Arc, Mutex, PoisonError};

use aumenta_nn::{NnError, normalize};
#[cfg(feature = "cuda")]
use aumenta_nn::{Uploaded, Uploader};
use aumenta_stream::{Batch, Layout, Listing, Preprocessing, Values};
use candle_core::{DType, Device, Tensor};

/// The layout in which a stream of images in the form `preprocessing` should deliver batches for `device`: bytes for a GPU,
/// which are a quarter of what has to be copied to it, where they can be normalized there; f32 otherwise. Batches that are mixed
/// are f32 in any case.
///
/// ```
/// use aumenta_stream::{Color, Layout, Preprocessing};
/// use aumenta_train::batch_layout;
/// use candle_core::Device;
///
/// let preprocessing = Preprocessing::new(224, 224, Color::Rgb);
/// assert_eq!(batch_layout(&preprocessing, &Device::Cpu), Layout::F32Nhwc);
/// ```
pub fn batch_layout(preprocessing: &Preprocessing, device: &Device) -> Layout {
    if !device.is_cpu() && preprocessing.scale_and_offset().is_some() { Layout::U8Nhwc } else { Layout::F32Nhwc }
}

/// Copies a batch's values to a device.
trait Upload: Send {
    fn upload(&mut self, values: Values<'_>, dimensions: &[usize]) -> Result<Crossed, NnError>;
}

impl Upload for Device {
    fn upload(&mut self, values: Values<'_>, dimensions: &[usize]) -> Result<Crossed, NnError> {
        Ok(Crossed::There(match values {
            Values::Floats(floats) => Tensor::from_slice(floats, dimensions, self)?,
            Values::Bytes(bytes) => Tensor::from_slice(bytes, dimensions, self)?,
        }))
    }
}

#[cfg(feature = "cuda")]
impl Upload for Uploader {
    fn upload(&mut self, values: Values<'_>, dimensions: &[usize]) -> Result<Crossed, NnError> {
        Ok(Crossed::OnItsWay(Box::new(match values {
            Values::Floats(floats) => self.upload_f32(floats, dimensions)?,
            Values::Bytes(bytes) => Self::upload(self, bytes, dimensions)?,
        })))
    }
}

/// A batch's values after the first half of their crossing.
pub(crate) enum Crossed {
    There(Tensor),
    /// As a copy to a GPU that may not be over.
    #[cfg(feature = "cuda")]
    OnItsWay(Box<Uploaded>),
}

impl Crossed {
    /// The values, for the thread that computes.
    #[cfg_attr(not(feature = "cuda"), expect(clippy::unnecessary_wraps, reason = "with CUDA the driver may refuse"))]
    pub fn into_tensor(self) -> Result<Tensor, NnError> {
        match self {
            Self::There(tensor) => Ok(tensor),
            #[cfg(feature = "cuda")]
            Self::OnItsWay(uploaded) => uploaded.into_tensor(),
        }
    }
}

/// How batches get to a device. All clones go the same way, through the same buffers.
#[derive(Clone)]
pub(crate) struct Crossing {
    device: Device,
    upload: Arc<Mutex<dyn Upload>>,
    /// How many batches may wait on the device; `None` where they are copied when they are asked for.
    ahead: Option<usize>,
}

impl Crossing {
    /// How many batches wait on a GPU for their turn: one that is next, and one for the time in which it is taken.
    const AHEAD: usize = 2;

    /// The way to `device`.
    pub fn to(device: &Device) -> Result<Self, NnError> {
        let ahead = (!device.is_cpu()).then_some(Self::AHEAD);
        Ok(Self { device: device.clone(), upload: upload(device)?, ahead })
    }

    /// A way to the CPU that is gone in advance, as one to a GPU is.
    #[cfg(test)]
    pub fn ahead_of_cpu() -> Self {
        Self { device: Device::Cpu, upload: Arc::new(Mutex::new(Device::Cpu)), ahead: Some(Self::AHEAD) }
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many batches are copied in advance, where any are.
    pub fn ahead(&self) -> Option<usize> {
        self.ahead
    }

    /// Copies the images of a batch.
    pub fn images(&self, values: Values<'_>, dimensions: [usize; 4]) -> Result<Crossed, NnError> {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner).upload(values, &dimensions)
    }

    /// Copies a batch, for a network of `classes` classes. The batch's memory can then go back to its stream.
    ///
    /// # Panics
    /// Where the batch is channels first.
    pub fn batch(&self, batch: &Batch, classes: usize) -> Result<Copied, NnError> {
        assert_ne!(batch.shape.layout, Layout::F32Nchw, "networks take NHWC");
        Ok(Copied {
            index: batch.index,
            images: self.images(batch.values(), batch.dimensions())?,
            is_mixed: batch.is_mixed(),
            classes: batch.larger_classes(),
            shares: batch.soft_targets(classes),
            ids: batch.ids.clone(),
        })
    }
}

#[cfg(not(feature = "cuda"))]
#[expect(clippy::unnecessary_wraps, reason = "with CUDA the driver may refuse")]
fn upload(device: &Device) -> Result<Arc<Mutex<dyn Upload>>, NnError> {
    Ok(Arc::new(Mutex::new(device.clone())))
}

#[cfg(feature = "cuda")]
fn upload(device: &Device) -> Result<Arc<Mutex<dyn Upload>>, NnError> {
    Ok(match device {
        Device::Cuda(cuda) => Arc::new(Mutex::new(Uploader::new(cuda)?)),
        device => Arc::new(Mutex::new(device.clone())),
    })
}

/// What turns bytes on a device into the values that a network takes.
pub(crate) struct Normalizer {
    /// The factor and the summand of each channel, f32 `[channels]`; `None` where the values come as the network takes them.
    scale_and_offset: Option<(Tensor, Tensor)>,
}

impl Normalizer {
    /// For images in the form `preprocessing`.
    pub fn new(preprocessing: &Preprocessing, device: &Device) -> Result<Self, NnError> {
        let to_device = |(scale, offset): (Vec<f32>, Vec<f32>)| -> Result<_, NnError> {
            Ok((Tensor::new(scale, device)?, Tensor::new(offset, device)?))
        };
        Ok(Self { scale_and_offset: preprocessing.scale_and_offset().map(to_device).transpose()? })
    }

    /// The images of a batch as the network takes them, f32 NHWC; those that are f32 already are normalized.
    pub fn apply(&self, images: Tensor) -> Result<Tensor, NnError> {
        Ok(match &self.scale_and_offset {
            Some((scale, offset)) if images.dtype() == DType::U8 => normalize(&images, scale, offset)?,
            _ => images,
        })
    }
}

/// A batch whose images are on their device, in the layout of their stream.
pub(crate) struct Copied {
    index: usize,
    ids: Vec<u32>,
    images: Crossed,
    is_mixed: bool,
    /// The class with the larger share in each image.
    classes: Vec<u32>,
    shares: Vec<f32>,
}

impl Copied {
    /// What a network gets.
    pub fn examples(self, normalizer: &Normalizer) -> Result<Examples, NnError> {
        let Self { index, ids, images, is_mixed, classes, shares } = self;
        let images = images.into_tensor()?;
        let device = images.device().clone();
        let targets = if is_mixed {
            Tensor::from_slice(&shares, (ids.len(), shares.len() / ids.len()), &device)?
        } else {
            Tensor::new(classes.as_slice(), &device)?
        };
        Ok(Examples { index, ids, input: Input::Images(normalizer.apply(images)?), targets, classes, shares })
    }
}

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
