//! [`filter`] and [`pool_picture`]: a kernel over a whole picture, and a pooling of it.

use aumenta_imgproc::Image;
use aumenta_nn::{Conv2dOptions, Padding, PaddingCount, Pool2dOptions, avg_pool2d, conv2d, max_pool2d};
use candle_core::{Device, Tensor};

use super::{PoolingKind, Volume};
use crate::error::ExplainError;

/// A picture through a filter, each of its colors on its own.
///
/// The results are numbers of any sign. Those of a kernel whose weights sum to 0, which answers to edges alone, are shown by their
/// size, so that edges of both directions are bright; others are cut to values from 0 to 255.
///
/// # Errors
/// [`ExplainError::Setting`] where the kernel has several channels or is not square, [`ExplainError::Network`] where it does not
/// fit the picture or the stride is 0.
///
/// ```
/// use aumenta_explain::{NamedKernel, filter};
/// use aumenta_imgproc::Image;
/// use aumenta_nn::Padding;
///
/// let step = Image::from_pixels(4, 3, [[200; 6], [80; 6]].concat().repeat(3));
/// let edges = filter(&step, &NamedKernel::EdgeV.volume(), Padding::Valid, 1)?;
/// assert_eq!((edges.width(), edges.height(), edges.get(0, 0)), (2, 1, [255; 3]));
/// # Ok::<(), aumenta_explain::ExplainError>(())
/// ```
pub fn filter(image: &Image, kernel: &Volume, padding: Padding, stride: usize) -> Result<Image, ExplainError> {
    let side = kernel.height();
    if kernel.channels() != 1 || kernel.width() != side {
        let value = format!("{} channels of {}x{}", kernel.channels(), side, kernel.width());
        let expected = "one channel, square: each color of a picture is filtered on its own".to_string();
        return Err(ExplainError::Setting { name: "the kernel", value, expected });
    }
    check_stride(stride)?;
    let (height, width) = (image.height(), image.width());
    let x = to_tensor(image)?;
    let weights: Vec<f32> = kernel.rows(0).flatten().map(|weight| *weight as f32).collect();
    let weight = Tensor::from_vec(weights.repeat(3), (3, 1, side, side), &Device::Cpu)?;
    let padding = padding.around(&[height, width, 3], side, stride, 1);
    let options = Conv2dOptions { stride: [stride; 2], padding, groups: 3, ..Conv2dOptions::default() };
    let y = conv2d(&x, &weight, None, options)?;
    let is_edge_detector = kernel.sum().abs() < 1e-9;
    to_image(&if is_edge_detector { y.abs()? } else { y })
}

/// A picture through a pooling without padding, each of its colors on its own.
///
/// # Errors
/// [`ExplainError::Setting`] where the stride is 0, [`ExplainError::Network`] where the window does not fit the picture.
pub fn pool_picture(image: &Image, kind: PoolingKind, side: usize, stride: usize) -> Result<Image, ExplainError> {
    check_stride(stride)?;
    let x = to_tensor(image)?;
    let options = Pool2dOptions { window: [side; 2], stride: [stride; 2], padding: [0; 4] };
    to_image(&match kind {
        PoolingKind::Max => max_pool2d(&x, options)?,
        PoolingKind::Average => avg_pool2d(&x, options, PaddingCount::Excluded)?,
    })
}

fn check_stride(stride: usize) -> Result<(), ExplainError> {
    if stride > 0 {
        return Ok(());
    }
    let (value, expected) = ("0".to_string(), "at least 1".to_string());
    Err(ExplainError::Setting { name: "the stride", value, expected })
}

fn to_tensor(image: &Image) -> Result<Tensor, ExplainError> {
    let values: Vec<f32> = image.pixels().iter().map(|byte| f32::from(*byte)).collect();
    Ok(Tensor::from_vec(values, (1, image.height(), image.width(), 3), &Device::Cpu)?)
}

/// The values cut to levels.
fn to_image(values: &Tensor) -> Result<Image, ExplainError> {
    let (_, rows, columns, _) = values.dims4()?;
    let values: Vec<f32> = values.flatten_all()?.to_vec1()?;
    let pixels = values.into_iter().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
    Ok(Image::from_pixels(columns, rows, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_hand::NamedKernel;

    fn picture() -> Image {
        Image::from_pixels(7, 5, (0..105).map(|at| (at * 89 % 251) as u8).collect())
    }

    #[test]
    fn a_kernel_of_a_single_one_changes_nothing() {
        let identity = Volume::new(3, 3, vec![0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(filter(&picture(), &identity, Padding::Same, 1).unwrap(), picture());
        let small = filter(&picture(), &identity, Padding::Same, 2).unwrap();
        assert_eq!((small.width(), small.height()), (4, 3));
    }

    #[test]
    fn a_picture_of_one_color_has_no_edges_and_stays_as_it_is_when_blurred() {
        let plain = Image::filled(8, 8, [10, 100, 200]);
        for (name, kernel) in NamedKernel::ALL {
            let filtered = filter(&plain, &kernel.volume(), Padding::Valid, 1).unwrap();
            let expected = if kernel.volume().sum().abs() < 1e-9 { [0; 3] } else { [10, 100, 200] };
            assert_eq!(filtered, Image::filled(6, 6, expected), "{name}");
        }
    }

    #[test]
    fn pooling_takes_the_largest_or_the_mean_of_each_color() {
        let image = Image::from_pixels(2, 2, vec![1, 10, 100, 2, 20, 200, 3, 30, 0, 4, 40, 0]);
        let pooled = |kind| pool_picture(&image, kind, 2, 2).unwrap().get(0, 0);
        assert_eq!((pooled(PoolingKind::Max), pooled(PoolingKind::Average)), ([4, 40, 200], [3, 25, 75]));
        assert!(pool_picture(&image, PoolingKind::Max, 3, 1).is_err());
    }

    #[test]
    fn colors_are_filtered_one_by_one_only() {
        let two = Volume::new(1, 1, vec![1.0, 1.0]);
        let error = filter(&picture(), &two, Padding::Valid, 1).unwrap_err().to_string();
        assert!(error.starts_with("the kernel is 2 channels of 1x1"), "{error}");
        let zero = filter(&picture(), &NamedKernel::Blur.volume(), Padding::Same, 0).unwrap_err().to_string();
        assert_eq!(zero, "the stride is 0, expected at least 1");
    }
}
