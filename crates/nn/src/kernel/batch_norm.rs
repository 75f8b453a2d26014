//! Batch normalization (Ioffe and Szegedy 2015): `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, channel by
//! channel, and its gradients.
//!
//! A channel is the last axis; all other axes are `pixels`. Sums over pixels are f32 within short runs, and f64 over runs
//! and over the fixed parts that threads share out among them.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::parts::parts;
use super::vectors::Vectors;

/// How many pixels are summed up in f32.
const RUN: usize = 16;
/// About how many elements a thread takes at once where there are no sums.
const CHUNK: usize = 1 << 14;

/// What a channel's elements are normalized by, `[channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct Normalization<'a> {
    /// The scale.
    pub gamma: &'a [f32],
    /// The batch's means, or running ones.
    pub mean: &'a [f32],
    /// The batch's biased variances, or running ones.
    pub variance: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

impl Normalization<'_> {
    /// `1 / sqrt(variance + epsilon)`.
    fn inverse_deviations(&self) -> Vec<f32> {
        let inverse = |variance: &f32| 1.0 / (f64::from(*variance) + f64::from(self.epsilon)).sqrt();
        self.variance.iter().map(|variance| inverse(variance) as f32).collect()
    }

    /// `gamma / sqrt(variance + epsilon)`.
    fn scales(&self) -> Vec<f32> {
        self.inverse_deviations().iter().zip(self.gamma).map(|(inverse, gamma)| inverse * gamma).collect()
    }
}

/// Normalizes `x` by its own statistics, which are written to `saved_mean` and, biased, to `saved_variance`.
pub fn train_forward(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    out: &mut [f32],
    saved_mean: &mut [f32],
    saved_variance: &mut [f32],
) {
    statistics(x, saved_mean, saved_variance);
    eval_forward(x, &Normalization { gamma, mean: saved_mean, variance: saved_variance, epsilon }, beta, out);
}

/// Normalizes `x` by given statistics, written to `out`.
pub fn eval_forward(x: &[f32], normalization: &Normalization<'_>, beta: &[f32], out: &mut [f32]) {
    let (vectors, chunk) = (Vectors::widest(), chunk_len(beta.len()));
    let (mean, scale) = (normalization.mean, &normalization.scales());
    out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(out, x)| {
        vectors.run(Normalize { x, mean, scale, beta, out });
    });
}

/// Normalization by given statistics as a scale and a shift of each channel: `y = scale * x + shift`.
pub fn scales_and_shifts(gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32], epsilon: f32) -> [Vec<f32>; 2] {
    let scale = Normalization { gamma, mean, variance, epsilon }.scales();
    let shift = beta.iter().zip(mean).zip(&scale).map(|((beta, mean), scale)| beta - mean * scale).collect();
    [scale, shift]
}

/// Writes `scale * x + shift`, channel by channel, to `out`.
pub fn scale_and_shift(x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) {
    let (vectors, chunk, mean) = (Vectors::widest(), chunk_len(shift.len()), &vec![0.0; shift.len()]);
    out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(out, x)| {
        vectors.run(Normalize { x, mean, scale, beta: shift, out });
    });
}

/// The mean and the biased variance of each channel of `x`. The moments of runs and parts are put together as Chan et al. (1983)
/// do, so that nothing cancels where means are large and deviations small.
pub fn statistics(x: &[f32], mean: &mut [f32], variance: &mut [f32]) {
    let (vectors, channels) = (Vectors::widest(), mean.len());
    let parts: Vec<Moments> = parts(x.len() / channels)
        .into_par_iter()
        .map(|part| {
            let mut moments = Moments::zeros(channels);
            let (mut means, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
            for run in x[part.start * channels..part.end * channels].chunks(RUN * channels) {
                vectors.run(RunMoments { x: run, means: &mut means, squares: &mut squares });
                let of_run = means.iter().zip(&squares).map(|(mean, square)| (f64::from(*mean), f64::from(*square)));
                moments.merge((run.len() / channels) as f64, of_run);
            }
            moments
        })
        .collect();
    let mut all = Moments::zeros(channels);
    for part in &parts {
        all.merge(part.count, part.means.iter().copied().zip(part.squares.iter().copied()));
    }
    for (channel, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
        *mean = all.means[channel] as f32;
        *variance = (all.squares[channel] / all.count) as f32;
    }
}

/// Moves a running statistic towards that of a batch, as PyTorch does: `running = (1 - momentum) * running + momentum *
/// factor * batch`. The factor of a mean is 1, that of a biased variance [`unbiased`].
pub fn move_running(momentum: f32, factor: f32, batch: &[f32], running: &mut [f32]) {
    for (running, batch) in running.iter_mut().zip(batch) {
        *running = (1.0 - momentum) * *running + momentum * factor * batch;
    }
}

/// What a biased variance of `count` values is multiplied by to be unbiased.
pub fn unbiased(count: usize) -> f32 {
    (count as f64 / (count as f64 - 1.0)) as f32
}

/// The gradients of a loss to gamma and beta, from `x` and its `gradient` to the output.
pub fn parameter_gradients(
    x: &[f32],
    normalization: &Normalization<'_>,
    gradient: &[f32],
    to_gamma: &mut [f32],
    to_beta: &mut [f32],
) {
    let (vectors, channels) = (Vectors::widest(), to_gamma.len());
    let (mean, inverse) = (normalization.mean, &normalization.inverse_deviations());
    let parts: Vec<[Vec<f64>; 2]> = parts(x.len() / channels)
        .into_par_iter()
        .map(|part| {
            let part = part.start * channels..part.end * channels;
            let mut sums = [vec![0.0f64; channels], vec![0.0f64; channels]];
            let (mut gammas, mut betas) = (vec![0.0; channels], vec![0.0; channels]);
            for (x, gradient) in x[part.clone()].chunks(RUN * channels).zip(gradient[part].chunks(RUN * channels)) {
                vectors.run(RunGradients { x, mean, inverse, gradient, gammas: &mut gammas, betas: &mut betas });
                for (sums, run) in sums.iter_mut().zip([&gammas, &betas]) {
                    sums.iter_mut().zip(run).for_each(|(sum, run)| *sum += f64::from(*run));
                }
            }
            sums
        })
        .collect();
    for (which, out) in [to_gamma, to_beta].into_iter().enumerate() {
        for (channel, out) in out.iter_mut().enumerate() {
            *out = parts.iter().map(|part| part[which][channel]).sum::<f64>() as f32;
        }
    }
}

/// The gradient of a loss to `x`, where `x` was normalized by its own statistics; `to_gamma` and `to_beta` as
/// [`parameter_gradients`] wrote them.
///
/// With `m` pixels and `z = (x - mean) / sqrt(variance + epsilon)`, it is `gamma / sqrt(variance + epsilon) * (gradient -
/// to_beta / m - z * to_gamma / m)`.
pub fn train_input_gradient(
    x: &[f32],
    normalization: &Normalization<'_>,
    gradient: &[f32],
    to_gamma: &[f32],
    to_beta: &[f32],
    out: &mut [f32],
) {
    let (vectors, channels) = (Vectors::widest(), to_gamma.len());
    let pixels = (x.len() / channels) as f32;
    let (mean, scale) = (normalization.mean, &normalization.scales());
    let offset: &Vec<f32> = &to_beta.iter().map(|to_beta| to_beta / pixels).collect();
    let inverse = normalization.inverse_deviations();
    let slope: &Vec<f32> =
        &inverse.iter().zip(to_gamma).map(|(inverse, to_gamma)| inverse * to_gamma / pixels).collect();
    let chunk = chunk_len(channels);
    let chunks = out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).zip(gradient.par_chunks(chunk));
    chunks.for_each(|((out, x), gradient)| {
        vectors.run(InputGradient { x, mean, scale, offset, slope, gradient, out });
    });
}

/// The gradient of a loss to `x`, where `x` was normalized by given statistics.
pub fn eval_input_gradient(normalization: &Normalization<'_>, gradient: &[f32], out: &mut [f32]) {
    let (vectors, scale) = (Vectors::widest(), &normalization.scales());
    let chunk = chunk_len(scale.len());
    out.par_chunks_mut(chunk).zip(gradient.par_chunks(chunk)).for_each(|(out, gradient)| {
        vectors.run(Multiply { scale, gradient, out });
    });
}

/// The length of a chunk of whole pixels.
fn chunk_len(channels: usize) -> usize {
    (CHUNK / channels).max(1) * channels
}

/// The mean and the sum of squared deviations of each channel over `count` pixels.
struct Moments {
    count: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn zeros(channels: usize) -> Self {
        Self { count: 0.0, means: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Adds the means and squared deviations of `count` more pixels.
    fn merge(&mut self, count: f64, others: impl Iterator<Item = (f64, f64)>) {
        let total = self.count + count;
        let (share, weight) = (count / total, self.count * count / total);
        for ((mean, squares), (other_mean, other_squares)) in self.means.iter_mut().zip(&mut self.squares).zip(others) {
            let difference = other_mean - *mean;
            *mean += difference * share;
            *squares += other_squares + difference * difference * weight;
        }
        self.count = total;
    }
}

/// The moments of a few pixels.
struct RunMoments<'a> {
    x: &'a [f32],
    means: &'a mut [f32],
    squares: &'a mut [f32],
}

impl WithSimd for RunMoments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.means.len();
        self.means.fill(0.0);
        self.squares.fill(0.0);
        for pixel in self.x.chunks_exact(channels) {
            for (mean, x) in self.means.iter_mut().zip(pixel) {
                *mean += x;
            }
        }
        let share = channels as f32 / self.x.len() as f32;
        for mean in &mut *self.means {
            *mean *= share;
        }
        for pixel in self.x.chunks_exact(channels) {
            for ((square, mean), x) in self.squares.iter_mut().zip(&*self.means).zip(pixel) {
                *square += (x - mean) * (x - mean);
            }
        }
    }
}

struct Normalize<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    beta: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.mean.len();
        for (out, x) in self.out.chunks_exact_mut(channels).zip(self.x.chunks_exact(channels)) {
            for ((((out, x), mean), scale), beta) in out.iter_mut().zip(x).zip(self.mean).zip(self.scale).zip(self.beta)
            {
                *out = (x - mean) * scale + beta;
            }
        }
    }
}

/// The sums for gamma and beta over a few pixels.
struct RunGradients<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    inverse: &'a [f32],
    gradient: &'a [f32],
    gammas: &'a mut [f32],
    betas: &'a mut [f32],
}

impl WithSimd for RunGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.mean.len();
        self.gammas.fill(0.0);
        self.betas.fill(0.0);
        for (x, gradient) in self.x.chunks_exact(channels).zip(self.gradient.chunks_exact(channels)) {
            let sums = self.gammas.iter_mut().zip(&mut *self.betas);
            let statistics = self.mean.iter().zip(self.inverse);
            for ((((gamma, beta), (mean, inverse)), x), gradient) in sums.zip(statistics).zip(x).zip(gradient) {
                *gamma += gradient * ((x - mean) * inverse);
                *beta += gradient;
            }
        }
    }
}

struct InputGradient<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    slope: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.mean.len();
        let pixels = self.out.chunks_exact_mut(channels).zip(self.x.chunks_exact(channels));
        for ((out, x), gradient) in pixels.zip(self.gradient.chunks_exact(channels)) {
            let line = self.mean.iter().zip(self.scale).zip(self.offset).zip(self.slope);
            for (((out, x), gradient), (((mean, scale), offset), slope)) in
                out.iter_mut().zip(x).zip(gradient).zip(line)
            {
                *out = scale * (gradient - offset - (x - mean) * slope);
            }
        }
    }
}

struct Multiply<'a> {
    scale: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.scale.len();
        for (out, gradient) in self.out.chunks_exact_mut(channels).zip(self.gradient.chunks_exact(channels)) {
            for ((out, gradient), scale) in out.iter_mut().zip(gradient).zip(self.scale) {
                *out = gradient * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|i| (i * step % 101) as f32 / 50.0 - 0.7).collect()
    }

    #[test]
    fn two_pixels_by_hand() {
        let (mut out, mut mean, mut variance) = ([f32::NAN; 4], [f32::NAN; 2], [f32::NAN; 2]);
        train_forward(&[1.0, 10.0, 3.0, 10.0], &[2.0, 5.0], &[0.5, 7.0], 1e-12, &mut out, &mut mean, &mut variance);
        assert_eq!((mean, variance), ([2.0, 10.0], [1.0, 0.0]));
        assert_eq!(out, [-1.5, 7.0, 2.5, 7.0]);
    }

    #[test]
    fn running_statistics_move_as_those_of_pytorch() {
        let (mut mean, mut variance) = ([0.0], [1.0]);
        move_running(0.1, 1.0, &[2.0], &mut mean);
        move_running(0.1, unbiased(2), &[1.0], &mut variance);
        assert!((mean[0] - 0.2).abs() < 1e-7 && (variance[0] - 1.1).abs() < 1e-6, "{mean:?} {variance:?}");
    }

    #[test]
    fn statistics_equal_the_definition_where_means_are_large_and_one_pixel_lies_far_off() {
        let (pixels, channels) = (10_007, 3);
        let mut x = ramp(pixels * channels, 37);
        x.iter_mut().skip(1).step_by(3).for_each(|x| *x = *x / 8.0 + 1000.0);
        x[2] = 1e6;
        let (mut mean, mut variance) = ([f32::NAN; 3], [f32::NAN; 3]);
        statistics(&x, &mut mean, &mut variance);
        for channel in 0..channels {
            let values: Vec<f64> = x[channel..].iter().step_by(channels).map(|x| f64::from(*x)).collect();
            let expected_mean = values.iter().sum::<f64>() / pixels as f64;
            let expected = values.iter().map(|x| (x - expected_mean).powi(2)).sum::<f64>() / pixels as f64;
            assert!((f64::from(mean[channel]) / expected_mean - 1.0).abs() < 1e-6, "channel {channel}");
            assert!((f64::from(variance[channel]) / expected - 1.0).abs() < 1e-5, "channel {channel}");
        }
    }

    /// Output, statistics and all gradients of training, then those of evaluation.
    fn everything(pixels: usize, channels: usize) -> Vec<Vec<f32>> {
        let (x, gradient) = (ramp(pixels * channels, 37), ramp(pixels * channels, 29));
        let (gamma, beta, epsilon) = (ramp(channels, 11), ramp(channels, 7), 1e-3);
        let empty = || vec![f32::NAN; x.len()];
        let (mut y, mut to_x, mut eval_y, mut eval_to_x) = (empty(), empty(), empty(), empty());
        let [mut mean, mut variance, mut to_gamma, mut to_beta] = [(); 4].map(|()| vec![f32::NAN; channels]);
        train_forward(&x, &gamma, &beta, epsilon, &mut y, &mut mean, &mut variance);
        let n = Normalization { gamma: &gamma, mean: &mean, variance: &variance, epsilon };
        parameter_gradients(&x, &n, &gradient, &mut to_gamma, &mut to_beta);
        train_input_gradient(&x, &n, &gradient, &to_gamma, &to_beta, &mut to_x);
        eval_forward(&x, &n, &beta, &mut eval_y);
        eval_input_gradient(&n, &gradient, &mut eval_to_x);
        assert_eq!(eval_y, y);
        vec![y, to_x, eval_to_x, mean, variance, to_gamma, to_beta]
    }

    #[test]
    fn both_passes_equal_the_definition() {
        for (pixels, channels) in [(2, 1), (17, 3), (35, 16), (300, 33), (1000, 5)] {
            let (x, gradient) = (ramp(pixels * channels, 37), ramp(pixels * channels, 29));
            let (gamma, beta) = (ramp(channels, 11), ramp(channels, 7));
            let mut expected = vec![vec![0.0f64; pixels * channels]; 3];
            expected.extend(vec![vec![0.0; channels]; 4]);
            for c in 0..channels {
                let of = |values: &[f32]| -> Vec<f64> {
                    values[c..].iter().step_by(channels).map(|value| f64::from(*value)).collect()
                };
                let (x, g, m) = (of(&x), of(&gradient), pixels as f64);
                let mean = x.iter().sum::<f64>() / m;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m;
                let inverse = 1.0 / (variance + 1e-3).sqrt();
                let (gamma, beta) = (f64::from(gamma[c]), f64::from(beta[c]));
                let to_gamma: f64 = g.iter().zip(&x).map(|(g, x)| g * (x - mean) * inverse).sum();
                let to_beta: f64 = g.iter().sum();
                for i in 0..pixels {
                    let z = (x[i] - mean) * inverse;
                    expected[0][i * channels + c] = gamma * z + beta;
                    expected[1][i * channels + c] = gamma * inverse * (g[i] - to_beta / m - z * to_gamma / m);
                    expected[2][i * channels + c] = gamma * inverse * g[i];
                }
                for (which, value) in [mean, variance, to_gamma, to_beta].into_iter().enumerate() {
                    expected[3 + which][c] = value;
                }
            }
            for (which, (got, expected)) in everything(pixels, channels).iter().zip(&expected).enumerate() {
                let largest = expected.iter().fold(1.0f64, |largest, value| largest.max(value.abs()));
                for (got, expected) in got.iter().zip(expected) {
                    let error = (f64::from(*got) - expected).abs();
                    assert!(error < 1e-5 * largest, "{pixels} by {channels}, {which}: {got} instead of {expected}");
                }
            }
        }
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| everything(5003, 19))
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }

    #[test]
    fn every_kind_of_vectors_gives_the_same_bytes() {
        let (x, gradient, mean, inverse) = (ramp(16 * 37, 37), ramp(16 * 37, 29), ramp(37, 11), ramp(37, 7));
        let run = |vectors: Vectors| {
            let [mut means, mut squares, mut gammas, mut betas] = [(); 4].map(|()| vec![f32::NAN; 37]);
            vectors.run(RunMoments { x: &x, means: &mut means, squares: &mut squares });
            let (gamma_sums, beta_sums) = (&mut gammas, &mut betas);
            let (mean, inverse) = (&mean, &inverse);
            vectors.run(RunGradients {
                x: &x,
                mean,
                inverse,
                gradient: &gradient,
                gammas: gamma_sums,
                betas: beta_sums,
            });
            [means, squares, gammas, betas]
        };
        assert!(Vectors::available().all(|vectors| run(vectors) == run(Vectors::widest())));
    }
}
