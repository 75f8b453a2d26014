//! Losses over logits, each with its gradient in closed form.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor, bail};

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

    /// The loss of each sample, f32 `[n]`, from logits `[n, outputs]` and classes u32 `[n]`.
    ///
    /// # Errors
    /// As the two functions.
    pub fn of_each(self, logits: &Tensor, classes: &Tensor) -> Result<Tensor, NnError> {
        match self {
            Self::Binary => binary_cross_entropy(logits, classes),
            Self::Categorical => cross_entropy(logits, classes),
        }
    }
}

/// Categorical cross-entropy of each sample: `-log softmax(logits)[class]`, computed as `log(sum exp(l - max)) + max -
/// l[class]`, which does not overflow.
///
/// Shapes: `logits` f32 `[n, classes]`, `classes` u32 `[n]`; the result is f32 `[n]`. The gradient to the logits is
/// `softmax(logits) - one_hot(class)`.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit or there are fewer than two classes; [`NnError::Candle`] where a class
/// lies outside the logits.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let logits = Tensor::new(&[[0f32, 0., 0., 0.]], &Device::Cpu)?;
/// let loss = aumenta_nn::cross_entropy(&logits, &Tensor::new(&[2u32], &Device::Cpu)?)?;
/// assert_eq!(loss.to_vec1::<f32>()?, [4f32.ln()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor, NnError> {
    let shapes = (logits.dims(), classes.dims());
    match shapes {
        (&[n, width], &[m]) if n == m && n > 0 && width >= 2 => {
            Ok(logits.contiguous()?.apply_op2(&classes.contiguous()?, EachLoss(Loss::Categorical))?)
        }
        _ => {
            Err(NnError::shape("cross_entropy", format!("logits {:?} and classes {:?} do not fit", shapes.0, shapes.1)))
        }
    }
}

/// Binary cross-entropy of each sample, for one logit `x` and class `z` in {0, 1}: `max(x, 0) - x * z + log(1 +
/// exp(-|x|))`, the stable form of `-z log sigmoid(x) - (1 - z) log(1 - sigmoid(x))`.
///
/// Shapes: `logits` f32 `[n, 1]`, `classes` u32 `[n]`; the result is f32 `[n]`. The gradient to the logit is
/// `sigmoid(x) - z`.
///
/// # Errors
/// [`NnError::Shape`] where the shapes do not fit; [`NnError::Candle`] where a class is neither 0 nor 1.
pub fn binary_cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor, NnError> {
    let shapes = (logits.dims(), classes.dims());
    match shapes {
        (&[n, 1], &[m]) if n == m && n > 0 => {
            Ok(logits.contiguous()?.apply_op2(&classes.contiguous()?, EachLoss(Loss::Binary))?)
        }
        _ => {
            let (logits, classes) = shapes;
            Err(NnError::shape("binary_cross_entropy", format!("logits {logits:?} and classes {classes:?} do not fit")))
        }
    }
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
        classes: &CpuStorage,
        classes_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, width) = logits_layout.shape().dims2()?;
        let logits = f32s(self.name(), logits, logits_layout)?;
        let classes = u32s(self.name(), classes, classes_layout)?;
        check_classes(self.name(), classes, width.max(2))?;
        let losses = logits.chunks_exact(width).zip(classes).map(|(row, class)| self.0.of_row(row, *class));
        Ok((CpuStorage::F32(losses.collect()), Shape::from(n)))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        classes: &Tensor,
        _loss: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let per_loss = logits.apply_op2_no_bwd(classes, &EachGradient(self.0))?;
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
        classes: &CpuStorage,
        classes_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, width) = logits_layout.shape().dims2()?;
        let logits = f32s(self.name(), logits, logits_layout)?;
        let classes = u32s(self.name(), classes, classes_layout)?;
        let gradients = logits.chunks_exact(width).zip(classes).flat_map(|(row, class)| self.0.gradient(row, *class));
        Ok((CpuStorage::F32(gradients.collect()), logits_layout.shape().clone()))
    }
}

impl Loss {
    /// The loss of one sample; the formulas stand with the two functions.
    fn of_row(self, logits: &[f32], class: u32) -> f32 {
        match self {
            Self::Binary => {
                let x = logits[0];
                // `f32::max` would turn a NaN into 0 and hide it.
                let positive = if x <= 0.0 { 0.0 } else { x };
                positive - x * class as f32 + (-x.abs()).exp().ln_1p()
            }
            Self::Categorical => {
                let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                logits.iter().map(|l| (l - max).exp()).sum::<f32>().ln() + max - logits[class as usize]
            }
        }
    }

    /// The gradient of one sample's loss to its logits.
    fn gradient(self, logits: &[f32], class: u32) -> Vec<f32> {
        match self {
            Self::Binary => vec![sigmoid(logits[0]) - class as f32],
            Self::Categorical => {
                let mut gradient = softmax(logits);
                gradient[class as usize] -= 1.0;
                gradient
            }
        }
    }
}

fn check_classes(op: &str, classes: &[u32], count: usize) -> candle_core::Result<()> {
    match classes.iter().position(|class| *class as usize >= count) {
        Some(at) => bail!("{op}: sample {at} has class {}, but there are {count} classes", classes[at]),
        None => Ok(()),
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
    fn a_nan_logit_gives_a_nan_loss() {
        let loss = binary_cross_entropy(&logits(&[f32::NAN], 1), &classes(&[0])).unwrap();
        assert!(loss.to_vec1::<f32>().unwrap()[0].is_nan());
    }

    #[test]
    fn a_class_without_a_logit_is_named() {
        let error = cross_entropy(&logits(&[0.0, 0.0], 2), &classes(&[2])).unwrap_err();
        assert!(format!("{error:?}").contains("sample 0 has class 2, but there are 2 classes"));
        assert!(binary_cross_entropy(&logits(&[0.0], 1), &classes(&[2])).is_err());
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert!(cross_entropy(&logits(&[0.0, 0.0], 2), &classes(&[0, 1])).is_err());
        assert!(cross_entropy(&logits(&[0.0, 0.0], 1), &classes(&[0, 0])).is_err());
        assert!(binary_cross_entropy(&logits(&[0.0, 0.0], 2), &classes(&[0])).is_err());
    }

    #[test]
    fn a_softmax_sums_to_one() {
        let row = softmax(&[1.0, 2.0, 3.0]);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((row[2] - 0.665_240_94).abs() < 1e-6);
    }
}
