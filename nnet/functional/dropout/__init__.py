"""Dropout of units and of weights."""
