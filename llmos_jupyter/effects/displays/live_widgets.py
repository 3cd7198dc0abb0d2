"""Widgets by the ids under which the page knows them."""

from __future__ import annotations

import sys
from typing import Any

MIME = "application/vnd.jupyter.widget-view+json"


def live() -> dict[str, Any]:
    """ipywidgets' widgets of this process, by their ids."""
    found = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", None)
    return dict(found) if isinstance(found, dict) else {}


def shown_in(data: Any) -> str | None:
    """The id of the widget that an output shows; None if it shows none."""
    view = data.get(MIME) if type(data) is dict else None
    model = view.get("model_id") if type(view) is dict else None
    return model if type(model) is str else None


def is_progress_bar(widget: Any) -> bool:
    """Whether it is one of tqdm's, which is of no use once the loop has ended."""
    return type(widget).__module__.partition(".")[0] == "tqdm"
