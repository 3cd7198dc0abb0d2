"""Going on with a reply that gave way to more urgent work: the model is given what it had written, and goes on."""

from __future__ import annotations

import math

from llmos_jupyter.agent.context import prompts
from llmos_jupyter.protocol import Candidate, Generation

LEAST = 1e-9


def continued(generation: Generation, written: Candidate) -> Generation:
    """The rest of a generation, of which so much was written."""
    return generation.model_copy(
        update={
            "n": 1,
            "prefix": written.text,
            "grammar": prompts.rest_grammar(generation.grammar, written.text),
            "max_tokens": max(1, generation.max_tokens - written.timings.tokens),
        }
    )


def joined(before: Candidate, rest: Candidate) -> Candidate:
    """A candidate whose text is whole, with the figures of both parts of its writing."""
    if not before.text:
        return rest
    tokens = [before.timings.tokens, rest.timings.tokens]
    total = sum(tokens)
    timings = rest.timings.model_copy(
        update={
            "tokens": total,
            "decode_ms": before.timings.decode_ms + rest.timings.decode_ms,
            "first_token_ms": before.timings.first_token_ms,
        }
    )
    joint: dict[str, object] = {"index": before.index, "timings": timings}
    if before.confidence is not None and rest.confidence is not None and total:
        logs = [math.log(max(value, LEAST)) for value in (before.confidence, rest.confidence)]
        mean = sum(count * log for count, log in zip(tokens, logs, strict=True)) / total
        doubts = [doubt for doubt in (before.doubt, rest.doubt) if doubt is not None]
        joint |= {"confidence": math.exp(mean), "doubt": min(doubts, default=None)}
    return rest.model_copy(update=joint)
