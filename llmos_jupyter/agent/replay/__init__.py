"""Answers recorded beside the notebook, given again while what they depend on is unchanged."""
