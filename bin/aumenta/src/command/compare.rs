//! `aumenta compare`: the statistics and curves of a study for runs that were made by hand.

mod arms;

use std::path::PathBuf;

use anyhow::Result;
use aumenta_metrics::Measure;
use aumenta_report::StudyReport;
use aumenta_runs::{EpochRecord, RunFolder, RunInfo};
use aumenta_study::{ArmResult, Fate, Outcome, StudyResult, TrialResult};

use self::arms::{Grouped, group};
use crate::command::study::report_on;
use crate::command::train::named;
use crate::config::Config;
use crate::failure::BadUse;
use crate::output::print;

/// Compare runs: over their seeds where there are several, with curves and paired tests as a study has them.
///
/// Runs whose configurations differ in their seed alone are one arm. The first run's arm is the one that others are compared
/// with, over the seeds that both have, on the same validation images.
#[derive(clap::Args)]
pub struct Args {
    /// The folders of the runs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The folder for report.html, report.md, report.json and the charts as SVG; none where it is not set.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The outcomes to speak of: `final-gap`, `late-validation`, `best-validation` and others of the report.
    #[arg(long, value_delimiter = ',', value_parser = named::<Outcome>, default_value = "final-gap,late-validation")]
    compare: Vec<Outcome>,
    /// The validation accuracy whose first epoch is looked for.
    #[arg(long, value_name = "ACCURACY")]
    reach: Option<f64>,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

/// A run with all that a comparison looks at.
struct Run {
    path: PathBuf,
    info: RunInfo,
    config: Config,
    epochs: Vec<EpochRecord>,
    /// The content of the validation images with their classes; the manifest's hash where that is out of reach.
    validation: String,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let runs = self.runs.iter().map(Run::read).collect::<Result<Vec<Run>>>()?;
        let report = self.report(&runs)?;
        match &self.out {
            Some(out) => {
                fs_err::create_dir_all(out)?;
                report_on(out, &report, self.json)
            }
            None if self.json => print(&format!("{:#}\n", report.to_json())),
            None => print(&report.to_text()),
        }
    }

    fn report(&self, runs: &[Run]) -> Result<StudyReport> {
        let grouped = group(runs)?;
        let others = grouped.iter().filter(|arm| !arm.is_comparable).map(|arm| arm.name.clone());
        let others: Vec<String> = others.collect();
        let result = StudyResult::of(grouped.into_iter().enumerate().map(|arm| self.arm(arm)).collect());
        for outcome in &self.compare {
            result.check(*outcome).map_err(BadUse::from_error)?;
        }
        let paths: Vec<String> = self.runs.iter().map(|path| path.display().to_string()).collect();
        let mut facts = Vec::new();
        if !others.is_empty() {
            let text = format!("{}: other validation images than the first run", others.join(", "));
            facts.push(("not compared".to_string(), text));
        }
        Ok(StudyReport {
            title: format!("{} runs compared", runs.len()),
            result,
            outcomes: self.compare.clone(),
            facts,
            book: None,
            commands: vec![format!("aumenta compare {}", paths.join(" "))],
        })
    }

    fn arm(&self, (index, arm): (usize, Grouped<'_>)) -> ArmResult {
        let trial = |run: &&Run| {
            let monitor: Measure = run.info.monitor;
            let fate = if run.epochs.is_empty() { Fate::Unfinished } else { Fate::Finished };
            TrialResult::new(run.info.seed, fate, run.epochs.clone(), monitor, self.reach)
        };
        let against = (index > 0 && arm.is_comparable).then_some(0);
        ArmResult::new(arm.name, arm.settings, against, arm.runs.iter().map(trial).collect())
    }
}

impl Run {
    fn read(path: &PathBuf) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        let (info, epochs) = (folder.read_info()?, folder.read_epochs()?);
        let config = Config::read(&folder.config_path())?;
        let validation = arms::validation_images(&path.join(&info.manifest.path), &info);
        Ok(Self { path: path.clone(), info, config, epochs, validation })
    }
}
