//! `aumenta explain-sample`.

use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Dataset, Split};
use aumenta_imgproc::{Image, Limits, decode};
use aumenta_seed::Seed;
use aumenta_stream::{Color, Preprocessing, TrainConfig, TrainStream};

use crate::command::Workspace;

const PREPROCESSING: Preprocessing = Preprocessing::new(46, 46, Color::Rgb);

/// A run of two epochs on eight images, in batches of three.
fn trained() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let args = ["train", "--data", "split", "--run", "run", "--model", "cats-dogs-convnet", "--image-size", "46"];
    let settings = ["--epochs", "2", "--batch-size", "3", "--augment", "book", "--seed", "11"];
    workspace.run(&[&args[..], &settings[..]].concat()).assert_code(0);
    workspace
}

/// The image of record `id` as the stream delivers it in `epoch`, counted from 0, in bytes.
fn delivered(workspace: &Workspace, epoch: u64, id: u32) -> Image {
    let dataset = Arc::new(Dataset::open(&workspace.path("split"), None).unwrap());
    let augment = AugmentConfig::book().build().unwrap();
    let config = TrainConfig { augment, ..TrainConfig::new(PREPROCESSING, 3, Seed::new(11)) };
    let stream = TrainStream::new(dataset, config).unwrap();
    let batch = stream.epoch(epoch).map(Result::unwrap).find(|batch| batch.ids.contains(&id)).unwrap();
    let position = batch.ids.iter().position(|other| *other == id).unwrap();
    let values = batch.floats().chunks(PREPROCESSING.len()).nth(position).unwrap();
    Image::from_pixels(46, 46, values.iter().map(|value| (value * 255.0).round() as u8).collect())
}

fn written(workspace: &Workspace, name: &str) -> Image {
    decode(&fs_err::read(workspace.path(name)).unwrap(), &Limits::default()).unwrap()
}

#[test]
fn the_pixels_are_those_that_the_stream_delivered() {
    let workspace = trained();
    for (epoch, id) in [("1", 0), ("2", 0), ("2", 7)] {
        let args = ["explain-sample", "run", &id.to_string(), "--epoch", epoch, "--out", "sample.png"];
        workspace.run(&args).assert_code(0);
        let epoch = epoch.parse::<u64>().unwrap() - 1;
        assert!(written(&workspace, "sample.png") == delivered(&workspace, epoch, id));
    }
}

#[test]
fn a_run_and_its_manifest_with_the_same_settings_explain_the_same() {
    let workspace = trained();
    let path = Dataset::open(&workspace.path("split"), None).unwrap().records(Split::Train)[3].path.clone();
    let by_run = workspace.run(&["explain-sample", "run", &path, "--epoch", "2"]);
    insta::assert_snapshot!("text", by_run.assert_code(0).whole());
    let by_id = workspace.run(&["explain-sample", "run", "3", "--epoch", "2"]);
    assert_eq!(by_id.assert_code(0).stdout, by_run.stdout);

    let json = workspace.run(&["explain-sample", "run", "3", "--epoch", "2", "--json"]);
    insta::assert_snapshot!("json", json.assert_code(0).whole());
    let by_manifest = ["explain-sample", "split", "3", "--epoch", "2", "--json", "--config", "run/config.toml"];
    assert_eq!(workspace.run(&by_manifest).assert_code(0).stdout, json.stdout);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let by_flags = ["explain-sample", "split", "3", "--epoch", "2", "--json", "--seed", "11", "--size", "46"];
    let flagged: serde_json::Value = serde_json::from_str(&workspace.run(&by_flags).assert_code(0).stdout).unwrap();
    assert_eq!(flagged["plan"], json["plan"]);
}

#[test]
fn a_mix_is_explained_with_its_partner() {
    let workspace = trained();
    workspace.write("mix.toml", "batch-size = 3\nseed = 11\n[mix]\ncutmix-alpha = 1.0\noff-epoch = 2\n");
    let explain = |epoch| {
        let args = ["explain-sample", "split", "3", "--size", "46", "--config", "mix.toml", "--epoch", epoch];
        workspace.run(&[&args[..], &["--out", "sample.png"]].concat()).assert_code(0).whole()
    };
    insta::assert_snapshot!("mixed", explain("1"));
    let [delivered, own, partner] =
        ["sample.png", "sample.own.png", "sample.partner.png"].map(|name| written(&workspace, name));
    let pixels = delivered.pixels().iter().zip(own.pixels().iter().zip(partner.pixels()));
    assert!(pixels.clone().all(|(value, (own, partner))| value == own || value == partner));
    assert!(pixels.clone().any(|(value, (own, _))| value != own));
    assert!(!explain("2").contains("mix "));
}

#[test]
fn what_cannot_be_explained_is_named() {
    let workspace = trained();
    let said = |args: &[&str]| workspace.run(&[&["explain-sample"], args].concat()).assert_code(2).stderr.clone();
    let mut all = Vec::new();
    for args in [
        &["run", "99", "--epoch", "1"][..],
        &["run", "8", "--epoch", "1"],
        &["run", "0", "--epoch", "3"],
        &["run", "0", "--epoch", "0"],
        &["run", "0", "--epoch", "1", "--seed", "3"],
        &["nowhere", "0", "--epoch", "1"],
    ] {
        all.push(format!("$ aumenta explain-sample {}\n{}", args.join(" "), said(args)));
    }
    fs_err::remove_dir_all(workspace.path("split")).unwrap();
    workspace.split("3,1,1");
    all.push(format!("with another manifest\n{}", said(&["run", "0", "--epoch", "1"])));
    insta::assert_snapshot!("refused", all.join("\n"));
}
