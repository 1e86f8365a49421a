"""Images: data sets and readers."""
