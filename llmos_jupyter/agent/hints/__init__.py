"""What is said to the model after its code failed: the exception, the failing line, the live data."""
