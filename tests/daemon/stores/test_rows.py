"""Records that other versions have stored."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from llmos_jupyter.daemon.stores.rows import stored_record
from llmos_jupyter.protocol import DecisionRecord, FeedbackRecord


def test_what_a_newer_version_has_stored_is_read_as_far_as_it_is_known() -> None:
    assert stored_record('{"type": "feedback", "feedback": "up", "stars": 5}') == FeedbackRecord(feedback="up")
    noted = DecisionRecord(round=0, decision="noted", why="a record of a newer version of llmos, hologram")
    assert stored_record('{"type": "hologram", "beams": 7}') == noted


@pytest.mark.parametrize("text", ['{"type": "feedback", "feedback": 5}', '{"beams": 7}', "[]", '{"type": "feed'])
def test_what_is_no_record_is_not_read(text: str) -> None:
    with pytest.raises(ValidationError):
        stored_record(text)
