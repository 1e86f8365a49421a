"""A character language model."""

from .job import Settings as Settings
