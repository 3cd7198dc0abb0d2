"""Secrets are found by form, by name or by the object that holds them, and masked before text leaves the kernel."""
