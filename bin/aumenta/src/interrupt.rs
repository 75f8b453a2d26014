//! Ctrl-C: the first asks a training or a study to end after the step under way, the second ends the program at once.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

/// What a shell reports for a program that Ctrl-C has ended.
pub const EXIT_CODE: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);
static LISTEN: Once = Once::new();

/// Listens from now on; what is set when Ctrl-C, a termination or a hang-up asks to end.
pub fn flag() -> Result<&'static AtomicBool> {
    let mut listening = Ok(());
    LISTEN.call_once(|| {
        listening = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::Relaxed) {
                process::exit(EXIT_CODE.into());
            }
            eprintln!("\nstopping after this step and writing a checkpoint; once more stops at once");
        });
    });
    listening.context("cannot listen to Ctrl-C")?;
    Ok(&ASKED)
}

/// A training that ended because it was asked to, and how to go on.
#[derive(Debug, thiserror::Error)]
#[error("interrupted after step {step}; to go on: aumenta train --resume {run}")]
pub struct Interrupted {
    /// Optimizer steps taken.
    pub step: u64,
    /// The run's folder.
    pub run: String,
}

/// A study that ended because it was asked to, and how to go on.
#[derive(Debug, thiserror::Error)]
#[error("interrupted with {left} trials to go; to go on: aumenta study --resume {folder}")]
pub struct InterruptedStudy {
    /// Trials that have not come to their end.
    pub left: usize,
    /// The study's folder.
    pub folder: String,
}
