//! Interleaved measuring of operations: all contenders live at once, and those that have an operation take turns at it.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};

use super::contender::Contender;
use super::operation::Operation;
use super::protocol::{Answer, Ready, Timed, Turn};
use super::results::{Cell, Figures, Settings};
use crate::measure::turns;
use crate::outcome::Outcome;
use crate::process::Process;
use crate::protocol::Greeting;

/// The contenders under way.
pub struct Contest {
    settings: Settings,
    live: Vec<Live>,
    /// Contenders that did not start, and why.
    pub absent: BTreeMap<Contender, String>,
    /// What the others run on, by name.
    pub versions: BTreeMap<String, String>,
}

/// A contender that waits for turns.
struct Live {
    contender: Contender,
    process: Process,
    operations: Vec<Operation>,
}

/// A contender's cell under way.
struct Entry<'a> {
    live: &'a mut Live,
    passes: usize,
    state: Result<Figures>,
}

impl Contest {
    /// Starts `contenders` on the photographs in `folder`; `talk` hears of each.
    pub fn start(
        contenders: &[Contender],
        python: &Path,
        folder: &Path,
        settings: Settings,
        talk: &dyn Fn(&str),
    ) -> Self {
        let mut contest = Self { settings, live: Vec::new(), absent: BTreeMap::new(), versions: BTreeMap::new() };
        for &contender in contenders {
            talk(&format!("starting {}", contender.name()));
            match greet(contender, python, folder) {
                Ok((process, ready)) => {
                    contest.versions.extend(ready.versions);
                    contest.live.push(Live { contender, process, operations: ready.operations });
                }
                Err(error) => {
                    talk(&format!("{} is not measured: {error:#}", contender.name()));
                    contest.absent.insert(contender, format!("{error:#}"));
                }
            }
        }
        contest
    }

    /// The cells of `operation`, one for each contender that has it, in order.
    ///
    /// Each takes one pass that does not count and tells how many fill a turn. In each round every contender then takes a
    /// turn, beginning with another one each time.
    pub fn measure(&mut self, operation: Operation) -> Vec<Cell> {
        let settings = self.settings;
        let having = self.live.iter_mut().filter(|live| live.operations.contains(&operation));
        let mut entries: Vec<Entry<'_>> = having.map(|live| Entry::begin(live, operation, &settings)).collect();
        for round in 0..settings.rounds {
            for index in turns(entries.len(), round) {
                entries[index].take_round(operation, &settings);
            }
        }
        entries.into_iter().map(|entry| entry.cell(operation)).collect()
    }
}

/// Starts a contender and waits until it has read the photographs.
fn greet(contender: Contender, python: &Path, folder: &Path) -> Result<(Process, Ready)> {
    match Process::start(&mut contender.command(python, folder)?)? {
        (process, Greeting::Ready(ready)) => Ok((process, ready)),
        (_, Greeting::Refused(reason)) => bail!(reason),
    }
}

impl<'a> Entry<'a> {
    fn begin(live: &'a mut Live, operation: Operation, settings: &Settings) -> Self {
        let mut entry = Self { live, passes: 1, state: Ok(Figures { rounds: Vec::new(), mean_level: f64::NAN }) };
        match entry.turn(operation, settings) {
            Ok(timed) => entry.passes = passes(timed.seconds, settings.turn_milliseconds),
            Err(error) => entry.state = Err(error),
        }
        entry
    }

    fn take_round(&mut self, operation: Operation, settings: &Settings) {
        if self.state.is_err() {
            return;
        }
        let turn = self.turn(operation, settings);
        let pictures = (self.passes * settings.photographs) as f64;
        match (&mut self.state, turn) {
            (Ok(figures), Ok(timed)) => {
                figures.rounds.push(timed.seconds * 1e6 / pictures);
                figures.mean_level = timed.mean_level;
            }
            (state, Err(error)) => *state = Err(error),
            (Err(_), Ok(_)) => {}
        }
    }

    /// One turn after a pause, in which the process before comes to rest.
    fn turn(&mut self, operation: Operation, settings: &Settings) -> Result<Timed> {
        sleep(Duration::from_millis(settings.pause_milliseconds));
        match self.live.process.ask(&Turn { operation, passes: self.passes })? {
            Answer::Timed(timed) => Ok(timed),
            Answer::Refused(reason) => bail!(reason),
        }
    }

    fn cell(self, operation: Operation) -> Cell {
        let outcome = self.state.map_or_else(|error| Outcome::Refused(format!("{error:#}")), Outcome::Measured);
        Cell { operation, contender: self.live.contender, outcome }
    }
}

/// How many passes of `seconds` each last `milliseconds`.
fn passes(seconds: f64, milliseconds: u64) -> usize {
    // The bound stands for a pass too short to be timed at all.
    (milliseconds as f64 / 1000.0 / seconds).ceil().clamp(1.0, 10_000.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { rounds: 1, photographs: 1, turn_milliseconds: 0, pause_milliseconds: 0 };

    #[test]
    fn a_turn_is_filled_by_whole_passes() {
        assert_eq!(passes(0.010, 50), 5);
        assert_eq!(passes(0.011, 50), 5);
        assert_eq!(passes(2.0, 50), 1);
        assert_eq!(passes(0.0, 50), 10_000);
    }

    #[test]
    fn a_contender_that_cannot_be_started_is_absent_and_has_no_cell() {
        let python = Path::new("/nowhere/python3");
        let mut contest = Contest::start(&[Contender::Opencv], python, Path::new("."), SETTINGS, &|_| {});
        assert!(contest.absent[&Contender::Opencv].starts_with("`/nowhere/python3` cannot be started"));
        assert_eq!(contest.measure(Operation::WarpBytes), []);
    }
}
