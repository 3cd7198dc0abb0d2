"""Words that leave the machine: said once, before they do; `doctor` says where they go, and what the engine lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_jupyter import cli, config, paths
from llmos_jupyter.engines import address
from llmos_jupyter.reports import doctor
from llmos_jupyter.session.leaving import notice_once


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMOS_ENGINE", "LLMOS_ENGINE_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_it_is_said_once_of_each_server(home: Path) -> None:
    first = "https://class.example/v1#small"
    assert "leaves this machine for class.example" in notice_once(first)
    assert not notice_once(first)
    assert not notice_once("https://class.example/v1#large"), "the same server"
    assert "other.example:8000" in notice_once("http://other.example:8000/v1")
    assert not notice_once(first)
    assert paths.told_file().stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("model", ["auto", "0.5b", "http://127.0.0.1:8000/v1#m", "/models/a.gguf"])
def test_of_what_stays_here_nothing_is_said(home: Path, model: str) -> None:
    assert not notice_once(model)
    assert not paths.told_file().exists()


def details(name: str) -> list[str]:
    return [f"{check.state} {check.detail}" for check in doctor.checks() if check.name == name]


def test_doctor_says_where_words_go_and_whether_a_key_is_known(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_ENGINE", "http://class.example:8000/v1#small")
    (said,) = details("model")
    assert said.startswith("note ")
    assert "leaves this machine for class.example:8000" in said
    assert "no key is known" in said
    monkeypatch.setenv("LLMOS_ENGINE_KEY", "a-key-that-nobody-shows")
    (said,) = details("model")
    assert "its key is known" in said
    assert "a-key-that-nobody-shows" not in doctor.report()
    config.change("model=http://127.0.0.1:8000/v1#small")
    (said,) = details("model")
    assert said.startswith("ok ")


def test_doctor_names_the_engines_that_are_installed(home: Path) -> None:
    assert any(said.startswith("ok llama.cpp: xllamacpp ") for said in details("engines"))


def test_a_key_is_kept_in_the_keyring_and_taken_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyring = pytest.importorskip("keyring")
    from io import StringIO

    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):  # type: ignore[misc]
        priority = 1
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    monkeypatch.setattr(keyring.core, "_keyring_backend", InMemory())
    server = address.parse("https://class.example/v1#small")
    monkeypatch.setattr("sys.stdin", StringIO("the-key\n"))
    cli.main(["key", "https://class.example/v1"])
    assert "the-key" not in capsys.readouterr().out
    assert address.key_for(server) == "the-key"
    assert not address.key_for(address.parse("https://class.example:8443/v1")), "another origin"
    assert not address.key_for(address.parse("http://class.example/v1")), "not unencrypted"
    monkeypatch.setattr("sys.stdin", StringIO("\n"))
    cli.main(["key", "https://class.example/v1"])
    assert not address.key_for(server)
