"""The lock of the sandbox and of the workers: what code may reach outside the process, by the Linux kernel's own means."""
