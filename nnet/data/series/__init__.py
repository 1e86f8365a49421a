"""Series of measurements: data sets and readers."""
