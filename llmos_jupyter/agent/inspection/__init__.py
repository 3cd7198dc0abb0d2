"""The static check of a candidate against the live namespace."""
