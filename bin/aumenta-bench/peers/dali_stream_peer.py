"""NVIDIA DALI as a contender of streaming, on the processor alone."""

import numpy
import nvidia.dali
from nvidia.dali import fn, pipeline_def, types

import book
import streaming


def main():
    parser = streaming.arguments()
    parser.add_argument("--resize", choices=["first", "in-the-warp"], required=True)
    options = parser.parse_args()
    paths = streaming.paths(options.photographs)
    if options.augmentation == "crop":
        pictures = crop
    else:
        pictures = book_resized if options.resize == "first" else book_in_one_warp
    pipeline = whole(
        paths, pictures, batch_size=streaming.BATCH, num_threads=options.threads, device_id=None, seed=7
    )
    pipeline.build()
    streaming.serve({"dali": nvidia.dali.__version__}, batches(pipeline))


def batches(pipeline):
    while True:
        pictures, _ = pipeline.run()
        yield numpy.asarray(pictures.as_tensor())


@pipeline_def
def whole(paths, pictures):
    files, labels = fn.readers.file(files=paths, random_shuffle=True, initial_fill=256)
    return pictures(files), labels


def decoded(files):
    return fn.decoders.image(files, device="cpu", output_type=types.RGB)


def book_resized(files):
    size = (book.SIDE, book.SIDE)
    resized = fn.resize(decoded(files), size=size, interp_type=types.INTERP_LINEAR, antialias=True)
    return finished(warped(resized, motion()), [0.0] * 3, [255.0] * 3)


def book_in_one_warp(files):
    shape = fn.peek_image_shape(files)
    scale = fn.cast(fn.stack(shape[1], shape[0]), dtype=types.FLOAT) / float(book.SIDE)
    return finished(warped(decoded(files), fn.transforms.scale(motion(), scale=scale)), [0.0] * 3, [255.0] * 3)


def motion():
    """A drawn motion on a picture of 150x150, from output pixels to source pixels."""
    center = (book.SIDE / 2, book.SIDE / 2)
    zooms = [1 / book.GREATEST_ZOOM, 1 / book.LEAST_ZOOM]
    shift, shear = book.SHIFT * book.SIDE, uniform(-book.SHEAR_DEGREES, book.SHEAR_DEGREES)
    matrix = fn.transforms.rotation(angle=uniform(-book.ROTATION_DEGREES, book.ROTATION_DEGREES), center=center)
    matrix = fn.transforms.shear(matrix, angles=fn.stack(shear, 0.0), center=center)
    matrix = fn.transforms.scale(matrix, scale=fn.random.uniform(range=zooms, shape=2), center=center)
    return fn.transforms.translation(matrix, offset=fn.random.uniform(range=[-shift, shift], shape=2))


def warped(pictures, matrix):
    """The nearest pixel outside, which DALI does where it is given no value to fill with."""
    size = (book.SIDE, book.SIDE)
    return fn.warp_affine(pictures, matrix=matrix, size=size, fill_value=None, interp_type=types.INTERP_LINEAR)


def crop(files):
    cropped = fn.decoders.image_random_crop(
        files,
        device="cpu",
        output_type=types.RGB,
        random_area=list(streaming.CROP_AREAS),
        random_aspect_ratio=list(streaming.CROP_RATIOS),
    )
    size = (streaming.CROP_SIDE, streaming.CROP_SIDE)
    resized = fn.resize(cropped, size=size, interp_type=types.INTERP_LINEAR, antialias=True)
    factor = lambda: uniform(1 - streaming.JITTER, 1 + streaming.JITTER)
    jittered = fn.color_twist(resized, brightness=factor(), contrast=factor(), saturation=factor())
    return finished(jittered, [255 * mean for mean in streaming.MEANS], [255 * one for one in streaming.DEVIATIONS])


def uniform(least, greatest):
    return fn.random.uniform(range=[least, greatest])


def finished(pictures, mean, std):
    mirror = fn.random.coin_flip()
    return fn.crop_mirror_normalize(pictures, mirror=mirror, dtype=types.FLOAT, mean=mean, std=std, output_layout="CHW")


main()
