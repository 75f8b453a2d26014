//! [`ReportError`]: why something could not be drawn or filled in.

use plotters::drawing::DrawingAreaErrorKind;

use crate::submission::FormFault;

/// Why something could not be drawn or filled in.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The plotting library refused a chart.
    #[error("could not draw the {chart} curves: leave out that chart, and report how many runs and epochs it had")]
    Chart {
        /// The measure that the chart shows.
        chart: &'static str,
        /// What the plotting library said.
        source: DrawingAreaErrorKind<std::io::Error>,
    },
    /// A submission form cannot be filled.
    #[error(transparent)]
    Form(#[from] FormFault),
}
