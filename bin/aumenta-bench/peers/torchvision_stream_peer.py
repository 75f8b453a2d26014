"""torchvision as a contender of streaming: its v2 transforms in PyTorch's DataLoader, with Pillow or its own decoder."""

import PIL
import torch
import torchvision
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms import v2

import book
import streaming
import torch_loader


def main():
    parser = streaming.arguments()
    parser.add_argument("--decoder", choices=["pillow", "own"], required=True)
    options = parser.parse_args()
    versions = {"torchvision": torchvision.__version__, "torch": torch.__version__, "pillow": PIL.__version__}
    transform = book.torchvision_pipeline() if options.augmentation == "book" else crop()
    read = of_pillow if options.decoder == "pillow" else own
    streaming.serve(versions, torch_loader.batches(options, lambda path: transform(read(path))))


def of_pillow(path):
    return Image.open(path).convert("RGB")


def own(path):
    return decode_jpeg(read_file(path), mode=ImageReadMode.RGB)


def crop():
    jitter = streaming.JITTER
    return v2.Compose([
        v2.RandomResizedCrop(streaming.CROP_SIDE, streaming.CROP_AREAS, streaming.CROP_RATIOS),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(brightness=jitter, contrast=jitter, saturation=jitter),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(streaming.MEANS, streaming.DEVIATIONS),
    ])


main()
