"""An administrator's caps on what the users of a machine may let answers do.

The strictest of all places that say something holds: the environment (`LLMOS_MAX_MODE`, `LLMOS_MAX_GRANTS`), the
shell's traitlets configuration (`c.LLMOS.max_mode`, `c.LLMOS.max_grants` in `ipython_config.py` or
`ipython_kernel_config.py`), and the system-wide ones among those files, which a user's own would otherwise override.
Like all that runs in the user's own process they guide honest users; they are no wall against the user.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS
from traitlets import TraitError, Unicode
from traitlets.config import Config, Configurable
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Capability, Mode

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MODES: tuple[Mode, ...] = ("show", "ask", "auto")  # the strictest first
GRANTABLE = {
    "read": Capability.READ_FILES,
    "write": Capability.WRITE_FILES,
    "network": Capability.NETWORK,
    "processes": Capability.PROCESSES,
    "install": Capability.INSTALL,
}
ALL = frozenset(GRANTABLE.values())


class LLMOS(Configurable):
    """The section `c.LLMOS` of `ipython_config.py` and `ipython_kernel_config.py`."""

    max_mode = Unicode("auto", help="the most permissive mode users may choose: auto, ask or show").tag(config=True)
    max_grants = Unicode(
        ",".join(GRANTABLE), help=f"what users may grant, comma-separated among {', '.join(GRANTABLE)}; or none"
    ).tag(config=True)


@dataclass(frozen=True)
class Caps:
    """The most that modes and grants may be. `faults` are sentences about values that could not be read; each of those
    counts as the strictest there is."""

    max_mode: Mode = "auto"
    grantable: frozenset[Capability] = ALL
    faults: tuple[str, ...] = ()

    @classmethod
    def load(cls, shell: InteractiveShell | None = None, environment: Mapping[str, str] | None = None) -> Caps:
        """The caps in force. Never raises: a value that cannot be read closes what it was meant to limit."""
        environment = os.environ if environment is None else environment
        modes: list[str | None] = [environment.get("LLMOS_MAX_MODE")]
        grants: list[str | None] = [environment.get("LLMOS_MAX_GRANTS")]
        faults: list[str] = []
        names = ["LLMOS_MAX_MODE in the environment", "LLMOS_MAX_GRANTS in the environment"]
        caps = cls()._stricter(modes[0], names[0], grants[0], names[1], faults)
        for config in _configs(shell):
            if "LLMOS" not in config:
                continue
            try:
                section = LLMOS(config=Config({"LLMOS": config["LLMOS"]}))
                mode, grant = section.max_mode, section.max_grants
            except (TraitError, TypeError, ValueError):
                mode = grant = "unreadable"
            caps = caps._stricter(mode, "c.LLMOS.max_mode", grant, "c.LLMOS.max_grants", faults)
        return cls(caps.max_mode, caps.grantable, tuple(dict.fromkeys(faults)))

    def _stricter(
        self, mode: str | None, mode_name: str, grants: str | None, grants_name: str, faults: list[str]
    ) -> Caps:
        strictest, grantable = self.max_mode, self.grantable
        if mode is not None:
            word = mode.strip().casefold()
            found = next((known for known in MODES if known == word), None)
            if found is None:
                said = f"{mode_name} must be auto, ask or show, not {mode[:200]!r}"
                faults.append(f"{said}: until it is mended, code is shown only.")
                found = "show"
            strictest = min(strictest, found, key=MODES.index)
        if grants is not None:
            words = {word.strip().casefold() for word in grants.split(",")} - {""}
            unknown = sorted(words - GRANTABLE.keys() - {"none"})
            if unknown or not words or ("none" in words and len(words) > 1):
                faults.append(
                    f"{grants_name} must be `none` or a list among {', '.join(GRANTABLE)}, not {grants[:200]!r}: "
                    "until it is mended, nothing can be granted."
                )
                words = set()
            grantable &= {GRANTABLE[word] for word in words - {"none"}}
        return Caps(strictest, grantable)

    def mode(self, wanted: Mode) -> Mode:
        """The mode in force when the user wants this one."""
        return min(wanted, self.max_mode, key=MODES.index)

    def permits(self, capability: Capability) -> bool:
        """Whether users may grant this at all; ending the kernel and asking for input are theirs each time."""
        return capability not in ALL or capability in self.grantable

    def demand(self, capability: Capability) -> None:
        """Raise LLMOSError, one sentence, if users may not grant this."""
        if not self.permits(capability):
            raise LLMOSError(self.refusal(capability))

    def refusal(self, capability: Capability) -> str:
        """Why this cannot be granted, as one sentence."""
        said = self.faults[0] if self.faults else "Run such code in a cell of your own, or ask the administrator."
        return f"This machine's administrator does not let answers {_VERBS[capability]}. {said}"

    def lines(self) -> list[str]:
        """What the caps take away, for `%llmos allowed`; empty if nothing."""
        closed = [name for name, capability in GRANTABLE.items() if capability not in self.grantable]
        lines = [f"at most {self.max_mode} mode (set by the administrator)"] if self.max_mode != "auto" else []
        lines += [f"never {', '.join(closed)} (set by the administrator)"] if closed else []
        return lines + list(self.faults)


_VERBS = {
    Capability.READ_FILES: "read files elsewhere",
    Capability.WRITE_FILES: "write files",
    Capability.NETWORK: "use the network",
    Capability.PROCESSES: "start processes",
    Capability.INSTALL: "install packages",
}


def _configs(shell: Any) -> Iterable[Mapping[str, Any]]:
    """The system-wide configurations, then those of the shell and of the applications above it."""
    for folder in dict.fromkeys([*SYSTEM_CONFIG_DIRS, *ENV_CONFIG_DIRS]):
        for name in ("ipython_config", "ipython_kernel_config"):
            yield from _file_configs(folder, name)
    seen = 0
    while shell is not None and seen < 5:
        config = getattr(shell, "config", None)
        if isinstance(config, Mapping):
            yield config
        shell, seen = getattr(shell, "parent", None), seen + 1


def _file_configs(folder: str, name: str) -> Iterable[Mapping[str, Any]]:
    for kind, loader in ((".py", PyFileConfigLoader), (".json", JSONFileConfigLoader)):
        path = os.path.join(folder, name + kind)
        try:
            with open(path, encoding="utf-8") as file:
                if "LLMOS" not in file.read():
                    continue
            yield loader(name + kind, path=folder).load_config()
        except FileNotFoundError:
            continue
        except Exception:  # a configuration is a program and may raise anything; a cap that cannot be read is closed
            yield Config({"LLMOS": {"max_mode": f"unreadable {path}", "max_grants": f"unreadable {path}"}})
