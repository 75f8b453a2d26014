//! [`Activations`]: what a layer makes of an image, channel by channel.

use std::ops::ControlFlow;

use aumenta_imgproc::Image;
use candle_core::Tensor;

use crate::error::ExplainError;
use crate::network::Network;
use crate::tiles::shown;

/// A layer's output for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations {
    /// The layer's name.
    pub layer: String,
    height: usize,
    width: usize,
    channels: usize,
    /// Row by row, the channels of a place side by side.
    values: Vec<f32>,
}

impl Activations {
    /// What each of `layers` makes of an image, f32 `[1, height, width, channels]`, in the order of the network.
    ///
    /// # Errors
    /// [`ExplainError::Layer`] where a layer's output is no picture, [`ExplainError::Network`] where the image does not fit.
    pub fn of<S: AsRef<str>>(network: &Network<'_>, image: &Tensor, layers: &[S]) -> Result<Vec<Self>, ExplainError> {
        for layer in layers {
            network.layer(layer.as_ref())?;
        }
        let mut found = Vec::new();
        network.model().trace(image, &mut |layer, output| {
            if layers.iter().any(|name| name.as_ref() == layer.name) {
                found.push((layer.name.clone(), output.clone()));
            }
            Ok(if found.len() == layers.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(output) })
        })?;
        found.into_iter().map(|(layer, output)| Self::new(layer, &output)).collect()
    }

    fn new(layer: String, output: &Tensor) -> Result<Self, ExplainError> {
        let (_, height, width, channels) = output.dims4()?;
        Ok(Self { layer, height, width, channels, values: output.flatten_all()?.to_vec1()? })
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// A channel's numbers, row by row.
    ///
    /// # Panics
    /// Where there is no such channel.
    pub fn channel(&self, channel: usize) -> Vec<f32> {
        assert!(channel < self.channels, "channel {channel} of {}", self.channels);
        self.values.iter().skip(channel).step_by(self.channels).copied().collect()
    }

    /// How many channels have the same number everywhere: they saw nothing in this image.
    pub fn silent(&self) -> usize {
        let is_silent = |channel: &usize| {
            let values = self.channel(*channel);
            values.iter().all(|value| *value == values[0])
        };
        (0..self.channels).filter(is_silent).count()
    }

    /// A gray picture of each channel: its numbers less their mean, divided by their standard deviation, times 64 plus 128, and cut
    /// to values from 0 to 255 (Chollet, "Deep Learning with Python", section 5.4.1). A channel that is the same everywhere is
    /// black.
    pub fn pictures(&self) -> Vec<Image> {
        let picture = |channel: usize| {
            let pixels = shown(&self.channel(channel), 1e-5).into_iter().flat_map(|gray| [gray; 3]).collect();
            Image::from_pixels(self.width, self.height, pixels)
        };
        (0..self.channels).map(picture).collect()
    }
}
