"""The guard: holds the real run of a candidate to what was granted.

An audit hook (PEP 578) looks at files opened for writing or outside the working directory, at sockets, processes and
attempts to change the kernel, while a candidate runs and afterwards in what it leaves behind: its threads, its
callbacks on an event loop, its functions that something other than a cell of the user's calls. What no grant covers
raises `NotAllowed` and is kept in `Hold.stopped`, so that code which swallows the exception is found out all the same.

It is a guard rail and not a wall. Code in the kernel's own process can do away with any check in it; libraries written
in C open files and sockets without a word to Python; a file that was already open, memory that is shared, and whatever
a granted process does, are not seen. What keeps harm out is that a candidate was rehearsed on a locked copy before; the
guard is for the rest: code that behaves differently the second time, or after the rehearsal's budget.
"""

from __future__ import annotations

import atexit
import contextlib
import dis
import errno
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from llmos_jupyter.agent import guard_events
from llmos_jupyter.protocol import Capability, ErrorReport, Refusal, Run
from llmos_jupyter.sandbox.roots import Roots, roots_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MOST = 20  # things stopped that are kept
LONGEST = 200  # characters of one

_HOW = {
    Capability.READ_FILES: "`%llmos allow read FOLDER`",
    Capability.WRITE_FILES: "`%llmos allow write FOLDER`",
    Capability.NETWORK: "`%llmos allow network`",
    Capability.PROCESSES: "`%llmos allow processes`",
    Capability.INSTALL: "`%llmos allow install packages`",
}


class NotAllowed(PermissionError):
    """A run reached for what nobody granted. One sentence."""

    def __init__(self, capability: Capability, what: str) -> None:
        how = _HOW.get(capability)
        remedy = f"allow it with {how} and ask again" if how else "run such code in a cell of your own"
        super().__init__(errno.EPERM, f"An answer may not {what} here: {remedy}.")

    def __str__(self) -> str:
        return str(self.strerror)


class Permits(Protocol):
    """Grants, as far as the guard asks them."""

    def permits(self, capability: Capability, what: str) -> bool:
        """Whether a grant covers this path, host or command."""


class Hold:
    """One run that is held. `stopped` lists what it was kept from, the threads it left behind included."""

    def __init__(
        self,
        permits: Permits | None,
        namespace: dict[str, Any],
        roots: Roots,
        on_write: Callable[[str], None] | None = None,
    ) -> None:
        self.stopped: list[Refusal] = []
        self.roots = roots
        self.namespace = namespace
        self.hosts: set[str] = set()  # names that were looked up
        self.made: set[str] = set()  # files in the temporary folder that the run itself made
        self._permits = permits
        self._on_write = on_write
        self._told = 0

    def permits(self, capability: Capability, what: str = "") -> bool:
        return self._permits is not None and self._permits.permits(capability, what)

    def writes(self, path: str) -> None:
        """A granted change of this real path is about to happen."""
        if self._on_write is not None:
            self._on_write(path)

    def stop(self, capability: Capability, what: str, target: str = "") -> NoReturn:
        """Note what was attempted, with its path or host, and raise NotAllowed."""
        what = what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"
        refusal = Refusal(capability=capability, what=what, target=target)
        if refusal not in self.stopped and len(self.stopped) < MOST:
            self.stopped.append(refusal)
        raise NotAllowed(capability, what)

    def late(self) -> list[Refusal]:
        """What was stopped since `verdict` or the last call of this: the doing of threads and callbacks left behind."""
        news = self.stopped[self._told :]
        self._told = len(self.stopped)
        return news

    def verdict(self, run: Run) -> Run:
        """The run's report, failed if it was kept from something, also where the code swallowed the exception."""
        stopped = self.late()
        if not stopped or run.status == "interrupted":
            return run
        first = stopped[0]
        error = ErrorReport(type="NotAllowed", message=str(NotAllowed(first.capability, first.what)))
        if run.error is not None:
            error.line, error.source, error.traceback = run.error.line, run.error.source, run.error.traceback
        return run.model_copy(update={"status": "failed", "error": error})


# --- who is held ------------------------------------------------------------------------------------

_installed = False
_running: dict[int, Hold] = {}  # by the identifier of the thread that runs a candidate
_threads: dict[int, tuple[threading.Thread, Hold]] = {}  # by id(): a subclass may have odd ideas of equality
_files: dict[str, Hold] = {}  # names under which candidates' code was compiled
_busy: set[int] = set()  # threads that are inside the hook
_origin: ContextVar[Hold | None] = ContextVar("llmos_hold", default=None)  # goes with an event loop's callbacks
_REBINDING = frozenset(dis.opmap[name] for name in ("STORE_NAME", "DELETE_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"))
_BOOTSTRAP = threading.Thread._bootstrap  # type: ignore[attr-defined]
_active: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]


@contextlib.contextmanager
def held(
    permits: Permits | None, shell: InteractiveShell, on_write: Callable[[str], None] | None = None
) -> Iterator[Hold]:
    """Hold what runs in this block, and the threads it starts, to what `permits` grants (None: nothing).

    `on_write` is called with the real path before each granted change of a file, also of one that is about to be
    made. The `Hold` stays in force afterwards for what the block leaves running.
    """
    _install()
    hold = Hold(permits, shell.user_ns, roots_of(shell), on_write)
    ident = threading.get_ident()
    before = _running.get(ident)
    _drop_ended_threads()
    with _doors(hold, shell):
        token = _origin.set(hold)
        _running[ident] = hold
        try:
            yield hold
        finally:
            _origin.reset(token)
            if before is None:
                _running.pop(ident, None)
            else:
                _running[ident] = before


def _install() -> None:
    global _installed
    if not _installed:
        sys.addaudithook(_hook)
        if sys.version_info < (3, 12):  # which tell of no thread's start: the event came with 3.12
            _tell_of_threads()
        _installed = True


def _tell_of_threads() -> None:
    import _thread

    start = _thread.start_new_thread

    def start_new_thread(function: Callable[..., object], *args: Any) -> int:
        _starts(function)
        return start(function, *args)

    _thread.start_new_thread = start_new_thread
    threading._start_new_thread = start_new_thread  # type: ignore[attr-defined]


def _drop_ended_threads() -> None:
    for key, (thread, _) in list(_threads.items()):
        if thread.ident is not None and not thread.is_alive():
            _threads.pop(key, None)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    check = guard_events.CHECKS.get(event)
    if check is None:
        if event == "compile":
            _compiled(args[1], sys._getframe().f_back)
        elif event in ("_thread.start_new_thread", "_thread.start_joinable_thread"):
            _starts(args[0])
        return
    ident = threading.get_ident()
    if ident in _busy:
        return
    frame = sys._getframe().f_back
    hold = _holder(ident, frame)
    if hold is None:
        return
    _busy.add(ident)
    try:
        check(hold, args, frame)
    finally:
        _busy.discard(ident)


def _holder(ident: int, frame: FrameType | None) -> Hold | None:
    """Who is acting: a candidate's run, a thread or a callback of one, or nobody that is held."""
    if (hold := _running.get(ident)) is not None:
        return hold
    if _threads and (thread := _active.get(ident)) is not None:
        entry = _threads.get(id(thread))
        if entry is not None and entry[0] is thread:
            return entry[1]
    if (hold := _origin.get()) is not None:
        return hold
    return _left_behind(frame)


def _left_behind(frame: FrameType | None) -> Hold | None:
    """A candidate's function that runs later is the user's own doing if a cell of the user's called it, and held if
    the kernel, the interpreter or the garbage collector did."""
    found: Hold | None = None
    while frame is not None:
        code = frame.f_code
        hold = _files.get(code.co_filename)
        if hold is not None:
            found = hold
            if code.co_name == "__del__":
                return hold
        elif found is not None:
            if frame.f_globals.get("__name__") == "weakref":
                return found
            if frame.f_globals is found.namespace and code.co_name == "<module>":
                # Rebinding and deleting a name call nothing but the destructor of what it stood for.
                return found if code.co_code[frame.f_lasti] in _REBINDING else None
        frame = frame.f_back
    return found


def _compiled(filename: object, frame: FrameType | None) -> None:
    """Remember whose code it is: IPython names each cell's code by its content."""
    if not isinstance(filename, str) or os.path.isfile(filename):
        return
    hold = _running.get(threading.get_ident())
    if hold is not None:
        _files[filename] = hold
    elif frame is not None and frame.f_globals.get("__name__") in ("codeop", "IPython.core.compilerop"):
        _files.pop(filename, None)  # the user runs the same code as a cell of their own


def _starts(function: Any) -> None:
    """A held thread starts another, which then is held as well."""
    hold = _holder(threading.get_ident(), sys._getframe(2))
    if hold is None:
        return
    thread = getattr(function, "__self__", None)
    if not isinstance(thread, threading.Thread) or getattr(function, "__func__", None) is not _BOOTSTRAP:
        hold.stop(Capability.PROCESSES, "start a thread without the threading module")
    if not type(thread).__module__.startswith(("IPython.", "ipykernel.")):  # the history's, which starts when it likes
        _threads[id(thread)] = (thread, hold)


# --- ways out that no audit event tells of ----------------------------------------------------------


class _Late:
    """A function a candidate registered for the interpreter's end: held there too. Equal to it, for `unregister`."""

    def __init__(self, hold: Hold, function: Callable[..., Any]) -> None:
        self._hold, self._function = hold, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ident = threading.get_ident()
        _running[ident] = self._hold
        try:
            return self._function(*args, **kwargs)
        finally:
            _running.pop(ident, None)

    def __eq__(self, other: object) -> bool:
        return other is self or self._function == other

    __hash__ = None  # type: ignore[assignment]


@contextlib.contextmanager
def _doors(hold: Hold, shell: InteractiveShell) -> Iterator[None]:
    """Close, for the run's time, the ways to end the kernel, and hold what is registered for its end."""
    register = atexit.register
    pid, ident = os.getpid(), threading.get_ident()

    def registered(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        own = threading.get_ident() == ident and not guard_events.is_library(hold, sys._getframe(1))
        register(_Late(hold, function) if own else function, *args, **kwargs)
        return function

    def closed(name: str, usual: Callable[..., Any]) -> Callable[..., Any]:
        def leave(*args: Any, **kwargs: Any) -> Any:
            # A process that the run was allowed to fork ends by the same door.
            acting = _holder(threading.get_ident(), sys._getframe(1))
            if os.getpid() == pid and acting is not None and not acting.permits(Capability.EXIT):
                acting.stop(Capability.EXIT, f"end the kernel with {name}")
            return usual(*args, **kwargs)

        return leave

    usual = {name: getattr(os, name) for name in ("_exit", "abort")}
    replaced = {name: closed(f"os.{name}", function) for name, function in usual.items()}
    asks = hasattr(shell, "ask_exit")  # the plain shell of a script has none
    own_asks = shell.__dict__.get("ask_exit")
    for name, function in replaced.items():
        setattr(os, name, function)
    atexit.register = registered
    if asks:
        shell.ask_exit = closed("exit", shell.ask_exit)
    try:
        yield
    finally:
        if atexit.register is registered:
            atexit.register = register
        if own_asks is not None:
            shell.ask_exit = own_asks
        else:
            shell.__dict__.pop("ask_exit", None)
        _drop_ended_threads()
        for name, function in usual.items():
            # As long as a thread of the run lives, its ways out stay closed.
            if getattr(os, name) is replaced[name] and not any(entry[1] is hold for entry in _threads.values()):
                setattr(os, name, function)
