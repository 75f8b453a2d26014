"""PyTorch as a contender on an NVIDIA GPU: training a convnet, or all of EfficientNet-Lite0, with cuDNN.

The protocol is described in src/gpu/protocol.rs. Ready batches of bytes lie in pinned memory, and the next one is copied to the GPU
while a step is computed: PyTorch is measured without the work of making batches.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

import protocol
from torch_networks import FineTuned, convnet

# Different batches in memory.
POOL = 8
# Steps between two looks at the clock, as in src/gpu/ours.rs: a look waits until the GPU has done them.
STEPS_BETWEEN_LOOKS = 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=["cats-dogs", "lite0-whole"], required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--precision", choices=["f32", "tf32", "bf16"], required=True)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    try:
        network, step = prepare(options, torch.device("cuda"))
        batches = Batches(options.network, options.batch, torch.device("cuda"))
    except Exception as error:
        protocol.say({"refused": explain(error)})
        return
    serve(network, step, batches, options.batch)


def prepare(options, device):
    """The network, and a step of its training."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = options.precision != "f32"
    # Dense layers stay f32, which is PyTorch's default and ours.
    torch.backends.cuda.matmul.allow_tf32 = False
    network = convnet(options.network) if options.network in protocol.CONVNETS else FineTuned(0)
    network = network.to(device, memory_format=torch.channels_last).train()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.RMSprop(trained, lr=1e-4, alpha=0.9, eps=1e-7, foreach=True)

    def loss_of(images, classes):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            logits = network(images)
        return F.binary_cross_entropy_with_logits(logits.squeeze(1).float(), classes)

    if options.compile:
        loss_of = torch.compile(loss_of)

    def step(images, classes):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(images, classes)
        loss.backward()
        optimizer.step()
        return loss

    return network, step


class Batches:
    """Images in [0, 1] and classes on the GPU, copied one batch ahead on a stream of their own."""

    def __init__(self, network, batch, device):
        height, width, channels = protocol.SHAPES[network]
        random = torch.Generator().manual_seed(7)
        bytes_of = lambda: torch.randint(0, 256, (batch, height, width, channels), dtype=torch.uint8, generator=random)
        self.pool = [bytes_of().pin_memory() for _ in range(POOL)]
        self.classes = (torch.arange(batch) % 2).float().pin_memory()
        self.device, self.stream, self.taken = device, torch.cuda.Stream(), 0
        self.copy()

    def copy(self):
        images = self.pool[self.taken % POOL]
        self.taken += 1
        with torch.cuda.stream(self.stream):
            images = images.to(self.device, non_blocking=True)
            # An NHWC tensor with its channels moved forward is one in the channels-last layout.
            images = images.float().div_(255).permute(0, 3, 1, 2)
            self.ahead = images, self.classes.to(self.device, non_blocking=True)

    def next(self):
        torch.cuda.current_stream().wait_stream(self.stream)
        batch = self.ahead
        for tensor in batch:
            tensor.record_stream(torch.cuda.current_stream())
        self.copy()
        return batch


def serve(network, step, batches, batch):
    """Greets, and trains whenever it is asked to."""
    versions = {
        "torch": torch.__version__,
        "cuda of torch": str(torch.version.cuda),
        "cudnn of torch": str(torch.backends.cudnn.version()),
    }
    parameters = sum(parameter.numel() for parameter in network.parameters())
    protocol.say({"ready": {"versions": versions, "parameters": parameters}})
    for line in sys.stdin:
        try:
            protocol.say({"trained": train(step, batches, batch, json.loads(line)["milliseconds"] / 1000)})
        except Exception as error:
            protocol.say({"refused": explain(error)})


def train(step, batches, batch, duration):
    """Steps for at least `duration` seconds."""
    torch.cuda.synchronize()
    images, seconds, waiting = 0, 0.0, 0.0
    started = time.perf_counter()
    while images == 0 or seconds < duration:
        for _ in range(STEPS_BETWEEN_LOOKS):
            asked = time.perf_counter()
            examples = batches.next()
            waiting += time.perf_counter() - asked
            step(*examples)
            images += batch
        torch.cuda.synchronize()
        seconds = time.perf_counter() - started
    peak = torch.cuda.max_memory_reserved()
    return {"images": images, "seconds": seconds, "waiting-seconds": waiting, "peak-bytes": peak}


def explain(error):
    return f"{type(error).__name__}: {error}"


main()
