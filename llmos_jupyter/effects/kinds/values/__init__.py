"""Python's own objects: numbers, texts, times, containers, iterators, instances, and what the standard library adds."""
