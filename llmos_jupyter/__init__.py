"""llmos-jupyter: an LLM operating system for Jupyter. `%load_ext llmos_jupyter` registers the magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by `%load_ext llmos_jupyter`."""
    from llmos_jupyter.magics import register

    register(shell)
