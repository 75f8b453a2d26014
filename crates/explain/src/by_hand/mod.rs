//! Convolution and pooling as they are done by hand: small grids of numbers, window by window.

mod convolution;
mod kernel;
mod picture;
mod pooling;
mod volume;

pub use self::convolution::{Convolution, Sum};
pub use self::kernel::NamedKernel;
pub use self::picture::{filter, pool_picture};
pub use self::pooling::{Pooled, Pooling, PoolingKind};
pub use self::volume::Volume;

use crate::error::ExplainError;

/// A square, or any other rectangle, of elements of a padded grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first row, from 0 within the padded grid.
    pub row: usize,
    /// Its first column.
    pub column: usize,
    /// Its rows.
    pub height: usize,
    /// Its columns.
    pub width: usize,
}

/// The windows over a grid of `size` rows and columns, by the row and the column of the output: `(size - window) / stride + 1` of
/// them along each axis, rounded down.
fn windows(size: [usize; 2], window: [usize; 2], stride: usize) -> Result<Vec<Vec<Window>>, ExplainError> {
    if stride == 0 {
        let (value, expected) = ("0".to_string(), "at least 1".to_string());
        return Err(ExplainError::Setting { name: "the stride", value, expected });
    }
    let [height, width] = window;
    if height == 0 || width == 0 || height > size[0] || width > size[1] {
        let (of, on) = (format!("{height}x{width}"), format!("{}x{}", size[0], size[1]));
        return Err(ExplainError::Windows(format!("a window of {of} does not fit a grid of {on}")));
    }
    let starts = |axis: usize| (0..=size[axis] - window[axis]).step_by(stride);
    Ok(starts(0).map(|row| starts(1).map(|column| Window { row, column, height, width }).collect()).collect())
}
