//! Real photographs and digits, where `AUMENTA_DATA` names the folder that holds them.

use std::path::{Path, PathBuf};

use crate::command::Workspace;

/// The folder of real data; `None`, saying so, where there is none. A relative path starts at the workspace.
fn data() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("AUMENTA_DATA") else {
        eprintln!("skipped: AUMENTA_DATA is not set");
        return None;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    Some(folder.canonicalize().unwrap_or_else(|error| panic!("AUMENTA_DATA: {}: {error}", folder.display())))
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn kaggles_archive_is_split_in_the_books_order_and_trained_on() {
    let Some(data) = data() else { return };
    let workspace = Workspace::new();
    let zip = data.join("dogs-vs-cats-200px.zip");
    let split = ["split", zip.to_str().unwrap(), "--out", "split", "--counts", "1000,500,500", "--in-order", "--json"];
    let said = workspace.run(&split);
    let splits = &json(&said.assert_code(0).stdout)["splits"];
    assert_eq!(splits["train"], serde_json::json!({ "cat": 1000, "dog": 1000 }));
    assert_eq!(splits["val"], serde_json::json!({ "cat": 500, "dog": 500 }));

    let small = ["split", zip.to_str().unwrap(), "--out", "small", "--counts", "100,50,50", "--in-order"];
    workspace.run(&small).assert_code(0);
    let train = ["train", "--data", "small", "--run", "run", "--model", "cats-dogs-convnet", "--image-size", "64"];
    workspace.run(&[&train[..], &["--epochs", "2", "--augment", "book"]].concat()).assert_code(0);
    let said = workspace.run(&["evaluate", "run", "--json"]);
    assert_eq!(json(&said.assert_code(0).stdout)["images"], 100);

    let rows = (1..=200).map(|id| format!("{id},0\n")).collect::<Vec<_>>().concat();
    workspace.write("form.csv", &format!("id,label\n{rows}"));
    let zip = data.join("dogs-vs-cats.zip");
    let predict = ["predict", "run", zip.to_str().unwrap(), "--inner", "test1.zip", "--submission", "form.csv"];
    let submission = workspace.run(&predict).assert_code(0).stdout.clone();
    assert_eq!(submission.lines().count(), 201);
    assert!(submission.lines().nth(200).unwrap().starts_with("200,0."), "{submission}");
}

#[test]
fn a_deflated_archive_of_full_size_photographs_is_read_in_place() {
    let Some(data) = data() else { return };
    let workspace = Workspace::new();
    let zip = data.join("dogs-vs-cats.zip");
    let split = ["split", zip.to_str().unwrap(), "--out", "split", "--ratios", "0.7,0.15,0.15", "--json"];
    let said = workspace.run(&split);
    let splits = &json(&said.assert_code(0).stdout)["splits"];
    assert_eq!(splits["train"], serde_json::json!({ "cat": 700, "dog": 700 }));
    assert_eq!(splits["test"], serde_json::json!({ "cat": 150, "dog": 150 }));
}

#[test]
fn mnist_is_learned_from_its_own_files() {
    let Some(data) = data() else { return };
    let workspace = Workspace::new();
    let mnist = data.join("mnist");
    let split = ["split", mnist.to_str().unwrap(), "--out", "split", "--counts", "1000,50", "--json"];
    let said = workspace.run(&split);
    let split = json(&said.assert_code(0).stdout);
    assert_eq!(split["classes"].as_array().unwrap().len(), 10);
    let train = ["train", "--data", "split", "--run", "run", "--model", "mnist-convnet", "--epochs", "2"];
    workspace.run(&[&train[..], &["--batch-size", "64", "--learning-rate", "0.001"]].concat()).assert_code(0);
    let said = workspace.run(&["evaluate", "run", "--batch-size", "256", "--json"]);
    let evaluation = json(&said.assert_code(0).stdout);
    assert_eq!(evaluation["images"], 10_000);
    assert!(evaluation["measures"]["accuracy"]["value"].as_f64().unwrap() > 0.9, "{evaluation}");
}

#[test]
fn a_head_on_features_of_published_weights_tells_cats_from_dogs() {
    let Some(data) = data() else { return };
    let workspace = Workspace::new();
    let zip = data.join("dogs-vs-cats-200px.zip");
    let split = ["split", zip.to_str().unwrap(), "--out", "split", "--counts", "100,50,50", "--in-order"];
    workspace.run(&split).assert_code(0);
    let weights = data.join("efficientnet_lite0.safetensors");
    let base = ["--data", "split", "--model", "efficientnet-lite0", "--weights", weights.to_str().unwrap()];
    workspace.run(&[&["features", "--out", "features"], &base[..]].concat()).assert_code(0);
    let train = ["train", "--features", "features", "--freeze-until", "head", "--run", "run", "--epochs", "30"];
    workspace.run(&[&train[..], &base].concat()).assert_code(0);
    let said = workspace.run(&["evaluate", "run", "--split", "test", "--json"]);
    let accuracy = &json(&said.assert_code(0).stdout)["measures"]["accuracy"]["value"];
    assert!(accuracy.as_f64().unwrap() >= 0.95, "{accuracy}");
}
