//! What a network says of images.

use candle_core::Tensor;

use crate::error::ExplainError;
use crate::network::Network;

/// The probability of each class for each image of a batch, f32 `[n, height, width, channels]`.
///
/// # Errors
/// [`ExplainError::Network`] where the images do not fit.
pub fn probabilities(network: &Network<'_>, images: &Tensor) -> Result<Vec<Vec<f32>>, ExplainError> {
    let logits: Vec<Vec<f32>> = network.model().predict(images)?.to_vec2()?;
    Ok(logits.iter().map(|row| of_logits(row)).collect())
}

/// One logit is the log-odds of the second of two classes; several are a softmax's.
fn of_logits(logits: &[f32]) -> Vec<f32> {
    if let [log_odds] = logits {
        let sigmoid = |x: f64| (1.0 / (1.0 + (-x).exp())) as f32;
        return vec![sigmoid(-f64::from(*log_odds)), sigmoid(f64::from(*log_odds))];
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (f64::from(*logit) - f64::from(largest)).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_become_probabilities() {
        assert_eq!(of_logits(&[0.0]), [0.5, 0.5]);
        assert!((of_logits(&[3_f32.ln()])[1] - 0.75).abs() < 1e-6);
        assert_eq!(of_logits(&[1000.0, 1000.0]), [0.5, 0.5]);
    }
}
