"""Threads that wait actively begin at the same moment, so tasks that share an element collide.

Threads do so unless OMP_WAIT_POLICY says otherwise, as it does for the other tests; it is read
when they start, so this takes a process of its own. They wait shortly: on a busy machine a thread
that waits long only keeps the other from its work.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
import numpy as np
from kernels import (
    additive_score, attention, batch_norm, clip_norm, conv2d, embedding, group_norm,
    local_response_norm, matmul, maxout, pool2d, prelu, softmax, softmax_cross_entropy,
)
from kernels._jit import set_num_threads

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def labels_of(shape):
    return rng.integers(0, shape[1], (shape[0], *shape[2:]))


def there_and_back(op, *inputs, forward=None, backward=None, **options):
    forward, backward = forward or op.forward, backward or op.backward
    dy = normal(*forward(*inputs, **options)[0].shape)

    def run():
        y, saved = forward(*inputs, **options)
        return y, backward(dy, saved)

    return run


def bytes_of(results):
    if isinstance(results, tuple | list):
        return [data for result in results for data in bytes_of(result)]
    return [np.asarray(results).tobytes()]


# Just above where work is shared out; rows that are no multiple of a value's lanes.
works = {}
for shape, axis in (
    ((1000, 40), 0), ((500, 33), 0), ((497, 35), 0), ((300, 63), 0), ((60, 300), 0),
    ((17, 1000), 0), ((11, 100, 17), 1), ((3, 90, 70), 1), ((100, 5, 33), 1), ((67, 251), 1),
):
    for log in (False, True):
        work = there_and_back(softmax, normal(*shape), axis=axis, log=log)
        works[f"softmax of {shape} along {axis}, log={log}"] = work
for shape in ((1700, 10), (170, 101), (5, 17, 210)):
    given = normal(*shape), labels_of(shape)
    works[f"cross entropy of {shape}"] = lambda g=given: softmax_cross_entropy.forward(*g)[0]
for shape in ((77, 433), (5, 7, 991), (9, 17, 15, 15)):
    for op in (batch_norm, group_norm):
        given = normal(*shape), normal(shape[1]), normal(shape[1])
        works[f"{op.__name__} of {shape}"] = there_and_back(op, *given)
for m, depth, n in ((70, 60, 100), (130, 90, 50), (300, 64, 70), (33, 513, 113), (900, 40, 64)):
    given = normal(m, depth), normal(depth, n)
    works[f"product of {m} x {depth} x {n}"] = there_and_back(matmul, *given)
for x, filters, options in (
    ((5, 17, 14, 13), (33, 17, 3, 3), {"padding": (1, 1)}),
    ((3, 5, 21, 19), (7, 5, 3, 3), {"stride": (2, 2)}),
    ((3, 16, 17, 19), (16, 1, 3, 3), {"groups": 16, "padding": (1, 1)}),
    ((3, 16, 17, 19), (40, 16, 1, 1), {}),
):
    for algorithm in ("auto", "im2col"):
        given = normal(*x), normal(*filters), normal(filters[0])
        work = there_and_back(conv2d, *given, algorithm=algorithm, **options)
        works[f"conv2d {algorithm} of {x} and {filters}"] = work
for size, step in (((2, 2), (2, 2)), ((3, 3), (2, 2)), ((3, 2), (1, 3))):
    for kind in ("max", "average"):
        ways = {way: getattr(pool2d, f"{kind}_{way}") for way in ("forward", "backward")}
        work = there_and_back(pool2d, normal(7, 5, 31, 33), kernel_size=size, stride=step, **ways)
        works[f"{kind}_pool of {size} by {step}"] = work
works["prelu"] = there_and_back(prelu, normal(5, 7, 991), normal(7))
works["prelu of rows"] = there_and_back(prelu, normal(1000, 67), normal(67))
works["maxout"] = there_and_back(maxout, normal(67, 3, 251))
given = dict(size=3, alpha=1e-4, beta=0.75, k=1.0)
works["local_response_norm"] = there_and_back(local_response_norm, normal(3, 9, 391), **given)
works["attention"] = there_and_back(attention, *(normal(3, 3, 67, 20) for _ in range(3)))
given = normal(5, 17, 33), normal(5, 19, 33), normal(33)
works["additive_score"] = there_and_back(additive_score, *given)
given = rng.integers(0, 300, 900), normal(300, 67)
works["embedding"] = there_and_back(embedding, *given)
works["clip_norm"] = lambda x=normal(40_001): clip_norm.norm([x])

wrong = {}
for name, run in works.items():
    set_num_threads(1)
    expected = bytes_of(run())
    set_num_threads(2)
    count = sum(bytes_of(run()) != expected for _ in range(int(sys.argv[1])))
    if count:
        wrong[name] = count
print(json.dumps(wrong))
"""


def test_two_threads_that_wait_actively_give_the_bits_of_one():
    environment = {name: os.environ[name] for name in os.environ if name != "OMP_WAIT_POLICY"}
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, "30"],
        cwd=Path(__file__).parents[2],
        env=environment | {"NUMBA_NUM_THREADS": "2", "GOMP_SPINCOUNT": "300000"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(finished.stdout) == {}
