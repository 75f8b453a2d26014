//! What a grid varies, found in the settings of its arms: [`responses`] to settings that are numbers, and the [`grids`] of two.

use aumenta_study::{ArmResult, Outcome, Spread};

use super::heat_map::Grid;
use super::response_chart::Response;

/// The settings that vary, where all arms have the same ones; with their values in order of appearance.
fn factors(arms: &[ArmResult]) -> Vec<(String, Vec<String>)> {
    let Some(first) = arms.first() else { return Vec::new() };
    let keys = |arm: &ArmResult| arm.settings.iter().map(|(key, _)| key.clone()).collect::<Vec<String>>();
    let shared = keys(first);
    if arms.iter().any(|arm| keys(arm) != shared) {
        return Vec::new();
    }
    let values = |key: &String| {
        let mut values: Vec<String> = Vec::new();
        for value in arms.iter().filter_map(|arm| value_of(arm, key)) {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values
    };
    let factors = shared.iter().map(|key| (key.clone(), values(key)));
    factors.filter(|(_, values)| values.len() > 1).collect()
}

fn value_of<'a>(arm: &'a ArmResult, key: &str) -> Option<&'a str> {
    arm.settings.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
}

/// For each setting that is a number and each outcome, how the outcome follows it.
pub fn responses(arms: &[ArmResult], outcomes: &[Outcome]) -> Vec<Response> {
    let factors = factors(arms);
    let is_number = |values: &Vec<String>| values.iter().all(|value| value.parse::<f64>().is_ok_and(f64::is_finite));
    let numeric = factors.iter().filter(|(_, values)| is_number(values));
    let of = |key: &String| {
        let others: Vec<&String> = factors.iter().map(|(other, _)| other).filter(|other| *other != key).collect();
        let lines = |outcome: &Outcome| lines(arms, key, &others, *outcome);
        outcomes
            .iter()
            .map(|outcome| Response { setting: key.clone(), outcome: *outcome, lines: lines(outcome) })
            .collect::<Vec<Response>>()
    };
    numeric.flat_map(|(key, _)| of(key)).collect()
}

/// The points of each combination of the other settings, ascending by the value of `key`.
fn lines(arms: &[ArmResult], key: &str, others: &[&String], outcome: Outcome) -> Vec<(String, Vec<(f64, Spread)>)> {
    let mut lines: Vec<(String, Vec<(f64, Spread)>)> = Vec::new();
    for arm in arms {
        let other = |other: &&String| format!("{other}={}", value_of(arm, other).unwrap_or_default());
        let name = others.iter().map(other).collect::<Vec<String>>().join(", ");
        let point = value_of(arm, key).and_then(|value| value.parse().ok()).zip(arm.spreads.get(&outcome).copied());
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.extend(point),
            None => lines.push((name, point.into_iter().collect())),
        }
    }
    for (_, points) in &mut lines {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

/// For each outcome its means over two settings, where just two vary.
pub fn grids(arms: &[ArmResult], outcomes: &[Outcome]) -> Vec<Grid> {
    let [rows, columns] = &factors(arms)[..] else { return Vec::new() };
    let mean = |outcome: Outcome, row: &str, column: &str| {
        let is_there =
            |arm: &&ArmResult| value_of(arm, &rows.0) == Some(row) && value_of(arm, &columns.0) == Some(column);
        arms.iter().find(is_there)?.spreads.get(&outcome).map(|spread| spread.mean)
    };
    let grid = |outcome: &Outcome| Grid {
        outcome: *outcome,
        rows: rows.clone(),
        columns: columns.clone(),
        means: rows.1.iter().map(|row| columns.1.iter().map(|column| mean(*outcome, row, column)).collect()).collect(),
    };
    outcomes.iter().map(grid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::ends;

    const GAP: [Outcome; 1] = [Outcome::FinalGap];

    fn arm(settings: &[(&str, &str)], gap: f64) -> ArmResult {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ArmResult { settings, ..ends("arm", None, &[(0.5 + gap, 0.5)]) }
    }

    fn two_by_two() -> Vec<ArmResult> {
        [("0.5", "none", 0.25), ("0.0", "none", 0.5), ("0.5", "book", 0.0), ("0.0", "book", 0.125)]
            .map(|(dropout, preset, gap)| arm(&[("dropout", dropout), ("preset", preset)], gap))
            .to_vec()
    }

    #[test]
    fn a_number_is_followed_for_each_value_of_the_other_settings() {
        let responses = responses(&two_by_two(), &GAP);
        assert_eq!(responses.len(), 1);
        let lines: Vec<(&str, Vec<(f64, f64)>)> = responses[0]
            .lines
            .iter()
            .map(|(name, points)| (name.as_str(), points.iter().map(|(value, spread)| (*value, spread.mean)).collect()))
            .collect();
        let expected =
            [("preset=none", vec![(0.0, 0.5), (0.5, 0.25)]), ("preset=book", vec![(0.0, 0.125), (0.5, 0.0)])];
        assert_eq!(lines, expected);
    }

    #[test]
    fn two_settings_make_a_grid() {
        let grids = grids(&two_by_two(), &GAP);
        assert_eq!(grids[0].rows.1, ["0.5", "0.0"]);
        assert_eq!(grids[0].means, [[Some(0.25), Some(0.0)], [Some(0.5), Some(0.125)]]);
        assert!(super::grids(&two_by_two()[..2], &GAP).is_empty());
    }

    #[test]
    fn arms_of_different_settings_have_no_factors() {
        let mut arms = two_by_two();
        arms[1].settings.pop();
        assert!(responses(&arms, &GAP).is_empty() && grids(&arms, &GAP).is_empty() && responses(&[], &GAP).is_empty());
    }
}
