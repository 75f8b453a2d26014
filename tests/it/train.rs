//! `aumenta train`.

use crate::command::Workspace;

const CONFIG: &str = r#"
data = "split"
run = "runs/first"
epochs = 2
batch-size = 4

[model]
name = "cats-dogs-convnet"
image-size = 46

[optimizer]
name = "rmsprop"
learning-rate = 0.001
"#;

#[test]
fn a_run_leaves_its_configuration_its_epochs_and_its_checkpoints() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    let args = ["train", "--config", "config.toml", "--epochs", "3", "--dropout", "0.25", "--augment", "book"];
    workspace.run(&args).assert_code(0);
    let files: Vec<String> = workspace.files().into_iter().filter(|file| file.starts_with("runs/first/")).collect();
    assert_eq!(
        files,
        [
            "runs/first/checkpoints",
            "runs/first/checkpoints/best.safetensors",
            "runs/first/checkpoints/last.safetensors",
            "runs/first/checkpoints/step-00000004.json",
            "runs/first/checkpoints/step-00000004.safetensors",
            "runs/first/checkpoints/step-00000006.json",
            "runs/first/checkpoints/step-00000006.safetensors",
            "runs/first/config.toml",
            "runs/first/epochs.csv",
            "runs/first/epochs.jsonl",
            "runs/first/run.json",
        ]
    );
    let config = fs_err::read_to_string(workspace.path("runs/first/config.toml")).unwrap();
    for line in ["epochs = 3", "dropout = 0.25", "rotation-degrees = 40.0", "learning-rate = 0.001"] {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }
    let epochs = fs_err::read_to_string(workspace.path("runs/first/epochs.jsonl")).unwrap();
    assert_eq!(epochs.lines().count(), 3);
}

#[test]
fn naming_the_files_model_again_keeps_its_settings() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    let args = ["train", "--config", "config.toml", "--model", "cats-dogs-convnet", "--epochs", "1"];
    workspace.run(&args).assert_code(0);
    let config = fs_err::read_to_string(workspace.path("runs/first/config.toml")).unwrap();
    assert!(config.contains("image-size = 46"), "{config}");
}

#[test]
fn configurations_that_cannot_be_are_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let mut all = Vec::new();
    for (name, text) in [
        ("unknown_key.toml", CONFIG.replace("epochs", "epoch")),
        ("unknown_augment.toml", format!("{CONFIG}\n[augment]\nrotation = 40")),
        ("unknown_model.toml", CONFIG.replace("cats-dogs-convnet", "resnet")),
        ("no_data.toml", CONFIG.replace("data = \"split\"", "")),
        ("zero_epochs.toml", CONFIG.replace("epochs = 2", "epochs = 0")),
        ("zero_batch.toml", CONFIG.replace("batch-size = 4", "batch-size = 0")),
        ("negative_rate.toml", CONFIG.replace("0.001", "-0.001")),
        ("steep_zoom.toml", format!("{CONFIG}\n[augment]\nzoom = 1.5")),
        ("wild_mix.toml", format!("{CONFIG}\n[mix]\nmixup-alpha = -1")),
        (
            "zero_std.toml",
            format!("{CONFIG}\n[preprocessing]\nnormalization = {{ mean-std = {{ mean = [0.5], std = [0] }} }}"),
        ),
        ("large_zca.toml", format!("{CONFIG}\n[preprocessing]\nnormalization = {{ zca = {{}} }}")),
        (
            "two_normalizations.toml",
            format!(
                "{CONFIG}\n[augment]\ndialect = \"keras-2.15\"\nsamplewise_center = true\n\
                 [preprocessing]\nnormalization = \"imagenet\""
            ),
        ),
        ("small_image.toml", CONFIG.replace("image-size = 46", "image-size = 20")),
        ("other_classes.toml", CONFIG.replace("cats-dogs-convnet", "mnist-convnet").replace("image-size = 46", "")),
        ("epochs_and_steps.toml", format!("steps = 3\n{CONFIG}")),
        ("three_weights.toml", format!("{CONFIG}\n[loss]\nclass-weights = [1, 2, 3]")),
        ("other_weights.toml", format!("{CONFIG}\n[loss]\nclass-weights = \"balancd\"")),
        ("hard_labels.toml", format!("{CONFIG}\n[loss]\nlabel-smoothing = 1")),
        ("no_patience.toml", format!("{CONFIG}\n[early-stopping]\npatience = 0")),
        ("no_checkpoint.toml", format!("{CONFIG}\n[checkpoints]\nkeep = 0")),
        ("wild_schedule.toml", format!("{CONFIG}\n[schedule]\nname = \"step\"\nevery = 0\nfactor = 0.5")),
        ("not_toml.toml", "epochs = = 3".to_string()),
        ("other_device.toml", format!("device = \"gpu\"\n{CONFIG}")),
        ("fast_cpu.toml", format!("device = \"cpu\"\nprecision = \"bf16\"\n{CONFIG}")),
        ("two_classes.toml", format!("{CONFIG}\n[validation]\nmonitor = \"top-5-accuracy\"")),
        ("wild_average.toml", format!("ema-decay = 2.0\n{CONFIG}")),
        ("no_parameter.toml", format!("{CONFIG}\n[[optimizer.groups]]\nnames = \"*.bais\"\nweight-decay = 0.0")),
        ("empty.toml", String::new()),
    ] {
        workspace.write(name, &text);
        let said = workspace.run(&["train", "--config", name]);
        all.push(format!("$ train --config {name}\n{}", said.assert_code(2).whole()));
        assert!(!workspace.path("runs").exists(), "{name}");
    }
    workspace.write("config.toml", CONFIG);
    let negative = ["train", "--config", "config.toml", "--learning-rate", "-1"];
    all.push(format!("$ {}\n{}", negative.join(" "), workspace.run(&negative).assert_code(2).whole()));
    insta::assert_snapshot!("refused", all.join("\n"));
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_the_program_was_not_built_for_is_refused_with_what_to_build() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    let mut all = Vec::new();
    for args in [
        &["train", "--config", "config.toml", "--device", "cuda:1"][..],
        &["train", "--config", "config.toml", "--device", "gpu"],
        &["find-rate", "--config", "config.toml", "--device", "cuda"],
        &["features", "--config", "config.toml", "--device", "cuda", "--out", "features"],
    ] {
        let said = workspace.run(args);
        all.push(format!("$ {}\n{}", args.join(" "), said.assert_code(2).whole()));
        assert!(!workspace.path("runs").exists(), "{args:?}");
    }
    workspace.run(&["train", "--config", "config.toml", "--device", "cpu", "--epochs", "1"]).assert_code(0);
    let config = fs_err::read_to_string(workspace.path("runs/first/config.toml")).unwrap();
    assert!(config.contains("device = \"cpu\""), "{config}");
    for args in [
        &["evaluate", "runs/first", "--split", "val", "--device", "cuda"][..],
        &["predict", "runs/first", "drawn.zip", "--device", "cuda"],
        &["explain", "runs/first", "--device", "cuda", "--show", "patterns"],
    ] {
        all.push(format!("$ {}\n{}", args.join(" "), workspace.run(args).assert_code(2).whole()));
    }
    insta::assert_snapshot!("other_devices", all.join("\n"));
}

#[test]
fn a_normalization_can_be_given_as_a_flag() {
    let workspace = Workspace::new();
    let file = format!("{CONFIG}\n[preprocessing]\nnormalization = {{ rescale = {{}} }}");
    workspace.draw(6).split("4,1,1").write("config.toml", &file);
    let flag = ["--normalization", "{ samplewise = { center = true, std = true } }"];
    let train = ["train", "--config", "config.toml", "--epochs", "1"];
    workspace.run(&[&train[..], &flag].concat()).assert_code(0);
    let config = fs_err::read_to_string(workspace.path("runs/first/config.toml")).unwrap();
    assert!(config.contains("[preprocessing.normalization.samplewise]\ncenter = true\nstd = true"), "{config}");
    let said = workspace.run(&[&train[..], &["--normalization", "cifar"]].concat());
    assert!(said.code == 2 && said.stderr.contains("unknown variant `cifar`"), "{}", said.stderr);
}

#[test]
fn a_dialect_normalizes_and_evaluation_takes_it_from_the_checkpoint() {
    let workspace = Workspace::new();
    let dialect = "[augment]\ndialect = \"keras-2.15\"\nrescale = 0.00392156862745098\nhorizontal_flip = true\n\
                   featurewise_std_normalization = true";
    workspace.draw(6).split("4,1,1").write("config.toml", &format!("{CONFIG}\n{dialect}"));
    workspace.run(&["train", "--config", "config.toml", "--epochs", "1"]).assert_code(0);
    let config = fs_err::read_to_string(workspace.path("runs/first/config.toml")).unwrap();
    assert!(config.contains("featurewise_std_normalization = true"), "{config}");
    let checkpoint = fs_err::read(workspace.path("runs/first/checkpoints/last.safetensors")).unwrap();
    let header = String::from_utf8_lossy(&checkpoint[..4096.min(checkpoint.len())]).into_owned();
    assert!(header.contains(r#"\"normalization\":{\"affine\":{\"scale\":["#), "{header}");
    assert!(!header.contains(r#"\"offset\":[0.0"#), "{header}");
    workspace.run(&["evaluate", "runs/first", "--split", "val"]).assert_code(0);
    workspace
        .run(&["train", "--config", "runs/first/config.toml", "--run", "runs/again", "--epochs", "1"])
        .assert_code(0);
    let again = fs_err::read(workspace.path("runs/again/checkpoints/last.safetensors")).unwrap();
    assert!(checkpoint == again);
}

#[test]
fn a_run_is_not_overwritten() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    workspace.run(&["train", "--config", "config.toml", "--epochs", "1"]).assert_code(0);
    let before = fs_err::read(workspace.path("runs/first/checkpoints/last.safetensors")).unwrap();
    let said = workspace.run(&["train", "--config", "config.toml", "--epochs", "1"]);
    insta::assert_snapshot!("taken", said.assert_code(2).whole());
    assert!(before == fs_err::read(workspace.path("runs/first/checkpoints/last.safetensors")).unwrap());
}

#[test]
fn a_missing_configuration_is_named() {
    let said = Workspace::new().run(&["train", "--config", "nowhere.toml"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("nowhere.toml"), "{}", said.stderr);
}

/// A workspace whose data set is a folder of files, one of which has changed since the split.
fn with_a_changed_file() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(8).split("1,1,1");
    let args = ["split", "drawn.zip", "--out", "again", "--counts", "5,2,1", "--materialize", "files"];
    workspace.run(&args).assert_code(0);
    let args = ["split", "files", "--out", "unpacked", "--counts", "5,2,1"];
    workspace.run(&args).assert_code(0);
    let manifest = fs_err::read_to_string(workspace.path("unpacked/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let victim = &manifest["train"][2];
    let path = workspace.path("files").join(victim["path"].as_str().unwrap());
    fs_err::write(path, vec![7; usize::try_from(victim["size"].as_u64().unwrap()).unwrap()]).unwrap();
    workspace
}

#[test]
fn an_image_that_cannot_be_used_ends_a_training_or_is_counted_and_named_in_the_run() {
    let workspace = with_a_changed_file();
    let train = |run: &str, on_error: &[&str]| {
        let args = ["train", "--data", "unpacked", "--run", run, "--model", "cats-dogs-convnet", "--image-size", "46"];
        workspace.run(&[&args[..], &["--epochs", "2", "--batch-size", "4"], on_error].concat())
    };
    let said = train("failed", &[]);
    assert!(said.assert_code(1).stderr.contains("cannot read"), "{}", said.stderr);

    for (policy, action) in [("skip", "skipped"), ("replace", "replaced")] {
        let said = train(policy, &["--on-error", policy]);
        assert!(said.assert_code(0).stderr.contains(&format!("1 {action}")), "{}", said.stderr);
        let lines = |file: &str| {
            let text = fs_err::read_to_string(workspace.path(&format!("{policy}/{file}"))).unwrap();
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect::<Vec<_>>()
        };
        let (epochs, faults) = (lines("epochs.jsonl"), lines("faults.jsonl"));
        assert_eq!(epochs.iter().map(|epoch| &epoch[action]).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(faults.len(), 2);
        assert_eq!(
            (&faults[0]["split"], &faults[0]["id"], &faults[1]["epoch"]),
            (&"train".into(), &2.into(), &2.into())
        );
        assert_eq!(faults[0].get("replaced-by").is_some(), policy == "replace");
    }
}

#[test]
fn a_cache_on_the_disk_lies_beside_the_manifest_and_is_found_again() {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1").write("config.toml", CONFIG);
    for run in ["runs/one", "runs/two"] {
        let args = ["train", "--config", "config.toml", "--cache", "disk", "--run", run];
        let said = workspace.run(&args);
        assert!(!said.assert_code(0).stderr.contains("anew"), "{}", said.stderr);
    }
    assert!(workspace.path("split/pixel-cache/pixels.index").is_file());
    let config = fs_err::read_to_string(workspace.path("runs/one/config.toml")).unwrap();
    assert!(config.contains("cache = \"disk\""), "{config}");
    let said = workspace.run(&["train", "--config", "config.toml", "--cache", "tape", "--run", "runs/three"]);
    assert!(said.assert_code(2).stderr.contains("`auto`, `off`, `ram`, `disk`"), "{}", said.stderr);
}
