"""An answer is a transaction: code runs once, in the sandbox, and its effects are committed to the notebook.

with run_in_sandbox(code, shell) as ran:
    if ran.committable:
        undo = commit(ran)
...
undo.restore()
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import commit as committing
from llmos_jupyter.effects import kinds
from llmos_jupyter.effects.copy import kernel_copy
from llmos_jupyter.effects.copy.error_reports import Looks
from llmos_jupyter.effects.copy.forkable import fork_hazard
from llmos_jupyter.effects.objects.layout import installed
from llmos_jupyter.effects.objects.meanwhile import Began
from llmos_jupyter.effects.table import BufferReader, Cannot, CannotComeHome, Malformed, MemoryFiles
from llmos_jupyter.effects.told import completed
from llmos_jupyter.effects.worker import process as worker
from llmos_jupyter.effects.worker.sending import CannotBeCopied, Sent, send
from llmos_jupyter.protocol import ErrorReport, NameChange, Refusal, Rehearsal
from llmos_jupyter.sandbox.descendants import adopted
from llmos_jupyter.sandbox.process.inheritance import available_memory
from llmos_jupyter.sandbox.process.interrupts import interrupts_deferred
from llmos_jupyter.sandbox.process.run_progress import RunProgress, finished
from llmos_jupyter.sandbox.process.scratch import scratch_folder
from llmos_jupyter.sandbox.roots import Access

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
FOREVER = float("inf")
WAY = "LLMOS_SANDBOX"  # an environment variable: "fork" or "worker"; without it whichever is right for the code
_NO_LOCK = "This system has no lock, so code that may reach beyond the notebook's variables is not tried beforehand."


@dataclass
class Ran:
    """One run in the sandbox. `cannot` says what keeps its effects from being committed; empty if nothing does.

    `unsaid`: the names whose objects are put into another state though the run did not say that they changed: what was
    written is equal to what was there, or the run hides it.
    `files_told`: whether each change of a file was told before it happened. Holds memory until it is committed or
    closed.
    """

    code: str
    report: Rehearsal
    cannot: list[Cannot] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    files_told: bool = False
    unsaid: frozenset[str] = frozenset()
    _shell: Any = None
    _files: MemoryFiles | None = None
    _content: dict[str, Any] | None = None
    _sent: Sent | None = None  # what a worker process had copies of
    _names: dict[str, Any] | None = None  # the notebook's when the code began

    @property
    def error(self) -> ErrorReport | None:
        return self.report.error

    @property
    def refusals(self) -> list[Refusal]:
        return self.report.refusals

    @property
    def committable(self) -> bool:
        """Whether the run came to its end and all of its effects can come home."""
        return self.report.status == "passed" and self._content is not None and not self.cannot

    def close(self) -> None:
        """Let the effects go."""
        if self._files is not None:
            self._files.close()
        self._files = self._content = self._sent = self._names = None

    def __enter__(self) -> Ran:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_in_sandbox(
    code: str,
    shell: InteractiveShell,
    *,
    budget_seconds: float = FOREVER,
    memory_bytes: int | None = None,
    access: Access = kernel_copy.NOTHING_MORE,
    keep: Callable[[str], None] | None = None,
    unlocked: bool = False,
    looks: type[Looks] = Looks,
) -> Ran:
    """Run `code` in a locked copy of the kernel; the notebook itself is not touched, save that what the code imports of
    installed libraries is imported.

    `budget_seconds` is the code's own time: when it ends, the copy is killed and the report says `unfinished`.
    `memory_bytes` is what the copy may use above its present size; by default half of what is available. `access`: what
    the copy may do besides, by the user's grants: what it writes or sends then is written and sent. `keep` is given
    each real path that the copy is about to change where `access` lets it, in another thread, and has returned before
    that happens. Raises KeyboardInterrupt, with the copy already gone. `unlocked`: whether a process will do that
    nothing confines, where the system has nothing that does (Windows): for code in which inspection found no
    capability. `looks`: what is looked at where the code ran.
    """
    run = watched_run(
        code,
        shell,
        budget_seconds=budget_seconds,
        memory_bytes=memory_bytes,
        access=access,
        keep=keep,
        unlocked=unlocked,
        looks=looks,
    )
    return finished(run)


def watched_run(
    code: str,
    shell: InteractiveShell,
    *,
    budget_seconds: float = FOREVER,
    memory_bytes: int | None = None,
    access: Access = kernel_copy.NOTHING_MORE,
    keep: Callable[[str], None] | None = None,
    unlocked: bool = False,
    looks: type[Looks] = Looks,
) -> Generator[RunProgress, None, Ran]:
    """`run_in_sandbox`, telling how far the code is while it runs. Closing the generator ends the run at once."""
    if in_worker := _needs_worker(code, shell):
        reason = None if unlocked or worker.SYSTEM in ("linux", "darwin") else _NO_LOCK
    else:
        reason = kernel_copy.supported()
    if reason is not None:
        return Ran(code, Rehearsal(status="unavailable", reason=reason))
    memory = available_memory() // 2 if memory_bytes is None else memory_bytes
    if memory_bytes is None and memory < kernel_copy.LEAST_MEMORY:
        reason = "Too little memory is free to run this in a sandbox; close a notebook to free some."
        return Ran(code, Rehearsal(status="unavailable", reason=reason))
    hoist(code, shell)
    kinds.load()
    if in_worker:
        run = _run_in_worker(code, shell, budget_seconds, memory, access, keep, looks, unlocked=unlocked)
        return (yield from run)
    try:
        with interrupts_deferred():  # half made it would hold descriptors that nobody closes
            files = MemoryFiles()
    except OSError as error:
        return _not_copied(code, error)
    try:
        with scratch_folder() as scratch, adopted() if access.processes else contextlib.nullcontext():
            copy = kernel_copy.Copy(code, shell, scratch, budget_seconds, memory, access, files.fds, keep, looks)
            before = dict(shell.user_ns)
            report = yield from copy.watch()
    except OSError as error:
        files.close()
        return _not_copied(code, error)
    except BaseException:
        files.close()
        raise
    ran = Ran(code, report, files_told=copy.kept, _shell=shell, _files=files, _names=before)
    _read(ran, copy.effects)
    return ran


def _not_copied(code: str, error: OSError) -> Ran:
    reason = f"The kernel could not be copied: {error.strerror or error}."
    return Ran(code, Rehearsal(status="unavailable", reason=reason))


def _needs_worker(code: str, shell: InteractiveShell) -> bool:
    """Whether code runs in a worker process with copies of variables, as a fork is not there or not safe."""
    if WAY in os.environ:
        return os.environ[WAY] == "worker"
    return not sys.platform.startswith("linux") or fork_hazard(code, shell.user_ns) is not None


def _run_in_worker(
    code: str,
    shell: InteractiveShell,
    budget: float,
    memory: int,
    access: Access,
    keep: Callable[[str], None] | None,
    looks: type[Looks],
    *,
    unlocked: bool,
) -> Generator[RunProgress, None, Ran]:
    linux = worker.SYSTEM == "linux"
    with adopted() if access.processes and linux else contextlib.nullcontext():
        try:
            process = worker.take(shell, access)
        except OSError as error:
            reason = f"No process could be started: {error.strerror or error}."
            return Ran(code, Rehearsal(status="unavailable", reason=reason))
        try:
            before = dict(shell.user_ns)
            sent = send(code, shell, process.sent, memory)
            run = worker.InWorker(process, sent, code, shell, budget, memory, keep, looks, unlocked=unlocked)
            report = yield from run.watch()
            process.close()
        except (CannotBeCopied, OSError) as error:
            worker.discard(process)
            reason = str(error) if isinstance(error, CannotBeCopied) else f"Its variables could not be copied: {error}."
            return Ran(code, Rehearsal(status="unavailable", reason=reason))
        except BaseException:
            worker.discard(process)
            raise
    ran = Ran(code, report, files_told=run.kept, _shell=shell, _files=process.home, _sent=sent, _names=before)
    _read(ran, run.effects)
    worker.prepare(shell, access)
    return ran


def _read(ran: Ran, told: dict[str, Any] | None) -> None:
    """Take in where the effects lie, and what of them cannot come home."""
    if ran.report.status != "passed" or told is None or ran._files is None:
        ran.close()
        if ran.report.status == "passed":
            ran.cannot = [Cannot("", "", "its effects could not be written down in time")]
        return
    try:
        ran._files.seal()
        content = committing.read_table(told.get("place"), BufferReader(ran._files))
        ran.cannot = committing.read_cannot(content["cannot"])
        sent = None if ran._sent is None else ran._sent.objects
        said = {change.name for change in ran.report.changes}
        ran.report.changes = completed(ran.report.changes, content, ran._shell, sent)
        ran.unsaid = frozenset(c.name for c in ran.report.changes if c.kind == "mutated" and c.name not in said)
        ran._content = content
        seconds = told.get("seconds")
        ran.seconds = {str(k): float(v) for k, v in seconds.items()} if isinstance(seconds, dict) else {}
    except (Malformed, OSError, ValueError, TypeError) as error:
        log.warning("the effects of a run could not be read: %s", error)
        ran.cannot = [Cannot("", "", f"its effects could not be read ({error})")]
    if ran.cannot:
        ran.close()


def commit(ran: Ran, *, bind: str = "", displayed: bool = False) -> committing.Undo:
    """Put the effects of a run into the notebook, all or nothing, and show what it showed; how to undo it.

    `bind`: a name that its last result gets; `displayed`: show the variable that it assigned last, if it shows nothing
    itself. Raises CannotComeHome, and then nothing was changed; ChangedMeanwhile where what the run changed was changed
    in the notebook, too, since the run began.
    """
    if not ran.committable or ran._files is None or ran._content is None:
        why = str(ran.cannot[0]) if ran.cannot else ran.report.reason or "the run has no effects to commit"
        raise CannotComeHome(why)
    try:
        began = Began(ran._names)
        if ran._sent is not None:
            began = Began(ran._names, ran._sent.objects, ran._sent.digests)
        content, buffers = ran._content, BufferReader(ran._files)
        return committing.commit(content, buffers, ran.code, ran._shell, bind=bind, displayed=displayed, began=began)
    except Malformed as error:
        log.error("the effects of a run are malformed: %s", error)
        raise CannotComeHome(f"the sandbox's report is malformed: {error}") from error
    finally:
        ran.close()


class Committed:
    """A commit that can be undone, as the history of answers keeps it. `changes`: what it did to names."""

    def __init__(self, undo: committing.Undo, changes: list[NameChange], bind: str = "") -> None:
        self._undo = undo
        self.changes = [*changes, NameChange(name=bind, kind="created")] if bind else list(changes)
        self.bytes = undo.bytes

    def restore(self, shell: InteractiveShell) -> list[str]:
        """Put everything back; one sentence for each name."""
        undo, left = self._undo, []
        beside = undo.beside
        try:
            with contextlib.suppress(KeyboardInterrupt), interrupts_deferred():  # half an undo is none
                left = undo.restore()
        except Exception as error:  # the rest is back
            return [*undo.lost.values(), f"A part could not be put back ({type(error).__name__}: {error})."]
        stay = undo.left | undo.lost.keys()
        said = {"created": "removed {}", "rebound": "restored {}", "mutated": "restored {}", "deleted": "restored {}"}
        told = [said[change.kind].format(change.name) for change in self.changes if change.name not in stay]
        return [*undo.lost.values(), *left, *told, *(f"restored {name}" for name in beside if name not in stay)]


def hoist(code: str, shell: InteractiveShell) -> list[str]:
    """Import what the code imports of installed libraries, here and once: the copy would import it for itself only."""
    try:
        tree = ast.parse(shell.transform_cell(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    done = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        done += [name for name in names if _imported(name)]
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and getattr(pyplot, "_backend_mod", 1) is None:
        pyplot._get_backend_mod()  # chosen at the first drawing, which would look like a change
    return done


def _imported(name: str) -> bool:
    if name in sys.modules or not installed(name.partition(".")[0]):
        return False
    parent, _, last = name.rpartition(".")
    if parent and hasattr(sys.modules.get(parent), last):
        return False
    try:
        importlib.import_module(name)
    except Exception as error:  # the code's own import will say so
        log.debug("%s could not be imported: %s", name, error)
        return False
    return True
