"""torchvision's v2 transforms as a contender, on uint8 tensors or on Pillow images."""

import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

import augmentation as given
import book

BILINEAR = InterpolationMode.BILINEAR
SIZE = [given.SIDE, given.SIDE]


def main():
    parser = given.arguments()
    parser.add_argument("--on", choices=["tensors", "pillow"], required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    photographs = given.Photographs(options.photographs)
    versions = {"torchvision": torchvision.__version__, "torch": torch.__version__}
    if options.on == "pillow":
        large = [Image.fromarray(picture) for picture in photographs.large]
        versions["pillow"] = PIL.__version__
        given.serve(versions, whole(large, photographs.warps))
    else:
        large, small = ([tensor(picture) for picture in all] for all in (photographs.large, photographs.small))
        operations = whole(large, photographs.warps) | single(large, small, photographs.crops)
        given.serve(versions, operations)


def tensor(picture):
    """uint8 CHW, as torchvision's own decoders give it."""
    return torch.from_numpy(picture).permute(2, 0, 1).contiguous()


def floats(picture):
    return F.to_dtype(F.to_image(picture), torch.float32, scale=True)


def warp(picture, drawn):
    return F.affine(
        F.resize(picture, SIZE),
        angle=-drawn["rotation-degrees"],
        translate=[drawn["x-pixels"], drawn["y-pixels"]],
        scale=drawn["zoom"],
        shear=[0.0, 0.0],
        interpolation=BILINEAR,
    )


def whole(large, warps):
    """What is measured both on tensors and on Pillow images."""
    return {
        "warp-bytes": (warp, large, warps),
        "warp-floats": (lambda picture, drawn: floats(warp(picture, drawn)), large, warps),
        "book-pipeline": (book.torchvision_pipeline(), large),
    }


def single(large, small, crops):
    elastic = v2.ElasticTransform(given.ELASTIC_ALPHA_PIXELS, given.ELASTIC_SIGMA_PIXELS)
    corners = [list(map(list, points)) for points in (given.CORNERS, given.MOVED_CORNERS)]
    window = [given.BLUR_WINDOW_PIXELS, given.BLUR_WINDOW_PIXELS]
    black = torch.zeros(3, 1, 1, dtype=torch.uint8)

    def cropped(picture, crop):
        left, top, width, height = crop
        return F.resized_crop(picture, top, left, height, width, SIZE)

    def erasing(picture):
        edge = given.ERASED_SIDE
        return F.erase(picture, given.ERASED_TOP, given.ERASED_LEFT, edge, edge, black)

    return {
        "resize-area": (lambda picture: F.resize(picture, SIZE), large),
        "resize-bilinear": (lambda picture: F.resize(picture, SIZE, antialias=False), large),
        "random-resized-crop": (cropped, large, crops),
        "rotate": (lambda picture: F.rotate(picture, given.ROTATION_DEGREES, BILINEAR), small),
        "perspective": (lambda picture: F.perspective(picture, *corners), small),
        "elastic": (elastic, small),
        "horizontal-flip": (F.horizontal_flip, small),
        "brightness": (lambda picture: F.adjust_brightness(picture, given.BRIGHTNESS), small),
        "contrast": (lambda picture: F.adjust_contrast(picture, given.CONTRAST), small),
        "saturation": (lambda picture: F.adjust_saturation(picture, given.SATURATION), small),
        "hue": (lambda picture: F.adjust_hue(picture, given.HUE_TURNS), small),
        "gamma": (lambda picture: F.adjust_gamma(picture, given.GAMMA), small),
        "grayscale": (lambda picture: F.rgb_to_grayscale(picture, 3), small),
        "invert": (F.invert, small),
        "posterize": (lambda picture: F.posterize(picture, given.POSTERIZE_BITS), small),
        "solarize": (lambda picture: F.solarize(picture, given.SOLARIZE_LEVEL), small),
        "equalize": (F.equalize, small),
        "autocontrast": (F.autocontrast, small),
        "sharpness": (lambda picture: F.adjust_sharpness(picture, given.SHARPNESS), small),
        "gaussian-blur": (lambda picture: F.gaussian_blur(picture, window, [given.BLUR_SIGMA_PIXELS] * 2), small),
        "gaussian-noise": (lambda picture: F.gaussian_noise(picture, sigma=given.NOISE_SIGMA_LEVELS / 255), small),
        "jpeg": (lambda picture: F.jpeg(picture, given.JPEG_QUALITY), small),
        "erasing": (erasing, small),
    }


main()
