//! Integration tests: the command line as a user meets it, determinism, and the architecture.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod architecture;
mod augment;
mod bench_stream;
mod command;
mod compare;
mod convolve;
mod demo;
mod determinism;
mod evaluate;
mod explain;
mod explain_sample;
mod export;
mod fetch;
mod fine_tuning;
#[cfg(feature = "cuda")]
mod gpu;
mod inspect;
mod predict;
mod preview;
mod real_data;
mod resume;
mod split;
mod study;
mod summary;
mod train;
mod verify;
mod weights;
