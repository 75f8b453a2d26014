//! [`Pattern`]: the picture that a filter answers to most, found by climbing its gradient.

use aumenta_imgproc::Image;
use aumenta_seed::Seed;
use candle_core::{Tensor, Var};
use rand::RngExt as _;

use crate::error::ExplainError;
use crate::network::{Network, gradient};
use crate::tiles::shown;

/// What black and white become on their way into a network, channel by channel: patterns are sought in colors between them.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorRange {
    /// What a value of 0 becomes.
    pub black: Vec<f32>,
    /// What a value of 255 becomes.
    pub white: Vec<f32>,
}

/// How patterns are sought: from gray with a little noise, uphill along the gradient of the mean of a filter's output, each step of
/// the same root mean square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pattern {
    /// The picture's side in pixels.
    pub side: usize,
    /// Steps, at least 1.
    pub steps: usize,
    /// The root mean square of a step in levels from 0 to 255, above 0.
    pub step_levels: f32,
    /// The noise that is climbed from, in levels around the middle gray: without any, filters that see nothing in gray stay silent.
    pub noise_levels: f32,
    /// What keeps fine noise out; nothing in the book's recipe.
    pub regularization: Option<Regularization>,
    /// What the noise and the shifts are drawn from.
    pub seed: Seed,
}

/// What makes patterns smooth, so that they look like what a network saw in training (Olah et al., "Feature Visualization", 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regularization {
    /// Before each step the picture is shifted around by up to so many pixels along each axis, and back after it.
    pub jitter: usize,
    /// The weight of the total variation, the sum of differences between neighbors, against the filter's answer; at least 0.
    pub total_variation: f32,
    /// By how much of the difference to its blurred self a picture moves there after each step, which makes high frequencies decay;
    /// from 0 to 1.
    pub frequency_decay: f32,
}

/// What a filter answers to.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPattern {
    /// The picture, its values less their mean, divided by their deviation, times 64 plus 128; black for a filter that answers to
    /// nothing on the way.
    pub picture: Image,
    /// The mean of the filter's output for what the climb began with.
    pub first_answer: f32,
    /// The same before the last step.
    pub last_answer: f32,
}

impl Pattern {
    /// The book's recipe (Chollet, "Deep Learning with Python", section 5.4.2): 40 steps of 1.
    pub const fn book(side: usize) -> Self {
        Self { side, steps: 40, step_levels: 1.0, noise_levels: 10.0, regularization: None, seed: Seed::new(0) }
    }

    /// Wider steps, more of them, from more noise, and all regularizations. Filters for the finest patterns, such as chessboards of
    /// single pixels, answer less to what is left of them.
    pub const fn regularized(side: usize) -> Self {
        let regularization = Regularization { jitter: 4, total_variation: 0.05, frequency_decay: 0.15 };
        let regularization = Some(regularization);
        Self { side, steps: 64, step_levels: 2.5, noise_levels: 60.0, regularization, seed: Seed::new(0) }
    }

    /// The patterns of some filters of a layer.
    ///
    /// # Errors
    /// [`ExplainError::Layer`] where the layer's output is no picture, [`ExplainError::Setting`] where it has no such filter or a
    /// setting is out of its range, [`ExplainError::Network`] where pictures of this side are too small for the layers.
    pub fn of(
        &self,
        network: &Network<'_>,
        colors: &ColorRange,
        layer: &str,
        filters: &[usize],
    ) -> Result<Vec<FoundPattern>, ExplainError> {
        let channels = network.layer(layer)?.shape[2];
        self.check(channels, filters)?;
        let mut pictures = Vec::with_capacity(filters.len());
        for filters in filters.chunks(BATCH) {
            pictures.extend(self.climb(network, colors, layer, filters)?);
        }
        Ok(pictures)
    }

    fn check(&self, channels: usize, filters: &[usize]) -> Result<(), ExplainError> {
        let refuse = |name, value: String, expected: String| Err(ExplainError::Setting { name, value, expected });
        if let Some(filter) = filters.iter().find(|filter| **filter >= channels) {
            return refuse("the filter", filter.to_string(), format!("less than {channels}"));
        }
        let least_one = [("the side of a pattern", self.side), ("the number of steps", self.steps)];
        if let Some((name, _)) = least_one.into_iter().find(|(_, value)| *value == 0) {
            return refuse(name, "0".to_string(), "at least 1".to_string());
        }
        if !(self.step_levels > 0.0 && self.step_levels.is_finite()) {
            return refuse("the step", self.step_levels.to_string(), "above 0".to_string());
        }
        let Some(Regularization { total_variation, frequency_decay, .. }) = self.regularization else { return Ok(()) };
        if !(total_variation >= 0.0 && total_variation.is_finite()) {
            return refuse("the total variation", total_variation.to_string(), "at least 0".to_string());
        }
        if !(0.0..=1.0).contains(&frequency_decay) {
            return refuse("the frequency decay", frequency_decay.to_string(), "from 0 to 1".to_string());
        }
        Ok(())
    }

    /// The pictures of one batch, one a filter.
    fn climb(
        &self,
        network: &Network<'_>,
        colors: &ColorRange,
        layer: &str,
        filters: &[usize],
    ) -> Result<Vec<FoundPattern>, ExplainError> {
        let (side, channels) = (self.side, colors.black.len());
        let mut pictures: Vec<Vec<f32>> = filters.iter().map(|filter| self.start(*filter, channels)).collect();
        let mut spread = vec![0.0; filters.len()];
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for step in 0..self.steps {
            let shift = self.shift(step);
            for picture in &mut pictures {
                roll(picture, side, channels, shift);
            }
            let (answers, gradients) = uphill(network, colors, layer, filters, &pictures, side)?;
            if step == 0 {
                first.clone_from(&answers);
            }
            last = answers;
            for ((picture, mut slope), spread) in pictures.iter_mut().zip(gradients).zip(&mut spread) {
                *spread = f32::max(*spread, slope.iter().fold(0.0, |largest, value| largest.max(value.abs())));
                normalize(&mut slope);
                if let Some(Regularization { total_variation, .. }) = self.regularization {
                    less_variation(&mut slope, picture, side, channels, total_variation);
                }
                let step = self.step_levels / 255.0;
                picture.iter_mut().zip(&slope).for_each(|(value, slope)| *value += step * slope);
                if let Some(Regularization { frequency_decay, .. }) = self.regularization {
                    blur_towards(picture, side, channels, frequency_decay);
                }
            }
            let back = shift.map(|pixels| (side - pixels) % side);
            for picture in &mut pictures {
                roll(picture, side, channels, back);
            }
        }
        let found = |(at, values): (usize, Vec<f32>)| {
            let levels = if spread[at] > 0.0 { shown(&values, 0.0) } else { vec![0; values.len()] };
            let pixels = if channels == 1 { levels.iter().flat_map(|gray| [*gray; 3]).collect() } else { levels };
            let picture = Image::from_pixels(side, side, pixels);
            FoundPattern { picture, first_answer: first[at], last_answer: last[at] }
        };
        Ok(pictures.into_iter().enumerate().map(found).collect())
    }

    /// Gray with noise on both sides of it, for values from 0 to 1.
    fn start(&self, filter: usize, channels: usize) -> Vec<f32> {
        let mut rng = self.seed.rng("pattern", 0, filter as u64);
        let mut noise = || self.noise_levels * (2.0 * rng.random::<f32>() - 1.0);
        (0..self.side * self.side * channels).map(|_| (128.0 + noise()) / 255.0).collect()
    }

    /// Columns and rows by which the pictures of a step are shifted.
    fn shift(&self, step: usize) -> [usize; 2] {
        let jitter = self.regularization.map_or(0, |regularization| regularization.jitter);
        let mut rng = self.seed.rng("pattern-shift", step as u64, 0);
        let far = jitter * self.side;
        [0, 1].map(|_| if jitter == 0 { 0 } else { (far + rng.random_range(0..=2 * jitter) - jitter) % self.side })
    }
}

/// Pictures that climb at once.
const BATCH: usize = 16;

/// The mean answer of each picture's own filter, and its gradient to values from 0 to 1.
fn uphill(
    network: &Network<'_>,
    colors: &ColorRange,
    layer: &str,
    filters: &[usize],
    pictures: &[Vec<f32>],
    side: usize,
) -> Result<(Vec<f32>, Vec<Vec<f32>>), ExplainError> {
    let channels = colors.black.len();
    let ranges: Vec<f32> = colors.black.iter().zip(&colors.white).map(|(black, white)| white - black).collect();
    let values: Vec<f32> = pictures
        .iter()
        .flatten()
        .enumerate()
        .map(|(at, value)| colors.black[at % channels] + ranges[at % channels] * value)
        .collect();
    let device = network.device();
    let var = Var::from_vec(values, (pictures.len(), side, side, channels), &device)?;
    let output = network.output_of(var.as_tensor(), layer)?;
    let (count, height, width, outputs) = output.dims4()?;
    // Of each picture the mean of its own filter alone.
    let mut mask = vec![0.0f32; count * outputs];
    filters.iter().enumerate().for_each(|(at, filter)| mask[at * outputs + filter] = 1.0 / (height * width) as f32);
    let mask = Tensor::from_vec(mask, (count, 1, 1, outputs), &device)?;
    let answers = output.broadcast_mul(&mask)?.sum((1, 2, 3))?;
    let slopes: Vec<f32> = gradient(&answers.sum_all()?, &var)?.flatten_all()?.to_vec1()?;
    let to_levels = |slope: &[f32]| slope.iter().enumerate().map(|(at, value)| value * ranges[at % channels]).collect();
    Ok((answers.to_vec1()?, slopes.chunks_exact(side * side * channels).map(to_levels).collect()))
}

/// Divides by the root mean square, and a little more where that is next to nothing.
fn normalize(slope: &mut [f32]) {
    let square = slope.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / slope.len() as f64;
    let divisor = (square.sqrt() + 1e-8) as f32;
    for value in slope {
        *value /= divisor;
    }
}

/// Shifts a picture around by columns and rows.
fn roll(picture: &mut [f32], side: usize, channels: usize, [columns, rows]: [usize; 2]) {
    picture.rotate_right(rows * side * channels);
    picture.chunks_exact_mut(side * channels).for_each(|row| row.rotate_right(columns * channels));
}

/// Subtracts the gradient of the total variation: the signs of differences to the four neighbors, of which the picture's edges
/// have fewer.
fn less_variation(slope: &mut [f32], picture: &[f32], side: usize, channels: usize, weight: f32) {
    let row_len = side * channels;
    let mut pull = |a: usize, b: usize| {
        let sign = if picture[a] == picture[b] { 0.0 } else { (picture[a] - picture[b]).signum() };
        slope[a] -= weight * sign;
        slope[b] += weight * sign;
    };
    for row in (0..picture.len()).step_by(row_len) {
        (row..row + row_len - channels).for_each(|at| pull(at, at + channels));
    }
    (0..picture.len() - row_len).for_each(|at| pull(at, at + row_len));
}

/// Moves a picture by `share` of the way to what a filter of 1/4, 1/2, 1/4 along both axes makes of it, the edges repeated.
fn blur_towards(picture: &mut [f32], side: usize, channels: usize, share: f32) {
    let row_len = side * channels;
    let weigh = |before: f32, here: f32, after: f32| 0.5 * here + 0.25 * (before + after);
    let across: Vec<f32> = picture
        .chunks_exact(row_len)
        .flat_map(|row| {
            (0..row_len).map(move |at| {
                let before = if at < channels { at } else { at - channels };
                let after = if at + channels < row_len { at + channels } else { at };
                weigh(row[before], row[at], row[after])
            })
        })
        .collect();
    let row = |number: usize| &across[number * row_len..(number + 1) * row_len];
    for (number, values) in picture.chunks_exact_mut(row_len).enumerate() {
        let (above, here, below) = (row(number.saturating_sub(1)), row(number), row((number + 1).min(side - 1)));
        for (at, value) in values.iter_mut().enumerate() {
            *value += share * (weigh(above[at], here[at], below[at]) - *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_go_around_and_back() {
        let mut picture: Vec<f32> = (0..9).map(|at| at as f32).collect();
        roll(&mut picture, 3, 1, [1, 0]);
        assert_eq!(picture, [2.0, 0.0, 1.0, 5.0, 3.0, 4.0, 8.0, 6.0, 7.0]);
        roll(&mut picture, 3, 1, [2, 2]);
        assert_eq!(picture, [3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn variation_pulls_a_peak_down_and_its_neighbors_up() {
        let mut slope = vec![0.0; 9];
        less_variation(&mut slope, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], 3, 1, 0.5);
        assert_eq!(slope, [0.0, 0.5, 0.0, 0.5, -2.0, 0.5, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn blurring_keeps_the_sum_and_plain_pictures() {
        let mut peak = vec![0.0, 0.0, 0.0, 0.0, 16.0, 0.0, 0.0, 0.0, 0.0];
        blur_towards(&mut peak, 3, 1, 1.0);
        assert_eq!(peak, [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0]);
        let mut plain = vec![0.25; 12];
        blur_towards(&mut plain, 2, 3, 0.7);
        assert_eq!(plain, [0.25; 12]);
    }
}
