"""The end of an answer: the chosen candidate runs, is committed, and can be undone."""
