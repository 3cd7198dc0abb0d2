"""Speaking to an inference server by the OpenAI HTTP API: one generation, streamed.

Each call takes a fresh connection: llama.cpp's server closes kept-alive connections after a streamed reply, and closing
the connection is also how a generation is stopped.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from httpx_sse import SSEError, aconnect_sse

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Progress, Timings, Token


class EngineGone(Exception):
    """The server went away in the middle; the generation can be asked again once it is back."""


@dataclass
class Reply:
    """The end of a generation."""

    finish: Literal["stop", "length"] = "stop"
    timings: Timings = field(default_factory=Timings)
    index: int = 0
    confidence: float | None = None
    doubt: float | None = None


@dataclass
class _Writing:
    """One candidate while it is written."""

    repeats: str = ""
    first: float = 0.0
    logprobs: list[float] = field(default_factory=list)

    def note_probabilities(self, found: dict[str, Any] | None) -> float | None:
        """Returns that of the last token told of, if any."""
        before = len(self.logprobs)
        # Servers that know no probabilities leave the field out, or send null.
        for token in (found or {}).get("content") or []:
            if isinstance(value := token.get("logprob"), int | float):
                self.logprobs.append(min(float(value), 0.0))
        return self.logprobs[-1] if len(self.logprobs) > before else None

    def new(self, text: str) -> str:
        """Text without what the model was given to go on from: the server sends that first."""
        if self.repeats.startswith(text):
            self.repeats = self.repeats[len(text) :]
            return ""
        repeated, self.repeats = self.repeats, ""
        return text.removeprefix(repeated)

    def reply(self, index: int, reason: str, timings: Timings) -> Reply:
        reply = Reply("length" if reason == "length" else "stop", timings, index)
        if self.logprobs:
            reply.confidence = math.exp(sum(self.logprobs) / len(self.logprobs))
            reply.doubt = math.exp(min(self.logprobs))
        return reply


@dataclass(frozen=True)
class Server:
    """Where an engine listens."""

    address: str
    api_key: str

    def _client(self, timeout: httpx.Timeout) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.api_key}", "Connection": "close"}
        # Proxy settings of the environment must not route what never leaves the machine.
        # Nor are certificates needed on the loopback: reading them would cost 30 ms a call.
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=timeout, trust_env=False, verify=False)

    async def healthy(self) -> bool:
        try:
            async with self._client(httpx.Timeout(5.0)) as client:
                return (await client.get("/health")).status_code == 200
        except httpx.HTTPError:
            return False

    async def busy(self) -> list[int]:
        """The slots that are generating now; none when the server cannot say."""
        try:
            async with self._client(httpx.Timeout(5.0)) as client:
                answer = await client.get("/slots")
            return [slot["id"] for slot in answer.json() if slot.get("is_processing")]
        except (httpx.HTTPError, ValueError, KeyError):
            return []

    async def cached(self) -> tuple[int, int] | None:
        """Tokens in the slots' cache, and how many it holds; None where the server cannot say."""
        try:
            async with self._client(httpx.Timeout(5.0)) as client:
                slots = (await client.get("/slots")).json()
            held = sum(slot.get("n_prompt_tokens", 0) + _decoded(slot) for slot in slots)
            return held, max(slot["n_ctx"] for slot in slots)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None

    async def save(self, slot: int, name: str) -> bool:
        """Keep what an idle slot has read and written under a name; false where the server cannot."""
        return await self._slot(slot, "save", name)

    async def restore(self, slot: int, name: str) -> bool:
        """Give a slot what was kept under a name; false where that is gone, or the server cannot."""
        return await self._slot(slot, "restore", name)

    async def _slot(self, slot: int, action: str, name: str) -> bool:
        try:
            async with self._client(httpx.Timeout(10.0)) as client:
                answer = await client.post(f"/slots/{slot}", params={"action": action}, json={"filename": name})
            return answer.status_code == 200
        except httpx.HTTPError:
            return False

    async def stream(
        self, generation: Generation, slot: int | None = None
    ) -> AsyncGenerator[Progress | Token | Reply, None]:
        """Generate: progress while the prompt is read, tokens, and one Reply as each candidate ends.

        `slot`: in this one; else the server chooses. Raises EngineGone when the server vanished, LLMOSError when it
        refused the request.
        """
        body = _body(generation)
        if slot is not None:
            body["id_slot"] = slot
        started = time.monotonic()
        writings = [_Writing(repeats=generation.prefix) for _ in range(generation.n)]
        timeout = httpx.Timeout(10.0, read=None)
        try:
            async with (
                self._client(timeout) as client,
                aconnect_sse(client, "POST", "/v1/chat/completions", json=body) as source,
            ):
                if source.response.status_code != 200:
                    raise _refusal(source.response.status_code, await source.response.aread())
                async for event in source.aiter_sse():
                    if event.data == "[DONE]":
                        return
                    chunk = json.loads(event.data)
                    if "error" in chunk:
                        raise _refusal(500, event.data.encode())
                    if reading := chunk.get("prompt_progress"):
                        yield Progress(phase="reading", done=reading["processed"], total=reading["total"])
                    for choice in chunk.get("choices", []):
                        index = choice.get("index", 0)
                        writing = writings[index]
                        logprob = writing.note_probabilities(choice.get("logprobs"))
                        if text := writing.new(choice["delta"].get("content") or ""):
                            writing.first = writing.first or time.monotonic()
                            yield Token(text=text, index=index, logprob=logprob)
                        if reason := choice.get("finish_reason"):
                            seconds = (writing.first or time.monotonic()) - started
                            yield writing.reply(index, reason, _timings(chunk.get("timings") or {}, seconds))
        except (httpx.TransportError, SSEError, json.JSONDecodeError) as error:
            raise EngineGone(str(error)) from error

    async def read_prompt(self, messages: list[Message]) -> Timings:
        """Read a prompt into the cache and generate nothing."""
        async for item in self.stream(Generation(messages=messages, max_tokens=0)):
            if isinstance(item, Reply):
                return item.timings
        return Timings()


def _body(generation: Generation) -> dict[str, Any]:
    messages = [message.model_dump() for message in generation.messages]
    if generation.prefix:
        # llama.cpp leaves a last message of the assistant's open, so that the model goes on with it.
        messages.append({"role": "assistant", "content": generation.prefix})
    body: dict[str, Any] = {
        "messages": messages,
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
        "stream": True,
        "cache_prompt": True,
        "return_progress": True,
        "logprobs": True,
    }
    if generation.n > 1:
        body["n"] = generation.n
    if generation.seed is not None:
        body["seed"] = generation.seed
    if generation.stop:
        body["stop"] = generation.stop
    if generation.grammar:
        body["grammar"] = generation.grammar
    return body


def _timings(found: dict[str, Any], first_token_seconds: float) -> Timings:
    return Timings(
        prompt_tokens=found.get("prompt_n", 0) + found.get("cache_n", 0),
        cached_tokens=found.get("cache_n", 0),
        prompt_ms=found.get("prompt_ms", 0.0),
        tokens=found.get("predicted_n", 0),
        decode_ms=found.get("predicted_ms", 0.0),
        first_token_ms=1000 * first_token_seconds,
    )


def _refusal(status: int, body: bytes) -> Exception:
    try:
        problem = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return LLMOSError(f"The engine refused the request (HTTP {status}): `%llmos doctor` shows its log.")
    if problem.get("type") == "exceed_context_size_error":
        return LLMOSError(
            "The request is longer than the model can read: shorten it, or use --no-context or --use NAME."
        )
    if status == 503:
        return EngineGone(problem.get("message", "loading"))
    return LLMOSError(f"The engine refused the request: {problem.get('message', 'no reason given')}.")


def _decoded(slot: dict[str, Any]) -> int:
    """Tokens that a slot has written of its answer so far; afterwards they are counted with the prompt."""
    if not slot.get("is_processing"):
        return 0
    return sum(int(token.get("n_decoded", 0)) for token in slot.get("next_token", []))
