//! Interleaved measuring of streams: the contenders of a workload live at once and take turns, and none begins before the workers
//! of the one before are at rest.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};

use super::batch_facts::check_mean;
use super::contender::{Contender, Task};
use super::protocol::{Answer, Ready, Turn};
use super::results::{Figures, Row, Settings};
use crate::measure::turns;
use crate::memory::Figure;
use crate::outcome::Outcome;
use crate::process::Process;
use crate::process_tree::{sum_kib, wait_for_rest};
use crate::protocol::Greeting;

/// How long the workers of a contender may go on after its turn.
const PATIENCE: Duration = Duration::from_mins(1);

/// Measures `contenders` against each other; their rows, in order. Versions that they run on are added to `versions`, and `talk`
/// hears how it goes.
///
/// In each round every contender takes a turn, beginning with another one each time, after a turn that does not count. An entry
/// that fails gets a row that says why, and the others go on.
pub fn measure(
    contenders: &[Contender],
    task: &Task<'_>,
    settings: &Settings,
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Vec<Row> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for &contender in contenders {
        talk(&format!("{}: starting {}", task.workload.name(), contender.name()));
        entries.push(Entry::start(contender, task, settings, versions));
    }
    for round in 0..settings.rounds {
        talk(&format!("{}: round {} of {}", task.workload.name(), round + 1, settings.rounds));
        for index in turns(entries.len(), round) {
            entries[index].take_round(settings);
        }
    }
    let mut rows: Vec<Row> = entries.into_iter().map(Entry::row).collect();
    refuse_other_means(&mut rows, task);
    for row in &rows {
        if let Some(reason) = row.outcome.refusal() {
            talk(&format!("{}: {} is not measured: {reason}", task.workload.name(), row.contender.name()));
        }
    }
    rows
}

/// A contender under way, or why it is not.
struct Entry<'a> {
    contender: Contender,
    task: &'a Task<'a>,
    state: Result<(Process, Figures)>,
}

impl<'a> Entry<'a> {
    fn start(
        contender: Contender,
        task: &'a Task<'a>,
        settings: &Settings,
        versions: &mut BTreeMap<String, String>,
    ) -> Self {
        let figures = Figures { rounds: Vec::new(), peak_kib: 0, shared_once_kib: 0, means: Vec::new() };
        let state = greet(contender, task).map(|(process, ready)| {
            versions.extend(ready.versions);
            (process, figures)
        });
        let mut entry = Self { contender, task, state };
        // The first turn starts workers, loads libraries and compiles.
        entry.take_turn(&Turn { milliseconds: 0, ..turn(settings) });
        entry
    }

    fn take_round(&mut self, settings: &Settings) {
        let rate = self.take_turn(&turn(settings));
        if let (Ok((_, figures)), Some(rate)) = (&mut self.state, rate) {
            figures.rounds.push(rate);
        }
    }

    /// The images a second of a turn, once all workers are at rest again.
    fn take_turn(&mut self, turn: &Turn) -> Option<f64> {
        let (process, figures) = self.state.as_mut().ok()?;
        match stream(process, figures, turn, self.task) {
            Ok(rate) => Some(rate),
            Err(error) => {
                self.state = Err(error);
                None
            }
        }
    }

    fn row(self) -> Row {
        let outcome = self
            .state
            .map_or_else(|error| Outcome::Refused(format!("{error:#}")), |(_, figures)| Outcome::Measured(figures));
        Row { workload: self.task.workload, contender: self.contender, outcome }
    }
}

fn turn(settings: &Settings) -> Turn {
    Turn {
        inspected_batches: settings.inspected_batches,
        drained_batches: settings.drained_batches,
        milliseconds: settings.turn_milliseconds,
    }
}

/// Starts a contender and waits until it has opened the photographs.
fn greet(contender: Contender, task: &Task<'_>) -> Result<(Process, Ready)> {
    match Process::start(&mut contender.command(task)?)? {
        (process, Greeting::Ready(ready)) => Ok((process, ready)),
        (_, Greeting::Refused(reason)) => bail!(reason),
    }
}

fn stream(process: &mut Process, figures: &mut Figures, turn: &Turn, task: &Task<'_>) -> Result<f64> {
    let streamed = match process.ask(turn)? {
        Answer::Streamed(streamed) => streamed,
        Answer::Refused(reason) => bail!(reason),
    };
    if let Some(batches) = streamed.batches {
        batches.check(task.workload.augmentation())?;
        figures.means.push(batches.mean);
    }
    wait_for_rest(process.id(), PATIENCE)?;
    figures.peak_kib = figures.peak_kib.max(sum_kib(process.id(), Figure::Peak)?);
    figures.shared_once_kib = figures.shared_once_kib.max(sum_kib(process.id(), Figure::Proportional)?);
    Ok(streamed.images as f64 / streamed.seconds)
}

/// Refuses the rows whose batches have another mean than those of the others.
fn refuse_other_means(rows: &mut [Row], task: &Task<'_>) {
    let means: Vec<f64> = rows.iter().filter_map(|row| row.figures()?.mean()).collect();
    for row in rows {
        let Some(mean) = row.figures().and_then(Figures::mean) else { continue };
        if let Err(error) = check_mean(mean, &means, task.workload.augmentation()) {
            row.outcome = Outcome::Refused(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::streaming::workload::Workload;

    fn task() -> Task<'static> {
        let [python, files] = ["/nowhere/python3", "files"].map(Path::new);
        Task { workload: Workload::Book, threads: 2, python, turbo: None, files }
    }

    #[test]
    fn a_contender_that_cannot_be_started_gets_a_row_that_says_why() {
        let settings =
            Settings { threads: 2, rounds: 1, turn_milliseconds: 0, inspected_batches: 1, drained_batches: 0 };
        let rows = measure(&[Contender::Dali], &task(), &settings, &mut BTreeMap::new(), &|_| {});
        let [Row { outcome: Outcome::Refused(reason), .. }] = &rows[..] else { panic!("{rows:?}") };
        assert!(reason.starts_with("`/nowhere/python3` cannot be started"), "{reason}");
    }

    #[test]
    fn a_row_with_another_mean_is_refused_and_one_without_batches_is_not() {
        let row = |contender, means: &[f64]| {
            let figures = Figures { rounds: vec![100.0], peak_kib: 1, shared_once_kib: 1, means: means.to_vec() };
            Row { workload: Workload::Book, contender, outcome: Outcome::Measured(figures) }
        };
        let mut rows = vec![
            row(Contender::Ours, &[0.4, 0.5]),
            row(Contender::Dali, &[0.45]),
            row(Contender::Opencv, &[0.0, 0.1]),
            row(Contender::OursDecodeOnly, &[]),
        ];
        refuse_other_means(&mut rows, &task());
        let measured: Vec<bool> = rows.iter().map(|row| row.figures().is_some()).collect();
        assert_eq!(measured, [true, true, false, true]);
    }
}
