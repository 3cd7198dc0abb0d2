"""Every number of docs/measured.md: `python -m benchmarks.NAME` prints a table, then one JSON object."""
