//! Measures held to scikit-learn's, on the numbers of `fixtures/metrics/reference.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Average, Calibration, Measure, Measures, Ranking, Scored};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    name: String,
    classes: usize,
    truth: Vec<usize>,
    /// In 1/4096, which a float holds exactly.
    probabilities: Vec<u16>,
    /// What scikit-learn says, by measure; nothing where it is not defined.
    expected: BTreeMap<Measure, f64>,
    /// Of each class: precision, recall, F1.
    classwise: Vec<[f64; 3]>,
    /// Of each class against the rest: area under the ROC curve, average precision.
    ranked: Vec<[Option<f64>; 2]>,
    /// Samples, mean confidence and accuracy of each bin that has samples.
    bins: Vec<[f64; 3]>,
    /// The ends of intervals.
    intervals: BTreeMap<Measure, (f64, f64)>,
}

const TOLERANCE: f64 = 1e-9;

fn cases() -> Vec<Case> {
    let json = include_str!("../../../fixtures/metrics/reference.json");
    serde_json::from_str::<Reference>(json).unwrap().cases
}

fn probabilities(case: &Case) -> Vec<f32> {
    case.probabilities.iter().map(|number| f32::from(*number) / 4096.0).collect()
}

#[track_caller]
fn check(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= TOLERANCE, "{what} is {got}, not {expected}");
}

#[test]
fn measures_are_those_of_scikit_learn() {
    for case in cases() {
        let probabilities = probabilities(&case);
        let losses = vec![0.0; case.truth.len()];
        let measures = Measures::of(&Scored::new(case.classes, &case.truth, &probabilities), &losses);
        for measure in Measure::ALL.into_iter().filter(|measure| *measure != Measure::Loss) {
            let what = format!("{} of {}", measure.name(), case.name);
            match (measures.value(measure), case.expected.get(&measure)) {
                (Some(got), Some(expected)) => check(got, *expected, &what),
                (got, expected) => assert_eq!(got, expected.copied(), "{what}"),
            }
        }
        for (measure, (low, high)) in &case.intervals {
            let (got_low, got_high) = measures.score(*measure).unwrap().interval.unwrap();
            check(got_low, *low, &format!("the lower end of {} of {}", measure.name(), case.name));
            check(got_high, *high, &format!("the upper end of {} of {}", measure.name(), case.name));
        }
    }
}

#[test]
fn scores_of_classes_are_those_of_scikit_learn() {
    for case in cases() {
        let probabilities = probabilities(&case);
        let scored = Scored::new(case.classes, &case.truth, &probabilities);
        let matrix = scored.confusion();
        for (class, (expected, ranked)) in case.classwise.iter().zip(&case.ranked).enumerate() {
            let what = format!("class {class} of {}", case.name);
            let scores = matrix.class_scores(class);
            for (got, expected) in [scores.precision, scores.recall, scores.f1].into_iter().zip(expected) {
                check(got.unwrap_or(0.0), *expected, &what);
            }
            let ranking = Ranking::one_versus_rest(&scored, class);
            let got = [ranking.auroc().map(|score| score.value), ranking.average_precision()];
            for (got, expected) in got.into_iter().zip(ranked) {
                assert_eq!(got.is_some(), expected.is_some(), "{what}");
                check(got.unwrap_or(0.0), expected.unwrap_or(0.0), &what);
            }
        }
        assert_eq!(matrix.average(Average::Weighted, |scores| scores.recall), matrix.accuracy());
    }
}

#[test]
fn reliability_diagrams_have_the_bins_of_the_reference() {
    for case in cases() {
        let probabilities = probabilities(&case);
        let scored = Scored::new(case.classes, &case.truth, &probabilities);
        let bins = Calibration::of(&scored, Calibration::BINS).bins;
        let filled = bins.iter().filter(|bin| bin.samples > 0);
        let got = filled.map(|bin| [bin.samples as f64, bin.confidence.unwrap(), bin.accuracy().unwrap()]);
        let got: Vec<[f64; 3]> = got.collect();
        assert_eq!(got.len(), case.bins.len(), "{}", case.name);
        for (got, expected) in got.as_flattened().iter().zip(case.bins.as_flattened()) {
            check(*got, *expected, &case.name);
        }
    }
}
