//! A contender's process, as the program that asks it sees it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memory::{Figure, figure_kib};
use crate::protocol::{Greeting, Request, Times};

/// How long a contender may take to end once it has no more input.
const TIME_TO_END: Duration = Duration::from_secs(15);

/// A running contender. It is ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `command` and waits for its greeting, which takes as long as building and loading take.
    ///
    /// # Errors
    /// Where it cannot be started, or ends or says something else before it greets.
    pub fn start<T: DeserializeOwned>(command: &mut Command) -> Result<(Self, Greeting<T>)> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("`{program}` cannot be started"))?;
        let output = BufReader::new(child.stdout.take().context("the process has no standard output")?);
        let mut process = Self { child, output };
        let greeting = process.answer()?;
        Ok((process, greeting))
    }

    /// The milliseconds of each of `steps` steps, taken now.
    ///
    /// # Errors
    /// Where the process has ended, or answers with anything but `steps` times.
    pub fn steps(&mut self, steps: usize) -> Result<Vec<f64>> {
        let times: Times = self.ask(&Request { steps })?;
        if times.milliseconds.len() != steps {
            bail!("{} times came for {steps} steps", times.milliseconds.len());
        }
        Ok(times.milliseconds)
    }

    /// The answer to `request`.
    ///
    /// # Errors
    /// Where the process has ended, or answers with anything but a `T`.
    pub fn ask<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<T> {
        let input = self.child.stdin.as_mut().context("the process has no standard input")?;
        let request = serde_json::to_string(request)?;
        writeln!(input, "{request}").and_then(|()| input.flush()).context("the process takes no more requests")?;
        self.answer()
    }

    /// The system's number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that was resident at once since the process started, in KiB.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn peak_kib(&self) -> Result<u64> {
        figure_kib(&self.id().to_string(), Figure::Peak)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("it ended with {}; its own messages stand on standard error", self.child.wait()?);
        }
        serde_json::from_str(&line).with_context(|| format!("it said `{}`", line.trim_end()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At the end of its input a contender ends its own workers, which nobody else knows.
        drop(self.child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < TIME_TO_END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        // A process that has already ended cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
