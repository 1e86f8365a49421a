"""From one sequence to another."""

from .job import Settings as Settings
