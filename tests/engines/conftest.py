"""Fixtures of the tests of catalogue, download and selection."""

from tests.engines.tiny_hub import model_home, site, tiny, wheels

__all__ = ["model_home", "site", "tiny", "wheels"]
