//! The average of a network's weights over its training.

#[cfg(feature = "cuda")]
use candle_core::Device;
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda::tensors::Tensors;
use crate::error::NnError;
use crate::parameters::Parameters;
use crate::setting;
use crate::storage::with_f32s;
use crate::tensor_file::{NamedTensor, find};

/// An exponential moving average of parameters and running statistics (Polyak and Juditsky 1992; Tarvainen and Valpola 2017),
/// which often measures better than the weights themselves.
///
/// After step `t`, counted from 1, the average becomes `d * average + (1 - d) * weights` with
/// `d = min(decay, (1 + t) / (10 + t))`, as TensorFlow's `ExponentialMovingAverage` warms up, so that the first weights are
/// soon forgotten. What does not move, such as frozen parameters, keeps its average to the last bit.
///
/// ```
/// use aumenta_nn::{Parameters, WeightAverage};
/// use candle_core::{Device, Tensor, Var};
///
/// let mut parameters = Parameters::default();
/// parameters.push("p".to_string(), Var::new(&[1f32], &Device::Cpu)?);
/// let mut average = WeightAverage::new(0.1, &parameters)?;
/// parameters.get("p").unwrap().set(&Tensor::new(&[2f32], &Device::Cpu)?)?;
/// average.update(&parameters)?;
/// assert_eq!(average.tensors()?[0].values, [1.9]);
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightAverage {
    decay: f32,
    updates: u64,
    /// The averages; where the weights are on a GPU, what they were at first.
    tensors: Vec<NamedTensor>,
    #[cfg(feature = "cuda")]
    on_gpu: Option<Tensors>,
}

/// Elements that a thread takes at once.
const PIECE: usize = 1 << 14;

impl WeightAverage {
    /// The average of `parameters` alone, as they are.
    ///
    /// # Errors
    /// [`NnError::Setting`] where the decay is not in `[0, 1)`.
    pub fn new(decay: f32, parameters: &Parameters) -> Result<Self, NnError> {
        setting::below_one("ema-decay", decay)?;
        let tensors = parameters.tensors()?;
        #[cfg(feature = "cuda")]
        let on_gpu = match parameters.all().next().map(|parameter| parameter.var.device()) {
            Some(Device::Cuda(device)) => {
                let lengths: Vec<usize> = tensors.iter().map(|tensor| tensor.values.len()).collect();
                let mut on_gpu = Tensors::new(device, &lengths, 1)?;
                on_gpu.set_slot(0, &values(&tensors))?;
                Some(on_gpu)
            }
            _ => None,
        };
        Ok(Self {
            decay,
            updates: 0,
            tensors,
            #[cfg(feature = "cuda")]
            on_gpu,
        })
    }

    /// The averages, under the names of their parameters.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a GPU does not give back what it holds.
    pub fn tensors(&self) -> Result<Vec<NamedTensor>, NnError> {
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &self.on_gpu {
            let averages = self.tensors.iter().zip(on_gpu.slot(0)?);
            return Ok(averages.map(|(tensor, values)| NamedTensor { values, ..tensor.clone() }).collect());
        }
        Ok(self.tensors.clone())
    }

    /// Goes on from averages that [`WeightAverage::tensors`] gave after so many updates.
    ///
    /// # Errors
    /// [`NnError::Weights`] where one is missing or of another shape, [`NnError::Candle`] where a GPU does not take them.
    pub fn restore(&mut self, tensors: &[NamedTensor], updates: u64) -> Result<(), NnError> {
        let found = self.tensors.iter().map(|own| find(tensors, &own.name, &own.shape).cloned());
        let found: Result<Vec<_>, String> = found.collect();
        self.tensors = found.map_err(|reason| NnError::Weights { reason })?;
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &mut self.on_gpu {
            on_gpu.set_slot(0, &values(&self.tensors))?;
        }
        self.updates = updates;
        Ok(())
    }

    /// Moves the averages towards `parameters`, those that it was made for.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a parameter is on another device than it was.
    pub fn update(&mut self, parameters: &Parameters) -> Result<(), NnError> {
        self.updates += 1;
        let warm_up = (1.0 + self.updates as f64) / (10.0 + self.updates as f64);
        let decay = f64::from(self.decay).min(warm_up) as f32;
        let weights: Vec<_> = parameters.all().map(|p| p.var.as_tensor()).collect();
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &mut self.on_gpu {
            return Ok(on_gpu.average(&weights, 1.0 - decay)?);
        }
        with_f32s("weight-average", &weights, |weights| {
            let pieces = self
                .tensors
                .iter_mut()
                .zip(weights)
                .flat_map(|(average, weights)| average.values.chunks_mut(PIECE).zip(weights.chunks(PIECE)));
            pieces.collect::<Vec<_>>().into_par_iter().for_each(|(averages, weights)| {
                for (average, weight) in averages.iter_mut().zip(weights) {
                    *average += (1.0 - decay) * (weight - *average);
                }
            });
        })?;
        Ok(())
    }
}

#[cfg(feature = "cuda")]
fn values(tensors: &[NamedTensor]) -> Vec<&[f32]> {
    tensors.iter().map(|tensor| tensor.values.as_slice()).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::*;

    fn parameters(value: f32) -> Parameters {
        let mut parameters = Parameters::default();
        parameters.push("w".to_string(), Var::from_tensor(&tensor(value, 20_000)).unwrap());
        parameters.push_statistic("mean".to_string(), Var::from_tensor(&tensor(-value, 2)).unwrap());
        parameters
    }

    fn tensor(value: f32, len: usize) -> Tensor {
        Tensor::full(value, len, &Device::Cpu).unwrap()
    }

    #[test]
    fn what_does_not_move_keeps_its_average_to_the_last_bit() {
        let parameters = parameters(0.1);
        let mut average = WeightAverage::new(0.9, &parameters).unwrap();
        (0..50).for_each(|_| average.update(&parameters).unwrap());
        assert_eq!(average.tensors().unwrap(), parameters.tensors().unwrap());
    }

    #[test]
    fn an_average_warms_up_and_then_decays() {
        let weights = parameters(0.0);
        let mut average = WeightAverage::new(0.25, &weights).unwrap();
        weights.get("w").unwrap().set(&tensor(1.0, 20_000)).unwrap();
        let mut expected = 0.0f32;
        for decay in [2.0f32 / 11.0, 0.25, 0.25, 0.25] {
            average.update(&weights).unwrap();
            expected = decay * expected + (1.0 - decay);
            let values = &average.tensors().unwrap()[0].values;
            assert!(values.iter().all(|value| (value - expected).abs() < 1e-6), "{} for {expected}", values[0]);
        }
    }

    #[test]
    fn running_statistics_are_averaged_too() {
        let weights = parameters(4.0);
        let mut average = WeightAverage::new(0.0, &weights).unwrap();
        weights.get("mean").unwrap().set(&tensor(3.0, 2)).unwrap();
        average.update(&weights).unwrap();
        assert_eq!(
            (average.tensors().unwrap()[1].name.as_str(), average.tensors().unwrap()[1].values[0]),
            ("mean", 3.0)
        );
    }

    #[test]
    fn a_restored_average_goes_on_to_the_byte() {
        let weights = parameters(0.3);
        let mut average = WeightAverage::new(0.9, &parameters(0.0)).unwrap();
        average.update(&weights).unwrap();
        let mut second = WeightAverage::new(0.9, &weights).unwrap();
        second.restore(&average.tensors().unwrap(), 1).unwrap();
        average.update(&weights).unwrap();
        second.update(&weights).unwrap();
        assert_eq!(second.tensors().unwrap(), average.tensors().unwrap());
        let error = second.restore(&average.tensors().unwrap()[1..], 1).unwrap_err().to_string();
        assert!(error.contains("`w` is missing"), "{error}");
    }

    #[test]
    fn a_decay_that_would_never_move_is_refused() {
        let error = WeightAverage::new(1.0, &parameters(0.0)).unwrap_err().to_string();
        assert_eq!(error, "`ema-decay` must be at least 0 and below 1, got 1");
    }
}
