"""llmos-jupyter: an LLM operating system for Jupyter. `%load_ext llmos_jupyter` registers the magics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmos_jupyter._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["__version__", "ask", "submit"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `%load_ext` must stay cheap.
    if name in ("ask", "submit"):
        from llmos_jupyter.session import tasks

        return getattr(tasks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by `%load_ext llmos_jupyter`."""
    from llmos_jupyter.session.magics import register

    register(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Asked by Jupyter Server: where the side panel's proxy is."""
    return [{"module": "llmos_jupyter.server_extension"}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Asked by JupyterLab: where the side panel is, and under which name."""
    return [{"src": "labextension", "dest": "llmos-jupyter"}]
