//! Which layers a training leaves as they are, and until when: its phases, each a training of its own.

use serde::Serialize;

use crate::error::TrainError;

/// Which layers a training leaves as they are. They are the first ones of the network, in evaluation mode throughout: no
/// gradient is computed for them, and running statistics of theirs do not move.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Freezing {
    /// How many of the network's first layers are frozen; see [`Architecture::layers_before`](aumenta_models::Architecture::layers_before).
    pub layers: usize,
    /// From when on there are fewer; never by default.
    pub unfreezing: Option<Unfreezing>,
}

/// From when on fewer layers are frozen. The training then begins anew with the weights that it has: the optimizer has seen
/// nothing yet, the schedule and the weights' average are at their beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unfreezing {
    /// The first epoch with fewer frozen layers, counted from 1; at least 2.
    pub epoch: u64,
    /// How many layers are frozen from then on.
    pub layers: usize,
    /// The optimizer's learning rate from then on; as before where it is not set.
    pub learning_rate: Option<f32>,
}

/// Epochs in which the same layers are frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Phase {
    /// Its epochs, counted from 0; without an end where it lasts as long as the training.
    pub first_epoch: u64,
    pub end_epoch: Option<u64>,
    /// How many layers are frozen.
    pub frozen: usize,
    /// In place of the optimizer's own.
    pub learning_rate: Option<f32>,
}

/// What a training tells of a phase: epochs in which the same layers are frozen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PhaseRecord {
    /// Its first epoch, counted from 1.
    pub epoch: usize,
    /// How many numbers the optimizer moves.
    pub trained: usize,
    /// How many tensors stay as they are: parameters and running statistics of frozen layers, and parameters that a group of
    /// the optimizer freezes.
    pub frozen_tensors: usize,
    /// How many numbers these hold.
    pub frozen: usize,
    /// The BLAKE3 hash of their names and values, in hexadecimal.
    pub frozen_hash: String,
    /// The optimizer's learning rate, before a schedule.
    pub learning_rate: f32,
}

impl Freezing {
    /// The phase of epoch `epoch`, counted from 0.
    pub(crate) fn phase(&self, epoch: u64) -> Phase {
        let second = self.unfreezing.map(|Unfreezing { epoch, layers, learning_rate }| Phase {
            first_epoch: epoch - 1,
            end_epoch: None,
            frozen: layers,
            learning_rate,
        });
        let first = Phase {
            first_epoch: 0,
            end_epoch: second.map(|second| second.first_epoch),
            frozen: self.layers,
            learning_rate: None,
        };
        second.filter(|second| epoch >= second.first_epoch).unwrap_or(first)
    }

    /// Whether the settings lie in their ranges, for a training of so many epochs, where that is known.
    pub(crate) fn check(&self, epochs: Option<usize>) -> Result<(), TrainError> {
        let wrong = |setting, reason| Err(TrainError::Setting { setting, reason });
        let Some(Unfreezing { epoch, layers, learning_rate }) = self.unfreezing else { return Ok(()) };
        if epoch < 2 {
            let reason = format!("must be at least 2, got {epoch}: before the second epoch nothing is frozen");
            return wrong("fine-tuning.unfreeze-at-epoch", reason);
        }
        if let Some(epochs) = epochs.filter(|epochs| epoch > *epochs as u64) {
            return wrong("fine-tuning.unfreeze-at-epoch", format!("is {epoch}, but the training ends after {epochs}"));
        }
        if layers >= self.layers {
            let reason = format!("leaves {layers} layers frozen, and before it there are {}", self.layers);
            return wrong("fine-tuning.unfreeze-from", reason);
        }
        match learning_rate.filter(|rate| !(*rate > 0.0 && rate.is_finite())) {
            Some(rate) => wrong("fine-tuning.unfrozen-rate", format!("must be above 0, got {rate}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use aumenta_nn::NamedTensor;
    use aumenta_runs::{Kept, RunFolder};
    use candle_core::{Device, Tensor, Var};

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::fit::{End, FitConfig, Length};
    use crate::observer::{Observer, Progress, StepProgress};
    use crate::snapshot::Snapshot;
    use crate::test_place::{Place, bytes, epochs};

    const TWO_PHASES: Freezing =
        Freezing { layers: 5, unfreezing: Some(Unfreezing { epoch: 3, layers: 2, learning_rate: Some(0.1) }) };

    #[test]
    fn the_second_phase_begins_with_its_epoch() {
        let frozen: Vec<usize> = (0..4).map(|epoch| TWO_PHASES.phase(epoch).frozen).collect();
        assert_eq!(frozen, [5, 5, 2, 2]);
        let bounds = |epoch| (TWO_PHASES.phase(epoch).first_epoch, TWO_PHASES.phase(epoch).end_epoch);
        assert_eq!([bounds(1), bounds(2)], [(0, Some(2)), (2, None)]);
        assert_eq!(Freezing::default().phase(100).frozen, 0);
    }

    #[track_caller]
    fn check_refused(change: Unfreezing, message: &str) {
        let freezing = Freezing { unfreezing: Some(change), ..TWO_PHASES };
        assert!(freezing.check(Some(3)).unwrap_err().to_string().contains(message));
    }

    #[test]
    fn phases_that_would_have_no_effect_are_refused() {
        TWO_PHASES.check(Some(3)).unwrap();
        let good = TWO_PHASES.unfreezing.unwrap();
        check_refused(Unfreezing { epoch: 1, ..good }, "must be at least 2, got 1");
        check_refused(Unfreezing { epoch: 4, ..good }, "is 4, but the training ends after 3");
        check_refused(Unfreezing { layers: 5, ..good }, "leaves 5 layers frozen");
        check_refused(Unfreezing { learning_rate: Some(0.0), ..good }, "must be above 0, got 0");
    }

    /// The cats and dogs network has four blocks of a convolution and a pooling before its flattening.
    const BASE: usize = 8;

    fn frozen(layers: usize, unfreezing: Option<Unfreezing>, count: usize) -> FitConfig {
        FitConfig { freezing: Freezing { layers, unfreezing }, ..epochs(count) }
    }

    fn weights(run: &RunFolder) -> Vec<NamedTensor> {
        let (_, model) = Checkpoint::load(&run.weights_path(Kept::Last), &Device::Cpu).unwrap();
        model.parameters().tensors().unwrap()
    }

    fn fresh(place: &Place) -> Vec<NamedTensor> {
        place.model().parameters().tensors().unwrap()
    }

    fn changed(before: &[NamedTensor], after: &[NamedTensor]) -> Vec<String> {
        let moved = before.iter().zip(after).filter(|(before, after)| before != after);
        moved.map(|(before, _)| before.name.clone()).collect()
    }

    #[test]
    fn frozen_layers_keep_every_bit_and_all_others_move() {
        let place = Place::new();
        let (run, _) = place.trained(frozen(BASE, None, 2)).unwrap();
        let moved = changed(&fresh(&place), &weights(&run));
        assert!(!moved.is_empty() && moved.iter().all(|name| name.starts_with("dense")), "{moved:?}");
    }

    #[test]
    fn a_base_of_rate_zero_and_a_frozen_one_end_alike() {
        let still = Place::new();
        let architecture = still.checkpoint().model.architecture().unwrap();
        let base = architecture.layers_before("head").unwrap();
        let (still, place) = (Place { rate_scales: Some(architecture.rate_scales(0.0, 1.0)), ..still }, Place::new());
        let (frozen, _) = place.trained(frozen(base, None, 2)).unwrap();
        let (still, _) = still.trained(epochs(2)).unwrap();
        for (frozen, still) in weights(&frozen).iter().zip(weights(&still)) {
            let largest = frozen.values.iter().zip(&still.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-4, "`{}` differs by {largest}", frozen.name);
        }
    }

    #[test]
    fn after_the_first_phase_more_layers_move_at_their_own_rate() {
        let place = Place::new();
        let then = |learning_rate| Some(Unfreezing { epoch: 2, layers: 6, learning_rate });
        let (first, _) = place.trained(frozen(BASE, None, 1)).unwrap();
        let run = place.new_run("both");
        let fitted = place.train(&run, frozen(BASE, then(Some(1e-9)), 2), None).unwrap();
        let moved = changed(&weights(&first), &weights(&run));
        assert!(moved.iter().any(|name| name.starts_with("conv4")), "{moved:?}");
        assert!(!moved.iter().any(|name| name.starts_with("conv3")), "{moved:?}");
        let rates: Vec<f32> = fitted.epochs.iter().map(|record| record.learning_rate as f32).collect();
        assert_eq!(rates, [1e-3, 1e-9]);
        let largest_step = weights(&first)
            .iter()
            .zip(weights(&run))
            .flat_map(|(a, b)| a.values.iter().zip(b.values).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>())
            .fold(0.0, f32::max);
        assert!(largest_step < 1e-6, "a step of {largest_step} at a rate of 1e-9");
    }

    #[test]
    fn a_training_that_is_interrupted_in_any_phase_ends_as_one_that_never_was() {
        let config = FitConfig {
            ema_decay: Some(0.9),
            ..frozen(BASE, Some(Unfreezing { epoch: 2, layers: 4, learning_rate: Some(1e-4) }), 3)
        };
        let place = Place::new();
        let (whole, _) = place.trained(config.clone()).unwrap();
        let run = place.new_run("resumed");
        // The last step of the first phase, and one within the second.
        for stop in [2, 3, 5] {
            let part = place.train(&run, config.clone(), Some(stop)).unwrap();
            assert_eq!(part.end, End::Interrupted { step: stop });
        }
        place.train(&run, config, None).unwrap();
        for kept in [Kept::Best, Kept::Last] {
            assert!(bytes(&run, kept) == bytes(&whole, kept), "{kept:?} differs");
        }
        let [a, b] = [&run, &whole].map(|run| Snapshot::latest(run).unwrap().snapshot);
        assert_eq!((a.weights, a.average, a.state.optimizer), (b.weights, b.average, b.state.optimizer));
    }

    #[test]
    fn a_training_that_ended_where_its_phase_did_goes_on_with_the_next() {
        let steps = |steps| FitConfig {
            length: Length::Steps(steps),
            ..frozen(BASE, Some(Unfreezing { epoch: 2, layers: 4, learning_rate: Some(1e-4) }), 2)
        };
        let place = Place::new();
        let (whole, _) = place.trained(steps(5)).unwrap();
        let run = place.new_run("longer");
        for length in [3, 5] {
            place.train(&run, steps(length), None).unwrap();
        }
        assert!(bytes(&run, Kept::Last) == bytes(&whole, Kept::Last));
    }

    /// Moves a tensor that nothing should move, after each step.
    struct Nudge(Var);

    impl Observer for Nudge {
        fn trained(&mut self, _: &Progress, step: &StepProgress) {
            self.0.set(&Tensor::full(step.step as f32, self.0.dims(), &Device::Cpu).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_frozen_tensor_that_moves_ends_the_training_before_anything_is_written() {
        let place = Place::new();
        let run = place.new_run("run");
        let mut model = place.model();
        let conv = model.parameters().get("conv1.bias").unwrap().clone();
        let (config, never) = (frozen(BASE, None, 2), AtomicBool::new(false));
        let error = place.fit(&mut *model, &run, config, &never, &mut Nudge(conv)).unwrap_err();
        assert!(error.to_string().starts_with("`conv1.bias` is frozen and has changed in epoch 1"), "{error}");
        assert!(!run.weights_path(Kept::Last).exists());
        assert!(run.read_epochs().unwrap().is_empty());
    }
}
