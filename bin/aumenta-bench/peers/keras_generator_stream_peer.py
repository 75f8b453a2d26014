"""Keras' ImageDataGenerator as a contender of streaming, with `fit`'s own queue of workers: threads or processes."""

import contextlib
import os
import sys

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import scipy
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from keras.src.trainers.data_adapters.py_dataset_adapter import OrderedEnqueuer

import book
import streaming


def main():
    parser = streaming.arguments()
    parser.add_argument("--workers", choices=["threads", "processes"], required=True)
    options = parser.parse_args()
    if options.augmentation != "book":
        parser.error("only the book's augmentation is written here")
    versions = {"keras": keras.__version__, "scipy": scipy.__version__}
    # Keras says on standard output how many pictures it found, and there the protocol is.
    with contextlib.redirect_stdout(sys.stderr):
        pictures = ImageDataGenerator(**book.GENERATOR).flow_from_directory(
            options.photographs,
            target_size=(book.SIDE, book.SIDE),
            batch_size=streaming.BATCH,
            class_mode="binary",
        )
    is_in_processes = options.workers == "processes"
    enqueuer = OrderedEnqueuer(Endless(pictures), workers=options.threads, use_multiprocessing=is_in_processes)
    enqueuer.start()
    streaming.serve(versions, (batch for batch, _ in enqueuer.get()))


class Endless(keras.utils.PyDataset):
    """The batches of a generator, again and again."""

    num_batches = None

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def __getitem__(self, index):
        return self.generator[index % len(self.generator)]


main()
