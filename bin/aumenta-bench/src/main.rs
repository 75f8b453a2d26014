//! Measures training, augmentation, streaming and preparation with Aumenta against other libraries, interleaved in one run, and writes
//! `docs/benchmarks.md`; checks what a GPU computes against the CPU.

#![expect(clippy::print_stderr, reason = "talk goes to standard error")]

mod augmentation;
mod command;
mod contender;
mod efficientnet_lite0;
mod environment;
mod gpu;
mod machine;
mod measure;
mod memory;
mod network;
mod outcome;
mod output;
mod peer;
mod photograph;
mod preparation;
mod process;
mod process_tree;
mod protocol;
mod report;
mod results;
mod statistics;
mod streaming;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of `aumenta`. Candle and Burn are part of this program and have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure Aumenta against other libraries.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(command::train::Args),
    Scaling(command::scaling::Args),
    Augment(command::augment::Args),
    Stream(command::stream::Args),
    Prepare(command::prepare::Args),
    Gpu(command::gpu::Args),
    #[command(hide = true)]
    Contender(command::contender::Args),
    #[command(hide = true)]
    Augmenter(command::augmenter::Args),
    #[command(hide = true)]
    Streamer(command::streamer::Args),
    #[command(hide = true)]
    Preparer(command::preparer::Args),
    #[command(hide = true)]
    GpuTrainer(command::gpu_trainer::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => args.run(),
        Command::Scaling(args) => args.run(),
        Command::Augment(args) => args.run(),
        Command::Stream(args) => args.run(),
        Command::Prepare(args) => args.run(),
        Command::Contender(args) => args.run(),
        Command::Augmenter(args) => args.run(),
        Command::Streamer(args) => args.run(),
        Command::Preparer(args) => args.run(),
        Command::Gpu(args) => args.run(),
        Command::GpuTrainer(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
