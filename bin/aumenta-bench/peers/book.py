"""The augmentation of the cats and dogs in "Deep Learning with Python", in the words of each library.

Both benchmarks of augmentation use it. The numbers stand in src/augmentation/operation.rs, with their units.
"""

import math

import numpy

SIDE = 150
ROTATION_DEGREES, SHIFT, SHEAR_DEGREES, ZOOM = 40.0, 0.2, 11.459, 0.2
LEAST_ZOOM, GREATEST_ZOOM = 1 - ZOOM, 1 + ZOOM

# The arguments of Keras' ImageDataGenerator.
GENERATOR = {
    "rotation_range": ROTATION_DEGREES,
    "width_shift_range": SHIFT,
    "height_shift_range": SHIFT,
    "shear_range": SHEAR_DEGREES,
    "zoom_range": ZOOM,
    "horizontal_flip": True,
    "fill_mode": "nearest",
    "rescale": 1 / 255,
}


def matrix(random):
    """A drawn motion on a picture of 150x150: 2x3, from output pixels to source pixels."""
    angle = math.radians(random.uniform(-ROTATION_DEGREES, ROTATION_DEGREES))
    shear = math.tan(math.radians(random.uniform(-SHEAR_DEGREES, SHEAR_DEGREES)))
    zoom_x, zoom_y = (random.uniform(LEAST_ZOOM, GREATEST_ZOOM) for _ in range(2))
    shift_x, shift_y = (random.uniform(-SHIFT, SHIFT) * SIDE for _ in range(2))
    mirror = random.choice((1.0, -1.0))
    sine, cosine = math.sin(angle), math.cos(angle)
    a, b = mirror * cosine / zoom_x, (shear * cosine - sine) / zoom_y
    d, e = mirror * sine / zoom_x, (shear * sine + cosine) / zoom_y
    center = (SIDE - 1) / 2
    return numpy.array([
        [a, b, center - (a + b) * center - shift_x],
        [d, e, center - (d + e) * center - shift_y],
    ])


def matrix_with_resize(random, width, height):
    """As `matrix`, from output pixels to those of a picture of any size, which is resized to 150x150 thereby."""
    columns, rows = width / SIDE, height / SIDE
    resize = numpy.array([[columns, 0, (columns - 1) / 2], [0, rows, (rows - 1) / 2], [0, 0, 1]])
    return (resize @ numpy.vstack([matrix(random), [0, 0, 1]]))[:2]


def albumentations_pipeline(interpolation):
    """For uint8 HWC arrays, which `interpolation` of OpenCV resizes."""
    import albumentations as A
    import cv2

    return A.Compose([
        A.Resize(SIDE, SIDE, interpolation=interpolation),
        A.Affine(
            scale={"x": (LEAST_ZOOM, GREATEST_ZOOM), "y": (LEAST_ZOOM, GREATEST_ZOOM)},
            translate_percent=(-SHIFT, SHIFT),
            rotate=(-ROTATION_DEGREES, ROTATION_DEGREES),
            shear={"x": (-SHEAR_DEGREES, SHEAR_DEGREES), "y": (0, 0)},
            border_mode=cv2.BORDER_REPLICATE,
            p=1,
        ),
        A.HorizontalFlip(),
        A.ToFloat(255.0),
    ])


def torchvision_pipeline():
    """For uint8 CHW tensors and for Pillow images; what moves in from outside is black."""
    import torch
    from torchvision.transforms import InterpolationMode, v2

    return v2.Compose([
        v2.Resize([SIDE, SIDE]),
        v2.RandomAffine(
            ROTATION_DEGREES,
            translate=(SHIFT, SHIFT),
            scale=(LEAST_ZOOM, GREATEST_ZOOM),
            shear=SHEAR_DEGREES,
            interpolation=InterpolationMode.BILINEAR,
        ),
        v2.RandomHorizontalFlip(),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
    ])


def keras_pipeline():
    """Keras' preprocessing layers, for batches; each resamples once more."""
    import keras
    from keras import layers

    return keras.Sequential([
        layers.Resizing(SIDE, SIDE),
        layers.RandomRotation(ROTATION_DEGREES / 360, fill_mode="nearest"),
        layers.RandomTranslation(SHIFT, SHIFT, fill_mode="nearest"),
        layers.RandomShear(x_factor=SHEAR_DEGREES / 90, fill_mode="nearest"),
        layers.RandomZoom((-ZOOM, ZOOM), (-ZOOM, ZOOM), fill_mode="nearest"),
        layers.RandomFlip("horizontal"),
        layers.Rescaling(1 / 255),
    ])
