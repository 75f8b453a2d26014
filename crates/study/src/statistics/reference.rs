//! Statistics held to SciPy's and statsmodels', on the numbers of `fixtures/study/reference.json`.

use serde::Deserialize;

use super::{Interval, IntervalMethod, Paired, Spread, holm};

#[derive(Deserialize)]
struct Reference {
    pairs: Vec<Pairs>,
    corrections: Vec<Correction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Pairs {
    name: String,
    before: Vec<f64>,
    after: Vec<f64>,
    mean: f64,
    standard_deviation: f64,
    t_interval: (f64, f64),
    t_p: f64,
    sign_flip_p: f64,
    effect_size: Option<f64>,
    bca_interval: Option<(f64, f64)>,
}

#[derive(Deserialize)]
struct Correction {
    p: Vec<f64>,
    corrected: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../../fixtures/study/reference.json")).unwrap()
}

#[track_caller]
fn check(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what} is {got}, not {expected}");
}

#[test]
fn spreads_are_those_of_scipy() {
    for case in reference().pairs {
        let spread = Spread::of(&case.after).unwrap();
        check(spread.mean, case.mean, 1e-12, &case.name);
        check(spread.standard_deviation.unwrap(), case.standard_deviation, 1e-12, &case.name);
        let Interval { low, high, method } = spread.interval.unwrap();
        let width = case.t_interval.1 - case.t_interval.0;
        let (expected, tolerance) = match case.bca_interval {
            // Both sides draw their resamples.
            Some(interval) => (interval, 0.01 * width),
            None => (case.t_interval, 1e-9 * width),
        };
        assert_eq!(method == IntervalMethod::Bca, case.bca_interval.is_some());
        check(low, expected.0, tolerance, &format!("the lower end of {}", case.name));
        check(high, expected.1, tolerance, &format!("the upper end of {}", case.name));
    }
}

#[test]
fn paired_tests_are_those_of_scipy() {
    for case in reference().pairs {
        let pairs: Vec<(f64, f64)> = case.before.iter().copied().zip(case.after.iter().copied()).collect();
        let paired = Paired::of(&pairs).unwrap();
        check(paired.t_p.unwrap(), case.t_p, 1e-9, &format!("the t test of {}", case.name));
        check(paired.sign_flip.p, case.sign_flip_p, 1e-12, &format!("the permutation test of {}", case.name));
        assert_eq!(paired.effect_size.is_some(), case.effect_size.is_some(), "{}", case.name);
        check(paired.effect_size.unwrap_or(0.0), case.effect_size.unwrap_or(0.0), 1e-9, &case.name);
    }
}

#[test]
fn corrections_are_those_of_statsmodels() {
    for case in reference().corrections {
        for (got, expected) in holm(&case.p).into_iter().zip(case.corrected) {
            check(got, expected, 1e-12, &format!("{:?}", case.p));
        }
    }
}
