//! The subcommands, one a file.

pub mod augment;
pub mod bench_stream;
pub mod compare;
pub mod convolve;
pub mod demo;
pub mod evaluate;
pub mod explain;
pub mod explain_sample;
pub mod export;
pub mod features;
pub mod find_rate;
pub mod inspect;
pub mod pool;
pub mod predict;
pub mod preview;
pub mod split;
pub mod study;
pub mod summary;
pub mod train;
pub mod verify;
pub mod weights;
