//! Tables, curves, contact sheets and the page that shows them.
//!
//! Everything here turns records into text or pixels and touches no file: the caller writes what it gets.
//!
//! - [`Table`] is one result with an exporter a format; [`summary_table`], [`measure_table`], [`class_table`],
//!   [`confusion_table`] and [`confused_table`] fill it from runs and evaluations;
//! - [`overlay`] and [`panels`] draw learning curves as SVG, [`confusion_chart`] a confusion matrix and
//!   [`reliability_chart`] a reliability diagram;
//! - [`rate_chart`] draws the loss over growing learning rates;
//! - [`contact_sheet`] shows images with captions, such as what augmentation made of one photograph;
//! - [`conclusion`] says in words what the numbers show, and what they do not;
//! - [`InspectionReport`] shows what a data set is like and what is wrong with it, with [`Histogram`]s and pictures;
//! - [`EvaluationReport`] shows how a network did on a split;
//! - [`csv_line`] and [`class_csv`] write files for other programs, and [`SubmissionForm`] fills a competition's form;
//! - [`Overlay`] lays numbers over a picture in the colors of a [`ColorMap`], and [`ExplanationReport`] shows what a network sees;
//! - [`NumberGrid`]s show on paper what a convolution does;
//! - [`OverfittingReport`] puts all of it on one page that needs nothing but a browser;
//! - [`StudyReport`] shows what a study over seeds has come to, with what its numbers can and cannot show;
//! - [`CertificatePage`] shows whether a data set's division keeps what it promises.
//!
//! Names of runs, classes and files come from strangers. They are escaped in HTML, SVG and Markdown, and control
//! characters are shown as `�`.
//!
//! The same input gives the same bytes.
//!
//! ```
//! use aumenta_report::{Alignment, Table};
//!
//! let mut table = Table::new([("class", Alignment::Left), ("recall", Alignment::Right)]);
//! table.push(["cat", "0.912"]);
//! table.push(["<dog>", "0.87"]);
//! assert_eq!(table.to_text(), "class  recall\n-----  ------\ncat     0.912\n<dog>    0.87\n");
//! assert!(table.to_html().contains("&lt;dog&gt;"));
//! ```

mod certificate;
mod color_map;
mod confusion_chart;
mod contact_sheet;
mod csv;
mod curves;
mod error;
mod escape;
mod evaluation;
mod evaluation_report;
mod explanation;
mod histogram;
mod inspection;
mod number;
mod number_grid;
mod page;
mod plot;
mod rate_chart;
mod reliability_chart;
mod sentence;
mod study;
mod submission;
mod summary;
mod table;
mod text;
mod ticks;

pub use crate::certificate::CertificatePage;
pub use crate::color_map::{ColorMap, Overlay, enlarged, without_scale};
pub use crate::confusion_chart::confusion_chart;
pub use crate::contact_sheet::{Cell, Row, SheetStyle, contact_sheet};
pub use crate::csv::{csv_line, csv_probability};
pub use crate::curves::{Curve, Quantity, overlay, panels};
pub use crate::error::ReportError;
pub use crate::evaluation::{class_csv, class_table, confused_table, confusion_table, measure_table};
pub use crate::evaluation_report::{EvaluationReport, HardImage, hard_rows};
pub use crate::explanation::{ExplanationReport, PagePicture, PictureSection};
pub use crate::histogram::Histogram;
pub use crate::inspection::{Exhibit, FindingGroup, InspectionReport, Picture, Section, Shown};
pub use crate::number::{count, duration};
pub use crate::number_grid::{NumberGrid, number_grids, plain_number};
pub use crate::page::{DataFacts, MEASURED, OverfittingReport, SplitFacts};
pub use crate::rate_chart::rate_chart;
pub use crate::reliability_chart::reliability_chart;
pub use crate::sentence::conclusion;
pub use crate::study::{StudyChart, StudyReport};
pub use crate::submission::{FormFault, ImageProbabilities, SubmissionForm, SubmissionSettings};
pub use crate::summary::{RunSummary, summary_table};
pub use crate::table::{Alignment, Table};
