"""Variables that go to a worker, come back and meet those of the notebook."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Bundle
from llmos_jupyter.workers import transfer
from llmos_jupyter.workers.fingerprints import Seen


def sent(code: str, namespace: dict[str, Any], folder: Path, **options: Any) -> dict[str, Any]:
    values, missing = transfer.unpack(transfer.pack(code, namespace, folder, **options).bundle)
    assert missing == []
    return values


def test_only_what_is_read_goes(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"a": [1], "b": np.arange(3), "unused": threading.Lock(), "pd": pd}
    values = sent("c = pd.Series(b).sum() + len(a)", namespace, tmp_path)
    assert set(values) == {"a", "b", "pd"}
    assert values["a"] == [1]
    assert values["pd"] is pd


def test_functions_and_classes_of_the_notebook_go_by_value(tmp_path: Path) -> None:
    main: dict[str, Any] = {"__name__": "__main__", "factor": 3}
    exec("def triple(x): return helper(x) * factor\ndef helper(x): return x + 1\nclass Box:\n    size = 7", main)
    code = "r = triple(1) + Box.size"
    submission = transfer.pack(code, main, tmp_path)
    del main["factor"], main["helper"]
    values, _ = transfer.unpack(submission.bundle)
    assert values["triple"](1) == 6
    assert values["Box"].size == 7


def test_two_names_of_one_object_stay_so(tmp_path: Path) -> None:
    shared = [1, 2]
    values = sent("a.append(b)", {"a": shared, "b": shared}, tmp_path)
    assert values["a"] is values["b"]


def test_too_much_is_refused_in_one_sentence_before_it_is_written(tmp_path: Path) -> None:
    namespace = {"small": 1, "middle": b"x" * 1000, "big": np.zeros(10**9, dtype="u1")}
    with pytest.raises(LLMOSError) as raised:
        transfer.pack("small, middle, big", namespace, tmp_path, limit=10**8)
    assert "`big`" in str(raised.value)
    assert "954 MiB" in str(raised.value)
    assert str(raised.value).count(".") == 1
    assert sum(file.stat().st_size for file in tmp_path.rglob("*")) < 10**6


def test_too_much_that_shows_only_when_written(tmp_path: Path) -> None:
    nested = {"deep": [["x" * 1000 + str(i) for i in range(1000)]]}
    with pytest.raises(LLMOSError, match="`nested`"):
        transfer.pack("nested, other", {"nested": nested, "other": 5}, tmp_path, limit=100_000)
    assert not list(tmp_path.glob("*.pickle")) or sum(f.stat().st_size for f in tmp_path.glob("*.pickle")) <= 100_000


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda: (i for i in range(3)), "make a list of it first"),
        (lambda: open(__file__, "rb"), "open the file within the code"),  # noqa: SIM115
        (threading.Lock, "make it within the code"),
        (lambda: sqlite3.connect(":memory:"), "open the connection within the code"),
        (lambda: {"inside": threading.Lock()}, "make it within the code"),
    ],
)
def test_what_cannot_be_pickled_is_told_with_a_remedy(make: Callable[[], Any], remedy: str, tmp_path: Path) -> None:
    value = make()
    with pytest.raises(LLMOSError) as raised:
        transfer.pack("y = x", {"x": value}, tmp_path)
    assert str(raised.value).startswith(f"`x` ({type(value).__name__}) cannot be sent")
    assert str(raised.value).endswith(f"{remedy}.")
    assert "\n" not in str(raised.value)


def test_one_result_that_cannot_come_back_does_not_hold_up_the_others(tmp_path: Path) -> None:
    results = {"a": 1, "rows": (i for i in range(3)), "big": b"x" * 10_000, "b": [2]}
    bundle = transfer.pack_results(results, tmp_path, limit=5_000)
    values, missing = transfer.unpack(bundle)
    assert values == {"a": 1, "b": [2]}
    assert missing == []
    assert {one.name for one in bundle.missing} == {"rows", "big"}
    assert Bundle.model_validate_json((tmp_path / transfer.MANIFEST).read_text()) == bundle


def test_a_variable_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    bundle = transfer.pack("a, b", {"a": 1, "b": 2}, tmp_path).bundle
    (tmp_path / bundle.variables[0].file).write_bytes(b"no pickle")
    values, missing = transfer.unpack(bundle)
    assert values == {"b": 2}
    assert [one.name for one in missing] == ["a"]


def merged(before: dict[str, Any], results: dict[str, Any], change: str, tmp_path: Path) -> tuple[Any, dict[str, Any]]:
    """Submit, let the user run `change` in the notebook, merge."""
    code = "\n".join(f"{name} = 0" for name in results)
    submission = transfer.pack(code, before, tmp_path / "in")
    bundle = transfer.pack_results(results, tmp_path / "out")
    exec(change, before)
    before.pop("__builtins__", None)
    return transfer.merge(before, bundle, submission.seen, 7), before


def test_names_left_alone_are_set(tmp_path: Path) -> None:
    done, namespace = merged({"a": [1]}, {"a": [1, 2], "new": "x"}, "", tmp_path)
    assert namespace == {"a": [1, 2], "new": "x"}
    assert (sorted(done.set), done.kept, done.sentences()) == (["a", "new"], {}, [])


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"a": [1]}, "a = [1]"),
        ({"a": [1]}, "a.append(2)"),
        ({"a": [[1]]}, "a[0].append(2)"),
        ({"a": 1}, "a = 2"),
        ({"a": 1}, "del a"),
        ({}, "a = 5"),
        ({"a": np.zeros(1000)}, "a[500] = 1"),
        ({"a": pd.DataFrame({"x": range(5000), "y": list("ab") * 2500})}, "a.loc[1234, 'y'] = 'c'"),
        ({"a": pd.DataFrame({"x": [[1], [2]]})}, "a.loc[0, 'x'].append(3)"),
        ({"a": pd.Series([1, 2])}, "a.index = [5, 6]"),
        ({"a": type("Box", (), {})()}, "a.size = 3"),
    ],
)
def test_a_name_changed_meanwhile_is_kept_and_both_are_there(
    before: dict[str, Any], change: str, tmp_path: Path
) -> None:
    done, namespace = merged(dict(before), {"a": "of the task"}, change, tmp_path)
    assert namespace["a_from_task_7"] == "of the task"
    assert "a" not in namespace or not isinstance(namespace["a"], str)
    assert done.kept == {"a": "a_from_task_7"}
    assert "`a_from_task_7`" in done.sentences()[0]


def test_a_result_that_could_not_come_back_is_told(tmp_path: Path) -> None:
    done, namespace = merged({}, {"ok": 1, "lock": threading.Lock()}, "", tmp_path)
    assert namespace == {"ok": 1}
    assert done.sentences() == [
        "`lock` could not come back (lock: cannot pickle '_thread.lock' object; "
        "give back what was computed with it instead)."
    ]


def test_seen_does_not_keep_large_things_alive() -> None:
    import gc
    import weakref

    table = pd.DataFrame({"x": range(10)})
    alive = weakref.ref(table)
    seen = Seen(table)
    assert seen.is_still(table)
    del table
    gc.collect()
    assert alive() is None


def test_an_object_whose_code_raises_is_known_by_identity() -> None:
    class Wicked:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    wicked = Wicked()
    assert Seen(wicked).is_still(wicked)
    assert not Seen(wicked).is_still(Wicked())


def test_digest_tells_a_change_in_place() -> None:
    value = cloudpickle.loads(cloudpickle.dumps({"a": np.arange(3)}))
    before = transfer.digest(value)
    assert transfer.digest(value) == before
    value["a"][1] = 9
    assert transfer.digest(value) != before
    assert transfer.digest(threading.Lock()) is None
