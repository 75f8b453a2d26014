//! [`Calibration`]: whether a classifier is right as often as it is sure.

use serde::{Deserialize, Serialize};

use crate::prediction::predicted_class;
use crate::scored::Scored;

/// Samples binned by confidence, the probability of the predicted class: what a reliability diagram shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Calibration {
    /// Bins of equal width over 0 to 1.
    pub bins: Vec<CalibrationBin>,
}

/// The samples whose confidence lies above `low` and not above `high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CalibrationBin {
    /// The lower end of the bin, which belongs to the bin before; in the first bin to itself.
    pub low: f64,
    /// The upper end of the bin, which belongs to it.
    pub high: f64,
    /// How many samples it has.
    pub samples: u64,
    /// How many of them were predicted right.
    pub correct: u64,
    /// The mean confidence of the samples; `None` where there are none.
    pub confidence: Option<f64>,
}

impl CalibrationBin {
    /// The share of its samples that were predicted right; `None` where there are none.
    pub fn accuracy(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.correct as f64 / self.samples as f64)
    }
}

impl Calibration {
    /// The bins of a reliability diagram where nothing else is asked for, as in Guo et al.
    pub const BINS: usize = 15;

    /// The samples of `scored` in `bins` bins; no samples where a probability is not finite.
    ///
    /// ```
    /// use aumenta_metrics::{Calibration, Scored};
    ///
    /// // Three samples with a confidence of 0.75, of which two are right.
    /// let scored = Scored::new(2, &[0, 0, 1], &[0.75, 0.25, 0.75, 0.25, 0.75, 0.25]);
    /// let calibration = Calibration::of(&scored, 10);
    /// assert_eq!(calibration.bins[7].accuracy(), Some(2.0 / 3.0));
    /// assert_eq!(calibration.expected_error(), Some(0.75 - 2.0 / 3.0));
    /// ```
    ///
    /// # Panics
    /// Where `bins` is 0.
    pub fn of(scored: &Scored<'_>, bins: usize) -> Self {
        assert!(bins > 0, "a calibration needs a bin");
        let mut counts = vec![(0, 0, 0.0); bins];
        if scored.is_measurable() {
            for (truth, row) in scored.rows() {
                let predicted = predicted_class(row);
                let confidence = f64::from(row[predicted]);
                let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
                let (samples, correct, sum) = &mut counts[bin];
                *samples += 1;
                *correct += u64::from(predicted == truth);
                *sum += confidence;
            }
        }
        let bin = |(at, (samples, correct, sum)): (usize, (u64, u64, f64))| CalibrationBin {
            low: at as f64 / bins as f64,
            high: (at + 1) as f64 / bins as f64,
            samples,
            correct,
            confidence: (samples > 0).then(|| sum / samples as f64),
        };
        Self { bins: counts.into_iter().enumerate().map(bin).collect() }
    }

    /// The number of samples.
    pub fn samples(&self) -> u64 {
        self.bins.iter().map(|bin| bin.samples).sum()
    }

    /// The expected calibration error: the mean over samples of how far accuracy and mean confidence of their bin lie
    /// apart, from 0 to 1. It depends on the bins, and few samples in a bin make it too large rather than too small.
    /// `None` where there are no samples.
    ///
    /// Source: Guo et al., "On calibration of modern neural networks", 2017.
    pub fn expected_error(&self) -> Option<f64> {
        let samples = self.samples();
        let gap = |bin: &CalibrationBin| Some((bin.accuracy()? - bin.confidence?).abs() * bin.samples as f64);
        (samples > 0).then(|| self.bins.iter().filter_map(gap).sum::<f64>() / samples as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(confidences: &[f32], bins: usize) -> Calibration {
        let rows: Vec<f32> = confidences.iter().flat_map(|confidence| [*confidence, 1.0 - confidence]).collect();
        Calibration::of(&Scored::new(2, &vec![0; confidences.len()], &rows), bins)
    }

    #[test]
    fn a_confidence_at_the_end_of_a_bin_belongs_to_it() {
        let samples =
            |confidences: &[f32]| calibration(confidences, 4).bins.iter().map(|bin| bin.samples).collect::<Vec<_>>();
        assert_eq!(samples(&[0.5]), [0, 1, 0, 0]);
        assert_eq!(samples(&[0.75, 0.750_001, 1.0]), [0, 0, 1, 2]);
    }

    #[test]
    fn certainty_that_is_right_has_no_error() {
        assert_eq!(calibration(&[1.0, 1.0], 15).expected_error(), Some(0.0));
    }

    #[test]
    fn errors_are_weighted_by_samples() {
        // All are right: one sample is too modest by 0.25, two by 0.375.
        assert_eq!(calibration(&[0.75, 0.625, 0.625], 8).expected_error(), Some((0.25 + 2.0 * 0.375) / 3.0));
    }

    #[test]
    fn nothing_is_known_of_no_samples_or_of_nan() {
        assert_eq!(calibration(&[], 3).expected_error(), None);
        let nan = Calibration::of(&Scored::new(2, &[0], &[f32::NAN, 0.5]), 3);
        assert_eq!((nan.samples(), nan.bins.len()), (0, 3));
    }
}
