"""Which files Python and its libraries touch for their own ends, and so need nobody's yes.

Importing a module reads it and may write its bytecode, a plot reads fonts, a date the zones' table. That is told apart
here from reading and writing of the user's files, by path alone.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
from types import FrameType
from typing import Any

# Read by the C library, by Python's own modules and by psutil, and secret to nobody.
_READABLE = (
    "/usr/share", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/share", "/lib", "/lib64", "/opt",
    "/sys/devices/system", "/sys/fs/cgroup", "/sys/class", "/sys/kernel/mm", "/proc/sys",
    "/System/Library", "/Library/Fonts",
    "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/apache2/mime.types", "/etc/httpd/mime.types",
    "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols",
    "/etc/gai.conf", "/etc/ssl", "/etc/pki", "/etc/os-release", "/etc/fonts", "/etc/ld.so.cache", "/etc/ipython",
    "/etc/jupyter", "/etc/matplotlibrc", "/etc/debian_version", "/etc/lsb-release", "/etc/hostname",
    "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/shm",
)  # fmt: skip
_READABLE_IN_PROC = frozenset(
    ("cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems", "mounts", "diskstats", "vmstat")
)
_SECRET_OF_PROCESS = frozenset({"environ", "mem", "clear_refs", "auxv"})
# Small programs that the standard library, matplotlib and joblib (under scikit-learn) ask about the system.
_ASKING = {
    "platform": frozenset({"uname", "cmd", "ver"}),
    "matplotlib.font_manager": frozenset({"fc-list", "system_profiler"}),
    "joblib.externals.loky.backend.context": frozenset({"lscpu", "sysctl", "wmic", "powershell.exe"}),
}
_FINDING = frozenset({"ctypes.util"})
# Between the library that starts a program and the one who looks: Python's own modules, and ours.
_STARTING = frozenset({"subprocess", "os", "shutil", "llmos_jupyter"})
_DEVICES = frozenset({os.devnull, "/dev/zero", "/dev/full"})


class Ordinary:
    """The ordinary files of this process, as things stand now: made before a candidate runs, which may change them."""

    def __init__(self) -> None:
        self.working = os.path.realpath(os.getcwd())
        self.temporary = os.path.realpath(tempfile.gettempdir())
        self._pid = str(os.getpid())
        home = os.path.expanduser("~")
        self._caches = tuple(os.path.realpath(folder) for folder in _plot_caches(home))
        roots = [*_READABLE, *sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, site.getusersitepackages()]
        roots += [path for path in sys.path if path and os.path.isabs(path)]
        roots += [os.path.join(home, name) for name in (".fonts", ".local/share/fonts", "Library/Fonts", ".ipython")]
        found = {os.path.realpath(root) for root in roots} | set(self._caches)
        # Such a root (Python installed in "/", a home on the path) would make everything ordinary.
        wide = {os.sep, os.path.realpath(home), os.path.dirname(os.path.realpath(home))}
        self._roots = tuple(sorted(found - wide))

    def may_read(self, path: str) -> bool:
        """Whether reading this real path (no links in it) is granted to all code."""
        if beneath(path, self.working):
            return not self._private(path)
        if path.startswith("/proc/"):
            parts = path.split("/")[2:]
            if parts[0] == self._pid:
                return parts[-1] not in _SECRET_OF_PROCESS
            return parts[0] in _READABLE_IN_PROC or parts[0] == "sys"
        return any(beneath(path, root) for root in self._roots)

    def may_write(self, path: str) -> bool:
        """Whether writing this real path is no change of the user's files: devices without effect, caches."""
        if path in _DEVICES:
            return True
        if f"{os.sep}__pycache__{os.sep}" in path + os.sep and (path.endswith("__pycache__") or ".pyc" in path):
            return True
        if path.startswith("/dev/shm/"):
            return os.path.basename(path).startswith(("joblib_memmapping_folder_", "loky-")) or "/joblib_mem" in path
        return any(beneath(path, cache) for cache in self._caches)

    def may_make(self, folder: str) -> bool:
        """Whether making this folder (a real path) is no change either: of a cache, or on the way to one."""
        return self.may_write(folder) or any(beneath(cache, folder) for cache in self._caches)

    def _private(self, path: str) -> bool:
        """A notebook started in the home folder: what lies in its hidden folders (keys, tokens) is not its data."""
        home = os.path.realpath(os.path.expanduser("~"))
        if self.working != home or not beneath(path, home) or any(beneath(path, root) for root in self._roots):
            return False
        return os.path.relpath(path, home).startswith(".")


def beneath(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both must be real paths."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def asks_the_system(frame: FrameType | None, program: str) -> bool:
    """Whether a library, and not the candidate, starts one of the programs it asks about the system.

    `frame`: where the program is started, or any frame that this called.
    """
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _STARTING:
        frame = frame.f_back
    name = frame.f_globals.get("__name__") if frame is not None else None
    if frame is None or not isinstance(name, str) or frame.f_globals is not vars(sys.modules.get(name, sys)):
        return False
    return name in _FINDING or program in _ASKING.get(name, ())


def program_of(command: Any) -> str:
    """The name of the program of a command line, given as text or as words."""
    first = command[0] if isinstance(command, list | tuple) and command else command
    text = os.fsdecode(first) if isinstance(first, str | bytes | os.PathLike) else ""
    return os.path.basename(text.partition(" ")[0])


def _plot_caches(home: str) -> list[str]:
    """Where matplotlib and fontconfig keep their lists of fonts. Source: matplotlib.get_cachedir's documentation."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    folders = [os.path.join(cache, name) for name in ("matplotlib", "fontconfig")]
    folders += [os.path.join(settings, "matplotlib"), os.path.join(home, ".matplotlib"), "/var/cache/fontconfig"]
    if own := os.environ.get("MPLCONFIGDIR"):
        folders.append(own)
    return folders
