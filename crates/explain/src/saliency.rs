//! Saliency: how much each pixel would change a class's score.

use aumenta_seed::Seed;
use candle_core::{D, Tensor};
use rand::RngExt as _;

use crate::error::ExplainError;
use crate::heat_map::HeatMap;
use crate::network::Network;

/// The largest size over the channels of the gradient of a class's score to each pixel (Simonyan et al. 2013) of an image, f32
/// `[1, height, width, channels]`.
///
/// # Errors
/// [`ExplainError::Class`] where there is no such class, [`ExplainError::Network`] where the image does not fit.
pub fn saliency(network: &Network<'_>, image: &Tensor, class: usize) -> Result<HeatMap, ExplainError> {
    of_gradient(&network.image_gradients(image, class)?)
}

/// `SmoothGrad` (Smilkov et al. 2017): the saliency of the mean gradient over noisy copies of an image, in which what a single
/// gradient has by chance averages out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothGrad {
    /// How many copies, at least 1.
    pub copies: usize,
    /// The noise's standard deviation as a share of the range of the image's values, at least 0.
    pub noise: f32,
    /// What the noise is drawn from.
    pub seed: Seed,
}

impl Default for SmoothGrad {
    /// The paper's: 50 copies, and noise of 15 %.
    fn default() -> Self {
        Self { copies: 50, noise: 0.15, seed: Seed::new(0) }
    }
}

/// Copies that are taken at once.
const BATCH: usize = 8;

impl SmoothGrad {
    /// As [`saliency`].
    ///
    /// # Errors
    /// As [`saliency`]; [`ExplainError::Setting`] where a setting is out of its range.
    pub fn saliency(&self, network: &Network<'_>, image: &Tensor, class: usize) -> Result<HeatMap, ExplainError> {
        let refuse = |name, value: String, expected: &str| {
            Err(ExplainError::Setting { name, value, expected: expected.to_string() })
        };
        if self.copies == 0 {
            return refuse("the number of copies", "0".to_string(), "at least 1");
        }
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            return refuse("the noise", self.noise.to_string(), "at least 0");
        }
        let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
        let low = values.iter().copied().fold(f32::INFINITY, f32::min);
        let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let deviation = self.noise * (high - low);
        let mut sum = image.zeros_like()?;
        for first in (0..self.copies).step_by(BATCH) {
            let copies = first..self.copies.min(first + BATCH);
            let mut shape = image.dims().to_vec();
            shape[0] = copies.len();
            let noisy: Vec<f32> = copies.flat_map(|copy| self.noisy(&values, deviation, copy)).collect();
            let gradients = network.image_gradients(&Tensor::from_vec(noisy, shape, image.device())?, class)?;
            sum = (sum + gradients.sum_keepdim(0)?)?;
        }
        of_gradient(&(sum / self.copies as f64)?)
    }

    /// The values with noise from a normal distribution (Box and Muller 1958).
    fn noisy(&self, values: &[f32], deviation: f32, copy: usize) -> Vec<f32> {
        let mut rng = self.seed.rng("smooth-grad", 0, copy as u64);
        let mut pairs = std::iter::repeat_with(move || {
            let (radius, angle): (f64, f64) = (rng.random(), rng.random());
            let radius = (-2.0 * (1.0 - radius).ln()).sqrt();
            let (sine, cosine) = (angle * std::f64::consts::TAU).sin_cos();
            [radius * cosine, radius * sine]
        })
        .flatten();
        values.iter().map(|value| value + deviation * pairs.next().unwrap_or_default() as f32).collect()
    }
}

/// The largest size over channels of gradients `[1, height, width, channels]`.
fn of_gradient(gradient: &Tensor) -> Result<HeatMap, ExplainError> {
    HeatMap::from_tensor(&gradient.abs()?.max(D::Minus1)?.squeeze(0)?)
}
