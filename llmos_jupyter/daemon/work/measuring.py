"""How fast a model reads and writes on this machine, measured with its engine in a few seconds."""

from __future__ import annotations

import time
import uuid
from contextlib import aclosing

from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.engines import catalogue
from llmos_jupyter.engines.speaking.openai_http import Reply
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Speed
from llmos_jupyter.system import bandwidth, hardware

# About 150 tokens to read, which takes a 1.5B on two cores 4 s, and 32 to write, which takes it 2 s.
WORDS = "table column row mean median sum count filter join group plot axis label index value string date number "
ASKED = "Write the numbers from 1 to 200 in one line, with blanks between them, and nothing else."
TOKENS = 32


async def measure(engines: EngineRoom, name: str) -> Speed:
    """Load a model if it is not, and have it read and write what it has never seen. Raises LLMOSError if it cannot."""
    wanted = await engines.have(name)
    async with engines.use(wanted) as server:
        model = wanted.name
        # The first request pays for what an engine prepares at its first, and is not counted.
        for tokens in (1, TOKENS):
            text = f"{uuid.uuid4()} {WORDS * 6}\n{ASKED}"
            generation = Generation(messages=[Message(role="user", content=text)], max_tokens=tokens)
            async with aclosing(server.stream(generation)) as items:
                replies = [item async for item in items if isinstance(item, Reply)]
        timings = replies[-1].timings
        status = next((each for each in await engines.status(ask=False) if each.model == model), None)
    read = timings.prompt_tokens - timings.cached_tokens
    if status is None or not timings.prompt_ms or not timings.decode_ms or read <= 0:
        raise LLMOSError(f"The engine of {model} did not say how long it took: its speed cannot be measured.")
    writes = timings.tokens_per_second
    return Speed(
        model=model,
        engine=status.engine,
        device=status.device,
        reads=1000 * read / timings.prompt_ms,
        writes=writes,
        bandwidth_share=share(model, writes) if status.device == "cpu" else None,
        at=time.time(),
    )


def share(name: str, writes: float) -> float | None:
    """Of what the memory's bandwidth allows: for each token all weights are read that take part in it."""
    model = catalogue.resolve(name)
    weights = model.active_bytes or model.size_bytes
    limit = bandwidth.bytes_per_second(hardware.processors().physical)
    return writes * weights / limit if weights and limit else None
