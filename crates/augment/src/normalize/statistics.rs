//! [`ChannelStatistics`]: mean and standard deviation of each channel over many images.

use super::fit::check;
use crate::AugmentError;

/// Sums over all pixels of all images, by channel.
///
/// Values are whole numbers from 0 to 255, so the sums are exact, whatever the order, up to a hundred thousand million
/// pixels.
#[derive(Clone, Debug)]
pub(super) struct ChannelStatistics {
    channels: usize,
    pixels: f64,
    sums: [f64; 3],
    squares: [f64; 3],
}

const CHANNEL_STD: [&str; 3] = [
    "the standard deviation of channel 0",
    "the standard deviation of channel 1",
    "the standard deviation of channel 2",
];

impl ChannelStatistics {
    pub(super) fn new(channels: usize) -> Self {
        Self { channels, pixels: 0.0, sums: [0.0; 3], squares: [0.0; 3] }
    }

    /// Adds an image, HWC.
    pub(super) fn add(&mut self, image: &[f32]) {
        for pixel in image.chunks_exact(self.channels) {
            self.pixels += 1.0;
            for (channel, value) in pixel.iter().enumerate() {
                let value = f64::from(*value);
                self.sums[channel] += value;
                self.squares[channel] += value * value;
            }
        }
    }

    /// The means; those of channels that there are not are 0.
    pub(super) fn means(&self) -> Result<[f64; 3], AugmentError> {
        check("the number of images to fit to", self.pixels, self.pixels > 0.0, "at least 1")?;
        Ok(self.sums.map(|sum| sum / self.pixels))
    }

    /// The standard deviations, over all pixels and not over all but one; those of channels that there are not are 1.
    pub(super) fn stds(&self) -> Result<[f64; 3], AugmentError> {
        let means = self.means()?;
        let mut stds = [1.0; 3];
        for (channel, std) in stds.iter_mut().enumerate().take(self.channels) {
            let variance = self.squares[channel] / self.pixels - means[channel] * means[channel];
            *std = variance.max(0.0).sqrt();
            check(CHANNEL_STD[channel], *std, *std > 0.0, "images that differ in it")?;
        }
        Ok(stds)
    }
}
