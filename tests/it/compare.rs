//! `aumenta compare`.

use crate::command::Workspace;

const CONFIG: &str = r#"
data = "split"
epochs = 2
batch-size = 8

[model]
name = "cats-dogs-convnet"
image-size = 46
"#;

/// Two seeds each without and with dropout.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(10).split("6,2,2").write("config.toml", CONFIG);
    for (name, dropout) in [("plain", "0"), ("dropout", "0.5")] {
        for seed in ["1", "2"] {
            let run = format!("runs/{name}-{seed}");
            let args =
                ["train", "--config", "config.toml", "--run", &run, "--seed", seed, "--dropout", dropout, "--quiet"];
            workspace.run(&args).assert_code(0);
        }
    }
    workspace
}

const RUNS: [&str; 4] = ["runs/plain-1", "runs/plain-2", "runs/dropout-1", "runs/dropout-2"];

#[test]
fn runs_that_differ_in_their_seed_alone_are_one_arm() {
    let workspace = workspace();
    let said = workspace.run(&[&["compare"], &RUNS[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    let arm =
        |index: usize| (json["arms"][index]["name"].clone(), json["arms"][index]["trials"].as_array().unwrap().len());
    assert_eq!((arm(0), arm(1)), (("plain".into(), 2), ("dropout".into(), 2)));
    assert_eq!(json["arms"][1]["settings"], serde_json::json!([["model.dropout", "0.5"]]));
    assert_eq!(json["comparisons"][0]["paired"]["pairs"], 2);
}

#[test]
fn a_folder_gets_the_pages_and_charts() {
    let workspace = workspace();
    let said = workspace.run(&[&["compare"], &RUNS[..], &["--out", "compared"]].concat());
    assert!(said.assert_code(0).stdout.contains("report: compared/report.html"), "{}", said.stdout);
    for file in ["report.html", "report.md", "report.json", "validation-accuracy.svg", "final-gap-by-model-dropout.svg"]
    {
        assert!(workspace.path("compared").join(file).is_file(), "{file}");
    }
}

#[test]
fn other_validation_images_are_not_compared() {
    let workspace = workspace();
    workspace.run(&["split", "drawn.zip", "--out", "other", "--counts", "6,2,2", "--seed", "8"]).assert_code(0);
    let args = ["train", "--config", "config.toml", "--data", "other", "--run", "runs/other", "--seed", "1", "--quiet"];
    workspace.run(&args).assert_code(0);
    let said = workspace.run(&["compare", "runs/plain-1", "runs/other", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(json["comparisons"], serde_json::json!([]));
    assert_eq!(json["facts"][0][1], "other: other validation images than the first run");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let workspace = workspace();
    let mut all = Vec::new();
    for args in [
        &["compare"][..],
        &["compare", "split"],
        &["compare", "runs/plain-1", "runs/plain-1"],
        &["compare", "runs/plain-1", "--compare", "best-monitored"],
        &["compare", "runs/plain-1", "--compare", "f2"],
    ] {
        let said = workspace.run(args);
        all.push(format!("$ {}\n{}", args.join(" "), said.assert_code(2).whole()));
    }
    insta::assert_snapshot!("refused_comparisons", all.join("\n"));
}
