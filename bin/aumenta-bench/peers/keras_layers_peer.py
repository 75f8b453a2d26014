"""Keras' preprocessing layers on TensorFlow as a contender: the book's pipeline, compiled, on batches."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import numpy
import tensorflow as tf

import augmentation as given
import book

BATCH = 16


def main():
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(7)
    pictures = numpy.stack(photographs.large)
    batches = [tf.constant(pictures[first : first + BATCH]) for first in range(0, len(pictures), BATCH)]
    pipeline = book.keras_pipeline()
    compiled = tf.function(lambda batch: pipeline(batch, training=True), reduce_retracing=True)
    operations = {"book-pipeline-points": (lambda batch: compiled(batch).numpy(), batches)}
    given.serve({"keras": keras.__version__, "tensorflow": tf.__version__}, operations)


main()
