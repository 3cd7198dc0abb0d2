"""What each engine can do: one table, which the client that speaks to engines, `llmos doctor` and docs/devices.md ask.

Nothing is assumed of a server: the rows of our own engines are held to what the real servers answer (`probing`, and
its tests), and a server elsewhere is probed when it is first used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

# Names of the engines, as the table and `status` say them.
LLAMA_CPP, MLX, TRANSFORMERS, REMOTE = "llama.cpp", "mlx_lm.server", "transformers serve", "OpenAI-compatible server"


@dataclass(frozen=True)
class Capabilities:
    """What one server can do. The plainest server that is of any use streams a chat and has nothing of this.

    key: it refuses who does not know its key, by itself or by our gate. grammar: the dialect in which it can be held to
    one. logprobs: a streamed token comes with its log-probability. candidates: several are written from one reading of
    the prompt (`n`). continues: how it goes on from what an assistant's last message has begun: by itself ("open"), or
    by the two flags of vLLM and SGLang. slots: it says which are busy, and saves and restores them. progress: it tells
    how far it has read. usage: it counts the tokens of a stream. warms: it keeps what it has read for the next request.
    sampling: what has a reply sampled, a temperature alone or `do_sample` beside it. shortest: the least `max_tokens`
    it takes.
    """

    key: Literal["", "own", "gate"] = ""
    grammar: Literal["", "gbnf", "xgrammar"] = ""
    logprobs: bool = False
    candidates: bool = False
    continues: Literal["", "open", "flags"] = ""
    slots: bool = False
    progress: bool = False
    seed: bool = False
    usage: bool = False
    warms: bool = False
    sampling: Literal["temperature", "do_sample"] = "temperature"
    adapters: bool = False
    pictures: bool = False
    shortest: Literal[0, 1] = 1


# Versions: xllamacpp 2026.10 (llama.cpp b11549), mlx-lm 0.32.2, transformers 5.24.
TABLE: Mapping[str, Capabilities] = MappingProxyType(
    {
        LLAMA_CPP: Capabilities(
            key="own",
            grammar="gbnf",
            logprobs=True,
            candidates=True,
            continues="open",
            slots=True,
            progress=True,
            seed=True,
            usage=True,
            warms=True,
            adapters=True,
            shortest=0,
        ),
        # It computes log-probabilities, but leaves them out of streams (`generate_response` is given none there).
        MLX: Capabilities(key="gate", seed=True, usage=True, warms=True, adapters=True),
        # Without continuous batching it keeps nothing of a prompt for the next request.
        TRANSFORMERS: Capabilities(key="gate", seed=True, usage=True, sampling="do_sample"),
    }
)

# Fields that a server refuses or does not know, so that nobody sends them: for the page of the docs.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        LLAMA_CPP: "none of ours",
        MLX: "ignores `grammar`, `n`, `id_slot`, `cache_prompt`, `return_progress`",
        TRANSFORMERS: "answers 422 to `grammar`, `id_slot`, `cache_prompt`, `return_progress`; ignores `logprobs`, `n`",
        REMOTE: "as probed",
    }
)

# What is said of something that an engine lacks: what is done in its place.
_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "grammar": "no grammar: a reply is read up to the end of its code block",
        "logprobs": "no log-probabilities: answers carry no confidence, and their code is not shaded",
        "candidates": "one candidate from a prompt: several are written one after the other",
        "continues": "a reply that was begun is not gone on with: the model is asked to, in words",
        "slots": "no slots to save: what gave way to more urgent work has its prompt read again",
        "progress": "no progress while it reads a prompt",
        "seed": "no seeds: a sampled answer is another one each time",
        "usage": "no count of tokens: the pieces of the reply are counted",
        "warms": "nothing is read ahead while you read",
    }
)


def lacks(capabilities: Capabilities) -> list[str]:
    """What an engine cannot do, and what is done in its place, a clause each."""
    return [clause for name, clause in _INSTEAD.items() if not getattr(capabilities, name)]


def request(
    capabilities: Capabilities,
    *,
    model: str,
    messages: list[dict[str, Any]],
    max_tokens: int,
    temperature: float,
    n: int = 1,
    seed: int | None = None,
    stop: list[str] | None = None,
    grammar: str | None = None,
    slot: int | None = None,
    continues: bool = False,
) -> dict[str, Any]:
    """The body of a streamed chat, with no field but those that the server takes. `continues`: the last message is
    the beginning of the reply."""
    body: dict[str, Any] = {
        **({"model": model} if model else {}),
        "messages": messages,
        "max_tokens": max(max_tokens, capabilities.shortest),
        "temperature": temperature,
        "stream": True,
    }
    optional: list[tuple[bool, dict[str, Any]]] = [
        (capabilities.logprobs, {"logprobs": True}),
        (capabilities.progress, {"cache_prompt": True, "return_progress": True}),
        (capabilities.usage, {"stream_options": {"include_usage": True}}),
        (capabilities.candidates and n > 1, {"n": n}),
        (capabilities.seed and seed is not None, {"seed": seed}),
        (bool(stop), {"stop": stop}),
        (capabilities.grammar == "gbnf" and grammar is not None, {"grammar": grammar}),
        (capabilities.grammar == "xgrammar" and grammar is not None, {"structured_outputs": {"grammar": grammar}}),
        # `transformers serve` writes greedily at every temperature, unless the model's own settings say otherwise.
        (
            capabilities.sampling == "do_sample" and temperature > 0,
            {"generation_config": json.dumps({"do_sample": True})},
        ),
        (capabilities.slots and slot is not None, {"id_slot": slot}),
        (
            capabilities.continues == "flags" and continues,
            {"continue_final_message": True, "add_generation_prompt": False},
        ),
    ]
    for wanted, given in optional:
        if wanted:
            body |= given
    return body


def markdown(rows: Iterable[tuple[str, Capabilities]] = ()) -> str:
    """The table of docs/devices.md, a column for each engine."""
    columns = [*TABLE.items(), *rows]
    names = [field.name for field in fields(Capabilities)]
    lines = [
        "| | " + " | ".join(name for name, _ in columns) + " |",
        "|---|" + "---|" * len(columns),
        *(f"| {name} | " + " | ".join(_word(getattr(row, name)) for _, row in columns) + " |" for name in names),
        "| fields | " + " | ".join(REFUSED[name] for name, _ in columns) + " |",
    ]
    return "\n".join(lines)


def _word(value: bool | str | int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "no"


if __name__ == "__main__":
    print(markdown())
