"""Training in child processes: the parent's bits, and what becomes of its random numbers."""

import json
import subprocess
import sys
import textwrap

import pytest

START = """
    import hashlib
    import json
    import multiprocessing
    import os
    import warnings

    import numpy as np

    import nnet as nn
    import nnet.functional as F
    from nnet import models, optim

    # From Python 3.12 on, at every fork of a process with threads.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

    def train(seed):
        nn.manual_seed(seed)
        rng = np.random.default_rng(seed)
        model = models.MODELS["mnist_cnn"]()
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(2):
            optimizer.zero_grad()
            x = nn.tensor(rng.standard_normal((8, 1, 28, 28), np.float32))
            F.cross_entropy(model(x), nn.tensor(rng.integers(0, 10, 8))).backward()
            optimizer.step()
        weights = b"".join(p.numpy().tobytes() for p in model.state_dict().values())
        return hashlib.sha256(weights).hexdigest()

    def draw(_):
        return nn.rand(3).numpy().tolist()

    """


def run(script):
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(START) + textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return json.loads(process.stdout)


def test_a_pool_of_forked_children_trains_as_the_parent_does():
    expected, found = run(
        """
        expected = [train(seed) for seed in range(3)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            found = pool.map(train, range(3), chunksize=1)
        print(json.dumps([expected, found]))
        """
    )
    assert len(set(expected)) == 3
    assert found == expected


def test_the_parent_trains_on_while_children_evaluate():
    expected, (again, found) = run(
        """
        def probabilities(seed):
            return F.softmax(model(images[seed]), 1).numpy().tolist()

        nn.manual_seed(0)
        model = models.MODELS["mnist_cnn"]().eval()
        images = [nn.rand(2, 1, 28, 28) for _ in range(4)]
        trained = train(0)
        expected = [trained, [probabilities(seed) for seed in range(4)]]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            waiting = pool.map_async(probabilities, range(4), chunksize=1)
            again = train(0)
            found = waiting.get()
        print(json.dumps([expected, [again, found]]))
        """
    )
    assert [again, found] == expected


@pytest.mark.parametrize("kernels_ran", [False, True])
def test_forked_children_go_on_with_the_random_numbers_of_the_parent(kernels_ran):
    """Each the same, until it seeds its own."""
    children, parent, seeded = run(
        f"""
        def draw_seeded(seed):
            nn.manual_seed(seed)
            return draw(seed)

        if {kernels_ran}:
            train(0)
        nn.manual_seed(5)
        context = multiprocessing.get_context("fork")
        with context.Pool(1) as first, context.Pool(1) as second:
            children = [pool.map(draw, [0])[0] for pool in (first, second)]
            seeded = [pool.map(draw_seeded, [i])[0] for i, pool in enumerate((first, second))]
        print(json.dumps([children, draw(0), seeded]))
        """
    )
    assert children == [parent, parent]
    assert seeded[0] != seeded[1]
