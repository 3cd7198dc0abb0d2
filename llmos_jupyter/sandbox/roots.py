"""Which files all code may read: those of the notebook's folder, of Python and its libraries, of the system.

What decides that (the working directory, the environment, the search path) code can change. So it is looked at once
for each notebook, when the extension is loaded, and never again.
"""

from __future__ import annotations

import os
import site
import stat
import sys
import sysconfig
import tempfile
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Read by the C library, by Python's own modules and by psutil, and secret to nobody.
_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/opt", "/sys/devices", "/sys/bus", "/sys/class", "/sys/block", "/sys/module",
    "/sys/fs/cgroup", "/sys/kernel/mm", "/sys/hypervisor", "/proc/sys", "/proc/driver",
    "/System/Library", "/Library/Fonts", "/nix/store", "/gnu/store", "/run/current-system/sw", "/snap",
    "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/apache2/mime.types", "/etc/httpd/mime.types",
    "/etc/resolv.conf", "/run/systemd/resolve", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/services",
    "/etc/protocols", "/etc/gai.conf", "/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust", "/etc/crypto-policies", "/etc/os-release", "/etc/lsb-release", "/etc/debian_version",
    "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/alternatives",
    "/etc/terminfo", "/etc/inputrc", "/etc/ipython", "/etc/jupyter", "/etc/matplotlibrc", "/etc/hostname",
    "/etc/OpenCL", "/etc/vulkan", "/etc/glvnd", "/etc/openmpi", "/etc/papersize", "/etc/magic",
    "/etc/machine-id", "/etc/locale.alias", "/etc/locale.conf", "/etc/default/locale",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")
_RANDOM = ("/dev/random", "/dev/urandom")
_IN_PROC = (
    "cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems", "mounts", "diskstats", "vmstat",
    "devices", "swaps", "partitions", "interrupts",
)  # fmt: skip
# Of the process itself; the sandbox reads its own, which holds no more than its memory does.
_SECRET_OF_PROCESS = frozenset({"environ", "mem", "clear_refs", "auxv"})
# What programs need that a shell starts.
_OF_PROGRAMS = (
    "/bin", "/sbin", "/proc", "/etc/passwd", "/etc/group", "/etc/profile", "/etc/profile.d", "/etc/bash.bashrc",
    "/etc/gitconfig", "/etc/environment", "/etc/shells",
)  # fmt: skip
# In the home folder: fonts, and where libraries keep the data sets and models that they fetched.
_IN_HOME = (
    ".fonts", ".local/share/fonts", "Library/Fonts", ".ipython/extensions", ".ipython/profile_default/startup",
    ".terminfo", ".inputrc", "scikit_learn_data", "seaborn-data", "statsmodels_data", "nltk_data",
    ".keras/datasets", ".keras/models", ".keras/keras.json", ".vega_datasets",
)  # fmt: skip
_IN_CACHE = ("seaborn", "torch/hub", "huggingface/hub", "huggingface/datasets", "huggingface/modules", "uv/archive-v0")
_BY_VARIABLE = (
    "SCIKIT_LEARN_DATA",
    "SEABORN_DATA",
    "NLTK_DATA",
    "HF_HUB_CACHE",
    "HF_DATASETS_CACHE",
    "PYTHONPYCACHEPREFIX",
)


def beneath(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both must be real paths."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


@dataclass(frozen=True)
class Access:
    """What the lock leaves open beyond what all code may: real paths that may be read, and changed; the rest."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool = False
    processes: bool = False

    def may_read(self, path: str) -> bool:
        """Whether this real path was granted for reading; what may be changed may be read."""
        if any(beneath(path, folder) for folder in (*self.read, *self.write)):
            return True
        return self.processes and any(beneath(path, os.path.realpath(folder)) for folder in _OF_PROGRAMS)

    def may_write(self, path: str) -> bool:
        """Whether this real path was granted for changing."""
        return any(beneath(path, folder) for folder in self.write)

    def readable(self) -> list[str]:
        """The files and folders that the lock leaves readable for it."""
        return [*self.read, *(_OF_PROGRAMS if self.processes else ())]


@dataclass(frozen=True)
class Roots:
    """The files of one notebook that need nobody's yes. All are real paths."""

    notebook: str
    home: str
    temporary: str
    libraries: tuple[str, ...]
    # Where matplotlib and fontconfig keep their lists of fonts.
    caches: tuple[str, ...]
    # Folders too wide to be anybody's project: of them, only what lies in them directly.
    wide: frozenset[str] = field(default_factory=frozenset)
    _beneath_libraries: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _single: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_beneath_libraries", tuple(root.rstrip(os.sep) + os.sep for root in self.libraries))
        object.__setattr__(self, "_single", frozenset((*self.libraries, *DEVICES, *_RANDOM)))

    @classmethod
    def here(cls) -> Roots:
        """Those of this process as things stand now."""
        home = os.path.realpath(os.path.expanduser("~"))
        temporary = os.path.realpath(tempfile.gettempdir())
        # Such a root (Python installed in "/", a home on the path) would make everything ordinary.
        wide = frozenset({os.sep, temporary, *_parents(home)})
        caches = tuple(sorted({os.path.realpath(folder) for folder in _plot_caches(home)} - wide - {home}))
        found = {os.path.realpath(root) for root in [*_SYSTEM, *_python(), *_data(home)]} | set(caches)
        libraries = tuple(sorted(found - wide - {home}))
        return cls(os.path.realpath(os.getcwd()), home, temporary, libraries, caches, wide)

    def may_read(self, path: str, pid: int | None = None) -> bool:
        """Whether reading this real path is granted to all code. `pid`: of the process that reads, if not this one."""
        # This is asked of every file that a sandbox opens.
        if path.startswith(self._beneath_libraries) or path in self._single:
            return True
        if path.startswith("/proc/"):
            parts = path.split("/")[2:]
            if parts[0] == str(pid or os.getpid()):
                return pid is not None or parts[-1] not in _SECRET_OF_PROCESS
            return parts[0] in _IN_PROC and len(parts) == 1
        if not beneath(path, self.notebook):
            return False
        if self.notebook == self.home:
            return path == self.home or not os.path.relpath(path, self.home).startswith(".")
        return self.notebook not in self.wide or (os.path.dirname(path) == self.notebook and not os.path.isdir(path))

    def may_write(self, path: str) -> bool:
        """Whether writing this real path is no change of the user's files: devices without effect, caches."""
        if path in DEVICES:
            return True
        if path.startswith("/dev/shm/"):
            return os.path.basename(path).startswith(("joblib_memmapping_folder_", "loky-")) or "/joblib_mem" in path
        return any(beneath(path, cache) for cache in self.caches)

    def may_make(self, folder: str) -> bool:
        """Whether making this folder (a real path) is no change either: of a cache, or on the way to one."""
        return self.may_write(folder) or any(beneath(cache, folder) for cache in self.caches)

    def readable(self) -> list[str]:
        """The files and folders that the lock leaves readable, for the calling process."""
        found = [*self.libraries, *_RANDOM, f"/proc/{os.getpid()}", *(f"/proc/{name}" for name in _IN_PROC)]
        if self.notebook == self.home:
            return found + [path for path in _entries(self.home) if not os.path.basename(path).startswith(".")]
        if self.notebook in self.wide:
            return found + [path for path in _entries(self.notebook) if not os.path.isdir(path)]
        return [*found, self.notebook]

    def listable(self) -> list[str]:
        """Folders beneath which names may be listed, though not all of their files be read."""
        return [self.home] if self.notebook == self.home else []


_of_shells: weakref.WeakKeyDictionary[InteractiveShell, Roots] = weakref.WeakKeyDictionary()


def fix_roots(shell: InteractiveShell, roots: Roots | None = None) -> Roots:
    """Look now, for good: to be called when the extension is loaded into a notebook. `roots`: those of another process,
    for which this one works."""
    return _of_shells.setdefault(shell, roots or Roots.here())


def forget_roots(shell: InteractiveShell) -> None:
    """For a process that plays one notebook after another: the next look is taken anew, from the present folder."""
    _of_shells.pop(shell, None)


def roots_of(shell: InteractiveShell) -> Roots:
    """The roots of a notebook, as they were when it was first asked about."""
    return _of_shells.get(shell) or fix_roots(shell)


def _parents(folder: str) -> list[str]:
    found = []
    while (folder := os.path.dirname(folder)) not in found:
        found.append(folder)
    return found


def _entries(folder: str) -> list[str]:
    """Real files and folders directly in one; a link counts as what lies here, not as what it leads to."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if not stat.S_ISLNK(entry.stat(follow_symlinks=False).st_mode)]
    except OSError:
        return []


def _python() -> list[str]:
    """Python's own folders and whatever is on the search path, installed in place or not."""
    found = [*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages()]
    found += [path for path in sys.path if path and os.path.isabs(path)]
    found += [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if os.path.isabs(path)]
    for finder in sys.meta_path:  # packages installed in place: setuptools' finders hold a table of them
        table = getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", None)
        if isinstance(table, dict):
            found += [os.path.dirname(path) if path.endswith(".py") else path for path in table.values()]
    return found


def _data(home: str) -> list[str]:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    found = [os.path.join(home, name) for name in _IN_HOME] + [os.path.join(cache, name) for name in _IN_CACHE]
    if hub := os.environ.get("HF_HOME"):
        found += [os.path.join(hub, name) for name in ("hub", "datasets", "modules")]
    return found + [os.environ[name] for name in _BY_VARIABLE if os.environ.get(name)]


def _plot_caches(home: str) -> list[str]:
    """Source: the documentation of matplotlib.get_cachedir."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    folders = [os.path.join(cache, name) for name in ("matplotlib", "fontconfig")]
    folders += [os.path.join(settings, "matplotlib"), os.path.join(home, ".matplotlib"), "/var/cache/fontconfig"]
    if own := os.environ.get("MPLCONFIGDIR"):
        folders.append(own)
    return folders
