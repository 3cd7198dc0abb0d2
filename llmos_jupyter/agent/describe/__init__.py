"""The live variables in words, for a small language model."""
