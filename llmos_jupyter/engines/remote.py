"""A server elsewhere as the engine: nothing is started here, and everything about it is asked first."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable
from dataclasses import replace

import httpx

from llmos_jupyter.engines.address import Address, key_for
from llmos_jupyter.engines.capabilities import REMOTE, Capabilities
from llmos_jupyter.engines.openai_http import ANSWER, Server
from llmos_jupyter.engines.probing import Listing, listing, probe
from llmos_jupyter.engines.refusals import EngineGone
from llmos_jupyter.errors import LLMOSError

# Seconds without a byte: a server for many has a queue, and says nothing while one waits in it.
SILENCE = 300.0
# Models that a sentence names.
MODELS_NAMED = 6


class RemoteEngine:
    """One server elsewhere. Create, `await start()`, use `server`, `await stop()`; it has no process of ours."""

    engine = REMOTE
    pid = None
    memory_bytes = 0
    restarts = 0
    trouble = ""
    error = ""

    def __init__(
        self, address: Address, slots: int, context: int, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """`slots` and `context` (tokens) hold where the server does not say its own."""
        self.address = address
        self.model = address.name
        self.device = address.host
        self.slots = slots
        self.context = context
        self.capabilities = Capabilities()
        self._server: Server | None = None
        self._on_change = on_change

    @property
    def state(self) -> str:
        return "ready" if self._server else "starting"

    async def start(self) -> None:
        """Find out which model it serves and what it can do. Raises LLMOSError, with the remedy, if it serves none."""
        server = await asyncio.to_thread(server_at, self.address)
        listed = await listing(server)
        name = _chosen(self.address, listed)
        server = _named(server, name, Capabilities())
        try:
            self.capabilities = await probe(server, listed.maker)
        except EngineGone as error:
            raise LLMOSError(error.sentence or str(error)) from error
        if name in listed.names and (context := listed.contexts[listed.names.index(name)]):
            self.context = min(self.context, context)
        await self._ask_llama_cpp(server)
        self._server = _named(server, name, self.capabilities)
        self._on_change()

    async def server(self) -> Server:
        """Where it listens. Raises LLMOSError before it was started."""
        if self._server is None:
            raise LLMOSError(f"{self.address.url} has not been asked yet: ask again.")
        return self._server

    def restart(self, why: str) -> None:
        """Somebody else's process is not ours to end: the next request meets it as it is."""

    async def stop(self) -> None:
        self._server = None
        self._on_change()

    async def _ask_llama_cpp(self, server: Server) -> None:
        """llama.cpp's server says how many slots it has, and how much each can read."""
        if not self.capabilities.slots:
            return
        try:
            async with server.client(httpx.Timeout(ANSWER)) as client:
                slots = (await client.get("/slots")).json()
            self.slots = max(1, len(slots))
            self.context = min(self.context, *(int(slot["n_ctx"]) for slot in slots))
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return


def server_at(address: Address) -> Server:
    """How the server is spoken to, before anything is known of it. May ask the keyring."""
    return Server(
        address.root,
        key_for(address),
        Capabilities(),
        model=address.model,
        api=address.api,
        elsewhere=address.url,
        loopback=address.loopback,
        silence=SILENCE,
    )


def notice(address: Address) -> str:
    """What a user is told once of a server: that words leave the machine, and where to. Empty for this machine."""
    if address.loopback:
        return ""
    open_ = "" if address.encrypted else ", and unencrypted"
    return (
        f"From now on what you ask leaves this machine for {address.host}{open_}, with what is described of your code "
        "and variables; secrets that are recognised are masked first."
    )


def _named(server: Server, name: str, capabilities: Capabilities) -> Server:
    return replace(server, model=name, capabilities=capabilities)


def _chosen(address: Address, listed: Listing) -> str:
    """The model that is meant: the one that is named, or the only one."""
    names = listed.names
    if address.model:
        meant = [name for name in names if name == address.model or name.split(":")[0] == address.model]
        if names and not meant:
            near = difflib.get_close_matches(address.model, names, n=3, cutoff=0.3) or names[:MODELS_NAMED]
            raise LLMOSError(f"{address.url} has no model {address.model}: use {_or(address, near)}.")
        return meant[0] if meant else address.model
    if len(names) == 1:
        return names[0]
    if names:
        raise LLMOSError(f"{address.url} has several models: use {_or(address, names[:MODELS_NAMED])}.")
    raise LLMOSError(f"{address.url} does not list its models: name one, as in `%llmos use {address.url}#NAME`.")


def _or(address: Address, names: tuple[str, ...] | list[str]) -> str:
    return " or ".join(f"`%llmos use {address.url}#{name}`" for name in names)
