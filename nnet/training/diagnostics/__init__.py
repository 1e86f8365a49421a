"""What watches a training and tells what went wrong."""
