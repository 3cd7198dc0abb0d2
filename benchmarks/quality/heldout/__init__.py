"""Tasks about other data than the development set's, written apart from it. Nothing is tuned on these."""
