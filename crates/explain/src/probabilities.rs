//! What a network says of images.

use aumenta_metrics::push_probabilities;
use candle_core::Tensor;

use crate::error::ExplainError;
use crate::network::Network;

/// The probability of each class for each image of a batch, f32 `[n, height, width, channels]`.
///
/// # Errors
/// [`ExplainError::Network`] where the images do not fit.
pub fn probabilities(network: &Network<'_>, images: &Tensor) -> Result<Vec<Vec<f32>>, ExplainError> {
    let logits: Vec<Vec<f32>> = network.model().predict(images)?.to_vec2()?;
    let of_logits = |row: &Vec<f32>| {
        let mut probabilities = Vec::new();
        push_probabilities(row, &mut probabilities);
        probabilities
    };
    Ok(logits.iter().map(of_logits).collect())
}
