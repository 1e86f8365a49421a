"""What pytest-benchmark records, and what a run without timing leaves out."""

import pytest

from bench.machine import describe_machine


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --benchmark-disable every call runs once: a smoke test, for which small cases do."""
    if not config.getoption("benchmark_disable", False):
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        callspec = getattr(item, "callspec", None)
        case = callspec.params.get("case") if callspec else None
        (kept if case is None or case.small else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict) -> None:
    machine_info["nnet"] = describe_machine()
