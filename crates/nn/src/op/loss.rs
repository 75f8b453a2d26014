//! Losses over logits, each with its gradient in closed form.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Storage, Tensor};

use super::{check_dtype, check_f32};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::NnError;
use crate::storage::{f32s, u32s};

/// The loss of a classifier, which follows from its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// One logit for two classes: [`binary_cross_entropy`].
    Binary,
    /// One logit a class: [`cross_entropy`].
    Categorical,
}

impl Loss {
    /// The loss for a network with so many outputs.
    pub fn for_outputs(outputs: usize) -> Self {
        if outputs == 1 { Self::Binary } else { Self::Categorical }
    }

    /// The loss of each sample, f32 `[n]`, from logits `[n, outputs]` and what is right: classes u32 `[n]`, or the shares of
    /// the classes f32 `[n, classes]`.
    ///
    /// # Errors
    /// As the two functions.
    pub fn of_each(self, logits: &Tensor, targets: &Tensor) -> Result<Tensor, NnError> {
        match self {
            Self::Binary => binary_cross_entropy(logits, targets),
            Self::Categorical => cross_entropy(logits, targets),
        }
    }
}

/// Categorical cross-entropy of each sample: `-log softmax(logits)[class]`, computed as `log(sum exp(l - max)) + max -
/// l[class]`, which does not overflow.
///
/// Shapes: `logits` f32 `[n, classes]`, `targets` u32 `[n]`; the result is f32 `[n]`. The gradient to the logits is
/// `softmax(logits) - one_hot(class)`.
///
/// Soft targets are f32 `[n, classes]`: the share of each class, which sum to 1. The loss is then the mean of the losses of
/// all classes, weighted by their shares, and the gradient `softmax(logits) - shares`.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit, the batch is empty or there are fewer than two classes; [`NnError::Type`]
/// where logits are not f32 or targets neither u32 nor f32; [`NnError::Value`] where a class lies outside the logits, or
/// shares are negative or do not sum to 1; [`NnError::LogitNotFinite`] where a logit is NaN or infinite. On a GPU values are not
/// looked at: a class outside the logits, and a logit that is not finite, make a loss that is NaN.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let logits = Tensor::new(&[[0f32, 0., 0., 0.]], &Device::Cpu)?;
/// let loss = aumenta_nn::cross_entropy(&logits, &Tensor::new(&[2u32], &Device::Cpu)?)?;
/// assert_eq!(loss.to_vec1::<f32>()?, [4f32.ln()]);
/// let shares = Tensor::new(&[[0.5f32, 0., 0.25, 0.25]], &Device::Cpu)?;
/// assert_eq!(aumenta_nn::cross_entropy(&logits, &shares)?.to_vec1::<f32>()?, [4f32.ln()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor, NnError> {
    each_loss(Loss::Categorical, logits, targets)
}

/// Binary cross-entropy of each sample, for one logit `x` and class `z` in {0, 1}: `max(x, 0) - x * z + log(1 +
/// exp(-|x|))`, the stable form of `-z log sigmoid(x) - (1 - z) log(1 - sigmoid(x))`.
///
/// Shapes: `logits` f32 `[n, 1]`, `targets` u32 `[n]`; the result is f32 `[n]`. The gradient to the logit is
/// `sigmoid(x) - z`. Soft targets are f32 `[n, 2]`: the shares of class 0 and of class 1, which sum to 1; `z` is the latter.
///
/// # Errors
/// As [`cross_entropy`]; there are two classes.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let logits = Tensor::new(&[[0f32], [2.]], &Device::Cpu)?;
/// let loss = aumenta_nn::binary_cross_entropy(&logits, &Tensor::new(&[0u32, 1], &Device::Cpu)?)?;
/// assert_eq!(loss.to_vec1::<f32>()?, [2f32.ln(), (-2f32).exp().ln_1p()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor, NnError> {
    each_loss(Loss::Binary, logits, targets)
}

fn each_loss(loss: Loss, logits: &Tensor, targets: &Tensor) -> Result<Tensor, NnError> {
    let (logits, targets) = (logits.contiguous()?, targets.contiguous()?);
    loss.check(&logits, &targets)?;
    Ok(logits.apply_op2(&targets, EachLoss(loss))?)
}

/// What is right for one sample.
#[derive(Clone, Copy)]
enum Target<'a> {
    Class(u32),
    /// The share of each class.
    Shares(&'a [f32]),
}

/// The targets of all samples, in order.
fn targets<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<Vec<Target<'a>>> {
    if let CpuStorage::U32(_) = storage {
        return Ok(u32s(op, storage, layout)?.iter().map(|class| Target::Class(*class)).collect());
    }
    let (_, width) = layout.shape().dims2()?;
    Ok(f32s(op, storage, layout)?.chunks_exact(width).map(Target::Shares).collect())
}

/// `1 / (1 + exp(-x))`.
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The softmax of one row of logits: positive, summing to 1.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|l| (l - max).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// The loss of each sample, over rows of logits.
struct EachLoss(Loss);

impl CustomOp2 for EachLoss {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        right: &CpuStorage,
        right_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, width) = logits_layout.shape().dims2()?;
        let logits = f32s(self.name(), logits, logits_layout)?;
        let targets = targets(self.name(), right, right_layout)?;
        let losses = logits.chunks_exact(width).zip(targets).map(|(row, target)| self.0.of_row(row, target));
        Ok((CpuStorage::F32(losses.collect()), Shape::from(n)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        logits: &CudaStorage,
        logits_layout: &Layout,
        right: &CudaStorage,
        right_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::loss::of_each(self.0, (logits, logits_layout), (right, right_layout))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        targets: &Tensor,
        _loss: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let per_loss = logits.apply_op2_no_bwd(targets, &EachGradient(self.0))?;
        Ok((Some(per_loss.broadcast_mul(&gradient.unsqueeze(1)?)?), None))
    }
}

/// The gradient of each sample's loss to its logits.
struct EachGradient(Loss);

impl CustomOp2 for EachGradient {
    fn name(&self) -> &'static str {
        "loss-gradient"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        right: &CpuStorage,
        right_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, width) = logits_layout.shape().dims2()?;
        let logits = f32s(self.name(), logits, logits_layout)?;
        let targets = targets(self.name(), right, right_layout)?;
        let gradients = logits.chunks_exact(width).zip(targets).flat_map(|(row, target)| self.0.gradient(row, target));
        Ok((CpuStorage::F32(gradients.collect()), logits_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        logits: &CudaStorage,
        logits_layout: &Layout,
        right: &CudaStorage,
        right_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        cuda::loss::gradient(self.0, (logits, logits_layout), (right, right_layout))
    }
}

/// How far the shares of a sample may sum from 1: well above the rounding of a few hundred classes.
const SUM_TOLERANCE: f32 = 1e-4;

impl Loss {
    /// The name of the function.
    fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary_cross_entropy",
            Self::Categorical => "cross_entropy",
        }
    }

    /// Whether the loss of these, both contiguous, can be taken.
    fn check(self, logits: &Tensor, right: &Tensor) -> Result<(), NnError> {
        let soft = right.dtype() == DType::F32;
        let what = if soft { "shares" } else { "classes" };
        let (op, shapes) = (self.name(), format!("logits {:?}, {what} {:?}", logits.dims(), right.dims()));
        let wrong = |what| Err(NnError::shape(op, format!("{what} ({shapes})")));
        let (&[n, width], &[m] | &[m, _]) = (logits.dims(), right.dims()) else {
            return wrong("logits must be [n, outputs] and classes [n]");
        };
        let count = width.max(2);
        match self {
            _ if soft != (right.dims().len() == 2) => {
                return wrong("logits must be [n, outputs] and classes [n], or shares [n, classes]");
            }
            _ if n != m => return wrong("there must be one class a row of logits"),
            _ if n == 0 => return wrong("the batch is empty"),
            Self::Binary if width != 1 => return wrong("there must be one logit a sample"),
            Self::Categorical if width < 2 => return wrong("there must be two logits a sample or more"),
            _ if soft && right.dims()[1] != count => return wrong("there must be one share a class"),
            _ => {}
        }
        check_f32(op, &[("logits", logits)])?;
        if !soft {
            check_dtype(op, "classes", right, DType::U32)?;
        }
        let ((logits, logits_layout), (right, right_layout)) =
            (logits.storage_and_layout(), right.storage_and_layout());
        let (Storage::Cpu(logits), Storage::Cpu(right)) = (&*logits, &*right) else {
            // On a GPU, looking at the values would mean to wait for them.
            return Ok(());
        };
        let (logits, targets) = (f32s(op, logits, logits_layout)?, targets(op, right, right_layout)?);
        for (sample, target) in targets.into_iter().enumerate() {
            target.check(count).map_err(|fault| {
                let reason = format!("sample {sample} has {fault} ({shapes})");
                NnError::Value { op, reason }
            })?;
        }
        if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(NnError::LogitNotFinite { op, sample: at / width, place: at % width, value: logits[at] });
        }
        Ok(())
    }

    /// The loss of one sample; the formulas stand with the two functions.
    fn of_row(self, logits: &[f32], target: Target<'_>) -> f32 {
        match self {
            Self::Binary => {
                let x = logits[0];
                x.max(0.0) - x * target.share_of_class_1() + (-x.abs()).exp().ln_1p()
            }
            Self::Categorical => {
                let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let right = match target {
                    Target::Class(class) => logits[class as usize],
                    Target::Shares(shares) => shares.iter().zip(logits).map(|(share, logit)| share * logit).sum(),
                };
                logits.iter().map(|l| (l - max).exp()).sum::<f32>().ln() + max - right
            }
        }
    }

    /// The gradient of one sample's loss to its logits.
    fn gradient(self, logits: &[f32], target: Target<'_>) -> Vec<f32> {
        match self {
            Self::Binary => vec![sigmoid(logits[0]) - target.share_of_class_1()],
            Self::Categorical => {
                let mut gradient = softmax(logits);
                match target {
                    Target::Class(class) => gradient[class as usize] -= 1.0,
                    Target::Shares(shares) => gradient.iter_mut().zip(shares).for_each(|(g, share)| *g -= share),
                }
                gradient
            }
        }
    }
}

impl Target<'_> {
    /// What is wrong with it among `count` classes, in words.
    fn check(self, count: usize) -> Result<(), String> {
        match self {
            Self::Class(class) if class as usize >= count => {
                Err(format!("class {class}, but there are {count} classes"))
            }
            Self::Shares(shares) => {
                let sum: f32 = shares.iter().sum();
                // Written so that NaN does not pass.
                let valid = shares.iter().all(|share| *share >= 0.0) && (sum - 1.0).abs() <= SUM_TOLERANCE;
                if valid {
                    Ok(())
                } else {
                    Err(format!("the shares {shares:?}, which must not be negative and sum to 1"))
                }
            }
            Self::Class(_) => Ok(()),
        }
    }

    fn share_of_class_1(self) -> f32 {
        match self {
            Self::Class(class) => class as f32,
            Self::Shares(shares) => shares[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};

    fn classes(values: &[u32]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    fn logits(values: &[f32], width: usize) -> Tensor {
        Tensor::from_vec(values.to_vec(), (values.len() / width, width), &Device::Cpu).unwrap()
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let c = classes(&[2, 0, 4]);
        assert_gradients(&[ramp(&[3, 5], 7)], |t| cross_entropy(&t[0], &c));
        let c = classes(&[1, 0, 1, 0]);
        assert_gradients(&[ramp(&[4, 1], 7)], |t| binary_cross_entropy(&t[0], &c));
    }

    fn shares(values: &[f32], width: usize) -> Tensor {
        logits(values, width)
    }

    #[test]
    fn gradients_to_soft_targets_equal_finite_differences() {
        let t3 = shares(&[0.2, 0.3, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.0], 5);
        assert_gradients(&[ramp(&[3, 5], 7)], |t| cross_entropy(&t[0], &t3));
        let t2 = shares(&[0.25, 0.75, 1.0, 0.0, 0.4, 0.6, 0.0, 1.0], 2);
        assert_gradients(&[ramp(&[4, 1], 7)], |t| binary_cross_entropy(&t[0], &t2));
    }

    #[test]
    fn a_whole_share_costs_as_much_as_its_class() {
        let x = logits(&[0.3, -1.0, 2.0, 0.5, 0.0, 1.5], 3);
        let hard = cross_entropy(&x, &classes(&[2, 0])).unwrap().to_vec1::<f32>().unwrap();
        let soft = cross_entropy(&x, &shares(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], 3)).unwrap();
        assert_eq!(soft.to_vec1::<f32>().unwrap(), hard);
        let x = logits(&[0.7, -0.2], 1);
        let hard = binary_cross_entropy(&x, &classes(&[1, 0])).unwrap().to_vec1::<f32>().unwrap();
        let soft = binary_cross_entropy(&x, &shares(&[0.0, 1.0, 1.0, 0.0], 2)).unwrap();
        assert_eq!(soft.to_vec1::<f32>().unwrap(), hard);
    }

    #[test]
    fn shares_that_are_none_are_named() {
        for row in [[0.5, 0.6], [-0.5, 1.5], [f32::NAN, 1.0]] {
            let error = cross_entropy(&logits(&[0.0, 0.0], 2), &shares(&row, 2)).unwrap_err().to_string();
            let expected = format!("sample 0 has the shares {row:?}, which must not be negative and sum to 1");
            assert!(error.contains(&expected), "{error}");
        }
        let error = cross_entropy(&logits(&[0.0, 0.0], 2), &shares(&[0.0, 0.0, 1.0], 3)).unwrap_err().to_string();
        assert_eq!(error, "cross_entropy: there must be one share a class (logits [1, 2], shares [1, 3])");
        let error = binary_cross_entropy(&logits(&[0.0], 1), &shares(&[1.0], 1)).unwrap_err().to_string();
        assert_eq!(error, "binary_cross_entropy: there must be one share a class (logits [1, 1], shares [1, 1])");
        let error = cross_entropy(&logits(&[0.0, 0.0], 2), &logits(&[1.0], 1).flatten_all().unwrap()).unwrap_err();
        assert!(error.to_string().contains("or shares [n, classes]"), "{error}");
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let loss = cross_entropy(&logits(&[1000.0, 0.0, -1000.0], 3), &classes(&[1])).unwrap();
        assert_eq!(loss.to_vec1::<f32>().unwrap(), [1000.0]);
        let loss = binary_cross_entropy(&logits(&[800.0, 800.0, -800.0], 1), &classes(&[0, 1, 0])).unwrap();
        assert_eq!(loss.to_vec1::<f32>().unwrap(), [800.0, 0.0, 0.0]);
    }

    #[test]
    fn two_equal_logits_cost_as_much_as_one_at_zero() {
        let categorical = cross_entropy(&logits(&[0.3, 0.3], 2), &classes(&[1])).unwrap().to_vec1::<f32>().unwrap();
        let binary = binary_cross_entropy(&logits(&[0.0], 1), &classes(&[1])).unwrap().to_vec1::<f32>().unwrap();
        assert!((categorical[0] - std::f32::consts::LN_2).abs() < 1e-6);
        assert!((binary[0] - std::f32::consts::LN_2).abs() < 1e-6);
    }

    #[test]
    fn a_logit_that_is_not_finite_is_named() {
        let error = cross_entropy(&logits(&[0.0, 1.0, 2.0, f32::NAN], 2), &classes(&[0, 1])).unwrap_err();
        assert_eq!(error.to_string(), "cross_entropy: logit 1 of sample 1 is NaN");
        let error = binary_cross_entropy(&logits(&[0.0, f32::NEG_INFINITY], 1), &classes(&[0, 1])).unwrap_err();
        assert_eq!(error.to_string(), "binary_cross_entropy: logit 0 of sample 1 is -inf");
    }

    #[test]
    fn a_class_without_a_logit_is_named() {
        let message = cross_entropy(&logits(&[0.0, 0.0], 2), &classes(&[2])).unwrap_err().to_string();
        let expected = "sample 0 has class 2, but there are 2 classes (logits [1, 2], classes [1])";
        assert_eq!(message, format!("cross_entropy: {expected}"));
        let message = binary_cross_entropy(&logits(&[0.0, 0.0], 1), &classes(&[1, 2])).unwrap_err().to_string();
        assert!(
            message.starts_with("binary_cross_entropy: sample 1 has class 2, but there are 2 classes"),
            "{message}"
        );
    }

    #[track_caller]
    fn assert_refused(loss: Loss, logits: &[usize], classes: usize, reason: &str) {
        let logits = Tensor::zeros(logits, DType::F32, &Device::Cpu).unwrap();
        let classes = Tensor::zeros(classes, DType::U32, &Device::Cpu).unwrap();
        let message = loss.of_each(&logits, &classes).unwrap_err().to_string();
        assert_eq!(message, format!("{}: {reason}", loss.name()));
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let (binary, categorical) = (Loss::Binary, Loss::Categorical);
        let each = "there must be one class a row of logits";
        assert_refused(categorical, &[1, 2], 2, &format!("{each} (logits [1, 2], classes [2])"));
        assert_refused(
            categorical,
            &[2, 1],
            2,
            "there must be two logits a sample or more (logits [2, 1], classes [2])",
        );
        assert_refused(binary, &[1, 2], 1, "there must be one logit a sample (logits [1, 2], classes [1])");
        assert_refused(binary, &[0, 1], 0, "the batch is empty (logits [0, 1], classes [0])");
        assert_refused(categorical, &[0, 3], 0, "the batch is empty (logits [0, 3], classes [0])");
        let both = "logits must be [n, outputs] and classes [n]";
        assert_refused(categorical, &[3], 3, &format!("{both} (logits [3], classes [3])"));
    }

    #[test]
    fn another_dtype_is_named() {
        let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        let error = cross_entropy(&zeros(&[2, 3], DType::F64), &classes(&[0, 1])).unwrap_err().to_string();
        assert!(error.starts_with("cross_entropy: logits must be f32, got f64 of shape [2, 3]"), "{error}");
        let error =
            binary_cross_entropy(&zeros(&[2, 1], DType::F32), &zeros(&[2], DType::I64)).unwrap_err().to_string();
        assert!(error.starts_with("binary_cross_entropy: classes must be u32, got i64 of shape [2]"), "{error}");
    }

    #[test]
    fn a_softmax_sums_to_one() {
        let row = softmax(&[1.0, 2.0, 3.0]);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((row[2] - 0.665_240_94).abs() < 1e-6);
    }
}
