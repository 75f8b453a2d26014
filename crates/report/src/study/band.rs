//! [`Band`]: a curve over seeds, with its mean and from its lowest to its highest seed.

use aumenta_runs::{EpochRecord, Scores};
use aumenta_study::{ArmResult, TrialResult};

use crate::curves::Quantity;

/// One epoch over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    pub epoch: usize,
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// Which curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Training,
    Validation,
}

impl Side {
    fn of(self, epoch: &EpochRecord) -> &Scores {
        match self {
            Self::Training => &epoch.train,
            Self::Validation => &epoch.validation,
        }
    }
}

/// The band of an arm: of its finished trials, or of all that have an epoch where none has finished. An epoch that not all of
/// them have, or where one is not finite, is left out, for a mean over other seeds would be a step that no run took.
pub fn band(arm: &ArmResult, quantity: Quantity, side: Side) -> Vec<BandPoint> {
    let finished: Vec<&TrialResult> = arm.finished().filter(|trial| !trial.epochs.is_empty()).collect();
    let begun = || arm.trials.iter().filter(|trial| !trial.epochs.is_empty()).collect();
    let trials: Vec<&TrialResult> = if finished.is_empty() { begun() } else { finished };
    let shortest = trials.iter().map(|trial| trial.epochs.len()).min().unwrap_or(0);
    let point = |index: usize| {
        let values: Vec<f64> = trials.iter().map(|trial| quantity.of(side.of(&trial.epochs[index]))).collect();
        let fold = |start: f64, choose: fn(f64, f64) -> f64| values.iter().copied().fold(start, choose);
        values.iter().all(|value| value.is_finite()).then(|| BandPoint {
            epoch: trials[0].epochs[index].epoch,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            low: fold(f64::INFINITY, f64::min),
            high: fold(f64::NEG_INFINITY, f64::max),
        })
    };
    (0..shortest).filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use aumenta_study::Fate;

    use super::*;
    use crate::study::tests::{arm, trial};

    #[test]
    fn a_band_reaches_from_the_lowest_to_the_highest_seed() {
        let arm = arm("plain", None, &[&[(0.5, 0.5), (0.75, 0.5)], &[(0.5, 0.5), (0.25, 0.75)]]);
        let point = band(&arm, Quantity::Accuracy, Side::Training)[1];
        assert_eq!(point, BandPoint { epoch: 2, mean: 0.5, low: 0.25, high: 0.75 });
    }

    #[test]
    fn epochs_that_not_all_seeds_have_are_left_out() {
        let arm = arm("plain", None, &[&[(0.5, 0.5), (0.75, 0.5)], &[(0.5, 0.5)]]);
        assert_eq!(band(&arm, Quantity::Loss, Side::Validation).len(), 1);
    }

    #[test]
    fn unfinished_trials_show_only_where_none_has_finished() {
        let mut arm = arm("plain", None, &[&[(0.5, 0.5), (0.75, 0.5)]]);
        arm.trials.push(trial(2, Fate::Ended, &[(0.5, 0.25)]));
        assert_eq!(band(&arm, Quantity::Accuracy, Side::Validation).len(), 2);
        arm.trials.remove(0);
        assert_eq!(band(&arm, Quantity::Accuracy, Side::Validation)[0].mean, 0.25);
        arm.trials.clear();
        assert!(band(&arm, Quantity::Accuracy, Side::Validation).is_empty());
    }
}
