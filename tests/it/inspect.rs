//! `aumenta inspect`.

use aumenta_dataset::{write_zip, zip_bytes};
use aumenta_imgproc::{Image, encode_jpeg, encode_png};
use serde_json::{Value, json};

use crate::command::{Said, Workspace};

/// A picture of its own for each number.
fn picture(number: u8) -> Image {
    let mut image = Image::filled(48, 36, [40, 90, 60]);
    for y in 0..36 {
        for x in 0..48 {
            let shade = (x * 5 + y * 3 + usize::from(number) * 37) as u8;
            image.set(x, y, [shade, shade / 2 + number, 255 - shade]);
        }
    }
    image
}

fn jpeg(number: u8) -> Vec<u8> {
    encode_jpeg(&picture(number), 80).unwrap()
}

fn png(number: u8) -> Vec<u8> {
    encode_png(&picture(number)).unwrap()
}

/// `pets.zip`: sound images of two classes, and one of every kind of trouble that a file can be.
fn pets() -> Workspace {
    let workspace = Workspace::new();
    let cut = |bytes: Vec<u8>, count: usize| bytes[..bytes.len() - count].to_vec();
    let mut left_over = jpeg(3);
    left_over.splice(left_over.len() - 2..left_over.len() - 2, [0x55; 40]);
    let sound =
        (10..20).map(|number| (format!("pets/{}.{number}.jpg", ["cat", "dog"][usize::from(number % 2)]), jpeg(number)));
    let troubled = [
        ("cat.0.jpg", Vec::new()),
        ("cat.1.jpg", cut(jpeg(1), 300)),
        ("cat.2.jpg", cut(jpeg(2), 2)),
        ("cat.3.jpg", left_over),
        ("cat.4.jpg", b"<!DOCTYPE html><html><body>404 Not Found</body></html>".to_vec()),
        ("cat.5.jpg", png(5)),
        ("cat.6.jpg", encode_jpeg(&Image::filled(48, 36, [255; 3]), 80).unwrap()),
        ("cat.7.jpg", [jpeg(7), b"a video".to_vec()].concat()),
        ("cat.8.png", png(8)),
        ("dog.1.ppm", [b"P6 48 36 255\n", picture(8).pixels()].concat()),
        ("dog.2.jpg", jpeg(10)),
        ("dog.3.png", encode_png(&Image::filled(60_001, 1, [9, 0, 0])).unwrap()),
        ("labels.csv", b"1,2".to_vec()),
    ];
    let troubled = troubled.into_iter().map(|(name, bytes)| (format!("pets/{name}"), bytes));
    write_zip(&workspace.path("pets.zip"), sound.chain(troubled)).unwrap();
    workspace
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.assert_code(0).stdout).unwrap()
}

#[test]
fn every_trouble_is_told_with_its_kind_and_place() {
    let said = pets().run(&["inspect", "pets.zip"]);
    insta::assert_snapshot!("pets", said.assert_code(0).whole());
}

#[test]
fn json_holds_the_whole_inspection() {
    let found = json(&pets().run(&["inspect", "pets.zip", "--json"]));
    assert_eq!(found["images"], 22);
    assert_eq!(found["classes"][0]["name"], "cat");
    assert_eq!(found["passed-over"]["examples"], json!(["pets/labels.csv"]));
    let kinds: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["cause"]["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "conflict",
        "conflict",
        "empty",
        "not-an-image",
        "truncated",
        "no-end",
        "left-over",
        "same-pixels",
        "blank",
        "blank",
        "wrong-extension",
        "trailing",
        "odd-shape",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(found["findings"][4]["cause"]["rows"][1], 36);
}

#[test]
fn a_quick_look_finds_what_headers_and_bytes_tell() {
    let found = json(&pets().run(&["inspect", "pets.zip", "--depth", "content", "--json"]));
    let kinds: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["cause"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["conflict", "conflict", "empty", "not-an-image", "wrong-extension", "odd-shape"]);
    assert_eq!(found["is-quick"], true);
}

#[test]
fn the_page_shows_the_pictures_and_the_quarantine_names_what_training_must_not_see() {
    let workspace = pets();
    let args =
        ["inspect", "pets.zip", "--html", "page.html", "--quarantine", "list.json", "--policy", "default,-blank"];
    let said = workspace.run(&args);
    assert!(said.assert_code(0).stderr.contains("wrote list.json: 7 images for quarantine"), "{}", said.stderr);
    let page = fs_err::read_to_string(workspace.path("page.html")).unwrap();
    assert!(page.contains("<figure><div><img alt=\"pets/cat.8.png\"") && page.contains("cannot be shown"), "{page}");
    assert!(!page.contains("http") && !page.contains("<script"));
    let list: Value = serde_json::from_slice(&fs_err::read(workspace.path("list.json")).unwrap()).unwrap();
    let expected = json!({ "path": "pets/cat.0.jpg", "kind": "empty", "reason": "the file is empty" });
    assert!(list["entries"].as_array().unwrap().contains(&expected), "{list}");
}

#[test]
fn findings_fail_only_where_that_is_asked_for() {
    let workspace = pets();
    assert!(workspace.run(&["inspect", "pets.zip", "--fail-on", "faults"]).assert_code(1).stderr.contains("7 faults"));
    workspace.draw(3).run(&["inspect", "drawn.zip", "--fail-on", "findings"]).assert_code(0);
    workspace.run(&["inspect", "pets.zip", "--policy", "blurred"]).assert_code(2);
}

#[test]
fn names_that_other_disks_cannot_hold_are_notices_and_files_get_other_ones() {
    let workspace = Workspace::new();
    let names = ["cat/1.png", "cat/2.png", "cat/A.png", "cat/a.png", "dog/1.png", "dog/12:30.png", "dog/2.png"];
    let names = names.into_iter().chain(["dog/con.png"]).map(str::to_owned);
    write_zip(&workspace.path("names.zip"), names.zip((1..).map(png))).unwrap();
    let found = json(&workspace.run(&["inspect", "names.zip", "--json"]));
    let finding = |path: &str, cause: Value| json!({ "path": path, "cause": cause });
    let unportable = |reason: &str| json!({ "kind": "unportable-name", "reason": reason });
    let expected = [
        finding("cat/a.png", json!({ "kind": "name-collision", "of": "cat/A.png" })),
        finding("dog/12:30.png", unportable("`12:30.png` holds `:`")),
        finding("dog/con.png", unportable("`con.png` means a device")),
    ];
    assert_eq!(found["findings"], json!(expected));
    let args = ["split", "names.zip", "--out", "split", "--counts", "2,1,1", "--materialize", "files"];
    workspace.run(&args).assert_code(0);
    let mut files: Vec<String> = workspace.files().iter().map(|file| file.to_lowercase()).collect();
    files.retain(|file| file.starts_with("files/") && file.contains(".png"));
    files.sort();
    files.dedup();
    assert_eq!(files.len(), 8, "{files:?}");
    for name in ["/12_30.png", "/_con.png"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "{files:?}");
    }
    // What has no folder everywhere is refused before anything is written.
    let classes =
        ["aux", "cat"].into_iter().flat_map(|class| (1..4).map(move |number| format!("{class}/{number}.png")));
    write_zip(&workspace.path("aux.zip"), classes.zip((1..).map(png))).unwrap();
    let args = ["split", "aux.zip", "--out", "refused", "--counts", "1,1,1", "--materialize", "more"];
    let said = workspace.run(&args);
    assert!(
        said.assert_code(1).stderr.contains("`aux` cannot have a folder of its name on Windows"),
        "{}",
        said.stderr
    );
    assert!(!workspace.path("refused").exists() && !workspace.path("more").exists());
}

#[test]
fn limits_are_flags() {
    let workspace = pets();
    let found = json(&workspace.run(&["inspect", "pets.zip", "--max-pixels", "1000", "--json"]));
    assert!(found["findings"].as_array().unwrap().iter().any(|finding| finding["cause"]["kind"] == "too-large"));
    let said = workspace.run(&["inspect", "pets.zip", "--max-entries", "5"]);
    assert!(said.assert_code(1).stderr.contains("more than the limit of 5"), "{}", said.stderr);
}

#[test]
fn a_source_that_cannot_be_trusted_or_read_is_refused_with_the_reason() {
    let workspace = Workspace::new();
    let image = || png(1);
    let packed = |name: &str, bytes| zip_bytes([(name.to_owned(), bytes)]).unwrap();
    for (name, entries) in [
        ("slip.zip", vec![("../a.png", image())]),
        ("absolute.zip", vec![("/etc/a.png", image())]),
        ("drive.zip", vec![("C:\\a.png", image())]),
        ("texts.zip", vec![("a.txt", vec![1]), ("__MACOSX/a.png", image())]),
        ("deep.zip", vec![("middle.zip", packed("images.zip", packed("a.png", image())))]),
    ] {
        write_zip(&workspace.path(name), entries.into_iter().map(|(name, bytes)| (name.to_owned(), bytes))).unwrap();
    }
    workspace.write("text.zip", "no archive");
    let mut all = Vec::new();
    for (name, code) in [
        ("missing", 2),
        ("slip.zip", 1),
        ("absolute.zip", 1),
        ("drive.zip", 1),
        ("texts.zip", 1),
        ("deep.zip", 1),
        ("text.zip", 1),
    ] {
        let said = workspace.run(&["inspect", name]);
        all.push(format!("$ inspect {name}\n{}", said.assert_code(code).whole()));
    }
    insta::assert_snapshot!("inspect_refused", all.join("\n"));
}
