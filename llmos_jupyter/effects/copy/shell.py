"""The kernel's shell in the copy: the same machinery, but nothing it says leaves the process."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, NoReturn

from llmos_jupyter.effects.copy.causes import Refused
from llmos_jupyter.effects.copy.outcome import figure_digest
from llmos_jupyter.effects.copy.refusals import Refusals
from llmos_jupyter.effects.displays.recorder import Recorder, Tee
from llmos_jupyter.protocol import Capability
from llmos_jupyter.sandbox.process.capture import Capture, Stream

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Pixels of a figure that may be shown. Each takes four bytes while it is drawn: 400 MB.
LARGEST_FIGURE = 100_000_000


def close_doors(refusals: Refusals) -> None:
    """Refuse input, and note what ends the process. To be called before anybody looks at what the notebook holds:
    `exec(code, namespace)` leaves the dict of all builtins in a variable, which must not be seen to change."""
    builtins.input = getpass.getpass = no_input(refusals)
    for name in ("_exit", "abort"):
        setattr(os, name, _noted(refusals, f"os.{name}", getattr(os, name)))


def no_input(refusals: Refusals) -> Callable[..., NoReturn]:
    """What stands for `input` and its kind."""

    def refuse(prompt: object = "", *args: object, **kwargs: object) -> NoReturn:
        text = f"ask: {prompt}" if isinstance(prompt, str) and prompt.strip() else "ask for input"
        refusals.note(Capability.INPUT, text.strip())
        raise Refused("asking for input")

    return refuse


def _noted(refusals: Refusals, name: str, leave: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    def noted(*args: object) -> NoReturn:
        refusals.note(Capability.EXIT, f"end the kernel with {name}")
        leave(*args)

    return noted


class Stage:
    """A shell prepared for one rehearsal. `cells` are the names under which code was compiled, in order;
    `shown` the exceptions that IPython displayed instead of raising."""

    def __init__(self, shell: InteractiveShell, refusals: Refusals, capture: Capture, recorder: Recorder) -> None:
        """`recorder`: keeps all that is shown, in every format, to show it in the notebook."""
        self._recorder = recorder
        self.cells: list[str] = []
        self.shown: list[BaseException] = []
        self.figures: list[str] = []
        self._shell = shell
        self._refusals = refusals
        self._capture = capture
        self._streams()
        self._messages()
        self._displays()
        self._errors()
        self._doors()
        self._events()
        self._plots()
        refusals.is_candidate = lambda filename: filename in self.cells or filename.startswith(("<timed", "<magic-"))

    def printed(self) -> str:
        """The output so far, with the made-up file names of cells (a warning shows them) in plain words."""
        text = self._capture.text()
        for name in self.cells:
            text = text.replace(name, "cell")
        return text

    def _streams(self) -> None:
        for name, fd in (("stdout", 1), ("stderr", 2)):
            usual = getattr(sys, name, None)
            # IPython 9 replaces the method on the stream while a cell runs, to keep what it prints for the history.
            getattr(usual, "__dict__", {}).pop("write", None)
            tee = Tee(self._recorder, name, self._capture)
            setattr(sys, name, Stream(tee, name, fd, binary=hasattr(usual, "buffer")))
        self._shell._tee = lambda channel: contextlib.nullcontext()
        sys.stdin = _NoInput(no_input(self._refusals))
        write = self._swallow()

        def write_all(stream: Any, text: str) -> int:
            self._capture.write(text)
            self._recorder.stream("stderr" if stream.name == "stderr" else "stdout", text)
            return len(text)

        if (iostream := sys.modules.get("ipykernel.iostream")) is not None:
            # Loggers and progress bars may hold the notebook's own streams.
            iostream.OutStream.write = write_all
            iostream.OutStream.flush = iostream.OutStream._flush = write
            iostream.IOPubThread.schedule = iostream.IOPubThread.send_multipart = write

    def _messages(self) -> None:
        """Messages of the Jupyter protocol (displays, comms, widgets) go nowhere: their sockets are gone."""
        if (session := sys.modules.get("jupyter_client.session")) is not None:
            session.Session.send = lambda self, stream, message, *args, **kwargs: (
                message if isinstance(message, dict) else {}
            )
            session.Session.recv = lambda self, *args, **kwargs: (None, None)

    def _displays(self) -> None:
        shell = self._shell
        recorder = self._recorder

        def drawn(figure: Any) -> str:
            self.figures.append(figure_digest(figure))
            return repr(figure)

        text = shell.display_formatter.formatters["text/plain"]
        text.for_type_by_name("matplotlib.figure", "Figure", lambda figure, printer, cycle: printer.text(drawn(figure)))
        formatted = shell.display_formatter.format

        def formatted_if_it_fits(obj: Any, *args: Any, **kwargs: Any) -> Any:
            # Asked before anything is drawn: a formatter's own exception would be shown, and the next one would draw.
            if (figure := sys.modules.get("matplotlib.figure")) is not None and isinstance(obj, figure.Figure):
                _refuse_too_large(obj)
            return formatted(obj, *args, **kwargs)

        shell.display_formatter.format = formatted_if_it_fits

        def publish(data: dict[str, Any], metadata: Any = None, *args: object, **kwargs: Any) -> None:
            self._show(data)
            recorder.display(data, metadata, kwargs.get("transient"), kwargs.get("update", False))

        shell.display_pub.publish = publish
        shell.display_pub.clear_output = recorder.clear
        hook = shell.displayhook
        hook.start_displayhook = hook.write_output_prompt = self._swallow()
        hook.finish_displayhook = hook.log_output = self._swallow()
        update = hook.update_user_ns

        def keep(value: Any) -> None:
            recorder.value(value)
            update(value)

        def write(data: Any, metadata: Any = None) -> None:
            self._show(data)
            recorder.result(data, metadata)

        hook.update_user_ns, hook.write_format_data = keep, write
        shell.logger.log_active = False

    def _show(self, data: Any) -> None:
        text = data.get("text/plain") if isinstance(data, dict) else None
        if isinstance(text, str):
            self._capture.write(text + "\n")

    def _errors(self) -> None:
        shell = self._shell

        def show(exc_tuple: Any = None, *args: object, **kwargs: object) -> None:
            error = exc_tuple[1] if isinstance(exc_tuple, tuple) else sys.exc_info()[1]
            if isinstance(error, BaseException):
                self.shown.append(error)

        shell.showtraceback = shell.showsyntaxerror = shell.showindentationerror = show
        shell.custom_exceptions = ()
        compile_cell = shell.compile.cache

        def cache(*args: Any, **kwargs: Any) -> str:
            name = str(compile_cell(*args, **kwargs))
            self.cells.append(name)
            return name

        shell.compile.cache = cache

    def _doors(self) -> None:
        """Input, shell commands, and the ways out."""
        shell, refusals = self._shell, self._refusals

        def run(command: str) -> NoReturn:
            refusals.command(shell.var_expand(command, depth=1))
            raise Refused("running a command")

        def output(command: str, *args: object, **kwargs: object) -> NoReturn:
            run(command)

        if refusals.may_start_processes:
            shell.system = shell.system_piped = shell.system_raw = self._system
        else:
            shell.system = shell.system_piped = shell.system_raw = run
            shell.getoutput = output
        shell.set_next_input = self._swallow()
        shell.raw_input = no_input(refusals)

        def leave() -> NoReturn:
            refusals.note(Capability.EXIT, "exit the kernel")
            raise SystemExit

        if hasattr(type(shell), "db") or "db" in vars(shell):
            shell.db = _Database(shell)
        shell.ask_exit = leave

    def _system(self, command: str) -> None:
        """Run a shell command, as `!command` asks for; its output is the cell's."""
        text = self._shell.var_expand(command, depth=1)
        with subprocess.Popen(
            text, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            for line in process.stdout or ():
                sys.stdout.write(line.decode(errors="replace"))
        self._shell.user_ns["_exit_code"] = process.returncode

    def _events(self) -> None:
        """Of the callbacks around a cell only matplotlib's stay, which show its figures."""
        for name, callbacks in self._shell.events.callbacks.items():
            self._shell.events.callbacks[name] = [
                f for f in callbacks if (getattr(f, "__module__", None) or "").startswith("matplotlib")
            ]

    def _plots(self) -> None:
        """A window's connection to the screen is gone; a figure can still be drawn."""
        os.environ.setdefault("MPLBACKEND", "agg")
        matplotlib = sys.modules.get("matplotlib")
        if matplotlib is not None and "matplotlib.pyplot" in sys.modules:
            backend = str(matplotlib.get_backend()).lower()
            if "inline" not in backend and backend != "agg":
                with contextlib.suppress(Exception):  # a backend that cannot be left: then drawing reports it
                    sys.modules["matplotlib.pyplot"].switch_backend("agg")

    @staticmethod
    def _swallow() -> Callable[..., None]:
        return lambda *args, **kwargs: None


class _Database(MutableMapping[str, Any]):
    """IPython's database, a folder of the user's profile. `%cd` writes there which folders were visited: in the copy
    that is not kept, so that it needs no leave."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        # IPython opens it, and makes its folder, when it is first asked; earlier versions at their start.
        self._opened = getattr(shell, "_db", None) or vars(shell).get("db")

    @property
    def _real(self) -> Any:
        if self._opened is None:
            self._shell.db = None
            self._opened, self._shell.db = self._shell.db, self
        return self._opened

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "dhist":
            self._real[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._real[key]

    def __delitem__(self, key: str) -> None:
        del self._real[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)


class _NoInput(io.TextIOBase):
    def __init__(self, refuse: Callable[[], NoReturn]) -> None:
        self._refuse = refuse

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        self._refuse()

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        self._refuse()


def _refuse_too_large(figure: Any) -> None:
    """Raise ValueError for a figure of so many pixels that drawing it takes gigabytes, and shows nobody more."""
    width, height = figure.get_size_inches() * figure.dpi
    if width * height > LARGEST_FIGURE:
        raise ValueError(
            f"the figure would be {width:.0f} x {height:.0f} pixels, too large to be shown: "
            "use a smaller figsize (in inches) or dpi"
        )
