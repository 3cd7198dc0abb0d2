"""What is said when a server does not answer: one sentence for the user, with the remedy. The cause goes to the log."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Mapping

import httpx

from llmos_jupyter.errors import LLMOSError

log = logging.getLogger(__name__)


class EngineGone(Exception):
    """The server went away in the middle; the generation can be asked again once it is back. `sentence`: for the user,
    if it does not come back."""

    def __init__(self, cause: str, sentence: str = "") -> None:
        super().__init__(cause)
        self.sentence = sentence


class EngineHung(EngineGone):
    """The server is there and says nothing any more."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, elsewhere: str = "") -> Exception:
    """What to raise for an answer that is no reply. `elsewhere`: the server's address if it is not our own engine."""
    message, kind = _problem(body)
    if elsewhere:
        log.warning("%s answered %d: %s", elsewhere, status, message or body[:300].decode("utf-8", "replace"))
    if kind == "exceed_context_size_error" or (status == 400 and "context length" in message.lower()):
        return LLMOSError(
            "The request is longer than the model can read: shorten it, or use --no-context or --use NAME."
        )
    if not elsewhere:
        return _own(status, message)
    if 300 <= status < 400:
        to = headers.get("location", "somewhere else")
        return LLMOSError(
            f"{elsewhere} sends its callers to {to}, where nothing of yours goes by itself: if you trust that place, "
            "write its address in `%llmos use URL`."
        )
    if status in (401, 403):
        return LLMOSError(
            f"{elsewhere} wants a key that it knows: start Jupyter with LLMOS_ENGINE={elsewhere} and the key in "
            f"LLMOS_ENGINE_KEY and run `llmos stop`, or keep it in your keyring with `llmos key {elsewhere}`."
        )
    if status == 429:
        wait = headers.get("retry-after", "")
        when = f"in {wait} seconds" if wait.isdecimal() else "in a minute"
        return LLMOSError(f"{elsewhere} has had too many requests: ask again {when}, or use another model.")
    if status >= 500:
        return LLMOSError(
            f"{elsewhere} failed (HTTP {status}{_detail(message)}): ask again in a minute, or tell who runs it."
        )
    if _web_page(headers, body) or status == 404:
        return no_server(elsewhere)
    return LLMOSError(
        f"{elsewhere} refused the request (HTTP {status}{_detail(message)}): `%llmos use` another server or model."
    )


def no_server(elsewhere: str) -> LLMOSError:
    """Something answers there that is no inference server."""
    return LLMOSError(
        f"What answers at {elsewhere} is no OpenAI-compatible server: check the address, which usually ends in /v1."
    )


def broken(error: Exception, elsewhere: str = "") -> Exception:
    """What to raise when the connection failed."""
    if not elsewhere:
        return EngineGone(str(error) or type(error).__name__)
    log.warning("the connection to %s failed: %r", elsewhere, error)
    if _certificate(error):
        return LLMOSError(
            f"The certificate of {elsewhere} is not trusted: if it is your institution's, start Jupyter with "
            "SSL_CERT_FILE=FILE, a file that holds its certificate authority, and run `llmos stop`."
        )
    if isinstance(error, httpx.ProxyError):
        return LLMOSError(f"The proxy does not lead to {elsewhere}: check HTTPS_PROXY, or put the host into NO_PROXY.")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return LLMOSError(
            f"Nothing answers at {elsewhere}: check the address and that the server runs, "
            "or go back to a model of this machine with `%llmos use auto`."
        )
    return EngineGone(
        str(error) or type(error).__name__,
        f"{elsewhere} breaks off in the middle of its answers: ask again, or tell who runs it.",
    )


def hung(seconds: float, elsewhere: str = "") -> EngineHung:
    """Nothing came for so long."""
    sentence = f"{elsewhere} has said nothing for {seconds:.0f} s: ask again later, or use another model."
    return EngineHung(f"silent for {seconds:.0f} s", sentence if elsewhere else "")


def _own(status: int, message: str) -> Exception:
    if "generation thread" in message:  # mlx_lm.server, whose one thread an exception has ended
        return EngineHung(message)
    if status == 503:
        return EngineGone(message or "loading")
    if not message:
        return LLMOSError(f"The engine refused the request (HTTP {status}): `%llmos doctor` shows its log.")
    if "out of memory" in message.lower():
        return LLMOSError(
            "The device ran out of memory while the model wrote: shorten the request, or choose a smaller model with "
            "`%llmos use NAME`."
        )
    return LLMOSError(f"The engine refused the request: {message}.")


def _problem(body: bytes) -> tuple[str, str]:
    """What the server says, in whichever of the usual forms, and the kind of the problem where it names one."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    problem = answer.get("error", answer.get("detail", answer.get("message", "")))
    if isinstance(problem, dict):
        return str(problem.get("message", "")).rstrip("."), str(problem.get("type", ""))
    return str(problem).rstrip("."), ""


def _detail(message: str) -> str:
    """The server's own words, on one line and not without end."""
    text = " ".join(message.split())
    return f", {text[:160]!r}" if text else ""


def _web_page(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "") or body.lstrip()[:1] == b"<"


def _certificate(error: BaseException | None) -> bool:
    """Whether a failed check of a certificate is among the causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
