"""Modes of recording against PyTorch's, step by step."""

import threading

import pytest

import nnet as nn

torch = pytest.importorskip("torch")


def as_function(t):
    yield t.set_grad_enabled(False) is not None and t.is_grad_enabled()
    yield (t.ones(1, requires_grad=True) * 2).requires_grad
    t.set_grad_enabled(True)
    yield t.is_grad_enabled()


def as_manager(t):
    with t.set_grad_enabled(False):
        yield t.is_grad_enabled()
        with t.set_grad_enabled(mode=True):
            yield (t.ones(1, requires_grad=True) * 2).requires_grad
        yield t.is_grad_enabled()
    yield t.is_grad_enabled()


def made_before(t):
    manager = t.set_grad_enabled(False)
    yield t.is_grad_enabled()
    with manager:
        yield t.is_grad_enabled()
    yield t.is_grad_enabled()


def within_no_grad(t):
    with t.no_grad():
        t.set_grad_enabled(True)
        yield t.is_grad_enabled()
    yield t.is_grad_enabled()


def set_inside(t):
    with t.set_grad_enabled(True):
        t.set_grad_enabled(False)
        yield t.is_grad_enabled()
    yield t.is_grad_enabled()


def decorators(t):
    @t.set_grad_enabled(False)
    def off():
        return t.is_grad_enabled()

    @t.no_grad
    def without():
        return t.is_grad_enabled()

    @t.inference_mode()
    def inferred():
        return t.is_grad_enabled()

    @t.inference_mode
    def bare(x, factor=1):
        """Says."""
        return (x * factor).requires_grad

    @t.no_grad
    def steps():
        yield t.is_grad_enabled()

    yield t.is_grad_enabled()
    yield off(), without(), inferred(), bare(t.ones(1, requires_grad=True), factor=2), off()
    yield bare.__name__, bare.__doc__, list(steps())
    yield t.is_grad_enabled()


def inference(t):
    x = t.ones(1, requires_grad=True)
    with t.inference_mode():
        yield t.is_grad_enabled(), (x * 2).requires_grad, (x * 2).is_leaf
    with t.no_grad(), t.inference_mode(False):
        yield t.is_grad_enabled(), (x * 2).requires_grad
    with t.inference_mode(mode=True), t.enable_grad():
        yield t.is_grad_enabled()
    yield t.is_grad_enabled()


def after_an_error(t):
    for mode in (t.set_grad_enabled(False), t.inference_mode()):
        try:
            with mode:
                raise ArithmeticError
        except ArithmeticError:
            yield t.is_grad_enabled()


@pytest.mark.parametrize(
    "steps",
    [
        *(as_function, as_manager, made_before, within_no_grad, set_inside, decorators, inference),
        after_an_error,
    ],
    ids=lambda steps: steps.__name__,
)
def test_modes_are_pytorchs(steps):
    assert list(steps(nn)) == list(steps(torch))
    assert nn.is_grad_enabled()


def test_it_holds_for_the_thread_alone():
    seen = []
    with nn.set_grad_enabled(False), nn.inference_mode():
        thread = threading.Thread(target=lambda: seen.append(nn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.fixture(autouse=True)
def keep_mode():
    yield
    nn.set_grad_enabled(True)
    torch.set_grad_enabled(True)
