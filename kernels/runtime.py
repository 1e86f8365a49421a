"""Where kernels run and are kept: threads, their layer, the folder of what is compiled.

For those who call kernels. What kernels are made with is in `_jit`.
"""

from kernels._cache import cache_folder
from kernels._jit import threading_layer
from kernels._threads import get_num_threads, set_num_threads, thread_rows

__all__ = [
    "cache_folder",
    "get_num_threads",
    "set_num_threads",
    "thread_rows",
    "threading_layer",
]
