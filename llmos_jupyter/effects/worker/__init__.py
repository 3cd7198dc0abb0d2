"""Where a fork is unsafe or not there, code runs in a fresh process, which is given copies of the variables it reads.

Both directions use the one table of kinds. The kernel numbers every object that it describes (`sending`); the worker
builds them, runs the code and describes its effects (`receiving`), and speaks of the kernel's objects by their numbers;
the kernel commits to its own objects. `process` is the kernel's side of the worker's life, `__main__` the worker's.
"""
