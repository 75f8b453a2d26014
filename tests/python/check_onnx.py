"""Whether exported networks compute in onnxruntime what Aumenta computes, to 1e-4, and whether safetensors reads exports.

    cargo build --release && cargo build --release -p aumenta-models --example onnx_pairs
    pip install numpy onnx onnxruntime pillow safetensors
    python tests/python/check_onnx.py target/release/aumenta target/release/examples/onnx_pairs

First, networks of all kinds of layers on random images, which the example writes with their logits. Then a run from end to
end: pictures of the network's own size are split, trained on and predicted by `aumenta`; its exports must give the same
probabilities for what the metadata says of sizes, colors and normalization.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

TOLERANCE = 1e-4

NET = """
title = "tiny"
input = [24, 20, 3]

[[layers]]
type = "conv2d"
filters = 8
kernel = 3
stride = 2
padding = "same"
bias = false
initializer = "he-normal"
l2 = 0.0001

[[layers]]
type = "batch-norm"
activation = "relu"

[[layers]]
type = "residual"
activation = "relu"
layers = [
    { type = "conv2d", filters = 12, kernel = 3, stride = 2, padding = "same", bias = false },
    { type = "batch-norm" },
]
shortcut = [{ type = "conv2d", filters = 12, kernel = 1, stride = 2 }]

[[layers]]
type = "flatten"

[[layers]]
type = "dropout"
rate = 0.3

[[layers]]
type = "dense"
units = UNITS
"""


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def check_close(what, got, expected):
    error = float(np.abs(got - expected).max())
    assert error <= TOLERANCE * max(1.0, float(np.abs(expected).max())), f"{what}: off by {error}"
    print(f"{what}: {got.shape}, largest difference {error:.1e}")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def probabilities_of(logits):
    if logits.shape[1] > 1:
        return softmax(logits)
    second = 1 / (1 + np.exp(-logits))
    return np.concatenate([1 - second, second], axis=1)


def check_pairs(example, folder):
    subprocess.run([example, folder], check=True)
    paths = sorted(pathlib.Path(folder).glob("*.onnx"))
    assert paths, "the example wrote nothing"
    for path in paths:
        pair = load_file(path.with_suffix(".safetensors"))
        probabilities, logits = session(str(path)).run(["probabilities", "logits"], {"images": pair["images"]})
        check_close(f"{path.stem} logits", logits, pair["logits"])
        check_close(f"{path.stem} probabilities", probabilities, probabilities_of(pair["logits"]))


def draw(folder, classes, count):
    """Pictures of the network's size, so that no resize stands between both programs."""
    random = np.random.default_rng(7)
    for which, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(0, 256, (24, 20, 3), dtype=np.uint8)
            pixels[..., which % 3] //= 2
            Image.fromarray(pixels).save(folder / name / f"{name}-{i}.png")


def check_run(aumenta, folder, classes, normalization):
    def run(*arguments):
        subprocess.run([aumenta, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    draw(folder / "pictures", classes, 12)
    (folder / "net.toml").write_text(NET.replace("UNITS", str(1 if len(classes) == 2 else len(classes))))
    run("split", "pictures", "--out", "split", "--counts", "6,3,3")
    run("train", "--data", "split", "--run", "run", "--model", "net.toml", "--epochs", "2", "--batch-size", "4",
        "--normalization", normalization)
    run("export", "run", "--format", "onnx", "--out", "run.onnx")
    run("export", "run", "--format", "safetensors", "--out", "run.safetensors")
    run("predict", "run", "pictures", "--out", "probabilities.csv")

    runtime = session(str(folder / "run.onnx"))
    metadata = runtime.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == sorted(classes)
    assert (metadata["height"], metadata["width"], metadata["color"]) == ("24", "20", "rgb")
    affine = json.loads(metadata["normalization"])["affine"]
    scale, offset = np.float32(affine["scale"]), np.float32(affine["offset"])
    with open(folder / "probabilities.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12 * len(classes)
    expected = np.float32([[float(row[name]) for name in sorted(classes)] for row in rows])
    pictures = [np.asarray(Image.open(folder / "pictures" / row["path"])) for row in rows]
    images = (np.float32(pictures) * scale + offset).transpose(0, 3, 1, 2)
    (probabilities,) = runtime.run(["probabilities"], {"images": np.ascontiguousarray(images)})
    check_close(f"run of {len(classes)} classes, {normalization}", probabilities, expected)

    with safe_open(folder / "run.safetensors", "numpy") as file:
        names, header = set(file.keys()), file.metadata()
        assert file.get_tensor("conv2d1.weight").shape == (8, 3, 3, 3)
    assert {"batch_norm1.running_mean", "residual1.shortcut.conv2d1.bias", "dense1.weight"} <= names, names
    assert header["format"] == "pt" and json.loads(header["classes"]) == sorted(classes)
    initializers = {tensor.name for tensor in onnx.load(folder / "run.onnx").graph.initializer}
    assert names <= initializers, names - initializers


def main():
    aumenta, example = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        check_pairs(example, folder)
    for classes in [["ant", "bee"], ["ant", "bee", "cow"]]:
        with tempfile.TemporaryDirectory() as folder:
            check_run(aumenta, pathlib.Path(folder), classes, "imagenet")
    print("all exports agree")


main()
