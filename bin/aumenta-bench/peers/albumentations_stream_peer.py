"""albumentations on OpenCV as a contender of streaming, in PyTorch's DataLoader."""

import albumentations as A
import cv2

import book
import streaming
import torch_loader


def main():
    cv2.setNumThreads(0)
    options = streaming.arguments().parse_args()
    transform = book.albumentations_pipeline(cv2.INTER_LINEAR) if options.augmentation == "book" else crop()

    def load(path):
        return transform(image=cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB))["image"]

    versions = {"albumentations": A.__version__, "opencv": cv2.__version__}
    streaming.serve(versions, torch_loader.batches(options, load))


def crop():
    side, factors = streaming.CROP_SIDE, (1 - streaming.JITTER, 1 + streaming.JITTER)
    return A.Compose([
        A.RandomResizedCrop((side, side), scale=streaming.CROP_AREAS, ratio=streaming.CROP_RATIOS),
        A.HorizontalFlip(),
        A.ColorJitter(brightness=factors, contrast=factors, saturation=factors, hue=(0, 0), p=1),
        A.Normalize(streaming.MEANS, streaming.DEVIATIONS),
    ])


main()
