"""Text and pairs of texts: data sets, readers and vocabularies."""
