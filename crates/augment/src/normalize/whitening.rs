//! [`Whitening`]: a matrix that leaves the values of images uncorrelated; [`Covariance`]: what it is fitted to.

use nalgebra::{DMatrix, DVector, Dyn, SymmetricEigen};
use serde::{Deserialize, Serialize};

use super::fit::check;
use crate::{AugmentError, KerasVersion};

/// ZCA whitening: `matrix * (values - mean)`, with a symmetric matrix, for values from 0 to 1.
///
/// Written down as JSON it is the number of its values alone; its numbers are too many for text, and a checkpoint keeps
/// them as tensors. Read back, it is all zeros until they are put in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub struct Whitening {
    mean: Vec<f32>,
    /// Row by row; symmetric.
    matrix: Vec<f32>,
}

impl Whitening {
    /// The largest number of values an image, such as those of 32x32 RGB pixels: the matrix has the square of it, and its
    /// eigenvectors take minutes.
    pub const MAX_VALUES: usize = 3072;

    /// A whitening with these numbers: a mean for each value, and a symmetric matrix row by row.
    ///
    /// # Panics
    /// Where the matrix is not square, with a row for each mean.
    pub fn new(mean: Vec<f32>, matrix: Vec<f32>) -> Self {
        assert_eq!(matrix.len(), mean.len() * mean.len(), "a row and a column for each value");
        Self { mean, matrix }
    }

    fn from_f64(mean: &DVector<f64>, matrix: &DMatrix<f64>) -> Self {
        let as_f32 = |numbers: &[f64]| numbers.iter().map(|number| *number as f32).collect();
        Self::new(as_f32(mean.as_slice()), as_f32(matrix.as_slice()))
    }

    /// Puts in other numbers.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn set(&mut self, mean: Vec<f32>, matrix: Vec<f32>) {
        *self = Self::new(mean, matrix);
    }

    /// The mean of each value.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The matrix, row by row.
    pub fn matrix(&self) -> &[f32] {
        &self.matrix
    }

    /// Whitens `values` in place; sums are taken in the order of the values.
    pub(super) fn apply(&self, values: &mut [f32], spare: &mut Vec<f32>) {
        assert_eq!(values.len(), self.mean.len(), "a whitening is for images of one size");
        spare.clear();
        spare.extend(values.iter().zip(&self.mean).map(|(value, mean)| value - mean));
        values.fill(0.0);
        for (centered, row) in spare.iter().zip(self.matrix.chunks_exact(values.len().max(1))) {
            for (value, weight) in values.iter_mut().zip(row) {
                *value += centered * weight;
            }
        }
    }
}

impl From<Whitening> for usize {
    fn from(whitening: Whitening) -> Self {
        whitening.mean.len()
    }
}

impl TryFrom<usize> for Whitening {
    type Error = String;

    fn try_from(values: usize) -> Result<Self, String> {
        if values > Self::MAX_VALUES {
            return Err(format!("a whitening has {values} values, expected at most {}", Self::MAX_VALUES));
        }
        Ok(Self::new(vec![0.0; values], vec![0.0; values * values]))
    }
}

/// Whitening as Keras has it: `matrix * (factor * value - mean)`, for values from 0 to 255.
#[derive(Clone, Copy, Debug)]
pub(super) struct KerasWhitening {
    /// Whose epsilon: 2.0.8 adds it to variances, 2.15 to singular values of the images.
    pub(super) version: KerasVersion,
    /// The factor of values.
    pub(super) factor: f64,
    /// The factor of values before mean and matrix are fitted to them.
    pub(super) fitted_factor: f64,
    /// How many channels have a mean; without, none is subtracted.
    pub(super) centered_channels: Option<usize>,
    /// What is added; above 0.
    pub(super) epsilon: f64,
}

/// Sums over images: of the values, and of the products of every two, from which mean and covariance follow.
#[derive(Clone, Debug)]
pub(super) struct Covariance {
    images: usize,
    sums: DVector<f64>,
    products: DMatrix<f64>,
    /// Images that wait for their products, a column each; a product of matrices is much faster than one of vectors.
    waiting: Vec<f64>,
}

/// How many images wait at most.
const BLOCK: usize = 64;

impl Covariance {
    pub(super) fn new(values: usize) -> Self {
        Self {
            images: 0,
            sums: DVector::zeros(values),
            products: DMatrix::zeros(values, values),
            waiting: Vec::with_capacity(BLOCK * values),
        }
    }

    /// Adds an image: values from 0 to 255.
    pub(super) fn add(&mut self, image: &[f32]) {
        assert_eq!(image.len(), self.sums.len(), "a whitening is for images of one size");
        self.images += 1;
        self.waiting.extend(image.iter().map(|value| f64::from(*value) / 255.0));
        if self.waiting.len() == BLOCK * image.len() {
            self.multiply();
        }
    }

    fn multiply(&mut self) {
        let values = self.sums.len();
        let columns = self.waiting.len() / values.max(1);
        let block = DMatrix::from_column_slice(values, columns, &self.waiting);
        self.sums += block.column_sum();
        self.products.gemm(1.0, &block, &block.transpose(), 1.0);
        self.waiting.clear();
    }

    /// The whitening of what was added.
    pub(super) fn whitening(mut self, epsilon: f64) -> Result<Whitening, AugmentError> {
        let mean = self.means()?;
        // Rounding makes an eigenvalue of 0 slightly negative.
        let matrix =
            recomposed(&SymmetricEigen::new(self.about(&mean)), |variance| 1.0 / (variance.max(0.0) + epsilon).sqrt());
        Ok(Whitening::from_f64(&mean, &matrix))
    }

    /// Keras' whitening of what was added.
    pub(super) fn keras_whitening(mut self, keras: KerasWhitening) -> Result<Whitening, AugmentError> {
        let KerasWhitening { version, factor, fitted_factor, centered_channels, epsilon } = keras;
        let means = self.means()?;
        let mean = match centered_channels {
            Some(channels) => channel_means(&means, channels),
            None => DVector::zeros(means.len()),
        };
        // Sums are of values divided by 255.
        let products = self.about(&mean) * (255.0 * fitted_factor).powi(2);
        let (images, eigen) = (self.images as f64, SymmetricEigen::new(products));
        let matrix = match version {
            KerasVersion::Keras2_0_8 => recomposed(&eigen, |variance| 1.0 / (variance.max(0.0) + epsilon).sqrt()),
            KerasVersion::Keras2_15 => {
                // The decomposition of the images themselves has no more directions than there are images.
                let mut variances = eigen.eigenvalues.as_slice().to_vec();
                variances.sort_by(|a, b| b.total_cmp(a));
                let least = variances.get(self.images - 1).copied().unwrap_or(f64::NEG_INFINITY);
                recomposed(&eigen, |variance| {
                    if variance < least { 0.0 } else { 1.0 / (variance.max(0.0).sqrt() + epsilon / images.sqrt()) }
                })
            }
        };
        Ok(Whitening::from_f64(&(mean * (fitted_factor / factor)), &(matrix * (255.0 * factor))))
    }

    /// The mean of each value; all images are then in the sums.
    fn means(&mut self) -> Result<DVector<f64>, AugmentError> {
        check("the number of images to fit to", self.images as f64, self.images > 0, "at least 1")?;
        self.multiply();
        Ok(&self.sums / self.images as f64)
    }

    /// The mean products of every two values less `center`.
    fn about(&self, center: &DVector<f64>) -> DMatrix<f64> {
        let count = self.images as f64;
        let mean = &self.sums / count;
        let cross = center * mean.transpose();
        &self.products / count - &cross - cross.transpose() + center * center.transpose()
    }
}

/// For each value the mean of its channel, of the means of all values.
fn channel_means(means: &DVector<f64>, channels: usize) -> DVector<f64> {
    let mut by_channel = vec![0.0; channels];
    for (value, mean) in means.iter().enumerate() {
        by_channel[value % channels] += mean * channels as f64 / means.len() as f64;
    }
    DVector::from_fn(means.len(), |value, _| by_channel[value % channels])
}

/// The matrix with other eigenvalues: what `gain` makes of each.
fn recomposed(eigen: &SymmetricEigen<f64, Dyn>, gain: impl Fn(f64) -> f64) -> DMatrix<f64> {
    let mut scaled = eigen.eigenvectors.clone();
    for (mut column, eigenvalue) in scaled.column_iter_mut().zip(eigen.eigenvalues.iter()) {
        column *= gain(*eigenvalue);
    }
    scaled * eigen.eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of four values, the last two of them strongly correlated.
    fn images(count: u32) -> Vec<[f32; 4]> {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as f32
        };
        let image = |_| {
            let (a, b, c) = (random(), random(), random());
            [a, 0.5 * b, c, (0.8 * c + 0.2 * a).round()]
        };
        (0..count).map(image).collect()
    }

    #[test]
    fn whitened_values_are_uncorrelated_with_variance_1() {
        // More images than one block, and not a whole number of blocks.
        let images = images(1000);
        let mut covariance = Covariance::new(4);
        for image in &images {
            covariance.add(image);
        }
        let whitening = covariance.whitening(1e-9).unwrap();
        let mut spare = Vec::new();
        let whitened: Vec<[f32; 4]> = images
            .iter()
            .map(|image| {
                let mut values = image.map(|value| value / 255.0);
                whitening.apply(&mut values, &mut spare);
                values
            })
            .collect();
        for i in 0..4 {
            let mean = whitened.iter().map(|values| f64::from(values[i])).sum::<f64>() / 1000.0;
            assert!(mean.abs() < 1e-4, "value {i} has the mean {mean}");
            for j in 0..4 {
                let product: f64 = whitened.iter().map(|values| f64::from(values[i]) * f64::from(values[j])).sum();
                let expected = f64::from(u8::from(i == j));
                assert!((product / 1000.0 - expected).abs() < 1e-3, "({i}, {j}) is {}", product / 1000.0);
            }
        }
    }

    #[test]
    fn the_matrix_is_symmetric_so_that_images_stay_images() {
        let mut covariance = Covariance::new(4);
        for image in images(100) {
            covariance.add(&image);
        }
        let whitening = covariance.whitening(1e-6).unwrap();
        for i in 0..4 {
            for j in 0..4 {
                let (a, b) = (whitening.matrix()[4 * i + j], whitening.matrix()[4 * j + i]);
                assert!((a - b).abs() <= 1e-5 * a.abs(), "{a} and {b}");
            }
        }
    }

    #[test]
    fn one_image_becomes_zeros() {
        let mut covariance = Covariance::new(2);
        covariance.add(&[51.0, 102.0]);
        let whitening = covariance.whitening(1e-6).unwrap();
        let mut values = [0.2, 0.4];
        whitening.apply(&mut values, &mut Vec::new());
        assert!(values.iter().all(|value| value.abs() < 1e-4), "{values:?}");
    }

    #[test]
    fn written_down_it_is_its_size() {
        let whitening = Whitening::new(vec![0.5; 2], vec![1.0; 4]);
        let json = serde_json::to_string(&whitening).unwrap();
        assert_eq!(json, "2");
        let read: Whitening = serde_json::from_str(&json).unwrap();
        assert_eq!((read.mean().len(), read.matrix().len()), (2, 4));
        assert!(serde_json::from_str::<Whitening>("3073").is_err());
    }
}
