//! The gradient of a loss to every parameter: what a backward pass hands to an optimizer.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::marker::PhantomData;

use candle_core::{Device, Shape, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda::tensors::Tensors;
use crate::error::NnError;
use crate::kernel::vectors::Vectors;
use crate::parameters::Parameters;
use crate::storage::with_f32s;

/// The gradient of a loss to each parameter, in the parameters' order; each of its parameter's shape.
///
/// A training plan hands out its own buffers and writes the next step's gradients into them; `'a` ends before that.
#[derive(Debug)]
pub struct Gradients<'a> {
    tensors: Vec<Tensor>,
    buffers: PhantomData<&'a ()>,
}

impl<'a> Gradients<'a> {
    /// The gradients that Candle computes for a scalar `loss`.
    ///
    /// # Errors
    /// [`NnError::NoGradient`] where the loss does not depend on a parameter, [`NnError::Candle`] where an operation
    /// cannot be differentiated.
    pub fn of(loss: &Tensor, parameters: &Parameters) -> Result<Self, NnError> {
        let mut store = loss.backward()?;
        let tensors = parameters.iter().map(|parameter| {
            let gradient = store.remove(&parameter.var);
            gradient
                .ok_or_else(|| NnError::NoGradient { name: parameter.name.clone() })?
                .contiguous()
                .map_err(NnError::from)
        });
        Ok(Self { tensors: tensors.collect::<Result<_, _>>()?, buffers: PhantomData })
    }

    /// Gradients that were computed otherwise, in the parameters' order.
    pub fn from_tensors(tensors: Vec<Tensor>) -> Self {
        Self { tensors, buffers: PhantomData }
    }

    /// Gradients that stand in the buffers of a training plan.
    pub(crate) fn in_buffers(buffers: &'a [Tensor]) -> Self {
        Self { tensors: buffers.to_vec(), buffers: PhantomData }
    }

    /// The gradients, in the parameters' order. A clone of one shares its memory: where the next step's gradients come into
    /// the same buffers, only a copy keeps them.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The Euclidean norm of all gradients together: the root of the sum of the squares of all their elements.
    ///
    /// Squares are added in f64, in an order that neither the number of threads nor the processor changes. As no sum of
    /// squares of f32 numbers leaves the range of f64, the norm is finite exactly where every element is.
    ///
    /// ```
    /// # use aumenta_nn::{Gradients, Parameters};
    /// # use candle_core::{Device, Var};
    /// let mut parameters = Parameters::default();
    /// parameters.push("p".to_string(), Var::new(&[1.5f32, 2.0], &Device::Cpu)?);
    /// // The gradient of the sum of squares is twice the parameter.
    /// let loss = parameters.get("p").unwrap().sqr()?.sum_all()?;
    /// assert_eq!(Gradients::of(&loss, &parameters)?.global_norm()?, 5.0);
    /// # Ok::<(), aumenta_nn::NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Candle`] where a gradient is not f32.
    pub fn global_norm(&self) -> Result<f64, NnError> {
        global_norm(&self.tensors.iter().collect::<Vec<_>>())
    }
}

/// Gradients of several batches, summed up until an optimizer takes a step for all of them: accumulation, which stands in
/// for batches that are too large for the memory.
#[derive(Debug)]
pub struct GradientSum {
    sums: Vec<Vec<f32>>,
    /// The sums of gradients on another device, from its first batch on.
    on_device: Vec<Tensor>,
    shapes: Vec<Shape>,
    samples: usize,
}

impl GradientSum {
    /// The sum of no gradients of `parameters`.
    pub fn new(parameters: &Parameters) -> Self {
        let sums = parameters.iter().map(|parameter| vec![0.0; parameter.var.elem_count()]).collect();
        let shapes = parameters.iter().map(|parameter| parameter.var.shape().clone()).collect();
        Self { sums, on_device: Vec::new(), shapes, samples: 0 }
    }

    /// Adds the gradients of the mean loss of a batch of `samples` samples.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a gradient is not f32.
    pub fn add(&mut self, gradients: &Gradients<'_>, samples: usize) -> Result<(), NnError> {
        if gradients.tensors.iter().any(|gradient| !gradient.device().is_cpu()) {
            return self.add_on_device(gradients, samples);
        }
        with_f32s("gradient-sum", &gradients.tensors.iter().collect::<Vec<_>>(), |gradients| {
            let pieces = self
                .sums
                .iter_mut()
                .zip(gradients)
                .flat_map(|(sum, gradient)| sum.chunks_mut(PIECE).zip(gradient.chunks(PIECE)));
            pieces.collect::<Vec<_>>().into_par_iter().for_each(|(sums, gradients)| {
                for (sum, gradient) in sums.iter_mut().zip(gradients) {
                    *sum += samples as f32 * gradient;
                }
            });
        })?;
        self.samples += samples;
        Ok(())
    }

    fn add_on_device(&mut self, gradients: &Gradients<'_>, samples: usize) -> Result<(), NnError> {
        let weighted = gradients.tensors.iter().map(|gradient| gradient.affine(samples as f64, 0.0));
        let weighted = weighted.collect::<Result<Vec<_>, _>>()?;
        self.on_device = if self.samples == 0 {
            weighted
        } else {
            self.on_device.iter().zip(&weighted).map(|(sum, more)| sum + more).collect::<Result<_, _>>()?
        };
        self.samples += samples;
        Ok(())
    }

    /// The gradients of the mean loss of all samples since the last call; `None` where there were none.
    ///
    /// # Errors
    /// [`NnError::Candle`] where memory cannot be had.
    pub fn take_mean(&mut self) -> Result<Option<Gradients<'static>>, NnError> {
        let samples = std::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(None);
        }
        let on_device = std::mem::take(&mut self.on_device);
        if !on_device.is_empty() {
            let means = on_device.iter().map(|sum| sum.affine(1.0 / samples as f64, 0.0));
            return Ok(Some(Gradients { tensors: means.collect::<Result<_, _>>()?, buffers: PhantomData }));
        }
        let tensors = self.sums.iter_mut().zip(&self.shapes).map(|(sums, shape)| {
            let mean: Vec<f32> = sums.iter().map(|sum| sum / samples as f32).collect();
            sums.fill(0.0);
            Tensor::from_vec(mean, shape, &Device::Cpu)
        });
        Ok(Some(Gradients { tensors: tensors.collect::<Result<_, _>>()?, buffers: PhantomData }))
    }
}

/// [`Gradients::global_norm`] of some gradients alone.
pub(crate) fn global_norm(gradients: &[&Tensor]) -> Result<f64, NnError> {
    #[cfg(feature = "cuda")]
    if let Some(Device::Cuda(device)) = gradients.first().map(|gradient| gradient.device()) {
        let lengths: Vec<usize> = gradients.iter().map(|gradient| gradient.elem_count()).collect();
        return Ok(Tensors::new(device, &lengths, 0)?.norm(gradients)?);
    }
    let norm = with_f32s("global-norm", gradients, |gradients| {
        let pieces: Vec<&[f32]> = gradients.iter().flat_map(|gradient| gradient.chunks(PIECE)).collect();
        let vectors = Vectors::widest();
        let sums: Vec<f64> = pieces.par_iter().map(|piece| vectors.run(SumOfSquares(piece))).collect();
        sums.iter().sum::<f64>().sqrt()
    })?;
    Ok(norm)
}

/// Elements that a thread adds at once.
const PIECE: usize = 1 << 14;

/// The sum of the squares of some numbers, in as many partial sums on every processor.
struct SumOfSquares<'a>(&'a [f32]);

impl WithSimd for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f64 {
        let (blocks, rest) = self.0.as_chunks::<16>();
        let mut sums = [0.0; 16];
        for block in blocks {
            for (sum, &value) in sums.iter_mut().zip(block) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        for (sum, &value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(value) * f64::from(value);
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    fn norm(values: &[Vec<f32>]) -> f64 {
        let tensors: Vec<Tensor> =
            values.iter().map(|values| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()).collect();
        global_norm(&tensors.iter().collect::<Vec<_>>()).unwrap()
    }

    fn gradients(values: &[f32]) -> Gradients<'static> {
        Gradients { tensors: vec![Tensor::new(values, &Device::Cpu).unwrap()], buffers: PhantomData }
    }

    #[test]
    fn a_sum_weighs_batches_by_their_samples_and_begins_anew() {
        let mut parameters = Parameters::default();
        parameters.push("p".to_string(), Var::new(&[0f32, 0.0], &Device::Cpu).unwrap());
        let mut sum = GradientSum::new(&parameters);
        assert!(sum.take_mean().unwrap().is_none());
        for _ in 0..2 {
            sum.add(&gradients(&[1.0, -2.0]), 3).unwrap();
            sum.add(&gradients(&[5.0, 2.0]), 1).unwrap();
            let mean = sum.take_mean().unwrap().unwrap();
            assert_eq!(mean.tensors()[0].to_vec1::<f32>().unwrap(), [2.0, -1.0]);
        }
    }

    #[test]
    fn the_norm_is_that_of_all_elements_together() {
        assert_eq!(norm(&[vec![3.0], vec![0.0, 4.0]]), 5.0);
        assert_eq!(norm(&[]), 0.0);
        let long: Vec<f32> = (0..100_003).map(|i| (i % 17) as f32 - 8.0).collect();
        let expected = long.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        assert_eq!(norm(&[long]), expected, "sums of small whole numbers are exact");
    }

    #[test]
    fn the_norm_is_finite_exactly_where_every_element_is() {
        assert!(norm(&[vec![f32::MAX; 40]]).is_finite());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!norm(&[vec![1.0; 20], vec![bad, 0.0]]).is_finite());
        }
    }

    #[test]
    fn the_number_of_threads_and_the_vectors_change_no_bit_of_the_norm() {
        let values: Vec<f32> = (0..70_001).map(|i| ((i * 37 + 11) % 97) as f32 / 48.5 - 0.9876).collect();
        let norms = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| norm(&[values.clone(), values[1..].to_vec()]))
        });
        assert_eq!([norms[1], norms[2]], [norms[0]; 2]);
        let sums: Vec<f64> = Vectors::available().map(|vectors| vectors.run(SumOfSquares(&values))).collect();
        assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
    }
}
