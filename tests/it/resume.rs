//! `aumenta train --resume`: whatever ends a training, taken up again it ends as if nothing had.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use aumenta_seed::Seed;
use rand::RngExt as _;

use crate::command::Workspace;

const CONFIG: &str = r#"
data = "split"
run = "run"
epochs = 12
batch-size = 4
workers = 2

[model]
name = "cats-dogs-convnet"
image-size = 46
dropout = 0.3

[optimizer]
name = "rmsprop"
learning-rate = 0.001

[augment]
rotation-degrees = 20
horizontal-flip = true

[checkpoints]
every-steps = 1
"#;

/// Four images of each class to train on, two batches an epoch, and a configuration.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    workspace
}

/// Trains without an interruption in `whole`.
fn train_whole(workspace: &Workspace) {
    workspace.run(&["train", "--config", "config.toml", "--run", "whole", "--quiet"]).assert_code(0);
}

#[track_caller]
fn assert_same_network(workspace: &Workspace, run: &str) {
    for name in ["best", "last"] {
        let network =
            |run: &str| fs_err::read(workspace.path(&format!("{run}/checkpoints/{name}.safetensors"))).unwrap();
        assert!(network(run) == network("whole"), "{name} differs");
    }
    let epochs = |run: &str| -> Vec<String> {
        let log = fs_err::read_to_string(workspace.path(&format!("{run}/epochs.jsonl"))).unwrap();
        log.lines().map(|line| line.split(r#","images-per-second""#).next().unwrap().to_string()).collect()
    };
    assert_eq!(epochs(run), epochs("whole"));
}

/// Starts a training and waits until it has told of `batches` batches, or has ended.
fn train_until(workspace: &Workspace, args: &[&str], batches: u32) -> Child {
    let mut child =
        workspace.program().args(args).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).filter(|line| line.contains(r#""event":"batch""#)).take(batches as usize);
    assert!(told.count() as u32 <= batches);
    child
}

#[test]
fn a_training_killed_twenty_times_ends_with_the_same_network() {
    let workspace = workspace();
    train_whole(&workspace);
    let mut rng = Seed::new(7).rng("kill", 0, 0);
    let mut killed = 0;
    for _ in 0..20 {
        // Before the first checkpoint there is nothing to go on from.
        let begun = workspace.path("run/checkpoints").is_dir() && !snapshots(&workspace).is_empty();
        if !begun && workspace.path("run").exists() {
            fs_err::remove_dir_all(workspace.path("run")).unwrap();
        }
        let args: &[&str] = if begun { &["train", "--resume", "run"] } else { &["train", "--config", "config.toml"] };
        let mut child = train_until(&workspace, args, rng.random_range(1..=3));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
    }
    assert!(killed >= 10, "only {killed} of 20 were killed before their end");
    workspace.run(&["train", "--resume", "run", "--quiet"]).assert_code(0);
    assert_same_network(&workspace, "run");
}

/// The names of the snapshots' states, oldest first.
fn snapshots(workspace: &Workspace) -> Vec<String> {
    let names = fs_err::read_dir(workspace.path("run/checkpoints")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("step-") && name.contains(".json")).collect();
    names.sort();
    names
}

#[test]
#[cfg(unix)]
fn an_interrupted_training_says_how_to_go_on() {
    let workspace = workspace();
    train_whole(&workspace);
    let child = train_until(&workspace, &["train", "--config", "config.toml"], 3);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("stopping after this step and writing a checkpoint"), "{said}");
    assert!(said.trim_end().ends_with("; to go on: aumenta train --resume run"), "{said}");
    let said = workspace.run(&["train", "--resume", "run"]);
    assert!(said.assert_code(0).stderr.contains("going on in epoch"), "{}", said.stderr);
    assert_same_network(&workspace, "run");
}

#[test]
fn a_damaged_checkpoint_is_passed_over_with_a_warning() {
    let workspace = workspace();
    train_whole(&workspace);
    let config = ["train", "--config", "config.toml", "--quiet", "--epochs", "4"];
    workspace.run(&config).assert_code(0);
    let last = snapshots(&workspace).pop().unwrap();
    let path = workspace.path(&format!("run/checkpoints/{}", last.replace("json", "safetensors")));
    let mut bytes = fs_err::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs_err::write(&path, bytes).unwrap();
    let said = workspace.run(&["train", "--resume", "run", "--epochs", "12", "--quiet"]);
    let warning = format!("{last}` is no usable snapshot: ");
    assert!(said.assert_code(0).stderr.contains(&warning), "{}", said.stderr);
    assert!(said.stderr.contains("is damaged"), "{}", said.stderr);
    assert_same_network(&workspace, "run");
}

#[test]
fn what_would_change_the_end_is_refused_by_name_and_forced() {
    let workspace = workspace();
    workspace.run(&["train", "--config", "config.toml", "--quiet", "--epochs", "2"]).assert_code(0);
    let resume = |args: &[&str]| workspace.run(&[&["train", "--resume", "run"], args].concat());
    let mut all = vec![resume(&["--learning-rate", "0.01", "--batch-size", "3"]).assert_code(2).whole()];
    all.push(resume(&["--epochs", "3", "--seed", "8", "--force", "--quiet"]).assert_code(0).whole());
    // Other workers and more epochs change nothing that was done.
    resume(&["--epochs", "4", "--workers", "1", "--cache", "off", "--quiet"]).assert_code(0);
    let schedule = ["--epochs", "5", "--schedule", "cosine"];
    all.push(resume(&schedule).assert_code(2).whole());
    let manifest = workspace.path("split/manifest.json");
    workspace.run(&["split", "drawn.zip", "--out", "other", "--counts", "3,2,1"]).assert_code(0);
    fs_err::copy(workspace.path("other/manifest.json"), manifest).unwrap();
    all.push(resume(&["--epochs", "5"]).assert_code(2).whole());
    resume(&["--epochs", "5", "--force", "--quiet"]).assert_code(0);
    all.push(workspace.run(&["train", "--resume", "split"]).assert_code(2).whole());
    insta::assert_snapshot!("changed", all.join("\n"));
}

#[test]
#[cfg(unix)]
fn a_full_disk_ends_a_training_that_goes_on_once_there_is_room() {
    let workspace = workspace();
    train_whole(&workspace);
    // No file may grow beyond 400 blocks of 512 bytes, which the first checkpoint does.
    let program = env!("CARGO_BIN_EXE_aumenta");
    let limited = format!("trap '' XFSZ; ulimit -f 400; exec {program} train --config config.toml --quiet");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]);
    let output = workspace.in_place(shell).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("could not write a file") && said.contains("checkpoints"), "{said}");
    let said = workspace.run(&["train", "--resume", "run"]);
    assert!(said.assert_code(1).stderr.contains("has no snapshot to go on from"), "{}", said.stderr);
    assert!(!workspace.files().iter().any(|file| file.ends_with(".partial")), "{:?}", workspace.files());
}

#[test]
fn events_are_lines_of_json() {
    let workspace = workspace();
    let train = ["train", "--config", "config.toml", "--epochs", "2", "--validate-every", "1", "--json"];
    let said = workspace.run(&train);
    let events = said.assert_code(0).stdout.lines().map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["event"].as_str().unwrap().to_string()
    });
    let epoch = ["batch", "validation", "checkpoint", "batch", "checkpoint", "checkpoint", "epoch"];
    assert_eq!(events.collect::<Vec<_>>(), [&["phase"][..], &epoch, &epoch, &["phase-end"]].concat());
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    let log = fs_err::read_to_string(workspace.path("run/validations.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
}

#[test]
fn a_run_has_event_files_where_they_are_asked_for() {
    let workspace = workspace();
    let train = ["train", "--config", "config.toml", "--epochs", "1", "--tensorboard", "--quiet"];
    workspace.run(&train).assert_code(0);
    let files = workspace.files();
    let events = files.iter().filter(|file| file.starts_with("run/tensorboard/events.out.tfevents."));
    assert_eq!(events.count(), 1, "{files:?}");
}

#[test]
fn a_run_that_is_at_its_end_says_how_it_would_go_on() {
    let workspace = workspace();
    workspace.run(&["train", "--config", "config.toml", "--epochs", "1"]).assert_code(0);
    let said = workspace.run(&["train", "--resume", "run", "--epochs", "1"]);
    assert!(said.assert_code(0).stderr.contains("run folder run, which is at its end: --epochs N would let it go on"));
    let best = "best: epoch 1, validation accuracy ";
    assert!(
        said.stderr.contains(best) && said.stderr.ends_with("; run/checkpoints/best.safetensors\n"),
        "{}",
        said.stderr
    );
}
