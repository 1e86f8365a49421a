"""What is given a model, and tells about it."""
