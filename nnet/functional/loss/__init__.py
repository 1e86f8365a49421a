"""Losses of classes and of values."""
