"""Reading the replies of a stream: pieces of text, probabilities, where each candidate ends and what it took."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from llmos_jupyter.engines.capabilities import Capabilities
from llmos_jupyter.engines.continuing import OneBlock, Rest
from llmos_jupyter.protocol import Generation, Timings


@dataclass
class Reply:
    """The end of a generation."""

    finish: Literal["stop", "length"] = "stop"
    timings: Timings = field(default_factory=Timings)
    index: int = 0
    confidence: float | None = None
    doubt: float | None = None


class Repeated:
    """What a server that goes on with a reply by itself may send first: the beginning that it was given."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning

    def new(self, text: str) -> str:
        if self._beginning.startswith(text):
            self._beginning = self._beginning[len(text) :]
            return ""
        repeated, self._beginning = self._beginning, ""
        return text.removeprefix(repeated)

    def end(self) -> str:
        return ""


class Writing:
    """One candidate while it is written."""

    def __init__(self, generation: Generation, capabilities: Capabilities, index: int) -> None:
        self.index = index
        self.closed = False
        self.ended: Literal["", "stop", "length"] = ""
        self.pieces = 0
        self.began = time.monotonic()
        self.first = 0.0
        self._logprobs: list[float] = []
        asked_in_words = generation.prefix and not capabilities.continues
        self._rest = Rest(generation.prefix) if asked_in_words else Repeated(generation.prefix)
        self._block = OneBlock(generation.prefix) if generation.grammar and not capabilities.grammar else None

    def note_probabilities(self, told: dict[str, Any] | None) -> float | None:
        """Returns that of the last token told of, if any."""
        before = len(self._logprobs)
        # Servers that know no probabilities leave the field out, or send null.
        for token in (told or {}).get("content") or []:
            if isinstance(value := token.get("logprob"), int | float):
                self._logprobs.append(min(float(value), 0.0))
        return self._logprobs[-1] if len(self._logprobs) > before else None

    def new(self, text: str) -> str:
        """The text of a piece that is new and belongs to the reply."""
        self.pieces += 1
        return self._belongs(self._rest.new(text)) if text else ""

    def end(self, reason: str) -> str:
        """It ends, for this reason; returns what was held back until now."""
        self.ended = "length" if reason == "length" else "stop"
        return self._belongs(self._rest.end())

    def _belongs(self, text: str) -> str:
        if text:
            self.first = self.first or time.monotonic()
        if self._block is None or not text:
            return text
        kept = self._block.take(text)
        self.closed = self._block.closed
        return kept

    def reply(self, timings: dict[str, Any], usage: dict[str, Any]) -> Reply:
        """The end, with what the server says that it took: llama.cpp in `timings`, others in `usage`, or not at all."""
        reply = Reply(self.ended or "stop", self._timings(timings, usage), self.index)
        if self._logprobs:
            reply.confidence = math.exp(sum(self._logprobs) / len(self._logprobs))
            reply.doubt = math.exp(min(self._logprobs))
        return reply

    def _timings(self, told: dict[str, Any], usage: dict[str, Any]) -> Timings:
        now = time.monotonic()
        first = self.first or now
        if told:
            return Timings(
                prompt_tokens=told.get("prompt_n", 0) + told.get("cache_n", 0),
                cached_tokens=told.get("cache_n", 0),
                prompt_ms=told.get("prompt_ms", 0.0),
                tokens=told.get("predicted_n", 0),
                decode_ms=told.get("predicted_ms", 0.0),
                first_token_ms=1000 * (first - self.began),
            )
        return Timings(
            prompt_tokens=usage.get("prompt_tokens") or 0,
            cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
            prompt_ms=1000 * (first - self.began),
            tokens=usage.get("completion_tokens") or self.pieces,
            decode_ms=1000 * (now - first),
            first_token_ms=1000 * (first - self.began),
        )
