"""Where a notebook's recorded answers lie: decided once, before an answer can run, and never by what one leaves behind.

An answer may change the environment, the working folder and the namespace, all of which say where the notebook is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from llmos_jupyter import paths

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class Place(NamedTuple):
    """`notebook`: its own file, None if the front end does not tell; `signatures`: the folder of what vouches for the
    recording."""

    notebook: Path | None
    recording: Path
    signatures: Path


_places: WeakKeyDictionary[InteractiveShell, Place] = WeakKeyDictionary()


def fix_place(shell: InteractiveShell) -> None:
    """Called by `%load_ext`; fixes the user's folders as well. Where nothing names the notebook yet (VS Code may tell
    it after the extension was loaded at the kernel's start) the place is fixed at the first use of a magic."""
    if hasattr(shell, "kernel") or hasattr(shell, "pt_app"):  # a program of its own, and no shell inside another one
        paths.fix()
    if shell not in _places and (os.environ.get("LLMOS_REPLAY") or _notebook(shell)):
        place_of(shell)


def place_of(shell: InteractiveShell) -> Place:
    """The place, fixed now if it was not before."""
    if shell not in _places:
        notebook = _notebook(shell)
        _places[shell] = Place(notebook, _recording(notebook), paths.data_dir().absolute())
    return _places[shell]


def notebook_file(shell: InteractiveShell) -> Path | None:
    """The notebook's own file; None if the front end does not tell it."""
    return place_of(shell).notebook


def recording_file(shell: InteractiveShell) -> Path:
    """`LLMOS_REPLAY` if it is set; `name.llmos.json` beside `name.ipynb`; else `llmos-replay.json` in the working
    folder, as under nbclient and papermill, which do not say which notebook they run.
    """
    return place_of(shell).recording


def recording_beside(notebook: Path) -> Path:
    return notebook.with_suffix(".llmos.json")


def _notebook(shell: InteractiveShell) -> Path | None:
    """VS Code leaves the path in the namespace; Jupyter's servers put it into JPY_SESSION_NAME: in full, from the
    server's root (the kernel works in the notebook's folder), or the name alone.
    """
    told = shell.user_ns.get("__vsc_ipynb_file__")
    if not isinstance(told, str):
        told = os.environ.get("JPY_SESSION_NAME", "")
    if "\0" in told or not Path(told).suffix:  # a console, or nothing
        return None
    path = Path(told).expanduser()
    here = Path.cwd()
    if path.is_absolute():
        return path
    for folder in (here, *here.parents):
        if (folder / path).is_file():
            return folder / path
    return here / path.name


def _recording(notebook: Path | None) -> Path:
    if chosen := os.environ.get("LLMOS_REPLAY"):
        return Path(chosen).expanduser().absolute()
    return recording_beside(notebook) if notebook else Path.cwd() / "llmos-replay.json"
