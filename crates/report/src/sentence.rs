//! What the numbers show, in words, and what they do not show.
//!
//! Nothing here is said because it was expected. Each claim rests on an interval: a gap or a rise counts as shown where
//! the 95% interval of the difference (Newcombe, 1998; see [`Estimate::minus`]) keeps off zero.

use std::cmp::Ordering;

use aumenta_metrics::{Estimate, Measure, Score, Z_95, wilson_interval};
use aumenta_runs::{EpochRecord, Evaluation, Scores};

use crate::number::{count, decimal};
use crate::summary::RunSummary;

/// What the runs show: whether the first one over-fits, and what each of the others changes against it.
///
/// A paragraph a run, of plain text not yet escaped for any format. A last paragraph says what the numbers cannot show:
/// there is one run each, with one seed.
pub fn conclusion(runs: &[RunSummary]) -> Vec<String> {
    let Some((first, others)) = runs.split_first() else {
        return vec!["There is no run to speak about.".to_owned()];
    };
    let paragraphs = [describe(first)].into_iter().chain(others.iter().map(|run| compare(first, run)));
    paragraphs.map(|sentences| sentences.join(" ")).chain([caution(runs)]).collect()
}

/// Where a run stands after its last epoch.
struct Ending {
    train: Estimate,
    validation: Estimate,
    gap: Estimate,
}

impl Ending {
    /// `None` where the run has no epoch or has diverged.
    fn of(run: &RunSummary) -> Option<Self> {
        let last = run.epochs.last()?;
        if diverged(last) {
            return None;
        }
        let (train, validation) = (estimate(&last.train), estimate(&last.validation));
        Some(Self { train, validation, gap: train.minus(validation) })
    }
}

fn diverged(epoch: &EpochRecord) -> bool {
    !(epoch.train.loss.is_finite() && epoch.train.accuracy.is_finite() && epoch.validation.accuracy.is_finite())
}

fn estimate(scores: &Scores) -> Estimate {
    let correct = (scores.accuracy * scores.images as f64).round() as u64;
    let (low, high) = wilson_interval(correct.min(scores.images), scores.images, Z_95);
    Estimate { value: scores.accuracy, low: low.min(scores.accuracy), high: high.max(scores.accuracy) }
}

/// What the first run does by itself.
fn describe(run: &RunSummary) -> Vec<String> {
    let name = &run.name;
    let Some(ending) = Ending::of(run) else {
        return vec![unfinished(run)];
    };
    let (train, validation, gap) = (short(ending.train), short(ending.validation), short(ending.gap));
    let mut sentences = Vec::new();
    if ending.gap.is_positive() {
        sentences.push(format!(
            "The {name} run fits its training images to {train} but reaches {validation} on validation: a gap of {gap} \
             at the end."
        ));
        sentences.extend(risen_loss(&run.epochs));
    } else if ending.gap.is_negative() {
        sentences.push(format!(
            "The {name} run ends at {train} on its training images and does better on validation, {validation}: no \
             over-fitting."
        ));
    } else {
        sentences.push(format!(
            "The {name} run ends at {train} on its training images and {validation} on validation: a gap of {gap}, too \
             small to show over-fitting with this many images."
        ));
    }
    sentences.extend(no_better_than_guessing(&ending, run.info.classes.len()));
    sentences
}

fn unfinished(run: &RunSummary) -> String {
    let name = &run.name;
    match run.epochs.iter().find(|epoch| diverged(epoch)) {
        Some(epoch) => format!("The {name} run diverged: from epoch {} on its loss is not a number.", epoch.epoch),
        None => format!("The {name} run has not finished an epoch."),
    }
}

/// Says so where the validation loss ends more than a tenth above its lowest.
fn risen_loss(epochs: &[EpochRecord]) -> Option<String> {
    let loss = |epoch: &EpochRecord| epoch.validation.loss;
    let finite = epochs.iter().filter(|epoch| loss(epoch).is_finite());
    let lowest = finite.min_by(|a, b| loss(a).partial_cmp(&loss(b)).unwrap_or(Ordering::Equal))?;
    let last = epochs.last().filter(|&last| loss(last) > 1.1 * loss(lowest))?;
    Some(format!(
        "Its validation loss was lowest after epoch {} ({}) and ends at {}.",
        lowest.epoch,
        decimal(loss(lowest), 2),
        decimal(loss(last), 2)
    ))
}

fn no_better_than_guessing(ending: &Ending, classes: usize) -> Option<String> {
    let guessing = 1.0 / classes as f64;
    let shown = ending.validation.low > guessing;
    (classes > 1 && !shown).then(|| {
        format!("That is not shown to be better than guessing among {classes} classes ({}).", decimal(guessing, 2))
    })
}

/// What another run changes against the first.
fn compare(first: &RunSummary, run: &RunSummary) -> Vec<String> {
    let name = &run.name;
    let Some(ending) = Ending::of(run) else {
        return vec![unfinished(run)];
    };
    if run.info.manifest.hash != first.info.manifest.hash {
        return vec![format!(
            "The {name} run used other data than the {} run (the hashes of their manifests differ), so the two are not \
             compared.",
            first.name
        )];
    }
    let Some(before) = Ending::of(first) else {
        return describe(run);
    };

    let gap = Change::of(ending.gap.minus(before.gap));
    let validation = Change::of(ending.validation.minus(before.validation));
    let gap_is_better = gap == Change::Falls;
    let joint = if gap_is_better == (validation == Change::Rises) { "and" } else { "but" };
    let mut sentences = vec![format!(
        "In the {name} run {} {joint} {}.",
        gap_clause(gap, &before, &ending),
        validation_clause(validation, &before, &ending)
    )];
    if gap_is_better && validation != Change::Rises {
        let (from, to) = (short(before.train), short(ending.train));
        sentences.push(format!("The gap is smaller because training accuracy ends at {to} instead of {from}."));
    }
    sentences.extend(no_better_than_guessing(&ending, run.info.classes.len()));
    if let (Some(before), Some(after)) = (&first.evaluation, &run.evaluation) {
        sentences.extend(compare_evaluations(&first.name, before, &run.name, after));
    }
    sentences
}

/// What a difference shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Rises,
    Falls,
    NotShown,
}

impl Change {
    fn of(difference: Estimate) -> Self {
        match (difference.is_positive(), difference.is_negative()) {
            (true, _) => Self::Rises,
            (_, true) => Self::Falls,
            _ => Self::NotShown,
        }
    }
}

fn gap_clause(change: Change, before: &Ending, after: &Ending) -> String {
    let (from, to) = (short(before.gap), short(after.gap));
    match change {
        Change::Falls if after.gap.is_positive() => format!("the gap narrows from {from} to {to}"),
        Change::Falls => format!("the gap closes from {from} to {to}"),
        Change::Rises => format!("the gap widens from {from} to {to}"),
        Change::NotShown => format!("no change of the gap is shown ({from} before, {to} now)"),
    }
}

fn validation_clause(change: Change, before: &Ending, after: &Ending) -> String {
    let (from, to) = (short(before.validation), short(after.validation));
    match change {
        Change::Rises => format!("validation accuracy rises from {from} to {to}"),
        Change::Falls => format!("validation accuracy falls from {from} to {to}"),
        Change::NotShown => format!("no difference in validation accuracy is shown ({from} before, {to} now)"),
    }
}

fn compare_evaluations(first: &str, before: &Evaluation, name: &str, after: &Evaluation) -> Option<String> {
    if before.split != after.split {
        return None;
    }
    let (of_before, of_after) = (evaluated(before)?, evaluated(after)?);
    let difference = of_after.minus(of_before);
    let verdict = match Change::of(difference) {
        Change::Rises => "better",
        Change::Falls => "worse",
        Change::NotShown => "no difference is shown",
    };
    Some(format!(
        "On the {} {} images the {name} run scores {} and the {first} run {}: {verdict} (95% interval of the difference \
         {} to {}).",
        count(after.images),
        after.split,
        decimal(of_after.value, 2),
        decimal(of_before.value, 2),
        decimal(difference.low, 2),
        decimal(difference.high, 2)
    ))
}

fn evaluated(evaluation: &Evaluation) -> Option<Estimate> {
    let Score { value, interval } = evaluation.score(Measure::Accuracy)?;
    interval.map(|(low, high)| Estimate { value, low, high })
}

/// What one run each cannot show.
fn caution(runs: &[RunSummary]) -> String {
    let same_seed = runs.iter().all(|run| run.info.seed == runs[0].info.seed);
    let basis = match (runs.len(), same_seed) {
        (1, _) => "One run, one seed".to_owned(),
        (_, true) => "One run each, one seed".to_owned(),
        (_, false) => "One run each, one seed each".to_owned(),
    };
    format!("{basis}: the intervals tell how far the images can mislead, not how far another seed would.")
}

/// Two digits, or three where two would claim perfection.
fn short(estimate: Estimate) -> String {
    let rounds_to_one = (0.995..1.0).contains(&estimate.value);
    decimal(estimate.value, if rounds_to_one { 3 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::{evaluation, run};

    const CAUTION: &str =
        "One run each, one seed: the intervals tell how far the images can mislead, not how far another seed would.";
    const OVERFIT: &str =
        "The plain run fits its training images to 0.99 but reaches 0.81 on validation: a gap of 0.18 at the end.";

    fn said(runs: &[RunSummary]) -> String {
        conclusion(runs).join(" ")
    }

    /// Checks what is said of one run that ends with these accuracies.
    #[track_caller]
    fn check_one(accuracies: &[(f64, f64)], expected: &str) {
        let text = said(&[run("plain", accuracies)]);
        assert_eq!(text, format!("{expected} {}", CAUTION.replace("One run each", "One run")));
    }

    /// Checks what is said of a second run beside one that over-fits, 0.99 to 0.81.
    #[track_caller]
    fn check_beside_overfit(augmented: (f64, f64), expected: &str) {
        let text = said(&[run("plain", &[(0.99, 0.81)]), run("augmented", &[augmented])]);
        assert_eq!(text, format!("{OVERFIT} {expected} {CAUTION}"));
    }

    #[test]
    fn overfitting_is_said_with_its_gap() {
        check_one(&[(0.99, 0.81)], OVERFIT);
    }

    #[test]
    fn a_validation_loss_that_rose_again_is_said() {
        check_one(
            &[(0.8, 0.78), (0.9, 0.84), (0.99, 0.81)],
            &format!("{OVERFIT} Its validation loss was lowest after epoch 2 (0.16) and ends at 0.19."),
        );
    }

    #[test]
    fn perfection_is_claimed_only_where_it_is_reached() {
        let start = |train| said(&[run("plain", &[(train, 0.81)])]).chars().take(44).collect::<String>();
        assert_eq!(start(0.997), "The plain run fits its training images to 0.");
        assert_eq!(start(1.0), "The plain run fits its training images to 1.");
    }

    #[test]
    fn a_small_gap_is_not_called_overfitting() {
        check_one(
            &[(0.83, 0.81)],
            "The plain run ends at 0.83 on its training images and 0.81 on validation: a gap of 0.02, too small to show \
             over-fitting with this many images.",
        );
    }

    #[test]
    fn doing_better_on_validation_is_not_overfitting() {
        check_one(
            &[(0.8, 0.86)],
            "The plain run ends at 0.80 on its training images and does better on validation, 0.86: no over-fitting.",
        );
    }

    #[test]
    fn guessing_is_called_guessing() {
        check_one(
            &[(0.51, 0.52)],
            "The plain run ends at 0.51 on its training images and 0.52 on validation: a gap of −0.01, too small to show \
             over-fitting with this many images. That is not shown to be better than guessing among 2 classes (0.50).",
        );
    }

    #[test]
    fn a_run_without_epochs_and_a_diverged_run_are_named() {
        check_one(&[], "The plain run has not finished an epoch.");
        check_one(&[(0.8, 0.8), (f64::NAN, 0.5)], "The plain run diverged: from epoch 2 on its loss is not a number.");
        assert_eq!(said(&[]), "There is no run to speak about.");
    }

    #[test]
    fn a_gap_that_closes_while_validation_rises() {
        check_beside_overfit(
            (0.89, 0.88),
            "In the augmented run the gap closes from 0.18 to 0.01 and validation accuracy rises from 0.81 to 0.88.",
        );
    }

    #[test]
    fn a_gap_that_only_narrows() {
        check_beside_overfit(
            (0.94, 0.87),
            "In the augmented run the gap narrows from 0.18 to 0.07 and validation accuracy rises from 0.81 to 0.87.",
        );
    }

    #[test]
    fn a_gap_that_closes_without_a_gain() {
        check_beside_overfit(
            (0.82, 0.815),
            "In the augmented run the gap closes from 0.18 to 0.01 but no difference in validation accuracy is shown (0.81 \
             before, 0.81 now). The gap is smaller because training accuracy ends at 0.82 instead of 0.99.",
        );
    }

    #[test]
    fn a_gap_that_closes_while_validation_falls() {
        check_beside_overfit(
            (0.66, 0.65),
            "In the augmented run the gap closes from 0.18 to 0.01 but validation accuracy falls from 0.81 to 0.65. The gap \
             is smaller because training accuracy ends at 0.66 instead of 0.99.",
        );
    }

    #[test]
    fn a_gap_that_stays() {
        check_beside_overfit(
            (0.99, 0.82),
            "In the augmented run no change of the gap is shown (0.18 before, 0.17 now) and no difference in validation \
             accuracy is shown (0.81 before, 0.82 now).",
        );
    }

    #[test]
    fn a_gap_that_widens_while_validation_falls() {
        check_beside_overfit(
            (0.99, 0.7),
            "In the augmented run the gap widens from 0.18 to 0.29 and validation accuracy falls from 0.81 to 0.70.",
        );
    }

    #[test]
    fn a_gain_without_a_smaller_gap() {
        let text = said(&[run("plain", &[(0.8, 0.7)]), run("augmented", &[(0.9, 0.8)])]);
        assert!(
            text.contains(
                "In the augmented run no change of the gap is shown (0.10 before, 0.10 now) but validation accuracy rises \
                 from 0.70 to 0.80."
            ),
            "{text}"
        );
    }

    #[test]
    fn few_images_show_no_difference() {
        let few = |name, train, validation| {
            let mut run = run(name, &[(train, validation)]);
            run.epochs[0].train.images = 100;
            run.epochs[0].validation.images = 50;
            run
        };
        let text = said(&[few("plain", 0.84, 0.8), few("augmented", 0.86, 0.88)]);
        assert!(text.contains("too small to show over-fitting"), "{text}");
        assert!(text.contains("no difference in validation accuracy is shown (0.80 before, 0.88 now)"), "{text}");
    }

    #[track_caller]
    fn check_evaluations(before: u64, after: u64, expected: &str) {
        let mut plain = run("plain", &[(0.99, 0.81)]);
        plain.evaluation = Some(evaluation(before));
        let mut augmented = run("augmented", &[(0.89, 0.88)]);
        augmented.evaluation = Some(evaluation(after));
        let text = said(&[plain, augmented]);
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn test_accuracies_are_compared_with_their_interval() {
        let on = "On the 1,000 test images the augmented run scores";
        check_evaluations(
            800,
            870,
            &format!("{on} 0.87 and the plain run 0.80: better (95% interval of the difference 0.04 to 0.10)."),
        );
        check_evaluations(
            870,
            800,
            &format!("{on} 0.80 and the plain run 0.87: worse (95% interval of the difference −0.10 to −0.04)."),
        );
        check_evaluations(
            800,
            810,
            &format!(
                "{on} 0.81 and the plain run 0.80: no difference is shown (95% interval of the difference −0.02 to 0.04)."
            ),
        );
    }

    #[test]
    fn runs_on_other_data_are_not_compared() {
        let mut other = run("augmented", &[(0.89, 0.88)]);
        other.info.manifest.hash = "other".to_owned();
        let text = said(&[run("plain", &[(0.99, 0.81)]), other]);
        assert!(text.contains("used other data than the plain run") && !text.contains("rises"), "{text}");
    }

    #[test]
    fn a_run_beside_a_diverged_one_is_described_by_itself() {
        let text = said(&[run("plain", &[(f64::NAN, 0.5)]), run("augmented", &[(0.99, 0.81)])]);
        assert!(text.contains("The plain run diverged"), "{text}");
        assert!(text.contains("The augmented run fits its training images to 0.99"), "{text}");
    }

    #[test]
    fn the_number_of_seeds_is_said() {
        let mut other = run("augmented", &[(0.89, 0.88)]);
        other.info.seed = 8;
        assert!(said(&[run("plain", &[(0.99, 0.81)]), other]).contains("One run each, one seed each:"));
    }

    #[test]
    fn impossible_counts_do_not_stop_a_report() {
        let mut odd = run("plain", &[(1.5, -0.5)]);
        odd.epochs[0].validation.images = 0;
        assert!(said(&[odd]).starts_with("The plain run"));
    }
}
