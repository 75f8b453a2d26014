//! `aumenta evaluate`.

use crate::command::Workspace;

fn trained() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(8).split("4,2,2");
    let args = ["train", "--data", "split", "--run", "run", "--model", "cats-dogs-convnet", "--image-size", "46"];
    workspace.run(&[&args[..], &["--epochs", "1", "--batch-size", "4"]].concat()).assert_code(0);
    workspace
}

#[test]
fn an_evaluation_is_printed_and_kept_with_the_run() {
    let workspace = trained();
    let said = workspace.run(&["evaluate", "run", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(json["split"], "test");
    assert_eq!(json["images"], 4);
    let kept = fs_err::read_to_string(workspace.path("run/evaluation-test.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&kept).unwrap(), json);

    let text = workspace.run(&["evaluate", "run", "--split", "val"]).assert_code(0).stdout.clone();
    for word in ["val: 4 images, epoch 1", "accuracy", "95 % interval", "precision", "cat", "dog"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn the_last_epoch_of_training_and_its_evaluation_agree() {
    let workspace = trained();
    let said = workspace.run(&["evaluate", "run", "--split", "val", "--checkpoint", "last", "--json"]);
    let evaluated: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    let epochs = fs_err::read_to_string(workspace.path("run/epochs.jsonl")).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(epochs.lines().last().unwrap()).unwrap();
    assert_eq!(recorded["validation"]["accuracy"], evaluated["accuracy"]);
    let difference = recorded["validation"]["loss"].as_f64().unwrap() - evaluated["loss"].as_f64().unwrap();
    assert!(difference.abs() < 1e-5, "{difference}");
}

#[test]
fn a_manifest_that_changed_since_the_training_is_refused() {
    let workspace = trained();
    fs_err::remove_dir_all(workspace.path("split")).unwrap();
    workspace.split("3,2,2");
    let said = workspace.run(&["evaluate", "run"]);
    insta::assert_snapshot!("changed_manifest", said.assert_code(2).whole());
    workspace.run(&["evaluate", "run", "--data", "split"]).assert_code(0);
}

#[test]
fn folders_that_hold_no_usable_run_are_named() {
    let workspace = trained();
    let nowhere = workspace.run(&["evaluate", "nowhere"]).assert_code(2).whole();
    let whole = fs_err::read(workspace.path("run/checkpoints/best.safetensors")).unwrap();
    fs_err::write(workspace.path("run/checkpoints/best.safetensors"), &whole[..1000]).unwrap();
    let damaged = workspace.run(&["evaluate", "run"]).assert_code(1).whole();
    fs_err::remove_file(workspace.path("run/checkpoints/best.safetensors")).unwrap();
    let missing = workspace.run(&["evaluate", "run"]);
    assert!(missing.assert_code(1).stderr.contains("best.safetensors"), "{}", missing.stderr);
    insta::assert_snapshot!("refused", format!("{nowhere}\n{damaged}"));
}
