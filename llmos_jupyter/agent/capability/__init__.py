"""What code wants to do outside the namespace, what the user granted, and an administrator's caps."""
