"""Fixtures of the tests of catalogue, download and selection."""

from tests.engines.tiny_hub import home, site, tiny, wheels

__all__ = ["home", "site", "tiny", "wheels"]
