"""Secrets are found by their form, their name or their column, and masked before text leaves the kernel."""
