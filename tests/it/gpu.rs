//! Training on GPUs, where the program was built with CUDA and there are any, be it simulated ones.

#[cfg(feature = "nccl")]
use std::process::Stdio;

use aumenta_nn::DeviceChoice;
use serde_json::Value;

use crate::command::Workspace;

const CONFIG: &str = r#"
data = "split"
epochs = 3
workers = 2

[model]
name = "cats-dogs-convnet"
image-size = 46
dropout = 0.4

[optimizer]
name = "sgd"
learning-rate = 0.05
momentum = 0.9

[augment]
horizontal-flip = true
"#;

/// Sixteen images to train on; `None` where there are not `count` GPUs, which must be there where GPUs are required.
fn workspace(count: usize) -> Option<Workspace> {
    for number in 0..count {
        if let Err(reason) = DeviceChoice::Cuda(number).open() {
            assert!(std::env::var_os("AUMENTA_GPU").is_none(), "{reason}");
            eprintln!("NOT CHECKED on {count} GPUs: {reason}");
            return None;
        }
    }
    let workspace = Workspace::new();
    workspace.draw(12).split("8,2,2").write("config.toml", CONFIG);
    Some(workspace)
}

fn args<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--config", "config.toml", "--quiet", "--run", run], more].concat()
}

/// A number of each epoch of a run, by its JSON pointer.
fn of_epochs(workspace: &Workspace, run: &str, pointer: &str) -> Vec<f64> {
    let log = fs_err::read_to_string(workspace.path(&format!("{run}/epochs.jsonl"))).unwrap();
    let epochs = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    epochs.map(|epoch| epoch.pointer(pointer).unwrap().as_f64().unwrap()).collect()
}

/// Whether a number of three epochs is nearly the same in two runs.
#[track_caller]
fn assert_near(workspace: &Workspace, runs: [&str; 2], pointer: &str) {
    let [first, second] = runs.map(|run| of_epochs(workspace, run, pointer));
    assert_eq!((first.len(), second.len()), (3, 3));
    for (a, b) in first.iter().zip(&second) {
        assert!((a - b).abs() < 1e-3, "{pointer} of {runs:?}: {first:?} and {second:?}");
    }
}

#[test]
fn a_training_on_a_gpu_goes_as_it_does_on_the_cpu() {
    let Some(workspace) = workspace(1) else { return };
    for (run, device) in [("cpu", "cpu"), ("gpu", "cuda:0")] {
        workspace.run(&args(run, &["--batch-size", "4", "--device", device])).assert_code(0);
    }
    assert_near(&workspace, ["cpu", "gpu"], "/train/loss");
    assert_near(&workspace, ["cpu", "gpu"], "/validation/loss");
}

#[cfg(feature = "nccl")]
#[test]
fn two_processes_with_a_gpu_each_train_one_network_which_is_that_of_one_process() {
    let Some(workspace) = workspace(2) else { return };
    let together = ["0", "1"].map(|rank| {
        let device = format!("cuda:{rank}");
        let ranks =
            ["--rank", rank, "--ranks", "2", "--rendezvous", "meeting", "--device", &device, "--batch-size", "2"];
        workspace.program().args(args("both", &ranks)).stderr(Stdio::piped()).spawn().unwrap()
    });
    for process in together {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let alone = ["--batch-size", "2", "--accumulate", "2", "--device", "cuda:0"];
    workspace.run(&args("alone", &alone)).assert_code(0);
    let weights = |run: &str| fs_err::read(workspace.path(&format!("{run}/checkpoints/last.safetensors"))).unwrap();
    assert!(weights("both") == weights("both-rank-1"), "the processes have two networks");
    assert_near(&workspace, ["both", "alone"], "/validation/loss");
}
