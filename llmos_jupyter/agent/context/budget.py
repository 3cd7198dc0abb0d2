"""What fits into a prompt: parts of a description within a number of tokens."""

from __future__ import annotations

from collections.abc import Collection

from llmos_jupyter.agent.context import prompts
from llmos_jupyter.protocol import Message


def tokens(messages: list[Message]) -> int:
    """How many tokens a prompt takes, estimated."""
    # Five tokens of the chat template about each message.
    return sum(prompts.estimate_tokens(message.content) + 5 for message in messages)


def characters_that_fit(request: str, room: int, need: int) -> int:
    """How many characters of the request fit, to two digits."""
    fit = len(request) * max(room, 0) // need
    return round(fit, 2 - len(str(fit)))


def fits(parts: list[str], room: int) -> bool:
    """Whether the parts take no more tokens than `room`."""
    return sum(prompts.estimate_tokens(part) for part in parts) <= room


def fitted(parts: list[str], room: int, first: Collection[int] = ()) -> list[str]:
    """The parts as they fit: those at the places in `first`, in their order, then the last ones preferred; the rest by
    their first words, or empty."""
    kept = [""] * len(parts)
    for place in dict.fromkeys([*first, *reversed(range(len(parts)))]):
        part = parts[place]
        cost = prompts.estimate_tokens(part)
        if cost > room:
            part = cut(part.split("\n", 1)[0], 80)
            cost = prompts.estimate_tokens(part)
        if cost <= room:
            kept[place] = part
            room -= cost
    return kept


def cut(text: str, limit: int) -> str:
    """A text's beginning and end, in `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]}\n...\n{text[-limit // 3 :]}"
