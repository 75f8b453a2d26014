//! What training minimizes: the loss of each image, softened and weighted.

use aumenta_nn::{Loss, NnError};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::tensors::Examples;

/// How training's loss departs from plain cross-entropy. Validation always measures the plain one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LossConfig {
    /// The share `s` of what is right that all classes get alike, in `[0, 1)`: of `k` classes, the right one counts
    /// `1 - s + s / k` and every other `s / k` (Szegedy et al. 2016, section 7). Default 0.
    pub label_smoothing: f32,
    /// What each image's loss is multiplied by.
    pub class_weights: ClassWeights,
}

/// What the loss of an image is multiplied by, after its class. The mean is over images, not over weights, as in Keras.
///
/// In a file it is `"none"`, `"balanced"` or a list of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    expecting = "expected `none`, `balanced`, or a list with the weight of each class such as [1.0, 2.5]"
)]
pub enum ClassWeights {
    /// Nothing.
    #[default]
    None,
    /// `n / (k * n_c)` for a class with `n_c` of the `n` training images of `k` classes, as scikit-learn's `balanced`: every
    /// class counts as much as any other.
    Balanced,
    /// These, at least 0, one a class, in the manifest's order.
    #[serde(untagged)]
    Each(Vec<f32>),
}

impl LossConfig {
    /// Whether the settings lie in their ranges, for data of `classes` classes.
    pub(crate) fn check(&self, classes: usize) -> Result<(), TrainError> {
        let wrong = |setting, reason| Err(TrainError::Setting { setting, reason });
        let smoothing = self.label_smoothing;
        if !(0.0..1.0).contains(&smoothing) {
            return wrong("loss.label-smoothing", format!("must be at least 0 and below 1, got {smoothing}"));
        }
        let ClassWeights::Each(weights) = &self.class_weights else { return Ok(()) };
        if weights.len() != classes {
            return wrong("loss.class-weights", format!("has {} weights for {classes} classes", weights.len()));
        }
        match weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
            Some(weight) => wrong("loss.class-weights", format!("must be finite and at least 0, got {weight}")),
            None => Ok(()),
        }
    }
}

/// A [`LossConfig`], which has been checked, for data with known classes.
#[derive(Clone, Debug)]
pub(crate) struct Objective {
    smoothing: f32,
    weights: Option<Vec<f32>>,
    classes: usize,
}

impl Objective {
    /// `class_counts` are the training images of each class.
    pub fn new(config: &LossConfig, class_counts: &[u64]) -> Self {
        let weights = match &config.class_weights {
            ClassWeights::None => None,
            ClassWeights::Balanced => Some(balanced(class_counts)),
            ClassWeights::Each(weights) => Some(weights.clone()),
        };
        Self { smoothing: config.label_smoothing, weights, classes: class_counts.len() }
    }

    /// The targets of a batch: classes u32 `[n]` or shares f32 `[n, classes]`.
    pub fn targets(&self, examples: &Examples) -> Result<Tensor, NnError> {
        if self.smoothing == 0.0 {
            return Ok(examples.targets.clone());
        }
        let shares = Tensor::from_slice(&examples.shares, (examples.len(), self.classes), &Device::Cpu)?;
        let (keep, rest) = (f64::from(1.0 - self.smoothing), f64::from(self.smoothing) / self.classes as f64);
        Ok(shares.affine(keep, rest)?.to_device(examples.targets.device())?)
    }

    /// What the losses of a batch are multiplied by, f32 `[n]`; `None` for nothing. A mixed image takes its weight from both
    /// classes by their shares.
    pub fn weights(&self, examples: &Examples) -> Result<Option<Tensor>, NnError> {
        let Some(weights) = &self.weights else { return Ok(None) };
        let weight = |shares: &[f32]| shares.iter().zip(weights).map(|(share, weight)| share * weight).sum();
        let of_images: Vec<f32> = examples.shares.chunks_exact(self.classes).map(weight).collect();
        Ok(Some(Tensor::new(of_images, examples.targets.device())?))
    }
}

/// The loss of each image, f32 `[n]`, from logits `[n, outputs]`, multiplied by its weight where there are any.
pub(crate) fn losses(logits: &Tensor, targets: &Tensor, weights: Option<&Tensor>) -> Result<Tensor, NnError> {
    let losses = Loss::for_outputs(logits.dims()[1]).of_each(logits, targets)?;
    Ok(match weights {
        Some(weights) => (losses * weights)?,
        None => losses,
    })
}

fn balanced(class_counts: &[u64]) -> Vec<f32> {
    let total = class_counts.iter().sum::<u64>() as f64;
    let weight = |count: &u64| if *count == 0 { 0.0 } else { total / (class_counts.len() as f64 * *count as f64) };
    class_counts.iter().map(|count| weight(count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_make_every_class_count_alike() {
        assert_eq!(balanced(&[30, 10]), [2.0 / 3.0, 2.0]);
        assert_eq!(balanced(&[5, 5, 5]), [1.0; 3]);
        assert_eq!(balanced(&[5, 0]), [0.5, 0.0]);
    }

    #[test]
    fn class_weights_are_a_name_or_a_list_in_a_file() {
        let read = |text: &str| serde_json::from_str::<ClassWeights>(text).map_err(|error| error.to_string());
        for (text, weights) in [
            ("\"none\"", ClassWeights::None),
            ("\"balanced\"", ClassWeights::Balanced),
            ("[1.0,2.5]", ClassWeights::Each(vec![1.0, 2.5])),
        ] {
            assert_eq!(read(text).unwrap(), weights);
            assert_eq!(serde_json::to_string(&weights).unwrap(), text);
        }
        let message = read("\"balancd\"").unwrap_err();
        assert!(message.starts_with("expected `none`, `balanced`, or a list"), "{message}");
    }

    #[track_caller]
    fn check_refused(config: &LossConfig, message: &str) {
        assert_eq!(config.check(2).unwrap_err().to_string(), message);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let smoothing = |label_smoothing| LossConfig { label_smoothing, ..LossConfig::default() };
        check_refused(&smoothing(1.0), "`loss.label-smoothing` must be at least 0 and below 1, got 1");
        check_refused(&smoothing(f32::NAN), "`loss.label-smoothing` must be at least 0 and below 1, got NaN");
        let each = |weights| LossConfig { class_weights: ClassWeights::Each(weights), ..LossConfig::default() };
        check_refused(&each(vec![1.0]), "`loss.class-weights` has 1 weights for 2 classes");
        check_refused(&each(vec![1.0, -1.0]), "`loss.class-weights` must be finite and at least 0, got -1");
    }
}
