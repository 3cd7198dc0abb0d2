"""What earlier versions recorded is replayed by this one, and what they signed is signed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from llmos_jupyter.agent.replay.recording import Recording
from llmos_jupyter.protocol import Options
from llmos_jupyter.signatures import Signatures

# Made by `record` and `Recording.add` of the commits that they are named after, in the namespace below.
EARLIER = Path(__file__).with_name("earlier")
NAMESPACE = {"x": [1, 2, 3], "df": pd.DataFrame({"größe": [1.5, 2.5], "年": [2020, 2021]})}
# Requests and their answers, in order.
ASKED = [
    ("the mean of x", "sum(x) / len(x)", Options()),
    ("now the largest", "max(x)", Options()),
    ("rows of df after 2020", "df[df['年'] > 2020]", Options(use=["df"])),
    ("what is x?", "x is a list of three numbers.", Options()),
]
# The key of the signatures, made for this test.
KEY = "25e5fdf456bf02286812b201a94aa96f248a0aaef9b302bd686ebb9d68cd83b7"


def recording(name: str, folder: Path, signed: bool = True) -> Recording:
    file = folder / "lesson.llmos.json"
    shutil.copy(EARLIER / name, file)
    (folder / "recordings.key").write_bytes(bytes.fromhex(KEY))
    if signed:
        shutil.copy(EARLIER / "recordings.signatures", folder)
    return Recording(file, Signatures(folder))


@pytest.mark.parametrize(("name", "signed"), [("unsigned-dd39e1d", False), ("signed-e768dfc", True)])
def test_an_earlier_recording_is_replayed_and_asked_about_unless_it_was_signed(
    name: str, signed: bool, tmp_path: Path
) -> None:
    earlier = recording(f"{name}.llmos.json", tmp_path, signed)
    before: list[str] = []
    for request, answer, options in ASKED:
        found = earlier.find(request, options, NAMESPACE, before)
        assert found is not None, request
        assert found.text == answer
        assert earlier.signed(found) == signed
        before.append(answer)
    assert earlier.trust() == len(ASKED)
    assert all(state.recorded is not None and earlier.signed(state.recorded) for state in earlier.status(NAMESPACE))


@pytest.mark.parametrize("name", ["unsigned-dd39e1d", "signed-e768dfc"])
def test_an_earlier_recording_is_asked_anew_where_its_data_have_changed(name: str, tmp_path: Path) -> None:
    earlier = recording(f"{name}.llmos.json", tmp_path)
    assert earlier.find("the mean of x", Options(), {"x": "text"}) is None
