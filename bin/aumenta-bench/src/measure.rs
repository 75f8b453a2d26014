//! Interleaved measuring: all contenders live at once and take turns, so that whatever slows the machine for a while slows
//! them all.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::contender::{Contender, Task};
use crate::outcome::Outcome;
use crate::process::Process;
use crate::protocol::{Greeting, Ready};
use crate::results::{Figures, Row, Settings};
use crate::statistics::median;

/// Measures `entries` against each other; their rows, in order. Versions that they run on are added to `versions`, and
/// `talk` hears how it goes.
///
/// In each round every contender takes its steps, beginning with another one each time. An entry that fails gets a row
/// that says why, and the others go on.
pub fn measure(
    entries: &[(Contender, Task<'_>)],
    settings: &Settings,
    versions: &mut BTreeMap<String, String>,
    talk: &dyn Fn(&str),
) -> Vec<Row> {
    let mut runners: Vec<Runner<'_>> = entries.iter().map(|entry| Runner::start(entry, versions, talk)).collect();
    for runner in &mut runners {
        runner.turn(settings.warm_up, settings.pause);
    }
    for round in 0..settings.rounds {
        talk(&format!("round {} of {}", round + 1, settings.rounds));
        for index in turns(runners.len(), round) {
            runners[index].take_round(settings);
        }
    }
    runners.into_iter().map(Runner::row).collect()
}

/// The order in which `count` contenders take their turns in a round.
pub fn turns(count: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (turn + round) % count)
}

/// An entry under way, or why it is not.
struct Runner<'a> {
    entry: &'a (Contender, Task<'a>),
    state: Result<Live>,
}

/// A contender that takes steps, and what it took so far.
struct Live {
    process: Process,
    baseline_kib: u64,
    rounds: Vec<f64>,
}

impl<'a> Runner<'a> {
    fn start(entry: &'a (Contender, Task<'a>), versions: &mut BTreeMap<String, String>, talk: &dyn Fn(&str)) -> Self {
        let (contender, task) = entry;
        talk(&format!("{}, batch {}: starting {}", task.network.name(), task.batch, contender.name()));
        let state = greet(*contender, task).map(|(process, ready)| {
            versions.extend(ready.versions);
            Live { process, baseline_kib: ready.baseline_kib, rounds: Vec::new() }
        });
        if let Err(error) = &state {
            talk(&format!("{} is not measured: {error:#}", contender.name()));
        }
        Self { entry, state }
    }

    fn take_round(&mut self, settings: &Settings) {
        let time = self.turn(settings.steps, settings.pause);
        if let (Ok(live), Some(time)) = (&mut self.state, time) {
            live.rounds.push(time);
        }
    }

    /// Takes `steps` steps after a pause of `pause` milliseconds, in which the threads of the one before fall asleep; the
    /// median of their milliseconds.
    fn turn(&mut self, steps: usize, pause: u64) -> Option<f64> {
        let live = self.state.as_mut().ok()?;
        sleep(Duration::from_millis(pause));
        match live.process.steps(steps) {
            Ok(milliseconds) => Some(median(&milliseconds)),
            Err(error) => {
                self.state = Err(error);
                None
            }
        }
    }

    fn row(self) -> Row {
        let (contender, Task { network, batch, .. }) = *self.entry;
        let figures = self.state.and_then(|Live { process, baseline_kib, rounds }| {
            Ok(Figures { rounds, peak_kib: process.peak_kib()?, baseline_kib })
        });
        let outcome = figures.map_or_else(|error| Outcome::Refused(format!("{error:#}")), Outcome::Measured);
        Row { contender, network, batch, outcome }
    }
}

/// Starts a contender and checks that it has the network that is asked for.
fn greet(contender: Contender, task: &Task<'_>) -> Result<(Process, Ready)> {
    let (process, greeting) = Process::start::<Ready>(&mut contender.command(task)?)?;
    let ready = match greeting {
        Greeting::Ready(ready) => ready,
        Greeting::Refused(reason) => bail!(reason),
    };
    let expected = task.network.parameters();
    if ready.parameters != expected {
        bail!("its network has {} parameters, not {expected}: it is another network", ready.parameters);
    }
    Ok((process, ready))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::network::Network;

    #[test]
    fn every_round_begins_with_the_next_contender_and_has_each_once() {
        let orders: Vec<Vec<usize>> = (0..4).map(|round| turns(3, round).collect()).collect();
        assert_eq!(orders, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
        assert_eq!(turns(0, 2).count(), 0);
    }

    #[test]
    fn a_contender_that_cannot_be_started_gets_a_row_that_says_why() {
        let task = Task { network: Network::Mnist, batch: 20, threads: 2, python: Path::new("/nowhere/python3") };
        let settings = Settings { threads: 2, rounds: 1, steps: 1, warm_up: 1, pause: 0 };
        let rows = measure(&[(Contender::Keras, task)], &settings, &mut BTreeMap::new(), &|_| {});
        let [Row { outcome: Outcome::Refused(reason), .. }] = &rows[..] else { panic!("{rows:?}") };
        assert!(reason.starts_with("`/nowhere/python3` cannot be started"), "{reason}");
    }
}
