"""A user is told once of each server elsewhere, in plain words, that what they ask leaves the machine."""

from __future__ import annotations

import contextlib

from llmos_jupyter import paths
from llmos_jupyter.engines.speaking import address, remote
from llmos_jupyter.system.private_files import private_folder, write_private


def leaves(model: str) -> bool:
    """Whether what this model is told leaves the machine. Raises LLMOSError for an address that cannot be meant."""
    return address.is_address(model) and not address.parse(model).loopback


def notice_once(model: str) -> str:
    """The sentence for this model's server; empty if it is this machine, or if the user has been told of it before."""
    if not address.is_address(model):
        return ""
    server = address.parse(model)
    sentence = remote.notice(server)
    if not sentence:
        return ""
    file = paths.told_file()
    told: list[str] = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        told = file.read_text(encoding="utf-8").splitlines()
    if server.origin in told:
        return ""
    with contextlib.suppress(OSError):  # it is told again then
        private_folder(file.parent)
        write_private(file, "".join(f"{line}\n" for line in [*told, server.origin]).encode())
    return sentence
