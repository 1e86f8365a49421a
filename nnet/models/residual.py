"""Residual networks for small images. He et al. 2015."""

from ..autograd.tensor import Tensor
from ..init import kaiming_normal_
from ..layers.convolution.conv import Conv2d
from ..layers.linear import Linear
from ..layers.normalization.batch_norm import BatchNorm2d
from ..layers.pooling.adaptive import AdaptiveAvgPool2d
from ..layers.rectified import rectified
from ..layers.shape import Flatten
from ..module.container import Sequential
from ..module.module import Module


class Block(Module):
    """relu(x + f(x)), f two convolutions of 3x3, each with batch normalization.

    Where the size changes, x goes through a strided convolution of 1x1: the paper's option B.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, outputs, 3, stride)
        self.bn1 = BatchNorm2d(outputs)
        self.conv2 = _convolution(outputs, outputs, 3)
        self.bn2 = BatchNorm2d(outputs)
        self.downsample: Module | None = None
        if stride != 1 or inputs != outputs:
            shortcut = _convolution(inputs, outputs, 1, stride)
            self.downsample = Sequential(shortcut, BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        inside = rectified(self.bn1, self.conv1(x))
        shortcut = x if self.downsample is None else self.downsample(x)
        return rectified(self.bn2, self.conv2(inside), shortcut)


class ResNet(Module):
    """A convolution, three stages of blocks at full, half and quarter size, a linear layer.

    channels  of the images, (N, channels, H, W)
    blocks    in each stage: 6 blocks + 2 layers with weights
    width     filters in the first stage, twice and four times as many later
    classes   outputs: scores (N, classes)

    The names of parameters are those that PyTorch's users know: layer1.0.conv1.weight.

    >>> import nnet as nn
    >>> model = nn.models.ResNet(channels=1, blocks=1, width=2, classes=3)
    >>> model(nn.ones(5, 1, 8, 8)).shape
    (5, 3)
    """

    def __init__(self, channels: int, blocks: int, width: int, classes: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, width, 3)
        self.bn1 = BatchNorm2d(width)
        self.layer1 = _stage(width, width, blocks, stride=1)
        self.layer2 = _stage(width, 2 * width, blocks, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, blocks, stride=2)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.fc = Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = rectified(self.bn1, self.conv1(x))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(self.avgpool(x)))


def resnet20(channels: int = 3, classes: int = 10, width: int = 16) -> Module:
    """ResNet-20, the smallest residual network of He et al. 2015 for images of 32x32.

    channels  of the images, (N, channels, H, W)
    classes   outputs: scores (N, classes)
    width     filters in the first stage, twice and four times as many later

    >>> import nnet as nn
    >>> sum(parameter.numel() for parameter in nn.models.resnet20().parameters())
    272474
    """
    return ResNet(channels, 3, width, classes)


def _stage(inputs: int, outputs: int, blocks: int, stride: int) -> Sequential:
    first = Block(inputs, outputs, stride)
    return Sequential(first, *(Block(outputs, outputs, 1) for _ in range(blocks - 1)))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> Conv2d:
    # The normalization takes any bias away again.
    layer = Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer
