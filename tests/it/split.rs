//! `aumenta split`.

use aumenta_dataset::write_zip;
use aumenta_imgproc::{Image, encode_png};

use crate::command::Workspace;

#[test]
fn a_kaggle_archive_is_split_by_counts() {
    let workspace = Workspace::new();
    let said = workspace.draw(9).run(&["split", "drawn.zip", "--out", "split", "--counts", "5,2,1"]);
    insta::assert_snapshot!("by_counts", said.assert_code(0).whole());
    assert_eq!(workspace.files(), ["drawn.zip", "split", "split/manifest.json"]);
}

#[test]
fn ratios_use_every_image() {
    let workspace = Workspace::new();
    let args = ["split", "drawn.zip", "--out", "split", "--ratios", "0.5,0.25,0.25", "--json"];
    let said = workspace.draw(8).run(&args);
    let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(json["splits"]["train"], serde_json::json!({ "cat": 4, "dog": 4 }));
    assert_eq!(json["splits"]["test"], serde_json::json!({ "cat": 2, "dog": 2 }));
    assert_eq!(json["unused"], 0);
}

#[test]
fn in_order_takes_the_first_files_in_natural_order() {
    let workspace = Workspace::new();
    workspace.draw(12).run(&["split", "drawn.zip", "--out", "split", "--counts", "3,8,1", "--in-order"]).assert_code(0);
    let manifest = fs_err::read_to_string(workspace.path("split/manifest.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let paths = |split: &str| -> Vec<String> {
        json[split].as_array().unwrap().iter().map(|record| record["path"].as_str().unwrap().to_string()).collect()
    };
    assert!(paths("train").contains(&"train/cat.2.jpg".to_string()), "{:?}", paths("train"));
    assert!(paths("val").contains(&"train/cat.10.jpg".to_string()), "{:?}", paths("val"));
    assert!(paths("test").contains(&"train/cat.11.jpg".to_string()), "{:?}", paths("test"));
}

#[test]
fn materialized_files_stand_in_class_folders() {
    let workspace = Workspace::new();
    let args = ["split", "drawn.zip", "--out", "split", "--counts", "1,1,1", "--in-order", "--materialize", "files"];
    workspace.draw(3).run(&args).assert_code(0);
    let files: Vec<String> =
        workspace.files().into_iter().filter(|file| file.starts_with("files/") && file.ends_with("jpg")).collect();
    assert_eq!(
        files,
        [
            "files/test/cat/cat.2.jpg",
            "files/test/dog/dog.2.jpg",
            "files/train/cat/cat.0.jpg",
            "files/train/dog/dog.0.jpg",
            "files/val/cat/cat.1.jpg",
            "files/val/dog/dog.1.jpg",
        ]
    );
}

fn png(shade: u8) -> Vec<u8> {
    encode_png(&Image::filled(9, 9, [shade, 0, 0])).unwrap()
}

#[test]
fn a_damaged_image_is_named_and_can_be_left_out() {
    let workspace = Workspace::new();
    let mut entries: Vec<(String, Vec<u8>)> =
        (0..8).map(|n| (format!("{}.{n}.png", if n % 2 == 0 { "cat" } else { "dog" }), png(n))).collect();
    entries[4].1.truncate(40);
    write_zip(&workspace.path("pictures.zip"), entries).unwrap();

    let args = ["split", "pictures.zip", "--out", "split", "--counts", "1,1,1"];
    let said = workspace.run(&args);
    insta::assert_snapshot!("damaged_image", said.assert_code(1).whole());
    assert_eq!(workspace.files(), ["pictures.zip"]);

    let said = workspace.run(&[&args[..], &["--skip-faulty"]].concat());
    insta::assert_snapshot!("damaged_image_skipped", said.assert_code(0).whole());
}

fn tar(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn a_tar_archive_and_a_folder_of_shards_are_split_by_their_class_files() {
    let workspace = Workspace::new();
    let sample = |n: u8| {
        let class = if n.is_multiple_of(2) { "cat" } else { "dog" };
        [(format!("{n:06}.png"), png(n)), (format!("{n:06}.cls"), class.into()), (format!("{n:06}.json"), "{}".into())]
    };
    let samples: Vec<_> = (0..8).flat_map(sample).collect();
    fs_err::write(workspace.path("data.tar"), tar(&samples)).unwrap();
    fs_err::create_dir(workspace.path("shards")).unwrap();
    for (shard, samples) in ["shards/0.tar", "shards/1.tar"].iter().zip(samples.chunks(12)) {
        fs_err::write(workspace.path(shard), tar(samples)).unwrap();
    }
    let split = |source, out| {
        let said = workspace.run(&["split", source, "--out", out, "--counts", "2,1,1", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
        json
    };
    let (archive, shards) = (split("data.tar", "one"), split("shards", "many"));
    assert_eq!(archive["splits"]["train"], serde_json::json!({ "cat": 2, "dog": 2 }));
    assert_eq!(archive["other-files"], 8);
    // The hash is that of the records, wherever they lie.
    assert_eq!(archive["hash"], shards["hash"]);
}

#[test]
fn what_cannot_be_split_is_refused_with_the_reason_and_writes_nothing() {
    let workspace = Workspace::new();
    workspace.draw(4).write("text.zip", "this is no archive");
    let whole = fs_err::read(workspace.path("drawn.zip")).unwrap();
    fs_err::write(workspace.path("cut.zip"), &whole[..whole.len() / 2]).unwrap();
    let unlabelled = ["1.png", "2.png"].map(|name| (name.to_string(), png(7)));
    write_zip(&workspace.path("unlabelled.zip"), unlabelled).unwrap();
    let archive = tar(&[("cat.1.png".to_string(), png(1)), ("dog.1.png".to_string(), png(2))]);
    fs_err::write(workspace.path("cut.tar"), &archive[..archive.len() / 2]).unwrap();
    workspace.write("data.tar.gz", "compressed");
    let before = workspace.files();

    let mut all = Vec::new();
    for (source, amounts, code) in [
        ("missing.zip", ["--counts", "1,1,1"], 2),
        ("text.zip", ["--counts", "1,1,1"], 1),
        ("cut.zip", ["--counts", "1,1,1"], 1),
        ("cut.tar", ["--counts", "1,1,1"], 1),
        ("data.tar.gz", ["--counts", "1,1,1"], 2),
        ("unlabelled.zip", ["--counts", "1,1,1"], 2),
        ("drawn.zip", ["--counts", "3,1,1"], 2),
        ("drawn.zip", ["--counts", "3,0,1"], 2),
        ("drawn.zip", ["--counts", "3,1"], 2),
        ("drawn.zip", ["--counts", "3"], 2),
        ("drawn.zip", ["--counts", "3,x,1"], 2),
        ("drawn.zip", ["--ratios", "0.5,0.5,0.5"], 2),
        ("drawn.zip", ["--ratios", "0.9,0.05,0.05"], 2),
    ] {
        let said = workspace.run(&["split", source, "--out", "split", amounts[0], amounts[1]]);
        all.push(format!("$ split {source} {} {}\n{}", amounts[0], amounts[1], said.assert_code(code).whole()));
        assert_eq!(workspace.files(), before, "{source}");
    }
    insta::assert_snapshot!("refused", all.join("\n"));
}

#[test]
fn a_taken_folder_for_files_is_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    workspace.draw(3);
    fs_err::create_dir(workspace.path("taken")).unwrap();
    workspace.write("taken/note.txt", "mine");
    let before = workspace.files();
    let args = ["split", "drawn.zip", "--out", "split", "--counts", "1,1,1", "--materialize", "taken"];
    workspace.run(&args).assert_code(2);
    assert_eq!(workspace.files(), before);
}

#[test]
fn an_existing_split_is_not_overwritten() {
    let workspace = Workspace::new();
    workspace.draw(3).split("1,1,1");
    let said = workspace.run(&["split", "drawn.zip", "--out", "split", "--counts", "1,1,1"]);
    insta::assert_snapshot!("taken", said.assert_code(2).whole());
}

#[test]
fn folds_are_written_a_manifest_each_or_not_at_all() {
    let workspace = Workspace::new();
    let args = ["split", "drawn.zip", "--out", "folds", "--folds", "2", "--repeats", "2", "--holdout", "0.2"];
    let said = workspace.draw(10).run(&args);
    insta::assert_snapshot!("folds", said.assert_code(0).whole());
    for folder in ["repeat-1/fold-1", "repeat-1/fold-2", "repeat-2/fold-1", "repeat-2/fold-2"] {
        assert!(workspace.path(&format!("folds/{folder}/manifest.json")).is_file(), "{folder}");
    }
    workspace.run(&args).assert_code(2);
    let too_many = ["split", "drawn.zip", "--out", "other", "--folds", "11"];
    let said = workspace.run(&too_many);
    assert!(said.assert_code(2).stderr.contains("fold 11 would get no image of class `cat`"), "{}", said.stderr);
    assert!(!workspace.path("other").exists());
}

#[test]
fn classes_and_groups_come_from_a_csv_file() {
    let workspace = Workspace::new();
    let rows = (0..12).map(|n| format!("cat.{n},Felis catus,{0}\ndog.{n}.jpg,Canis,{0}\n", n / 4));
    let csv: Vec<String> = ["id,animal,burst\nlost,cat,\n".to_string()].into_iter().chain(rows).collect();
    workspace.draw(12).write("labels.csv", &csv.concat());
    let args = ["split", "drawn.zip", "--out", "split", "--ratios", "0.34,0.33,0.33", "--labels-csv", "labels.csv"];
    let said = workspace.run(&args);
    insta::assert_snapshot!("csv_columns", said.assert_code(2).whole());
    let chosen = ["--label-column", "animal", "--group-column", "burst"];
    let said = workspace.run(&[&args[..], &chosen].concat());
    insta::assert_snapshot!("csv", said.assert_code(0).whole());
    let manifest = fs_err::read_to_string(workspace.path("split/manifest.json")).unwrap();
    assert!(manifest.contains(r#""csv": {"file": "labels.csv", "id-column": "id", "column": "animal"}"#), "{manifest}");
}

#[test]
fn a_pattern_gives_classes_groups_and_the_test_set() {
    let workspace = Workspace::new();
    let rules =
        ["--labels-pattern", "(?P<class>cat|dog)", "--group-by", r"(\d)\.jpg$", "--test-pattern", r"\.[12]?9\.jpg$"];
    let args = ["split", "drawn.zip", "--out", "split", "--ratios", "0.67,0.33"];
    let said = workspace.draw(30).run(&[&args[..], &rules].concat());
    insta::assert_snapshot!("patterns", said.assert_code(0).whole());
    workspace.run(&["verify", "split"]).assert_code(0);
}

#[test]
fn rules_that_do_not_fit_say_what_to_do() {
    let workspace = Workspace::new();
    workspace.draw(6).write("two.csv", "id,label\ncat.0,a\ncat.0,b\n").write("few.csv", "id,label\ncat.0,a\ndog.0,b\n");
    workspace.write("other.csv", "name,label\nx,a\ny,b\n");
    let mut all = Vec::new();
    for (args, code) in [
        (&["--labels-csv", "missing.csv"][..], 2),
        (&["--labels-csv", "two.csv"], 1),
        (&["--labels-csv", "few.csv"], 2),
        (&["--labels-csv", "other.csv"], 2),
        (&["--labels-csv", "few.csv", "--id-column", "name"], 2),
        (&["--labels-pattern", "(c|d"], 2),
        (&["--labels-pattern", "cat"], 2),
        (&["--labels-pattern", "(?P<class>cat)"], 2),
        (&["--group-column", "burst"], 2),
        (&["--group-by", "^(train)/"], 2),
        (&["--test-pattern", "nowhere"], 2),
    ] {
        let said =
            workspace.run(&[&["split", "drawn.zip", "--out", "split", "--ratios", "0.5,0.25,0.25"], args].concat());
        all.push(format!("$ split {}\n{}", args.join(" "), said.assert_code(code).whole()));
        assert!(!workspace.path("split").exists());
    }
    insta::assert_snapshot!("rules_refused", all.join("\n"));
}
