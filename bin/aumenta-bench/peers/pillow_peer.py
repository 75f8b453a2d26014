"""Pillow as a contender."""

import PIL
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import numpy

import augmentation as given


def main():
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    large, small = ([Image.fromarray(picture) for picture in pictures] for pictures in (photographs.large, photographs.small))
    side = (given.SIDE, given.SIDE)
    centers = [moved_to_edges(matrix) for matrix in photographs.matrices]
    table = given.gamma_table().tolist() * 3
    perspective = perspective_coefficients()

    def warp(image, matrix):
        return image.transform(side, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)

    def cropped(image, crop):
        left, top, width, height = crop
        return image.resize(side, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))

    def hue(image):
        hue, saturation, value = image.convert("HSV").split()
        hue = hue.point([(level + round(256 * given.HUE_TURNS)) % 256 for level in range(256)])
        return Image.merge("HSV", (hue, saturation, value)).convert("RGB")

    def erasing(image):
        erased = image.copy()
        left, top, edge = given.ERASED_LEFT, given.ERASED_TOP, given.ERASED_SIDE
        erased.paste((0, 0, 0), (left, top, left + edge, top + edge))
        return erased

    operations = {
        "warp-bytes": (warp, large, centers),
        "warp-floats": (lambda image, matrix: given.floats_chw(numpy.asarray(warp(image, matrix))), large, centers),
        "resize-area": (lambda image: image.resize(side, Image.Resampling.BILINEAR), large),
        "random-resized-crop": (cropped, large, photographs.crops),
        "rotate": (lambda image: image.rotate(given.ROTATION_DEGREES, Image.Resampling.BILINEAR), small),
        "perspective": (
            lambda image: image.transform(side, Image.Transform.PERSPECTIVE, perspective, Image.Resampling.BILINEAR),
            small,
        ),
        "horizontal-flip": (ImageOps.mirror, small),
        "brightness": (lambda image: ImageEnhance.Brightness(image).enhance(given.BRIGHTNESS), small),
        "contrast": (lambda image: ImageEnhance.Contrast(image).enhance(given.CONTRAST), small),
        "saturation": (lambda image: ImageEnhance.Color(image).enhance(given.SATURATION), small),
        "hue": (hue, small),
        "gamma": (lambda image: image.point(table), small),
        "grayscale": (lambda image: image.convert("L").convert("RGB"), small),
        "invert": (ImageOps.invert, small),
        "posterize": (lambda image: ImageOps.posterize(image, given.POSTERIZE_BITS), small),
        "solarize": (lambda image: ImageOps.solarize(image, given.SOLARIZE_LEVEL), small),
        "equalize": (ImageOps.equalize, small),
        "autocontrast": (ImageOps.autocontrast, small),
        "sharpness": (lambda image: ImageEnhance.Sharpness(image).enhance(given.SHARPNESS), small),
        "gaussian-blur": (lambda image: image.filter(ImageFilter.GaussianBlur(given.BLUR_SIGMA_PIXELS)), small),
        "jpeg": (given.jpeg_of_pillow, small),
        "erasing": (erasing, small),
    }
    given.serve({"pillow": PIL.__version__}, operations)


def moved_to_edges(matrix):
    """The matrix for pixels that begin, and do not lie, at whole numbers: Pillow adds the halves itself."""
    (a, b, c), (d, e, f) = matrix
    return a, b, c + 0.5 - 0.5 * (a + b), d, e, f + 0.5 - 0.5 * (d + e)


def perspective_coefficients():
    """The eight numbers of the map from moved corners back to corners, over pixels that begin at whole numbers."""
    rows, values = [], []
    for (x, y), (u, v) in zip(given.MOVED_CORNERS, given.CORNERS):
        x, y, u, v = x + 0.5, y + 0.5, u + 0.5, v + 0.5
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return numpy.linalg.solve(rows, values).tolist()


main()
