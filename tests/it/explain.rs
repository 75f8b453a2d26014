//! `aumenta explain`: pictures and the page of one image, of filters, and of the hardest images.

use aumenta_imgproc::{Image, Limits, decode};
use serde_json::Value;

use crate::command::Workspace;

/// A network for gray images, with a block whose layers are explained as well.
const NETWORK: &str = r#"
input = [32, 32, 1]

[[layers]]
type = "conv2d"
filters = 4
kernel = 3
padding = "same"
activation = "relu"

[[layers]]
type = "residual"
activation = "relu"
layers = [{ type = "conv2d", filters = 4, kernel = 3, padding = "same" }, { type = "batch-norm" }]

[[layers]]
type = "global-avg-pool2d"

[[layers]]
type = "dense"
units = 1
"#;

/// `run`: a training of one epoch on drawn images.
fn train(workspace: &Workspace, model: &[&str]) {
    workspace.draw(6).split("3,2,1");
    let train = ["train", "--data", "split", "--run", "run", "--epochs", "1", "--batch-size", "4", "--quiet"];
    workspace.run(&[&train[..], model].concat()).assert_code(0);
}

fn picture(workspace: &Workspace, name: &str) -> Image {
    decode(&fs_err::read(workspace.path(name)).unwrap(), &Limits::default()).unwrap()
}

#[test]
fn an_image_is_explained_by_pictures_and_one_page() {
    let workspace = Workspace::new();
    train(&workspace, &["--model", "cats-dogs-convnet", "--image-size", "64"]);
    let explain = ["explain", "run", "train/cat.0.jpg", "--class", "cat", "--colors", "jet", "--json"];
    let said = workspace.run(&explain).assert_code(0).stdout.clone();
    let json: Value = serde_json::from_str(&said).unwrap();
    let files: Vec<&str> = json["made"].as_array().unwrap().iter().map(|made| made["file"].as_str().unwrap()).collect();
    let maps =
        ["grad-cam-conv4.png", "grad-cam-plus-plus-conv4.png", "occlusion.png", "saliency.png", "smooth-grad.png"];
    assert_eq!(files[..5], maps);
    assert_eq!(files[5..].len(), 8, "all convolutions and poolings: {files:?}");
    for file in &files {
        assert!(picture(&workspace, &format!("run/explanation/{file}")).width() > 100, "{file}");
    }
    // 64 channels of 29x29, 16 a row, a pixel between them.
    let grid = picture(&workspace, "run/explanation/activations-conv2.png");
    assert_eq!((grid.width(), grid.height()), (16 * 30 - 1, 4 * 30 - 1));
    let page = fs_err::read_to_string(workspace.path("run/explanation/explanation.html")).unwrap();
    assert!(page.contains("<h1>What cats-dogs-convnet sees in train/cat.0.jpg</h1>"));
    assert!(page.contains("What speaks for cat, by layer conv4") && page.contains("What conv1 makes of the image"));
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 1 + files.len());
    assert!(!page.contains("http") && !page.contains("<script"));

    let bytes = || fs_err::read(workspace.path("run/explanation/smooth-grad.png")).unwrap();
    let before = bytes();
    workspace.run(&["explain", "run", "train/cat.0.jpg", "--class", "cat", "--colors", "jet"]).assert_code(0);
    assert_eq!(bytes(), before, "noise is drawn from the seed");
}

#[test]
fn layers_within_blocks_and_gray_networks_are_explained_too() {
    let workspace = Workspace::new();
    workspace.write("net.toml", NETWORK);
    train(&workspace, &["--model", "net.toml"]);
    let layers = ["--layer", "residual1.conv2d1", "--layer", "residual1"];
    let explain = ["explain", "run", "train/dog.1.jpg", "--show", "grad-cam,activations,patterns", "--out", "out"];
    let more = ["--filters", "3", "--pattern-side", "16", "--recipe", "book,regularized"];
    workspace.run(&[&explain[..], &layers, &more].concat()).assert_code(0);
    let expected = [
        "out",
        "out/activations-residual1.conv2d1.png",
        "out/activations-residual1.png",
        "out/explanation.html",
        "out/grad-cam-residual1.conv2d1.png",
        "out/grad-cam-residual1.png",
        "out/original.png",
        "out/patterns-book-residual1.conv2d1.png",
        "out/patterns-book-residual1.png",
        "out/patterns-residual1.conv2d1.png",
        "out/patterns-residual1.png",
    ];
    let files: Vec<String> = workspace.files().into_iter().filter(|file| file.starts_with("out")).collect();
    assert_eq!(files, expected);
    let original = picture(&workspace, "out/original.png");
    assert!(original.pixels().as_chunks().0.iter().all(|[red, green, blue]| red == green && green == blue));
    let patterns = picture(&workspace, "out/patterns-residual1.png");
    assert_eq!((patterns.width(), patterns.height()), (3 * 17 - 1, 16));
}

#[test]
fn the_hardest_images_stand_with_their_maps() {
    let workspace = Workspace::new();
    train(&workspace, &["--model", "cats-dogs-convnet", "--image-size", "64"]);
    let said = workspace.run(&["explain", "run", "--top-losses", "3", "--out", "hard"]).assert_code(0).stdout.clone();
    assert!(said.ends_with("wrote hard/explanation.html\n"), "{said}");
    let page = fs_err::read_to_string(workspace.path("hard/explanation.html")).unwrap();
    assert_eq!(page.matches("<h2>train/").count(), 3);
    assert!(page.contains("; loss ") && page.contains("speaks for cat"));
    assert!(picture(&workspace, "hard/top-losses.png").height() > 600);
}

#[test]
fn patterns_need_no_image_and_imported_weights_no_run() {
    let workspace = Workspace::new();
    let weights = super::fetch::mobilenet();
    fs_err::write(workspace.path("theirs.safetensors"), weights).unwrap();
    let import = ["weights", "import", "theirs.safetensors", "--model", "mobilenet-v2", "--out", "ours.safetensors"];
    workspace.run(&import).assert_code(0);
    let patterns = ["--show", "patterns", "--layer", "features.0.0", "--filters", "2", "--pattern-side", "24"];
    workspace.run(&[&["explain", "ours.safetensors", "--out", "out"][..], &patterns].concat()).assert_code(0);
    assert_eq!(picture(&workspace, "out/patterns-features.0.0.png").width(), 2 * 25 - 1);
}

#[test]
fn what_cannot_be_explained_is_bad_use() {
    let workspace = Workspace::new();
    train(&workspace, &["--model", "cats-dogs-convnet", "--image-size", "64"]);
    let checkpoint = "run/checkpoints/best.safetensors";
    let said = |args: &[&str]| workspace.run(&[&["explain"], args].concat()).assert_code(2).whole();
    let all = [
        said(&["run"]),
        said(&["run", "train/cat.99.jpg"]),
        said(&["run", "train/cat.0.jpg", "--layer", "conv9"]),
        said(&["run", "train/cat.0.jpg", "--class", "bird"]),
        said(&["run", "train/cat.0.jpg", "--show", "occlusion", "--occlusion-patch", "99"]),
        said(&["run", "--show", "patterns", "--filters", "2", "--pattern-side", "2", "--layer", "conv4"]),
        said(&[checkpoint, "--top-losses", "3"]),
        said(&["split/manifest.json", "train/cat.0.jpg"]),
        said(&["run", "train/cat.0.jpg", "--top-losses", "3"]),
    ];
    insta::assert_snapshot!("refused", all.join("\n"));
}
