"""The table of faults cannot fall behind the code unseen; to plant them is `make mutations`."""

import re
import subprocess
import sys

import pytest

from tests.mutations import MUTATIONS
from tests.mutations.mutation import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_the_old_text_is_there_once_and_the_tests_exist(mutation):
    assert mutation.found() == 1
    assert mutation.new != mutation.old
    file, _, function = mutation.test.partition("::")
    name = function.partition("[")[0]
    assert name and re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.M)


def test_names_differ_and_there_are_enough():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert len({(mutation.file, mutation.old, mutation.new) for mutation in MUTATIONS}) >= 200
    assert sum(mutation.file.startswith("kernels/") for mutation in MUTATIONS) >= 45
    assert sum(mutation.file.startswith("nnet/") for mutation in MUTATIONS) >= 20


def test_the_command_lists_what_begins_with_a_name():
    command = [sys.executable, "-m", "tests.mutations", "--list", "--only", "matmul"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [mutation.name for mutation in MUTATIONS if mutation.name.startswith("matmul")]
    assert [line.split()[0] for line in listed.splitlines()] == names
