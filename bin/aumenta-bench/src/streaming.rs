//! Measuring streaming: the whole road from files to batches, library by library, with the same number of threads.
//!
//! As for augmentation the contenders are processes that take turns. Here their work is done by threads or processes of their
//! own, which work ahead: a turn is over when all of them have come to rest.

pub mod batch_facts;
pub mod contender;
pub mod measure;
pub mod on_paper;
pub mod ours;
pub mod photographs;
pub mod protocol;
pub mod report;
pub mod results;
pub mod targets;
pub mod workload;
pub mod writer;
