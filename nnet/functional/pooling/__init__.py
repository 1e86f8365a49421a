"""Pooling of images and series."""
