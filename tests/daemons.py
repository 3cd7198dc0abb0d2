"""A daemon that the tests of a module share."""

from __future__ import annotations

import time

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import OPEN_STATES, Finish

SECONDS = 30.0


def emptied(session: str) -> None:
    """Leave the daemon as a new one, but for the numbers it gives: nothing waits, nothing runs, nothing is known."""
    lifecycle.find_or_start()
    client = DaemonClient(start=False)
    until = time.monotonic() + SECONDS
    while still := [task for task in client.tasks(limit=1000) if task.state in OPEN_STATES]:
        assert time.monotonic() < until, still
        for task in reversed(still):  # what waits for others first
            if task.kind == "run" or task.options.background:
                client.cancel(task.id)
            else:  # cancelling would interrupt the process that asked: this one
                client.finish(task.id, Finish(state="cancelled"))
        time.sleep(0.05)
    client.forget(session=session)
    client.close()
