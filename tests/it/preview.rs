//! `aumenta preview`.

use std::path::Path;

use aumenta_imgproc::{Limits, decode};

use crate::command::Workspace;

#[test]
fn the_sheet_has_a_row_an_image_and_a_column_a_version() {
    let workspace = Workspace::new();
    workspace.draw(4).split("2,1,1");
    let args = ["preview", "split", "--out", "sheet.png", "--augment", "book", "--size", "100"];
    workspace.run(&[&args[..], &["--rows", "3", "--versions", "5"]].concat()).assert_code(0);
    let sheet = decode(&fs_err::read(workspace.path("sheet.png")).unwrap(), &Limits::default()).unwrap();
    // Six cells of 100 pixels with a gap of 14 before, between and after them.
    assert_eq!(sheet.width(), 6 * 100 + 7 * 14);
    assert!(sheet.height() > 3 * 114, "{}", sheet.height());
}

#[test]
fn the_same_seed_gives_the_same_sheet_and_another_seed_another() {
    let workspace = Workspace::new();
    workspace.draw(4).split("2,1,1");
    let sheet = |seed: &str| {
        let args = ["preview", "split", "--out", "sheet.png", "--augment", "book", "--rows", "1", "--seed", seed];
        workspace.run(&args).assert_code(0);
        fs_err::read(workspace.path("sheet.png")).unwrap()
    };
    let first = sheet("3");
    assert!(first == sheet("3"));
    assert!(first != sheet("4"));
}

#[test]
fn a_missing_manifest_is_named() {
    let said = Workspace::new().run(&["preview", "nowhere", "--out", "sheet.png"]);
    assert_eq!(said.assert_code(2).stderr, "error: there is no manifest `nowhere`: make one with `aumenta split`\n");
}

/// JPEG decoders may round differently on other processors, by a level here and there.
const TOLERANCE: f64 = 0.5;

#[test]
fn the_sheet_of_the_drawn_set_equals_its_golden_image() {
    let workspace = Workspace::new();
    workspace.draw(5).split("3,1,1");
    let args = ["preview", "split", "--out", "sheet.png", "--size", "96", "--rows", "2", "--versions", "4"];
    workspace.run(&args).assert_code(0);
    let made = fs_err::read(workspace.path("sheet.png")).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/preview.png");
    if std::env::var_os("REGENERATE").is_some() {
        fs_err::write(&golden, &made).unwrap();
    }
    let made = decode(&made, &Limits::default()).unwrap();
    let golden = decode(&fs_err::read(golden).unwrap(), &Limits::default()).unwrap();
    assert_eq!(made.size(), golden.size());
    let difference: u64 = made.pixels().iter().zip(golden.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let mean = difference as f64 / made.pixels().len() as f64;
    assert!(mean < TOLERANCE, "the mean difference is {mean} levels");
}
