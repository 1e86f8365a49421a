"""Normalizations, by the batch and within a sample."""
