"""The sandbox's life: the fork of the kernel, its shell, its output, its refusals."""
