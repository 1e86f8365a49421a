"""Measurements of every op: against NumPy (`make bench`) and PyTorch (`make peers`)."""
