//! [`StudyResult`]: what came out, by arm and by comparison.

use std::collections::BTreeMap;

use aumenta_metrics::Measure;
use aumenta_runs::EpochRecord;
use serde::Serialize;

use crate::error::StudyError;
use crate::outcome::{Outcome, outcomes};
use crate::statistics::{ALPHA, Paired, Spread, holm};

/// One trial as it is summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrialResult {
    /// Its seed.
    pub seed: u64,
    /// What became of it.
    pub fate: Fate,
    /// What it came to.
    pub outcomes: BTreeMap<Outcome, f64>,
    /// Its epochs, oldest first.
    #[serde(skip)]
    pub epochs: Vec<EpochRecord>,
}

/// What became of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Fate {
    /// It has trained to its end.
    Finished,
    /// It ended with an error.
    Failed {
        /// Why.
        cause: String,
    },
    /// Halving has ended it.
    Ended,
    /// It has not come to its end: the study was interrupted, or its budget was spent.
    Unfinished,
}

/// One arm as it is summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArmResult {
    /// What it is called.
    pub name: String,
    /// The settings that differ from the base, as text.
    pub settings: Vec<(String, String)>,
    /// The index of the arm that it is compared with.
    pub against: Option<usize>,
    /// Its trials.
    pub trials: Vec<TrialResult>,
    /// Each outcome over the seeds of finished trials that have it.
    pub spreads: BTreeMap<Outcome, Spread>,
}

/// An arm compared with another one in one outcome, over the seeds that both have finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// The arm's index.
    pub arm: usize,
    /// The index of the arm that it is compared with.
    pub against: usize,
    /// What is compared.
    pub outcome: Outcome,
    /// The two compared seed by seed.
    pub paired: Paired,
    /// The p of the permutation test, corrected for all comparisons of the outcome.
    pub corrected_sign_flip_p: f64,
    /// The p of the t test, corrected for all comparisons of the outcome; missing where the test is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_t_p: Option<f64>,
    /// What the verdict rests on.
    pub basis: Basis,
    /// What is shown.
    pub verdict: Verdict,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The permutation test: there are seeds enough for it to find something among so many comparisons.
    SignFlip,
    /// The t test: there are too few seeds for the permutation test, whatever they say.
    T,
}

/// What a comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The arm has more.
    Higher,
    /// The arm has less.
    Lower,
    /// No difference is shown, which does not mean that there is none.
    NotShown,
}

/// What came out of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StudyResult {
    /// The arms, in their order.
    pub arms: Vec<ArmResult>,
    /// All comparisons, by outcome and arm.
    pub comparisons: Vec<Comparison>,
}

impl ArmResult {
    /// The arm of `trials`.
    pub fn new(
        name: impl Into<String>,
        settings: Vec<(String, String)>,
        against: Option<usize>,
        trials: Vec<TrialResult>,
    ) -> Self {
        let mut arm = Self { name: name.into(), settings, against, trials, spreads: BTreeMap::new() };
        let spread = |outcome: Outcome| Some((outcome, Spread::of(&arm.values(outcome))?.within(outcome.range())));
        arm.spreads = Outcome::ALL.into_iter().filter_map(spread).collect();
        arm
    }

    /// The trials that have come to their end.
    pub fn finished(&self) -> impl Iterator<Item = &TrialResult> {
        self.trials.iter().filter(|trial| trial.fate == Fate::Finished)
    }

    /// An outcome of each finished trial that has it.
    fn values(&self, outcome: Outcome) -> Vec<f64> {
        self.finished().filter_map(|trial| trial.outcomes.get(&outcome).copied()).collect()
    }

    /// The outcome with `seed`.
    fn value(&self, seed: u64, outcome: Outcome) -> Option<f64> {
        self.finished().find(|trial| trial.seed == seed)?.outcomes.get(&outcome).copied()
    }
}

impl TrialResult {
    /// A trial with what its epochs come to; `monitor` decides on the best one, and `reach` as in [`outcomes`].
    pub fn new(seed: u64, fate: Fate, epochs: Vec<EpochRecord>, monitor: Measure, reach: Option<f64>) -> Self {
        Self { seed, fate, outcomes: outcomes(&epochs, monitor, reach), epochs }
    }
}

impl StudyResult {
    /// What `arms` come to, each compared with the arm that it says, over the seeds that both have finished.
    pub fn of(arms: Vec<ArmResult>) -> Self {
        let comparisons = Outcome::ALL.into_iter().flat_map(|outcome| compare(&arms, outcome)).collect();
        Self { arms, comparisons }
    }

    /// The comparison of an arm in one outcome; `None` where it is not compared or no seed has finished in both.
    pub fn comparison(&self, arm: usize, outcome: Outcome) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| comparison.arm == arm && comparison.outcome == outcome)
    }

    /// Checks that trials have an outcome that is to be spoken of. Where no trial has any, there is nothing to check.
    ///
    /// # Errors
    /// [`StudyError::NoOutcome`] where none has it.
    pub fn check(&self, outcome: Outcome) -> Result<(), StudyError> {
        let has = |outcome: &Outcome| self.arms.iter().any(|arm| arm.spreads.contains_key(outcome));
        let known: Vec<Outcome> = Outcome::ALL.into_iter().filter(has).collect();
        if known.is_empty() || known.contains(&outcome) {
            return Ok(());
        }
        let known = known.into_iter().map(Outcome::name).map(str::to_string).collect();
        Err(StudyError::NoOutcome { outcome: outcome.name().to_string(), known })
    }
}

/// All comparisons of one outcome, corrected together.
fn compare(arms: &[ArmResult], outcome: Outcome) -> Vec<Comparison> {
    let pairs = |arm: &ArmResult, against: &ArmResult| -> Vec<(f64, f64)> {
        let both = |trial: &TrialResult| Some((against.value(trial.seed, outcome)?, arm.value(trial.seed, outcome)?));
        arm.trials.iter().filter_map(both).collect()
    };
    let paired = |(index, arm): (usize, &ArmResult)| {
        let against = arm.against?;
        Some((index, against, Paired::of(&pairs(arm, &arms[against]))?.within(outcome.difference_range())))
    };
    let found: Vec<(usize, usize, Paired)> = arms.iter().enumerate().filter_map(paired).collect();
    let corrected = holm(&found.iter().map(|(_, _, paired)| paired.sign_flip.p).collect::<Vec<_>>());
    let corrected_t = holm(&found.iter().map(|(_, _, paired)| paired.t_p.unwrap_or(1.0)).collect::<Vec<_>>());
    let basis = basis(&found);
    let comparison = |(((arm, against, paired), sign_flip_p), t_p): (((usize, usize, Paired), f64), f64)| Comparison {
        arm,
        against,
        outcome,
        corrected_sign_flip_p: sign_flip_p,
        corrected_t_p: paired.t_p.map(|_| t_p),
        basis,
        verdict: verdict(&paired, if basis == Basis::SignFlip { sign_flip_p } else { t_p }),
        paired,
    };
    found.into_iter().zip(corrected).zip(corrected_t).map(comparison).collect()
}

/// The permutation test, where it could find a difference in each comparison after the correction.
fn basis(comparisons: &[(usize, usize, Paired)]) -> Basis {
    let least = comparisons.iter().map(|(_, _, paired)| paired.sign_flip.least_p).fold(0.0, f64::max);
    if least * comparisons.len() as f64 <= ALPHA { Basis::SignFlip } else { Basis::T }
}

fn verdict(paired: &Paired, p: f64) -> Verdict {
    if p > ALPHA || paired.difference == 0.0 {
        Verdict::NotShown
    } else if paired.difference > 0.0 {
        Verdict::Higher
    } else {
        Verdict::Lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::epochs;

    /// An arm whose trials end with these accuracies, (training, validation), with seeds from 1.
    fn arm(name: &str, against: Option<usize>, endings: &[(f64, f64)]) -> ArmResult {
        let trial = |(seed, ending): (u64, &(f64, f64))| {
            TrialResult::new(seed, Fate::Finished, epochs(&[(0.5, 0.5), *ending]), Measure::Accuracy, None)
        };
        ArmResult::new(name, Vec::new(), against, (1..).zip(endings).map(trial).collect())
    }

    fn plain() -> ArmResult {
        arm("plain", None, &[(0.98, 0.72), (0.97, 0.73), (0.99, 0.71)])
    }

    #[test]
    fn arms_are_compared_over_the_seeds_that_both_have_finished() {
        let mut dropout = arm("dropout", Some(0), &[(0.9, 0.75), (0.89, 0.76), (0.9, 0.74)]);
        dropout.trials[1].fate = Fate::Failed { cause: "no memory".into() };
        let result = StudyResult::of(vec![plain(), dropout]);
        let comparison = result.comparison(1, Outcome::FinalGap).unwrap();
        assert_eq!(comparison.paired.pairs, 2);
        assert!(result.comparison(0, Outcome::FinalGap).is_none());
    }

    #[test]
    fn no_interval_goes_beyond_what_the_outcome_can_be() {
        let arms = vec![
            arm("low", None, &[(0.05, 0.02), (0.0, 0.01), (0.3, 0.0)]),
            arm("high", Some(0), &[(0.9, 1.0), (1.0, 0.9), (0.5, 0.95)]),
        ];
        let result = StudyResult::of(arms);
        for (arm, outcome) in (0..2).flat_map(|arm| Outcome::ALL.map(|outcome| (&result.arms[arm], outcome))) {
            let Some(interval) = arm.spreads.get(&outcome).and_then(|spread| spread.interval) else { continue };
            let (low, high) = outcome.range();
            assert!(low <= interval.low && interval.high <= high, "{outcome:?} {interval:?}");
        }
        let interval = |arm: usize, outcome| result.arms[arm].spreads[&outcome].interval.unwrap();
        assert_eq!(interval(0, Outcome::FinalTrain).low, 0.0);
        assert_eq!(interval(1, Outcome::FinalValidation).high, 1.0);
        assert!(interval(0, Outcome::FinalGap).low < 0.0);
        assert_eq!(result.comparison(1, Outcome::FinalTrain).unwrap().paired.interval.unwrap().high, 1.0);
    }

    #[test]
    fn few_seeds_rest_on_the_t_test_and_many_on_permutations() {
        let endings: Vec<(f64, f64)> = (0..7).map(|seed| (0.9 + 0.001 * f64::from(seed), 0.7)).collect();
        let better: Vec<(f64, f64)> =
            endings.iter().map(|(train, validation)| (0.81 - 0.1 * (train - 0.9), *validation)).collect();
        let of = |seeds: usize| {
            let arms = vec![arm("plain", None, &endings[..seeds]), arm("dropout", Some(0), &better[..seeds])];
            let comparison = StudyResult::of(arms).comparison(1, Outcome::FinalGap).unwrap().clone();
            (comparison.basis, comparison.verdict)
        };
        assert_eq!(of(3), (Basis::T, Verdict::Lower));
        assert_eq!(of(7), (Basis::SignFlip, Verdict::Lower));
    }

    #[test]
    fn several_comparisons_are_corrected() {
        let close = arm("close", Some(0), &[(0.98, 0.73), (0.97, 0.74), (0.99, 0.705)]);
        let arms = vec![plain(), close.clone(), close.clone(), close];
        let result = StudyResult::of(arms);
        let comparison = result.comparison(1, Outcome::FinalValidation).unwrap();
        assert_eq!(comparison.verdict, Verdict::NotShown);
        assert_eq!(comparison.corrected_t_p, comparison.paired.t_p.map(|p| (3.0 * p).min(1.0)));
    }

    #[test]
    fn one_seed_shows_nothing() {
        let result = StudyResult::of(vec![arm("a", None, &[(0.9, 0.7)]), arm("b", Some(0), &[(0.7, 0.7)])]);
        let comparison = result.comparison(1, Outcome::FinalGap).unwrap();
        assert_eq!((comparison.verdict, comparison.corrected_t_p), (Verdict::NotShown, None));
    }

    #[test]
    fn an_outcome_that_no_trial_has_is_refused_by_name() {
        let result = StudyResult::of(vec![plain()]);
        let message = result.check(Outcome::BestMonitored).unwrap_err().to_string();
        assert!(message.starts_with("no trial has the outcome `best-monitored`; they have: `best-validation`"));
        assert!(result.check(Outcome::FinalGap).is_ok());
        assert!(StudyResult::of(Vec::new()).check(Outcome::FinalGap).is_ok());
    }

    #[test]
    fn ended_and_unfinished_trials_are_in_no_spread() {
        let mut plain = plain().trials;
        plain[0].fate = Fate::Ended;
        plain[1].fate = Fate::Unfinished;
        let arm = ArmResult::new("plain", Vec::new(), None, plain);
        assert_eq!(arm.spreads[&Outcome::FinalGap].count, 1);
    }
}
