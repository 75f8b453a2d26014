//! `aumenta export`.

use aumenta_models::onnx_metadata;
use aumenta_nn::TensorFile;
use serde_json::{Value, json};

use crate::command::Workspace;
use crate::summary::NET;

fn lines(workspace: &Workspace, file: &str) -> Vec<Value> {
    let text = fs_err::read_to_string(workspace.path(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_format_is_written_under_its_name_and_what_has_pixels_is_split_again() {
    let workspace = Workspace::new();
    workspace.draw(4).split("2,1,1");
    let before = workspace.files().len();
    for (format, out) in
        [("folders", "files"), ("zip", "data.zip"), ("tar", "shards"), ("csv", "d.csv"), ("parquet", "d.parquet")]
    {
        let said = workspace.run(&["export", "split", "--format", format, "--out", out]);
        assert_eq!(said.assert_code(0).stdout, format!("wrote 8 images to {out}\n"));
    }
    let files = workspace.files();
    let shown: Vec<&str> = files.iter().map(String::as_str).filter(|file| !file.ends_with("jpg")).collect();
    insta::assert_snapshot!("files", shown.join("\n"));
    assert_eq!(files.iter().filter(|file| file.ends_with("jpg")).count(), 8);
    assert!(files.len() > before);
    for (source, labels) in [("files", "folder"), ("data.zip", "folder"), ("shards", "auto")] {
        let again = format!("again-{source}");
        let args = ["split", source, "--out", &again, "--counts", "2,1,1", "--labels", labels];
        workspace.run(&args).assert_code(0);
        let manifest = fs_err::read_to_string(workspace.path(&again).join("manifest.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&manifest).unwrap()["classes"], json!(["cat", "dog"]));
    }
}

#[test]
fn an_export_is_replaced_on_request_and_nothing_else_is() {
    let workspace = Workspace::new();
    workspace.draw(4).split("2,1,1");
    fs_err::create_dir(workspace.path("mine")).unwrap();
    workspace.write("mine/note.txt", "mine");
    let export = |args: &[&str]| workspace.run(&[&["export", "split"], args].concat());
    export(&["--format", "folders", "--out", "files"]).assert_code(0);
    export(&["--format", "folders", "--out", "files", "--replace"]).assert_code(0);
    let mut all = Vec::new();
    for args in [
        &["--format", "folders", "--out", "files"][..],
        &["--format", "folders", "--out", "mine", "--replace"],
        &["--format", "zip", "--out", "drawn.zip", "--replace"],
        &["--format", "folders", "--out", "links", "--link", "hard"],
        &["--format", "zip", "--out", "links", "--link", "hard"],
        &["--format", "tar", "--out", "shards", "--shard-size", "0"],
        &["--out", "nothing"],
    ] {
        all.push(format!("$ export split {}\n{}", args.join(" "), export(args).assert_code(2).whole()));
    }
    insta::assert_snapshot!("refused", all.join("\n"));
    assert_eq!(fs_err::read_to_string(workspace.path("mine/note.txt")).unwrap(), "mine");
    assert!(!workspace.path("links").exists() && !workspace.path("shards").exists());
}

#[test]
fn augmented_versions_come_with_what_was_drawn_and_a_rerun_gives_the_same_files() {
    let workspace = Workspace::new();
    workspace.draw(4).split("2,1,1");
    let export = |out, more: &[&str]| {
        let args = ["export", "split", "--augmented", "3", "--size", "32", "--out", out];
        let said = workspace.run(&[&args[..], more].concat());
        assert_eq!(said.assert_code(0).stdout, format!("wrote 12 images to {out}\n"));
        lines(&workspace, &format!("{out}/augmented.jsonl"))
    };
    let (first, second) = (export("first", &[]), export("second", &[]));
    assert_eq!(first, second);
    assert_eq!(first.len(), 12);
    for line in &first {
        let file = line["file"].as_str().unwrap();
        let bytes = |out: &str| fs_err::read(workspace.path(out).join(file)).unwrap();
        assert_eq!(bytes("first"), bytes("second"));
        assert!(
            file.contains(&line["hash"].as_str().unwrap()[..16]) && file.starts_with(line["class"].as_str().unwrap())
        );
        assert!(!line["plan"]["ops"].as_array().unwrap().is_empty());
    }
    let reseeded = export("third", &["--seed", "8"]);
    assert_ne!(first[0]["file"], reseeded[0]["file"]);
    // The plans are those of a training's epochs.
    let explained =
        ["explain-sample", "split", first[1]["source"].as_str().unwrap(), "--epoch", "2", "--size", "32", "--json"];
    let said = workspace.run(&explained);
    let explained: Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(first[1]["plan"], explained["plan"]);
}

#[test]
fn a_runs_network_is_written_with_all_that_a_prediction_needs() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("net.toml", NET);
    let args = ["train", "--data", "split", "--run", "run", "--epochs", "1", "--model", "net.toml"];
    workspace.run(&args).assert_code(0);
    let export = |args: &[&str]| workspace.run(&[&["export", "run"], args].concat());
    for format in ["onnx", "safetensors"] {
        let out = format!("net.{format}");
        let said = export(&["--format", format, "--out", &out]);
        assert!(said.assert_code(0).stdout.starts_with(&format!("wrote {out} (")), "{}", said.stdout);
        export(&["--format", format, "--out", &out]).assert_code(2);
        let first = fs_err::read(workspace.path(&out)).unwrap();
        // After one epoch the last checkpoint is the best one.
        export(&["--format", format, "--out", &out, "--replace", "--checkpoint", "last"]).assert_code(0);
        assert!(fs_err::read(workspace.path(&out)).unwrap() == first, "the same network gives other bytes");
        for other in ["net.toml", "run/checkpoints/best.safetensors"] {
            export(&["--format", format, "--out", other, "--replace"]).assert_code(2);
        }
    }
    let bytes = |name: &str| fs_err::read(workspace.path(name)).unwrap();
    let (onnx, weights) = (
        onnx_metadata(&bytes("net.onnx")).unwrap(),
        TensorFile::from_bytes(&bytes("net.safetensors")).unwrap().metadata,
    );
    assert_eq!(weights["format"], "pt");
    for (key, value) in onnx {
        assert_eq!(weights[&key], value);
    }
    for (key, expected) in
        [("model", "tiny"), ("classes", "[\"cat\",\"dog\"]"), ("width", "16"), ("color", "rgb"), ("epoch", "1")]
    {
        assert_eq!(weights[key], expected);
    }
    let whole: Value = serde_json::from_str(&weights["aumenta"]).unwrap();
    assert_eq!(whole["preprocessing"]["height"], 16);
    assert_eq!(whole["model"]["layers"][0]["filters"], 8);
    let mut all = Vec::new();
    for args in [
        &["export", "split", "--format", "onnx", "--out", "split.onnx"][..],
        &["export", "run", "--format", "csv", "--out", "run.csv"],
        &["export", "split", "--format", "csv", "--out", "d.csv", "--checkpoint", "last"],
    ] {
        all.push(format!("$ {}\n{}", args.join(" "), workspace.run(args).assert_code(2).whole()));
    }
    insta::assert_snapshot!("network_refused", all.join("\n"));
}

#[test]
fn a_whitening_goes_with_the_weights_and_has_no_place_in_a_graph() {
    let workspace = Workspace::new();
    let net = "input = [4, 4, 1]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 1 }]";
    workspace.draw(6).split("4,1,1").write("net.toml", net);
    let args = ["train", "--data", "split", "--run", "run", "--epochs", "1", "--model", "net.toml", "--normalization"];
    workspace.run(&[&args[..], &["{ zca = {} }"]].concat()).assert_code(0);
    let said = workspace.run(&["export", "run", "--format", "onnx", "--out", "net.onnx"]);
    assert!(said.assert_code(2).stderr.contains("whitening"), "{}", said.stderr);
    workspace.run(&["export", "run", "--format", "safetensors", "--out", "net.safetensors"]).assert_code(0);
    let bytes = fs_err::read(workspace.path("net.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("normalization.matrix"));
}
