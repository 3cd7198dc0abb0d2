"""Server-sent events."""

from __future__ import annotations

from sse_starlette import EventSourceResponse


class EventStream(EventSourceResponse):
    """Server-sent events that the OpenAPI schema knows as such."""

    media_type = "text/event-stream"
