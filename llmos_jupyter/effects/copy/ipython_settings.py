"""What magics set in IPython itself. None of it comes home: the shell is the kernel's, and a run's copy of it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_DEFAULTS = ", as they are without a choice"
_PLAIN = (bool, int, float, str, set, type(None))


def settings(shell: InteractiveShell) -> dict[str, Any]:
    """By name, what `%load_ext`, `%alias`, and `%config`, `%xmode`, `%precision` and their like set."""
    found: dict[str, Any] = {
        "IPython's extensions": sorted(shell.extension_manager.loaded),
        "IPython's aliases": sorted(map(str, shell.alias_manager.aliases)),
        "IPython's magics": [sorted(held) for held in shell.magics_manager.magics.values()],
        "IPython's visited folders": list(shell.dir_stack),
        "IPython's ways to show errors": [shell.InteractiveTB.mode, bool(shell.call_pdb)],
    }
    for part in _configurables(shell):
        name = f"the settings of IPython's {type(part).__name__}"
        found[name] = _plain(part.trait_values(config=True))
        found.setdefault(f"{name}{_DEFAULTS}", _plain(part.trait_defaults(config=True)))
    return found


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The names of what is different. What was not there before, as its library had not been used, is compared with
    what it is without a choice."""
    return [
        name
        for name, value in now.items()
        if not name.endswith(_DEFAULTS) and value != before.get(name, now.get(f"{name}{_DEFAULTS}"))
    ]


def _configurables(shell: InteractiveShell) -> Iterator[Any]:
    yield shell
    yield shell.magics_manager
    yield shell.display_formatter.formatters["text/plain"]
    for part in shell.configurables:
        if type(part).__name__ == "InlineBackend":
            yield part


def _plain(held: dict[str, Any]) -> dict[str, str]:
    """Values as texts, of those traits that hold plain ones."""
    return {name: repr(value) for name, value in held.items() if isinstance(value, _PLAIN)}
