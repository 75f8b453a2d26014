//! [`Occlusion`]: what becomes of a class's probability when a part of the image is hidden.

use candle_core::Tensor;

use crate::error::ExplainError;
use crate::heat_map::HeatMap;
use crate::network::Network;
use crate::probabilities::probabilities;

/// A gray square that slides over an image (Zeiler and Fergus 2014).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occlusion {
    /// The square's side in pixels, at least 1 and at most the image's shorter side.
    pub patch: usize,
    /// How far it moves, at least 1 and at most its side, so that every pixel is hidden once.
    pub stride: usize,
}

/// Hidden copies that are predicted at once.
const BATCH: usize = 32;

impl Occlusion {
    /// A seventh of the shorter side, moved by half of itself.
    pub fn for_size(height: usize, width: usize) -> Self {
        let patch = (height.min(width) / 7).max(1);
        Self { patch, stride: patch.div_ceil(2) }
    }

    /// How much of the probability of class `class` is lost, by pixel: the mean over the squares that hide it. Negative where
    /// hiding helps. The square has the image's mean color; it also stands at the right and the lower edge. The image is f32
    /// `[1, height, width, channels]`.
    ///
    /// # Errors
    /// [`ExplainError::Setting`] where a setting is out of its range, [`ExplainError::Class`] where there is no such class,
    /// [`ExplainError::Network`] where the image does not fit.
    pub fn map(&self, network: &Network<'_>, image: &Tensor, class: usize) -> Result<HeatMap, ExplainError> {
        network.check_class(class)?;
        let (_, height, width, channels) = image.dims4()?;
        self.check(height.min(width))?;
        let Self { patch, stride } = *self;
        let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
        let color = mean_color(&values, channels);
        let whole = probability(network, &values, [1, height, width, channels], class)?[0];
        let columns = starts(width, patch, stride);
        let corners: Vec<[usize; 2]> =
            starts(height, patch, stride).into_iter().flat_map(|y| columns.iter().map(move |x| [y, *x])).collect();
        let (mut lost, mut hidden) = (vec![0.0; height * width], vec![0.0; height * width]);
        for corners in corners.chunks(BATCH) {
            let mut copies = values.repeat(corners.len());
            for (copy, corner) in copies.chunks_exact_mut(values.len()).zip(corners) {
                pixels(*corner, patch, width)
                    .for_each(|at| copy[at * channels..(at + 1) * channels].copy_from_slice(&color));
            }
            let left = probability(network, &copies, [corners.len(), height, width, channels], class)?;
            for (corner, left) in corners.iter().zip(left) {
                for at in pixels(*corner, patch, width) {
                    lost[at] += whole - left;
                    hidden[at] += 1.0;
                }
            }
        }
        Ok(HeatMap::new(height, width, lost.iter().zip(hidden).map(|(lost, times)| lost / times).collect()))
    }

    fn check(&self, side: usize) -> Result<(), ExplainError> {
        let settings =
            [("the side of the square", self.patch, side), ("the step of the square", self.stride, self.patch)];
        match settings.into_iter().find(|(_, value, most)| !(1..=*most).contains(value)) {
            Some((name, value, most)) => {
                Err(ExplainError::Setting { name, value: value.to_string(), expected: format!("from 1 to {most}") })
            }
            None => Ok(()),
        }
    }
}

/// Where squares begin along an axis, the last of them at its end.
fn starts(size: usize, patch: usize, stride: usize) -> Vec<usize> {
    let last = size - patch;
    (0..last).step_by(stride).chain([last]).collect()
}

/// The pixels of a square, by their place in an image of `width` columns.
fn pixels([top, left]: [usize; 2], patch: usize, width: usize) -> impl Iterator<Item = usize> {
    (top..top + patch).flat_map(move |row| (left..left + patch).map(move |column| row * width + column))
}

fn mean_color(values: &[f32], channels: usize) -> Vec<f32> {
    let pixels = (values.len() / channels) as f64;
    let sum =
        |channel: usize| values.iter().skip(channel).step_by(channels).map(|value| f64::from(*value)).sum::<f64>();
    (0..channels).map(|channel| (sum(channel) / pixels) as f32).collect()
}

/// The probability of a class for each image.
fn probability(
    network: &Network<'_>,
    values: &[f32],
    shape: [usize; 4],
    class: usize,
) -> Result<Vec<f32>, ExplainError> {
    let images = Tensor::from_slice(values, &shape, &network.device())?;
    Ok(probabilities(network, &images)?.iter().map(|row| row[class]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_reach_both_ends() {
        assert_eq!(starts(10, 3, 2), [0, 2, 4, 6, 7]);
        assert_eq!(starts(9, 3, 3), [0, 3, 6]);
        assert_eq!(starts(3, 3, 1), [0]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |patch, stride| Occlusion { patch, stride }.check(8).unwrap_err().to_string();
        assert_eq!(message(9, 1), "the side of the square is 9, expected from 1 to 8");
        assert_eq!(message(0, 1), "the side of the square is 0, expected from 1 to 8");
        assert_eq!(message(4, 5), "the step of the square is 5, expected from 1 to 4");
        assert!(Occlusion::for_size(3, 5).check(3).is_ok() && Occlusion::for_size(150, 150).patch == 21);
    }
}
