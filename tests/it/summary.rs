//! `aumenta summary`.

use crate::command::Workspace;

#[test]
fn the_tables_of_both_models_are_those_of_the_book() {
    let workspace = Workspace::new();
    insta::assert_snapshot!("mnist", workspace.run(&["summary", "mnist-convnet"]).whole());
    let said = workspace.run(&["summary", "cats-dogs-convnet", "--dropout", "0.5"]);
    insta::assert_snapshot!("cats_dogs", said.whole());
}

#[test]
fn the_table_as_json_has_the_totals() {
    let said = Workspace::new().run(&["summary", "mnist-convnet", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(json["parameters"], 93_322);
    assert_eq!(json["layers"][0]["output-shape"], serde_json::json!([26, 26, 32]));
}

#[test]
fn models_and_settings_that_do_not_exist_are_bad_use() {
    let workspace = Workspace::new();
    let all: Vec<String> = [
        ["summary", "resnet"].as_slice(),
        &["summary", "mnist-convnet", "--dropout", "0.5"],
        &["summary", "cats-dogs-convnet", "--image-size", "40"],
        &["summary", "cats-dogs-convnet", "--dropout", "1.5"],
    ]
    .iter()
    .map(|args| workspace.run(args).assert_code(2).whole())
    .collect();
    insta::assert_snapshot!("refused", all.join("\n"));
}
