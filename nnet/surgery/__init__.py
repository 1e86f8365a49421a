"""What is given a model, and changes it."""
