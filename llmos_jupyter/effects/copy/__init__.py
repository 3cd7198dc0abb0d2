"""The copy of the kernel in which code runs: its fork, its shell, what it is refused, what it comes to."""
