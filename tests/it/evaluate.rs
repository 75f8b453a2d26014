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
    for word in ["run on the split val\nOf 4 images", "accuracy", "95% interval", "precision", "cat", "largest losses"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn an_evaluation_leaves_a_page_with_its_parts() {
    let workspace = trained();
    workspace.run(&["evaluate", "run"]).assert_code(0);
    let said = workspace.run(&["evaluate", "run", "--checkpoint", "last", "--out", "new/folder", "--json"]);
    assert!(said.assert_code(0).stderr.contains("wrote new/folder/evaluation.html"), "{}", said.stderr);
    for folder in ["run/evaluation-test", "new/folder"] {
        let read = |name: &str| fs_err::read_to_string(workspace.path(folder).join(name)).unwrap();
        assert!(read("evaluation.html").contains("data:image/png;base64,"));
        assert!(read("confusion.svg").starts_with("<svg ") && read("calibration.svg").starts_with("<svg "));
        assert_eq!(read("classes.csv").lines().count(), 3);
        let predictions = read("predictions.csv");
        assert!(predictions.starts_with("id,path,true,predicted,loss,cat,dog\n"), "{predictions}");
        assert_eq!(predictions.lines().count(), 5);
        let json: serde_json::Value = serde_json::from_str(&read("evaluation.json")).unwrap();
        assert_eq!(json["images"], 4);
        let picture = fs_err::read(workspace.path(folder).join("top-losses.png")).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
    }
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["split"], "test");
}

#[test]
fn another_checkpoint_or_data_set_leaves_the_run_as_it_is() {
    let workspace = trained();
    let before = workspace.files();
    workspace.run(&["evaluate", "run", "--checkpoint", "last"]).assert_code(0);
    workspace.run(&["evaluate", "run", "--data", "split"]).assert_code(0);
    workspace.run(&["evaluate", "run", "--tta", "flip"]).assert_code(0);
    assert_eq!(workspace.files(), before);
}

#[test]
fn test_time_augmentation_is_measured_on_the_probabilities_that_are_predicted() {
    let workspace = trained();
    let said = workspace.run(&["evaluate", "run", "--split", "train", "--tta", "flip", "--out", "averaged"]);
    assert!(said.assert_code(0).stdout.contains("means over 2 views of each image"), "{}", said.stdout);
    let measured = fs_err::read_to_string(workspace.path("averaged/predictions.csv")).unwrap();
    let predict = ["predict", "run", "drawn.zip", "--inner", "train.zip", "--tta", "flip"];
    let predicted = workspace.run(&predict).assert_code(0).stdout.clone();
    let mut images = 0;
    for row in measured.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        let [_, path, truth, _, loss, cat, dog] = row[..] else { panic!("{row:?}") };
        assert!(predicted.contains(&format!("{path},{cat},{dog},")), "{row:?} {predicted}");
        let own: f64 = if truth == "cat" { cat } else { dog }.parse().unwrap();
        assert!((loss.parse::<f64>().unwrap() + own.ln()).abs() < 1e-5, "{row:?}");
        images += 1;
    }
    assert_eq!(images, 8);
    let said = workspace.run(&["evaluate", "run", "--tta", "4"]);
    assert!(said.assert_code(2).stderr.contains("trained without augmentation"), "{}", said.stderr);
}

#[test]
fn the_last_epoch_of_training_and_its_evaluation_agree() {
    let workspace = trained();
    let said = workspace.run(&["evaluate", "run", "--split", "val", "--checkpoint", "last", "--json"]);
    let evaluated: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    let epochs = fs_err::read_to_string(workspace.path("run/epochs.jsonl")).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(epochs.lines().last().unwrap()).unwrap();
    let value = |measure: &str| evaluated["measures"][measure]["value"].as_f64().unwrap();
    assert_eq!(recorded["validation"]["accuracy"].as_f64(), Some(value("accuracy")));
    let difference = recorded["validation"]["loss"].as_f64().unwrap() - value("loss");
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
