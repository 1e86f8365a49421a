"""A classifier of images."""

from .job import Settings as Settings
