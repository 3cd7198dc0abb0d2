"""Every task's requests in other words: regression tests; all of them have been looked at."""
