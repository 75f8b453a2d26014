"""albumentations on OpenCV as a contender."""

import albumentations as A
import cv2

import augmentation as given
import book


def main():
    cv2.setNumThreads(1)
    photographs = given.Photographs(given.arguments().parse_args().photographs)
    large, small = photographs.large, photographs.small
    side = (given.SIDE, given.SIDE)
    fixed = lambda value: (value, value)

    jitters = {
        "brightness": {"brightness": fixed(given.BRIGHTNESS)},
        "contrast": {"contrast": fixed(given.CONTRAST)},
        "saturation": {"saturation": fixed(given.SATURATION)},
        "hue": {"hue": fixed(given.HUE_TURNS)},
    }
    neutral = {"brightness": fixed(1.0), "contrast": fixed(1.0), "saturation": fixed(1.0), "hue": fixed(0.0)}
    black_area = (given.ERASED_SIDE / given.SIDE) ** 2
    blur_sigma, window = fixed(given.BLUR_SIGMA_PIXELS), fixed(given.BLUR_WINDOW_PIXELS)
    motion = {"angle_range": fixed(given.MOTION_DEGREES), "direction_range": fixed(0.0), "allow_shifted": False}
    # The end of this range does not belong to it.
    grid_unit = (given.GRID_UNIT_PIXELS, given.GRID_UNIT_PIXELS + 1)

    of_large = {
        "book-pipeline": book.albumentations_pipeline(cv2.INTER_AREA),
        "resize-area": A.Resize(*side, interpolation=cv2.INTER_AREA),
        "resize-bilinear": A.Resize(*side),
        "random-resized-crop": A.RandomResizedCrop(side, interpolation=cv2.INTER_AREA),
    }
    of_small = {
        "rotate": A.Rotate(fixed(given.ROTATION_DEGREES), p=1),
        "perspective": A.Perspective(fixed(0.08), p=1),
        "elastic": A.ElasticTransform(given.ELASTIC_ALPHA_PIXELS, given.ELASTIC_SIGMA_PIXELS, p=1),
        "horizontal-flip": A.HorizontalFlip(p=1),
        **{name: A.ColorJitter(**neutral | changed, p=1) for name, changed in jitters.items()},
        "gamma": A.RandomGamma(fixed(100 * given.GAMMA), p=1),
        "grayscale": A.ToGray(p=1),
        "invert": A.InvertImg(p=1),
        "posterize": A.Posterize(given.POSTERIZE_BITS, p=1),
        "solarize": A.Solarize(fixed(given.SOLARIZE_LEVEL / 255), p=1),
        "equalize": A.Equalize(p=1),
        "autocontrast": A.AutoContrast(p=1),
        "sharpness": A.Sharpen(fixed(0.5), fixed(1.0), p=1),
        "clahe": A.CLAHE(fixed(given.CLAHE_CLIP), (given.CLAHE_TILES, given.CLAHE_TILES), p=1),
        "gaussian-blur": A.GaussianBlur(window, blur_sigma, p=1),
        "motion-blur": A.MotionBlur(fixed(given.MOTION_PIXELS), **motion, p=1),
        "gaussian-noise": A.GaussNoise(fixed(given.NOISE_SIGMA_LEVELS / 255), p=1),
        "salt-and-pepper": A.SaltAndPepper(fixed(given.SALT_AND_PEPPER), p=1),
        "shot-noise": A.ShotNoise(fixed(0.1), p=1),
        "jpeg": A.ImageCompression(quality_range=fixed(given.JPEG_QUALITY), p=1),
        "erasing": A.Erasing(fixed(black_area), fixed(1.0), p=1),
        "grid-mask": A.GridDropout(given.GRID_RATIO, unit_size_range=grid_unit, random_offset=False, p=1),
    }
    tables = ((of_large, large), (of_small, small))
    operations = {name: (applied(transform), all) for table, all in tables for name, transform in table.items()}
    given.serve({"albumentations": A.__version__, "opencv": cv2.__version__}, operations)


def applied(transform):
    if hasattr(transform, "set_random_seed"):
        transform.set_random_seed(7)
    return lambda image: transform(image=image)["image"]


main()
