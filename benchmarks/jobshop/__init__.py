"""The flexible job shop, a yardstick for the scheduler's plans: its own structure, tabu search, and the benchmark.

The product schedules no job shops: what is here is not in the package.
"""
