//! The page about augmentation: its examples can be built, and every transform stands on it.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::BTreeSet;

use aumenta_augment::{AugmentConfig, Augmentation, KerasConfig, Step};
use serde::Deserialize;

const PAGE: &str = include_str!("../../../docs/augmentation.md");

/// What begins a row of the table.
const ROW: &str = "| `{ ";

#[derive(Deserialize)]
struct Row {
    step: Step,
}

#[derive(Deserialize)]
struct Configuration<A> {
    augment: A,
}

fn augmentation(text: &str) -> Result<Augmentation, toml::de::Error> {
    if text.contains("dialect") {
        toml::from_str::<Configuration<KerasConfig>>(text).map(|configuration| configuration.augment.into())
    } else {
        toml::from_str::<Configuration<AugmentConfig>>(text).map(|configuration| configuration.augment.into())
    }
}

/// The steps of the table.
fn steps() -> Vec<&'static str> {
    let rows = PAGE.lines().filter(|line| line.starts_with(ROW));
    rows.map(|row| row.split('`').nth(1).unwrap()).collect()
}

/// The runs of indented lines.
fn configurations() -> Vec<String> {
    let lines = PAGE.lines().map(|line| if line.starts_with("    ") { line } else { "" });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split("\n\n").filter(|block| block.contains("[augment]")).map(str::to_owned).collect()
}

#[test]
fn every_step_of_the_table_can_be_built() {
    for step in steps() {
        let row: Row = toml::from_str(&format!("step = {step}")).unwrap_or_else(|error| panic!("{step}: {error}"));
        row.step.build().unwrap_or_else(|error| panic!("{step}: {error}"));
    }
}

#[test]
fn every_configuration_of_the_page_can_be_built() {
    assert_eq!(configurations().len(), 3);
    for text in configurations() {
        let augmentation = augmentation(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        augmentation.build().unwrap_or_else(|error| panic!("{text}\n{error}"));
    }
}

#[test]
fn every_transform_stands_in_the_table_once() {
    let error = toml::from_str::<Step>("transform = 'none-of-them'").unwrap_err().to_string();
    // The error lists all names between backticks, after the one that it does not know.
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.len() > 40, "{error}");
    let names: Vec<&str> =
        PAGE.lines().filter(|line| line.starts_with(ROW)).map(|row| row.split('"').nth(1).unwrap()).collect();
    assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), known);
    assert_eq!(names.len(), known.len());
}
