"""TaskQueue, Utilisation, ScheduleGantt and Dashboard: live in any front end that shows ipywidgets.

Updates come from a thread, so that they go on while a cell runs. A click does while a cell runs what it says where the
front end and the kernel have subshells (JupyterLab 4.4, ipykernel 7, or newer); elsewhere when the cell has ended.

Beside the live view each leaves a table and a drawing without scripts, of the moment at which it was displayed. The
live view hides them; they are what a saved notebook shows when the kernel has gone.
"""

from __future__ import annotations

import html
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import ipywidgets as widgets
from IPython.core.getipython import get_ipython
from IPython.display import display

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Task
from llmos_jupyter.widgets import figures, saved
from llmos_jupyter.widgets.gantt import Gantt, arrange
from llmos_jupyter.widgets.live import Picture, reader
from llmos_jupyter.widgets.queue import rows, table_html
from llmos_jupyter.widgets.utilisation import used

_VIEW = "application/vnd.jupyter.widget-view+json"


class Snapshot:
    """A picture that stays as it is."""

    def __init__(self, page: str, text: str) -> None:
        self.html, self.text = page, text

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


class _AnyShell:
    """A widget that is answered in whichever shell the front end chooses.

    ipykernel 7.4 sends what a front end says of a widget to the shell that spoke of it last: the main one, which is
    busy while a cell runs. What it remembers for that is taken away, so that the front end's subshell is used.
    """

    comm: Any

    def open(self) -> None:
        super().open()  # type: ignore[misc]
        self._forget_shell()

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(msg, buffers)  # type: ignore[misc]
        self._forget_shell()

    def _forget_shell(self) -> None:
        if self.comm is not None:
            vars(self.comm).pop("_reply_subshell_id", None)


class _Button(_AnyShell, widgets.Button):  # type: ignore[misc]
    pass


class _Entry(_AnyShell, widgets.Combobox):  # type: ignore[misc]
    pass


class Live(widgets.VBox):  # type: ignore[misc]
    """What is drawn anew with each picture, as long as a cell shows it."""

    title = ""

    def __init__(self, *, watch: bool = True) -> None:
        self._saved_class = f"llmos-saved-{uuid.uuid4().hex[:12]}"
        self._drawing = threading.Lock()
        # The cells that show it. A front end does not say when an output is cleared; the cell's next run does.
        self._cells = {_cell()}
        self._said = widgets.HTML()
        head = [widgets.HTML(self._style()), self._said] if watch else []
        super().__init__(children=[*head, *self.parts()])
        self.add_class("llmos")
        if watch:
            _notice_cells()
            self.comm.on_close(lambda message: self.close())
            self._draw(reader().watch(self))

    # --- of each widget -----------------------------------------------------------------------

    def parts(self) -> list[Any]:
        """The widgets it consists of."""
        raise NotImplementedError

    def draw(self, picture: Picture) -> None:
        """Show this, sending what is new."""
        raise NotImplementedError

    def saved(self, picture: Picture) -> str:
        """The same as HTML without scripts."""
        raise NotImplementedError

    def text(self, picture: Picture) -> str:
        """The same as plain text."""
        raise NotImplementedError

    # --- life ---------------------------------------------------------------------------------

    def see(self, picture: Picture) -> bool:
        """A new picture, on the reader's thread. False when nobody can see it any more."""
        if self.comm is None or not self._cells:
            return False
        self._draw(picture)
        return True

    def rerun(self, cell: str) -> None:
        """This cell runs anew: what it showed is gone."""
        self._cells.discard(cell)
        if not self._cells:
            reader().leave(self)

    def close(self) -> None:
        """Stop reading, and take the view away."""
        if getattr(self, "_said", None) is not None:
            reader().leave(self)
            for child in getattr(self, "children", ()):
                child.close()
        super().close()

    def snapshot(self) -> Snapshot:
        """How things stand now, as HTML without scripts and as text."""
        picture = reader().picture
        return Snapshot(saved.page([self.saved(picture)], picture), _spoken(picture, self.text(picture)))

    def _draw(self, picture: Picture) -> None:
        with self._drawing:
            said = f'<div role="status">{html.escape(picture.said)}</div>' if picture.said else ""
            if said != self._said.value:
                self._said.value = said
            self.draw(picture)

    # --- showing ------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**self._view(), **self.snapshot()._repr_mimebundle_()}

    def _ipython_display_(self, **kwargs: Any) -> None:
        if self.comm is not None:
            self._cells.add(_cell())
            self._draw(reader().watch(self))
            display({**self._view(), "text/plain": f"{self.title}, live while the kernel runs:"}, raw=True)
        shot = self.snapshot()
        # Apart from the view: front ends that find no model for it show an error in its place, and no other of its
        # forms.
        display({"text/html": f'<div class="{self._saved_class}">{shot.html}</div>', "text/plain": shot.text}, raw=True)

    def _view(self) -> dict[str, Any]:
        return {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self._model_id}}

    def _style(self) -> str:
        return f"<style>{saved.STYLE}{figures.TEXT}.{self._saved_class} {{ display: none }}</style>"


class TaskQueue(Live):
    """The tasks that run and wait, and what can be done with them."""

    title = "Tasks"

    def parts(self) -> list[Any]:
        self._table = widgets.HTML()
        self._answer = widgets.HTML()
        # Known by what is written in it, not by its place: the list may have moved on while a click was on its way.
        self._task = _Entry(
            description="Task", placeholder="its number", tooltip="Number of a task", continuous_update=False
        )
        buttons = [
            self._button("Cancel", "End this task, whether it runs or waits", DaemonClient.cancel),
            self._button("Pause", "Let this task stand still, or wait on", DaemonClient.pause),
            self._button("Resume", "Let a paused task go on", DaemonClient.resume),
        ]
        return [self._table, widgets.HBox([self._task, *buttons]), self._answer]

    def draw(self, picture: Picture) -> None:
        shown, more = rows(picture.queue, picture.now)
        table = f'<div class="llmos">{table_html(shown, more)}</div>'
        if table != self._table.value:
            self._table.value = table
        options = tuple(f"{row.number} {row.what}" for row in shown)
        if options != self._task.options:
            self._task.options = options

    def saved(self, picture: Picture) -> str:
        return saved.queue_html(picture)

    def text(self, picture: Picture) -> str:
        return saved.queue_text(picture)

    def _button(self, name: str, tip: str, call: Callable[[DaemonClient, str], Task]) -> Any:
        button = _Button(description=name, tooltip=tip)
        # On a thread: a daemon that is slow must not keep the kernel.
        button.on_click(
            lambda _: threading.Thread(target=self._act, args=(self._task.value, call), daemon=True).start()
        )
        return button

    def _act(self, chosen: str, call: Callable[[DaemonClient, str], Task]) -> None:
        key = chosen.split()[0] if chosen.split() else ""
        if not key.isdigit():
            said = "Choose a task first: write its number, or pick it from the list."
        else:
            try:
                with closing(DaemonClient(start=False)) as client:
                    task = call(client, key)
                said = f"Task {task.number} is {'waiting' if task.state == 'accepted' else task.state}."
            except LLMOSError as error:
                said = str(error)
        self._answer.value = f'<div role="status">{html.escape(said)}</div>'


class Utilisation(Live):
    """The last two minutes of processor, memory, GPUs and the model."""

    title = "Utilisation"

    def parts(self) -> list[Any]:
        self._words = widgets.HTML()
        self._box = widgets.VBox()
        self._figure: figures.UsedFigure | None = None
        self._shape: tuple[str, ...] = ()
        return [self._words, self._box]

    def draw(self, picture: Picture) -> None:
        now = used(picture.samples)
        words = "<div>" + " · ".join(html.escape(line) for line in now.words) + "</div>"
        if words != self._words.value:
            self._words.value = words
        if not now.series:
            return
        if self._figure is None or self._shape != figures.shape(now):
            old, self._shape = self._figure, figures.shape(now)
            self._figure = figures.UsedFigure(now)
            self._figure.draw(now)
            self._box.children = (self._figure.figure,)
            if old is not None:
                old.figure.close()
        else:
            self._figure.draw(now)

    def saved(self, picture: Picture) -> str:
        return saved.used_html(used(picture.samples))

    def text(self, picture: Picture) -> str:
        return saved.used_text(used(picture.samples))


class ScheduleGantt(Live):
    """What ran where and when in the last ten minutes, and what is planned."""

    title = "Schedule"

    def parts(self) -> list[Any]:
        self._gantt = Gantt()
        self._figure = figures.GanttFigure()
        return [self._figure.figure]

    def draw(self, picture: Picture) -> None:
        self._gantt = arrange(picture.steps, picture.names, picture.now, self._gantt.places)
        self._figure.draw(self._gantt)

    def saved(self, picture: Picture) -> str:
        return saved.gantt_html(arrange(picture.steps, picture.names, picture.now, self._gantt.places))

    def text(self, picture: Picture) -> str:
        return saved.gantt_text(arrange(picture.steps, picture.names, picture.now, self._gantt.places))


class Dashboard(Live):
    """Tasks, utilisation and schedule."""

    title = "llmos dashboard"

    def parts(self) -> list[Any]:
        self.queue = TaskQueue(watch=False)
        self.utilisation = Utilisation(watch=False)
        self.schedule = ScheduleGantt(watch=False)
        return [self.queue, self.utilisation, self.schedule]

    def draw(self, picture: Picture) -> None:
        for part in (self.queue, self.utilisation, self.schedule):
            part.draw(picture)

    def saved(self, picture: Picture) -> str:
        return "".join(part.saved(picture) for part in (self.queue, self.utilisation, self.schedule))

    def text(self, picture: Picture) -> str:
        return "\n\n".join(part.text(picture) for part in (self.queue, self.utilisation, self.schedule))


def _spoken(picture: Picture, text: str) -> str:
    return f"{picture.said}\n{text}" if picture.said else text


# --- cells ------------------------------------------------------------------------------------


def _cell() -> str:
    """The cell that runs now, as Jupyter names it; "" where there is none, or nobody tells."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)() or {}
    return str(parent.get("metadata", {}).get("cellId") or "")


_noticed: list[Any] = []


def _notice_cells() -> None:
    """Have widgets told when a cell that showed them runs anew."""
    shell = get_ipython()
    if shell is None or shell in _noticed:
        return
    _noticed.append(shell)
    shell.events.register("pre_run_cell", _cell_begins)


def _cell_begins(info: Any) -> None:
    if cell := getattr(info, "cell_id", None):
        for watcher in reader().watchers():
            if isinstance(watcher, Live):
                watcher.rerun(str(cell))
