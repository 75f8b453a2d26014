"""What the Python contenders of `aumenta-bench augment` share: the photographs, the numbers, the protocol.

The photographs are described in src/augmentation/photographs.rs, the protocol in src/augmentation/protocol.rs. An operation
is a function with columns of arguments, such as a list of pictures; a pass calls it once for each row of arguments.

Every library gets the same numbers, in its own words. They stand in src/augmentation/operation.rs, with their units.
"""

import argparse
import io
import json
import pathlib
import sys
import time

import numpy

from book import SIDE
from protocol import say

ROTATION_DEGREES = 20.0
CORNERS = [(0, 0), (149, 0), (149, 149), (0, 149)]
MOVED_CORNERS = [(15, 8), (140, 0), (149, 135), (5, 149)]
BRIGHTNESS = CONTRAST = SATURATION = 1.3
SHARPNESS = 1.5
HUE_TURNS = 0.1
GAMMA = 0.8
POSTERIZE_BITS = 4
SOLARIZE_LEVEL = 128
CLAHE_CLIP, CLAHE_TILES = 2.0, 8
BLUR_SIGMA_PIXELS, BLUR_WINDOW_PIXELS = 1.5, 9
MOTION_PIXELS, MOTION_DEGREES = 7, 30.0
NOISE_SIGMA_LEVELS = 10.0
SALT_AND_PEPPER = 0.02
JPEG_QUALITY = 50
ELASTIC_ALPHA_PIXELS, ELASTIC_SIGMA_PIXELS = 50.0, 5.0
ERASED_LEFT, ERASED_TOP, ERASED_SIDE = 50, 60, 40
GRID_UNIT_PIXELS, GRID_RATIO = 30, 0.5


def arguments():
    """The parser for what every contender is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photographs", required=True, help="the folder that aumenta-bench has written")
    return parser


class Photographs:
    """Decoded photographs as uint8 HWC arrays, large and small, with a warp and a crop for each of the large ones."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        draws = json.loads((folder / "draws.json").read_text())
        self.large = pictures(folder / "large.rgb", draws["large"])
        self.small = pictures(folder / "small.rgb", draws["small"])
        # Dictionaries: counter-clockwise degrees, pixels to the right and down, the zoom, and the whole as a matrix.
        self.warps = draws["warps"]
        # 2x3, from output pixels to source pixels; centers of pixels are at whole numbers.
        self.matrices = [numpy.array(warp["matrix"]) for warp in self.warps]
        # Left, top, width, height.
        self.crops = draws["crops"]


def pictures(path, size):
    width, height = size
    return list(numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, height, width, 3))


def serve(versions, operations):
    """Greets with the names of `operations`, and runs them whenever it is asked to."""
    say({"ready": {"versions": versions, "operations": list(operations)}})
    for line in sys.stdin:
        turn = json.loads(line)
        function, *columns = operations[turn["operation"]]
        try:
            say({"timed": run(function, columns, turn["passes"])})
        except Exception as error:
            say({"refused": f"{type(error).__name__}: {error}"})


def run(function, columns, passes):
    """The seconds of so many passes, and the mean level of the last picture."""
    rows = list(zip(*columns))
    started = time.perf_counter()
    for _ in range(passes):
        for row in rows:
            picture = function(*row)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "mean-level": mean_level(picture)}


def mean_level(picture):
    """The mean of all values from 0 to 255; a floating-point picture has them from 0 to 1."""
    values = numpy.asarray(picture)
    return float(values.mean()) * (255.0 if values.dtype.kind == "f" else 1.0)


def floats_chw(picture):
    """uint8 HWC as float32 CHW in [0, 1]."""
    return numpy.ascontiguousarray(picture.transpose(2, 0, 1), dtype=numpy.float32) * numpy.float32(1 / 255)


def gamma_table():
    """uint8 from each level to its level."""
    return numpy.rint(255.0 * (numpy.arange(256) / 255.0) ** GAMMA).astype(numpy.uint8)


def jpeg_of_pillow(picture):
    """A Pillow image through JPEG and back."""
    from PIL import Image

    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    decoded = Image.open(file)
    decoded.load()
    return decoded
