"""Errors meant for users: one sentence that says what to do. The cause goes to the log."""

from __future__ import annotations


class LLMOSError(Exception):
    """Something the user can act on. `str(error)` is one complete sentence with its remedy."""
