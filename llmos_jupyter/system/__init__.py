"""What is asked of the operating system: cores and memory, processes, files that only the user may read."""
