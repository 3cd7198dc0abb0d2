"""The lock of the sandbox and of the workers: what code may reach outside its process, held by the Linux kernel."""
