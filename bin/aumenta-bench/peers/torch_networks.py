"""The networks as PyTorch has them, for its contenders on the CPU and on a GPU."""

import torch
from torch import nn

import efficientnet_lite0 as lite0
import protocol


def convnet(name):
    filters, pools, units = protocol.CONVNETS[name]
    side, _, inputs = protocol.SHAPES[name]
    layers = []
    for index, outputs in enumerate(filters):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.ReLU()]
        inputs, side = outputs, side - 2
        if index < pools:
            layers.append(nn.MaxPool2d(2))
            side //= 2
    layers += [nn.Flatten(), nn.Linear(side * side * inputs, units), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(units, protocol.OUTPUTS[name]))


def vgg16():
    filters, units = protocol.VGG16
    layers, inputs = [], 3
    for outputs in filters:
        layers += [nn.MaxPool2d(2)] if outputs is None else [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
        inputs = outputs or inputs
    layers.append(nn.Flatten())
    inputs *= 7 * 7
    for outputs in units:
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(*layers[:-1])


class FineTuned(nn.Module):
    """EfficientNet-Lite0 for two classes, of which so many blocks, or all of the base, are frozen in evaluation mode."""

    def __init__(self, frozen_blocks):
        super().__init__()
        base = EfficientNetLite0(outputs=1)
        layers = [base.stem, *base.blocks, base.head]
        at = len(layers) if frozen_blocks is None else frozen_blocks + (1 if frozen_blocks else 0)
        self.frozen = nn.Sequential(*layers[:at]).eval().requires_grad_(False)
        self.trained = nn.Sequential(*layers[at:])
        self.classifier = base.classifier

    def forward(self, images):
        with torch.no_grad():
            x = self.frozen(images)
        return self.classifier(self.trained(x).mean((2, 3)))


class EfficientNetLite0(nn.Module):
    def __init__(self, outputs=protocol.OUTPUTS["efficientnet-lite0"]):
        super().__init__()
        blocks = list(lite0.blocks())
        self.stem = conv_norm(3, lite0.STEM, 3, stride=2, activated=True)
        self.blocks = nn.Sequential(*(InvertedResidual(*block) for block in blocks))
        self.head = conv_norm(blocks[-1][-1], lite0.HEAD, 1, activated=True)
        self.classifier = nn.Linear(lite0.HEAD, outputs)

    def forward(self, images):
        return self.classifier(self.head(self.blocks(self.stem(images))).mean((2, 3)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, expanded, kernel, stride, outputs):
        super().__init__()
        self.is_residual = stride == 1 and inputs == outputs
        layers = [conv_norm(inputs, expanded, 1, activated=True)] if expanded != inputs else []
        layers.append(conv_norm(expanded, expanded, kernel, stride, expanded, activated=True))
        self.layers = nn.Sequential(*layers, conv_norm(expanded, outputs, 1))

    def forward(self, x):
        return x + self.layers(x) if self.is_residual else self.layers(x)


def conv_norm(inputs, outputs, kernel, stride=1, groups=1, activated=False):
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers = [convolution, nn.BatchNorm2d(outputs, eps=lite0.EPSILON)]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if activated else nn.Sequential(*layers)
