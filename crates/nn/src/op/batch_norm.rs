//! Batch normalization (Ioffe and Szegedy 2015) as a Candle operation.
//!
//! Running statistics are state of the network that no gradient reaches: training hands back a batch's statistics, and
//! who holds the running ones moves them.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Device, InplaceOp2, Layout, Shape, Tensor};

use super::{check_f32, check_reals};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::kernel::batch_norm::{self as kernel, Normalization};
use crate::storage::{f32s, f32s_mut, with_f32s};
use crate::tape::{Differentiable, Graph};

/// The statistics of one batch, f32 `[channels]` each, without history.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// The mean of each channel.
    pub mean: Tensor,
    /// The biased variance of each channel: the sum of squared deviations over `count`.
    pub variance: Tensor,
    /// How many values a channel has: `n * height * width`.
    pub count: usize,
}

/// The statistics that evaluation normalizes by, f32 `[channels]` each.
#[derive(Clone, Debug)]
pub struct RunningStatistics {
    /// The mean of each channel.
    pub mean: Tensor,
    /// The variance of each channel.
    pub variance: Tensor,
}

impl RunningStatistics {
    /// Means 0 and variances 1, where training starts.
    ///
    /// # Errors
    /// [`NnError::Candle`] where the device has no room.
    pub fn new(channels: usize, device: &Device) -> Result<Self, NnError> {
        let (mean, variance) =
            (Tensor::zeros(channels, DType::F32, device)?, Tensor::ones(channels, DType::F32, device)?);
        Ok(Self { mean, variance })
    }

    /// Moves the statistics towards a batch's: `running = (1 - momentum) * running + momentum * batch`, with the unbiased
    /// variance of the batch.
    ///
    /// This is PyTorch's momentum, 0.1 by default. What Keras calls momentum, 0.99 by default, is `1 - momentum` here.
    ///
    /// # Errors
    /// [`NnError::Setting`] where `momentum` is not in `[0, 1]`; [`NnError::Shape`] where the channels differ.
    pub fn update(&mut self, batch: &BatchStatistics, momentum: f32) -> Result<(), NnError> {
        if !(0.0..=1.0).contains(&momentum) {
            return Err(NnError::Setting { name: "momentum", range: "in [0, 1]", value: momentum });
        }
        let (running, of_batch) = (self.mean.dims(), batch.mean.dims());
        if running != of_batch {
            let reason = format!("running statistics of shape {running:?} do not fit a batch's of {of_batch:?}");
            return Err(NnError::shape("batch_norm_train", reason));
        }
        let moved = |running: &Tensor, of_batch: &Tensor, factor| {
            let moved = running.copy()?;
            moved.inplace_op2(&of_batch.contiguous()?, &MoveRunning { momentum, factor })?;
            Ok::<_, NnError>(moved)
        };
        self.mean = moved(&self.mean, &batch.mean, 1.0)?;
        self.variance = moved(&self.variance, &batch.variance, kernel::unbiased(batch.count))?;
        Ok(())
    }
}

/// Normalizes each channel of `x` by the batch's own mean and biased variance, then scales and shifts it:
/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// Shapes, all f32: `x` and the result are NHWC or `[n, channels]`, `gamma` and `beta` `[channels]`. The gradient to `x`
/// goes through the statistics too. Sums over pixels are f64. `epsilon` is 1e-5 in PyTorch and 1e-3 in TensorFlow's
/// networks. Hand the statistics to [`RunningStatistics::update`].
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit, a dimension is empty or a channel has a single value, whose variance
/// says nothing; [`NnError::Type`] where a tensor is not f32; [`NnError::Setting`] where `epsilon` is not above 0.
///
/// ```
/// use aumenta_nn::batch_norm_train;
/// use candle_core::{DType, Device, Tensor};
///
/// let x = Tensor::new(&[[1f32, 10.], [3., 30.]], &Device::Cpu)?;
/// let (gamma, beta) = (Tensor::new(&[1f32, 1.], &Device::Cpu)?, Tensor::zeros(2, DType::F32, &Device::Cpu)?);
/// let (y, batch) = batch_norm_train(&x, &gamma, &beta, 1e-12)?;
/// assert_eq!(y.to_vec2::<f32>()?, [[-1., -1.], [1., 1.]]);
/// assert_eq!((batch.mean.to_vec1::<f32>()?, batch.variance.to_vec1::<f32>()?), (vec![2., 20.], vec![1., 100.]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f32,
) -> Result<(Tensor, BatchStatistics), NnError> {
    train_on(&mut Graph::Candle, x, [gamma, beta], epsilon)
}

/// [`batch_norm_train`], left in `graph`.
pub(crate) fn train_on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    epsilon: f32,
) -> Result<(Tensor, BatchStatistics), NnError> {
    let op = "batch_norm_train";
    check(op, x, &[("gamma", gamma), ("beta", beta)], epsilon)?;
    let (x, count) = (x.contiguous()?, x.elem_count() / gamma.elem_count());
    if count == 1 {
        let reason = format!("more than one value a channel is needed, got x {:?}", x.dims());
        return Err(NnError::shape(op, reason));
    }
    let statistics = x.apply_op1_no_bwd(&Statistics)?;
    let (mean, variance) = (statistics.get(0)?, statistics.get(1)?);
    let by = Op { statistics, epsilon, source: Source::Batch };
    let y = graph.three([x, gamma.contiguous()?, beta.contiguous()?], BatchNorm(by))?;
    Ok((y, BatchStatistics { mean, variance, count }))
}

/// As [`batch_norm_train`], by running statistics, which are constants to the gradient.
///
/// # Errors
/// As [`batch_norm_train`], but a single value a channel is enough; [`NnError::Value`] where a running variance is negative
/// or not a number.
///
/// ```
/// use aumenta_nn::{RunningStatistics, batch_norm_eval};
/// use candle_core::{Device, Tensor};
///
/// let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu);
/// let running = RunningStatistics { mean: tensor(&[2.])?, variance: tensor(&[4.])? };
/// let x = Tensor::new(&[[6f32]], &Device::Cpu)?;
/// let y = batch_norm_eval(&x, &tensor(&[3.])?, &tensor(&[1.])?, &running, 1e-12)?;
/// assert_eq!(y.to_vec2::<f32>()?, [[7.]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn batch_norm_eval(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    running: &RunningStatistics,
    epsilon: f32,
) -> Result<Tensor, NnError> {
    eval_on(&mut Graph::Candle, x, [gamma, beta], running, epsilon)
}

/// [`batch_norm_eval`], left in `graph`.
pub(crate) fn eval_on(
    graph: &mut Graph<'_>,
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    running: &RunningStatistics,
    epsilon: f32,
) -> Result<Tensor, NnError> {
    let op = "batch_norm_eval";
    let channels = [("gamma", gamma), ("beta", beta), ("mean", &running.mean), ("variance", &running.variance)];
    check(op, x, &channels, epsilon)?;
    // On a GPU, looking at the values would mean to wait for them; what comes of such a variance is no number.
    if x.device().is_cpu() {
        let variance: Vec<f32> = running.variance.to_vec1()?;
        if let Some(channel) = variance.iter().position(|variance| variance.is_nan() || *variance < 0.0) {
            let reason = format!("the running variance of channel {channel} is {}", variance[channel]);
            return Err(NnError::Value { op, reason });
        }
    }
    let statistics = Tensor::stack(&[&running.mean, &running.variance], 0)?.detach();
    let by = Op { statistics, epsilon, source: Source::Running };
    Ok(graph.three([x.contiguous()?, gamma.contiguous()?, beta.contiguous()?], BatchNorm(by))?)
}

/// Whether `x` is a batch and all others have one element a channel of it.
fn check(op: &'static str, x: &Tensor, others: &[(&str, &Tensor)], epsilon: f32) -> Result<(), NnError> {
    let wrong = |what: String| NnError::shape(op, format!("{what} (x {:?})", x.dims()));
    let (&[_, _, _, channels] | &[_, channels]) = x.dims() else {
        return Err(wrong("x must be NHWC or [n, channels]".to_string()));
    };
    if x.elem_count() == 0 {
        return Err(wrong("a dimension is empty".to_string()));
    }
    if let Some((name, other)) = others.iter().find(|(_, other)| other.dims() != [channels]) {
        return Err(wrong(format!("{name} must have one element a channel, got {:?}", other.dims())));
    }
    check_reals(op, x, &[])?;
    check_f32(op, others)?;
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        return Err(NnError::Setting { name: "epsilon", range: "a number above 0", value: epsilon });
    }
    Ok(())
}

/// Means, then biased variances: `[2, channels]`.
struct Statistics;

impl CustomOp1 for Statistics {
    fn name(&self) -> &'static str {
        "batch-norm-statistics"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, layout)?;
        let channels = layout.dims()[layout.dims().len() - 1];
        let mut out = vec![0.0; 2 * channels];
        let (mean, variance) = out.split_at_mut(channels);
        kernel::statistics(x, mean, variance);
        Ok((CpuStorage::F32(out), Shape::from((2, channels))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::batch_norm::statistics(x, layout)
    }
}

/// Moves a running statistic towards `factor` times that of a batch.
struct MoveRunning {
    momentum: f32,
    factor: f32,
}

impl InplaceOp2 for MoveRunning {
    fn name(&self) -> &'static str {
        "batch-norm-running-statistic"
    }

    fn cpu_fwd(
        &self,
        running: &mut CpuStorage,
        running_layout: &Layout,
        batch: &CpuStorage,
        batch_layout: &Layout,
    ) -> candle_core::Result<()> {
        let batch = f32s(self.name(), batch, batch_layout)?;
        let running = f32s_mut(self.name(), running, running_layout)?;
        kernel::move_running(self.momentum, self.factor, batch, running);
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        running: &mut CudaStorage,
        running_layout: &Layout,
        batch: &CudaStorage,
        batch_layout: &Layout,
    ) -> candle_core::Result<()> {
        let batch = (batch, batch_layout);
        cuda::batch_norm::move_running(self.momentum, self.factor, running, running_layout, batch)
    }
}

/// Whose statistics an operation normalizes by.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// Those of its own input, which the gradient goes through.
    Batch,
    /// Constants.
    Running,
}

/// What the operation and its gradients share.
#[derive(Clone)]
struct Op {
    /// The means, then the biased variances: `[2, channels]`.
    statistics: Tensor,
    epsilon: f32,
    source: Source,
}

impl Op {
    /// What `run` makes of what the CPU normalizes by.
    fn with_normalization<T>(
        &self,
        gamma: &[f32],
        run: impl FnOnce(&Normalization<'_>) -> T,
    ) -> candle_core::Result<T> {
        with_f32s("batch-norm", &[&self.statistics], |statistics| {
            let (mean, variance) = statistics[0].split_at(statistics[0].len() / 2);
            run(&Normalization { gamma, mean, variance, epsilon: self.epsilon })
        })
    }
}

struct BatchNorm(Op);

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, x_layout)?;
        let gamma = f32s(self.name(), gamma, gamma_layout)?;
        let beta = f32s(self.name(), beta, beta_layout)?;
        let mut out = vec![0.0; x.len()];
        self.0.with_normalization(gamma, |by| kernel::eval_forward(x, by, beta, &mut out))?;
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gamma: &CudaStorage,
        gamma_layout: &Layout,
        beta: &CudaStorage,
        beta_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::operand::with(&self.0.statistics, |statistics| {
            let (gamma, beta) = ((gamma, gamma_layout), (beta, beta_layout));
            cuda::batch_norm::forward(self.0.epsilon, (x, x_layout), statistics, gamma, beta)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.tracked_gradients([x, gamma, beta], y, gradient)
    }
}

impl Differentiable for BatchNorm {
    fn gradients(
        &self,
        [x, gamma, _]: [&Tensor; 3],
        _y: &Tensor,
        gradient: &Tensor,
        [of_x, of_gamma, of_beta]: [bool; 3],
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let gradient = gradient.contiguous()?;
        let through_statistics = of_x && self.0.source == Source::Batch;
        let sums = if through_statistics || of_gamma || of_beta {
            Some(x.apply_op2_no_bwd(&gradient, &ParameterGradients(self.0.clone()))?)
        } else {
            None
        };
        let row = |index, wanted| match &sums {
            Some(sums) if wanted => sums.get(index).map(Some),
            _ => Ok(None),
        };
        let (to_gamma, to_beta) = (row(0, of_gamma)?, row(1, of_beta)?);
        let to_x = if of_x {
            let sums = sums.filter(|_| through_statistics);
            Some(x.apply_op3_no_bwd(gamma, &gradient, &InputGradient { of: self.0.clone(), sums })?)
        } else {
            None
        };
        Ok([to_x, to_gamma, to_beta])
    }
}

/// The gradient to gamma, then that to beta: `[2, channels]`.
struct ParameterGradients(Op);

impl CustomOp2 for ParameterGradients {
    fn name(&self) -> &'static str {
        "batch-norm-parameter-gradients"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, x_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let channels = self.0.statistics.dims()[1];
        let mut out = vec![0.0; 2 * channels];
        let (to_gamma, to_beta) = out.split_at_mut(channels);
        self.0.with_normalization(&[], |by| kernel::parameter_gradients(x, by, gradient, to_gamma, to_beta))?;
        Ok((CpuStorage::F32(out), Shape::from((2, channels))))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::operand::with(&self.0.statistics, |statistics| {
            let (x, gradient) = ((x, x_layout), (gradient, gradient_layout));
            cuda::batch_norm::parameter_gradients(self.0.epsilon, x, gradient, statistics)
        })
    }
}

struct InputGradient {
    of: Op,
    /// The gradients to gamma and beta, `[2, channels]`, where the statistics are the batch's, and the gradient goes through them.
    sums: Option<Tensor>,
}

impl CustomOp3 for InputGradient {
    fn name(&self) -> &'static str {
        "batch-norm-input-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = f32s(self.name(), x, x_layout)?;
        let gamma = f32s(self.name(), gamma, gamma_layout)?;
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mut out = vec![0.0; x.len()];
        self.of.with_normalization(gamma, |by| match &self.sums {
            Some(sums) => with_f32s(self.name(), &[sums], |sums| {
                let (to_gamma, to_beta) = sums[0].split_at(sums[0].len() / 2);
                kernel::train_input_gradient(x, by, gradient, to_gamma, to_beta, &mut out);
            }),
            None => {
                kernel::eval_input_gradient(by, gradient, &mut out);
                Ok(())
            }
        })??;
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        gamma: &CudaStorage,
        gamma_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        let (x, gamma, gradient) = ((x, x_layout), (gamma, gamma_layout), (gradient, gradient_layout));
        cuda::operand::with(&self.of.statistics, |statistics| {
            let by = self.of.epsilon;
            match &self.sums {
                Some(sums) => cuda::operand::with(sums, |sums| {
                    cuda::batch_norm::input_gradient(by, x, gradient, statistics, gamma, Some(sums))
                }),
                None => cuda::batch_norm::input_gradient(by, x, gradient, statistics, gamma, None),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    fn running(channels: usize) -> RunningStatistics {
        let variance = (ramp(&[channels], 13) + 1.5).unwrap();
        RunningStatistics { mean: ramp(&[channels], 5), variance }
    }

    #[test]
    fn gradients_equal_finite_differences() {
        for shape in [vec![3, 4, 5, 3], vec![2, 5, 3, 1], vec![40, 5]] {
            let channels = shape[shape.len() - 1];
            let inputs = [ramp(&shape, 7), ramp(&[channels], 11), ramp(&[channels], 3)];
            assert_gradients(&inputs, |t| Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-3)?.0));
            assert_gradients(&inputs, |t| batch_norm_eval(&t[0], &t[1], &t[2], &running(channels), 1e-3));
        }
    }

    #[test]
    fn evaluation_by_a_batchs_own_statistics_equals_training() {
        let (x, gamma, beta) = (ramp(&[3, 4, 5, 3], 7), ramp(&[3], 11), ramp(&[3], 3));
        let (y, batch) = batch_norm_train(&x, &gamma, &beta, 1e-5).unwrap();
        let mut running = RunningStatistics::new(3, &Device::Cpu).unwrap();
        running.update(&batch, 1.0).unwrap();
        let unbiased = (batch.variance * (60.0 / 59.0)).unwrap();
        let difference = (&running.variance - unbiased).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-6);
        assert_eq!(running.mean.to_vec1::<f32>().unwrap(), batch.mean.to_vec1::<f32>().unwrap());
        running.variance = (running.variance * (59.0 / 60.0)).unwrap();
        let again = batch_norm_eval(&x, &gamma, &beta, &running, 1e-5).unwrap();
        let difference = (y - again).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-5, "{difference}");
    }

    #[test]
    fn what_nobody_needs_gets_no_gradient() -> Result<(), NnError> {
        let (x, gamma, beta) = (ramp(&[2, 3, 3, 2], 7), ramp(&[2], 11), Var::from_tensor(&ramp(&[2], 3))?);
        let gradients = batch_norm_train(&x, &gamma, &beta, 1e-5)?.0.sum_all()?.backward()?;
        assert!(gradients.get(&x).is_none() && gradients.get(&gamma).is_none());
        assert_eq!(gradients.get(&beta).unwrap().to_vec1::<f32>()?, [18.0, 18.0]);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        let refused = |x: &[usize], channels: usize, dtype, epsilon: f32| {
            let (x, gamma) = (zeros(x, dtype), zeros(&[channels], DType::F32));
            batch_norm_train(&x, &gamma, &gamma, epsilon).unwrap_err().to_string()
        };
        let f32 = DType::F32;
        assert!(refused(&[1, 1, 1, 3], 3, f32, 1e-5).contains("more than one value a channel is needed"));
        assert!(refused(&[2, 3, 3], 3, f32, 1e-5).contains("x must be NHWC or [n, channels] (x [2, 3, 3])"));
        assert!(refused(&[0, 3], 3, f32, 1e-5).contains("a dimension is empty"));
        assert!(refused(&[2, 3], 4, f32, 1e-5).contains("gamma must have one element a channel, got [4]"));
        assert!(refused(&[2, 3], 3, DType::F64, 1e-5).contains("x must be f32, got f64 of shape [2, 3]"));
        assert_eq!(refused(&[2, 3], 3, f32, 0.0), "`epsilon` must be a number above 0, got 0");
        assert!(refused(&[2, 3], 3, f32, f32::NAN).contains("`epsilon` must be"));
    }

    #[test]
    fn running_statistics_that_do_not_fit_are_named() {
        let (x, gamma) = (ramp(&[2, 3], 7), ramp(&[3], 11));
        let mut bad = running(3);
        assert!(batch_norm_eval(&x, &gamma, &gamma, &running(2), 1e-5).unwrap_err().to_string().contains("mean must"));
        bad.variance = Tensor::new(&[1f32, -1., 1.], &Device::Cpu).unwrap();
        let message = batch_norm_eval(&x, &gamma, &gamma, &bad, 1e-5).unwrap_err().to_string();
        assert_eq!(message, "batch_norm_eval: the running variance of channel 1 is -1");
        let (_, batch) = batch_norm_train(&x, &gamma, &gamma, 1e-5).unwrap();
        assert!(bad.update(&batch, 1.5).unwrap_err().to_string().contains("`momentum` must be in [0, 1]"));
        assert!(running(2).update(&batch, 0.1).unwrap_err().to_string().contains("do not fit a batch's of [3]"));
    }
}
