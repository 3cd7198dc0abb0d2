"""The base of all protocol types, and the protocol's number."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

PROTOCOL = 1


class Wire(BaseModel):
    """Base of all protocol types: unknown fields are refused, so that a typo is not silence."""

    model_config = ConfigDict(extra="forbid")


class Message(Wire):
    """One message of a conversation with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Problem(Wire):
    """The body of every error answer: one sentence that says what to do."""

    message: str
