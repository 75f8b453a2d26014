//! Class activation maps: which places of a layer's output speak for a class.

use candle_core::{D, Tensor};

use crate::error::ExplainError;
use crate::heat_map::HeatMap;
use crate::network::Network;

/// How the channels of a layer are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassMap {
    /// Grad-CAM (Selvaraju et al. 2017): a channel's weight is the mean over all places of the gradient of the class's score to it.
    GradCam,
    /// Grad-CAM++ (Chattopadhay et al. 2018): the sum of what gradients there are above 0, each weighed by
    /// `g^2 / (2 g^2 + sum(A) g^3)`, so that several objects of a class and small ones are not lost in a mean. Here `g` is the
    /// gradient at a place and `sum(A)` the channel's sum over all places; of the exponential that the paper puts around the score
    /// a factor would remain that is the same everywhere.
    GradCamPlusPlus,
}

impl ClassMap {
    /// Where layer `layer` speaks for class `class` in an image, f32 `[1, height, width, channels]`: the sum of its channels, each
    /// by its weight, cut at 0. The map has the size of the layer's output.
    ///
    /// # Errors
    /// [`ExplainError::Layer`] and [`ExplainError::Class`] where there is no such thing, [`ExplainError::Network`] where the image
    /// does not fit.
    pub fn of(self, network: &Network<'_>, image: &Tensor, layer: &str, class: usize) -> Result<HeatMap, ExplainError> {
        let (output, gradient) = network.output_and_gradient(image, layer, class)?;
        let weights = match self {
            Self::GradCam => gradient.mean((0, 1))?,
            Self::GradCamPlusPlus => plus_plus_weights(&output, &gradient)?,
        };
        HeatMap::from_tensor(&output.broadcast_mul(&weights)?.sum(D::Minus1)?.relu()?)
    }
}

/// The weight of each channel, `[channels]`.
fn plus_plus_weights(output: &Tensor, gradient: &Tensor) -> Result<Tensor, ExplainError> {
    let square = gradient.sqr()?;
    let sums = output.sum((0, 1))?;
    let divisor = ((&square * 2.0)? + (&square * gradient)?.broadcast_mul(&sums)?)?;
    // Where there is no gradient, there is nothing to be weighed.
    let is_zero = divisor.eq(0.0)?;
    let alpha = (square / is_zero.where_cond(&divisor.ones_like()?, &divisor)?)?;
    Ok((alpha * gradient.relu()?)?.sum((0, 1))?)
}
