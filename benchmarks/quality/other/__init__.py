"""Tasks about other data than those of `dev`, written apart from them: regression tests; all have been looked at."""
