"""Every number the README claims: `python -m benchmarks.NAME` prints a table, then one JSON object."""
