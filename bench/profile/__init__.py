"""Where the time of kernels and of a training step goes: `python -m bench.profile`."""
