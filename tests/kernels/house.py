"""A small copy of the package `kernels` in a process of its own, with a cache of its own."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from kernels import _jit

KERNELS = Path(_jit.__file__).parent

# What ops stand on when they are compiled, kept and launched.
COPIED = ("_cache.py", "_jit.py", "_memory.py", "_threads.py", "_compiler/*.py")

# A package of two ops that share a helper, small enough to compile in a blink.
FILES = {
    "__init__.py": "",
    "_factor.py": "FACTOR = 2\n",
    "_of_part.py": "MORE = 3\n",
    "_unused.py": "",
    "_shared/__init__.py": "from kernels._shared.scaling import scaled\n",
    "_shared/scaling.py": """
        from kernels import _jit
        from kernels._factor import FACTOR

        @_jit.jit
        def scaled(v):
            return FACTOR * v
        """,
    "one/__init__.py": "",
    "one/cpu.py": """
        from kernels import _jit
        from kernels._shared import scaled

        @_jit.jit
        def run(x, out_y):
            for i in range(x.size):
                out_y[i] = scaled(x[i]) + 1
        """,
    "two/__init__.py": "",
    "two/_own.py": "MORE = 2\n",
    "two/cpu.py": """
        from .. import _jit
        from .._shared import scaled
        from ._own import MORE

        @_jit.jit
        def run(x, out_y):
            for i in range(x.size):
                out_y[i] = scaled(x[i]) + MORE
        """,
    "two/part/__init__.py": "",
    "two/part/cpu.py": """
        from ... import _jit
        from ..._of_part import MORE
        from ..._shared import scaled

        @_jit.jit
        def run(x, out_y):
            for i in range(x.size):
                out_y[i] = scaled(x[i]) + MORE
        """,
}

SCRIPT = """
    import json
    from pathlib import Path

    import numpy as np

    from kernels import _jit
    from kernels.one import cpu as one
    from kernels.two import cpu as two

    results = {"folders": [], "values": [], "misses": 0}
    for op in (one, two):
        out_y = np.empty(2)
        op.run(np.ones(2), out_y)
        results["values"].append(out_y[1])
        results["misses"] += sum(op.run.stats.cache_misses.values())
        if _jit.cache_folder():
            results["folders"].append(Path(op.run.stats.cache_path).name)
    print(json.dumps(results))
    """


class House:
    """A copy of the shared modules with ops of its own, and a cache of its own."""

    def __init__(self, folder):
        self.folder, self.cache = folder, folder / "cache"
        self.package = folder / "kernels"
        for path in (path for pattern in COPIED for path in KERNELS.glob(pattern)):
            self.write(path.relative_to(KERNELS), path.read_text())
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def edit(self, name, old, new):
        text = (self.package / name).read_text()
        assert old in text
        (self.package / name).write_text(text.replace(old, new))

    def start(self, script=SCRIPT, warnings="error", **environment):
        return subprocess.Popen(
            [sys.executable, "-W", warnings, "-c", textwrap.dedent(script)],
            cwd=self.folder,
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, process, seconds=300):
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # Its children hold the pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"not done in {seconds} s: {process.communicate()}") from None
        assert process.returncode == 0, errors
        return json.loads(output), errors

    def run(self, *args, seconds=300, **named):
        return self.finish(self.start(*args, **named), seconds)

    def cached(self):
        return sorted(path for path in self.cache.rglob("*") if path.is_file())

    def cached_ops(self):
        """Those of `one` and of `two`, without the helper's."""
        return [path for path in self.cached() if path.parent.name.startswith(("one-", "two-"))]
