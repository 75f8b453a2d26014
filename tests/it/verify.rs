//! `aumenta verify`.

use serde_json::Value;

use crate::command::Workspace;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Changes the manifest of `split` as JSON.
fn change(workspace: &Workspace, change: impl FnOnce(&mut Value)) {
    let path = workspace.path("split/manifest.json");
    let mut manifest = json(&fs_err::read_to_string(&path).unwrap());
    change(&mut manifest);
    fs_err::write(path, manifest.to_string()).unwrap();
}

#[test]
fn a_sound_split_is_certified_in_words_as_json_and_as_a_page() {
    let workspace = Workspace::new();
    workspace.draw(9).split("5,2,1");
    let said = workspace.run(&["verify", "split", "--html", "pages/certificate.html"]);
    insta::assert_snapshot!("holds", said.assert_code(0).whole());
    let page = fs_err::read_to_string(workspace.path("pages/certificate.html")).unwrap();
    assert!(page.contains("The certificate holds") && !page.contains("http"), "{page}");
    let said = workspace.run(&["verify", "split/manifest.json", "--json"]);
    let certificate = json(&said.assert_code(0).stdout);
    assert_eq!(certificate["holds"], true);
    assert_eq!(certificate["manifests"][0]["counts"][1], serde_json::json!([5, 2, 1]));
    assert_eq!(certificate["images"], 16);
}

#[test]
fn every_violation_is_named_and_the_exit_code_is_1() {
    let workspace = Workspace::new();
    workspace.draw(9).split("5,2,1");
    change(&workspace, |manifest| {
        manifest["test"][0]["hash"] = manifest["train"][0]["hash"].clone();
        manifest["train"][1]["declared"] = "<b>".into();
        manifest["val"][1]["declared"] = "<b>".into();
        manifest["val"][0]["path"] = "train/gone.jpg".into();
    });
    let said = workspace.run(&["verify", "split", "--html", "page.html"]);
    insta::assert_snapshot!("violated", said.assert_code(1).whole());
    let page = fs_err::read_to_string(workspace.path("page.html")).unwrap();
    assert!(page.contains("the declared group `&lt;b&gt;` is in several splits"), "{page}");
    // What leaks is not trained on either.
    workspace.run(&["train", "--data", "split", "--run", "run", "--model", "cats-dogs-convnet"]).assert_code(1);
}

#[test]
fn folds_are_verified_as_one_and_a_missing_one_is_named() {
    let workspace = Workspace::new();
    workspace.draw(8).run(&["split", "drawn.zip", "--out", "folds", "--folds", "3", "--holdout", "2"]).assert_code(0);
    let said = workspace.run(&["verify", "folds"]);
    insta::assert_snapshot!("folds", said.assert_code(0).whole());
    fs_err::remove_dir_all(workspace.path("folds/fold-2")).unwrap();
    let said = workspace.run(&["verify", "folds", "--json"]);
    let violations = json(&said.assert_code(1).stdout)["violations"].clone();
    let missing = serde_json::json!({ "breach": { "kind": "fold-missing", "repeat": 1, "fold": 2 } });
    assert!(violations.as_array().unwrap().contains(&missing), "{violations:#}");
    // One fold by itself has no leaks.
    workspace.run(&["verify", "folds/fold-1"]).assert_code(0);
}

#[test]
fn a_split_by_hash_keeps_its_images_when_files_are_added() {
    let workspace = Workspace::new();
    let split = |out| {
        let args = ["split", "drawn.zip", "--out", out, "--ratios", "0.5,0.3,0.2", "--by-hash", "--json"];
        json(&workspace.run(&args).assert_code(0).stdout)
    };
    workspace.draw(20);
    split("before");
    workspace.draw(30);
    split("after");
    workspace.run(&["verify", "after", "--earlier", "before"]).assert_code(0);
    workspace.run(&["split", "drawn.zip", "--out", "dealt", "--ratios", "0.5,0.3,0.2"]).assert_code(0);
    let said = workspace.run(&["verify", "dealt", "--earlier", "before"]);
    assert!(said.assert_code(1).stdout.contains(" was in train and is in "), "{}", said.stdout);
}

#[test]
fn what_cannot_be_verified_is_bad_use() {
    let workspace = Workspace::new();
    workspace.draw(9).split("5,2,1").write("text.json", "no manifest");
    workspace.run(&["split", "drawn.zip", "--out", "folds", "--folds", "3"]).assert_code(0);
    let mut all = Vec::new();
    for args in
        [&["missing"][..], &["text.json"], &["split", "--source", "nowhere.zip"], &["split", "--earlier", "folds"]]
    {
        let said = workspace.run(&[&["verify"], args].concat());
        all.push(format!("$ verify {}\n{}", args.join(" "), said.assert_code(2).whole()));
    }
    insta::assert_snapshot!("not_verified", all.join("\n"));
}
