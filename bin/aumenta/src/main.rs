//! The command line of Aumenta: arguments in, results on standard output, talk and progress on standard error.

#![expect(clippy::print_stderr, reason = "talk goes to standard error")]

mod command;
mod config;
mod depth;
mod device;
mod events;
mod failure;
mod fine_tuning;
mod inference;
mod interrupt;
mod labels;
mod limits;
mod observers;
mod output;
mod progress;
mod ranks;
mod tensorboard;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Training allocates and frees large tensors at every step; this allocator keeps their pages, where the system's gives
/// them back and takes page faults for them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Train image classifiers on little data, and see why they over-fit.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(command::inspect::Args),
    Split(command::split::Args),
    Verify(command::verify::Args),
    Export(command::export::Args),
    Preview(command::preview::Args),
    Augment(command::augment::Args),
    ExplainSample(command::explain_sample::Args),
    Features(command::features::Args),
    Train(command::train::Args),
    FindRate(command::find_rate::Args),
    Evaluate(command::evaluate::Args),
    Predict(command::predict::Args),
    Study(command::study::Args),
    Compare(command::compare::Args),
    Explain(command::explain::Args),
    Convolve(command::convolve::Args),
    Pool(command::pool::Args),
    BenchStream(command::bench_stream::Args),
    Summary(command::summary::Args),
    Weights(command::weights::Args),
    Demo(command::demo::Args),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("AUMENTA_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let result = match Cli::parse().command {
        Command::Inspect(args) => args.run(),
        Command::Split(args) => args.run(),
        Command::Verify(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::Preview(args) => args.run(),
        Command::Augment(args) => args.run(),
        Command::ExplainSample(args) => args.run(),
        Command::Features(args) => args.run(),
        Command::Train(args) => args.run(),
        Command::FindRate(args) => args.run(),
        Command::Evaluate(args) => args.run(),
        Command::Predict(args) => args.run(),
        Command::Study(args) => args.run(),
        Command::Compare(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Convolve(args) => args.run(),
        Command::Pool(args) => args.run(),
        Command::BenchStream(args) => args.run(),
        Command::Summary(args) => args.run(),
        Command::Weights(args) => args.run(),
        Command::Demo(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
