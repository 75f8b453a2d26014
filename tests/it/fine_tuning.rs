//! `aumenta train` with frozen layers, and `aumenta features`.

use aumenta_nn::TensorFile;
use serde_json::Value;

use crate::command::Workspace;

const TRAIN: [&str; 9] =
    ["train", "--data", "split", "--model", "cats-dogs-convnet", "--image-size", "46", "--batch-size", "4"];

/// Trains in `run` with `more` flags; what was said.
fn train(workspace: &Workspace, run: &str, more: &[&str]) -> String {
    workspace.run(&[&TRAIN[..], &["--run", run], more].concat()).assert_code(0).stderr.clone()
}

fn tensors(workspace: &Workspace, file: &str) -> TensorFile {
    TensorFile::from_bytes(&fs_err::read(workspace.path(file)).unwrap()).unwrap()
}

/// The names of the tensors that differ between the last networks of two runs.
fn moved(workspace: &Workspace, runs: [&str; 2]) -> Vec<String> {
    let [a, b] = runs.map(|run| tensors(workspace, &format!("{run}/checkpoints/last.safetensors")).tensors);
    a.iter().zip(&b).filter(|(a, b)| a != b).map(|(a, _)| a.name.clone()).collect()
}

#[test]
fn frozen_layers_are_told_of_and_stay_as_they_are() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let said = train(&workspace, "one", &["--freeze-until", "head", "--epochs", "1"]);
    assert!(said.contains("from epoch 1/1 on: training 66,561 parameters at 0.001; frozen: "), "{said}");
    assert!(said.contains("numbers in 8 tensors\n"), "{said}");
    assert!(said.contains("after epoch 1: all 8 frozen tensors are unchanged (BLAKE3 "), "{said}");
    train(&workspace, "two", &["--freeze-until", "head", "--epochs", "2"]);
    let moved = moved(&workspace, ["one", "two"]);
    assert_eq!(moved, ["dense1.bias", "dense1.weight", "dense2.bias", "dense2.weight"]);
}

#[test]
fn a_second_phase_trains_more_layers_at_its_own_rate() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let two_phases = ["--freeze-until", "head", "--unfreeze-at-epoch", "2", "--unfreeze-from", "conv4"];
    let said = train(&workspace, "run", &[&two_phases[..], &["--unfrozen-rate", "1e-5", "--epochs", "2"]].concat());
    assert!(said.contains("after epoch 1: all 8 frozen tensors are unchanged"), "{said}");
    assert!(said.contains("from epoch 2/2 on: training 214,145 parameters at 0.00001; frozen: "), "{said}");
    assert!(said.contains("after epoch 2: all 6 frozen tensors are unchanged"), "{said}");
    let config = fs_err::read_to_string(workspace.path("run/config.toml")).unwrap();
    assert!(config.contains("[fine-tuning]\nfreeze-until = \"head\"\nunfreeze-at-epoch = 2\n"), "{config}");
    let summary = workspace.run(&["summary", "run"]).assert_code(0).stdout.clone();
    assert!(summary.contains("\ntrainable: 66,561 ") && summary.contains("\nfrozen: "), "{summary}");
}

#[test]
fn the_recipe_sets_what_no_other_flag_does() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let said = train(&workspace, "run", &["--recipe", "fine-tune", "--epochs", "2", "--base-rate", "0.25"]);
    assert!(said.contains("from epoch 2/2 on: training") && said.contains(" at 0.001; frozen: 0 numbers"), "{said}");
    let config = fs_err::read_to_string(workspace.path("run/config.toml")).unwrap();
    for line in
        ["name = \"adamw\"", "learning-rate = 0.002", "name = \"one-cycle\"", "base-rate = 0.25", "depth-decay = 0.9"]
    {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }
}

#[test]
fn features_are_computed_once_and_a_head_is_trained_on_them_as_on_images() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let settings = ["--data", "split", "--model", "cats-dogs-convnet", "--image-size", "46", "--batch-size", "4"];
    let features = [&["features", "--out", "f.safetensors"], &settings[..]].concat();
    let said = workspace.run(&features).assert_code(0).stdout.clone();
    assert!(said.starts_with("128 features of each of 12 images in "), "{said}");
    let said = workspace.run(&features).assert_code(0).stdout.clone();
    assert!(said.starts_with("f.safetensors has them already: 128 features of each image"), "{said}");
    let file = tensors(&workspace, "f.safetensors");
    let shapes: Vec<(&str, &[usize])> =
        file.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).collect();
    assert_eq!(
        shapes,
        [
            ("test", &[2, 128][..]),
            ("test.classes", &[2]),
            ("train", &[1, 8, 128]),
            ("train.classes", &[8]),
            ("val", &[2, 128]),
            ("val.classes", &[2]),
        ]
    );
    train(&workspace, "from-features", &["--freeze-until", "head", "--epochs", "2", "--features", "f.safetensors"]);
    train(&workspace, "from-images", &["--freeze-until", "head", "--epochs", "2"]);
    assert!(moved(&workspace, ["from-features", "from-images"]).is_empty());
    // The run needs the file only to go on.
    workspace.run(&["evaluate", "from-features"]).assert_code(0);
    workspace.run(&["train", "--resume", "from-features", "--epochs", "3"]).assert_code(0);
    train(&workspace, "three", &["--freeze-until", "head", "--epochs", "3"]);
    assert!(moved(&workspace, ["from-features", "three"]).is_empty());
}

#[test]
fn views_of_augmented_images_take_turns_and_lie_in_the_runs_folder() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let augmented = ["--freeze-until", "head", "--augment", "book", "--epochs", "2"];
    train(&workspace, "views", &[&augmented[..], &["--views", "2"]].concat());
    train(&workspace, "images", &augmented);
    assert!(moved(&workspace, ["views", "images"]).is_empty());
    let file = tensors(&workspace, "views/features.safetensors");
    let key: Value = serde_json::from_str(&file.metadata["aumenta-features"]).unwrap();
    assert_eq!((&key["views"], &key["model"]), (&2.into(), &"cats-dogs-convnet".into()));
    workspace.run(&["train", "--resume", "views", "--epochs", "3"]).assert_code(0);
}

#[test]
fn what_cannot_be_frozen_or_computed_once_is_bad_use() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let refused = |more: &[&str]| workspace.run(&[&TRAIN[..], &["--run", "run"], more].concat()).assert_code(2).whole();
    let mut all = Vec::new();
    for more in [
        &["--freeze-until", "conv5"][..],
        &["--freeze-until", "conv1"],
        &["--unfreeze-at-epoch", "2"],
        &["--freeze-until", "head", "--unfreeze-at-epoch", "11"],
        &["--freeze-until", "conv3", "--unfreeze-at-epoch", "2", "--unfreeze-from", "conv4"],
        &["--freeze-until", "head", "--base-rate", "0"],
        &["--views", "2"],
        &["--freeze-until", "head", "--views", "0"],
        &["--freeze-until", "head", "--features", "f", "--augment", "book"],
    ] {
        all.push(refused(more));
    }
    insta::assert_snapshot!("bad_use", all.join("\n"));
    let features = ["features", "--data", "split", "--model", "cats-dogs-convnet", "--out", "f", "--image-size"];
    workspace.run(&[&features[..], &["46"]].concat()).assert_code(0);
    let said = workspace.run(&[&features[..], &["54"]].concat()).assert_code(1).whole();
    assert!(said.contains("its features were computed with another preprocessing: name another file"), "{said}");
}
