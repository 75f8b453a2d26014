//! `aumenta study`.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Said, Workspace};

const STUDY: &str = r#"
title = "Does dropout help?"
seeds = [1, 2]
parallel = 2

[base]
data = "split"
epochs = 2
batch-size = 8

[base.model]
name = "cats-dogs-convnet"
image-size = 46

[grid]
model.dropout = [0.0, 0.5]
"#;

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(10).split("6,2,2").write("study.toml", STUDY);
    workspace
}

fn study(workspace: &Workspace) -> Said {
    workspace.run(&["study", "study.toml", "--out", "study"])
}

/// The epochs that each trial has trained, by name.
fn epochs(workspace: &Workspace) -> Vec<(String, usize)> {
    let is_log = |file: &String| file.ends_with("epochs.jsonl");
    let count = |file: String| {
        let log = fs_err::read_to_string(workspace.path(&file)).unwrap();
        let name = file.trim_start_matches("study/trials/").trim_end_matches("/run/epochs.jsonl").to_string();
        (name, log.lines().count())
    };
    workspace.files().into_iter().filter(is_log).map(count).collect()
}

fn report(workspace: &Workspace) -> serde_json::Value {
    serde_json::from_slice(&fs_err::read(workspace.path("study/report.json")).unwrap()).unwrap()
}

#[test]
fn a_study_trains_every_arm_with_every_seed_and_reports() {
    let workspace = workspace();
    let said = study(&workspace);
    assert!(said.assert_code(0).stdout.contains("Does dropout help?"), "{}", said.stdout);
    let expected = ["dropout-0.0/seed-1", "dropout-0.0/seed-2", "dropout-0.5/seed-1", "dropout-0.5/seed-2"];
    assert_eq!(epochs(&workspace), expected.map(|name| (name.to_string(), 2)));
    for file in ["report.html", "report.md", "final-gap.svg", "final-gap-by-model-dropout.svg", "study.toml"] {
        assert!(workspace.path("study").join(file).is_file(), "{file}");
    }
    assert_eq!(report(&workspace)["comparisons"][0]["paired"]["pairs"], 2);
}

#[test]
fn the_same_study_again_trains_nothing_and_more_seeds_only_those() {
    let workspace = workspace();
    let first = study(&workspace).stdout;
    let again = workspace.run(&["study", "--resume", "study"]);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), (first.as_str(), ""));
    let more = workspace.run(&["study", "study.toml", "--out", "study", "--seeds", "1,2,3"]);
    assert_eq!(more.assert_code(0).stderr.lines().count(), 2, "{}", more.stderr);
}

#[test]
fn runs_of_a_study_are_those_of_train() {
    let workspace = workspace();
    study(&workspace).assert_code(0);
    let train = ["train", "--config", "study/trials/dropout-0.5/seed-2/trial.toml", "--run", "alone", "--quiet"];
    workspace.run(&train).assert_code(0);
    let network = |run: &str| fs_err::read(workspace.path(run).join("checkpoints/last.safetensors")).unwrap();
    assert!(network("alone") == network("study/trials/dropout-0.5/seed-2/run"));
}

#[test]
fn a_failed_trial_is_recorded_and_the_rest_goes_on() {
    let workspace = workspace();
    // A network whose loss runs away ends with an error.
    workspace.write(
        "study.toml",
        &STUDY.replace(
            "model.dropout = [0.0, 0.5]",
            "optimizer = [{ name = 'sgd', learning-rate = 0.01 }, { name = 'sgd', learning-rate = 1e30 }]",
        ),
    );
    let said = study(&workspace);
    assert!(said.assert_code(0).stderr.contains("failed: "), "{}", said.stderr);
    let report = report(&workspace);
    let fate = |arm: usize| report["arms"][arm]["trials"][0]["fate"]["is"].clone();
    assert_eq!((fate(0), fate(1)), ("finished".into(), "failed".into()));
    assert!(said.stdout.contains("2 trials are left out, for they failed"), "{}", said.stdout);
}

#[test]
fn a_smaller_and_noisier_training_split_keeps_the_validation_images() {
    let workspace = workspace();
    workspace.write(
        "study.toml",
        &STUDY.replace("model.dropout = [0.0, 0.5]", "train-images = [6, 12]\nlabel-noise = [0.5]"),
    );
    study(&workspace).assert_code(0);
    let manifest = |folder: &str| -> serde_json::Value {
        serde_json::from_slice(&fs_err::read(workspace.path(folder).join("manifest.json")).unwrap()).unwrap()
    };
    let paths = |manifest: &serde_json::Value| -> Vec<String> {
        manifest["val"].as_array().unwrap().iter().map(|record| record["path"].to_string()).collect()
    };
    let (whole, small) = (manifest("split"), manifest("study/data/images-6-noise-0.5-seed-1"));
    assert_eq!(paths(&whole), paths(&small));
    assert_eq!(small["train"].as_array().unwrap().len(), 6);
    let noise = fs_err::read(workspace.path("study/data/images-6-noise-0.5-seed-1/label-noise.json")).unwrap();
    let noise: serde_json::Value = serde_json::from_slice(&noise).unwrap();
    assert_eq!(noise["flipped"].as_array().unwrap().len(), 3);
}

#[test]
fn a_budget_leaves_whole_seeds_undone() {
    let workspace = workspace();
    let said = workspace.run(&["study", "study.toml", "--out", "study", "--max-trials", "2"]);
    assert!(said.assert_code(0).stderr.contains("the budget is spent, with 2 trials to go"), "{}", said.stderr);
    assert_eq!(epochs(&workspace).iter().filter(|(name, _)| name.ends_with("seed-1")).count(), 2);
}

#[test]
fn halving_ends_the_worse_arms() {
    let workspace = workspace();
    let text = STUDY.replace("parallel = 2", "parallel = 2\nhalving = { first-epochs = 1 }");
    workspace.write("study.toml", &text);
    study(&workspace).assert_code(0);
    let mut trained: Vec<usize> = epochs(&workspace).into_iter().map(|(_, epochs)| epochs).collect();
    trained.sort_unstable();
    assert_eq!(trained, [1, 1, 2, 2]);
    assert_eq!(report(&workspace)["arms"].as_array().unwrap().len(), 2);
}

/// Starts a long study and waits until each of its first two trials has an epoch.
fn start(workspace: &Workspace) -> Child {
    workspace.write("study.toml", &STUDY.replace("epochs = 2", "epochs = 2000"));
    let args = ["study", "study.toml", "--out", "study"];
    let child = workspace.program().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while epochs(workspace).iter().filter(|(_, epochs)| *epochs > 0).count() < 2 {
        assert!(begun.elapsed() < Duration::from_mins(2), "no trial has an epoch");
        std::thread::yield_now();
    }
    child
}

#[cfg(unix)]
#[test]
fn an_interrupted_study_goes_on_where_it_was() {
    let workspace = workspace();
    let child = start(&workspace);
    let ask = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(ask.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("to go on: aumenta study --resume study"), "{said}");
    let before = epochs(&workspace);
    let said = workspace.run(&["study", "--resume", "study", "--max-epochs", "1"]);
    said.assert_code(0);
    assert_eq!(epochs(&workspace), before);
    assert!(report(&workspace)["arms"][0]["trials"][0]["fate"]["is"] == "unfinished");
}

#[test]
fn what_cannot_be_a_study_is_refused_before_anything_is_trained() {
    let workspace = workspace();
    workspace.write("thesis.txt", "dear");
    let mut all = Vec::new();
    for (name, text) in [
        ("unknown_key.toml", STUDY.replace("seeds", "seed")),
        ("unknown_setting.toml", STUDY.replace("model.dropout", "model.droput")),
        ("unknown_base.toml", STUDY.replace("batch-size", "batchsize")),
        ("empty_grid.toml", STUDY.replace("[0.0, 0.5]", "[]")),
        ("no_grid.toml", STUDY.replace("model.dropout = [0.0, 0.5]", "")),
        ("wild_value.toml", STUDY.replace("[0.0, 0.5]", "[0.0, 7.0]")),
        ("too_many_images.toml", STUDY.replace("model.dropout = [0.0, 0.5]", "train-images = [6, 600]")),
        ("no_seed.toml", STUDY.replace("[1, 2]", "[]")),
        ("no_outcome.toml", STUDY.replace("parallel = 2", "compare = [\"f2\"]")),
        ("never_reached.toml", STUDY.replace("parallel = 2", "compare = [\"epochs-to-reach\"]")),
        ("fast_cpu.toml", STUDY.replace("batch-size", "device = \"cpu\"\nprecision = \"bf16\"\nbatch-size")),
        ("no_weights.toml", STUDY.replace("batch-size", "weights = \"nowhere.safetensors\"\nbatch-size")),
        ("no_batch.toml", STUDY.replace("batch-size = 8", "batch-size = 0")),
        (
            "halved_cosine.toml",
            STUDY
                .replace("parallel = 2", "halving = { first-epochs = 1 }")
                .replace("[base.model]", "[base.schedule]\nname = \"cosine\"\n[base.model]"),
        ),
    ] {
        workspace.write(name, &text);
        let said = workspace.run(&["study", name]);
        all.push(format!("$ study {name}\n{}", said.assert_code(2).whole()));
        assert!(!workspace.files().iter().any(|file| file.contains("trials")), "{name}");
    }
    workspace.write("study.toml", STUDY);
    let said = workspace.run(&["study", "study.toml", "--out", "split"]);
    all.push(format!("$ study study.toml --out split\n{}", said.assert_code(2).whole()));
    insta::assert_snapshot!("refused_studies", all.join("\n"));
}

#[test]
fn another_study_does_not_take_the_folder() {
    let workspace = workspace();
    study(&workspace).assert_code(0);
    workspace.write("study.toml", &STUDY.replace("batch-size = 8", "batch-size = 4"));
    let said = study(&workspace);
    assert!(said.assert_code(2).stderr.contains("`study` holds another study: its `base.batch-size` is 8, not 4"));
}

#[test]
fn a_preset_trains_on_drawn_data_and_can_be_printed() {
    let workspace = Workspace::new();
    let preset = ["study", "--preset", "data-size", "--drawn=8,2,2", "--epochs", "1", "--seeds", "1"];
    let said = workspace.run(&preset);
    assert!(said.assert_code(0).stdout.contains("report: studies/data-size/report.html"), "{}", said.stdout);
    assert!(workspace.path("studies/data-size/late-validation-by-train-images.svg").is_file());
    let printed = workspace.run(&["study", "--preset", "lecture", "--print"]);
    assert!(printed.assert_code(0).stdout.contains("[[arms]]\nname = \"both\""), "{}", printed.stdout);
}
