"""A warm training step asks the operating system for nothing; peaks stay below PyTorch's."""

import functools
import sys

import pytest

from bench import memory_use
from bench.training_step import MNIST_CNN, RESNET20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

measured = functools.cache(memory_use.measure)
over_trainings = pytest.mark.parametrize("training", [MNIST_CNN, RESNET20], ids=lambda t: t.name)


@over_trainings
def test_a_warm_step_faults_in_no_pages(training):
    assert measured(training, "nnet").faults < 20


@over_trainings
def test_the_peak_is_at_most_pytorchs(training):
    pytest.importorskip("torch")
    ours, theirs = measured(training, "nnet"), measured(training, "torch")
    for library, memory in (("nnet", ours), ("torch", theirs)):
        print(f"{training.name} {library}: {memory}")
    assert ours.peak <= theirs.peak
