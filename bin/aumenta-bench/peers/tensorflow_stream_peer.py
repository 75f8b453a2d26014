"""tf.data as a contender of streaming, with Keras' preprocessing layers or with one projective transform a picture."""

import math
import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import tensorflow as tf

import book
import streaming

SIZE = (book.SIDE, book.SIDE)


def main():
    parser = streaming.arguments()
    parser.add_argument("--with", dest="means", choices=["layers", "one-transform"], required=True)
    options = parser.parse_args()
    if options.augmentation != "book":
        parser.error("only the book's augmentation is written here")
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(7)
    paths = streaming.paths(options.photographs)
    augment = with_layers() if options.means == "layers" else with_one_transform
    dataset = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths)).repeat()
    dataset = dataset.map(load, num_parallel_calls=options.threads).batch(streaming.BATCH, drop_remainder=True)
    dataset = dataset.map(augment, num_parallel_calls=options.threads).prefetch(2)
    settings = tf.data.Options()
    settings.threading.private_threadpool_size = options.threads
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    streaming.serve(versions, iter(dataset.with_options(settings)))


def load(path):
    return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), SIZE)


def with_layers():
    pipeline = book.keras_pipeline()
    return lambda batch: pipeline(batch, training=True)


def with_one_transform(batch):
    """The motion of `book.matrix`, drawn for each picture of the batch."""
    draw = lambda least, greatest: tf.random.uniform((streaming.BATCH,), least, greatest)
    turn, lean = (math.radians(degrees) for degrees in (book.ROTATION_DEGREES, book.SHEAR_DEGREES))
    angle, shear = draw(-turn, turn), tf.tan(draw(-lean, lean))
    zoom_x, zoom_y = (draw(book.LEAST_ZOOM, book.GREATEST_ZOOM) for _ in range(2))
    shift_x, shift_y = (draw(-book.SHIFT, book.SHIFT) * book.SIDE for _ in range(2))
    mirror = tf.where(draw(0.0, 1.0) < 0.5, -1.0, 1.0)
    sine, cosine = tf.sin(angle), tf.cos(angle)
    a, b = mirror * cosine / zoom_x, (shear * cosine - sine) / zoom_y
    d, e = mirror * sine / zoom_x, (shear * sine + cosine) / zoom_y
    center, zeros = (book.SIDE - 1) / 2, tf.zeros((streaming.BATCH,))
    x, y = center - (a + b) * center - shift_x, center - (d + e) * center - shift_y
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=batch,
        transforms=tf.stack([a, b, x, d, e, y, zeros, zeros], axis=1),
        output_shape=SIZE,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return warped / 255


main()
