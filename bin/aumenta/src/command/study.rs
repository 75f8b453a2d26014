//! `aumenta study`: arms times seeds, each trial an ordinary run, and a report of what they show and what they do not.

mod death;
mod plan;
mod preset;
mod protocol;
mod results;
mod runner;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use aumenta_dataset::{Amounts, MANIFEST_FILE, Manifest, PrepareConfig};
use aumenta_report::StudyReport;
use aumenta_runs::write_atomic_bytes;
use aumenta_study::{Base, Next, Outcome, Queue, Status, StudyConfig, StudyFolder, trials};
use toml::{Table, Value};

use self::plan::ArmPlan;
use self::preset::{Preset, Pretrained};
use self::runner::Runner;
use crate::command::split::split;
use crate::command::train::{named, rehearse};
use crate::config::{below, relative_to};
use crate::failure::{Advised, BadUse};
use crate::interrupt::{self, InterruptedStudy};
use crate::output::print;

/// Train arms with several seeds each, and report what makes a difference.
///
/// A study varies any settings of a training, and the number of training images and their wrong labels. Each trial is a run of
/// its own; one that fails is recorded and does not stop the rest. Ctrl-C ends a study with all that it has, and the same
/// command goes on with it.
#[derive(clap::Args)]
pub struct Args {
    /// A study's file, with any of: title, seeds, parallel, compare, reach, references; base (a training's settings, or the
    /// path of its file); tables budget, halving; and a grid or arms.
    #[arg(value_name = "FILE", required_unless_present_any = ["preset", "resume"], conflicts_with_all = ["preset", "resume"])]
    file: Option<PathBuf>,
    /// A study that is built in.
    #[arg(long, value_enum, conflicts_with = "resume")]
    preset: Option<Preset>,
    /// The folder of a study to go on with, or to report on again.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["data", "drawn", "out", "image_size"])]
    resume: Option<PathBuf>,
    /// The folder of the study [default: the name of the file or preset, in `studies`].
    #[arg(long)]
    out: Option<PathBuf>,
    /// The manifest, or the folder of it.
    #[arg(long, conflicts_with = "drawn")]
    data: Option<PathBuf>,
    /// Draw cats and dogs into the study's folder, so many of each class for training, validation and test.
    #[arg(
        long, value_name = "TRAIN,VAL,TEST", value_delimiter = ',', num_args = 0..=1, require_equals = true,
        default_missing_value = "150,200,200"
    )]
    drawn: Option<Vec<usize>>,
    /// The seeds that every arm is trained with, such as `1,2,3`.
    #[arg(long, value_delimiter = ',')]
    seeds: Option<Vec<u64>>,
    /// A file of weights: adds to the preset `lecture` a head on their features, the frozen base with augmentation, and its last
    /// blocks fine-tuned.
    #[arg(long, value_name = "FILE", requires = "preset")]
    weights: Option<PathBuf>,
    /// The network that the weights are of.
    #[arg(long, value_enum, requires = "weights", default_value = "efficientnet-lite0")]
    base: Pretrained,
    /// Passes of every trial over the training split.
    #[arg(long)]
    epochs: Option<usize>,
    /// The side of the network's input in pixels, for a model that can take several.
    #[arg(long)]
    image_size: Option<usize>,
    /// How many trials train at once, with the threads divided between them.
    #[arg(long)]
    parallel: Option<usize>,
    /// Begin no further trial once so many were begun.
    #[arg(long, value_name = "TRIALS")]
    max_trials: Option<usize>,
    /// Begin no further trial that would take the study beyond so many epochs.
    #[arg(long, value_name = "EPOCHS")]
    max_epochs: Option<usize>,
    /// Begin no further trial after so many minutes at work.
    #[arg(long, value_name = "MINUTES")]
    max_minutes: Option<f64>,
    /// The outcomes to speak of: `final-gap`, `late-validation`, `best-validation`, `final-validation`, `gap-at-best`,
    /// `area-between`, `lowest-loss`, `turn-epoch`, `epochs-to-reach` and others of the report.
    #[arg(long, value_delimiter = ',', value_parser = named::<Outcome>)]
    compare: Option<Vec<Outcome>>,
    /// Train those trials anew that have failed.
    #[arg(long)]
    retry_failed: bool,
    /// Print the study as a file to begin with, and train nothing.
    #[arg(long)]
    print: bool,
    /// Print the results as JSON.
    #[arg(long, conflicts_with = "print")]
    json: bool,
}

/// A study with all that it needs but its results.
struct Setup {
    folder: StudyFolder,
    config: StudyConfig,
    manifest: Manifest,
    plans: Vec<ArmPlan>,
}

impl Args {
    pub fn run(self) -> Result<()> {
        if self.print {
            let config = self.overridden(self.config()?.0)?;
            return print(&toml::to_string(&config)?);
        }
        let setup = self.setup()?;
        let mut runner = setup.runner(self.retry_failed)?;
        let last = runner.run(interrupt::flag()?)?;
        let (queue, left) = (&runner.queue, unfinished(&runner.queue).count());
        if interrupt::flag()?.load(std::sync::atomic::Ordering::Relaxed) && left > 0 {
            let folder = setup.folder.path().display().to_string();
            return Err(InterruptedStudy { left, folder }.into());
        }
        if last == Next::Spent {
            eprintln!("the budget is spent, with {left} trials to go");
        }
        let report = results::report(&setup, queue)?;
        report_on(setup.folder.path(), &report, self.json)?;
        match failure_of_all(queue) {
            Some(cause) => {
                let error = anyhow!("every trial failed, the first one thus: {cause}");
                Err(Advised::wrap(error, "once that is mended, --retry-failed trains them anew".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The study, and the folder that its paths are relative to.
    fn config(&self) -> Result<(StudyConfig, PathBuf)> {
        let folder_of = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
        match (&self.file, self.preset, &self.resume) {
            (Some(file), ..) => Ok((StudyConfig::read(file)?, folder_of(file))),
            (None, Some(preset), _) => {
                let mut config = preset.study(self.drawn.is_some())?;
                if let Some(weights) = &self.weights {
                    preset.add_transfer(&mut config, self.base, weights)?;
                }
                Ok((config, PathBuf::new()))
            }
            (None, None, Some(folder)) => {
                let path = folder.join("study.toml");
                Ok((StudyConfig::read(&path)?, folder.clone()))
            }
            (None, None, None) => unreachable!("the arguments need one of them"),
        }
    }

    /// The study with the given flags in place of its settings.
    fn overridden(&self, mut config: StudyConfig) -> Result<StudyConfig> {
        config.seeds = self.seeds.clone().unwrap_or(config.seeds);
        config.parallel = self.parallel.unwrap_or(config.parallel);
        config.compare = self.compare.clone().unwrap_or(config.compare);
        config.budget.trials = self.max_trials.or(config.budget.trials);
        config.budget.epochs = self.max_epochs.or(config.budget.epochs);
        config.budget.minutes = self.max_minutes.or(config.budget.minutes);
        if let Base::Settings(base) = &mut config.base {
            if let Some(epochs) = self.epochs {
                base.insert("epochs".to_string(), Value::from(epochs as i64));
            }
            if let Some(side) = self.image_size {
                aumenta_study::set(base, &("model.image-size".to_string(), Value::from(side as i64)))?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Reads, checks and writes down the study before anything is trained.
    fn setup(&self) -> Result<Setup> {
        let (config, from) = self.config()?;
        let out =
            self.resume.clone().or_else(|| self.out.clone()).unwrap_or_else(|| Path::new("studies").join(self.name()));
        let mut config = self.overridden(spelled_out(config, &from, &out)?)?;
        let folder = StudyFolder::open(&out)?;
        if let Some(data) = self.data(&folder)? {
            base_mut(&mut config)?
                .insert("data".to_string(), Value::String(relative_to(&data, &out)?.display().to_string()));
        }
        let manifest = manifest(base_mut(&mut config)?, &out)?;
        if let Some(preset) = self.preset {
            preset.fit(&mut config, &manifest);
        }
        let plans = plans(&mut config, &out, &manifest)?;
        let setup = Setup { folder, config, manifest, plans };
        setup.rehearse(self.retry_failed)?;
        setup.folder.write_config(&setup.config)?;
        Ok(setup)
    }

    /// What the study is called.
    fn name(&self) -> String {
        let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        self.preset
            .map(Preset::name)
            .or_else(|| self.file.as_ref().and_then(stem))
            .unwrap_or_else(|| "study".to_string())
    }

    /// The data that the flags name, drawn where that is asked for and not done yet.
    fn data(&self, folder: &StudyFolder) -> Result<Option<PathBuf>> {
        let Some(drawn) = &self.drawn else { return Ok(self.data.clone()) };
        let [train, val, test] = drawn[..] else {
            return Err(BadUse::message(
                "--drawn takes three numbers of images, such as --drawn=150,200,200".to_string(),
            ));
        };
        let out = folder.data(&format!("drawn-{train}-{val}-{test}"));
        if !out.join(MANIFEST_FILE).is_file() {
            let per_class = train + val + test;
            fs_err::create_dir_all(&out)?;
            let zip = out.join("cats-and-dogs.zip");
            eprintln!("drawing {per_class} cats and {per_class} dogs into {}", zip.display());
            aumenta_drawn::write_zip(&zip, per_class, preset::DRAWN_SIDE, preset::DRAWN_SEED)?;
            let amounts = Amounts::Counts { train, val, test: Some(test) };
            split(&zip, &out, &PrepareConfig { seed: preset::DRAWN_SEED, ..PrepareConfig::new(amounts) })?;
        }
        Ok(Some(out))
    }
}

impl Setup {
    /// Checks on this machine what each arm needs that is still to be trained: its files, its device and how exactly that
    /// computes. A study that only reports needs none of it.
    fn rehearse(&self, retry_failed: bool) -> Result<()> {
        let mut runner = self.runner(retry_failed)?;
        if !matches!(runner.queue.next(runner.seconds), Next::Train { .. }) {
            return Ok(());
        }
        let left: BTreeSet<usize> = unfinished(&runner.queue).map(|trial| runner.queue.trials()[trial].arm).collect();
        let arms = self.config.arms()?;
        for arm in left {
            let rehearsed = rehearse(&self.plans[arm].config);
            let refused = || format!("the arm `{}` cannot be trained", arms[arm].name);
            rehearsed.with_context(refused).map_err(BadUse::wrap)?;
        }
        Ok(())
    }

    fn runner(&self, retry_failed: bool) -> Result<Runner<'_>> {
        let arms = self.config.arms()?;
        let trials = trials(&arms, &self.config.seeds);
        let progress = self.folder.read_progress()?;
        let state = |trial: &aumenta_study::Trial| {
            let mut state = progress.trials.get(&trial.name).cloned().unwrap_or_default();
            let failed = matches!(state.status, Status::Failed { .. });
            // Whatever has trained it is gone, or it would hold the folder's lock.
            if state.status == Status::Running || (failed && retry_failed) {
                state.status = Status::Pending;
            }
            state
        };
        let states = trials.iter().map(state).collect();
        let epochs = self.plans.iter().map(ArmPlan::epochs).collect::<Result<_>>()?;
        let (halving, budget) = (self.config.halving, self.config.budget);
        Ok(Runner {
            folder: &self.folder,
            plans: &self.plans,
            manifest: &self.manifest,
            queue: Queue::new(trials, states, epochs, halving, budget),
            parallel: self.config.parallel,
            seconds: progress.seconds,
        })
    }
}

/// Trials that have not come to an end.
fn unfinished(queue: &Queue) -> impl Iterator<Item = usize> {
    let is_left = |trial: &usize| matches!(queue.state(*trial).status, Status::Pending | Status::Running);
    (0..queue.trials().len()).filter(is_left)
}

/// Why the first trial failed, where all of them did.
fn failure_of_all(queue: &Queue) -> Option<&str> {
    let causes = (0..queue.trials().len()).map(|trial| match &queue.state(trial).status {
        Status::Failed { cause } => Some(cause.as_str()),
        _ => None,
    });
    causes.collect::<Option<Vec<_>>>()?.first().copied()
}

/// The study with its base in it, whose paths, once relative to `from`, are relative to `out`.
fn spelled_out(mut config: StudyConfig, from: &Path, out: &Path) -> Result<StudyConfig> {
    let (mut base, base_from) = match config.base {
        Base::Settings(base) => (base, from.to_path_buf()),
        Base::File(file) => {
            let file = from.join(file);
            let text = fs_err::read_to_string(&file).map_err(BadUse::from_error)?;
            let base: Table = toml::from_str(&text)
                .with_context(|| format!("`{}` is no valid configuration", file.display()))
                .map_err(BadUse::wrap)?;
            (base, file.parent().unwrap_or(Path::new("")).to_path_buf())
        }
    };
    move_paths(&mut base, &base_from, out)?;
    move_paths(&mut config.grid, from, out)?;
    for arm in &mut config.arms {
        move_paths(&mut arm.set, from, out)?;
    }
    Ok(StudyConfig { base: Base::Settings(base), ..config })
}

/// Makes the paths of a training's settings relative to `out`; in a grid each is a list.
fn move_paths(settings: &mut Table, from: &Path, out: &Path) -> Result<()> {
    let moved = |value: Option<&mut Value>| -> Result<()> {
        let paths = match value {
            Some(Value::Array(paths)) => paths.iter_mut().collect(),
            path => Vec::from_iter(path),
        };
        for path in paths {
            if let Value::String(path) = path {
                *path = relative_to(&from.join(&*path), out)?.display().to_string();
            }
        }
        Ok(())
    };
    for key in ["data", "weights", "features", "cache-folder"] {
        moved(settings.get_mut(key))?;
    }
    moved(settings.get_mut("model").and_then(Value::as_table_mut).and_then(|model| model.get_mut("file")))
}

fn base_mut(config: &mut StudyConfig) -> Result<&mut Table> {
    match &mut config.base {
        Base::Settings(base) => Ok(base),
        Base::File(file) => Err(BadUse::message(format!("the study's base is still in `{}`", file.display()))),
    }
}

/// The data of the base, which all arms share.
fn manifest(base: &Table, out: &Path) -> Result<Manifest> {
    let data = base.get("data").and_then(Value::as_str).ok_or_else(|| {
        BadUse::message("the study has no `data`: set it in its base, or give --data or --drawn".to_string())
    })?;
    Ok(Manifest::read(&below(out, Path::new(data)))?)
}

/// How each arm is trained, all of it checked.
fn plans(config: &mut StudyConfig, out: &Path, manifest: &Manifest) -> Result<Vec<ArmPlan>> {
    let base = base_mut(config)?.clone();
    let plan = |arm| {
        let plan = ArmPlan::new(&base, out, &arm)?;
        plan.check(&arm, config, manifest)?;
        Ok(plan)
    };
    config.arms()?.into_iter().map(plan).collect()
}

/// Writes the report with its charts, and prints what it says.
pub fn report_on(folder: &Path, report: &StudyReport, json: bool) -> Result<()> {
    let write = |name: &str, content: &str| write_atomic_bytes(&folder.join(name), content.as_bytes());
    write("report.html", &report.to_html()?)?;
    write("report.md", &report.to_markdown())?;
    let numbers = format!("{:#}\n", report.to_json());
    write("report.json", &numbers)?;
    for chart in report.charts()? {
        write(&format!("{}.svg", chart.name), &chart.svg)?;
    }
    if json {
        return print(&numbers);
    }
    let path = folder.join("report.html");
    print(&format!("{}\nreport: {}\n", report.to_text(), path.display()))
}
