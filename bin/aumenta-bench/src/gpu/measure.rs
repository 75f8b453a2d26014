//! Checking, and interleaved measuring on the GPU: the contenders of a workload live at once and take turns.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use aumenta_nn::Precision;
use candle_core::Device;

use super::check::Compared;
use super::checks;
use super::contender::{Contender, Task};
use super::protocol::{Answer, Ready, Trained, Turn};
use super::results::{Figures, Row, Settings};
use crate::measure::turns;
use crate::outcome::Outcome;
use crate::process::Process;
use crate::protocol::Greeting;

/// Compares what `device` computes with what the CPU does, check by check; `talk` hears how it goes.
pub fn check(device: &Device, precisions: &[Precision], talk: &dyn Fn(&str)) -> Vec<(String, Outcome<Compared>)> {
    let checked = checks::all(precisions).into_iter().map(|check| {
        let compared = check.compare(device);
        let outcome = compared.map_or_else(|error| Outcome::Refused(format!("{error:#}")), Outcome::Measured);
        match &outcome {
            Outcome::Measured(compared) if compared.is_met() => talk(&format!("{}: equal", check.name)),
            Outcome::Measured(compared) => talk(&format!("{}: DIFFERENT, {compared:?}", check.name)),
            Outcome::Refused(reason) => talk(&format!("{}: FAILED, {reason}", check.name)),
        }
        (check.name, outcome)
    });
    checked.collect()
}

/// Measures `contenders` against each other; their rows, in order. Versions that they run on are added to `versions`, and `talk`
/// hears how it goes.
///
/// Each contender takes a turn that does not count before the next one is started: kernels are compiled and chosen in it, and it is
/// the only time when what is taken of the GPU's memory is its own. In each round every one takes a turn, beginning with another
/// each time. A contender that fails gets a row that says why, and the others go on.
pub fn measure(
    contenders: &[Contender],
    task: &Task<'_>,
    settings: &Settings,
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Vec<Row> {
    let turn = Turn { milliseconds: settings.turn_milliseconds };
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for &contender in contenders {
        talk(&format!("{}: starting {}", name(task), contender.name()));
        entries.push(Entry::start(contender, task, turn, versions));
    }
    for round in 0..settings.rounds {
        talk(&format!("{}: round {} of {}", name(task), round + 1, settings.rounds));
        for index in turns(entries.len(), round) {
            entries[index].take_round(turn);
        }
    }
    let rows: Vec<Row> = entries.into_iter().map(Entry::row).collect();
    for row in &rows {
        if let Some(reason) = row.outcome.refusal() {
            talk(&format!("{}: {} is not measured: {reason}", name(task), row.contender.name()));
        }
    }
    rows
}

fn name(task: &Task<'_>) -> String {
    let workload = task.workload;
    format!("{}, batch {}, {}", workload.network.name(), workload.batch, workload.precision)
}

/// A contender under way, or why it is not.
struct Entry<'a> {
    contender: Contender,
    task: &'a Task<'a>,
    state: Result<(Process, Figures)>,
}

impl<'a> Entry<'a> {
    fn start(contender: Contender, task: &'a Task<'a>, turn: Turn, versions: &mut BTreeMap<String, String>) -> Self {
        let mut start = || {
            let (mut process, ready) = greet(contender, task)?;
            versions.extend(ready.versions);
            let first = train(&mut process, turn)?;
            Ok((process, Figures { rounds: Vec::new(), waiting: Vec::new(), peak_bytes: first.peak_bytes }))
        };
        let state = start();
        Self { contender, task, state }
    }

    fn take_round(&mut self, turn: Turn) {
        let Ok((process, figures)) = &mut self.state else { return };
        match train(process, turn) {
            Ok(trained) => {
                figures.rounds.push(trained.rate());
                figures.waiting.push(trained.waiting_share());
            }
            Err(error) => self.state = Err(error),
        }
    }

    fn row(self) -> Row {
        let outcome = self
            .state
            .map_or_else(|error| Outcome::Refused(format!("{error:#}")), |(_, figures)| Outcome::Measured(figures));
        Row { workload: self.task.workload, contender: self.contender, outcome }
    }
}

/// Starts a contender and checks that it has the network that is asked for.
fn greet(contender: Contender, task: &Task<'_>) -> Result<(Process, Ready)> {
    let (process, ready): (Process, Ready) = match Process::start(&mut contender.command(task)?)? {
        (process, Greeting::Ready(ready)) => (process, ready),
        (_, Greeting::Refused(reason)) => bail!(reason),
    };
    let expected = task.workload.network.network().parameters();
    if ready.parameters != expected {
        bail!("its network has {} parameters, not {expected}: it is another network", ready.parameters);
    }
    Ok((process, ready))
}

fn train(process: &mut Process, turn: Turn) -> Result<Trained> {
    match process.ask(&turn)? {
        Answer::Trained(trained) => Ok(trained),
        Answer::Refused(reason) => bail!(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::workload::{Trained as Network, Workload};
    use super::*;

    #[test]
    fn a_contender_that_cannot_be_started_gets_a_row_that_says_why() {
        let workload = Workload { network: Network::CatsDogs, batch: 32, precision: Precision::Bf16 };
        let [python, manifest] = ["/nowhere/python3", "manifest.json"].map(Path::new);
        let task = Task { workload, threads: 2, python, manifest };
        let settings =
            Settings { threads: 2, rounds: 1, turn_milliseconds: 0, photographs: 8, copies: 1, origin: None };
        let rows = measure(&[Contender::Torch], &task, &settings, &mut BTreeMap::new(), &|_| {});
        let [Row { outcome: Outcome::Refused(reason), .. }] = &rows[..] else { panic!("{rows:?}") };
        assert!(reason.starts_with("`/nowhere/python3` cannot be started"), "{reason}");
    }
}
