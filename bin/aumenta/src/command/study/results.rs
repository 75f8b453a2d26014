//! From the runs of a study to its report.

use anyhow::Result;
use aumenta_dataset::Split;
use aumenta_metrics::Measure;
use aumenta_report::{StudyReport, count, duration};
use aumenta_runs::RunFolder;
use aumenta_study::{Arm, ArmResult, Fate, Outcome, Queue, References, Status, StudyResult, TrialResult};
use toml::Value;

use super::Setup;
use super::protocol::differences;

/// The report of a study as far as it has come.
pub fn report(setup: &Setup, queue: &Queue) -> Result<StudyReport> {
    let Setup { config, folder, manifest, plans } = setup;
    let arms = config.arms()?;
    let arms =
        arms.iter().enumerate().map(|(index, arm)| arm_result(setup, queue, index, arm)).collect::<Result<_>>()?;
    let result = StudyResult::of(arms);
    let mut facts = facts(setup, queue)?;
    let mut outcomes = Vec::new();
    for outcome in &config.compare {
        match result.check(*outcome) {
            Ok(()) => outcomes.push(*outcome),
            Err(error) => {
                eprintln!("warning: {error}");
                facts.push(("not compared".to_string(), error.to_string()));
            }
        }
    }
    let path = folder.path().display();
    Ok(StudyReport {
        title: config.title.clone(),
        result,
        outcomes,
        facts,
        book: match config.references {
            Some(References::Book) => Some(differences(config, plans, manifest)?),
            None => None,
        },
        commands: vec![
            format!("aumenta study {path}/study.toml --out another-study"),
            format!("aumenta study --resume {path}   # to go on, or to write the report again"),
        ],
    })
}

fn arm_result(setup: &Setup, queue: &Queue, index: usize, arm: &Arm) -> Result<ArmResult> {
    let of_arm = queue.trials().iter().enumerate().filter(|(_, trial)| trial.arm == index);
    let trial = |(place, trial): (usize, &aumenta_study::Trial)| {
        let run = setup.folder.run(&trial.name);
        let (epochs, monitor) = match RunFolder::open(&run) {
            Ok(run) => (run.read_epochs()?, run.read_info()?.monitor),
            Err(_) => (Vec::new(), Measure::Accuracy),
        };
        let fate = match &queue.state(place).status {
            Status::Finished => Fate::Finished,
            Status::Failed { cause } => Fate::Failed { cause: cause.clone() },
            Status::Ended => Fate::Ended,
            Status::Pending | Status::Running => Fate::Unfinished,
        };
        Ok(TrialResult::new(trial.seed, fate, epochs, monitor, setup.config.reach))
    };
    let trials = of_arm.map(trial).collect::<Result<_>>()?;
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let settings = arm.settings.iter().map(|(key, value)| (key.clone(), shown(value))).collect();
    Ok(ArmResult::new(arm.name.clone(), settings, arm.against, trials))
}

/// What a reader must know of the data and of what all arms share.
fn facts(setup: &Setup, queue: &Queue) -> Result<Vec<(String, String)>> {
    let Setup { config, manifest, plans, .. } = setup;
    let images = |split| count(manifest.records(split).len() as u64);
    let (train, val) = (images(Split::Train), images(Split::Val));
    let classes = manifest.classes.len();
    let seeds: Vec<String> = config.seeds.iter().map(ToString::to_string).collect();
    let epochs: u64 = (0..queue.trials().len()).map(|trial| queue.state(trial).epochs as u64).sum();
    let mut facts = vec![
        ("data".to_string(), format!("{train} images to train on and {val} to validate, of {classes} classes")),
        ("manifest".to_string(), manifest.hash()),
        ("seeds".to_string(), seeds.join(", ")),
        ("trained".to_string(), format!("{} epochs in {} trials", count(epochs), queue.trials().len())),
    ];
    if let Some(plan) = plans.first() {
        let of = plan.config.model()?.clone().for_classes(classes).architecture()?;
        let parameters = count(of.summary().parameters() as u64);
        facts.push(("model of the first arm".to_string(), format!("{}, {parameters} parameters", of.name())));
    }
    if let Some(reach) = config.reach {
        facts.push((Outcome::EpochsToReach.title().to_string(), reach.to_string()));
    }
    if let Some(halving) = config.halving {
        let (first, factor) = (halving.first_epochs, halving.factor);
        let text = format!(
            "the first decision after {first} epochs, the next after {factor} times as many each; one in {factor} arms goes on"
        );
        facts.push(("successive halving".to_string(), text));
    }
    let spent: f64 = setup.folder.read_progress()?.seconds;
    facts.push(("time at work".to_string(), duration(spent)));
    Ok(facts)
}
