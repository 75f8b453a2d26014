"""OpenCV as a contender of streaming: decoding, one warp that resizes as well, and conversion, put together by hand."""

import random

import cv2
import numpy

import book
import streaming
import torch_loader


def main():
    cv2.setNumThreads(0)
    parser = streaming.arguments()
    parser.add_argument("--decode", choices=["whole", "half"], required=True)
    options = parser.parse_args()
    if options.augmentation != "book":
        parser.error("only the book's augmentation is written here")
    size = cv2.IMREAD_COLOR if options.decode == "whole" else cv2.IMREAD_REDUCED_COLOR_2
    streaming.serve({"opencv": cv2.__version__}, torch_loader.batches(options, lambda path: load(path, size)))


def load(path, size):
    picture = cv2.imread(path, size)
    height, width = picture.shape[:2]
    warped = cv2.warpAffine(
        picture,
        book.matrix_with_resize(random, width, height),
        (book.SIDE, book.SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return numpy.multiply(cv2.cvtColor(warped, cv2.COLOR_BGR2RGB), 1 / 255, dtype=numpy.float32)


main()
