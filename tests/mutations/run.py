"""Plant faults in a copy of the tree and see whether the tests notice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kernels import runtime

from .mutation import ROOT, Mutation

# Longer than any of these tests takes with all its kernels to compile.
LIMIT_SECONDS = 900

_COPIED = "kernels", "nnet", "tests", "bench", "examples", "pyproject.toml", "README.md"

# A kernel that no longer compiles shows nothing about the tests.
_BROKEN = re.compile(
    r"TypingError|LoweringError|UnsupportedError|SyntaxError|NameError|UnboundLocalError"
)


class Outcome(NamedTuple):
    """How a run of tests ended: passed, failed, or broken: ended without having judged."""

    state: str
    detail: str


@contextmanager
def copied_tree() -> Iterator[tuple[Path, dict[str, str]]]:
    """A copy of the tree, and an environment in which its kernels have a cache of their own.

    The cache begins with hard links to what is compiled already, so that only what a fault
    touches is compiled anew, and the user's cache is not filled with faulty kernels.
    """
    with tempfile.TemporaryDirectory(prefix="nnet-mutations-") as folder:
        root = Path(folder) / "tree"
        root.mkdir()
        leave = shutil.ignore_patterns("__pycache__", "results")
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=leave)
            else:
                shutil.copy2(source, root / name)
        caches = Path(folder) / "cache"
        known = runtime.cache_folder()
        if known is not None and known.exists():
            shutil.copytree(known, caches / "nnet" / "kernels", copy_function=_link)
        environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(caches),
            "OMP_WAIT_POLICY": "passive",
        }
        yield root, environment


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:  # replaced just now by another process
        pass
    except OSError:
        shutil.copy2(source, target)


def run_tests(tests: Iterable[str], root: Path, environment: dict[str, str]) -> Outcome:
    """Run them, up to the first that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Outcome("broken", f"no end after {LIMIT_SECONDS} s")
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return Outcome("passed", "")
    reasons = re.findall(r"^E +(.*)$", done.stdout, re.MULTILINE)
    reason = reasons[0] if reasons else output.strip().rpartition("\n")[2]
    if done.returncode != 1 or not re.search(r"\b1 failed\b", done.stdout):
        return Outcome("broken", f"exit code {done.returncode}: {reason}")
    if _BROKEN.search(" ".join(reasons)):
        return Outcome("broken", reason)
    test = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return Outcome("failed", f"{test and test[1].rpartition('::')[2]}: {reason}")


def judge(mutations: Sequence[Mutation]) -> bool:
    """Print what becomes of each fault; whether all were caught."""
    stale = [mutation for mutation in mutations if mutation.found() != 1]
    for mutation in stale:
        print(f"STALE     {mutation.name}: {mutation.found()} times in {mutation.file}")
    ready = [mutation for mutation in mutations if mutation not in stale]
    caught = 0
    with copied_tree() as (root, environment):
        tests = dict.fromkeys(mutation.test for mutation in ready)
        clean = run_tests(tests, root, environment) if ready else Outcome("passed", "")
        if clean.state != "passed":
            print(f"the tests do not pass without a fault: {clean.detail}")
            return False
        for mutation in ready:
            start = time.monotonic()
            with mutation.planted(root):
                outcome = run_tests([mutation.test], root, environment)
            word = {"failed": "caught", "passed": "SURVIVED", "broken": "BROKEN"}[outcome.state]
            caught += word == "caught"
            seconds = time.monotonic() - start
            print(f"{word:9} {mutation.name} ({seconds:.0f} s) {outcome.detail[:120]}", flush=True)
    print(f"{caught} of {len(mutations)} caught, {len(stale)} stale")
    return caught == len(mutations)
