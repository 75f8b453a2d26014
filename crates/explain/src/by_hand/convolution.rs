//! [`Convolution`]: every window of a grid, and the sum of products that it gives.

use aumenta_nn::Padding;

use super::{Volume, Window, windows};
use crate::error::ExplainError;

/// A convolution that shows its work. As in networks, the kernel is not turned around (a cross-correlation).
///
/// ```
/// use aumenta_explain::{Convolution, NamedKernel, Volume};
/// use aumenta_nn::Padding;
///
/// // A step edge: bright on the left, dark on the right.
/// let step: Volume = "10 10 10 0 0 0\n".repeat(6).parse()?;
/// let found = Convolution::new(&step, &NamedKernel::EdgeV.volume(), Padding::Valid, 1)?.output();
/// assert!(found.rows(0).all(|row| row == [0.0, 30.0, 30.0, 0.0]));
/// # Ok::<(), aumenta_explain::ExplainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// The input with its padding.
    pub padded: Volume,
    /// As many rows and columns of zeros are at the top, bottom, left and right.
    pub padding: [usize; 4],
    /// The kernel, with as many channels as the input.
    pub kernel: Volume,
    /// By the output's row and column.
    pub sums: Vec<Vec<Sum>>,
}

/// One window's part of a [`Convolution`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// Where it lies in the padded input.
    pub window: Window,
    /// The products, each a number of the input and a weight, channel by channel and row by row.
    pub products: Vec<[f64; 2]>,
    /// Their sum.
    pub total: f64,
}

impl Convolution {
    /// Slides `kernel` over `input`. A kernel of one channel is the same for all channels of the input.
    ///
    /// # Errors
    /// [`ExplainError::Windows`] where the kernel does not fit or has other channels, [`ExplainError::Setting`] where the stride is
    /// 0 or a kernel that is not square is to be padded.
    pub fn new(input: &Volume, kernel: &Volume, padding: Padding, stride: usize) -> Result<Self, ExplainError> {
        let kernel = kernel.for_channels(input.channels())?;
        let around = around(input, &kernel, padding, stride)?;
        let padded = input.padded(around, 0.0);
        let size = [kernel.height(), kernel.width()];
        let sums = windows([padded.height(), padded.width()], size, stride)?.into_iter();
        let sums = sums.map(|row| row.into_iter().map(|window| Sum::new(&padded, &kernel, window)).collect()).collect();
        Ok(Self { padded, padding: around, kernel, sums })
    }

    /// The sums alone.
    pub fn output(&self) -> Volume {
        let totals = self.sums.iter().flatten().map(|sum| sum.total).collect();
        Volume::new(self.sums.len(), self.sums[0].len(), totals)
    }
}

/// The rows and columns at the top, bottom, left and right.
fn around(input: &Volume, kernel: &Volume, padding: Padding, stride: usize) -> Result<[usize; 4], ExplainError> {
    if padding == Padding::Valid || stride == 0 {
        return Ok([0; 4]);
    }
    if kernel.height() != kernel.width() {
        let (value, expected) = (format!("{}x{}", kernel.height(), kernel.width()), "a square".to_string());
        return Err(ExplainError::Setting { name: "the kernel to pad for", value, expected });
    }
    Ok(padding.around(&[input.height(), input.width(), 1], kernel.height(), stride, 1))
}

impl Volume {
    /// The kernel for an input of so many channels.
    fn for_channels(&self, channels: usize) -> Result<Self, ExplainError> {
        match self.channels() {
            own if own == channels => Ok(self.clone()),
            1 => {
                let values: Vec<f64> = self.rows(0).flatten().copied().collect();
                Ok(Self::new(self.height(), self.width(), values.repeat(channels)))
            }
            own => {
                let reason = format!("a kernel of {own} channels does not fit a grid of {channels}");
                Err(ExplainError::Windows(reason))
            }
        }
    }
}

impl Sum {
    fn new(padded: &Volume, kernel: &Volume, window: Window) -> Self {
        let mut products = Vec::with_capacity(kernel.channels() * window.height * window.width);
        for channel in 0..kernel.channels() {
            for (row, weights) in kernel.rows(channel).enumerate() {
                for (column, weight) in weights.iter().enumerate() {
                    products.push([padded.get(channel, window.row + row, window.column + column), *weight]);
                }
            }
        }
        let total = products.iter().map(|[value, weight]| value * weight).sum();
        Self { window, products, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_hand::NamedKernel;

    #[track_caller]
    fn check(input: &str, kernel: &Volume, padding: Padding, stride: usize, expected: &str) {
        let convolution = Convolution::new(&input.parse().unwrap(), kernel, padding, stride).unwrap();
        assert_eq!(convolution.output(), expected.parse().unwrap());
    }

    const LECTURE: &str = "3 0 1 2 7 4\n1 5 8 9 3 1\n2 7 2 5 1 3\n0 1 3 1 7 8\n4 2 1 6 2 8\n2 4 5 2 3 9";

    #[test]
    fn the_lectures_grids_give_the_lectures_numbers() {
        let edge = NamedKernel::EdgeV.volume();
        check(LECTURE, &edge, Padding::Valid, 1, "-5 -4 0 8\n-10 -2 2 3\n0 -2 -4 -7\n-3 -2 -3 -16");
        check(&"10 10 10 0 0 0\n".repeat(6), &edge, Padding::Valid, 1, &"0 30 30 0\n".repeat(4));
        check(&"0 0 0 10 10 10\n".repeat(6), &edge, Padding::Valid, 1, &"0 -30 -30 0\n".repeat(4));
        let both = "10 10 10 0 0 0\n10 10 10 0 0 0\n10 10 10 0 0 0\n0 0 0 10 10 10\n0 0 0 10 10 10\n0 0 0 10 10 10";
        let across = "0 0 0 0\n30 10 -10 -30\n30 10 -10 -30\n0 0 0 0";
        check(both, &NamedKernel::EdgeH.volume(), Padding::Valid, 1, across);
    }

    #[test]
    fn sizes_follow_padding_and_stride() {
        let size = |padding, stride| {
            let convolution =
                Convolution::new(&LECTURE.parse().unwrap(), &NamedKernel::Blur.volume(), padding, stride).unwrap();
            (convolution.output().height(), convolution.output().width(), convolution.padding)
        };
        assert_eq!(size(Padding::Valid, 1), (4, 4, [0; 4]));
        assert_eq!(size(Padding::Same, 1), (6, 6, [1; 4]));
        assert_eq!(size(Padding::Valid, 2), (2, 2, [0; 4]));
        assert_eq!(size(Padding::Same, 2), (3, 3, [0, 1, 0, 1]));
        assert_eq!(size(Padding::Zeros(2), 3), (3, 3, [2; 4]));
    }

    #[test]
    fn volumes_are_summed_over_their_channels() {
        let input = format!("{0}\n{0}\n{0}", "10 10 10 0 0 0\n".repeat(6));
        check(&input, &NamedKernel::EdgeV.volume(), Padding::Valid, 1, &"0 90 90 0\n".repeat(4));
        let red = format!("{}\n{}\n{}", "1 0 -1\n".repeat(3), "0 0 0\n".repeat(3), "0 0 0\n".repeat(3));
        check(&input, &red.parse().unwrap(), Padding::Valid, 1, &"0 30 30 0\n".repeat(4));
    }

    #[test]
    fn each_sum_shows_its_products() {
        let input: Volume = LECTURE.parse().unwrap();
        let convolution = Convolution::new(&input, &NamedKernel::EdgeV.volume(), Padding::Valid, 1).unwrap();
        let Sum { window, products, total } = &convolution.sums[0][1];
        assert_eq!(*window, Window { row: 0, column: 1, height: 3, width: 3 });
        assert_eq!(products[..3], [[0.0, 1.0], [1.0, 0.0], [2.0, -1.0]]);
        assert_eq!((products.len(), *total), (9, -4.0));
    }

    #[track_caller]
    fn check_refused(kernel: &str, padding: Padding, stride: usize, message: &str) {
        let (input, kernel) = (LECTURE.parse().unwrap(), kernel.parse().unwrap());
        assert_eq!(Convolution::new(&input, &kernel, padding, stride).unwrap_err().to_string(), message);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        check_refused("1 1 1 1 1 1 1", Padding::Valid, 1, "a window of 1x7 does not fit a grid of 6x6");
        check_refused("1", Padding::Valid, 0, "the stride is 0, expected at least 1");
        check_refused("1", Padding::Same, 0, "the stride is 0, expected at least 1");
        check_refused("1\n\n1", Padding::Valid, 1, "a kernel of 2 channels does not fit a grid of 1");
        check_refused("1 1", Padding::Same, 1, "the kernel to pad for is 1x2, expected a square");
    }
}
