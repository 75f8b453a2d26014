//! What a study shows, in words, and what it does not show.

use aumenta_study::{
    ArmResult, Basis, Comparison, Fate, IntervalMethod, Outcome, Paired, Spread, StudyResult, Verdict,
};

use crate::number::{decimal, probability};

/// At most so many arms are spoken of one by one; of more, those with a difference.
const ONE_BY_ONE: usize = 6;

/// What the arms come to in `outcomes`: a paragraph for the arm that the others are compared with, one for each outcome, and
/// then what the numbers rest on. Plain text, not yet escaped for any format.
pub fn findings(result: &StudyResult, outcomes: &[Outcome]) -> Vec<String> {
    if result.arms.iter().all(|arm| arm.spreads.is_empty()) {
        return [Some("No trial has finished, so there is nothing to compare.".to_owned()), losses(&result.arms)]
            .into_iter()
            .flatten()
            .collect();
    }
    let references = references(result);
    let of_arms = references.iter().filter_map(|arm| ending(&result.arms[*arm], outcomes));
    let of_outcomes = outcomes
        .iter()
        .flat_map(|outcome| references.iter().filter_map(|against| outcome_sentence(result, *outcome, *against)));
    let basis = [unpaired(result), grounds(result, outcomes), losses(&result.arms)].into_iter().flatten();
    of_arms.chain(of_outcomes).chain(basis).collect()
}

/// The arms that others are compared with, in order.
fn references(result: &StudyResult) -> Vec<usize> {
    let is_reference = |arm: &usize| result.arms.iter().any(|other| other.against == Some(*arm));
    let references: Vec<usize> = (0..result.arms.len()).filter(is_reference).collect();
    if references.is_empty() { vec![0] } else { references }
}

/// `plain, over 3 seeds: final gap 0.254 [0.23, 0.28], ...`.
fn ending(arm: &ArmResult, outcomes: &[Outcome]) -> Option<String> {
    let part = |outcome: &Outcome| {
        let spread = arm.spreads.get(outcome)?;
        Some(format!("{} {}", outcome.title(), with_interval(spread, *outcome)))
    };
    let parts: Vec<String> = outcomes.iter().filter_map(part).collect();
    let seeds = seeds(arm.finished().count());
    (!parts.is_empty()).then(|| format!("{}, over {seeds}: {}.", arm.name, parts.join(", ")))
}

/// `3 seeds`.
pub fn seeds(count: usize) -> String {
    if count == 1 { "1 seed".to_owned() } else { format!("{count} seeds") }
}

/// `0.724 [0.710, 0.738]`.
pub fn with_interval(spread: &Spread, outcome: Outcome) -> String {
    let digits = outcome.digits();
    let mean = decimal(spread.mean, digits);
    spread.interval.map_or(mean.clone(), |interval| {
        format!("{mean} [{}, {}]", decimal(interval.low, digits), decimal(interval.high, digits))
    })
}

/// `Final gap, against plain: dropout lowers it by 0.110 [0.080, 0.140], from 0.254 to 0.144; both: no difference shown
/// (...)`.
fn outcome_sentence(result: &StudyResult, outcome: Outcome, against: usize) -> Option<String> {
    let comparisons: Vec<&Comparison> = result
        .comparisons
        .iter()
        .filter(|comparison| comparison.outcome == outcome && comparison.against == against)
        .collect();
    let told = |comparison: &&&Comparison| comparisons.len() <= ONE_BY_ONE || comparison.verdict != Verdict::NotShown;
    let mut parts: Vec<String> = comparisons
        .iter()
        .filter(told)
        .map(|comparison| clause(&result.arms[comparison.arm].name, comparison))
        .collect();
    let silent = comparisons.len() - parts.len();
    match (silent, parts.is_empty()) {
        (0, _) => {}
        (silent, true) => parts.push(format!("no difference shown for any of the {silent} arms")),
        (silent, false) => parts.push(format!("no difference shown for the other {silent} arms")),
    }
    let (title, against) = (capitalized(outcome.title()), &result.arms[against].name);
    (!parts.is_empty()).then(|| format!("{title}, against {against}: {}.", parts.join("; ")))
}

fn clause(name: &str, comparison: &Comparison) -> String {
    let (paired, digits) = (&comparison.paired, comparison.outcome.digits());
    let from_to = || format!("from {} to {}", decimal(paired.before, digits), decimal(paired.after, digits));
    let Some(interval) = paired.interval else {
        let difference = signed(paired.difference, digits);
        return match paired.pairs {
            1 => format!("{name}: no difference shown ({difference} with one seed, which shows nothing)"),
            pairs => {
                format!("{name}: no difference shown ({difference} with each of {pairs} seeds, which tells no error)")
            }
        };
    };
    let by = |low: f64, high: f64| format!("[{}, {}]", decimal(low, digits), decimal(high, digits));
    match comparison.verdict {
        Verdict::Higher => {
            let difference = decimal(paired.difference, digits);
            format!("{name} raises it by {difference} {}, {}", by(interval.low, interval.high), from_to())
        }
        Verdict::Lower => {
            let difference = decimal(-paired.difference, digits);
            format!("{name} lowers it by {difference} {}, {}", by(-interval.high, -interval.low), from_to())
        }
        Verdict::NotShown => {
            let difference = signed(paired.difference, digits);
            // An interval is that of its comparison alone, and a correction for several may think otherwise.
            let alone = if interval.low > 0.0 || interval.high < 0.0 {
                " by itself, which does not stand up to the correction for several comparisons"
            } else {
                ""
            };
            format!("{name}: no difference shown ({difference} {}{alone})", by(interval.low, interval.high))
        }
    }
}

/// A number with its sign.
pub fn signed(value: f64, digits: usize) -> String {
    let text = decimal(value, digits);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// The text with a capital letter.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What verdicts and intervals rest on, and what seeds cannot show.
fn grounds(result: &StudyResult, outcomes: &[Outcome]) -> Option<String> {
    let told: Vec<&Comparison> =
        result.comparisons.iter().filter(|comparison| outcomes.contains(&comparison.outcome)).collect();
    let first = told.first()?;
    let pairs = told.iter().map(|comparison| comparison.paired.pairs).min().unwrap_or(0);
    if pairs < 2 {
        return Some(
            "One seed shows nothing: a difference between two single runs may be that of their seeds. Give several."
                .to_owned(),
        );
    }
    let family = result.comparisons.iter().filter(|comparison| comparison.outcome == first.outcome).count();
    let correction = match family {
        1 => String::new(),
        family => format!(", corrected for {family} comparisons (Holm)"),
    };
    let test = match first.basis {
        Basis::SignFlip => format!("Verdicts rest on the paired permutation test{correction}."),
        Basis::T => format!(
            "Verdicts rest on the paired t test{correction}, which assumes that differences over seeds are normally \
             distributed. The paired permutation test assumes nothing, but with {pairs} seeds its p cannot fall below \
             {}{}: it can show nothing here, whatever the arms do.",
            probability(least_p(&told)),
            if family > 1 { ", before that correction" } else { "" },
        ),
    };
    let interval = match first.paired.interval.map(|interval| interval.method) {
        Some(IntervalMethod::Bca) => "Intervals are 95% BCa bootstrap intervals of the mean over seeds.",
        _ => {
            "Intervals are 95% t intervals of the mean over seeds: a bootstrap of fewer than ten would be far too narrow."
        }
    };
    Some(format!(
        "{test} {interval} Seeds change initial weights, the order of images, augmentation and dropout, and which images a \
         smaller or noisier training split has; the validation images are the same in all trials, so what other images would \
         show is not in these intervals. A difference that is not shown may still be there."
    ))
}

/// Arms that were to be compared with another one, and share no seed with it.
fn unpaired(result: &StudyResult) -> Option<String> {
    let is_compared = |arm: usize| result.comparisons.iter().any(|comparison| comparison.arm == arm);
    let has_finished = |arm: &ArmResult| arm.finished().next().is_some();
    let lone = |(index, arm): (usize, &ArmResult)| {
        let against = &result.arms[arm.against?];
        let is_lone = has_finished(arm) && has_finished(against) && !is_compared(index);
        is_lone.then(|| format!("{} shares no seed with {}", arm.name, against.name))
    };
    let lone: Vec<String> = result.arms.iter().enumerate().filter_map(lone).collect();
    (!lone.is_empty()).then(|| format!("Not compared, for runs are compared seed by seed: {}.", lone.join("; ")))
}

fn least_p(comparisons: &[&Comparison]) -> f64 {
    comparisons.iter().map(|Comparison { paired: Paired { sign_flip, .. }, .. }| sign_flip.least_p).fold(0.0, f64::max)
}

/// Trials that are in no number, and why.
fn losses(arms: &[ArmResult]) -> Option<String> {
    let named = |wanted: fn(&Fate) -> bool| -> Vec<String> {
        let of_arm = |arm: &ArmResult| {
            let trials = arm.trials.iter().filter(|trial| wanted(&trial.fate));
            trials.map(|trial| format!("{} with seed {}", arm.name, trial.seed)).collect::<Vec<String>>()
        };
        arms.iter().flat_map(of_arm).collect()
    };
    let parts = [
        (named(|fate| matches!(fate, Fate::Failed { .. })), "failed", "failed"),
        (named(|fate| *fate == Fate::Ended), "was ended early by halving", "were ended early by halving"),
        (named(|fate| *fate == Fate::Unfinished), "has not come to its end", "have not come to their end"),
    ];
    let sentence = |(names, one, several): (Vec<String>, &str, &str)| match names.len() {
        0 => None,
        1 => Some(format!("One trial is left out, for it {one}: {}.", names[0])),
        2..=4 => Some(format!("{} trials are left out, for they {several}: {}.", names.len(), names.join(", "))),
        count => Some(format!("{count} trials are left out, for they {several}.")),
    };
    let sentences: Vec<String> = parts.into_iter().filter_map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::{arm, ends, trial};

    const GAP: [Outcome; 1] = [Outcome::FinalGap];

    fn plain() -> ArmResult {
        ends("plain", None, &[(0.98, 0.72), (0.97, 0.73), (0.99, 0.71)])
    }

    /// What is said of the final gap of `arm` beside a plain one that over-fits.
    #[track_caller]
    fn check(arm: ArmResult, expected: &str) {
        let said = findings(&StudyResult::of(vec![plain(), arm]), &GAP).join(" ");
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn the_arm_that_others_are_compared_with_comes_first() {
        let said = findings(&StudyResult::of(vec![plain()]), &[Outcome::FinalGap, Outcome::FinalValidation]);
        let expected =
            "plain, over 3 seeds: final gap 0.260 [0.210, 0.310], final validation accuracy 0.720 [0.695, 0.745].";
        assert_eq!(said, [expected]);
    }

    #[test]
    fn a_smaller_gap_is_said_with_its_interval() {
        check(
            ends("dropout", Some(0), &[(0.88, 0.72), (0.88, 0.73), (0.88, 0.71)]),
            "Final gap, against plain: dropout lowers it by 0.100 [0.075, 0.125], from 0.260 to 0.160.",
        );
    }

    #[test]
    fn an_interval_off_zero_that_the_correction_does_not_bear_out_is_said_to_be_so() {
        let arms = vec![
            ends("plain", None, &[(0.9, 0.70), (0.9, 0.70), (0.9, 0.70)]),
            ends("one", Some(0), &[(0.9, 0.73), (0.9, 0.74), (0.9, 0.7555)]),
            ends("two", Some(0), &[(0.9, 0.70), (0.9, 0.71), (0.9, 0.69)]),
        ];
        let said = findings(&StudyResult::of(arms), &[Outcome::FinalValidation]).join(" ");
        assert!(said.contains("one: no difference shown (+0.042 [0.010, 0.074] by itself, which does not"), "{said}");
        assert!(said.contains("two: no difference shown (0.000 [−0.025, 0.025])"), "{said}");
    }

    #[test]
    fn a_larger_one_too() {
        check(ends("wide", Some(0), &[(0.99, 0.62), (0.98, 0.63), (1.0, 0.605)]), "wide raises it by 0.112");
    }

    #[test]
    fn no_difference_is_called_so() {
        check(
            ends("same", Some(0), &[(0.98, 0.73), (0.97, 0.72), (0.99, 0.71)]),
            "same: no difference shown (0.000 [−0.025, 0.025])",
        );
    }

    #[test]
    fn three_seeds_are_too_few_for_a_permutation_test_and_it_is_said() {
        check(
            ends("dropout", Some(0), &[(0.88, 0.72), (0.88, 0.73), (0.88, 0.71)]),
            "with 3 seeds its p cannot fall below 0.25: it can show nothing here",
        );
    }

    #[test]
    fn many_seeds_rest_on_permutations() {
        let endings =
            |train: f64, step: f64| (0..7).map(|seed| (train + step * f64::from(seed), 0.7)).collect::<Vec<_>>();
        let arms = vec![ends("plain", None, &endings(0.9, 0.001)), ends("dropout", Some(0), &endings(0.8, 0.002))];
        let said = findings(&StudyResult::of(arms), &GAP).join(" ");
        assert!(said.contains("Verdicts rest on the paired permutation test. Intervals are 95% t"), "{said}");
    }

    #[test]
    fn one_seed_shows_nothing() {
        let arms = vec![ends("plain", None, &[(0.9, 0.7)]), ends("dropout", Some(0), &[(0.8, 0.7)])];
        let said = findings(&StudyResult::of(arms), &GAP).join(" ");
        assert!(said.contains("dropout: no difference shown (−0.100 with one seed, which shows nothing)"), "{said}");
        assert!(said.contains("One seed shows nothing"), "{said}");
    }

    #[test]
    fn equal_differences_are_no_certainty() {
        check(
            ends("dropout", Some(0), &[(0.88, 0.72), (0.87, 0.73), (0.89, 0.71)]),
            "dropout: no difference shown (−0.100 with each of 3 seeds, which tells no error)",
        );
    }

    #[test]
    fn of_many_arms_only_those_with_a_difference_are_told() {
        let same = |name: &str| ends(name, Some(0), &[(0.98, 0.73), (0.97, 0.72), (0.99, 0.71)]);
        let mut arms = vec![plain()];
        arms.extend(["a", "b", "c", "d", "e", "f", "g"].map(same));
        let said = findings(&StudyResult::of(arms.clone()), &GAP).join(" ");
        assert!(said.contains("against plain: no difference shown for any of the 7 arms."), "{said}");
        arms.push(ends("dropout", Some(0), &[(0.48, 0.72), (0.47, 0.73), (0.49, 0.705)]));
        let said = findings(&StudyResult::of(arms), &GAP).join(" ");
        assert!(said.contains("dropout lowers it") && said.contains("for the other 7 arms."), "{said}");
    }

    #[test]
    fn trials_that_are_left_out_are_named() {
        let mut plain = plain();
        plain.trials[0].fate = Fate::Failed { cause: "no memory".into() };
        let said = findings(&StudyResult::of(vec![plain]), &GAP).join(" ");
        assert!(said.ends_with("One trial is left out, for it failed: plain with seed 1."), "{said}");
        let mut ended = arm("ended", Some(0), &[]);
        ended.trials = vec![trial(1, Fate::Ended, &[(0.5, 0.5)]), trial(2, Fate::Ended, &[])];
        let said = findings(&StudyResult::of(vec![self::plain(), ended]), &GAP).join(" ");
        assert!(said.contains("2 trials are left out, for they were ended early by halving"), "{said}");
    }

    #[test]
    fn arms_without_a_common_seed_are_not_compared_and_it_is_said() {
        let mut other = ends("other", Some(0), &[(0.9, 0.7)]);
        other.trials[0].seed = 9;
        let said = findings(&StudyResult::of(vec![plain(), other]), &GAP).join(" ");
        assert!(
            said.contains("Not compared, for runs are compared seed by seed: other shares no seed with plain."),
            "{said}"
        );
    }

    #[test]
    fn a_study_without_a_finished_trial_says_so() {
        let mut arm = arm("plain", None, &[]);
        arm.trials = vec![trial(1, Fate::Unfinished, &[])];
        let said = findings(&StudyResult::of(vec![arm]), &GAP).join(" ");
        let left_out = "One trial is left out, for it has not come to its end: plain with seed 1.";
        assert_eq!(said, format!("No trial has finished, so there is nothing to compare. {left_out}"));
    }
}
