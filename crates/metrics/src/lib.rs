//! Measures of a classifier, over plain slices.
//!
//! Classes are numbered from 0. A two-class network with one output and a network with an output a class meet in
//! [`predicted_class`] and in [`Scored`], probabilities beside true classes, so everything behind them knows only class
//! numbers and probabilities:
//!
//! - [`Measures`] are all measures at once, each a [`Score`] with a 95% interval where it has one, by [`Measure`];
//! - [`ConfusionMatrix`] counts which class was taken for which; precision, recall and F1 of each class and their
//!   [`Average`]s follow from it;
//! - [`top_k_accuracy`], [`log_loss`] and [`brier_score`] judge probabilities, [`Ranking`] their order (AUROC, average
//!   precision), and [`Calibration`] whether they mean what they say;
//! - [`wilson_interval`], [`auroc_interval`] and [`Estimate`] say how far a share or an area can be trusted;
//! - [`Mean`] averages losses over batches of different sizes.
//!
//! What is not defined, such as the recall of a class without samples, is `None` and never a number that looks like one.
//!
//! ```
//! use aumenta_metrics::{Measure, Measures, Scored};
//!
//! let truth = [0, 1, 1, 1];
//! let probabilities = [0.8, 0.2, 0.1, 0.9, 0.7, 0.3, 0.4, 0.6];
//! let losses = [0.22, 0.11, 1.2, 0.51];
//! let measures = Measures::of(&Scored::new(2, &truth, &probabilities), &losses);
//!
//! let accuracy = measures.score(Measure::Accuracy).ok_or("there are samples")?;
//! let (low, high) = accuracy.interval.ok_or("a share has an interval")?;
//! assert_eq!(format!("{:.2} ({low:.2} to {high:.2})", accuracy.value), "0.75 (0.30 to 0.95)");
//! assert_eq!(measures.value(Measure::Auroc), Some(1.0));
//! # Ok::<(), &str>(())
//! ```

mod average;
mod calibration;
mod confusion;
mod interval;
mod mean;
mod measure;
mod prediction;
mod proper;
mod ranking;
#[cfg(test)]
mod reference;
mod score;
mod scored;

pub use crate::average::Average;
pub use crate::calibration::{Calibration, CalibrationBin};
pub use crate::confusion::{ClassScores, ConfusionMatrix, RaggedMatrix};
pub use crate::interval::{Estimate, Z_95, wilson_interval};
pub use crate::mean::Mean;
pub use crate::measure::{Measure, Measures};
pub use crate::prediction::{accuracy, predicted_class, push_probabilities};
pub use crate::proper::{brier_score, log_loss};
pub use crate::ranking::{Ranking, auroc_interval};
pub use crate::score::Score;
pub use crate::scored::{Scored, top_k_accuracy};
