//! Measuring augmentation: operations on decoded photographs, library by library.
//!
//! Training is measured by steps of whole networks, augmentation by passes over a folder of photographs; beside the machine,
//! the process and the median the two have nothing in common, so this one has its own contenders, protocol and report.

pub mod contender;
pub mod measure;
pub mod operation;
pub mod ours;
pub mod photographs;
pub mod protocol;
pub mod report;
pub mod results;
