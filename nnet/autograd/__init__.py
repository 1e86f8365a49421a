"""Arrays with gradients: the tensor, the tape, and what tensors do."""
