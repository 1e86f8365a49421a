"""The same bits while threads really collide: they wait actively, and are many."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.races import collide
from tests.races.calls import CALLS


@pytest.fixture(scope="module")
def report():
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    environment["NUMBA_NUM_THREADS"] = str(max(collide.THREADS))
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.races.collide"],
        cwd=Path(__file__).parents[2],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(finished.stdout)


def test_threads_that_collide_change_no_bit(report):
    assert not report["wrong"]


def test_scratch_for_more_threads_changes_no_bit(report):
    assert report["digests"] == {name: collide.alone(name) for name in CALLS}
