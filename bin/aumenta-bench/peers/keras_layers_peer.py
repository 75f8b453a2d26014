"""Keras' preprocessing layers on TensorFlow as a contender: the book's pipeline, compiled, on batches."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import numpy
import tensorflow as tf
from keras import layers

import augmentation as given

BATCH = 16


def main():
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(7)
    pictures = numpy.stack(photographs.large)
    batches = [tf.constant(pictures[first : first + BATCH]) for first in range(0, len(pictures), BATCH)]
    shift, zoom = given.BOOK_SHIFT, given.BOOK_ZOOM
    pipeline = keras.Sequential([
        layers.Resizing(given.SIDE, given.SIDE),
        layers.RandomRotation(given.BOOK_ROTATION_DEGREES / 360, fill_mode="nearest"),
        layers.RandomTranslation(shift, shift, fill_mode="nearest"),
        layers.RandomShear(x_factor=given.BOOK_SHEAR_DEGREES / 90, fill_mode="nearest"),
        layers.RandomZoom((-zoom, zoom), (-zoom, zoom), fill_mode="nearest"),
        layers.RandomFlip("horizontal"),
        layers.Rescaling(1 / 255),
    ])
    compiled = tf.function(lambda batch: pipeline(batch, training=True), reduce_retracing=True)
    operations = {"book-pipeline-points": (lambda batch: compiled(batch).numpy(), batches)}
    given.serve({"keras": keras.__version__, "tensorflow": tf.__version__}, operations)


main()
