"""What NUMBA_CPU_FEATURES must be for kernels of 32-byte registers on a processor that has more.

python -m tests.narrow prints it, or nothing where there is nothing to switch off.
"""

from llvmlite import binding


def narrow_features(features: dict[str, bool]) -> str:
    """All features but those of AVX-512; empty if there are none of these."""
    if not features.get("avx512f"):
        return ""
    kept = {name: on and "avx512" not in name for name, on in features.items()}
    return ",".join(("+" if on else "-") + name for name, on in sorted(kept.items()))


if __name__ == "__main__":
    print(narrow_features(binding.get_host_cpu_features()))
