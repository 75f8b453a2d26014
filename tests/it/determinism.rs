//! The same seed gives the same manifest, the same archive and the same weights, on any number of threads and with any
//! cache.

use std::process::Command;

use crate::command::Workspace;

fn trained(workers: &str, threads: &str, cache: &str) -> Vec<(String, Vec<u8>)> {
    let workspace = Workspace::new();
    workspace.draw(8).split("5,2,1");
    let args = [
        "train",
        "--data",
        "split",
        "--run",
        "run",
        "--model",
        "cats-dogs-convnet",
        "--image-size",
        "46",
        "--dropout",
        "0.5",
        "--augment",
        "book",
        "--epochs",
        "2",
        "--batch-size",
        "4",
        "--seed",
        "11",
        "--workers",
        workers,
        "--cache",
        cache,
    ];
    let status = Command::new(env!("CARGO_BIN_EXE_aumenta"))
        .args(args)
        .current_dir(workspace.path(""))
        .env("RAYON_NUM_THREADS", threads)
        .status()
        .unwrap();
    assert!(status.success());
    ["drawn.zip", "split/manifest.json", "run/checkpoints/last.safetensors"]
        .map(|name| (name.to_string(), fs_err::read(workspace.path(name)).unwrap()))
        .to_vec()
}

#[test]
fn one_seed_ends_with_one_set_of_weights() {
    let once = trained("1", "1", "off");
    for cache in ["ram", "disk"] {
        for (name, bytes) in trained("3", "2", cache) {
            let first = &once.iter().find(|(other, _)| *other == name).unwrap().1;
            assert!(*first == bytes, "{name} differs with a cache: {cache}");
        }
    }
}
