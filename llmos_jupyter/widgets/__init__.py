"""What a notebook shows: of an answer, and of tasks, utilisation and schedule.

`TaskQueue`, `Utilisation`, `ScheduleGantt` and `Dashboard` need the extra `lab` and are only then imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_jupyter.widgets.dashboard import Dashboard, ScheduleGantt, TaskQueue, Utilisation

__all__ = ["Dashboard", "ScheduleGantt", "TaskQueue", "Utilisation"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from llmos_jupyter.widgets import dashboard
    except ImportError as error:
        from llmos_jupyter.errors import LLMOSError

        raise LLMOSError(
            f"The widgets need ipywidgets, plotly and anywidget ({error}): install them with "
            "`pip install 'llmos-jupyter[lab]'`, then restart the kernel."
        ) from error
    return getattr(dashboard, name)
