"""Addresses of servers elsewhere, `http://host:8000/v1#model`, and the keys that they want.

A key is never part of an address, so that none stands in a notebook, a log or the database. It belongs to one origin
(scheme, host and port) and is sent nowhere else: that of LLMOS_ENGINE has its key in LLMOS_ENGINE_KEY, others have
theirs in the user's keyring, under this origin.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from llmos_jupyter import paths
from llmos_jupyter.errors import LLMOSError

KEY_VARIABLE = "LLMOS_ENGINE_KEY"
# The keyring's name for what is ours.
SERVICE = "llmos-jupyter"


@dataclass(frozen=True)
class Address:
    """`root`: where the server is; `api`: the path of its OpenAI routes beneath; `model`: its name there, if given."""

    root: str
    api: str
    model: str

    @property
    def url(self) -> str:
        return self.root + self.api

    @property
    def name(self) -> str:
        """As the user would write it."""
        return f"{self.url}#{quote(self.model, safe='/:@')}" if self.model else self.url

    @property
    def origin(self) -> str:
        parts = urlsplit(self.root)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        return urlsplit(self.root).netloc

    @property
    def encrypted(self) -> bool:
        return self.root.startswith("https:")

    @property
    def loopback(self) -> bool:
        """Whether it is this machine. A name is looked up nowhere: what it means may change."""
        host = urlsplit(self.root).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def is_address(name: str) -> bool:
    return name.strip().lower().startswith(("http://", "https://"))


def parse(name: str) -> Address:
    """The address that a user wrote. Raises LLMOSError for one that cannot be meant, or that holds a key."""
    text = name.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise LLMOSError("This is no address of a server: write one as in http://host:8000/v1#model.") from None
    if parts.username is not None or parts.password is not None or parts.query:
        raise LLMOSError(
            "An address holds no key, no password and no `?`: give the key to LLMOS_ENGINE_KEY beside LLMOS_ENGINE "
            f"before Jupyter starts, or to your keyring with `llmos key {parts.scheme}://{parts.hostname}`."
        )
    if not parts.hostname or any(character.isspace() for character in text):
        raise LLMOSError("This is no address of a server: write one as in http://host:8000/v1#model.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    api = "/v1" if path.endswith("/v1") else ""
    root = f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{path.removesuffix('/v1')}"
    return Address(root, api, unquote(parts.fragment))


def key_for(address: Address) -> str:
    """The key that this server is given; empty where none is known."""
    engine = paths.engine_address()
    if is_address(engine) and parse(engine).origin == address.origin and (key := os.environ.get(KEY_VARIABLE, "")):
        return key.strip()
    try:
        import keyring
    except ImportError:
        return ""
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, address.origin) or ""
    except (KeyringError, RuntimeError):  # a machine without a keyring's service, or one that is locked
        return ""


def keep_key(address: Address, key: str) -> None:
    """Put a server's key into the user's keyring, or take it out if it is empty. Raises LLMOSError if there is none."""
    try:
        import keyring
    except ImportError:
        raise LLMOSError('The keyring is not installed: run `pip install "llmos-jupyter[keyring]"`.') from None
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        if key:
            keyring.set_password(SERVICE, address.origin, key)
        else:
            keyring.delete_password(SERVICE, address.origin)
    except PasswordDeleteError:
        return
    except (KeyringError, RuntimeError) as error:
        raise LLMOSError(
            f"This machine's keyring cannot be used ({error}): start Jupyter with LLMOS_ENGINE={address.url} and the "
            "key in LLMOS_ENGINE_KEY instead."
        ) from error
