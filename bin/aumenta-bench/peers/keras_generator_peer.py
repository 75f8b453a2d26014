"""Keras' ImageDataGenerator as a contender, from the package that it stands in, and SciPy as it calls it."""

import keras_preprocessing
import numpy
import scipy
from keras_preprocessing.image import ImageDataGenerator
from PIL import Image
from scipy import ndimage

import augmentation as given
import book


def main():
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    numpy.random.seed(7)
    floats = [picture.astype(numpy.float32) for picture in photographs.large]
    loaded = [Image.fromarray(picture) for picture in photographs.large]
    generator = ImageDataGenerator(**book.GENERATOR)

    def book_points(picture):
        # The resize of `flow_from_directory`, whose default is the nearest pixel.
        resized = picture.resize((given.SIDE, given.SIDE), Image.Resampling.NEAREST)
        return generator.standardize(generator.random_transform(numpy.asarray(resized, dtype=numpy.float32)))

    def warp_floats(picture, matrix):
        return numpy.ascontiguousarray(warp(picture, matrix).transpose(2, 0, 1)) * numpy.float32(1 / 255)

    operations = {
        "warp-bytes": (warp, photographs.large, photographs.matrices),
        "warp-floats": (warp_floats, floats, photographs.matrices),
        "book-pipeline-points": (book_points, loaded),
    }
    versions = {
        "keras-preprocessing": keras_preprocessing.__version__,
        "scipy": scipy.__version__,
        "numpy": numpy.__version__,
    }
    given.serve(versions, operations)


def warp(picture, matrix):
    """Channel by channel, linear, the nearest pixel outside."""
    (a, b, c), (d, e, f) = matrix
    shape = (given.SIDE, given.SIDE)
    channels = [
        ndimage.affine_transform(picture[..., channel], [[e, d], [b, a]], (f, c), shape, order=1, mode="nearest")
        for channel in range(3)
    ]
    return numpy.stack(channels, axis=-1)


main()
