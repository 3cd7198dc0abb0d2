"""A server elsewhere as the engine: real HTTP servers that misbehave in every way, and the sentences they lead to."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmos_jupyter import config
from llmos_jupyter.engines import address, catalogue, download, remote
from llmos_jupyter.engines.capabilities import Capabilities
from llmos_jupyter.engines.openai_http import EngineGone, EngineHung, Reply, Server
from llmos_jupyter.engines.remote import RemoteEngine
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Token
from tests.engines.servers import KEY, Misbehaving, serving

ASKED = Generation(messages=[Message(role="user", content="Is all well?")], grammar="root ::= x", seed=3)


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMOS_ENGINE", "LLMOS_ENGINE_KEY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def started(url: str) -> RemoteEngine:
    async def start() -> RemoteEngine:
        engine = RemoteEngine(address.parse(url), 4, 8192)
        await engine.start()
        return engine

    return asyncio.run(start())


def texts(server: Server, asked: Generation = ASKED) -> list[str]:
    async def read() -> list[str]:
        found = [""] * asked.n
        ended = 0
        async for item in server.stream(asked):
            if isinstance(item, Token):
                found[item.index] += item.text
            ended += isinstance(item, Reply)
        assert ended == asked.n
        return found

    return asyncio.run(read())


def sentence(error: BaseException) -> str:
    said = str(error)
    assert "\n" not in said
    assert "Traceback" not in said
    assert said.endswith(".")
    return said


def test_the_plainest_server_is_found_out_and_serves(place: str) -> None:
    engine = started(f"{place}/plain/v1")
    assert engine.capabilities == Capabilities()
    assert asyncio.run(engine.server()).model == "small"
    Misbehaving.seen.clear()
    assert texts(asyncio.run(engine.server())) == ["All is well."]
    # Several candidates are asked for one after the other.
    assert texts(asyncio.run(engine.server()), ASKED.model_copy(update={"n": 3})) == ["All is well."] * 3
    assert len(Misbehaving.seen) == 4


def test_a_reply_without_a_grammar_ends_with_its_code(place: str) -> None:
    server = asyncio.run(started(f"{place}/words/v1").server())
    assert texts(server) == ["```python\nx = 1\n```"]
    free = ASKED.model_copy(update={"grammar": None})
    assert texts(server, free)[0].endswith("y = 2\n```")


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("html", "usually ends in /v1"),
        ("key", "LLMOS_ENGINE_KEY"),
        ("busy", "ask again in 17 seconds"),
        ("broken", "HTTP 502"),
        ("half", "breaks off in the middle"),
        ("other", "another-model"),
        ("two", "#small"),
        ("elsewhere", "192.0.2.7"),
        ("plain#smaller", "#small"),
    ],
)
def test_each_misbehaviour_has_a_sentence_with_the_remedy(place: str, way: str, says: str) -> None:
    way, _, model = way.partition("#")
    url = f"{place}/{way}/v1" + (f"#{model}" if model else "")
    with pytest.raises(LLMOSError, match=says) as raised:
        started(url)
    assert f"{place}/{way}" in sentence(raised.value)


@pytest.mark.parametrize(
    ("way", "kind", "says"),
    [
        ("half", EngineGone, "breaks off"),
        ("silent", EngineHung, "has said nothing for 1 s"),
        ("broken", LLMOSError, "HTTP 502"),
        ("elsewhere", LLMOSError, "192.0.2.7"),
        ("html", LLMOSError, "no OpenAI-compatible server"),
    ],
)
def test_so_has_a_server_that_misbehaves_later(place: str, way: str, kind: type[Exception], says: str) -> None:
    found = address.parse(f"{place}/{way}/v1#small")
    server = replace(remote.server_at(found), silence=1.0)
    with pytest.raises(kind) as raised:
        texts(server)
    said = raised.value.sentence if isinstance(raised.value, EngineGone) else str(raised.value)
    assert says in said


def test_where_nobody_listens_a_sentence_says_so() -> None:
    with pytest.raises(LLMOSError, match=r"Nothing answers at http://127\.0\.0\.1:9/v1"):
        started("http://127.0.0.1:9/v1")


def test_loopback_goes_through_no_proxy(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert started(f"{place}/plain/v1").model.endswith("/plain/v1")
    # A name that is not this machine's does: the proxy is dead, and said to be.
    with pytest.raises(LLMOSError, match=r"prox|Nothing answers"):
        started("http://llmos.invalid:8000/v1")


# --- keys ----------------------------------------------------------------------------------------


def test_the_key_of_the_environment_goes_to_its_own_server_only(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_ENGINE_KEY", KEY)
    with pytest.raises(LLMOSError, match="key"):  # it belongs to no server yet
        started(f"{place}/key/v1")
    monkeypatch.setenv("LLMOS_ENGINE", f"{place}/key/v1")
    engine = started(f"{place}/key/v1")
    assert engine.capabilities.key == "own"
    assert texts(asyncio.run(engine.server())) == ["All is well."]
    with serving() as other:
        with pytest.raises(LLMOSError, match="key"):
            started(f"{other}/key/v1")
        assert {sent for _, _, sent in Misbehaving.seen} == {""}, "a key went to another server"


def test_a_redirect_takes_no_key_along(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        monkeypatch.setenv("LLMOS_ENGINE", f"{other}/elsewhere/v1")
        monkeypatch.setenv("LLMOS_ENGINE_KEY", KEY)
        with pytest.raises(LLMOSError, match="nothing of yours goes by itself"):
            started(f"{other}/elsewhere/v1")
        assert [path for path, _, _ in Misbehaving.seen] == ["/elsewhere/v1/models"]


@pytest.mark.parametrize("url", ["http://user:secret@host/v1", "https://host/v1?api_key=secret", "http://secret@h"])
def test_an_address_with_a_key_in_it_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(LLMOSError, match="LLMOS_ENGINE_KEY") as raised:
        catalogue.resolve(url)
    assert "secret" not in sentence(raised.value)


def test_no_key_is_logged(place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("LLMOS_ENGINE", f"{place}/key/v1")
    monkeypatch.setenv("LLMOS_ENGINE_KEY", KEY)
    with caplog.at_level(logging.DEBUG):
        started(f"{place}/key/v1")
        monkeypatch.setenv("LLMOS_ENGINE_KEY", "wrong-" + KEY)
        with pytest.raises(LLMOSError):
            started(f"{place}/key/v1")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("llmos", "httpx"))]
    assert ours
    assert not any(KEY in message for message in ours)


# --- certificates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    try:
        subprocess.run([*command, *names, *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not here to make a certificate")
    return folder


def test_a_certificate_that_nobody_vouches_for(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    with serving(tls) as place:
        with pytest.raises(LLMOSError, match="SSL_CERT_FILE") as raised:
            started(f"{place}/plain/v1")
        sentence(raised.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
        assert texts(asyncio.run(started(f"{place}/plain/v1").server())) == ["All is well."]


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "url", "model"),
    [
        ("http://host:8000/v1#m", "http://host:8000/v1", "m"),
        ("http://host:8000", "http://host:8000/v1", ""),
        ("HTTPS://Host/v1/#org/m:7b", "https://host/v1", "org/m:7b"),
        ("http://host/proxy/v1/chat/completions", "http://host/proxy/v1", ""),
        ("http://[::1]:8000/v1#my%20model", "http://[::1]:8000/v1", "my model"),
        ("https://host/openai", "https://host/openai", ""),
    ],
)
def test_an_address_is_read(written: str, url: str, model: str) -> None:
    found = address.parse(written)
    assert (found.url, found.model) == (url, model)
    assert address.parse(found.name) == found
    assert catalogue.resolve(written).url == found.name


@pytest.mark.parametrize("written", ["http://", "http://host:x/v1", "http://ho st/v1", "https://[::1"])
def test_what_is_no_address_gets_a_sentence(written: str) -> None:
    with pytest.raises(LLMOSError, match="http://host:8000/v1#model"):
        catalogue.resolve(written)


def test_only_what_leaves_the_machine_is_told_of() -> None:
    for here in ("http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]/v1"):
        assert not remote.notice(address.parse(here))
    told = remote.notice(address.parse("http://class.example:8000/v1"))
    assert "leaves this machine for class.example:8000" in told
    assert "unencrypted" in told
    assert "unencrypted" not in remote.notice(address.parse("https://class.example/v1"))
    assert remote.notice(address.parse("http://127.0.0.1.example/v1"))


def test_a_model_elsewhere_is_neither_fetched_nor_deleted() -> None:
    model = catalogue.resolve("http://host:8000/v1#m")
    assert download.downloaded(model) is None
    for act in (download.ensure, download.remove):
        with pytest.raises(LLMOSError, match="server elsewhere"):
            act(model)


def test_a_machine_may_name_its_server_for_all_and_a_user_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.load().model == "auto"
    monkeypatch.setenv("LLMOS_ENGINE", "http://class:8000/v1#m")
    assert config.load().model == "http://class:8000/v1#m"
    assert config.change("retries=1").model == "http://class:8000/v1#m"
    assert config.change("model=auto").model == "auto"
    assert config.change("retries=2").model == "auto", "the user's own choice was forgotten"
    monkeypatch.delenv("LLMOS_ENGINE")
    assert config.load().model == "auto"
