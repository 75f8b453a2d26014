//! What every image goes through, augmented or not; saved with a model, since predictions need the same.

use std::sync::Arc;

use aumenta_augment::{Normalization, NormalizationConfig};
use aumenta_dataset::{Dataset, Split};
use aumenta_imgproc::{Channels, Size};
use serde::{Deserialize, Serialize};

use crate::error::StreamError;
use crate::fault::OnError;
use crate::loader::Loader;
use crate::streams::{EvalConfig, EvalStream};

/// The form of an image as the network takes it: its size, its channels, and how its values are normalized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Preprocessing {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub color: Color,
    /// From values from 0 to 255 to those of the network.
    pub normalization: Normalization,
}

/// The channels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// Red, green and blue.
    Rgb,
    /// One channel: Rec. 601 luma.
    Gray,
}

impl Color {
    /// How many channels there are.
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Gray => 1,
        }
    }

    pub(crate) fn to_channels(self) -> Channels {
        match self {
            Self::Rgb => Channels::Rgb,
            Self::Gray => Channels::Gray,
        }
    }

    /// The color with so many channels, where there is one.
    pub fn with_channels(channels: usize) -> Option<Self> {
        [Self::Rgb, Self::Gray].into_iter().find(|color| color.channels() == channels)
    }
}

impl Preprocessing {
    /// Values in `[0, 1]`, that is divided by 255.
    pub const fn new(height: usize, width: usize, color: Color) -> Self {
        Self { height, width, color, normalization: Normalization::RESCALED }
    }

    /// As `self`, normalized as `config` says; what is fitted is fitted to the training images of `dataset`, as
    /// evaluation sees them. The loader does not change the result. An image that cannot be used is an error or, with any
    /// other `on_error` than [`OnError::Fail`], left out.
    ///
    /// # Errors
    /// [`StreamError::Normalization`] where a setting is out of its range or the images cannot be fitted to;
    /// [`StreamError::Read`] and [`StreamError::Decode`] where an image cannot be used.
    pub fn normalized(
        self,
        config: &NormalizationConfig,
        dataset: &Arc<Dataset>,
        on_error: OnError,
        loader: &Loader,
    ) -> Result<Self, StreamError> {
        /// Images a batch, of which only a few are in memory.
        const BATCH_SIZE: usize = 32;
        let mut fit = config.fit(self.color.to_channels(), self.len())?;
        if fit.needs_images() {
            let preprocessing = Self { normalization: Normalization::PLAIN, ..self.clone() };
            let on_error = if on_error == OnError::Fail { OnError::Fail } else { OnError::Skip };
            let eval = EvalConfig { on_error, loader: loader.clone(), ..EvalConfig::new(preprocessing, BATCH_SIZE) };
            for batch in EvalStream::new(Arc::clone(dataset), Split::Train, &eval)?.pass() {
                batch?.floats().chunks_exact(self.len()).for_each(|image| fit.add(image));
            }
        }
        Ok(Self { normalization: fit.finish()?, ..self })
    }

    /// Whether [`normalized`](Self::normalized) looks at all training images first.
    ///
    /// # Errors
    /// [`StreamError::Normalization`] where a setting is out of its range.
    ///
    /// ```
    /// use aumenta_augment::{Centering, NormalizationConfig};
    /// use aumenta_stream::{Color, Preprocessing};
    ///
    /// let (preprocessing, both) = (Preprocessing::new(28, 28, Color::Gray), Centering { center: true, std: true });
    /// assert!(preprocessing.is_fitted_by(&NormalizationConfig::Featurewise(both))?);
    /// assert!(!preprocessing.is_fitted_by(&NormalizationConfig::Samplewise(both))?);
    /// # Ok::<(), aumenta_stream::StreamError>(())
    /// ```
    pub fn is_fitted_by(&self, config: &NormalizationConfig) -> Result<bool, StreamError> {
        Ok(config.fit(self.color.to_channels(), self.len())?.needs_images())
    }

    /// What the values of [`Layout::U8Nhwc`](crate::Layout::U8Nhwc) are multiplied by and what is then added to them, for each
    /// channel, with a rounding to f32 after each: so they become the values of the other layouts, bit for bit. `None` where
    /// the normalization is more than that, and the layout is refused.
    ///
    /// ```
    /// use aumenta_stream::{Color, Preprocessing};
    ///
    /// let (scale, offset) = Preprocessing::new(28, 28, Color::Gray).scale_and_offset().expect("it is a division by 255");
    /// assert_eq!((scale, offset), (vec![1.0 / 255.0], vec![0.0]));
    /// ```
    pub fn scale_and_offset(&self) -> Option<(Vec<f32>, Vec<f32>)> {
        let Normalization::Affine { scale, offset } = &self.normalization else { return None };
        let channels = self.color.channels();
        Some((scale[..channels].to_vec(), offset[..channels].to_vec()))
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// How many values one image has.
    pub fn len(&self) -> usize {
        self.height * self.width * self.color.channels()
    }

    /// Whether an image has no values at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{ColorChain, Image, Layout, Slot, write};

    use super::*;

    #[track_caller]
    fn check(color: Color, expected: &[f32]) {
        let image = Image::from_pixels(2, 1, vec![255, 0, 51, 7, 7, 7]);
        let format = Normalization::RESCALED.format(color.to_channels(), Layout::Hwc);
        let mut values = vec![f32::NAN; expected.len()];
        write(&image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected / 255.0).abs() <= f32::EPSILON, "{values:?}");
        }
    }

    #[test]
    fn values_are_divided_by_255_and_gray_is_luma() {
        check(Color::Rgb, &[255.0, 0.0, 51.0, 7.0, 7.0, 7.0]);
        check(Color::Gray, &[82.0, 7.0]);
    }
}
