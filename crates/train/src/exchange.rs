//! Training by several processes at a time, each with the whole network and a share of the batches.

use std::fmt::Debug;

use aumenta_nn::{Gradients, NnError, Parameters};

/// What averages the gradients of all processes of a training before their optimizers step, so that all networks stay the same.
///
/// Every process trains on another [shard](aumenta_stream::Shard) of the same stream, without the last batches that do not go
/// round, and calls these methods in the same order. Running statistics of batch normalizations are each process's own.
pub trait Exchange: Debug {
    /// Gives all processes the parameters and statistics of the first.
    ///
    /// # Errors
    /// [`NnError::Exchange`] where the others cannot be reached.
    fn broadcast(&mut self, parameters: &Parameters) -> Result<(), NnError>;

    /// The mean of each gradient over all processes.
    ///
    /// # Errors
    /// As [`Exchange::broadcast`].
    fn average(&mut self, gradients: &Gradients<'_>) -> Result<Gradients<'static>, NnError>;
}

/// Experimental: this has not run on two GPUs yet.
#[cfg(feature = "nccl")]
impl Exchange for aumenta_nn::GradientExchange {
    fn broadcast(&mut self, parameters: &Parameters) -> Result<(), NnError> {
        Self::broadcast(self, parameters)
    }

    fn average(&mut self, gradients: &Gradients<'_>) -> Result<Gradients<'static>, NnError> {
        Self::average(self, gradients)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Barrier, Mutex};

    use aumenta_models::ModelConfig;
    use aumenta_nn::{NamedTensor, OptimizerConfig, SgdConfig};
    use aumenta_seed::Seed;
    use aumenta_stream::{Shard, TrainConfig, TrainStream};
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::fit::{Fit, FitConfig, Length, fit};
    use crate::test_place::{PREPROCESSING, Place, SEED};

    /// Threads in the place of processes: each leaves what it has, waits for the others, and takes what all come to.
    #[derive(Debug)]
    struct Meeting {
        barrier: Barrier,
        left: Mutex<Vec<Option<Vec<Tensor>>>>,
    }

    #[derive(Debug)]
    struct Rank {
        number: usize,
        meeting: Arc<Meeting>,
    }

    impl Rank {
        /// What all have left, each time anew.
        fn meet(&self, own: Vec<Tensor>) -> Vec<Vec<Tensor>> {
            self.meeting.left.lock().unwrap()[self.number] = Some(own);
            self.meeting.barrier.wait();
            let all = self.meeting.left.lock().unwrap().iter().map(|left| left.clone().unwrap()).collect();
            self.meeting.barrier.wait();
            all
        }
    }

    impl Exchange for Rank {
        fn broadcast(&mut self, parameters: &Parameters) -> Result<(), NnError> {
            let own = parameters.all().map(|parameter| parameter.var.as_tensor().copy()).collect::<Result<_, _>>()?;
            for (parameter, first) in parameters.all().zip(&self.meet(own)[0]) {
                parameter.var.set(first)?;
            }
            Ok(())
        }

        fn average(&mut self, gradients: &Gradients<'_>) -> Result<Gradients<'static>, NnError> {
            let own = gradients.tensors().iter().map(Tensor::copy).collect::<Result<_, _>>()?;
            let all = self.meet(own);
            let mean = |index: usize| {
                let sum = all[1..].iter().try_fold(all[0][index].clone(), |sum, rank| sum + &rank[index]);
                sum? / all.len() as f64
            };
            let means = (0..all[0].len()).map(mean).collect::<candle_core::Result<_>>()?;
            Ok(Gradients::from_tensors(means))
        }
    }

    /// The weights after two epochs with batches of two images.
    fn weights(place: &Place, name: &str, shard: Shard, accumulate: usize, rank: Option<Rank>) -> Vec<NamedTensor> {
        let model = ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.4 };
        let checkpoint = Checkpoint { model, ..place.checkpoint() };
        let mut model = checkpoint.model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        // The second process begins with other weights, which it does not keep.
        for parameter in model.parameters().iter().filter(|_| shard.index > 0) {
            parameter.var.set(&parameter.var.zeros_like().unwrap()).unwrap();
        }
        let train = TrainConfig { shard, drop_last: true, ..TrainConfig::new(PREPROCESSING, 2, SEED) };
        let sgd = OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.05, momentum: 0.9, ..SgdConfig::default() });
        let exchange = rank.map(|rank| RefCell::new(Box::new(rank) as Box<dyn Exchange>));
        let settings = Fit {
            train: &TrainStream::new(Arc::clone(&place.dataset), train).unwrap(),
            validation: &place.validation(),
            features: None,
            config: FitConfig { accumulate, ..FitConfig::new(sgd, Length::Epochs(2)) },
            config_text: "",
            device: &Device::Cpu,
            exchange: exchange.as_ref(),
            interrupt: &AtomicBool::new(false),
        };
        fit(&mut *model, &settings, &checkpoint, &place.new_run(name), None, &mut ()).unwrap();
        model.parameters().tensors().unwrap()
    }

    #[test]
    fn two_processes_end_with_the_weights_of_one_that_takes_their_batches_together() {
        let place = Place::new();
        let alone = weights(&place, "alone", Shard::WHOLE, 2, None);
        let meeting = Arc::new(Meeting { barrier: Barrier::new(2), left: Mutex::new(vec![None, None]) });
        let place = &place;
        let together: Vec<Vec<NamedTensor>> = std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..2)
                .map(|number| {
                    let rank = Rank { number, meeting: Arc::clone(&meeting) };
                    let shard = Shard { index: number, count: 2 };
                    scope.spawn(move || weights(place, &format!("rank-{number}"), shard, 1, Some(rank)))
                })
                .collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        assert!(together[0] == together[1], "all networks stay the same");
        for (alone, together) in alone.iter().zip(&together[0]) {
            for (a, b) in alone.values.iter().zip(&together.values) {
                assert!((a - b).abs() < 1e-6, "{}: {a} and {b}", alone.name);
            }
        }
    }
}
