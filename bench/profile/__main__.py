"""Where the time goes, and how far it is from what the machine can do.

    python -m bench.profile                        # all of it
    python -m bench.profile kernels --ops conv2d   # the kernels that the cases of an op launch
    python -m bench.profile step                   # the kernels of a training step
    python -m bench.profile lines                  # its Python, on a batch of 2: less kernel
    python -m bench.profile overhead               # what Python costs around a tiny kernel
    python -m bench.profile scaling                # recurrent layers against steps and samples

"of bound" is the time that the counted flops take at the machine's peak, or the counted bytes
at the bandwidth of copying as many bytes, divided by the time measured. Copies of a size that
fits the cache run from the cache, so small kernels are held to its speed.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter

from bench.cases import CASES
from bench.machine import describe_machine, pinned
from bench.profile import overhead, peaks, scaling
from bench.profile.lines import profile_lines
from bench.profile.recorder import Launches, record
from bench.report import describe, markdown_table, milliseconds, significant
from bench.training_step import MNIST_CNN

SECTIONS = ("peaks", "kernels", "step", "lines", "overhead", "scaling")

# The least that batch normalization takes: kernels have little to do, Python as much as ever.
LEAST_BATCH = 2
HEADER = ["kernel", "calls", "ms", "GFLOP/s", "GB/s", "of bound %"]


def row(name: str, launches: Launches, rounds: int) -> list[str]:
    """A kernel's part in one round."""
    seconds, work = launches.seconds / rounds, launches.work
    bound = peaks.bound_of_launches([launches]) / rounds
    return [
        name,
        significant(launches.calls / rounds),
        milliseconds(seconds),
        significant(work.flops / launches.seconds / 1e9) if work.flops else "",
        significant(work.bytes / launches.seconds / 1e9),
        f"{100 * bound / seconds:.0f}",
    ]


def print_peaks() -> None:
    rows = [["multiply-adds from L1", f"{peaks.flops_a_second() / 1e9:.0f} GFLOP/s"]]
    for size in (1, 16, 256):
        speed = peaks.bytes_a_second(size << 20)
        rows.append([f"copies within {size} MiB", f"{significant(speed / 1e9)} GB/s"])
    print(markdown_table(["peak", "speed"], rows), "\n", flush=True)


def print_kernels(ops: list[str], rounds: int, small: bool) -> None:
    for op in ops:
        rows = []
        for case in CASES[op]:
            if small and not case.small:
                continue
            call = case.call("nnet", case.directions[-1])
            for name, launches in record(call, rounds).items():
                rows.append([case.name, *row(name, launches, rounds)])
        print(f"**{op}**\n\n{markdown_table(['case', *HEADER], rows)}\n", flush=True)


def print_step(batch: int, rounds: int) -> None:
    _, step = MNIST_CNN.in_nnet(batch)
    step()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        step()
        times.append(perf_counter() - start)
    whole = median(times)
    launches = record(step, rounds)
    inside = sum(launched.seconds for launched in launches.values()) / rounds
    by_time = sorted(launches.items(), key=lambda item: -item[1].seconds)
    rows = [
        [*row(name, launched, rounds), f"{100 * launched.seconds / rounds / whole:.1f}"]
        for name, launched in by_time
    ]
    rest = max(0.0, whole - inside)
    rows.append(["Python", "", milliseconds(rest), "", "", "", f"{100 * rest / whole:.1f}"])
    print(f"**training step**, batch {batch}: {milliseconds(whole)} ms\n")
    print(markdown_table([*HEADER, "of step %"], rows), "\n", flush=True)


def print_lines(batch: int, rounds: int) -> None:
    _, step = MNIST_CNN.in_nnet(batch)
    print(f"**Python of a training step**, batch {batch}\n")
    print(profile_lines(step, rounds, top=40), "\n", flush=True)


def print_overhead(rounds: int) -> None:
    print(f"**Python of a call**\n\n{overhead.table(rounds)}\n", flush=True)


def print_scaling(rounds: int) -> None:
    print(f"**Cost of recurrent layers**\n\n{scaling.table(rounds)}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--ops", nargs="+", choices=CASES, default=list(CASES), metavar="OP")
    parser.add_argument("--small", action="store_true", help="only the cases that tests use")
    parser.add_argument("--batch", type=int, metavar="N", help="samples in a step")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    sections = options.sections or SECTIONS
    if unknown := set(sections) - set(SECTIONS):
        expected = ", ".join(SECTIONS)
        parser.error(f"expected sections among {expected}, got {', '.join(sorted(unknown))}")
    print(describe(describe_machine()), "\n", flush=True)
    with pinned():
        if "peaks" in sections:
            print_peaks()
        if "kernels" in sections:
            print_kernels(options.ops, options.rounds, options.small)
        if "step" in sections:
            print_step(options.batch or MNIST_CNN.shape[0], options.rounds)
        if "lines" in sections:
            print_lines(options.batch or LEAST_BATCH, options.rounds)
        if "overhead" in sections:
            print_overhead(options.rounds)
        if "scaling" in sections:
            print_scaling(options.rounds)


if __name__ == "__main__":
    main()
