//! `aumenta summary`.

use crate::command::Workspace;

#[test]
fn the_tables_of_both_models_are_those_of_the_book() {
    let workspace = Workspace::new();
    insta::assert_snapshot!("mnist", workspace.run(&["summary", "mnist-convnet"]).whole());
    let said = workspace.run(&["summary", "cats-dogs-convnet", "--dropout", "0.5"]);
    insta::assert_snapshot!("cats_dogs", said.whole());
}

/// A model file with a block that has a shortcut.
pub const NET: &str = r#"
title = "tiny"
input = [16, 16, 3]

[[layers]]
type = "conv2d"
filters = 8
kernel = 3
padding = "same"
bias = false
initializer = "he-normal"

[[layers]]
type = "batch-norm"
activation = "relu"

[[layers]]
type = "residual"
activation = "relu"
layers = [
    { type = "conv2d", filters = 16, kernel = 3, stride = 2, padding = "same", bias = false },
    { type = "batch-norm" },
]
shortcut = [{ type = "conv2d", filters = 16, kernel = 1, stride = 2 }]

[[layers]]
type = "flatten"

[[layers]]
type = "dense"
units = 1
l2 = 0.001
"#;

#[test]
fn a_model_file_and_the_run_that_it_was_trained_in_have_one_table() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("net.toml", NET);
    let of_file = workspace.run(&["summary", "net.toml"]).assert_code(0).whole();
    insta::assert_snapshot!("model_file", of_file);
    workspace.write("config.toml", "data = \"split\"\nrun = \"run\"\nepochs = 1\n[model]\nfile = \"net.toml\"\n");
    workspace.run(&["train", "--config", "config.toml"]).assert_code(0);
    // The run holds the network itself.
    fs_err::remove_file(workspace.path("net.toml")).unwrap();
    assert_eq!(workspace.run(&["summary", "run"]).assert_code(0).whole(), of_file);
    workspace.run(&["evaluate", "run"]).assert_code(0);
    workspace.run(&["summary", "run", "--dropout", "0.5"]).assert_code(2);
    workspace.run(&["summary", "split"]).assert_code(2);
}

#[test]
fn a_model_file_is_trained_by_its_path_alone() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("net.toml", NET);
    let args = ["train", "--data", "split", "--run", "run", "--epochs", "1", "--model", "net.toml"];
    let said = workspace.run(&args);
    assert!(said.assert_code(0).stderr.contains("training tiny (2,585 parameters)"), "{}", said.stderr);
}

#[test]
fn blocks_are_shown_with_their_layers() {
    let said = Workspace::new().run(&["summary", "resnet-small"]);
    insta::assert_snapshot!("resnet_small", said.assert_code(0).whole());
}

#[test]
fn the_table_as_json_has_the_totals() {
    let said = Workspace::new().run(&["summary", "mnist-convnet", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(json["parameters"], 93_322);
    assert_eq!((&json["trainable"], &json["non-trainable"]), (&93_322.into(), &0.into()));
    assert_eq!(json["layers"][0]["multiply-adds"], 26 * 26 * 32 * 9);
    assert_eq!(json["layers"][0]["output-shape"], serde_json::json!([26, 26, 32]));
}

#[test]
fn models_and_settings_that_do_not_exist_are_bad_use() {
    let workspace = Workspace::new();
    workspace.write("narrow.toml", &NET.replace("\"flatten\"", "\"max-pool2d\"\nwindow = 9"));
    workspace.write("typo.toml", &NET.replace("filters = 8", "filter = 8"));
    workspace.write("softmax.toml", &format!("{NET}activation = \"softmax\"\n"));
    let all: Vec<String> = [
        ["summary", "resnet"].as_slice(),
        &["summary", "nowhere.toml"],
        &["summary", "narrow.toml"],
        &["summary", "typo.toml"],
        &["summary", "softmax.toml"],
        &["summary", "mnist-convnet", "--dropout", "0.5"],
        &["summary", "cats-dogs-convnet", "--image-size", "40"],
        &["summary", "cats-dogs-convnet", "--dropout", "1.5"],
    ]
    .iter()
    .map(|args| workspace.run(args).assert_code(2).whole())
    .collect();
    insta::assert_snapshot!("refused", all.join("\n"));
}
