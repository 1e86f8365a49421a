"""Convolutions, transposed ones, and padding."""
