//! Integration tests: the command line as a user meets it, determinism, and the architecture.

mod architecture;
mod command;
mod demo;
mod determinism;
mod evaluate;
mod preview;
mod real_data;
mod split;
mod summary;
mod train;
