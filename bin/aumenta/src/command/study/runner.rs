//! [`Runner`]: carries out what the queue decides. Each trial is a process of its own, `aumenta train`, so that one that dies
//! takes nothing with it.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use aumenta_dataset::{MANIFEST_FILE, Manifest};
use aumenta_report::{count, duration};
use aumenta_runs::{EpochRecord, RunFolder, best_epoch, write_atomic_bytes};
use aumenta_seed::Seed;
use aumenta_study::{Next, Progress, Queue, Status, StudyFolder};
use fs_err::OpenOptions;
use serde_json::json;

use super::death::cause_of_death;
use super::plan::ArmPlan;
use crate::config::Config;
use crate::interrupt::EXIT_CODE;

/// How often processes are looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a training has to end by itself once the study is asked to: it may not have heard, and every epoch that it has
/// finished is kept in any case.
const GRACE: Duration = Duration::from_secs(20);

/// Trains the trials of a study.
pub struct Runner<'a> {
    pub folder: &'a StudyFolder,
    pub plans: &'a [ArmPlan],
    /// The data as all arms have them, unless their plan changes them.
    pub manifest: &'a Manifest,
    pub queue: Queue,
    pub parallel: usize,
    /// Seconds that the study has been at work before.
    pub seconds: f64,
}

/// A trial under way.
struct Process {
    trial: usize,
    until: Option<usize>,
    child: Child,
    since: Instant,
}

impl Runner<'_> {
    /// Trains until nothing is left, the budget is spent, or `asked` says to end. What the queue says then.
    pub fn run(&mut self, asked: &AtomicBool) -> Result<Next> {
        let (begun, before) = (Instant::now(), self.seconds);
        for trial in 0..self.queue.trials().len() {
            // Where a study was killed, its runs know better than its record.
            self.measure(trial)?;
        }
        let mut processes: Vec<Process> = Vec::new();
        let mut asked_at: Option<Instant> = None;
        let last = loop {
            self.seconds = before + begun.elapsed().as_secs_f64();
            let mut next = self.queue.next(self.seconds);
            while let (Next::Train { trial, until }, None) = (&next, asked_at)
                && processes.len() < self.parallel
            {
                processes.extend(self.start(*trial, *until)?);
                next = self.queue.next(self.seconds);
            }
            if processes.is_empty() && (asked_at.is_some() || !matches!(next, Next::Train { .. } | Next::Wait)) {
                break next;
            }
            self.reap(&mut processes, asked_at)?;
            if asked.load(Ordering::Relaxed) {
                asked_at = asked_at.or_else(|| Some(Instant::now()));
            }
            sleep(GLANCE);
        };
        self.write_progress()?;
        Ok(last)
    }

    /// Starts a trial, or takes it up where it was; nothing where it fails before it has begun.
    fn start(&mut self, trial: usize, until: Option<usize>) -> Result<Option<Process>> {
        let started = self.spawn(trial, until);
        let state = self.queue.state_mut(trial);
        let process = match started {
            Ok(child) => {
                state.status = Status::Running;
                Some(Process { trial, until, child, since: Instant::now() })
            }
            Err(error) => {
                state.status = Status::Failed { cause: format!("{error:#}") };
                self.say(trial, &format!("could not be started: {error:#}"));
                None
            }
        };
        self.write_progress()?;
        Ok(process)
    }

    fn spawn(&self, trial: usize, until: Option<usize>) -> Result<Child> {
        let name = &self.queue.trials()[trial].name;
        let (folder, run) = (self.folder.trial(name), self.folder.run(name));
        fs_err::create_dir_all(&folder)?;
        let can_go_on =
            RunFolder::open(&run).is_ok_and(|run| run.snapshot_steps().is_ok_and(|steps| !steps.is_empty()));
        let mut command = Command::new(std::env::current_exe().context("cannot find the program itself")?);
        command.arg("train");
        if can_go_on {
            command.arg("--resume").arg(&run);
        } else {
            if run.exists() {
                fs_err::remove_dir_all(&run)?;
            }
            command.arg("--config").arg(self.write_trial(trial)?);
        }
        let plan = &self.plans[self.queue.trials()[trial].arm];
        if let Some(epochs) = until.or(plan.epochs()?) {
            command.args(["--epochs", &epochs.to_string()]);
        }
        let threads = self.threads();
        if plan.config.workers.is_none() {
            command.args(["--workers", &threads.to_string()]);
        }
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log.txt"))?.into_parts().0;
        // The lock goes with the process: as long as one lives, no other study can take the folder.
        command.stdin(Stdio::from(self.folder.lock()?)).stdout(log.try_clone()?).stderr(log);
        command.env("RAYON_NUM_THREADS", threads.to_string()).env("NO_COLOR", "1");
        command.spawn().context("cannot start the training")
    }

    /// The threads of each trial.
    fn threads(&self) -> usize {
        (available_parallelism().map_or(1, usize::from) / self.parallel).max(1)
    }

    /// Writes the configuration of a trial, and the data that it needs.
    fn write_trial(&self, trial: usize) -> Result<std::path::PathBuf> {
        let trial = &self.queue.trials()[trial];
        let plan = &self.plans[trial.arm];
        let mut config = Config { seed: trial.seed, run: Some(self.folder.run(&trial.name)), ..plan.config.clone() };
        if !plan.data.is_neutral() {
            config.data = Some(self.write_data(plan, trial.seed)?);
        }
        let folder = self.folder.trial(&trial.name);
        let path = folder.join("trial.toml");
        write_atomic_bytes(&path, config.to_toml(&folder)?.as_bytes())?;
        Ok(path)
    }

    /// The folder of the arm's data with `seed`, made where it is not there yet; the manifest is written last.
    fn write_data(&self, plan: &ArmPlan, seed: u64) -> Result<std::path::PathBuf> {
        let folder = self.folder.data(&plan.data.name(seed));
        let path = folder.join(MANIFEST_FILE);
        if !path.is_file() {
            let (manifest, flipped) = plan.data.apply(self.manifest, Seed::new(seed))?;
            fs_err::create_dir_all(&folder)?;
            let noise =
                json!({ "of": self.manifest.hash(), "seed": seed, "classes": manifest.classes, "flipped": flipped });
            write_atomic_bytes(&folder.join("label-noise.json"), format!("{noise:#}\n").as_bytes())?;
            manifest.write(&path)?;
        }
        Ok(folder)
    }

    /// Looks at all processes, and ends those that have had their grace.
    fn reap(&mut self, processes: &mut Vec<Process>, asked_at: Option<Instant>) -> Result<()> {
        let mut alive = Vec::new();
        for mut process in processes.drain(..) {
            if asked_at.is_some_and(|asked_at| asked_at.elapsed() > GRACE) {
                process.child.kill()?;
            }
            match process.child.try_wait()? {
                Some(status) => self.ended(&process, status, asked_at.is_some())?,
                None => alive.push(process),
            }
        }
        *processes = alive;
        Ok(())
    }

    /// Notes how a trial has ended.
    fn ended(&mut self, process: &Process, exit: std::process::ExitStatus, asked: bool) -> Result<()> {
        let (trial, name) = (process.trial, self.queue.trials()[process.trial].name.clone());
        let epochs = self.measure(trial)?;
        let own = self.plans[self.queue.trials()[trial].arm].epochs()?;
        let reached = epochs.last().map_or(0, |epoch| epoch.epoch);
        let stopped_early = process.until.is_some_and(|until| reached < until);
        let status = if exit.success() {
            let is_over = process.until.is_none() || stopped_early || own.is_some_and(|own| reached >= own);
            if is_over { Status::Finished } else { Status::Pending }
        } else if asked {
            Status::Pending
        } else if exit.code() == Some(EXIT_CODE.into()) {
            Status::Failed { cause: "it was interrupted by someone else than the study".to_string() }
        } else {
            Status::Failed { cause: cause_of_death(exit, &self.folder.trial(&name).join("log.txt")) }
        };
        self.queue.state_mut(trial).status = status;
        self.write_progress()?;
        let time = duration(process.since.elapsed().as_secs_f64());
        match (&self.queue.state(trial).status, epochs.last()) {
            (Status::Failed { cause }, _) => self.say(trial, &format!("failed: {cause}")),
            (_, Some(last)) => {
                let (accuracy, gap) = (last.validation.accuracy, last.gap());
                let of = own.map_or_else(String::new, |own| format!(" of {}", count(own as u64)));
                self.say(trial, &format!("epoch {reached}{of}, validation {accuracy:.3}, gap {gap:+.3}, {time}"));
            }
            (_, None) => self.say(trial, "has not finished an epoch"),
        }
        Ok(())
    }

    /// Notes how many epochs a trial has trained and how good it is; its epochs.
    fn measure(&mut self, trial: usize) -> Result<Vec<EpochRecord>> {
        let run = self.folder.run(&self.queue.trials()[trial].name);
        let Ok(run) = RunFolder::open(&run) else { return Ok(Vec::new()) };
        let (epochs, monitor) = (run.read_epochs()?, run.read_info()?.monitor);
        let state = self.queue.state_mut(trial);
        state.epochs = epochs.last().map_or(0, |epoch| epoch.epoch);
        let best = best_epoch(&epochs, monitor).map(|best| best.merit(monitor).value).filter(|value| value.is_finite());
        state.merit = best.map(|value| if monitor.higher_is_better() { value } else { -value });
        Ok(epochs)
    }

    fn say(&self, trial: usize, what: &str) {
        let over = |state: &&Status| matches!(state, Status::Finished | Status::Failed { .. } | Status::Ended);
        let trials = self.queue.trials();
        let done = (0..trials.len()).map(|trial| &self.queue.state(trial).status).filter(over).count();
        eprintln!("[{done}/{}] {}: {what}", trials.len(), trials[trial].name);
    }

    fn write_progress(&self) -> Result<()> {
        let states = self.queue.trials().iter().enumerate();
        let trials = states.map(|(index, trial)| (trial.name.clone(), self.queue.state(index).clone())).collect();
        Ok(self.folder.write_progress(&Progress { seconds: self.seconds, trials, ..Progress::default() })?)
    }
}
