//! [`Pooling`]: every window of a grid, and the largest number or the mean of it.

use super::{Volume, Window, windows};
use crate::error::ExplainError;

/// A pooling without padding that shows its work, each channel on its own.
///
/// ```
/// use aumenta_explain::{Pooling, PoolingKind, Volume};
///
/// let input: Volume = "1 3 2 1\n2 9 1 1\n1 3 2 3\n5 6 1 2".parse()?;
/// let output = Pooling::new(&input, PoolingKind::Max, 2, 2)?.output();
/// assert_eq!(output, "9 2\n6 3".parse()?);
/// # Ok::<(), aumenta_explain::ExplainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pooling {
    /// What is taken of a window.
    pub kind: PoolingKind,
    /// Channel by channel, by the output's row and column: the window and what is taken of it.
    pub pooled: Vec<Vec<Vec<Pooled>>>,
}

/// One window's part of a [`Pooling`].
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// Where it lies.
    pub window: Window,
    /// Its numbers, row by row.
    pub numbers: Vec<f64>,
    /// What is taken of them.
    pub taken: f64,
}

/// What is taken of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolingKind {
    /// The largest number.
    Max,
    /// The mean.
    Average,
}

impl Pooling {
    /// Slides a window of `side` by `side` numbers over every channel, `stride` by `stride`.
    ///
    /// # Errors
    /// [`ExplainError::Windows`] where the window does not fit, [`ExplainError::Setting`] where the stride is 0.
    pub fn new(input: &Volume, kind: PoolingKind, side: usize, stride: usize) -> Result<Self, ExplainError> {
        let windows = windows([input.height(), input.width()], [side; 2], stride)?;
        let pool = |channel: usize, window: &Window| {
            let numbers: Vec<f64> = (window.row..window.row + side)
                .flat_map(|row| (window.column..window.column + side).map(move |column| (row, column)))
                .map(|(row, column)| input.get(channel, row, column))
                .collect();
            Pooled { window: *window, taken: kind.of(&numbers), numbers }
        };
        let of_channel = |channel: usize| {
            windows.iter().map(|row| row.iter().map(|window| pool(channel, window)).collect()).collect()
        };
        Ok(Self { kind, pooled: (0..input.channels()).map(of_channel).collect() })
    }

    /// What was taken, alone.
    pub fn output(&self) -> Volume {
        let taken = self.pooled.iter().flatten().flatten().map(|pooled| pooled.taken).collect();
        Volume::new(self.pooled[0].len(), self.pooled[0][0].len(), taken)
    }
}

impl PoolingKind {
    fn of(self, numbers: &[f64]) -> f64 {
        match self {
            Self::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Average => numbers.iter().sum::<f64>() / numbers.len() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LECTURE: &str = "1 3 2 1\n2 9 1 1\n1 3 2 3\n5 6 1 2";

    #[track_caller]
    fn check(input: &str, kind: PoolingKind, side: usize, stride: usize, expected: &str) {
        let output = Pooling::new(&input.parse().unwrap(), kind, side, stride).unwrap().output();
        assert_eq!(output, expected.parse().unwrap());
    }

    #[test]
    fn the_lectures_grid_gives_the_lectures_numbers() {
        check(LECTURE, PoolingKind::Max, 2, 2, "9 2\n6 3");
        check(LECTURE, PoolingKind::Average, 2, 2, "3.75 1.25\n3.75 2");
    }

    #[test]
    fn windows_may_overlap_or_leave_an_edge_out_and_channels_stay_apart() {
        check(LECTURE, PoolingKind::Max, 3, 1, "9 9\n9 9");
        check("1 2 3\n4 5 6\n7 8 9", PoolingKind::Max, 2, 2, "5");
        check("1 2\n3 4\n\n-1 -2\n-3 -4", PoolingKind::Max, 2, 2, "4\n\n-1");
    }

    #[test]
    fn a_window_that_does_not_fit_is_named() {
        let error = Pooling::new(&LECTURE.parse().unwrap(), PoolingKind::Max, 5, 1).unwrap_err().to_string();
        assert_eq!(error, "a window of 5x5 does not fit a grid of 4x4");
    }
}
