"""The same notebook gives the same answers without a model; another context asks again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter import paths
from llmos_jupyter.agent.replay.kinds import kind_of
from llmos_jupyter.agent.replay.recording import FOREIGN, Recording, notebook_requests, record, recording_named, trusted
from llmos_jupyter.agent.replay.recording_place import fix_place, notebook_file, place_of, recording_file
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Options
from llmos_jupyter.signatures import Signatures

CODE = "means = sales.groupby('region')['amount'].mean()\nmeans"


def sales(**changes: Any) -> pd.DataFrame:
    return pd.DataFrame({"region": ["N", "S"], "amount": [1.5, 2.5]} | changes)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, which holds key and signatures."""
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    (tmp_path / "notebooks").mkdir()
    return Recording(tmp_path / "notebooks" / "n.llmos.json")


def keep(recording: Recording, request: str, namespace: dict[str, object], code: str = CODE, **more: Any) -> None:
    options = more.pop("options", Options())
    previous = more.pop("previous", ())
    kind = more.pop("kind", "code")
    made = record(request, options, namespace, previous, kind=kind, answer=code, model="m")
    assert recording.add(made)


def found(recording: Recording, request: str, namespace: dict[str, object], **more: Any) -> str | None:
    answer = recording.find(request, more.get("options", Options()), namespace, more.get("previous", ()))
    return answer.text if answer else None


def test_the_same_request_in_the_same_context_is_replayed(recording: Recording) -> None:
    keep(recording, "mean amount by region", {"sales": sales(), "pd": pd})
    assert found(recording, " mean  amount\nby region ", {"other": 1, "pd": pd, "sales": sales()}) == CODE
    assert found(recording, "mean amount by Region", {"sales": sales()}) is None


@pytest.mark.parametrize(
    ("changed", "replayed"),
    [
        (sales(amount=[9.0, 7.5]), True),
        (pd.concat([sales()] * 50, ignore_index=True), True),
        (sales()[["amount", "region"]], True),
        (sales(year=[1, 2]), False),
        (sales().rename(columns={"region": "area"}), False),
        (sales(amount=["a", "b"]), False),
        (sales().set_index("region"), False),
        ([1, 2], False),
        (None, False),
    ],
)
def test_kinds_decide_over_code(recording: Recording, changed: object, replayed: bool) -> None:
    keep(recording, "mean", {"sales": sales()})
    assert (found(recording, "mean", {"sales": changed}) is not None) is replayed


def test_a_deleted_variable_asks_again_and_says_so(recording: Recording) -> None:
    keep(recording, "mean", {"sales": sales()})
    assert found(recording, "mean", {}) is None
    states = recording.status({}, requests=["mean", "plot  it"])
    assert [(state.request, state.replayed, state.why) for state in states] == [
        ("mean", False, "sales does not exist"),
        ("plot it", False, "it was never recorded"),
    ]
    assert recording.status({"sales": sales()})[0].replayed
    assert "not what it was" in recording.status({"sales": 1})[0].why


def test_what_the_code_binds_itself_does_not_matter(recording: Recording) -> None:
    left_over = {"sales": sales(), "means": 1, "np": np, "x": 3, "total": 2.0}
    code = f"import numpy as np\n{CODE}\ntotal = 0\nfor x in means:\n    total += x\n[x for x in [1]]\nnp.sum(total)"
    keep(recording, "mean", left_over, code)
    assert found(recording, "mean", {"sales": sales()}) == code


def test_what_the_code_reads_before_it_binds_matters(recording: Recording) -> None:
    keep(recording, "more", {"n": 1, "m": 2, "f": len}, "n = n + 1\nm += 1\nif n:\n    k = 1")
    assert found(recording, "more", {"n": 1, "m": 2})
    assert found(recording, "more", {"n": "1", "m": 2}) is None
    assert found(recording, "more", {"n": 1, "m": "2"}) is None


def test_values_decide_over_words(recording: Recording) -> None:
    keep(recording, "what is in sales?", {"sales": sales()}, "sales holds 2 rows.", kind="words")
    keep(recording, "what is a list?", {"sales": sales()}, "A sequence.", kind="words")
    assert found(recording, "what is in sales?", {"sales": sales(), "z": 1}) == "sales holds 2 rows."
    assert found(recording, "what is in sales?", {"sales": sales(amount=[9.0, 7.5])}) is None
    assert found(recording, "what is a list?", {}) == "A sequence."


def test_an_answer_depends_on_the_one_before(recording: Recording) -> None:
    keep(recording, "now by year", {"sales": sales()}, previous=["a = 1\n", "b = 2"])
    assert found(recording, "now by year", {"sales": sales()}, previous=["b = 2  \n"])
    assert found(recording, "now by year", {"sales": sales()}, previous=["b = 3"]) is None
    assert found(recording, "now by year", {"sales": sales()}) is None
    # Any language may point back: no request is known not to.
    keep(recording, "et par ville", {"sales": sales()}, previous=["a = 1"])
    assert found(recording, "et par ville", {"sales": sales()}, previous=["b = 2"]) is None


def test_a_first_answer_depends_on_no_other(recording: Recording) -> None:
    keep(recording, "mean by region", {"sales": sales()})
    assert found(recording, "mean by region", {"sales": sales()}, previous=["b = 2"])


def test_one_request_in_two_contexts_has_two_answers(recording: Recording) -> None:
    keep(recording, "mean", {"sales": sales()}, "sales.amount.mean()")
    keep(recording, "mean", {"sales": [1, 2]}, "sum(sales) / len(sales)")
    assert found(recording, "mean", {"sales": sales()}) == "sales.amount.mean()"
    assert found(recording, "mean", {"sales": [3]}) == "sum(sales) / len(sales)"
    keep(recording, "mean", {"sales": [1]}, "import statistics\nstatistics.mean(sales)")
    assert found(recording, "mean", {"sales": [1]}) == "import statistics\nstatistics.mean(sales)"


def test_options_that_matter_and_options_that_do_not(recording: Recording) -> None:
    keep(recording, "mean", {"sales": sales()})
    same = Options(mode="ask", model="other", retries=5, timeout=3, max_tokens=9, temperature=1.0)
    assert found(recording, "mean", {"sales": sales()}, options=same)
    for other in (Options(use=["sales"]), Options(context=False), Options(seed=3)):
        assert found(recording, "mean", {"sales": sales()}, options=other) is None


def test_the_file_is_small_sorted_and_diffable(recording: Recording) -> None:
    keep(recording, "mean", {"sales": sales()})
    text = recording.file.read_text(encoding="utf-8")
    assert json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n" == text
    assert all(f'"{line}"' in text for line in CODE.split("\n"))
    assert len(text) < 700
    keep(recording, "mean", {"sales": sales()})
    assert recording.file.read_text(encoding="utf-8") == text
    assert [file.name for file in recording.file.parent.iterdir()] == ["n.llmos.json"]
    keep(recording, "另一个 😀", {}, "1")
    assert "另一个 😀" in recording.file.read_text(encoding="utf-8")


def test_no_secret_and_no_value_of_the_data_is_recorded(recording: Recording) -> None:
    namespace: dict[str, object] = {"sales": sales(region=["Kiruna", "Narvik"]), "password": "swordfish"}
    keep(recording, "login with password s3cret! and show sales", namespace, "connect(password)\nsales.head()")
    keep(recording, "what is the password in password?", namespace, "It is kept in password.", kind="words")
    text = recording.file.read_text(encoding="utf-8")
    for secret in ("s3cret!", "swordfish", "Kiruna"):
        assert secret not in text
    assert found(recording, "login with password s3cret! and show sales", namespace)
    holds = record("log in", Options(), namespace, kind="code", answer='connect(password="hunter2")', model="m")
    assert holds is None
    assert recording.add(holds) is False


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"format": 1, "answers": []}', "<<<<<<< ours\n{}", "\udcff",
                                    '{"format": 1, "answers": {"x": {"request": 1}}}'])  # fmt: skip
def test_a_damaged_file_is_a_sentence_and_is_kept(recording: Recording, damage: str) -> None:
    recording.file.write_bytes(damage.encode("utf-8", "surrogateescape"))
    before = recording.file.read_bytes()
    for call in (lambda: recording.find("x", Options(), {}), lambda: keep(recording, "x", {}, "1")):
        with pytest.raises(LLMOSError, match=r"cannot be read .*replay clear") as error:
            call()
        assert "\n" not in str(error.value)
    assert recording.file.read_bytes() == before
    assert "set aside as n.llmos.json.damaged;" in recording.clear().replace(recording.file.name, "n.llmos.json")
    recording.file.write_bytes(before)
    recording.clear()
    aside = sorted(file.name for file in recording.file.parent.glob("*.damaged*"))
    assert aside == [f"{recording.file.name}.damaged", f"{recording.file.name}.damaged-2"]
    assert {(recording.file.parent / name).read_bytes() for name in aside} == {before}
    keep(recording, "x", {}, "1")


def test_a_newer_file_is_left_alone(recording: Recording) -> None:
    recording.file.write_text('{"format": 2, "answers": {}}')
    with pytest.raises(LLMOSError, match="newer"):
        keep(recording, "x", {}, "1")
    with pytest.raises(LLMOSError, match="newer"):
        recording.clear()
    assert recording.file.read_text() == '{"format": 2, "answers": {}}'


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LLMOSError, match="LLMOS_REPLAY"):
        keep(Recording(tmp_path / "missing" / "n.llmos.json"), "x", {}, "1")


def test_clear_says_how_many(recording: Recording) -> None:
    assert "0 recorded answers removed" in recording.clear()
    keep(recording, "x", {}, "1")
    keep(recording, "y", {}, "2")
    assert "2 recorded answers removed" in recording.clear()
    assert not recording.file.exists()


def test_two_files_merge_by_their_answers(recording: Recording) -> None:
    keep(recording, "x", {}, "1")
    one = json.loads(recording.file.read_text())
    recording.clear()
    keep(recording, "y", {}, "2")
    two = json.loads(recording.file.read_text())
    recording.file.write_text(json.dumps({"format": 1, "answers": one["answers"] | two["answers"]}))
    assert (found(recording, "x", {}), found(recording, "y", {})) == ("1", "2")


# --- whose it is ---------------------------------------------------------------------------------


def elsewhere(recording: Recording, tmp_path: Path) -> Recording:
    """The same file for another user, who has signed nothing."""
    return Recording(recording.file, Signatures(tmp_path / "another user"))


def entry(recording: Recording, request: str, namespace: dict[str, object]) -> Any:
    answer = recording.find(request, Options(), namespace)
    assert answer is not None
    return answer


def test_only_who_recorded_an_answer_has_signed_it(recording: Recording, tmp_path: Path, data: Path) -> None:
    keep(recording, "mean", {"sales": sales()})
    other = elsewhere(recording, tmp_path)
    answer = entry(recording, "mean", {"sales": sales()})
    assert recording.signed(answer)
    assert not other.signed(answer)
    assert recording.status({"sales": sales()})[0].why == ""
    assert other.status({"sales": sales()})[0].replayed
    assert other.status({"sales": sales()})[0].why == FOREIGN
    assert not (tmp_path / "another user").exists()  # asking makes no key
    for file in ("recordings.key", "recordings.signatures"):
        assert (data / file).stat().st_mode & 0o777 == 0o600
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "recordings.key").read_bytes() not in recording.file.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"answer": ["__import__('os').system('true')"]},
        {"reads": {}},
        {"after": "0" * 16},
        {"asked": "0" * 16},
        {"kind": "words"},
    ],
)
def test_a_changed_answer_is_not_signed(recording: Recording, change: dict[str, Any]) -> None:
    keep(recording, "mean", {"sales": sales()})
    answer = entry(recording, "mean", {"sales": sales()})
    assert recording.signed(answer.model_copy())
    assert not recording.signed(answer.model_copy(update=change))


def test_a_signature_by_another_key_is_none(recording: Recording, tmp_path: Path, data: Path) -> None:
    keep(recording, "mean", {"sales": sales()})
    answer = entry(recording, "mean", {"sales": sales()})
    other = elsewhere(recording, tmp_path)
    other.sign(answer)
    (data / "recordings.signatures").write_bytes((tmp_path / "another user" / "recordings.signatures").read_bytes())
    assert other.signed(answer)
    assert not recording.signed(answer)


def test_an_answer_of_the_users_own_comes_before_a_foreign_one(recording: Recording, tmp_path: Path) -> None:
    keep(elsewhere(recording, tmp_path), "mean", {"sales": sales()}, "1")
    keep(recording, "mean", {"sales": sales()})
    assert found(recording, "mean", {"sales": sales()}) == CODE
    assert found(elsewhere(recording, tmp_path), "mean", {"sales": sales()}) == "1"


def test_a_whole_file_is_trusted_on_purpose(recording: Recording, tmp_path: Path) -> None:
    keep(elsewhere(recording, tmp_path), "x", {}, "1")
    keep(elsewhere(recording, tmp_path), "y", {}, "2")
    before = recording.file.read_bytes()
    assert not recording.signed(entry(recording, "x", {}))
    notebook = recording.file.with_name("n.ipynb")
    assert "2 recorded answers in n.llmos.json" in trusted(recording_named(str(notebook)))
    assert recording.signed(entry(recording, "x", {}))
    assert recording.signed(entry(recording, "y", {}))
    assert recording.file.read_bytes() == before
    with pytest.raises(LLMOSError, match="no recording"):
        recording_named(str(tmp_path / "none.llmos.json")).trust()


def test_a_damaged_key_is_made_anew(recording: Recording, data: Path) -> None:
    keep(recording, "x", {}, "1")
    (data / "recordings.key").write_bytes(b"half")
    assert not recording.signed(entry(recording, "x", {}))
    keep(recording, "x", {}, "1")
    assert recording.signed(entry(recording, "x", {}))


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_recording_is_not_read_or_written_through_a_link(recording: Recording, tmp_path: Path) -> None:
    for target in (tmp_path / "home" / ".profile", tmp_path / "home" / "kept"):
        target.parent.mkdir(exist_ok=True)
        if target.name == "kept":
            target.write_text('{"format": 1, "answers": {}}')
        recording.file.unlink(missing_ok=True)
        recording.file.symlink_to(target)
        before = target.read_bytes() if target.exists() else None
        with pytest.raises(LLMOSError, match="link to another file"):
            keep(recording, "x", {}, "1")
        with pytest.raises(LLMOSError, match="link to another file"):
            recording.trust() if target.exists() else recording.find("x", Options(), {})
        assert (target.read_bytes() if target.exists() else None) == before
    recording.clear()
    assert target.read_text() == '{"format": 1, "answers": {}}'
    keep(recording, "x", {}, "1")
    assert not recording.file.is_symlink()


def test_what_is_no_file_keeps_nobody_waiting(recording: Recording) -> None:
    os.mkfifo(recording.file)
    with pytest.raises(LLMOSError, match="no recording"):
        recording.find("x", Options(), {})
    with pytest.raises(LLMOSError, match="no recording"):
        keep(recording, "x", {}, "1")


# --- which file ----------------------------------------------------------------------------------


class Shell:
    """What a place is asked of."""

    def __init__(self, **names: object) -> None:
        self.user_ns = names


def place(**names: object) -> tuple[Path, Path | None]:
    """Recording and notebook, as a kernel that starts now takes them."""
    shell: Any = Shell(**names)
    return recording_file(shell), notebook_file(shell)


def test_which_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "n.ipynb").write_text("{}")
    monkeypatch.chdir(work)
    for name in ("LLMOS_REPLAY", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert place() == (work / "llmos-replay.json", None)
    for told in (str(work / "n.ipynb"), "work/n.ipynb", "n.ipynb"):
        monkeypatch.setenv("JPY_SESSION_NAME", told)
        assert place() == (work / "n.llmos.json", work / "n.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "other" / "n.ipynb"))
    assert place()[0] == tmp_path / "other" / "n.llmos.json"
    monkeypatch.setenv("JPY_SESSION_NAME", "Console 1")
    assert place()[0] == work / "llmos-replay.json"
    told = str(tmp_path / "v.ipynb")
    assert place(__vsc_ipynb_file__=told)[0] == tmp_path / "v.llmos.json"
    monkeypatch.setenv("LLMOS_REPLAY", "here.json")
    assert place(__vsc_ipynb_file__=told) == (work / "here.json", tmp_path / "v.ipynb")


def test_the_place_is_fixed_when_the_extension_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMOS_REPLAY", raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "n.ipynb"))
    shell: Any = Shell()
    fix_place(shell)
    before = place_of(shell)
    assert before.recording == tmp_path / "n.llmos.json"
    # What an answer's code may do.
    shell.user_ns["__vsc_ipynb_file__"] = "/elsewhere/x.ipynb"
    for name in ("LLMOS_REPLAY", "JPY_SESSION_NAME", "LLMOS_DATA_DIR"):
        monkeypatch.setenv(name, "/elsewhere/y.pth")
    monkeypatch.chdir("/")
    fix_place(shell)
    assert place_of(shell) == before


def test_the_users_folders_are_fixed_where_the_shell_is_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_fixed", None)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "run"))
    before = paths.model_dir(), paths.data_dir(), paths.runtime_dir()
    shell: Any = Shell()
    fix_place(shell)
    assert paths.fixed_environment() == {}
    shell.kernel = object()
    fix_place(shell)
    for name in ("LLMOS_DATA_DIR", "LLMOS_MODEL_DIR", "JUPYTER_RUNTIME_DIR", "HOME"):
        monkeypatch.setenv(name, "elsewhere")
    assert (paths.model_dir(), paths.data_dir(), paths.runtime_dir()) == before
    assert paths.fixed_environment()["LLMOS_DATA_DIR"] == str(tmp_path / "data")


def test_a_name_that_comes_late_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMOS_REPLAY", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    shell: Any = Shell()
    fix_place(shell)
    shell.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "v.ipynb")
    assert recording_file(shell) == tmp_path / "v.llmos.json"
    shell.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "w.ipynb")
    assert recording_file(shell) == tmp_path / "v.llmos.json"


def test_the_requests_of_a_saved_notebook(tmp_path: Path) -> None:
    cells = [("code", "%%llmos --fresh\nmean of df\n"), ("code", ["%%llmos\n", "plot\n", "it"]), ("code", "x = 1"),
             ("markdown", "%%llmos\nno")]  # fmt: skip
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}))
    assert notebook_requests(file) == ["mean of df", "plot\nit"]
    assert notebook_requests(tmp_path / "none.ipynb") == notebook_requests(None) == []


# --- kinds ---------------------------------------------------------------------------------------


def test_kinds_hold_no_value_and_run_no_code() -> None:
    class Sly:
        def __init__(self) -> None:
            self.name = "Kiruna"

        def __getattribute__(self, name: str) -> object:
            raise RuntimeError

        __repr__ = __len__ = __iter__ = __getattribute__  # type: ignore[assignment]

    values = ["Kiruna", ["Kiruna"], {"k": "Kiruna"}, sales(region=["Kiruna", "x"]), np.array(["Kiruna"]), Sly(), Sly]
    for value in values:
        assert "Kiruna" not in kind_of(value)
    assert kind_of([1, 2]) == kind_of([5]) != kind_of(["a"])
    assert kind_of({"a": 1, "b": 2}) == kind_of({"b": 7, "a": 3}) != kind_of({"a": 1})
    assert kind_of(np.zeros(3)) == kind_of(np.ones(9)) != kind_of(np.zeros((2, 2)))
    assert kind_of(lambda a, b=1: a) != kind_of(lambda a: a)
    assert kind_of(pd) == "module pandas"
    deep: list[object] = []
    deep.append(deep)
    assert kind_of(deep)
