"""One list of refusals from two tellers: Python's audit events, in the words of the code, and the lock itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from llmos_jupyter.protocol import Capability, Refusal

MOST = 20  # refusals reported

_PROCESSES = (Capability.PROCESSES, Capability.INSTALL)


def merged(told: Sequence[Refusal], locked: Sequence[Refusal]) -> list[Refusal]:
    """Each target once: as Python told it, and after that what only the lock knows."""
    found = list(told)
    for refusal in locked:
        if not any(_same(refusal, other) for other in found):
            found.append(refusal)
    # "Start another process" says nothing beside the command that was to be started.
    named = {_kind(refusal.capability) for refusal in found if refusal.target}
    found = [
        refusal
        for refusal in found
        if refusal.target or not _is_nameless(refusal) or _kind(refusal.capability) not in named
    ]
    return found[:MOST]


def _kind(capability: Capability) -> Capability:
    return Capability.PROCESSES if capability in _PROCESSES else capability


def _is_nameless(refusal: Refusal) -> bool:
    return bool(refusal.system_call) and not refusal.target


def _same(locked: Refusal, told: Refusal) -> bool:
    if _kind(locked.capability) is not _kind(told.capability):
        return False
    if locked.target == told.target and (locked.target or locked.what == told.what):
        return True
    if locked.capability is not Capability.NETWORK or told.system_call:
        return False
    if not locked.target or locked.what.endswith(":53"):
        return True  # the look-up of a host that Python has named
    return _is_loopback(locked.target) and not _is_numeric(told.target)


def _is_loopback(host: str) -> bool:
    return _is_numeric(host) and ipaddress.ip_address(host).is_loopback


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
