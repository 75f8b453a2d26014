"""PyTorch as a contender: a training step of the convnets or of an EfficientNet-Lite0 that is frozen in part, or EfficientNet-Lite0
and VGG16 in evaluation mode."""

import contextlib

import numpy
import torch
import torch.nn.functional as F

import protocol
from torch_networks import EfficientNetLite0, FineTuned, convnet, vgg16


def main():
    parser = protocol.arguments()
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    baseline_kib = protocol.resident_kib()

    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    images, classes = protocol.random_batch(options.network, options.batch)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    classes = torch.from_numpy(classes)
    if options.network in protocol.CONVNETS:
        network = convnet(options.network).to(memory_format=layout)
        step = training_step(network, images, classes, options.bfloat16)
    elif options.network in protocol.FINE_TUNED:
        network = FineTuned(protocol.FINE_TUNED[options.network]).to(memory_format=layout)
        step = training_step(network, images, classes, options.bfloat16)
    else:
        network = vgg16() if options.network == "vgg16" else EfficientNetLite0()
        step = evaluation_step(network.to(memory_format=layout).eval(), images, options.bfloat16)

    versions = {"torch": torch.__version__, "numpy": numpy.__version__}
    parameters = sum(parameter.numel() for parameter in network.parameters())
    protocol.serve(versions, baseline_kib, parameters, step)


def training_step(network, images, classes, bfloat16):
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.RMSprop(trained, lr=1e-4, alpha=0.9, eps=1e-7)

    def step():
        optimizer.zero_grad()
        with precision(bfloat16):
            logits = network(images)
            if logits.shape[1] == 1:
                loss = F.binary_cross_entropy_with_logits(logits.squeeze(1), classes.to(logits.dtype))
            else:
                loss = F.cross_entropy(logits, classes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def evaluation_step(network, images, bfloat16):
    def step():
        with torch.inference_mode(), precision(bfloat16):
            return network(images)[0, 0].item()

    return step


def precision(bfloat16):
    return torch.autocast("cpu", dtype=torch.bfloat16) if bfloat16 else contextlib.nullcontext()


main()
