//! Measures of a classifier, over plain slices.
//!
//! Classes are numbered from 0. A two-class network with one output and a network with an output a class meet in
//! [`predicted_class`], so everything behind it knows only class numbers:
//!
//! - [`accuracy`] and [`ConfusionMatrix`] count what was right, and which class was taken for which;
//! - [`wilson_interval`] and [`Estimate`] say how far such a share can be trusted;
//! - [`Mean`] averages losses over batches of different sizes.
//!
//! ```
//! use aumenta_metrics::{ConfusionMatrix, Estimate, Z_95, predicted_class};
//!
//! let logits = [[2.0, 1.0], [0.5, 3.0], [1.5, 0.0], [-1.0, 1.0]];
//! let truth = [0, 1, 1, 1];
//! let predicted: Vec<usize> = logits.iter().map(|row| predicted_class(row)).collect();
//!
//! let matrix = ConfusionMatrix::from_pairs(2, &truth, &predicted);
//! assert_eq!(matrix.correct(), 3);
//! assert_eq!(matrix.count(1, 0), 1);
//!
//! let accuracy = Estimate::proportion(matrix.correct(), matrix.total(), Z_95);
//! assert_eq!(format!("{:.2} ({:.2} to {:.2})", accuracy.value, accuracy.low, accuracy.high), "0.75 (0.30 to 0.95)");
//! ```

mod confusion;
mod interval;
mod mean;
mod prediction;

pub use crate::confusion::{ClassScores, ConfusionMatrix, RaggedMatrix};
pub use crate::interval::{Estimate, Z_95, wilson_interval};
pub use crate::mean::Mean;
pub use crate::prediction::{accuracy, predicted_class};
