"""The models a user may choose, and the settings."""

from __future__ import annotations

from pydantic import Field

from llmos_jupyter.protocol.base import Wire


class ModelInfo(Wire):
    """A model the user may choose, and how it fits this machine."""

    name: str
    title: str
    size_bytes: int
    memory_bytes: int = Field(description="weights and context together, estimated")
    context: int
    licence: str
    downloaded: bool
    fits: bool
    automatic: bool = Field(False, description="what `auto` means on this machine now")
    why: str = ""


class Speed(Wire):
    """What a model did on this machine when it was measured, alone with its engine: tokens a second."""

    model: str
    engine: str
    device: str
    reads: float = Field(description="of a prompt that was not known")
    writes: float = Field(description="of one reply")
    bandwidth_share: float | None = Field(None, description="of what the memory's bandwidth allows; on processors")
    at: float = Field(description="seconds since the epoch")


class ModelName(Wire):
    name: str


class Pin(Wire):
    """Whether a model stays loaded whatever else is."""

    name: str
    pinned: bool


class Setting(Wire):
    """A new value for one of the user's settings, as `%llmos config NAME=VALUE` takes it."""

    name: str
    value: str
