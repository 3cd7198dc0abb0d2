"""Grants, wants and caps: what the user's words mean, and what they do not."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from llmos_jupyter.agent.capability import caps as caps_module
from llmos_jupyter.agent.capability.capabilities import Grants, Want, level, wants
from llmos_jupyter.agent.capability.caps import Caps
from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Capability, Finding, Refusal, Rehearsal
from llmos_jupyter.sandbox.roots import Access, Roots

ROOTS = Roots.here()
READ, WRITE, NET = Capability.READ_FILES, Capability.WRITE_FILES, Capability.NETWORK
PROC, INSTALL, EXIT = Capability.PROCESSES, Capability.INSTALL, Capability.EXIT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work" / "data").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def rehearsal(*refusals: tuple[Capability, str, str], status: Any = "refused", confinement: str = "lock") -> Rehearsal:
    found = [Refusal(capability=capability, what=what, target=target) for capability, what, target in refusals]
    return Rehearsal(status=status, refusals=found, confinement=confinement)


# --- grants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "granted", "not_granted"),
    [
        ("write data/", (WRITE, "data/x/y.csv"), (WRITE, "other.csv")),
        ("write data", (WRITE, "data"), (WRITE, "data2/x")),
        ("write ./data/../data", (WRITE, "data/x"), (WRITE, "data/../x")),
        ('write "data"', (WRITE, "data/x"), (READ, "/etc/passwd")),
        ("write files", (WRITE, "/anywhere"), (NET, "h")),
        ("Write Files", (WRITE, "/anywhere"), (NET, "x")),
        ("read ~/data", (READ, "~/data/a"), (WRITE, "~/data/a")),
        ("read files", (READ, "/etc/passwd"), (WRITE, "/etc/passwd")),
        ("network", (NET, "example.org"), (PROC, "run x")),
        ("processes", (PROC, "run ls"), (INSTALL, "run pip install x")),
        ("install packages", (INSTALL, "run pip install x"), (PROC, "run ls")),
        ("  network   for this  answer ", (NET, "h"), (WRITE, "h")),
    ],
)
def test_words_of_allow(words: str, granted: tuple[Any, str], not_granted: tuple[Any, str]) -> None:
    grants = Grants()
    assert not grants.permits(granted[0], real(granted))
    assert grants.allow(words).startswith("Allowed: ")
    assert grants.permits(granted[0], real(granted))
    assert not grants.permits(not_granted[0], real(not_granted))
    assert not grants.permits(not_granted[0], "") or words.endswith("files")


def real(want: tuple[Capability, str]) -> str:
    capability, what = want
    return os.path.realpath(os.path.expanduser(what)) if capability in (READ, WRITE) and what else what


@pytest.mark.parametrize(
    "words",
    ["", "  ", "write", "read", "everything", "all", "exit", "input", "network a b", "processes ls", "for this answer",
     "install pandas numpy", "write a\0b", "allow network", "写文件", "write for this answer"],
)  # fmt: skip
def test_other_words_get_the_forms(words: str) -> None:
    grants = Grants()
    with pytest.raises(LLMOSError, match="write FOLDER") as error:
        grants.allow(words)
    assert "\n" not in str(error.value)
    assert len(grants.allowed()) == 1


def test_links_lead_where_they_lead(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    grants = Grants()
    grants.allow("write data")
    (folder / "data" / "out").symlink_to(outside)
    assert not grants.permits(WRITE, os.path.realpath(folder / "data" / "out" / "x"))
    grants.allow("write link")
    assert grants.permits(WRITE, str(outside / "x"))


def test_an_answers_grant_ends_with_it() -> None:
    grants = Grants()
    grants.allow("network for this answer")
    grants.allow("write data")
    assert len(grants.allowed()) == 3
    grants.end_answer()
    assert not grants.permits(NET, "h")
    assert grants.permits(WRITE, os.path.realpath("data/x"))


def test_the_sandbox_is_loosened_by_what_was_granted(folder: Path) -> None:
    grants = Grants()
    assert grants.access() == Access()
    grants.own_files = frozenset({"/own.csv"})
    for words in ("read data", "write out"):
        grants.allow(words)
    assert grants.reading() == Access(read=("/own.csv", str(folder / "data")))
    assert grants.access() == Access(read=("/own.csv", str(folder / "data")), write=(str(folder / "out"),))
    grants.grant_answer(Want(NET, "b.org"))
    grants.allow("processes")
    grants.allow("read files")
    assert grants.access().network
    assert grants.access().processes
    assert "/" in grants.reading().read
    grants.end_answer()
    assert not grants.access().network


def test_revoke() -> None:
    grants = Grants()
    for words in ("write data", "write data/sub", "network", "processes"):
        grants.allow(words)
    assert "data" in grants.revoke("write data/")
    assert not grants.permits(WRITE, os.path.realpath("data/sub/x"))
    grants.revoke("network")
    assert not grants.permits(NET, "a.org")
    assert grants.permits(PROC, "run x")
    with pytest.raises(LLMOSError, match="was not granted"):
        grants.revoke("network")
    grants.allow("write files")
    with pytest.raises(LLMOSError, match="revoke write files"):
        grants.revoke("write data")
    with pytest.raises(LLMOSError, match="or `all`"):
        grants.revoke("nonsense")
    assert "all 2" in grants.revoke("all")
    assert len(grants.allowed()) == 1
    assert grants.revoke("all") == "Nothing was granted."


def test_one_host_is_no_grant_for_nothing_could_hold_code_to_it() -> None:
    for words in ("network example.org", "network https://example.org/path"):
        with pytest.raises(LLMOSError, match="network` is for all of them"):
            Grants().allow(words)


def test_a_yes_grants_a_folder_to_the_notebook_and_all_else_to_the_answer(folder: Path) -> None:
    grants = Grants()
    path = str(folder / "data" / "a.csv")
    for want in (Want(WRITE, path), Want(NET, "a.org"), Want(PROC, "run ls"), Want(EXIT, "exit the kernel")):
        assert grants.missing([want]) == [want]
        grants.grant_answer(want)
        assert grants.missing([want]) == []
    assert not grants.permits(WRITE, "/anywhere/else")
    assert grants.permits(NET, "b.org")
    grants.grant_answer(Want(WRITE))
    assert not grants.permits(WRITE, "")
    grants.end_answer()
    assert grants.permits(WRITE, str(folder / "data" / "b.csv"))
    assert not grants.permits(WRITE, str(folder / "x"))
    assert not grants.permits(NET, "a.org")
    assert not grants.permits(PROC, "run rm")
    assert not grants.permits(EXIT, "exit the kernel")


def test_a_yes_to_one_file_of_the_home_folder_is_for_that_file() -> None:
    home = os.path.realpath(os.path.expanduser("~"))
    grants = Grants()
    grants.grant_answer(Want(WRITE, f"{home}/a.csv"))
    grants.grant_answer(Want(WRITE, f"{home}/.config/x"))
    grants.grant_answer(Want(WRITE))
    grants.end_answer()
    assert grants.permits(WRITE, f"{home}/a.csv")
    assert not grants.permits(WRITE, f"{home}/.bashrc")
    assert not grants.permits(WRITE, f"{home}/.config/y")


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_words_grant_by_accident(words: str, what: str) -> None:
    grants = Grants(roots=ROOTS)
    try:
        grants.allow(words)
    except LLMOSError:
        assert len(grants.allowed()) == 1
    else:
        assert words.strip().casefold().startswith(("read", "write", "network", "process", "install"))
    assert not grants.permits(EXIT, what)


# --- wants ------------------------------------------------------------------------------------------


def of(code: str, report: Rehearsal | None = None) -> list[tuple[Capability, str]]:
    import numpy as np
    import pandas as pd

    found = inspect(code, {"pd": pd, "np": np, "os": os, "df": pd.DataFrame({"a": [1]})})
    return [(want.capability, want.what) for want in wants(found, report or rehearsal(status="passed"), Roots.here())]


def test_reading_here_is_granted_and_elsewhere_asks(folder: Path) -> None:
    assert of("pd.read_csv('data/a.csv')\nopen('x').read()\nos.listdir('.')") == []
    assert of("open('/etc/passwd').read()") == [(READ, os.path.realpath("/etc/passwd"))]
    assert of("pd.read_csv('../secret.csv')") == [(READ, str(folder.parent / "secret.csv"))]
    assert of("path = str(1)\npd.read_csv(path)") == []
    assert of(
        "path = str(1)\npd.read_csv(path)", rehearsal((READ, "read /etc/shadow", "/etc/shadow"), status="passed")
    ) == [(READ, "/etc/shadow")]
    assert of("path = str(1)\npd.read_csv(path)", rehearsal(status="unavailable")) == [(READ, "")]


def test_what_is_written_is_named_where_it_can_be(folder: Path) -> None:
    assert of("open('data/x', 'w')") == [(WRITE, str(folder / "data" / "x"))]
    assert of("df.to_csv('o.csv')") == [(WRITE, str(folder / "o.csv"))]
    assert of("df.to_csv(path_or_buf='o.csv')") == [(WRITE, str(folder / "o.csv"))]
    assert of("import shutil\nshutil.move('a', 'b')") == [(WRITE, str(folder / "a")), (WRITE, str(folder / "b"))]
    assert of("import shutil\nshutil.move('a', str(1))") == [(WRITE, "")]
    assert of("p = str(1)\nopen(p, 'w')") == [(WRITE, "")]
    # The rehearsal names what inspection could not.
    assert of("p = str(1)\nopen(p, 'w')", rehearsal((WRITE, f"write {folder}/q", f"{folder}/q"))) == [
        (WRITE, f"{folder}/q")
    ]
    assert of("import tempfile\ntempfile.mkdtemp()") == []
    assert of("import tempfile\ntempfile.mkdtemp()", rehearsal(status="unavailable")) == [(WRITE, "")]


def test_hosts_and_commands() -> None:
    assert of("pd.read_csv('https://user@example.org:8080/a.csv?x=1')") == [(NET, "example.org")]
    assert of("x = 1", rehearsal((NET, "connect to example.org:443", "example.org"))) == [(NET, "example.org")]
    assert of("x = 1", rehearsal((NET, "connect to [::1]:80", "::1"))) == [(NET, "::1")]
    assert of("x = 1", rehearsal((PROC, "run ls -l", "ls -l"))) == [(PROC, "run ls -l")]
    assert of("import sys\nsys.exit()") == [(EXIT, "")]


def test_a_finding_is_read_by_its_fields_and_not_by_its_name() -> None:
    finding = Finding(kind="capability", severity="warning", message="m", name="open('a.csv')", capability=WRITE)
    assert wants([finding], None, Roots.here()) == [Want(WRITE)]
    finding.targets = ["a.csv", "b.csv"]
    assert wants([finding], None, Roots.here()) == [Want(WRITE, os.path.realpath(name)) for name in finding.targets]


def test_a_refusal_without_a_path_wants_all() -> None:
    assert wants([], rehearsal((WRITE, "write a file", "")), Roots.here()) == [Want(WRITE)]


def test_levels() -> None:
    assert level(None) == "inspected"
    assert level(rehearsal(status="unavailable")) == "not tried in the sandbox"
    assert level(rehearsal(status="passed", confinement="Landlock v4 + seccomp")) == "tried in the sandbox"


# --- caps -------------------------------------------------------------------------------------------


def shell_of(**values: Any) -> Any:
    return SimpleNamespace(config=Config({"LLMOS": values}), parent=None)


def test_without_a_word_of_the_administrator_all_is_open() -> None:
    caps = Caps.load(None, {})
    assert caps.mode("auto") == "auto"
    assert all(map(caps.permits, Capability))
    assert caps.lines() == []


@pytest.mark.parametrize(
    ("environment", "config", "mode"),
    [
        ({"LLMOS_MAX_MODE": "ask"}, {}, "ask"),
        ({"LLMOS_MAX_MODE": " Show "}, {}, "show"),
        ({"LLMOS_MAX_MODE": "ask"}, {"max_mode": "auto"}, "ask"),
        ({"LLMOS_MAX_MODE": "auto"}, {"max_mode": "show"}, "show"),
        ({"LLMOS_MAX_MODE": ""}, {}, "show"),
        ({"LLMOS_MAX_MODE": "atuo"}, {}, "show"),
        ({}, {"max_mode": "atuo"}, "show"),
        ({}, {"max_mode": 3}, "show"),
    ],
)
def test_the_strictest_mode_holds(environment: dict[str, str], config: dict[str, Any], mode: str) -> None:
    caps = Caps.load(shell_of(**config), environment)
    assert caps.mode("auto") == mode
    assert caps.mode("show") == "show"


@pytest.mark.parametrize(
    ("environment", "config", "open_"),
    [
        ({"LLMOS_MAX_GRANTS": "none"}, {}, set()),
        ({"LLMOS_MAX_GRANTS": ""}, {}, set()),
        ({"LLMOS_MAX_GRANTS": "write, Network"}, {}, {WRITE, NET}),
        ({"LLMOS_MAX_GRANTS": "write,network"}, {"max_grants": "read,write"}, {WRITE}),
        ({}, {"max_grants": "install"}, {INSTALL}),
        ({"LLMOS_MAX_GRANTS": "write,netwrok"}, {}, set()),
        ({"LLMOS_MAX_GRANTS": "none,write"}, {}, set()),
        ({}, {"max_grants": ["write"]}, set()),
    ],
)
def test_only_what_every_place_opens_can_be_granted(
    environment: dict[str, str], config: dict[str, Any], open_: set[Capability]
) -> None:
    caps = Caps.load(shell_of(**config), environment)
    grants = Grants(caps)
    for words, capability in (("read x", READ), ("write x", WRITE), ("network", NET), ("processes", PROC)):
        assert caps.permits(capability) == (capability in open_)
        if capability in open_:
            grants.allow(words)
            continue
        with pytest.raises(LLMOSError, match="administrator"):
            grants.allow(words)
        with pytest.raises(LLMOSError, match="administrator"):
            grants.grant_answer(Want(capability, "x"))
        assert not grants.permits(capability, "x")


def test_a_bad_value_is_told_and_closes() -> None:
    caps = Caps.load(None, {"LLMOS_MAX_MODE": "yes", "LLMOS_MAX_GRANTS": "all"})
    assert len(caps.faults) == 2
    assert "LLMOS_MAX_MODE" in caps.faults[0]
    assert "'all'" in caps.faults[1]
    assert caps.lines()[-2:] == list(caps.faults)


def test_the_system_wide_file_is_not_overridden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ipython_kernel_config.py").write_text("c.LLMOS.max_mode = 'ask'\nc.LLMOS.max_grants = 'write'\n")
    monkeypatch.setattr(caps_module, "SYSTEM_CONFIG_DIRS", [str(tmp_path)])
    caps = Caps.load(shell_of(max_mode="auto"), {})
    assert caps.mode("auto") == "ask"
    assert caps.grantable == {WRITE}
    (tmp_path / "ipython_config.py").write_text("c.LLMOS.max_mode = broken\n")
    caps = Caps.load(None, {})
    assert caps.mode("ask") == "show"
    assert caps.grantable == frozenset()
    assert "ipython_config.py" in caps.faults[0]


def test_the_kernels_own_configuration_counts() -> None:
    application = SimpleNamespace(config=Config({"LLMOS": {"max_mode": "ask"}}), parent=None)
    kernel = SimpleNamespace(config=Config(), parent=application)
    assert Caps.load(SimpleNamespace(config=Config(), parent=kernel), {}).mode("auto") == "ask"  # type: ignore[arg-type]
