//! The arrows between the rooms, and what must stay absent; a new arrow is a change here, and shows in review.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Each room with the rooms and the fenced libraries that it may use.
const ROOMS: [(&str, &[&str], &[&str]); 17] = [
    ("counting", &[], &[]),
    ("seed", &[], &[]),
    ("imgproc", &[], &["image", "zune-jpeg", "turbojpeg", "fast_image_resize"]),
    ("metrics", &[], &[]),
    ("augment", &["imgproc"], &[]),
    ("dataset", &["seed", "imgproc"], &["csv", "parquet", "tar", "zip"]),
    ("nn", &["seed"], &["candle-core"]),
    ("runs", &["metrics"], &["prost"]),
    ("drawn", &["seed", "imgproc", "dataset"], &["image", "imageproc"]),
    ("models", &["seed", "nn"], &["candle-core", "prost", "zip"]),
    ("stream", &["seed", "imgproc", "augment", "dataset"], &["memmap2", "sysinfo"]),
    ("study", &["seed", "metrics", "runs"], &["statrs"]),
    ("report", &["imgproc", "metrics", "runs", "study"], &["csv", "plotters"]),
    ("explain", &["seed", "imgproc", "metrics", "nn", "models"], &["candle-core"]),
    ("train", &["seed", "metrics", "nn", "models", "runs", "dataset", "stream"], &["candle-core"]),
    (
        "aumenta",
        &[
            "seed", "imgproc", "metrics", "augment", "dataset", "nn", "runs", "drawn", "models", "stream", "report",
            "explain", "study", "train",
        ],
        &["candle-core", "clap", "anyhow", "hf-hub", "indicatif", "sysinfo"],
    ),
    (
        "bench",
        &["seed", "imgproc", "metrics", "augment", "dataset", "nn", "runs", "drawn", "models", "stream", "train"],
        &["candle-core", "candle-nn", "burn", "clap", "anyhow"],
    ),
];

/// Libraries that only the rooms above may use.
const FENCED: [&str; 21] = [
    "anyhow",
    "burn",
    "candle-core",
    "candle-nn",
    "clap",
    "csv",
    "fast_image_resize",
    "hf-hub",
    "image",
    "imageproc",
    "indicatif",
    "memmap2",
    "parquet",
    "plotters",
    "prost",
    "statrs",
    "sysinfo",
    "tar",
    "turbojpeg",
    "zip",
    "zune-jpeg",
];

/// Words that must not occur in the sources of rooms that are pure: no files, clock, environment, threads, global RNG.
const IMPURE: [&str; 9] =
    ["std::fs", "fs_err", "std::env", "std::time", "std::thread", "rayon", "rand::rng", "std::net", "use std::{"];
const PURE: [&str; 3] = ["imgproc", "augment", "metrics"];

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    metadata.packages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn room(package: &str) -> &str {
    package.strip_prefix("aumenta-").unwrap_or(package)
}

/// What `package` depends on outside its tests.
fn dependencies(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn every_arrow_between_rooms_is_drawn_in_the_picture() {
    let packages = packages();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(name, _, _)| *name).collect();
    let found: BTreeSet<&str> = packages.iter().map(|package| room(package.name.as_str())).collect();
    assert_eq!(found, known, "a room was added or removed");
    for package in &packages {
        let (_, rooms, libraries) = ROOMS.iter().find(|(name, _, _)| *name == room(package.name.as_str())).unwrap();
        let used = dependencies(package);
        let drawn = rooms.iter().map(|room| format!("aumenta-{room}")).chain(libraries.iter().map(ToString::to_string));
        let guarded = |name: &&String| name.starts_with("aumenta-") || FENCED.contains(&name.as_str());
        assert_eq!(used.iter().filter(guarded).cloned().collect::<BTreeSet<_>>(), drawn.collect(), "{}", package.name);
    }
}

/// All Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a source file before its module of tests, without comments.
fn code(path: &Path) -> Vec<String> {
    let text = fs_err::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(str::to_string).collect()
}

#[test]
fn pure_rooms_touch_nothing_outside_themselves() {
    for room in PURE {
        for path in sources(&root().join("crates").join(room).join("src")) {
            for line in code(&path) {
                let word = IMPURE.iter().find(|word| line.contains(**word));
                assert!(word.is_none(), "{} uses {}: {line}", path.display(), word.unwrap());
            }
        }
    }
}

#[test]
fn unsafe_code_stands_in_few_named_files() {
    const ALLOWED: [&str; 8] = [
        "crates/counting/src/lib.rs",
        "crates/imgproc/src/table/avx512.rs",
        "crates/nn/src/cuda/cudnn.rs",
        "crates/nn/src/cuda/launch.rs",
        "crates/nn/src/cuda/memory.rs",
        "crates/nn/src/cuda/upload.rs",
        "crates/nn/src/kernel/matmul.rs",
        "crates/stream/src/cache/map.rs",
    ];
    let crates = root().join("crates");
    for path in sources(&crates).into_iter().chain(sources(&root().join("bin"))) {
        let has_unsafe = code(&path).iter().any(|line| line.contains("unsafe ") && !line.contains('"'));
        let allowed = ALLOWED.iter().any(|allowed| path.ends_with(allowed));
        assert!(!has_unsafe || allowed, "{} has unsafe code", path.display());
    }
}

#[test]
fn no_room_passes_on_another_crates_items() {
    for path in sources(&root().join("crates")) {
        let code = code(&path);
        for line in code.iter().filter_map(|line| line.trim_start().strip_prefix("pub use ")) {
            let from = line.split("::").next().unwrap();
            let module = format!("mod {from};");
            let own = ["crate", "self", "super"].contains(&from) || code.iter().any(|line| line.ends_with(&module));
            assert!(own, "{}: pub use {line}", path.display());
        }
    }
}
