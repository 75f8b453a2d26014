"""What the Python contenders share: arguments, the protocol with aumenta-bench, and the random batch.

The protocol is described in src/protocol.rs: a line of JSON each way, over standard input and output.
"""

import argparse
import json
import sys
import time

SHAPES = {"mnist": (28, 28, 1), "cats-dogs": (150, 150, 3), "efficientnet-lite0": (224, 224, 3), "vgg16": (224, 224, 3)}
OUTPUTS = {"mnist": 10, "cats-dogs": 1, "efficientnet-lite0": 1000, "vgg16": 1000}
# How many blocks of EfficientNet-Lite0 are frozen, with the convolution before them; all of the base with `None`.
FINE_TUNED = {"lite0-head": None, "lite0-last-stages": 11, "lite0-whole": 0}
for name in FINE_TUNED:
    SHAPES[name], OUTPUTS[name] = (224, 224, 3), 1
# The filters of VGG16's 3x3 convolutions, pooled where there is a `None`, and the units of its dense layers.
VGG16 = ([64, 64, None, 128, 128, None, *[256] * 3, None, *[512] * 3, None, *[512] * 3, None], [4096, 4096, 1000])
# Filters of the 3x3 convolutions, how many of them a 2x2 max pooling follows, and the units of the first dense layer.
CONVNETS = {"mnist": ([32, 64, 64], 2, 64), "cats-dogs": ([32, 64, 128, 128], 4, 512)}


def arguments():
    """The parser for what every contender is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=SHAPES, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser


def random_batch(network, batch):
    """Images, float32 NHWC in [0, 1), and classes, int64."""
    import numpy

    random = numpy.random.default_rng(7)
    images = random.random((batch, *SHAPES[network]), dtype=numpy.float32)
    return images, random.integers(0, max(OUTPUTS[network], 2), batch)


def resident_kib():
    """The memory of this process that is resident now."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def serve(versions, baseline_kib, parameters, step):
    """Greets, and takes steps whenever it is asked to. `step` returns the loss as a number of Python."""
    say({"ready": {"versions": versions, "parameters": parameters, "baseline-kib": baseline_kib}})
    for line in sys.stdin:
        milliseconds = []
        for _ in range(json.loads(line)["steps"]):
            started = time.perf_counter()
            step()
            milliseconds.append((time.perf_counter() - started) * 1000)
        say({"milliseconds": milliseconds})


def say(message):
    print(json.dumps(message), flush=True)
