"""Losses without PyTorch: gradients in float64, options, errors."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits, assert_same_bits_on_threads
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(0)
REDUCTIONS = ["mean", "sum", "none"]


def normal(*shape):
    return rng.normal(0, 1, shape)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_of_losses_of_values(reduction):
    target = np.abs(normal(4, 3)) / 4
    weight = nn.Tensor(rng.uniform(0.5, 2, 3))
    for loss in (F.mse_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div):
        check_gradients(
            lambda x, t, loss=loss: loss(x, t, reduction=reduction), normal(4, 3), target
        )
    check_gradients(
        lambda x, t: F.binary_cross_entropy(x, t, weight, reduction=reduction),
        rng.uniform(0.2, 0.8, (4, 3)),
        target,
    )
    check_gradients(
        lambda x, t: F.binary_cross_entropy_with_logits(
            x, t, weight, reduction=reduction, pos_weight=weight
        ),
        normal(4, 3),
        target,
    )
    check_gradients(
        lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=True),
        normal(4, 3),
        normal(4, 3),
    )
    labels = nn.tensor([0, 2, 1, 1])
    for p in (1, 2):
        check_gradients(
            lambda x, p=p: F.multi_margin_loss(x, labels, p=p, weight=weight, reduction=reduction),
            normal(4, 3),
        )


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (5, 40)], ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_of_cross_entropy_with_everything(shape, reduction):
    labels = rng.integers(0, 4, shape[:1] + shape[2:])
    labels.reshape(-1)[1] = 2
    options = {
        "weight": nn.Tensor(rng.uniform(0.5, 2, shape[1])),
        "ignore_index": 2,
        "label_smoothing": 0.2,
        "reduction": reduction,
    }
    check_gradients(lambda x: F.cross_entropy(x, nn.Tensor(labels), **options), normal(*shape))
    soft = rng.uniform(0, 1, shape)
    del options["ignore_index"]
    check_gradients(lambda x, t: F.cross_entropy(x, t, **options), normal(*shape), soft)


def test_a_scaled_loss_scales_the_gradient_and_leaves_it_for_another_walk():
    x = nn.Tensor(normal(5, 3), requires_grad=True)
    labels = nn.tensor([0, 1, 2, 0, 1])
    for loss in (F.cross_entropy(x, labels), F.mse_loss(x, nn.zeros(5, 3).double())):
        x.grad = None
        loss.backward(retain_graph=True)
        once = x.grad.data.copy()
        x.grad = None
        (3 * loss).backward(retain_graph=True)
        assert_close(x.grad, 3 * once, 1e-15)
        x.grad = None
        loss.backward()
        assert_close(x.grad, once, 0)


def test_without_gradient_none_is_computed(monkeypatch):
    x = nn.Tensor(normal(5, 3), requires_grad=True)
    with nn.no_grad():
        loss = F.cross_entropy(x, nn.tensor([0, 1, 2, 0, 1]))
    assert not loss.requires_grad
    assert_close(loss, F.cross_entropy(x, nn.tensor([0, 1, 2, 0, 1])).detach(), 0)


def test_g2_cross_entropy_of_equal_scores_is_the_logarithm_of_the_classes():
    assert F.cross_entropy(nn.zeros(7, 10), nn.zeros(7).long()).item() == pytest.approx(
        np.log(10), abs=1e-6
    )


def test_multi_margin_loss_is_that_of_the_lectures_over_the_classes():
    scores = nn.tensor([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    losses = 3 * F.multi_margin_loss(scores, nn.tensor([0, 1, 2]), reduction="none")
    assert_close(losses, np.array([2.9, 0, 12.9]), 1e-6)


def test_same_bits_on_1_2_and_3_threads():
    x, t = normal(300, 700).astype(np.float32), rng.uniform(0, 1, (300, 700)).astype(np.float32)
    labels = nn.Tensor(rng.integers(0, 700, 300))

    def compute():
        results = []
        for loss in (
            lambda a: F.binary_cross_entropy_with_logits(a, nn.Tensor(t)),
            lambda a: F.cross_entropy(a, labels, label_smoothing=0.1),
            lambda a: F.cross_entropy(a, nn.Tensor(t)),
            lambda a: F.multi_margin_loss(a, labels),
        ):
            a = nn.Tensor(x.copy(), requires_grad=True)
            value = loss(a)
            (value * 2).backward()
            results += [value.data, a.grad.data]
        return results

    assert_same_bits_on_threads(compute)


X = nn.zeros(2, 3)
LABELS = nn.tensor([0, 1])
FUNCTIONS = {
    "cross_entropy": (X, LABELS),
    "nll_loss": (X, LABELS),
    "multi_margin_loss": (X, LABELS),
    "mse_loss": (X, X),
    "l1_loss": (X, X),
    "smooth_l1_loss": (X, X),
    "binary_cross_entropy": (X, X),
    "binary_cross_entropy_with_logits": (X, X),
    "kl_div": (X, X),
    "hinge_embedding_loss": (X, X),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_deprecated_options_and_unknown_reductions_are_named(name):
    function, arguments = getattr(F, name), FUNCTIONS[name]
    for option in ("size_average", "reduce"):
        with pytest.raises(ValueError, match=f"{name}: expected reduction=.* got {option}=True"):
            function(*arguments, **{option: True})
    with pytest.raises(ValueError, match=f"{name}: expected reduction .*, got 'average'"):
        function(*arguments, reduction="average")


def test_deprecated_options_of_modules_are_named():
    for kind in (nn.CrossEntropyLoss, nn.NLLLoss, nn.MSELoss, nn.BCELoss, nn.KLDivLoss):
        with pytest.raises(ValueError, match=f"{kind.__name__}: .* got size_average=False"):
            kind(size_average=False)
    with pytest.raises(ValueError, match="MSELoss: expected reduction .*, got 'batchmean'"):
        nn.MSELoss(reduction="batchmean")
    assert nn.KLDivLoss(reduction="batchmean").reduction == "batchmean"
    with pytest.raises(ValueError, match="MultiMarginLoss: expected p 1 or 2, got 3"):
        nn.MultiMarginLoss(p=3)


BAD = {
    "p": (lambda: F.multi_margin_loss(X, LABELS, p=3), "p 1 or 2, got 3"),
    "beta": (lambda: F.smooth_l1_loss(X, X, beta=-1), "beta of at least 0, got -1"),
    "delta": (lambda: F.huber_loss(X, X, delta=0), "delta above 0, got 0"),
    "shape": (lambda: F.l1_loss(X, X[0]), r"target of shape \(2, 3\), got \(3,\)"),
    "weight": (lambda: F.mse_loss(X, X, weight=X[0]), r"weight of shape \(2, 3\), got \(3,\)"),
    "bce weight": (
        lambda: F.binary_cross_entropy(X, X, nn.ones(2)),
        r"weight that broadcasts to \(2, 3\), got \(2,\)",
    ),
    "pos_weight": (
        lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=nn.ones(4, 2, 3)),
        r"pos_weight that broadcasts to \(2, 3\), got \(4, 2, 3\)",
    ),
    "probabilities": (lambda: F.binary_cross_entropy(X + 2, X), "x from 0 to 1, got 2.0"),
    "label": (lambda: F.multi_margin_loss(X, nn.tensor([0, 3])), "labels from 0 to 2, got 3"),
    "ndim": (lambda: F.multi_margin_loss(nn.zeros(2, 3, 4), LABELS), r"\(N, C\) or \(C,\)"),
    "smoothing": (lambda: F.cross_entropy(X, LABELS, label_smoothing=2), "label_smoothing from 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_other_dtypes_are_refused():
    for call in (
        lambda: F.l1_loss(LABELS, LABELS),
        lambda: F.binary_cross_entropy(X, X.double()),
        lambda: F.kl_div(X, X.long()),
        lambda: F.cross_entropy(X, LABELS, nn.ones(3, dtype=np.float64)),
        lambda: F.mse_loss(X, X, weight=[1.0]),
        lambda: F.binary_cross_entropy_with_logits(X, X, X.double()),
        lambda: F.multi_margin_loss(X, X),
        lambda: F.kl_div(X, [0.0]),
    ):
        with pytest.raises(TypeError, match="expected"):
            call()


def test_losses_as_layers_hand_their_options_on():
    x, t = nn.Tensor(normal(4, 3)), nn.Tensor(rng.uniform(0, 1, (4, 3)))
    weight = nn.Tensor(rng.uniform(0.5, 2, 3))
    labels = nn.tensor([0, 1, 2, 1])
    given = {"reduction": "sum"}
    p = F.sigmoid(x)
    pairs = [
        (nn.L1Loss(**given)(x, t), F.l1_loss(x, t, **given)),
        (nn.SmoothL1Loss(beta=0.2, **given)(x, t), F.smooth_l1_loss(x, t, beta=0.2, **given)),
        (nn.HuberLoss(delta=0.2, **given)(x, t), F.huber_loss(x, t, delta=0.2, **given)),
        (nn.BCELoss(weight, **given)(p, t), F.binary_cross_entropy(p, t, weight, **given)),
        (
            nn.BCEWithLogitsLoss(weight, pos_weight=weight, **given)(x, t),
            F.binary_cross_entropy_with_logits(x, t, weight, pos_weight=weight, **given),
        ),
        (nn.KLDivLoss(log_target=True, **given)(x, t), F.kl_div(x, t, log_target=True, **given)),
        (
            nn.HingeEmbeddingLoss(0.2, **given)(x, t),
            F.hinge_embedding_loss(x, t, 0.2, **given),
        ),
        (
            nn.MultiMarginLoss(2, 0.3, weight, **given)(x, labels),
            F.multi_margin_loss(x, labels, 2, 0.3, weight, **given),
        ),
    ]
    for ours, expected in pairs:
        assert ours == expected


def test_gradients_to_weights_and_probabilities():
    x, t, w = normal(4, 3), rng.uniform(0.1, 1, (4, 3)), rng.uniform(0.5, 2, (4, 3))
    for reduction in ("mean", "sum", "none"):
        for loss in (F.mse_loss, F.l1_loss, F.huber_loss):
            check_gradients(
                lambda a, b, c, f=loss, r=reduction: f(a, b, weight=c, reduction=r), x, t, w
            )
        check_gradients(
            lambda a, b, c, r=reduction: F.cross_entropy(a, b, c, reduction=r, label_smoothing=0.2),
            x,
            t,
            w[0],
        )


def test_a_loss_has_the_same_bits_whatever_needs_a_gradient():
    x, t, w = (nn.Tensor(rng.uniform(0.1, 1, (37, 5)).astype(np.float32)) for _ in range(3))
    for reduction in ("mean", "sum", "none"):
        for loss, weight in ((F.mse_loss, w), (F.huber_loss, w), (F.cross_entropy, w[0])):
            values = []
            for needing in ((), (x,), (t,), (weight,), (x, t, weight)):
                given = [
                    each.clone().requires_grad_(any(each is one for one in needing))
                    for each in (x, t, weight)
                ]
                values.append(loss(*given[:2], weight=given[2], reduction=reduction).data)
            for value in values[1:]:
                assert_same_bits(value, values[0])


def test_a_class_of_probability_0_counts_for_nothing_at_minus_infinity():
    x = nn.tensor([[0.0, -np.inf]])
    weight = nn.ones(2, requires_grad=True)
    F.cross_entropy(x, nn.tensor([[1.0, 0.0]]), weight).backward()
    assert weight.grad.tolist() == [0, 0]


def test_floats_of_two_widths_meet_in_the_wider():
    x, wide = X, X.double()
    for call in (
        lambda a, b: F.mse_loss(a, b),
        lambda a, b: F.mse_loss(a, a, weight=b),
        lambda a, b: F.cross_entropy(a, b),
        lambda a, b: F.binary_cross_entropy_with_logits(a, b),
        lambda a, b: F.kl_div(a, b),
    ):
        assert call(x, wide).dtype == np.float64 and call(wide, x).dtype == np.float64
    assert F.mse_loss(X, X.long()).dtype == np.float32
    assert F.hinge_embedding_loss(X, nn.ones(2, 3).long()).dtype == np.float32
    single = X.clone().requires_grad_()
    F.mse_loss(single, wide + 1).backward()
    assert single.grad.dtype == np.float32
    assert_close(single.grad, np.full((2, 3), -1 / 3), 1e-7)
