"""A classifier of series of different lengths."""

from .job import Settings as Settings
