"""What each sub-command of %llmos does: a function of its name for each row of the table in `subcommands`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llmos_jupyter import config, paths
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.replay.recording import notebook_requests, recording_named, trusted
from llmos_jupyter.agent.replay.recording_place import notebook_file
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import OPEN_STATES
from llmos_jupyter.reports import doctor
from llmos_jupyter.reports.tables import lesson_table, model_table, resource_table, status_text
from llmos_jupyter.session.notebook import AnswerFailed, Notebook
from llmos_jupyter.session.subcommands import SUBCOMMANDS, help_text
from llmos_jupyter.session.tasks import priority, write_trace
from llmos_jupyter.widgets.queue import queue_text
from llmos_jupyter.widgets.story import story_text, task_line

if TYPE_CHECKING:
    from llmos_jupyter.protocol import Task
    from llmos_jupyter.protocol.jobs import Ended


Run = Callable[["Notebook", str], None]

_FUNCTIONS: dict[str, Run] = {}


def _subcommand(function: Run) -> Run:
    """Enter a function under its name, which must be in the table."""
    name = function.__name__.removeprefix("_")
    _FUNCTIONS[SUBCOMMANDS[name].name] = function
    return function


def run(notebook: Notebook, name: str, argument: str) -> None:
    """Run one sub-command and show what it says."""
    try:
        _FUNCTIONS[name](notebook, argument)
    except LLMOSError as error:
        raise AnswerFailed(str(error)) from error


@_subcommand
def _status(notebook: Notebook, argument: str) -> None:
    print(status_text(notebook.client.status()))


@_subcommand
def _models(notebook: Notebook, argument: str) -> None:
    print(model_table(notebook.client.models(), notebook.client.status().engines))


@_subcommand
def _use(notebook: Notebook, argument: str) -> None:
    print(notebook.use(argument))


@_subcommand
def _history(notebook: Notebook, argument: str) -> None:
    tasks = notebook.client.tasks(session=notebook.session.id, limit=min(int(argument or 20), 1000))
    print("\n".join(map(task_line, tasks)) or "No request has been made in this notebook.")


@_subcommand
def _code(notebook: Notebook, argument: str) -> None:
    if argument:
        keys = [argument]
    else:
        # The last one that has code: a question in between does not hide it.
        keys = [str(task.number) for task in reversed(notebook.client.tasks(session=notebook.session.id))]
    for key in keys:
        if code := notebook.client.trace(key).code:
            print(code)
            notebook.shell.set_next_input(code)
            return
    raise LLMOSError(f"Request {argument} was answered without code." if argument else "There is no code yet.")


@_subcommand
def _why(notebook: Notebook, argument: str) -> None:
    from IPython.display import display

    story = notebook.client.story(argument or str(_last(notebook).number))
    text = story_text(story)
    if hasattr(notebook.shell, "kernel"):
        display({"text/markdown": story_text(story, markdown=True), "text/plain": text}, raw=True)
    else:
        print(text)


@_subcommand
def _cancel(notebook: Notebook, argument: str) -> None:
    keys = [argument] if argument else [str(task.number) for task in _open(notebook)]
    for key in keys:
        task = notebook.client.cancel(key)
        print(f"Request {task.number} is {task.state}.")
    if not keys:
        print("Nothing is running.")


@_subcommand
def _queue(notebook: Notebook, argument: str) -> None:
    print(queue_text(notebook.client.queue()))


@_subcommand
def _dashboard(notebook: Notebook, argument: str) -> None:
    notebook.client.status()  # starts the daemon if there is none: the widgets do not
    if not hasattr(notebook.shell, "kernel"):
        from llmos_jupyter.widgets.live import look
        from llmos_jupyter.widgets.saved import dashboard_text

        print(dashboard_text(look(notebook.client)))
        return
    from IPython.display import display

    from llmos_jupyter.widgets import Dashboard

    display(Dashboard())


@_subcommand
def _resources(notebook: Notebook, argument: str) -> None:
    print(resource_table(notebook.client.resources()))


@_subcommand
def _learned(notebook: Notebook, argument: str) -> None:
    print(lesson_table(notebook.client.learned()))


@_subcommand
def _trace(notebook: Notebook, argument: str) -> None:
    print(write_trace(notebook.client, argument))


@_subcommand
def _wait(notebook: Notebook, argument: str) -> None:
    # Without a number all of this notebook's, also those that ended a moment ago and whose results come now.
    keys = [argument] if argument else notebook.background.unsettled()
    for key in keys:
        handle = notebook.background.handle(key)
        if handle is None and argument:
            raise LLMOSError(f"Task {key} was not begun in this notebook: `%llmos result {key}` shows what it showed.")
        if handle is not None:
            notebook.wait(handle)
            print(handle.board.head)


@_subcommand
def _result(notebook: Notebook, argument: str) -> None:
    from IPython.display import display

    from llmos_jupyter.widgets.board import Board

    board = Board(f"task {argument}")
    task = notebook.client.trace(argument).task
    if task.state in OPEN_STATES:
        for output in notebook.client.shown(argument):
            board.add(output.item)
    else:
        for item in notebook.client.outputs(argument):
            board.add(item if item.type == "ended" else item.item)
            if item.type == "ended" and item.results and notebook.background.handle(argument) is None:
                board.notes += _adopted(notebook, item, task.number)
    for bundle in ([board.answer] if board.answer else []) + [board.bundle()]:
        if hasattr(notebook.shell, "kernel"):
            display(bundle, raw=True)
        else:
            print(bundle["text/plain"])


def _adopted(notebook: Notebook, ended: Ended, number: int) -> list[str]:
    """Bring in what a task of another notebook made, or of this one before its kernel was restarted."""
    if ended.results is None or not Path(ended.results.folder).is_dir():
        return []
    merged = notebook.background.bring_in(ended.results, {}, number, ours=ended.answered is not None)
    came = [f"Brought in: {', '.join(f'`{name}`' for name in merged.set)}."] if merged.set else []
    return came + merged.sentences()


@_subcommand
def _retry(notebook: Notebook, argument: str) -> None:
    task = notebook.client.retry(argument)
    print(f"Task {task.number} waits again: `%llmos result {task.number}` shows what it shows.")


@_subcommand
def _pause(notebook: Notebook, argument: str) -> None:
    task = notebook.client.pause(argument)
    print(f"Task {task.number} is paused: `%llmos resume {task.number}` lets it go on.")


@_subcommand
def _resume(notebook: Notebook, argument: str) -> None:
    task = notebook.client.resume(argument)
    print(f"Task {task.number} waits for its turn again.")


@_subcommand
def _priority(notebook: Notebook, argument: str) -> None:
    key, text = argument.split()
    try:
        task = notebook.client.prioritise(key, priority(text))
    except ValueError as error:
        raise LLMOSError(str(error)) from None
    print(f"Task {task.number} now has priority {text}.")


@_subcommand
def _allow(notebook: Notebook, argument: str) -> None:
    print(notebook.rights.grants.allow(argument))


@_subcommand
def _allowed(notebook: Notebook, argument: str) -> None:
    print("\n".join(notebook.rights.grants.allowed()))


@_subcommand
def _revoke(notebook: Notebook, argument: str) -> None:
    print(notebook.rights.grants.revoke(argument))


@_subcommand
def _undo(notebook: Notebook, argument: str) -> None:
    print("\n".join(notebook.undo(argument)))


@_subcommand
def _feedback(notebook: Notebook, argument: str) -> None:
    thumb, _, key = argument.partition(" ")
    given: dict[str, Literal["", "up", "down"]] = {"up": "up", "down": "down", "none": ""}
    task = notebook.client.feedback(key.strip() or str(_last(notebook).number), given[thumb])
    print(f"Request {task.number}: {thumb if task.feedback else 'no opinion'}. Thank you: answers are chosen by it.")


@_subcommand
def _replay(notebook: Notebook, argument: str) -> None:
    recording = notebook.recording()
    if argument == "clear":
        print(recording.clear())
        return
    requests = notebook_requests(notebook_file(notebook.shell))
    states = recording.status(notebook.shell.user_ns, notebook.context.answers, requests)
    for state in states:
        said = f"asked: {state.why}"
        if state.replayed:
            said = f"replayed, its code after a question: {state.why}" if state.why else "replayed"
        print(f"{' '.join(state.request.split())[:80]}\n    {said}")
    if not states:
        print(f"No answer is recorded in {recording.file.name} yet.")


@_subcommand
def _trust(notebook: Notebook, argument: str) -> None:
    if notebook.busy:
        raise LLMOSError("An answer is running, and its code cannot trust recordings: write `%llmos trust` yourself.")
    print(trusted(recording_named(argument.strip("\"'"))))


@_subcommand
def _forget(notebook: Notebook, argument: str) -> None:
    count = notebook.client.forget(notebook.session.id, notebook.session.notebook)
    notebook.context = NotebookContext(notebook.shell)
    print(f"Forgot {count} request{'s' * (count != 1)} of this notebook, with all that was sent and came back.")
    recording = notebook.recording()
    if recording.file.exists():
        print(f"Its recorded answers are still in {recording.file}: `%llmos replay clear` removes them.")
    for file in sorted(recording.file.parent.glob(f"{recording.file.name}.damaged*")):
        print(f"A recording that could not be read is still in {file}: delete it by hand.")
    database = paths.database_file()
    if aside := sorted(database.parent.glob(f"{database.name}.damaged-*")):
        files = ", ".join(file.name for file in aside)
        print(f"Damaged databases set aside in {database.parent} may hold older requests: delete {files} by hand.")


@_subcommand
def _doctor(notebook: Notebook, argument: str) -> None:
    print(doctor.report(measure=argument == "--measure"))


@_subcommand
def _config(notebook: Notebook, argument: str) -> None:
    print(config.table(config.change(argument) if argument else config.load()))


@_subcommand
def _help(notebook: Notebook, argument: str) -> None:
    print(help_text())


def _last(notebook: Notebook) -> Task:
    tasks = notebook.client.tasks(session=notebook.session.id, limit=1)
    if not tasks:
        raise LLMOSError("No request has been made in this notebook yet.")
    return tasks[-1]


def _open(notebook: Notebook) -> list[Task]:
    return [task for task in notebook.client.tasks(limit=1000) if task.state in OPEN_STATES]
