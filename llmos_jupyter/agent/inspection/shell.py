"""What shell commands and magics reach for outside the namespace, by their words."""

from __future__ import annotations

import re

from llmos_jupyter.agent.inspection.outside import EXIT, INPUT, INSTALL, NET, PROC, READ, WRITE
from llmos_jupyter.agent.inspection.words import words
from llmos_jupyter.protocol import Capability

_INSTALL = re.compile(r"\b(?:pip3?|conda|mamba|micromamba|uv\s+pip|uv|poetry|npm|yarn|apt|apt-get|brew|dnf|yum|apk)\b"
                      r"[^|;&]*?\s(?:install|add|uninstall|remove|update|upgrade|sync|create)\b")  # fmt: skip
_SHELL_NET = re.compile(r"\b(?:curl|wget|ssh|scp|rsync|ftp|sftp|nc|ping|telnet|git\s+(?:clone|pull|push|fetch))\b")
_SHELL_READ = re.compile(r"(?:^|[|;&]\s*)(?:cat|head|tail|less|more|ls|find|grep|wc|dir|type|unzip|tar|awk|sed)\b")
_SHELL_WRITE = re.compile(r"(?:^|[|;&]\s*)(?:rm|mv|cp|mkdir|rmdir|touch|ln|tee|dd|chmod|chown|unzip|tar|sed\s+-i)\b|>")
_MAGIC_CAPABILITIES = {
    **dict.fromkeys(words("run load loadpy cat less more ls ll pycat pfile dotenv"), READ),
    **dict.fromkeys(words("writefile file save notebook logstart store rm mv cp mkdir rmdir edit"), WRITE),
    **dict.fromkeys(words("system sx ! !! bash sh script cmd perl ruby python python2 python3 pypy"), PROC),
    **dict.fromkeys(["pip", "conda", "mamba", "micromamba", "uv"], INSTALL),
    **dict.fromkeys(["sql", "bigquery"], NET),
    **dict.fromkeys(["debug", "pdb"], INPUT),
}


def command(text: str) -> list[Capability]:
    """What a shell command may do; starting a process is one thing, what the process does another."""
    if _INSTALL.search(text):
        return [INSTALL]
    found = [PROC]
    found += [
        c for pattern, c in ((_SHELL_NET, NET), (_SHELL_READ, READ), (_SHELL_WRITE, WRITE)) if pattern.search(text)
    ]
    return found


def magic(name: str, text: str) -> list[Capability]:
    """What a magic may do."""
    if name == "reset":
        return [EXIT]
    found = _MAGIC_CAPABILITIES.get(name)
    if found is INSTALL:
        return [INSTALL] if re.search(r"\b(install|uninstall|remove|update|upgrade|create|add)\b", text) else [PROC]
    if found is PROC:
        return command(text)
    return [] if found is None else [found]
