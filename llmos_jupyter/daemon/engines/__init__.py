"""The models that are loaded: which, in how much memory, and who uses them."""
