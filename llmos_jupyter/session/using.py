"""What `%llmos use` is told: a model, and where it is to be computed."""

from __future__ import annotations

import re

from llmos_jupyter.engines.speaking import address
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.device_names import parse, split

_DEVICE = re.compile(r"(?:^|\s)--device(?:=|\s+|$)(?P<device>\S*)")


_PIN = re.compile(r"(?:^|\s)--(?P<un>un)?pin(?=\s|$)")


def pinning(text: str) -> tuple[str, bool | None]:
    """What is left without `--pin` or `--unpin`, and which of them was said. Raises LLMOSError for both."""
    said = {found["un"] is None for found in _PIN.finditer(text)}
    if len(said) > 1:
        raise LLMOSError("Write `--pin` or `--unpin`, not both.")
    return _PIN.sub("", text).strip(), said.pop() if said else None


def model_on_device(text: str) -> str:
    """`1.5b --device cpu` as one name, `1.5b@cpu`; with a server's address for a device, `http://host/v1#1.5b`.
    Raises LLMOSError for what is no device."""
    found = _DEVICE.search(text)
    if found is None:
        return text.strip()
    model = (text[: found.start()] + text[found.end() :]).strip()
    wanted = found["device"]
    if not wanted:
        raise LLMOSError("Write the device behind `--device`: as in `%llmos use auto --device cpu`.")
    if address.is_address(model) or split(model)[1]:
        raise LLMOSError(f"{model} says already where it is computed: leave `--device` out.")
    if address.is_address(wanted):
        server = address.parse(wanted)
        return server.name if server.model or model in ("", "auto") else f"{server.name}#{model}"
    device = parse(wanted)
    return f"{model or 'auto'}@{device}" if device else model or "auto"
