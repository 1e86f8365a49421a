"""The networks of `nnet.models`: shapes, parameters, work, names, and that they learn."""

import numpy as np
import pytest

import nnet as nn
from nnet import models, optim
from nnet.training import ImageDescription
from tests.helpers import assert_close

SMALL = {
    "mnist_cnn": ({"filters": 2, "hidden": 4, "dropout": 0.0}, (4, 1, 28, 28)),
    "vgg_small": (
        {"filters": 2, "hidden": 4, "height": 16, "width": 24, "dropout": 0.0},
        (4, 3, 16, 24),
    ),
    "resnet20": ({"width": 2}, (4, 3, 16, 16)),
    "mlp": ({"inputs": 12, "hidden": (5, 7), "dropout": 0.0}, (4, 3, 2, 2)),
}


@pytest.mark.parametrize(
    ("name", "shape", "parameters", "macs"),
    [
        # 9 (32 + 32^2 + 32 64 + 64^2) + 2 192, then 256 1024 + 2 256 + 10 257.
        ("mnist_cnn", (1, 1, 28, 28), 330_410, 9_970_304),
        ("vgg_small", (1, 3, 32, 32), 2_197_962, 153_815_552),
        # With option B; with the paper's option A 269,722.
        ("resnet20", (1, 3, 32, 32), 272_474, 40_813_184),
        ("mlp", (1, 784), 1_865_738, 784 * 1024 + 1024 * 1024 + 1024 * 10),
    ],
)
def test_h_parameters_and_multiply_accumulates(name, shape, parameters, macs):
    result = nn.summary(models.MODELS[name](), shape)
    assert result.rows[-1].output_shape == (1, 10)
    assert (result.parameters, result.trainable) == (parameters, parameters)
    assert result.macs == macs


@pytest.mark.parametrize("name", SMALL)
def test_a_description_builds_it_and_a_step_reaches_every_parameter(name):
    arguments, shape = SMALL[name]
    nn.manual_seed(0)
    description = ImageDescription(
        name, {**arguments, "classes": 3}, shape[1:], [0.0], [1.0], "abc"
    )
    model = description.build()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    images = nn.from_numpy(np.random.default_rng(0).standard_normal(shape, np.float32))
    labels = nn.tensor([0, 1, 2, 0])
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        scores = model(images)
        assert scores.shape == (4, 3)
        loss = nn.functional.cross_entropy(scores, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(np.isfinite(parameter.grad.data).all() for parameter in model.parameters())
    assert losses[-1] < losses[0]


def test_resnet_goes_by_the_names_of_pytorchs_users():
    names = list(models.resnet20(width=2).state_dict())
    assert names[:4] == ["conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean"]
    assert {"layer1.2.bn2.bias", "layer2.0.downsample.1.running_var", "fc.bias"} <= set(names)
    assert not any(name.startswith("layer1.0.downsample") for name in names)


def test_a_block_without_its_convolutions_is_relu():
    block = models.residual.Block(3, 3, 1)
    nn.init.zeros_(block.bn2.weight)
    x = nn.randn(2, 3, 5, 5)
    assert np.array_equal(block(x).numpy(), np.maximum(x.numpy(), 0))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.mnist_cnn(height=15), "mnist_cnn: expected images of at least 16x16"),
        (lambda: models.vgg_small(width=7), "vgg_small: expected images of at least 8x8"),
    ],
)
def test_images_too_small_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_residual_network_takes_other_layers_and_forwards_in_place_of_its_own():
    nn.manual_seed(0)
    model = nn.models.ResNet(channels=1, blocks=1, width=4, classes=3).eval()
    x = nn.randn(2, 1, 8, 8)
    expected = model(x).data
    for path in ("bn1", "layer1.0.bn1", "layer2.0.bn2"):
        parent = model.get_submodule(path.rpartition(".")[0])
        name = path.rpartition(".")[2]
        norm = getattr(parent, name)
        seen = []
        handle = norm.register_forward_hook(lambda m, a, y, seen=seen: seen.append(y.data.min()))
        assert_close(model(x), expected, 1e-6)
        assert seen[0] < 0, "a hook sees what the normalization gives, not what ReLU left of it"
        handle.remove()
        norm.forward = lambda t, plain=norm.forward: plain(t)
        assert_close(model(x), expected, 1e-6)
        del norm.forward
        setattr(parent, name, nn.Sequential(norm))
        assert_close(model(x), expected, 1e-6)
