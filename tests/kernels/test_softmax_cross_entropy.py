import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kernels import softmax_cross_entropy
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import scratch_of

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]
REDUCTIONS = ["mean", "sum", "none"]
IGNORED = -100

# Rows side by side that fill a value or not, with classes to its end or over it; rows that lie
# along a value, over a block's end, long; images narrower and wider than a value. Serial, parallel.
SHAPES = [
    *((1, 2, 1), (7, 3, 1), (131, 10, 1), (48, 16, 1), (33, 17, 1), (3, 1, 1), (1601, 11, 1)),
    *((2, 128, 1), (5, 107, 1), (401, 41, 1), (2, 1031, 1), (201, 131, 1), (3, 100_003, 1)),
    *((2, 5, 3), (3, 4, 37), (2, 70, 16), (5, 7, 500)),
]


def inputs(shape, dtype, seed=0):
    """Logits, labels of which every fifth is ignored, weights."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, shape).astype(dtype)
    labels = rng.integers(0, shape[1], shape[:1] + shape[2:])
    labels.reshape(-1)[4::5] = IGNORED
    return logits, labels, rng.uniform(0.1, 2, shape[1]).astype(dtype)


def soft_targets(shape, dtype, seed=1):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(dtype)


def run(module, logits, labels, weight, label_smoothing, wanted=True, scale=0.5):
    """Losses and gradients; labels of floats are probabilities."""
    shape = logits.shape[:1] + logits.shape[2:]
    losses = nan_poisoned(shape, np.float64)
    gradient = nan_poisoned(logits.shape if wanted else (0, *logits.shape[1:]), logits.dtype)
    named = {"logits": logits, "weight": weight, "label_smoothing": label_smoothing}
    named |= {"scale": scale, "out_loss": losses, "out_gradient": gradient}
    if labels.dtype.kind == "f":
        module.forward_soft(target=labels, **named)
    else:
        work = scratch_of(module, "forward", named)
        module.forward(labels=labels, ignore_index=IGNORED, **work, **named)
    return losses, gradient


def expected(logits, labels, weight, label_smoothing):
    reference = softmax_cross_entropy.IMPLEMENTATIONS["reference"]
    labels = labels.astype(np.float64) if labels.dtype.kind == "f" else labels
    wide = logits.astype(np.float64), labels, weight.astype(np.float64)
    return run(reference, *wide, label_smoothing)


@pytest.mark.parametrize("implementation", softmax_cross_entropy.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_implementation_writes_the_reference(
    implementation, dtype, tolerance, label_smoothing, shape
):
    module = softmax_cross_entropy.IMPLEMENTATIONS[implementation]
    given_arrays = inputs(shape, dtype)
    labels = given_arrays[1]
    before = [array.copy() for array in given_arrays]
    losses, gradient = run(module, *given_arrays, label_smoothing)
    expected_losses, expected_gradient = expected(*given_arrays, label_smoothing)
    assert_close(losses, expected_losses, tolerance)
    assert_close(gradient, expected_gradient, tolerance)
    without, _ = run(module, *given_arrays, label_smoothing, wanted=False)
    assert_same_bits(without, losses)
    assert_same_bits(list(given_arrays), before)

    rng = np.random.default_rng(1)
    for sample_scale in (rng.normal(0, 1, labels.shape), np.array([[0.3]])):
        dlogits = nan_poisoned(gradient.shape, dtype)
        module.backward(gradient=gradient, sample_scale=sample_scale, out_dlogits=dlogits)
        assert_close(dlogits, expected_gradient * sample_scale[:, None], tolerance)


@pytest.mark.parametrize("implementation", softmax_cross_entropy.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[2] == 1], ids=str)
def test_probabilities_write_the_reference(
    implementation, dtype, tolerance, label_smoothing, shape
):
    module = softmax_cross_entropy.IMPLEMENTATIONS[implementation]
    logits, _, weight = inputs(shape, dtype)
    target = soft_targets(shape, dtype) / shape[1]
    losses, gradient = run(module, logits, target, weight, label_smoothing)
    expected_losses, expected_gradient = expected(logits, target, weight, label_smoothing)
    assert_close(losses, expected_losses, 2 * tolerance)
    assert_close(gradient, expected_gradient, tolerance)
    without, _ = run(module, logits, target, weight, label_smoothing, wanted=False)
    assert_same_bits(without, losses)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
@pytest.mark.parametrize("soft", [False, True])
def test_reference_gradient_against_central_differences(label_smoothing, soft):
    logits, labels, weight = inputs((3, 5, 2), np.float64)
    labels = soft_targets((3, 5, 2), np.float64) if soft else labels
    dlosses = np.random.default_rng(1).normal(0, 1, (3, 2))

    def loss(point):
        return np.sum(dlosses * expected(point, labels, weight, label_smoothing)[0]) * 0.5

    gradient = expected(logits, labels, weight, label_smoothing)[1] * dlosses[:, None]
    assert_close(gradient, central_differences(loss, logits), 1e-8)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_op_gradient_against_central_differences(reduction, label_smoothing):
    logits, labels, weight = inputs((6, 5), np.float64)
    options = {"label_smoothing": label_smoothing, "reduction": reduction}

    def loss(point):
        return np.sum(softmax_cross_entropy.forward(point, labels, weight, **options)[0] * dloss)

    dloss = np.asarray(np.random.default_rng(1).normal(0, 1, 6 if reduction == "none" else ()))
    _, saved = softmax_cross_entropy.forward(logits, labels, weight, **options)
    actual = softmax_cross_entropy.backward(dloss, saved)
    assert_close(actual, central_differences(loss, logits), 1e-8)


@settings(deadline=None, max_examples=20)
@given(
    rows=st.integers(0, 40),
    classes=st.integers(1, 70),
    label_smoothing=st.sampled_from([0.0, 0.25]),
    seed=st.integers(0, 99),
)
def test_any_shape(rows, classes, label_smoothing, seed):
    logits, labels, weight = inputs((rows, classes), np.float32, seed)
    counted = labels[labels != IGNORED]
    assume(counted.size)
    losses, gradient = expected(logits[..., None], labels[:, None], weight, label_smoothing)
    loss, saved = softmax_cross_entropy.forward(
        logits, labels, weight, label_smoothing=label_smoothing
    )
    divisor = weight[counted].sum(dtype=np.float64)
    assert loss.shape == () and loss.dtype == np.float32
    assert_close(loss, losses.sum() / divisor, 2e-6)
    dlogits = softmax_cross_entropy.backward(np.ones((), np.float32), saved)
    assert_close(dlogits, 2 * gradient[..., 0] / divisor, 2e-6)


def test_g2_equal_logits_of_10_classes_lose_ln_10():
    loss, _ = softmax_cross_entropy.forward(np.zeros((4, 10), np.float32), np.arange(4))
    assert_close(loss, np.log(10), 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_logits_do_not_overflow(dtype):
    logits = np.array([[1e4, -1e4, 0], [-3e4, -3e4, -3e4]], dtype)
    loss, saved = softmax_cross_entropy.forward(logits, np.array([0, 2]), reduction="none")
    assert_close(loss, np.array([0, np.log(3)]), 1e-6)
    dlogits = softmax_cross_entropy.backward(np.ones(2, dtype), saved)
    assert_close(dlogits, np.array([[0, 0, 0], [1 / 3, 1 / 3, -2 / 3]]), 1e-6)


@pytest.mark.parametrize("classes", [5, 70])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masked_classes_take_no_part(dtype, classes):
    logits, labels, _ = inputs((9, classes), dtype)
    labels[:] = 1
    masked = np.insert(logits, [0, 2, classes], -np.inf, axis=1)
    loss, saved = softmax_cross_entropy.forward(logits, labels)
    masked_loss, masked_saved = softmax_cross_entropy.forward(masked, labels + 1)
    assert_close(masked_loss, loss, 1e-6)
    one = np.ones((), dtype)
    dmasked = softmax_cross_entropy.backward(one, masked_saved)
    assert np.all(dmasked[:, [0, 3, -1]] == 0)
    left = np.delete(dmasked, [0, 3, classes + 2], axis=1)
    assert_close(left, softmax_cross_entropy.backward(one, saved), 1e-6)


@pytest.mark.parametrize("classes", [4, 70])
def test_masked_classes_of_weight_0_are_no_target_of_smoothing(classes):
    logits, labels, weight = inputs((9, classes), np.float32)
    labels[:] = 1
    logits[:, 2], weight[2] = -np.inf, 0
    loss, _ = softmax_cross_entropy.forward(logits, labels, weight, label_smoothing=0.1)
    assert np.isfinite(loss)


@pytest.mark.parametrize("classes", [4, 70])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinity_come_out(dtype, classes):
    logits, labels, _ = inputs((4, classes), dtype)
    labels[:] = 1
    logits[0, 3], logits[1, 2], logits[2, 1] = np.nan, np.inf, -np.inf
    loss, saved = softmax_cross_entropy.forward(logits, labels, reduction="none")
    assert np.isnan(loss[:2]).all() and loss[2] == np.inf and np.isfinite(loss[3])
    dlogits = softmax_cross_entropy.backward(np.ones(4, dtype), saved)
    assert np.isnan(dlogits[0]).all() and np.isfinite(dlogits[2:]).all()
    mean, _ = softmax_cross_entropy.forward(logits, labels)
    assert np.isnan(mean)


def test_a_loss_beyond_float32_is_inf():
    logits = np.array([[3e38, -3e38]], np.float32)
    assert softmax_cross_entropy.forward(logits, np.array([1]))[0] == np.inf


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_all_ignored_have_mean_nan_and_no_gradient(reduction):
    logits, labels, _ = inputs((5, 3), np.float32)
    labels[:] = IGNORED
    logits[2] = np.nan
    loss, saved = softmax_cross_entropy.forward(logits, labels, reduction=reduction)
    assert np.isnan(loss) if reduction == "mean" else np.all(loss == 0)
    dlogits = softmax_cross_entropy.backward(np.ones_like(loss), saved)
    assert np.all(dlogits == 0)


def test_ignore_index_may_be_a_class():
    logits, _, _ = inputs((4, 3), np.float32)
    labels = np.array([0, 1, 2, 1])
    loss, _ = softmax_cross_entropy.forward(logits, labels, ignore_index=1)
    expected_loss, _ = softmax_cross_entropy.forward(logits[[0, 2]], labels[[0, 2]])
    assert_close(loss, expected_loss, 1e-6)


@pytest.mark.parametrize(
    "shape", [(1601, 11), (401, 41), (201, 131), (3, 100_003), (5, 7, 500)], ids=str
)
def test_same_bits_on_1_2_and_3_threads(shape):
    logits, labels, weight = inputs(shape, np.float32)

    def compute():
        loss, saved = softmax_cross_entropy.forward(logits, labels, weight, label_smoothing=0.1)
        return loss, softmax_cross_entropy.backward(np.full((), 2, np.float32), saved)

    assert_same_bits_on_threads(compute)


@pytest.mark.parametrize("classes", [3, 10, 41, 131])
def test_a_row_does_not_depend_on_its_neighbours(classes):
    logits, labels, _ = inputs((40, classes), np.float32)
    labels[:] = 2
    loss, saved = softmax_cross_entropy.forward(logits, labels, reduction="none")
    for part in (slice(0, 1), slice(17, 40)):
        part_loss, part_saved = softmax_cross_entropy.forward(
            logits[part], labels[part], reduction="none"
        )
        assert_same_bits([part_loss, part_saved.gradient], [loss[part], saved.gradient[part]])


def test_backward_twice_gives_the_same():
    logits, labels, _ = inputs((6, 5), np.float32)
    _, saved = softmax_cross_entropy.forward(logits, labels)
    two = np.array(2, np.float32)
    first = softmax_cross_entropy.backward(two, saved)
    first_bits = first.copy()
    assert_same_bits(softmax_cross_entropy.backward(two, saved), first_bits)
    assert not np.shares_memory(first, saved.gradient)
    assert softmax_cross_entropy.backward(np.ones((), np.float32), saved) is saved.gradient


@pytest.mark.parametrize(
    "kind", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
)
def test_labels_of_any_integer_dtype(kind):
    logits, labels, _ = inputs((7, 5), np.float32)
    labels[4] = 0
    loss, _ = softmax_cross_entropy.forward(logits, labels)
    assert_same_bits(softmax_cross_entropy.forward(logits, labels.astype(kind))[0], loss)


def test_non_contiguous_and_read_only_inputs():
    logits, labels, weight = inputs((7, 5), np.float32)
    dloss = np.random.default_rng(1).normal(0, 1, 7).astype(np.float32)

    def compute(changed):
        loss, saved = softmax_cross_entropy.forward(
            changed(logits), changed(labels), changed(weight), reduction="none"
        )
        return loss, softmax_cross_entropy.backward(changed(dloss), saved)

    plain = compute(np.asarray)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(compute(changed), plain)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_empty_batch(reduction):
    logits, labels = np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    loss, saved = softmax_cross_entropy.forward(logits, labels, reduction=reduction)
    assert loss.shape == ((0,) if reduction == "none" else ())
    assert np.isnan(loss) if reduction == "mean" else np.all(loss == 0)
    assert softmax_cross_entropy.backward(np.ones_like(loss), saved).shape == (0, 3)


def test_labels_out_of_range_are_named():
    logits, _, _ = inputs((4, 3), np.float32)
    for label, kind in ((3, np.int64), (-1, np.int32), (200, np.uint8), (2**64 - 100, np.uint64)):
        wrong = np.array([0, 1, label, 0], kind)
        with pytest.raises(ValueError, match=rf"0 to 2 or ignore_index -100, got {label} at row 2"):
            softmax_cross_entropy.forward(logits, wrong)


def test_wrong_arguments_are_named():
    forward, backward = softmax_cross_entropy.forward, softmax_cross_entropy.backward
    logits, labels, weight = inputs((4, 3), np.float32)
    with pytest.raises(TypeError, match="logits of float32 or float64, got float16"):
        forward(logits.astype(np.float16), labels)
    with pytest.raises(TypeError, match="weight of float32 like the rest, got float64"):
        forward(logits, labels, weight.astype(np.float64))
    for wrong, got in ((labels.astype(np.float32), "float32"), (labels > 0, "bool"), ([0], "list")):
        with pytest.raises(TypeError, match=f"labels to be an integer array, got .*{got}"):
            forward(logits, wrong)
    with pytest.raises(ValueError, match=r"logits of shape \(N, C\) or .* C >= 1, got \(12,\)"):
        forward(logits.reshape(-1), labels)
    with pytest.raises(ValueError, match=r"C >= 1, got \(4, 0\)"):
        forward(logits[:, :0], labels)
    with pytest.raises(ValueError, match=r"labels of shape \(4,\), got \(3,\)"):
        forward(logits, labels[:3])
    with pytest.raises(ValueError, match=r"weight of shape \(3,\), got \(2,\)"):
        forward(logits, labels, weight[:2])
    with pytest.raises(ValueError, match="reduction 'mean', 'sum' or 'none', got 'average'"):
        forward(logits, labels, reduction="average")
    for smoothing in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="label_smoothing from 0 to 1, got"):
            forward(logits, labels, label_smoothing=smoothing)
    _, saved = forward(logits, labels, reduction="none")
    with pytest.raises(ValueError, match=r"dloss of shape \(4,\), got \(\)"):
        backward(np.ones((), np.float32), saved)
    with pytest.raises(TypeError, match="dloss of float32 like the rest, got float64"):
        backward(np.ones(4), saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_against_pytorch(torch, dtype, tolerance, reduction, label_smoothing, weighted):
    logits, labels, weight = inputs((13, 10), dtype)
    options = {"label_smoothing": label_smoothing, "reduction": reduction}
    loss, saved = softmax_cross_entropy.forward(
        logits, labels, weight if weighted else None, **options
    )
    dloss = np.asarray(np.random.default_rng(1).normal(0, 1, loss.shape), dtype)
    leaf = torch.tensor(logits, requires_grad=True)
    torch_loss = torch.nn.functional.cross_entropy(
        leaf, torch.tensor(labels), torch.tensor(weight) if weighted else None, **options
    )
    torch_loss.backward(torch.tensor(dloss))
    assert_close(loss, torch_loss.detach().numpy(), tolerance)
    assert_close(softmax_cross_entropy.backward(dloss, saved), leaf.grad.numpy(), tolerance)
