"""What a server can do, found out by asking it: small requests, one for each thing, of a few tokens at the most.

Only what a server was seen to do counts: a field that it takes and ignores is as good as one that it refuses.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import httpx

from llmos_jupyter.engines import refusals
from llmos_jupyter.engines.capabilities import Capabilities
from llmos_jupyter.engines.openai_http import ANSWER, Server
from llmos_jupyter.engines.refusals import EngineGone, EngineHung
from llmos_jupyter.engines.replies import Reply
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message

# A grammar of the kinds of rules that ours have, which no model would follow unasked.
_GRAMMAR = 'root ::= "zq" rest*\nrest ::= [^`\\n] | "!"\n'
_QUESTION = [{"role": "user", "content": "Say: yes"}]


@dataclass(frozen=True)
class Listing:
    """What a server tells of its models: names, who made the server, the context of each in tokens (0: unsaid)."""

    names: tuple[str, ...] = ()
    maker: str = ""
    contexts: tuple[int, ...] = ()


async def listing(server: Server) -> Listing:
    """The server's models; nothing where it does not list them. Raises LLMOSError if it is no server, or lets us not
    in."""
    try:
        async with server.client(httpx.Timeout(2 * ANSWER)) as client:
            answer = await client.get(f"{server.api}/models")
    except httpx.ReadTimeout as error:
        raise LLMOSError(refusals.hung(2 * ANSWER, server.elsewhere).sentence) from error
    except httpx.TransportError as error:
        problem = refusals.broken(error, server.elsewhere)
        raise (LLMOSError(problem.sentence) if isinstance(problem, EngineGone) else problem) from error
    if answer.status_code in (404, 405, 501) and "html" not in answer.headers.get("content-type", ""):
        return Listing()
    if answer.status_code != 200:
        raise refusals.refusal(answer.status_code, answer.headers, answer.content, server.elsewhere)
    try:
        entries = [entry for entry in answer.json()["data"] if isinstance(entry["id"], str)]
    except (ValueError, KeyError, TypeError):
        raise refusals.no_server(server.elsewhere) from None
    return Listing(
        tuple(entry["id"] for entry in entries),
        str(entries[0].get("owned_by", "")).lower() if entries else "",
        tuple(_whole(entry.get("max_model_len")) for entry in entries),
    )


async def probe(server: Server, maker: str = "") -> Capabilities:
    """What the server can do. `maker`: as it calls itself in its listing; by it alone is decided what no small request
    can show, how a reply is gone on with.

    Raises LLMOSError, with the remedy, if it does not even answer the plainest request.
    """
    plain = replace(server, capabilities=Capabilities())
    await _plainest(plain)
    continues: dict[str, Any] = {"llamacpp": "open", "vllm": "flags", "sglang": "flags"}
    xgrammar = {"structured_outputs": {"grammar": _GRAMMAR}}
    pieces = {
        "logprobs": await _pieces(plain, {"logprobs": True}),
        "usage": await _pieces(plain, {"stream_options": {"include_usage": True}}),
        "candidates": await _pieces(plain, {"n": 2, "temperature": 1.0}),
        "progress": await _pieces(plain, {"cache_prompt": True, "return_progress": True}),
        "seed": await _pieces(plain, {"seed": 1}),
        "shortest": await _pieces(plain, {"max_tokens": 0}),
    }
    gbnf = _text(await _pieces(plain, {"grammar": _GRAMMAR, "max_tokens": 8}))
    ebnf = "" if gbnf.startswith("zq") else _text(await _pieces(plain, {**xgrammar, "max_tokens": 8}))
    return Capabilities(
        key="own" if await server.guarded() else "",
        grammar="gbnf" if gbnf.startswith("zq") else "xgrammar" if ebnf.startswith("zq") else "",
        logprobs=any((choice.get("logprobs") or {}).get("content") for choice in _choices(pieces["logprobs"])),
        candidates={choice.get("index") for choice in _choices(pieces["candidates"])} >= {0, 1},
        continues=continues.get(maker, ""),
        slots=await replace(server, capabilities=Capabilities(slots=True)).busy() is not None,
        progress=any("prompt_progress" in piece for piece in pieces["progress"]),
        seed=bool(pieces["seed"]),
        usage=any((piece.get("usage") or {}).get("completion_tokens") for piece in pieces["usage"]),
        # llama.cpp writes one token then; who ignores the field writes on.
        shortest=0 if pieces["shortest"] and len(_written(pieces["shortest"])) <= 1 else 1,
    )


async def _plainest(server: Server) -> None:
    """The request that every server must answer; a first load there may take long."""
    asked = Generation(messages=[Message(role="user", content="Say: yes")], max_tokens=1)
    try:
        async with contextlib.aclosing(server.stream(asked)) as items:
            async for item in items:
                if isinstance(item, Reply):
                    return
    except EngineGone as error:
        raise LLMOSError(error.sentence or f"The engine does not answer ({error}).") from error
    raise refusals.no_server(server.elsewhere)


async def _pieces(server: Server, extra: dict[str, Any]) -> list[dict[str, Any]]:
    """All pieces of the reply to a small request with these fields; none if it was refused."""
    body = {"messages": _QUESTION, "max_tokens": 2, "temperature": 0.0, "stream": True}
    if server.model:
        body["model"] = server.model
    try:
        return [piece async for piece in server.events(body | extra)]
    except EngineHung:
        raise
    except (LLMOSError, EngineGone):
        return []


def _choices(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [choice for piece in pieces for choice in piece.get("choices") or []]


def _written(pieces: list[dict[str, Any]]) -> list[str]:
    texts = [(choice.get("delta") or {}).get("content") or "" for choice in _choices(pieces)]
    return [text for text in texts if text]


def _text(pieces: list[dict[str, Any]]) -> str:
    return "".join(_written(pieces))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
