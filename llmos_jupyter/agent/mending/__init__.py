"""Repairs that need no model, where live data or a failed check of types say what is meant."""
