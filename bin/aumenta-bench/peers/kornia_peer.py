"""kornia-rs as a contender, through its Python package."""

import random

import kornia_rs
import numpy
from kornia_rs import imgproc
from kornia_rs.image import Image

import augmentation as given


def main():
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    large, small = photographs.large, photographs.small
    forward = [inverse(matrix) for matrix in photographs.matrices]
    handles = [Image.from_numpy(picture) for picture in small]
    side, draws = (given.SIDE, given.SIDE), random.Random(7)
    perspective = moving(given.CORNERS, given.MOVED_CORNERS)

    def warp(image, matrix):
        return imgproc.warp_affine(image, matrix, side, "bilinear")

    def book(image):
        resized = imgproc.resize(image, side, "bilinear")
        return given.floats_chw(warp(resized, inverse(given.book_matrix(draws))))

    def cropped(image, crop):
        return imgproc.resize(imgproc.crop(image, *crop), side, "bilinear")

    def brightness(image):
        # The library has no factor, only an amount that it adds; this is the factor's effect on mid gray.
        return imgproc.adjust_brightness(image, (given.BRIGHTNESS - 1) / 2)

    def gray(image):
        return imgproc.rgb_from_gray(imgproc.gray_from_rgb(image))

    def blur(image):
        window, sigma = given.BLUR_WINDOW_PIXELS, given.BLUR_SIGMA_PIXELS
        return imgproc.gaussian_blur(image, (window, window), (sigma, sigma))

    operations = {
        "warp-bytes": (warp, large, forward),
        "warp-floats": (lambda image, matrix: given.floats_chw(warp(image, matrix)), large, forward),
        "book-pipeline-points": (book, large),
        # Bytes are resized without antialiasing whatever is asked for, so there is no smooth reduction.
        "resize-bilinear": (lambda image: imgproc.resize(image, side, "bilinear"), large),
        "random-resized-crop": (cropped, large, photographs.crops),
        "rotate": (lambda image: image.rotate(given.ROTATION_DEGREES).numpy(), handles),
        "perspective": (lambda image: imgproc.warp_perspective(image, perspective, side, "bilinear"), small),
        "horizontal-flip": (imgproc.horizontal_flip, small),
        "brightness": (brightness, small),
        "contrast": (lambda image: image.adjust_contrast(given.CONTRAST).numpy(), handles),
        "saturation": (lambda image: image.adjust_saturation(given.SATURATION).numpy(), handles),
        "hue": (lambda image: image.adjust_hue(given.HUE_TURNS).numpy(), handles),
        "grayscale": (gray, small),
        "gaussian-blur": (blur, small),
        "jpeg": (lambda image: Image.decode(image.encode("jpeg", given.JPEG_QUALITY)).numpy(), handles),
    }
    given.serve({"kornia-rs": kornia_rs.__version__}, operations)


def inverse(matrix):
    """From source pixels to output pixels, which is the way that the library wants."""
    return tuple(numpy.linalg.inv(numpy.vstack([matrix, [0, 0, 1]]))[:2].ravel().tolist())


def moving(corners, moved):
    """The nine numbers of the perspective map from `corners` to `moved`."""
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, moved):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return (*numpy.linalg.solve(rows, values).tolist(), 1.0)


main()
