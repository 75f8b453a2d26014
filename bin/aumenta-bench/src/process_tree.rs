//! A process with all that it started: its memory, and whether it has come to rest.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::memory::{Figure, figure_kib};

/// How long processes are watched at a time.
const WATCH: Duration = Duration::from_millis(200);

/// How many ticks of the system's clock, of 10 ms each, the processes may work in a watch to count as at rest: some look every
/// now and then for something to do.
const TICKS_AT_REST: u64 = 1;

/// What the system tells of a process in `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    id: u32,
    parent: u32,
    /// How long it has worked, in ticks.
    ticks: u64,
}

impl Status {
    /// Whether one of its threads works, or would if it had a core.
    fn is_runnable(&self) -> bool {
        let threads = fs_err::read_dir(format!("/proc/{}/task", self.id)).into_iter().flatten();
        let mut states = threads.filter_map(|entry| {
            let stat = fs_err::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            stat.rsplit_once(") ")?.1.chars().next()
        });
        states.any(|state| state == 'R')
    }
}

/// The sum of a figure in KiB over the process `id` and all below it. A process that ends meanwhile does not count.
///
/// # Errors
/// Where the system does not tell, as on anything but Linux.
pub fn sum_kib(id: u32, figure: Figure) -> Result<u64> {
    let figures = family(id, &all()?).into_iter().map(|status| figure_kib(&status.id.to_string(), figure));
    Ok(figures.filter_map(Result::ok).sum())
}

/// Waits until the process `id` and all below it do nothing any more.
///
/// # Errors
/// Where that takes longer than `patience`, or the system does not tell.
pub fn wait_for_rest(id: u32, patience: Duration) -> Result<()> {
    let started = Instant::now();
    let mut before: Option<u64> = None;
    loop {
        let family = family(id, &all()?);
        let ticks = family.iter().map(|status| status.ticks).sum::<u64>();
        let is_still = before.is_some_and(|before| ticks.saturating_sub(before) <= TICKS_AT_REST);
        // On a busy machine a thread that waits for a core does not work either.
        if is_still && !family.iter().any(Status::is_runnable) {
            return Ok(());
        }
        if started.elapsed() > patience {
            bail!("it still works {:.0} seconds after its turn", patience.as_secs_f64());
        }
        before = Some(ticks);
        sleep(WATCH);
    }
}

/// All processes of the system.
fn all() -> Result<Vec<Status>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir("/proc")? {
        // What is no process has no such file, and what has ended has none any more.
        if let Ok(text) = fs_err::read_to_string(entry?.path().join("stat")) {
            found.extend(parse(&text));
        }
    }
    Ok(found)
}

/// The process `root` and those below it.
fn family(root: u32, processes: &[Status]) -> Vec<Status> {
    let mut family: Vec<Status> = processes.iter().filter(|status| status.id == root).copied().collect();
    let mut next = 0;
    while let Some(&Status { id, .. }) = family.get(next) {
        family.extend(processes.iter().filter(|status| status.parent == id));
        next += 1;
    }
    family
}

fn parse(stat: &str) -> Option<Status> {
    // The name stands in parentheses and can hold anything, parentheses too.
    let (before, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let id = before.split_whitespace().next()?.parse().ok()?;
    Some(Status { id, parent: number(1)? as u32, ticks: number(11)? + number(12)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "712 (a (b) c) S 700 712 700 0 -1 4194304 99 0 0 0 150 25 7 7 20 0 1 0 2000 1 1\n";
        assert_eq!(parse(stat), Some(Status { id: 712, parent: 700, ticks: 175 }));
        assert_eq!(parse("712 (short) S 700"), None);
        assert_eq!(parse("0.25 0.10"), None);
    }

    #[test]
    fn a_family_has_all_generations_and_nobody_else() {
        let status = |id, parent| Status { id, parent, ticks: 0 };
        let processes = [status(1, 0), status(7, 5), status(5, 1), status(6, 1), status(8, 7), status(9, 6)];
        let ids = |root| family(root, &processes).iter().map(|status| status.id).collect::<Vec<_>>();
        assert_eq!(ids(5), [5, 7, 8]);
        assert_eq!(ids(9), [9]);
        assert_eq!(ids(42), Vec::<u32>::new());
    }

    #[test]
    fn the_memory_of_this_process_counts() {
        let own = figure_kib("self", Figure::Resident).unwrap();
        assert!(sum_kib(std::process::id(), Figure::Peak).unwrap() >= own / 2);
    }
}
