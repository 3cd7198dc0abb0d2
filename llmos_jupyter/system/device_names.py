"""How devices are named: `cpu`, `cuda:1`, and behind a model's name, `1.5b@cpu`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from llmos_jupyter.errors import LLMOSError

# metal: llama.cpp on Apple's GPU; mps: torch on it; mlx: MLX, wherever it computes.
Kind = Literal["cpu", "cuda", "rocm", "vulkan", "metal", "mps", "mlx"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAMED = re.compile(rf"(?P<kind>{'|'.join(KINDS)})(?::(?P<index>\d{{1,2}}))?", re.IGNORECASE)
_AT = re.compile(rf"(?P<model>.+)@(?P<device>{_NAMED.pattern})", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Device:
    """A kind of device, and which of them if there are several."""

    kind: Kind
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.index}" if self.index else self.kind


def parse(text: str) -> Device | None:
    """The device of a name such as `cuda:1`; None for `auto`. Raises LLMOSError for another word."""
    wanted = text.strip()
    if wanted.lower() in ("", "auto"):
        return None
    if found := _NAMED.fullmatch(wanted):
        return Device(cast(Kind, found["kind"].lower()), int(found["index"] or 0))
    raise LLMOSError(
        f"There is no device {wanted[:40]!r}: write {', '.join(KINDS)}, a GPU's number as in cuda:1, or a server's "
        "address."
    )


def split(name: str) -> tuple[str, Device | None]:
    """A model's name without the device behind it: `1.5b@cpu`."""
    found = _AT.fullmatch(name.strip())
    return (found["model"], parse(found["device"])) if found else (name, None)
