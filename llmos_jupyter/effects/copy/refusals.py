"""What the lock refused, in words, and whether that is why a candidate failed.

The lock answers system calls with EPERM; what was attempted (the path, the host, the command) is known from
Python's audit events, noted as they pass. They are no defence, only the story.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any
from urllib.parse import urlsplit

from llmos_jupyter.effects.copy.causes import OWN_FAULTS, chain_of, from_lock
from llmos_jupyter.protocol import Capability, Refusal
from llmos_jupyter.sandbox.calls import real_entry
from llmos_jupyter.sandbox.lock import Lock
from llmos_jupyter.sandbox.ordinary import asks_the_system, program_of
from llmos_jupyter.sandbox.other_calls import INSTALLING
from llmos_jupyter.sandbox.roots import Access, Roots, beneath

MOST = 20  # refusals reported
LONGEST = 200  # characters of one

_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.FileIO)

_OF_ENTRIES = frozenset({"delete", "rename", "link to", "make the folder"})  # a link is meant, not what it leads to

Place = tuple[CodeType, int]


class Quietly(PermissionError):
    """Refused to a library that does without; nobody is told."""


class Refusals:
    """Collects refusals, and sends each at once, so that none is lost if the process is."""

    def __init__(
        self,
        send: Callable[[Refusal], None],
        scratch: str,
        *,
        roots: Roots,
        access: Access,
        lock: Lock,
        open_files: dict[int, str],
    ) -> None:
        """`open_files`: those that were open for writing before the rehearsal, and no longer are."""
        self._send = send
        self._open_files = open_files
        self._users_fds: set[int] = set()
        self._scratch = os.path.realpath(scratch) if lock.writes_in_scratch else None
        self._seen: set[tuple[Capability, str]] = set()
        self._told: set[tuple[Capability, str]] = set()
        self._roots, self._access, self._lock = roots, access, lock
        self._silent: list[Refusal] = []  # told only where the code fails for it: libraries do without
        self._ports: set[object] = set()  # at which a host was named
        self._places: set[Place] = set()
        self._busy = False
        self.is_candidate: Callable[[str], bool] = lambda filename: False

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def may_start_processes(self) -> bool:
        return self._access.processes

    def note(self, capability: Capability, what: str, target: str = "") -> None:
        """Something was refused."""
        what = _short(what)
        if (place := self._place(sys._getframe(1))) is not None:
            self._places.add(place)
        if (capability, what) in self._seen or len(self._seen) >= MOST:
            return
        self._seen.add((capability, what))
        self._send(Refusal(capability=capability, what=what, target=target))

    def tell(self, capability: Capability, what: str, target: str = "") -> None:
        """Something was done that wants a yes, though the lock does not refuse it: no reason for a failure."""
        what = _short(what)
        if (capability, what) not in self._told and len(self._told) < MOST:
            self._told.add((capability, what))
            self._send(Refusal(capability=capability, what=what, target=target))

    def _place(self, frame: FrameType | None) -> Place | None:
        """The innermost line of the candidate that led here."""
        while frame is not None:
            if self.is_candidate(frame.f_code.co_filename):
                return frame.f_code, frame.f_lineno
            frame = frame.f_back
        return None

    # --- audit events -------------------------------------------------------------------------

    def listen(self) -> None:
        """Note audit events from now on, until the process ends: a hook cannot be taken away."""
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        handler = _EVENTS.get(event)
        if handler is None or self._busy:
            return
        self._busy = True
        try:
            handler(self, args)
        except Quietly:
            raise
        except Exception:  # an odd argument must not become an exception of the candidate's
            pass
        finally:
            self._busy = False

    def _write(self, verb: str, path: Any, folder: Any = -1) -> None:
        if isinstance(path, int):
            return
        name = os.path.expanduser(os.fsdecode(path)) if not isinstance(path, str) else path
        if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
            with contextlib.suppress(OSError):
                name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        real = real_entry(os.path.abspath(name)) if verb in _OF_ENTRIES else None
        real = real or os.path.realpath(name)
        if (self._scratch and beneath(real, self._scratch)) or self._access.may_write(real):
            return
        if not os.path.isdir(os.path.dirname(real)):
            return  # that folder is missed before the lock is
        if self._roots.may_write(real) or (verb == "make the folder" and self._roots.may_make(real)):
            self._silent.append(
                Refusal(capability=Capability.WRITE_FILES, what=f"{verb} {name}"[:LONGEST], target=real)
            )
            return
        self.note(Capability.WRITE_FILES, f"{verb} {name}", real)

    def _read(self, verb: str, path: Any) -> None:
        """What lies outside the roots; told of where the lock lets it be read, too."""
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path))
        own = self._scratch is not None and beneath(real, self._scratch)
        ordinary = self._roots.may_read(real, os.getpid() if self._lock.reads_are_limited else None)
        if not own and not ordinary and not self._access.may_read(real) and os.path.lexists(real):
            remember = self.note if self._lock.reads_are_limited else self.tell
            remember(Capability.READ_FILES, f"{verb} {real}", real)

    def on_open(self, args: tuple[Any, ...]) -> None:
        path, _, flags = args
        if isinstance(flags, int) and flags & _CHANGING:
            self._write("write", path)
        else:
            self._read("read", path)

    def on_rename(self, args: tuple[Any, ...]) -> None:
        source, target, source_folder, target_folder = args
        self.on_existing("rename", (source, source_folder))
        if os.path.lexists(source):
            self._write("write", target, target_folder)

    def on_existing(self, verb: str, args: tuple[Any, ...]) -> None:
        path = args[0]
        folder = args[-1]
        if isinstance(path, int) or (isinstance(folder, int) and folder >= 0) or os.path.lexists(path):
            self._write(verb, path, folder)

    def on_new(self, verb: str, args: tuple[Any, ...]) -> None:
        path = args[1] if verb == "link to" else args[0]
        if not os.path.lexists(path):
            self._write(verb, path)

    def on_sqlite(self, args: tuple[Any, ...]) -> None:
        name = os.fsdecode(args[0])
        if name in ("", ":memory:") or "mode=memory" in name or ":memory:" in name:
            return
        path = re.sub(r"^file:(//)?", "", name).partition("?")[0]
        if not os.path.exists(path):
            self._write("create the database", path)

    def on_process(self, args: tuple[Any, ...]) -> None:
        command = next((arg for arg in reversed(args[:2]) if arg), "")
        if self._access.processes:
            return
        if asks_the_system(sys._getframe(), program_of(command)):
            raise Quietly(errno.EPERM, "no process can be started here")  # before the lock has to refuse it
        self.command(command)

    def command(self, command: Any) -> None:
        """A command line, as a string or a list of words."""
        if isinstance(command, list | tuple):
            text = shlex.join(os.fsdecode(word) if not isinstance(word, str) else word for word in command)
        else:
            text = command if isinstance(command, str) else os.fsdecode(command)
        capability = Capability.INSTALL if INSTALLING.search(text) else Capability.PROCESSES
        self.note(capability, f"run {text}".strip(), text)

    def on_fork(self, args: tuple[Any, ...]) -> None:
        if not self._access.processes:
            self.note(Capability.PROCESSES, "start another process")

    def on_kill(self, args: tuple[Any, ...]) -> None:
        pid, number = args[0], args[1]
        if pid == os.getpid():
            if number:
                self.note(Capability.EXIT, f"send signal {int(number)} to the kernel itself")
        elif number and not self._access.processes:
            self.note(Capability.PROCESSES, f"send signal {int(number)} to process {pid}", str(pid))

    def on_host(self, args: tuple[Any, ...]) -> None:
        host, port = args[0], args[1] if len(args) > 1 else None
        if host is None or (isinstance(host, str | bytes) and not host):
            host = "localhost"
        host = os.fsdecode(host) if isinstance(host, bytes) else str(host)
        self._ports.add(port)
        self._network(f"connect to {host}" + (f":{port}" if port else ""), host)

    def _network(self, what: str, host: str = "") -> None:
        if not self._access.network:
            self.note(Capability.NETWORK, what, host)

    def on_address(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if not isinstance(address, tuple):
            self._network(f"connect to {os.fsdecode(address)}", os.fsdecode(address))
        elif len(address) < 2 or address[1] not in self._ports:  # else its name was told when it was looked up
            self._network("connect to " + ":".join(str(part) for part in address[:2]), str(address[0]))

    def on_bind(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if not isinstance(address, tuple) or (len(address) > 1 and address[1]):  # port 0: is there such a family?
            host = str(address[0] if isinstance(address, tuple) else os.fsdecode(address))
            self._network(f"listen on {':'.join(map(str, address[:2])) if isinstance(address, tuple) else host}", host)

    def on_socket(self, args: tuple[Any, ...]) -> None:
        import socket

        family = args[1]
        if self._lock.notified:  # then the socket is made, and what it connects to is told
            if family == socket.AF_UNIX and self._access.network:
                what = "open a socket to another program of this machine"
                self._silent.append(Refusal(capability=Capability.NETWORK, what=what))
            return
        # A Unix socket is how event loops wake themselves; -1 takes over an existing descriptor; and some
        # libraries try, as they are imported, which families there are.
        told = any(capability is Capability.NETWORK for capability, _ in self._seen)
        if family not in (-1, socket.AF_UNIX) and not told and not _importing():
            self._network("open a network socket")

    def on_url(self, args: tuple[Any, ...]) -> None:
        url = args[0] if isinstance(args[0], str) else str(args[0])
        if not url.startswith(("file:", "data:")):
            self._network(f"open {url}", urlsplit(url).hostname or "")

    def on_browser(self, args: tuple[Any, ...]) -> None:
        self.note(Capability.PROCESSES, f"open a browser at {args[0]}")

    # --- the verdict --------------------------------------------------------------------------

    def caused(self, error: BaseException, namespace: Mapping[str, Any]) -> bool:
        """Whether the candidate failed only because the lock refused something."""
        self._users_fds = {fd for fd, _ in self._users_files(namespace)}
        if isinstance(error, SystemExit):
            return True
        if isinstance(error, MemoryError | KeyboardInterrupt):
            return False
        chain = chain_of(error)
        if any(from_lock(link, told=bool(self._seen), open_files=bool(self._users_fds)) for link in chain):
            return bool(self._seen) or self._explain(chain) or self._lock.notified
        # A library may wrap the refusal in words of its own, or act on it later in the same call.
        if isinstance(error, OWN_FAULTS) or not self._seen:
            return False
        missing = FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError
        return not isinstance(error, missing) and self._failed_at(error) in self._places

    def _failed_at(self, error: BaseException) -> Place | None:
        """The innermost line of the candidate that the error came through."""
        place: Place | None = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            if self.is_candidate(frame.f_code.co_filename):
                place = frame.f_code, line
        return place

    def open_files_written(self, namespace: Mapping[str, Any]) -> set[int]:
        """Descriptors of the user's open files with bytes that could not be written."""
        stuck: set[int] = set()
        for fd, value in self._users_files(namespace):
            try:
                if not isinstance(value, int):
                    value.flush()
            except OSError as error:
                if error.errno == errno.EBADF:
                    stuck.add(fd)
        return stuck

    def _users_files(self, namespace: Mapping[str, Any]) -> list[tuple[int, Any]]:
        """The files of `open_files` that the user's names hold, as objects or as bare descriptors."""
        held = list(namespace.values())
        for value in held[:]:
            if (cls := type(value)) is list or cls is tuple or cls is dict:
                held += list(value.values() if cls is dict else value)[:100]
        found = []
        for value in held:
            kind = type(value)
            if kind is int and value in self._open_files:
                found.append((value, value))
            elif kind in _FILES and (fd := _descriptor(value)) in self._open_files:
                found.append((fd, value))
        return found

    def note_open_files(self, fds: set[int]) -> None:
        for fd in sorted(fds & self._open_files.keys()):
            path = self._open_files[fd]
            self.note(Capability.WRITE_FILES, f"write to the open file {path}", path)

    def _explain(self, chain: list[BaseException]) -> bool:
        """Tell of what no event told, as far as it is known here; the lock itself tells the kernel of the rest."""
        if any(isinstance(link, OSError) and link.errno == errno.EBADF for link in chain):
            self.note_open_files(self._users_fds)
            return True
        if self._silent:
            self.note(self._silent[-1].capability, self._silent[-1].what, self._silent[-1].target)
            return True
        return False


def _short(what: str) -> str:
    return what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"


def _importing() -> bool:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


_EVENTS: dict[str, Callable[[Refusals, tuple[Any, ...]], None]] = {
    "open": Refusals.on_open,
    "os.remove": lambda self, args: self.on_existing("delete", args),
    "os.rmdir": lambda self, args: self.on_existing("delete", args),
    "os.rename": Refusals.on_rename,
    "os.listdir": lambda self, args: self._read("list", "." if args[0] is None else args[0]),
    "os.scandir": lambda self, args: self._read("list", "." if args[0] is None else args[0]),
    "os.truncate": lambda self, args: self.on_existing("truncate", args),
    "os.chmod": lambda self, args: self.on_existing("change the mode of", args),
    "os.chown": lambda self, args: self.on_existing("change the owner of", args),
    "os.utime": lambda self, args: self.on_existing("change the times of", args),
    "os.setxattr": lambda self, args: self.on_existing("change the attributes of", args[:1]),
    "os.removexattr": lambda self, args: self.on_existing("change the attributes of", args[:1]),
    "os.mkdir": lambda self, args: self.on_new("make the folder", args),
    "os.link": lambda self, args: self.on_new("link to", args),
    "os.symlink": lambda self, args: self.on_new("link to", args),
    "sqlite3.connect": Refusals.on_sqlite,
    "subprocess.Popen": Refusals.on_process,
    "os.system": Refusals.on_process,
    "os.exec": Refusals.on_process,
    "os.posix_spawn": Refusals.on_process,
    "os.spawn": lambda self, args: self.on_process(args[1:]),
    "pty.spawn": Refusals.on_process,
    "os.fork": Refusals.on_fork,
    "os.forkpty": Refusals.on_fork,
    "os.kill": Refusals.on_kill,
    "os.killpg": lambda self, args: self.on_kill((-int(args[0]), args[1])),
    "socket.getaddrinfo": Refusals.on_host,
    "socket.gethostbyname": Refusals.on_host,
    "http.client.connect": lambda self, args: self.on_host(args[1:]),
    "ftplib.connect": lambda self, args: self.on_host(args[1:]),
    "smtplib.connect": lambda self, args: self.on_host(args[1:]),
    "imaplib.open": lambda self, args: self.on_host(args[1:]),
    "poplib.connect": lambda self, args: self.on_host(args[1:]),
    "socket.connect": Refusals.on_address,
    "socket.bind": Refusals.on_bind,
    "socket.sendto": Refusals.on_address,
    "socket.sendmsg": Refusals.on_address,
    "socket.__new__": Refusals.on_socket,
    "urllib.Request": Refusals.on_url,
    "webbrowser.open": Refusals.on_browser,
}


def _descriptor(file: Any) -> int:
    """Of an open file its descriptor; -1 if it is closed, or a file of memory alone."""
    try:
        return -1 if file.closed else int(file.fileno())
    except (OSError, ValueError):
        return -1
