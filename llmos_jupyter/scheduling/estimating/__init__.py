"""How long things are expected to take, learned from what they took."""
