"""What a process does to become a sandbox: what it inherits, what it prints, where it may work."""
