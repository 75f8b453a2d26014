//! [`run_whole`]: a process from its start to its end, with the time that it took, its memory and what it said.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::memory::{Figure, figure_kib};
use crate::process_tree::sum_kib;

/// How often memory is looked at.
const WATCH: Duration = Duration::from_millis(20);

/// What a run took.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeRun {
    /// From before the start to after the end.
    pub seconds: f64,
    /// The most memory that the process and all that it started had resident at once, counting once what they share, in KiB.
    pub peak_kib: u64,
    /// What stood on its standard output.
    pub output: String,
}

/// Runs `command` to its end. What it says goes through files in `folder`, where it waits for no reader.
///
/// # Errors
/// Where it cannot be started, or ends with another status than success; the line of its standard error that says why is told.
pub fn run_whole(command: &mut Command, folder: &Path) -> Result<WholeRun> {
    let program = command.get_program().to_string_lossy().into_owned();
    let [output, errors] = ["output", "errors"].map(|name| folder.join(name));
    command.stdin(Stdio::null()).stdout(fs::File::create(&output)?.into_file());
    command.stderr(fs::File::create(&errors)?.into_file());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("`{program}` cannot be started"))?;
    let id = child.id();
    let (end, ended) = channel();
    let watcher = thread::spawn(move || watch(id, &ended));
    let status = child.wait()?;
    let seconds = started.elapsed().as_secs_f64();
    drop(end);
    let peak_kib = watcher.join().unwrap_or(0);
    if !status.success() {
        bail!("it ended with {status}: {}", reason(&fs::read(&errors)?));
    }
    Ok(WholeRun { seconds, peak_kib, output: fs::read_to_string(&output)? })
}

/// The most memory of the process `id` and all below it until `ended` has no sender any more.
fn watch(id: u32, ended: &Receiver<()>) -> u64 {
    let mut peak = 0;
    loop {
        // The peak of one process is exact; that of several at once is what is seen of it.
        let own = figure_kib(&id.to_string(), Figure::Peak).unwrap_or(0);
        let together = sum_kib(id, Figure::Proportional).unwrap_or(0);
        peak = peak.max(own).max(together);
        if ended.recv_timeout(WATCH) != Err(RecvTimeoutError::Timeout) {
            return peak;
        }
    }
}

/// Why a program failed, from what it wrote to standard error: the line of an error, as our programs write it, or the last one, as
/// Python does.
fn reason(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find(|line| line.starts_with("error: "));
    error.or(lines.next_back()).unwrap_or("it said nothing").trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Result<WholeRun> {
        let folder = tempfile::tempdir().unwrap();
        run_whole(Command::new("sh").args(["-c", script]), folder.path())
    }

    #[test]
    fn a_run_has_its_time_its_memory_and_its_output() {
        let ran = run("echo one; echo other >&2").unwrap();
        assert_eq!(ran.output, "one\n");
        assert!(ran.seconds > 0.0);
    }

    #[test]
    fn a_failed_run_tells_why() {
        let error = run("echo first >&2; echo 'no such file' >&2; echo >&2; exit 3").unwrap_err().to_string();
        assert!(error.ends_with("3: no such file"), "{error}");
        let error = run("echo 'error: no such flag.' >&2; echo 'try --help' >&2; exit 2").unwrap_err().to_string();
        assert!(error.ends_with("2: error: no such flag"), "{error}");
        let error = run_whole(&mut Command::new("/nowhere/unzip"), tempfile::tempdir().unwrap().path()).unwrap_err();
        assert_eq!(error.to_string(), "`/nowhere/unzip` cannot be started");
    }
}
