//! Which measurement is the best so far, and when waiting for a better one is over.

use aumenta_metrics::Measure;
use aumenta_runs::Merit;
use serde::{Deserialize, Serialize};

/// Ends a training that no longer improves, at the end of an epoch, as Keras' `EarlyStopping` does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EarlyStopping {
    /// Measurements in a row without improvement after which the training ends, at least 1. Default 5.
    pub patience: u64,
    /// What a measurement must differ by to be an improvement, at least 0. Default 0.
    pub min_delta: f64,
    /// Whether the network then has the weights of its best measurement, instead of its last. Default yes.
    pub restore_best: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 5, min_delta: 0.0, restore_best: true }
    }
}

/// Follows what a training measures on the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Watch {
    /// The best measurement, as [`best_epoch`](aumenta_runs::best_epoch) has it.
    best: Option<Merit>,
    /// The value that early stopping compares with: that of the last measurement that was an improvement.
    reference: Option<f64>,
    /// Measurements since.
    waited: u64,
}

impl Watch {
    pub fn new() -> Self {
        Self { best: None, reference: None, waited: 0 }
    }

    /// Takes a measurement; whether it is the best so far.
    pub fn observe(&mut self, monitor: Measure, merit: Merit, stopping: Option<&EarlyStopping>) -> bool {
        let is_best = self.best.is_none_or(|best| merit.compare(&best, monitor).is_lt());
        if is_best {
            self.best = Some(merit);
        }
        let sign = if monitor.higher_is_better() { 1.0 } else { -1.0 };
        let min_delta = stopping.map_or(0.0, |stopping| stopping.min_delta);
        if self.reference.is_none_or(|reference| sign * (merit.value - reference) > min_delta) {
            self.reference = Some(merit.value).filter(|value| !value.is_nan());
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        is_best
    }

    /// Begins to wait from here on; the best measurement stays.
    pub fn wait_anew(&mut self) {
        self.waited = 0;
    }

    /// Whether early stopping has waited for long enough.
    pub fn is_over(&self, stopping: Option<&EarlyStopping>) -> bool {
        stopping.is_some_and(|stopping| self.waited >= stopping.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the accuracies (or of the losses 1 minus them) is the best, and after which a training stops.
    #[track_caller]
    fn check(monitor: Measure, stopping: EarlyStopping, accuracies: &[f64], best: usize, stops: Option<usize>) {
        let mut watch = Watch::new();
        let (mut last_best, mut stopped) = (0, None);
        for (at, &accuracy) in accuracies.iter().enumerate() {
            let loss = 1.0 - accuracy;
            let merit = Merit { value: if monitor == Measure::Loss { loss } else { accuracy }, loss };
            if watch.observe(monitor, merit, Some(&stopping)) {
                last_best = at;
            }
            if stopped.is_none() && watch.is_over(Some(&stopping)) {
                stopped = Some(at);
            }
        }
        assert_eq!((last_best, stopped), (best, stops));
    }

    #[test]
    fn patience_counts_measurements_without_improvement_in_a_row() {
        let stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
        for monitor in [Measure::Accuracy, Measure::Loss] {
            check(monitor, stopping, &[0.5, 0.6, 0.6, 0.7, 0.7, 0.7, 0.8], 6, Some(5));
            check(monitor, stopping, &[0.5, 0.6, 0.5, 0.7, 0.5], 3, None);
        }
    }

    #[test]
    fn small_steps_are_no_improvement_but_may_be_the_best() {
        let stopping = EarlyStopping { patience: 2, min_delta: 0.1, ..EarlyStopping::default() };
        check(Measure::Accuracy, stopping, &[0.5, 0.55, 0.58], 2, Some(2));
        check(Measure::Accuracy, stopping, &[0.5, 0.55, 0.61, 0.62], 3, None);
    }

    #[test]
    fn a_measurement_that_is_no_number_is_no_improvement() {
        let stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
        check(Measure::Accuracy, stopping, &[0.5, f64::NAN, f64::NAN], 0, Some(2));
        check(Measure::Accuracy, stopping, &[f64::NAN, 0.1, 0.2], 2, None);
    }
}
