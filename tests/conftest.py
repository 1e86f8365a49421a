"""What all tests share."""

import pytest
from hypothesis import settings

from kernels import _jit

# Derandomized: a test that fails once fails again. No deadline: the first example compiles.
settings.register_profile("nnet", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("nnet")


@pytest.fixture(autouse=True)
def keep_thread_count():
    """A test may change the number of threads without telling the next one."""
    count = _jit.get_num_threads()
    yield
    _jit.set_num_threads(count)
