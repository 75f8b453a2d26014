"""Keras on TensorFlow as a contender: a training step of the convnets, or EfficientNet-Lite0 and VGG16 in evaluation mode."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import numpy
import tensorflow as tf
from keras import layers

import efficientnet_lite0 as lite0
import protocol


def main():
    parser = protocol.arguments()
    parser.add_argument("--step", choices=["keras", "keras-without-xla", "function"], required=True)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    baseline_kib = protocol.resident_kib()

    images, classes = protocol.random_batch(options.network, options.batch)
    is_trained = options.network in protocol.CONVNETS
    if options.network in protocol.FINE_TUNED:
        raise SystemExit(f"`{options.network}` is not written with Keras' layers")
    if is_trained:
        network = convnet(options.network)
    else:
        network = vgg16() if options.network == "vgg16" else efficientnet()
    if protocol.OUTPUTS[options.network] == 1:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        classes = classes.astype(numpy.float32).reshape(-1, 1)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    images, classes = tf.constant(images), tf.constant(classes)

    if options.step == "function":
        step = written_step(network, loss, images, classes, is_trained)
    else:
        jit_compile = False if options.step == "keras-without-xla" else "auto"
        network.compile(optimizer=optimizer(), loss=loss, jit_compile=jit_compile)
        if is_trained:
            step = lambda: float(network.train_on_batch(images, classes))
        else:
            step = lambda: float(network.predict_on_batch(images)[0, 0])

    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": numpy.__version__}
    parameters = sum(int(numpy.prod(weight.shape)) for weight in network.trainable_weights)
    protocol.serve(versions, baseline_kib, parameters, step)


def optimizer():
    return keras.optimizers.RMSprop(learning_rate=1e-4)


def convnet(name):
    filters, pools, units = protocol.CONVNETS[name]
    network = keras.Sequential([keras.Input(protocol.SHAPES[name])])
    for index, outputs in enumerate(filters):
        network.add(layers.Conv2D(outputs, 3, activation="relu"))
        if index < pools:
            network.add(layers.MaxPooling2D(2))
    network.add(layers.Flatten())
    network.add(layers.Dense(units, activation="relu"))
    network.add(layers.Dense(protocol.OUTPUTS[name]))
    return network


def written_step(network, loss_of, images, classes, is_trained):
    if not is_trained:
        evaluate = tf.function(lambda images: network(images, training=False)[0, 0])
        return lambda: float(evaluate(images))

    rmsprop = optimizer()
    rmsprop.build(network.trainable_variables)

    @tf.function
    def train(images, classes):
        with tf.GradientTape() as tape:
            loss = loss_of(classes, network(images, training=True))
        gradients = tape.gradient(loss, network.trainable_variables)
        rmsprop.apply(gradients, network.trainable_variables)
        return loss

    return lambda: float(train(images, classes))


def vgg16():
    filters, units = protocol.VGG16
    network = keras.Sequential([keras.Input(protocol.SHAPES["vgg16"])])
    for outputs in filters:
        convolution = lambda: layers.Conv2D(outputs, 3, padding="same", activation="relu")
        network.add(layers.MaxPooling2D(2) if outputs is None else convolution())
    network.add(layers.Flatten())
    for outputs in units[:-1]:
        network.add(layers.Dense(outputs, activation="relu"))
    network.add(layers.Dense(units[-1]))
    return network


def efficientnet():
    name = "efficientnet-lite0"
    images = keras.Input(protocol.SHAPES[name])
    x = conv_norm(images, layers.Conv2D(lite0.STEM, 3, strides=2, padding="same", use_bias=False), activated=True)
    for inputs, expanded, kernel, stride, outputs in lite0.blocks():
        y = x
        if expanded != inputs:
            y = conv_norm(y, layers.Conv2D(expanded, 1, use_bias=False), activated=True)
        depthwise = layers.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False)
        y = conv_norm(y, depthwise, activated=True)
        y = conv_norm(y, layers.Conv2D(outputs, 1, use_bias=False))
        x = layers.Add()([x, y]) if stride == 1 and inputs == outputs else y
    x = conv_norm(x, layers.Conv2D(lite0.HEAD, 1, use_bias=False), activated=True)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Dense(protocol.OUTPUTS[name])(x))


def conv_norm(x, convolution, activated=False):
    x = layers.BatchNormalization(epsilon=lite0.EPSILON)(convolution(x))
    return layers.ReLU(6)(x) if activated else x


main()
