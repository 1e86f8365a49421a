"""Losses against PyTorch's: values and gradients over all options, in both dtypes."""

import inspect
import itertools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

DTYPES = [(np.float32, 1e-5), (np.float64, 1e-10)]
REDUCTIONS = ["mean", "sum", "none"]
SHAPES = [(6, 4), (37, 10), (9, 70), (4,), (3, 4, 5), (2, 3, 4, 7), (3, 5, 1), (0, 4), (0, 4, 3)]


def tensors(library, arrays, needing):
    made = {}
    for name, value in arrays.items():
        array = isinstance(value, np.ndarray)
        value = (torch.tensor(value) if library is torch else nn.Tensor(value)) if array else value
        made[name] = value.requires_grad_() if name in needing else value
    return made


def compare(name, tolerance, needing=("input",), **arrays):
    """The function's value, and gradients of it weighted, to what is in `needing`."""
    results = []
    for library, functions in ((nn, F), (torch, torch.nn.functional)):
        made = tensors(library, arrays, needing)
        loss = getattr(functions, name)(**made)
        value = loss.detach().numpy()
        dy = np.asarray(np.random.default_rng(9).normal(size=value.shape), value.dtype)
        loss.backward(tensors(library, {"dy": dy}, ())["dy"])
        results.append([value, *(made[one].grad.numpy() for one in needing)])
    for ours, theirs in zip(*results, strict=True):
        finite = np.isfinite(theirs)
        np.testing.assert_array_equal(ours[~finite], theirs[~finite])
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        assert_close(np.where(finite, ours, 0), np.where(finite, theirs, 0), tolerance)


def labels_of(shape, rng):
    classes = shape[min(1, len(shape) - 1)]
    return np.asarray(rng.integers(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_cross_entropy_and_nll(shape, dtype, tolerance):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, shape).astype(dtype)
    labels = labels_of(shape, rng)
    classes = shape[min(1, len(shape) - 1)]
    weight = rng.uniform(0.2, 2, classes).astype(dtype)
    ignored = int(labels.reshape(-1)[0]) if labels.ndim and labels.size else -100
    for reduction, weights, index in itertools.product(REDUCTIONS, (None, weight), (-100, ignored)):
        options = {"weight": weights, "ignore_index": index, "reduction": reduction}
        compare("nll_loss", tolerance, input=x, target=labels, **options)
        for smoothing in (0.0, 0.1, 1.0):
            compare(
                "cross_entropy",
                tolerance,
                input=x,
                target=labels,
                label_smoothing=smoothing,
                **options,
            )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("needing", [("input",), ("input", "target")])
def test_cross_entropy_with_probabilities(shape, dtype, tolerance, needing):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, shape).astype(dtype)
    target = rng.uniform(0, 1, shape).astype(dtype)
    weight = rng.uniform(0.2, 2, shape[min(1, len(shape) - 1)]).astype(dtype)
    for reduction, weights, smoothing in itertools.product(
        REDUCTIONS, (None, weight), (0.0, 0.1, 1.0)
    ):
        compare(
            "cross_entropy",
            tolerance,
            needing,
            input=x,
            target=target,
            weight=weights,
            reduction=reduction,
            label_smoothing=smoothing,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_all_targets_ignored(reduction, weighted, loss):
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    weight = np.ones(3, np.float32) if weighted else None
    labels = np.full(5, -100)
    compare(loss, 1e-6, input=x, target=labels, weight=weight, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("classes", [4, 70])
def test_extreme_logits(reduction, classes):
    for far in (1e4, -1e4, np.inf, -np.inf, np.nan):
        for place in (0, 1, 3):
            x = np.random.default_rng(0).normal(size=(5, classes)).astype(np.float32)
            x[1, place] = far
            labels = np.array([0, 1, 2, 3, -100])
            compare("cross_entropy", 1e-5, input=x, target=labels, reduction=reduction)


SHAPES_OF_VALUES = [(), (7,), (5, 3), (0,), (0, 3), (2, 3, 4)]
VALUE_LOSSES = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.3}, {"beta": 0.0}],
    "huber_loss": [{}, {"delta": 0.3}],
    "binary_cross_entropy": [{}],
    "binary_cross_entropy_with_logits": [{}],
    "kl_div": [{}, {"log_target": True}],
    "hinge_embedding_loss": [{}, {"margin": 0.3}],
}


def values_for(name, options, shape, dtype):
    rng = np.random.default_rng(2)
    x, target = rng.normal(0, 2, shape), rng.uniform(0, 1, shape)
    if name == "binary_cross_entropy":
        x = rng.uniform(0.01, 0.99, shape)
    if options.get("log_target"):
        target = np.log(target)
    if name == "hinge_embedding_loss":
        target = np.sign(target - 0.5)
    return np.asarray(x, dtype), np.asarray(target, dtype)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", SHAPES_OF_VALUES, ids=str)
@pytest.mark.parametrize("name", VALUE_LOSSES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_losses_of_values(shape, name, dtype, tolerance):
    more = ["batchmean"] if name == "kl_div" and shape else []
    for options, reduction in itertools.product(VALUE_LOSSES[name], [*REDUCTIONS, *more]):
        x, target = values_for(name, options, shape, dtype)
        needing = ("input",) if name == "hinge_embedding_loss" else ("input", "target")
        compare(name, tolerance, needing, input=x, target=target, reduction=reduction, **options)
        if needing == ("input", "target"):
            compare(
                name, tolerance, ("target",), input=x, target=target, reduction=reduction, **options
            )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_weights_of_losses_of_values(reduction, dtype, tolerance):
    weights = np.random.default_rng(3).uniform(0.2, 2, (5, 3)).astype(dtype)
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        x, target = values_for(name, {}, (5, 3), dtype)
        given = {"input": x, "target": target, "weight": weights, "reduction": reduction}
        compare(name, tolerance, **given)
        for needing in (("weight",), ("input", "target", "weight"), ("target", "weight")):
            compare(name, tolerance, needing, **given)
    shapes = (weights, weights[:1], weights[0], weights[:, :1], weights[0, :1])
    for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        x, target = values_for(name, {}, (5, 3), dtype)
        given = {"input": x, "target": target, "reduction": reduction}
        for weight in shapes:
            compare(name, tolerance, ("input", "target"), weight=weight, **given)
            if name.endswith("logits"):
                compare(name, tolerance, ("input", "target"), pos_weight=weight, **given)
                compare(name, tolerance, weight=weights, pos_weight=weight, **given)


@pytest.mark.parametrize("shape", [(6, 4), (4,), (2, 3, 4)], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_weights_of_probable_classes_get_gradients(shape, dtype, tolerance):
    rng = np.random.default_rng(5)
    x = rng.normal(0, 2, shape).astype(dtype)
    target = rng.uniform(0, 1, shape).astype(dtype)
    weight = rng.uniform(0.2, 2, shape[min(1, len(shape) - 1)]).astype(dtype)
    for reduction, smoothing in itertools.product(REDUCTIONS, (0.0, 0.1)):
        for needing in (("weight",), ("input", "target", "weight"), ("target",)):
            compare(
                "cross_entropy",
                tolerance,
                needing,
                input=x,
                target=target,
                weight=weight,
                reduction=reduction,
                label_smoothing=smoothing,
            )


def test_certain_probabilities_and_far_logits():
    x = np.array([0, 1, 0, 1, 0.5], np.float32)
    target = np.array([0, 1, 1, 0, 0.5], np.float32)
    compare("binary_cross_entropy", 1e-6, input=x, target=target, reduction="none")
    far = np.array([1e4, -1e4, np.inf, -np.inf, np.nan, 1e4], np.float32)
    for target in (np.zeros(6, np.float32), np.ones(6, np.float32), np.full(6, 0.5, np.float32)):
        given = {"input": far, "target": target, "reduction": "none"}
        compare("binary_cross_entropy_with_logits", 1e-6, **given)
        for name in ("mse_loss", "smooth_l1_loss", "huber_loss"):
            given["input"] = np.delete(far, 4)
            given["target"] = target[:5]
            compare(name, 1e-5, **given)


@pytest.mark.parametrize("shape", [(6, 4), (5, 21), (4,)], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_multi_margin_loss(shape, dtype, tolerance):
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, shape).astype(dtype)
    labels = labels_of(shape, rng)
    weight = rng.uniform(0.2, 2, shape[-1]).astype(dtype)
    for reduction, p, margin, weights in itertools.product(
        REDUCTIONS, (1, 2), (1.0, 0.3), (None, weight)
    ):
        compare(
            "multi_margin_loss",
            tolerance,
            input=x,
            target=labels,
            p=p,
            margin=margin,
            weight=weights,
            reduction=reduction,
        )


MODULES = [
    *("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss", "MSELoss", "L1Loss", "SmoothL1Loss"),
    *("HuberLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "HingeEmbeddingLoss"),
]


@pytest.mark.parametrize("name", MODULES)
def test_modules_have_pytorchs_options_and_buffers(name):
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)

    def options(kind):
        parameters = inspect.signature(kind.__init__).parameters.values()
        return [(p.name, p.default) for p in parameters][1:]

    assert options(ours) == options(theirs)
    assert repr(ours()) == repr(theirs())
    assert list(ours().state_dict()) == list(theirs().state_dict())
    if "weight" in dict(options(ours)):
        one = ours(weight=nn.ones(3)), theirs(weight=torch.ones(3))
        assert list(one[0].state_dict()) == list(one[1].state_dict())


@pytest.mark.parametrize("name", [n for n in F.__all__ if n.endswith("loss") or "entropy" in n])
def test_functions_have_pytorchs_options(name):
    def options(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    if hasattr(torch.nn.functional, name):
        assert options(getattr(F, name)) == options(getattr(torch.nn.functional, name))
