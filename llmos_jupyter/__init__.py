"""llmos-jupyter: an LLM operating system for Jupyter. `%load_ext llmos_jupyter` registers the magics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `%load_ext` must stay cheap.
    if name in ("ask", "submit"):
        from llmos_jupyter import tasks

        return getattr(tasks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by `%load_ext llmos_jupyter`."""
    from llmos_jupyter.magics import register

    register(shell)
