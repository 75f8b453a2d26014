"""OpenCV as a contender: single operations, written as its users write them."""

import random

import cv2
import numpy

import augmentation as given
import book


def main():
    cv2.setNumThreads(1)
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    large, small = photographs.large, photographs.small
    side, draws = (given.SIDE, given.SIDE), random.Random(7)

    turn = cv2.getRotationMatrix2D((74.5, 74.5), given.ROTATION_DEGREES, 1.0)
    corners = [numpy.array(points, dtype=numpy.float32) for points in (given.CORNERS, given.MOVED_CORNERS)]
    perspective = cv2.getPerspectiveTransform(*corners)
    sharpening = (1 - given.SHARPNESS) / 13 * numpy.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]])
    sharpening[1, 1] += given.SHARPNESS
    equalizer = cv2.createCLAHE(given.CLAHE_CLIP, (given.CLAHE_TILES, given.CLAHE_TILES))
    motion = motion_kernel()
    window = (given.BLUR_WINDOW_PIXELS, given.BLUR_WINDOW_PIXELS)
    gamma, levels = given.gamma_table(), numpy.arange(256)
    posterized = (levels & (256 - (1 << (8 - given.POSTERIZE_BITS)))).astype(numpy.uint8)
    solarized = numpy.where(levels < given.SOLARIZE_LEVEL, levels, 255 - levels).astype(numpy.uint8)

    def book_resized(image):
        resized = cv2.resize(image, side, interpolation=cv2.INTER_AREA)
        return given.floats_chw(warp(resized, book.matrix(draws)))

    def book_points(image):
        height, width = image.shape[:2]
        return given.floats_chw(warp(image, book.matrix_with_resize(draws, width, height)))

    def contrast(image):
        mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]
        return cv2.convertScaleAbs(image, alpha=given.CONTRAST, beta=(1 - given.CONTRAST) * mean)

    def saturation(image):
        return cv2.addWeighted(image, given.SATURATION, gray(image), 1 - given.SATURATION, 0)

    def hue(image):
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        shifted = (numpy.arange(256) + round(180 * given.HUE_TURNS)) % 180
        hsv[..., 0] = cv2.LUT(hsv[..., 0], shifted.astype(numpy.uint8))
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)

    def clahe(image):
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        lab[..., 0] = equalizer.apply(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)

    def autocontrast(image):
        channels = []
        for channel in cv2.split(image):
            low, high, _, _ = cv2.minMaxLoc(channel)
            scale = 255 / max(high - low, 1)
            channels.append(cv2.convertScaleAbs(channel, alpha=scale, beta=-low * scale))
        return cv2.merge(channels)

    def noise(image):
        drawn = numpy.empty(image.shape, dtype=numpy.int16)
        cv2.randn(drawn, 0, given.NOISE_SIGMA_LEVELS)
        return cv2.add(image, drawn, dtype=cv2.CV_8U)

    def jpeg(image):
        _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, given.JPEG_QUALITY])
        return cv2.imdecode(file, cv2.IMREAD_COLOR)

    def elastic(image):
        height, width = image.shape[:2]
        moves = []
        for start in numpy.meshgrid(numpy.arange(width), numpy.arange(height)):
            drawn = numpy.empty((height, width), dtype=numpy.float32)
            cv2.randu(drawn, -1, 1)
            drawn = cv2.GaussianBlur(drawn, (0, 0), given.ELASTIC_SIGMA_PIXELS)
            moves.append(start.astype(numpy.float32) + given.ELASTIC_ALPHA_PIXELS * drawn)
        return cv2.remap(image, *moves, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def erasing(image):
        erased = image.copy()
        left, top, edge = given.ERASED_LEFT, given.ERASED_TOP, given.ERASED_SIDE
        erased[top : top + edge, left : left + edge] = 0
        return erased

    def cropped(image, crop):
        left, top, width, height = crop
        return cv2.resize(image[top : top + height, left : left + width], side, interpolation=cv2.INTER_AREA)

    operations = {
        "warp-bytes": (warp, large, photographs.matrices),
        "warp-floats": (lambda image, matrix: given.floats_chw(warp(image, matrix)), large, photographs.matrices),
        "book-pipeline": (book_resized, large),
        "book-pipeline-points": (book_points, large),
        "resize-area": (lambda image: cv2.resize(image, side, interpolation=cv2.INTER_AREA), large),
        "resize-bilinear": (lambda image: cv2.resize(image, side), large),
        "random-resized-crop": (cropped, large, photographs.crops),
        "rotate": (lambda image: cv2.warpAffine(image, turn, side), small),
        "perspective": (lambda image: cv2.warpPerspective(image, perspective, side), small),
        "elastic": (elastic, small),
        "horizontal-flip": (lambda image: cv2.flip(image, 1), small),
        "brightness": (lambda image: cv2.convertScaleAbs(image, alpha=given.BRIGHTNESS), small),
        "contrast": (contrast, small),
        "saturation": (saturation, small),
        "hue": (hue, small),
        "gamma": (lambda image: cv2.LUT(image, gamma), small),
        "grayscale": (gray, small),
        "invert": (cv2.bitwise_not, small),
        "posterize": (lambda image: cv2.LUT(image, posterized), small),
        "solarize": (lambda image: cv2.LUT(image, solarized), small),
        "equalize": (lambda image: cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)]), small),
        "autocontrast": (autocontrast, small),
        "sharpness": (lambda image: cv2.filter2D(image, -1, sharpening), small),
        "clahe": (clahe, small),
        "gaussian-blur": (lambda image: cv2.GaussianBlur(image, window, given.BLUR_SIGMA_PIXELS), small),
        "motion-blur": (lambda image: cv2.filter2D(image, -1, motion), small),
        "gaussian-noise": (noise, small),
        "jpeg": (jpeg, small),
        "erasing": (erasing, small),
    }
    given.serve({"opencv": cv2.__version__}, operations)


def warp(image, matrix):
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (given.SIDE, given.SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def gray(image):
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def motion_kernel():
    length = given.MOTION_PIXELS
    line = numpy.zeros((length, length), dtype=numpy.float32)
    line[length // 2] = 1.0
    center = ((length - 1) / 2, (length - 1) / 2)
    line = cv2.warpAffine(line, cv2.getRotationMatrix2D(center, given.MOTION_DEGREES, 1.0), (length, length))
    return line / line.sum()


main()
