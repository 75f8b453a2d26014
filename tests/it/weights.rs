//! `aumenta weights`, and trainings that begin with weights.

use aumenta_models::ModelConfig;
use aumenta_nn::{NamedTensor, TensorFile};
use aumenta_seed::Seed;
use candle_core::Device;
use serde_json::Value;

use crate::command::Workspace;

/// `theirs.safetensors`: weights of MobileNetV2 for 1,000 classes, as another library saves them.
fn save_mobilenet(workspace: &Workspace) {
    let architecture = ModelConfig::named("mobilenet-v2").unwrap().architecture().unwrap();
    let mut tensors = architecture.build(Seed::new(3), &Device::Cpu).unwrap().parameters().tensors().unwrap();
    let counts = NamedTensor { name: "features.0.1.num_batches_tracked".to_string(), shape: vec![], values: vec![7.0] };
    tensors.push(counts);
    let file = TensorFile { tensors, ..TensorFile::default() };
    fs_err::write(workspace.path("theirs.safetensors"), file.to_bytes().unwrap()).unwrap();
}

fn read(workspace: &Workspace, name: &str) -> TensorFile {
    TensorFile::from_bytes(&fs_err::read(workspace.path(name)).unwrap()).unwrap()
}

#[test]
fn the_list_says_where_weights_are_and_which_file_is_pinned() {
    let workspace = Workspace::new();
    insta::assert_snapshot!("list", workspace.run(&["weights", "list"]).assert_code(0).whole());
    let said = workspace.run(&["weights", "list", "--json"]);
    let json: Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!((&json[3]["model"], &json[3]["parameters"]), (&"resnet18".into(), &11_689_512.into()));
    assert_eq!((&json[3]["mean"][0], &json[3]["sha256"]), (&0.485.into(), &Value::Null));
}

#[test]
fn imported_weights_are_those_of_the_file_and_a_training_begins_with_them() {
    let workspace = Workspace::new();
    save_mobilenet(&workspace);
    workspace.draw(4).split("2,1,1");
    let import = ["weights", "import", "theirs.safetensors", "--model", "mobilenet-v2", "--out", "ours.safetensors"];
    let said = workspace.run(&import).assert_code(0).stdout.clone();
    assert!(said.starts_with("wrote ours.safetensors: 262 tensors of mobilenet-v2 with its head\nSHA-256"), "{said}");
    assert!(said.ends_with("(no file is pinned)\n"), "{said}");
    let ours = read(&workspace, "ours.safetensors");
    let mut theirs = read(&workspace, "theirs.safetensors").tensors;
    theirs.retain(|tensor| !tensor.name.ends_with("num_batches_tracked"));
    assert!(ours.tensors == theirs);
    assert_eq!((&*ours.metadata["model"], &*ours.metadata["source"]), ("mobilenet-v2", "theirs.safetensors"));
    assert!(ours.metadata["normalization"].starts_with("{\"affine\":{\"scale\":[0.0171"), "{:?}", ours.metadata);

    // A learning rate of next to nothing leaves the base as it was.
    let train = ["train", "--data", "split", "--run", "run", "--model", "mobilenet-v2", "--image-size", "32"];
    let more = ["--epochs", "1", "--batch-size", "4", "--learning-rate", "1e-30", "--weights", "ours.safetensors"];
    let said = workspace.run(&[&train[..], &more].concat()).assert_code(0).stderr.clone();
    let remark = "beginning with 260 tensors of ours.safetensors, with a new head; left out: classifier.1.bias, \
                  classifier.1.weight\n";
    assert!(said.contains(remark), "{said}");
    let trained = read(&workspace, "run/checkpoints/best.safetensors");
    let weight = |file: &TensorFile| {
        file.tensors.iter().find(|tensor| tensor.name == "features.18.0.weight").unwrap().values.clone()
    };
    assert!(weight(&trained) == weight(&ours));
    let checkpoint: Value = serde_json::from_str(&trained.metadata["aumenta"]).unwrap();
    let normalization: Value = serde_json::from_str(&ours.metadata["normalization"]).unwrap();
    assert_eq!(checkpoint["preprocessing"]["normalization"], normalization);

    // The run needs the file no more.
    fs_err::remove_file(workspace.path("ours.safetensors")).unwrap();
    workspace.run(&["evaluate", "run"]).assert_code(0);
    workspace.run(&["train", "--resume", "run", "--epochs", "2"]).assert_code(0);
}

#[test]
fn files_and_models_without_weights_are_bad_use() {
    let workspace = Workspace::new();
    save_mobilenet(&workspace);
    workspace.write("page.pth", "<html>not found</html>").draw(4).split("2,1,1");
    let import = |file: &str, model: &str, out: &str| {
        workspace.run(&["weights", "import", file, "--model", model, "--out", out]).assert_code(2).whole()
    };
    let train = ["train", "--data", "split", "--run", "run", "--model", "cats-dogs-convnet", "--image-size", "64"];
    let all = [
        import("theirs.safetensors", "resnet18", "ours.safetensors"),
        import("theirs.safetensors", "mnist-convnet", "ours.safetensors"),
        import("theirs.safetensors", "mobilenet-v2", "theirs.safetensors"),
        import("page.pth", "mobilenet-v2", "ours.safetensors"),
        import("nowhere.pth", "mobilenet-v2", "ours.safetensors"),
        workspace.run(&[&train[..], &["--quiet", "--weights", "theirs.safetensors"]].concat()).assert_code(2).whole(),
    ];
    insta::assert_snapshot!("refused", all.join("\n"));
    assert!(!workspace.path("ours.safetensors").exists() && !workspace.path("run").exists());
}
