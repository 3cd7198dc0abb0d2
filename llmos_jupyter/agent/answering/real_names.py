"""A failed candidate goes on from just before a name that is not there, and only those that are there may follow.

The live object is known for certain: the line failed on it. A grammar keeps the model from writing what does not exist
(as in monitor-guided decoding, Agrawal et al. 2023), and the engine has read all that stands before the name already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from llmos_jupyter.agent.answering.line_repair import Opening
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import UnknownName


def opening(code: str, unknown: UnknownName) -> Opening | None:
    """Where the model goes on; None where nothing is known to stand there, or a secret would be told."""
    real = [name for name in unknown.real if "\n" not in name and mask(name) == name]
    lines = code.split("\n")
    number, start, _ = unknown.places[0]
    before = [*lines[: number - 1], lines[number - 1].encode()[:start].decode()]
    prefix = "```python\n" + "\n".join(before)
    return Opening(prefix, grammar(real)) if real and mask(prefix) == prefix else None


def grammar(names: Sequence[str]) -> str:
    """One of the names, then any code to the end of the block. The names are a tree of characters: a list of hundreds
    would be followed name by name for each token."""
    beginnings = sorted({name[:end] for name in names for end in range(len(name) + 1)})
    rules = {written: f"at{number}" for number, written in enumerate(beginnings)}
    listed = []
    for written, rule in rules.items():
        following = sorted({name[len(written)] for name in names if name != written and name.startswith(written)})
        ways = [f"{json.dumps(c, ensure_ascii=False)} {rules[written + c]}" for c in following]
        if written in names:
            ways.append("end")
        listed.append(f"{rule} ::= {' | '.join(ways)}\n")
    return f'root ::= at0 line* "```"\n{"".join(listed)}end ::= ([^A-Za-z0-9_\\n] [^\\n]*)? "\\n"\n{prompts.CODE_LINES}'
