"""What the Python contenders of `aumenta-bench stream` share: arguments, the numbers, the protocol.

The workloads are described in src/streaming/workload.rs, the protocol in src/streaming/protocol.rs. A contender is an endless
iterator of batches, float32 with the images along the first axis, whose workers stop by themselves when nobody takes a batch.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy

from protocol import say

BATCH = 32
CROP_SIDE = 224
CROP_AREAS, CROP_RATIOS = (0.08, 1.0), (3 / 4, 4 / 3)
JITTER = 0.4
# ImageNet's, for values from 0 to 1.
MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def arguments():
    """The parser for what every contender is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photographs", required=True, help="a folder with a folder a class")
    parser.add_argument("--augmentation", choices=["book", "crop"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser


def paths(folder):
    """The photographs in all folders of classes."""
    return sorted(str(path) for path in pathlib.Path(folder).glob("*/*.jpg"))


def serve(versions, batches):
    """Greets, and takes from `batches` whenever it is asked to."""
    say({"ready": {"versions": versions}})
    for line in sys.stdin:
        try:
            say({"streamed": run(batches, json.loads(line))})
        except Exception as error:
            say({"refused": f"{type(error).__name__}: {error}"})


def run(batches, turn):
    """What the first batches hold, then some that do not count, then how many images come in how many seconds."""
    inspected = [numpy.asarray(next(batches)) for _ in range(turn["inspected-batches"])]
    facts = {
        "shape": inspected[-1].shape,
        "dtype": inspected[-1].dtype.name,
        "least": min(float(batch.min()) for batch in inspected),
        "greatest": max(float(batch.max()) for batch in inspected),
        "mean": float(numpy.mean([batch.mean(dtype=numpy.float64) for batch in inspected])),
    }
    del inspected
    for _ in range(turn["drained-batches"]):
        next(batches)
    images, seconds = 0, 0.0
    started = time.perf_counter()
    while seconds * 1000 < turn["milliseconds"]:
        images += len(next(batches))
        seconds = time.perf_counter() - started
    return {"images": images, "seconds": seconds, "batches": facts}
