"""What belongs to the process rather than to a name, and does not come home: a run that changes it is asked about.

Each part is a plain value that is cheap to ask for. What libraries change as they are used, as their work for the
kernel's end, counts only where the code speaks of it.
"""

from __future__ import annotations

import abc
import atexit
import builtins
import contextlib
import copyreg
import csv
import gc
import locale
import logging
import os
import re
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.objects.layout import library_module

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MAIN = ("__main__", "__mp_main__")
# Stands for the part of a library that is not imported.
ABSENT = object()
_UNTOUCHED = frozenset({"_", "__"})  # what gettext and IPython put among the builtins


def process_state(code: str, shell: InteractiveShell) -> dict[str, Any]:
    """By the words in which a change is told, what the process has."""
    found: dict[str, Any] = {}
    for name, get in _PARTS.items():
        found[name] = _asked(get)
    for words, parts in _SPOKEN_OF.items():
        if re.search(words, code):
            found |= {name: _asked(get) for name, get in parts.items()}
    if re.search("for_type|formatters|init_printing|type_printers", code):
        found["how IPython shows types"] = _asked(lambda: _printers(shell))
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The words for what differs. What a library brings along when it is first imported is no change."""
    return [name for name, part in after.items() if before[name] is not ABSENT and part != before[name]]


def _asked(get: Callable[[], Any]) -> Any:
    with contextlib.suppress(Exception):  # of a library that is not imported, or half
        return get()
    return ABSENT


def _root_logger() -> list[Any]:
    root = logging.getLogger()
    return [root.level, list(map(id, root.handlers)), list(map(id, root.filters)), root.manager.disable]


def _logger_parts() -> dict[str, Any]:
    """What loggers have beside their levels, which come home."""
    loggers = dict(logging.getLogger().manager.loggerDict)
    return {
        name: [list(map(id, logger.handlers)), list(map(id, logger.filters)), logger.propagate, logger.disabled]
        for name, logger in loggers.items()
        if isinstance(logger, logging.Logger) and (logger.handlers or logger.filters or not logger.propagate)
    }


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _limits() -> list[Any]:
    import resource

    return [resource.getrlimit(limit) for limit in range(16)]


def _tracing() -> bool:
    tracemalloc = sys.modules.get("tracemalloc")
    return tracemalloc is not None and tracemalloc.is_tracing()


def _made_modules() -> list[str]:
    """Modules that code put there by hand: they came from no file and belong to no library."""
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if getattr(module, "__spec__", None) is None
        and not library_module(name)
        and name not in ("__main__", "__mp_main__")
    )


def _start_method() -> Any:
    context = sys.modules.get("multiprocessing.context")
    return None if context is None else context._default_context._actual_context


def _accessors() -> list[Any]:
    pd = sys.modules["pandas"]
    return [sorted(cls._accessors) for cls in (pd.DataFrame, pd.Series, pd.Index)]


def _printers(shell: InteractiveShell) -> list[Any]:
    formatters = shell.display_formatter.formatters.values()
    return [[id(printer) for printer in formatter.type_printers.values()] for formatter in formatters] + [
        sorted(map(str, formatter.deferred_printers)) for formatter in formatters
    ]


def _addresses(held: dict[Any, Any]) -> list[int]:
    return list(map(id, held.values()))


def _mime_types() -> Any:
    db = sys.modules["mimetypes"]._db
    return ABSENT if db is None else [dict(part) for part in db.types_map]  # filled when it is first asked


_PARTS: dict[str, Callable[[], Any]] = {
    "the root logger": _root_logger,
    "plotly's renderer": lambda: sys.modules["plotly.io"].renderers._default_name,
    "the locale": lambda: locale.setlocale(locale.LC_ALL),
    "the garbage collector": lambda: [gc.get_threshold(), list(map(id, gc.callbacks)), gc.get_debug()],
    "numpy's error callback": lambda: id(np.geterrcall()),
    "numpy's buffer size": np.getbufsize,
    "the builtins": lambda: sorted(vars(builtins).keys() - _UNTOUCHED),
    "the modules made by hand": _made_modules,
    "the rights of new files (umask)": _umask,
    "the limits of the process": _limits,
    "the interval between threads": sys.getswitchinterval,
    "the digits of whole numbers": lambda: getattr(sys, "get_int_max_str_digits", int)(),
    "the prompt (sys.ps1)": lambda: str(getattr(sys, "ps1", "")),
    "the length of tracebacks": lambda: getattr(sys, "tracebacklimit", None),
    "the time limit of sockets": socket.getdefaulttimeout,
    "the stack size of threads": threading.stack_size,
    "the tracing of memory": _tracing,
    "how CSV is read": lambda: [sorted(csv.list_dialects()), csv.field_size_limit()],
    "the time zone": lambda: time.tzname,
    "pandas' accessors": _accessors,
    "matplotlib's colour maps": lambda: len(sys.modules["matplotlib"].colormaps),
}
# By words of the code, what only counts where these stand in it.
_SPOKEN_OF: dict[str, dict[str, Callable[[], Any]]] = {
    "atexit|finalize": {"what runs at the kernel's end": atexit._ncallbacks},
    r"\bgc\b": {"whether garbage is collected": gc.isenabled},
    "register|pickle": {
        "how objects are pickled": lambda: [
            len(copyreg.dispatch_table),
            list(map(id, copyreg.dispatch_table.values())),
        ],
        "how sqlite3 writes values": lambda: [
            list(map(id, held.values())) for held in (sqlite3.adapters, sqlite3.converters)
        ],
        "what abstract classes take in": abc.get_cache_token,
    },
    "set_start_method": {"how processes are started": _start_method},
    "Handler|Filter|propagate|logging.config": {"what loggers write to": _logger_parts},
    "addLevelName": {"the names of levels": lambda: dict(logging._levelToName)},
    "mimetypes": {"the types of files": _mime_types},
    "units|converters": {"matplotlib's units": lambda: _addresses(sys.modules["matplotlib.units"].registry)},
}
