"""The blocks of EfficientNet-Lite0, as in src/efficientnet_lite0.rs."""

STEM, HEAD, EPSILON = 32, 1280, 1e-3

# Expansion, kernel, stride of the first repeat, outputs, repeats.
STAGES = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
]


def blocks():
    """Inputs, channels of the depthwise convolution, its kernel and stride, and outputs of each block."""
    inputs = STEM
    for expansion, kernel, stride, outputs, repeats in STAGES:
        for repeat in range(repeats):
            yield inputs, inputs * expansion, kernel, stride if repeat == 0 else 1, outputs
            inputs = outputs
