//! What a contender's batches hold, and whether that is what was asked for: the work must be done to count.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::workload::{Augmentation, BATCH};
use crate::statistics::median;

/// How far a contender's mean may lie from the median of all, in widths of the range of values. What moves in from outside is
/// the nearest pixel for some and black for others, which makes a tenth.
const MEAN_TOLERANCE: f64 = 0.15;

/// How far a value may lie outside of its bounds, for rounding.
const BOUND_TOLERANCE: f64 = 1e-3;

/// What batches hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BatchFacts {
    /// The lengths of a batch's axes.
    pub shape: Vec<usize>,
    /// The type of its values, by the name that NumPy has for it.
    pub dtype: String,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub greatest: f64,
    /// The mean of all values.
    pub mean: f64,
}

impl BatchFacts {
    /// Checks that these are batches of `augmentation`, NHWC or NCHW.
    ///
    /// # Errors
    /// Where shape, type or a value is another.
    pub fn check(&self, augmentation: Augmentation) -> Result<()> {
        let size = augmentation.size();
        let shapes = [[BATCH, size.height, size.width, 3], [BATCH, 3, size.height, size.width]];
        ensure!(shapes.iter().any(|shape| self.shape == shape), "its batches have the shape {:?}", self.shape);
        ensure!(self.dtype == "float32", "its batches are of {}", self.dtype);
        let (least, greatest) = augmentation.bounds();
        let is_within = self.least >= least - BOUND_TOLERANCE && self.greatest <= greatest + BOUND_TOLERANCE;
        ensure!(
            is_within && self.least < self.greatest,
            "its values are from {} to {}, which may be from {least:.3} to {greatest:.3}",
            self.least,
            self.greatest
        );
        Ok(())
    }
}

/// Checks the mean of one contender's values against the `means` of all at `augmentation`.
///
/// # Errors
/// Where it lies far from their median.
pub fn check_mean(mean: f64, means: &[f64], augmentation: Augmentation) -> Result<()> {
    let (least, greatest) = augmentation.bounds();
    let usual = median(means);
    ensure!(
        (mean - usual).abs() <= MEAN_TOLERANCE * (greatest - least),
        "the mean of its values is {mean:.3}, that of the others around {usual:.3}: it does something else"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> BatchFacts {
        BatchFacts { shape: vec![32, 150, 150, 3], dtype: "float32".to_string(), least: 0.0, greatest: 1.0, mean: 0.4 }
    }

    #[test]
    fn either_order_of_the_axes_is_right() {
        facts().check(Augmentation::Book).unwrap();
        BatchFacts { shape: vec![32, 3, 150, 150], ..facts() }.check(Augmentation::Book).unwrap();
        BatchFacts { shape: vec![32, 3, 224, 224], least: -2.1, ..facts() }.check(Augmentation::Crop).unwrap();
    }

    #[test]
    fn other_batches_are_refused_with_what_they_are() {
        for (facts, reason) in [
            (BatchFacts { shape: vec![16, 150, 150, 3], ..facts() }, "its batches have the shape [16, 150, 150, 3]"),
            (BatchFacts { dtype: "uint8".to_string(), ..facts() }, "its batches are of uint8"),
            (
                BatchFacts { greatest: 255.0, ..facts() },
                "its values are from 0 to 255, which may be from 0.000 to 1.000",
            ),
            (BatchFacts { greatest: 0.0, ..facts() }, "its values are from 0 to 0, which may be from 0.000 to 1.000"),
        ] {
            assert_eq!(facts.check(Augmentation::Book).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn a_mean_far_from_the_others_is_refused() {
        let means = [0.45, 0.46, 0.44, 0.36, 0.1];
        for mean in &means[..4] {
            check_mean(*mean, &means, Augmentation::Book).unwrap();
        }
        let error = check_mean(means[4], &means, Augmentation::Book).unwrap_err().to_string();
        assert_eq!(error, "the mean of its values is 0.100, that of the others around 0.440: it does something else");
    }
}
