"""What all tests share."""

import os

# Results are compared on 1, 2 and 3 threads whatever the cores; Numba reads this when it is loaded.
os.environ["NUMBA_NUM_THREADS"] = "3"

import pytest
from hypothesis import settings

from kernels import runtime

# But for these comparisons, no more threads than cores.
runtime.set_num_threads(min(runtime.get_num_threads(), os.cpu_count() or 1))

# Derandomized: a test that fails once fails again. No deadline: the first example compiles.
settings.register_profile("nnet", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("nnet")


@pytest.fixture(autouse=True)
def keep_thread_count():
    """A test may change the number of threads without telling the next one."""
    count = runtime.get_num_threads()
    yield
    runtime.set_num_threads(count)
