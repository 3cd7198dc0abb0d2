"""Why an object cannot come home, said by what it is: it belongs to the process, or is half way through code."""

from __future__ import annotations

from llmos_jupyter.effects.objects.layout import mro

# By module and class: the sentence's end after "it is".
_IS: dict[tuple[str, str], str] = {
    ("builtins", "generator"): "a generator, which is half way through its code; keep its items in a list",
    ("builtins", "async_generator"): "an async generator, which is half way through its code",
    ("builtins", "coroutine"): "a coroutine that was not awaited",
    ("builtins", "frame"): "the frame of a function that runs",
    ("builtins", "traceback"): "a traceback, which holds functions that run",
    ("builtins", "memoryview"): "a view of another object's memory; keep the object, or `bytes` of the view",
    ("sqlite3", "Connection"): "an open connection to a database",
    ("sqlite3", "Cursor"): "a cursor of an open connection to a database",
    ("socket", "socket"): "a network connection",
    ("_socket", "socket"): "a network connection",
    ("threading", "Thread"): "a thread",
    ("multiprocessing.process", "BaseProcess"): "a process",
    ("subprocess", "Popen"): "a process",
    ("concurrent.futures._base", "Executor"): "a pool of threads or processes",
    ("concurrent.futures._base", "Future"): "a result that a thread or a process still owes",
    ("asyncio.tasks", "Task"): "a task of the event loop",
    ("_asyncio", "Task"): "a task of the event loop",
    ("_asyncio", "Future"): "a result that the event loop still owes",
    ("ipywidgets.widgets.widget", "Widget"): "a widget, which is connected to the page",
    ("requests.sessions", "Session"): "a session with open connections",
    ("mmap", "mmap"): "a mapped file",
    ("tempfile", "TemporaryDirectory"): "a temporary folder, which was deleted with the sandbox",
}


def of_class(cls: type) -> str | None:
    """A clause for an object of a class that never comes home; None where its class says nothing of that."""
    for base in mro(cls):
        said = _IS.get((str(base.__module__), base.__name__))
        if said is not None:
            return f"it is {said}"
    return None
