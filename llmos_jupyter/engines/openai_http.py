"""Speaking to an inference server by the OpenAI HTTP API: one generation, streamed.

Each call takes a fresh connection: llama.cpp's server closes kept-alive connections after a streamed reply, and closing
the connection is also how a generation is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from llmos_jupyter.engines import refusals
from llmos_jupyter.engines.capabilities import LLAMA_CPP, TABLE, Capabilities, request
from llmos_jupyter.engines.continuing import GO_ON
from llmos_jupyter.engines.refusals import EngineGone, EngineHung
from llmos_jupyter.engines.replies import Reply, Writing
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Progress, Timings, Token

__all__ = ["EngineGone", "EngineHung", "Reply", "Server"]

# Seconds for an answer to a small question; and for one whose answer is only nice to have.
ANSWER, GLANCE = 5.0, 0.5
# Seconds without a byte, after which a server is taken to hang. llama.cpp tells of every batch of 32 tokens that it
# has read, and the slowest that was seen, beside busy processes, was under one token a second.
SILENCE = 120.0


@dataclass(frozen=True)
class Server:
    """Where an engine listens, and what it can do.

    `address` is the server's root, `api` the path of its OpenAI routes. `model` is its own name for the model.
    `elsewhere` is the address for people if it is not an engine of ours; then only there do certificates and the
    environment's proxies count, unless it is this machine (`loopback`). `silence`: seconds without a byte.
    """

    address: str
    api_key: str
    capabilities: Capabilities = TABLE[LLAMA_CPP]
    model: str = ""
    api: str = "/v1"
    elsewhere: str = ""
    loopback: bool = True
    silence: float = SILENCE
    turns: asyncio.Semaphore | None = field(default=None, compare=False)

    def client(self, timeout: httpx.Timeout) -> httpx.AsyncClient:
        headers = {"Connection": "close"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        # Proxy settings of the environment must not route what never leaves the machine. Nor are certificates needed
        # there, unless it is encrypted all the same: reading them would cost 30 ms a call. SSL_CERT_FILE counts then.
        verify = httpx.create_ssl_context() if self.address.startswith("https:") else False
        return httpx.AsyncClient(
            base_url=self.address, headers=headers, timeout=timeout, trust_env=not self.loopback, verify=verify
        )

    async def healthy(self, seconds: float = ANSWER) -> bool:
        try:
            async with self.client(httpx.Timeout(seconds)) as client:
                return (await client.get("/health")).status_code == 200
        except httpx.HTTPError:
            return False

    async def guarded(self) -> bool:
        """Whether it refuses one who has no key."""
        try:
            async with replace(self, api_key="").client(httpx.Timeout(ANSWER)) as client:
                answer = await client.post(f"{self.api}/chat/completions", json={"messages": []})
                return answer.status_code in (401, 403)
        except httpx.HTTPError:
            return False

    async def busy(self) -> list[int] | None:
        """The slots that are generating now; None when the server cannot say, or not at once."""
        slots = await self._slots()
        try:
            return None if slots is None else [slot["id"] for slot in slots if slot.get("is_processing")]
        except KeyError:
            return None

    async def cached(self) -> tuple[int, int] | None:
        """Tokens in the slots' cache, and how many it holds; None where the server cannot say."""
        slots = await self._slots()
        try:
            if slots is None:
                return None
            held = sum(slot.get("n_prompt_tokens", 0) + _decoded(slot) for slot in slots)
            return held, max(slot["n_ctx"] for slot in slots)
        except (ValueError, KeyError, TypeError):
            return None

    async def _slots(self) -> list[dict[str, Any]] | None:
        if not self.capabilities.slots:
            return None
        try:
            async with self.client(httpx.Timeout(GLANCE)) as client:
                slots = (await client.get("/slots")).json()
        except (httpx.HTTPError, ValueError):
            return None
        return slots if isinstance(slots, list) else None

    async def save(self, slot: int, name: str) -> bool:
        """Keep what an idle slot has read and written under a name; false where the server cannot."""
        return await self._slot(slot, "save", name)

    async def restore(self, slot: int, name: str) -> bool:
        """Give a slot what was kept under a name; false where that is gone, or the server cannot."""
        return await self._slot(slot, "restore", name)

    async def _slot(self, slot: int, action: str, name: str) -> bool:
        if not self.capabilities.slots:
            return False
        try:
            async with self.client(httpx.Timeout(10.0)) as client:
                answer = await client.post(f"/slots/{slot}", params={"action": action}, json={"filename": name})
            return answer.status_code == 200
        except httpx.HTTPError:
            return False

    async def stream(
        self, generation: Generation, slot: int | None = None
    ) -> AsyncGenerator[Progress | Token | Reply, None]:
        """Generate: progress while the prompt is read, tokens, and one Reply as each candidate ends.

        `slot`: in this one; else the server chooses. Raises EngineGone when the server vanished, EngineHung when it
        says nothing any more, LLMOSError when it refused the request.
        """
        together = generation.n == 1 or self.capabilities.candidates
        parts = [generation] if together else _one_by_one(generation)
        for number, part in enumerate(parts):
            async with contextlib.aclosing(self._written(part, slot)) as items:
                async for item in items:
                    yield item if together or isinstance(item, Progress) else _numbered(item, number)

    async def _written(
        self, generation: Generation, slot: int | None
    ) -> AsyncGenerator[Progress | Token | Reply, None]:
        """The candidates of one request."""
        writings = [Writing(generation, self.capabilities, index) for index in range(generation.n)]
        # Who says in a last piece what was used says it behind the end of the reply.
        last: Writing | None = None
        usage: dict[str, Any] = {}
        async with contextlib.aclosing(self.events(self.body(generation, slot))) as events:
            async for chunk in events:
                usage = chunk.get("usage") or usage
                if reading := chunk.get("prompt_progress"):
                    yield Progress(phase="reading", done=reading["processed"], total=reading["total"])
                for choice in chunk.get("choices") or []:
                    writing = writings[choice.get("index", 0)]
                    logprob = writing.note_probabilities(choice.get("logprobs"))
                    text = writing.new((choice.get("delta") or {}).get("content") or "")
                    reason = choice.get("finish_reason") or ("stop" if writing.closed else "")
                    if reason and not writing.ended:
                        text += writing.end(reason)
                        last = writing if not chunk.get("timings") and len(writings) == 1 else None
                    if text:
                        yield Token(text=text, index=writing.index, logprob=logprob)
                    if reason and last is None:
                        yield writing.reply(chunk.get("timings") or {}, {})
                if last is not None and last.closed:
                    break  # what a model writes behind its code block is not waited for
        if last is not None:
            yield last.reply({}, usage)
        if not all(writing.ended for writing in writings):
            raise refusals.broken(httpx.RemoteProtocolError("the stream ended before the answer"), self.elsewhere)

    def body(self, generation: Generation, slot: int | None = None) -> dict[str, Any]:
        """What is sent for a generation: nothing that the server does not take."""
        messages = [message.model_dump() for message in generation.messages]
        if generation.prefix:
            messages.append({"role": "assistant", "content": generation.prefix})
            if not self.capabilities.continues:
                messages.append({"role": "user", "content": GO_ON})
        return request(
            self.capabilities,
            model=self.model,
            messages=messages,
            max_tokens=generation.max_tokens,
            temperature=generation.temperature,
            n=generation.n,
            seed=generation.seed,
            stop=generation.stop,
            grammar=generation.grammar,
            slot=slot,
            continues=bool(generation.prefix),
        )

    async def events(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The pieces of a streamed chat, in its turn. Raises as `stream` does."""
        timeout = httpx.Timeout(10.0, read=self.silence)
        async with self.turns or contextlib.nullcontext():
            try:
                async with (
                    self.client(timeout) as client,
                    client.stream("POST", f"{self.api}/chat/completions", json=body) as response,
                ):
                    if response.status_code != 200:
                        raise refusals.refusal(
                            response.status_code, response.headers, await response.aread(), self.elsewhere
                        )
                    async for chunk in self._chunks(response):
                        yield chunk
            except (SSEError, ValueError, TypeError, AttributeError) as error:
                if self.elsewhere:
                    raise refusals.no_server(self.elsewhere) from error
                raise EngineGone(str(error)) from error
            except httpx.ReadTimeout as error:
                raise refusals.hung(self.silence, self.elsewhere) from error
            except httpx.TransportError as error:
                raise refusals.broken(error, self.elsewhere) from error

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        async for event in EventSource(response).aiter_sse():
            if event.data == "[DONE]":
                return
            try:
                chunk = json.loads(event.data)
            except ValueError:
                # `transformers serve` puts the text of an exception between quotes as it is.
                if not event.data.startswith('{"error": "'):
                    raise
                chunk = {"error": event.data.removeprefix('{"error": "').removesuffix('"}')}
            if "error" in chunk:
                raise refusals.refusal(500, {}, json.dumps(chunk).encode(), self.elsewhere)
            self._check_name(chunk.get("model"))
            yield chunk

    def _check_name(self, name: object) -> None:
        """A server elsewhere must answer with the model that was asked for; `org/name:tag` and `name` are one."""
        if self.elsewhere and isinstance(name, str) and name and self.model and not _same_model(name, self.model):
            raise LLMOSError(
                f"{self.elsewhere} answers with the model {name} where {self.model} was asked for: if you want that, "
                f"write `%llmos use {self.elsewhere}#{name}`."
            )

    async def read_prompt(self, messages: list[Message]) -> Timings:
        """Read a prompt into the cache and generate nothing, or as little as the server can."""
        async for item in self.stream(Generation(messages=messages, max_tokens=0)):
            if isinstance(item, Reply):
                return item.timings
        return Timings()


def _one_by_one(generation: Generation) -> list[Generation]:
    """The candidates as generations of their own; with one seed for all they would all be the same."""
    seeds = [None if generation.seed is None else generation.seed + number for number in range(generation.n)]
    return [generation.model_copy(update={"n": 1, "seed": seed}) for seed in seeds]


def _numbered(item: Token | Reply, number: int) -> Token | Reply:
    return item.model_copy(update={"index": number}) if isinstance(item, Token) else replace(item, index=number)


def _same_model(name: str, asked: str) -> bool:
    """Dated and tagged names are what servers make of short ones: `m` and `m:latest`, `m-2026-01-01`, `org/m`."""
    name, asked = name.lower(), asked.lower()
    short, long = sorted((name.rpartition("/")[2], asked.rpartition("/")[2]), key=len)
    return long.startswith(short)


def _decoded(slot: dict[str, Any]) -> int:
    """Tokens that a slot has written of its answer so far; afterwards they are counted with the prompt."""
    if not slot.get("is_processing"):
        return 0
    return sum(int(token.get("n_decoded", 0)) for token in slot.get("next_token", []))
