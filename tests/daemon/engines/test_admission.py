"""Who ends when one more model is wanted: numbers alone."""

from __future__ import annotations

import pytest

from llmos_jupyter.daemon.engines.admission import Admission, Loaded, Memory, admit
from llmos_jupyter.errors import LLMOSError

GB = 10**9
LAPTOP = Memory(free=5 * GB, ceiling=4 * GB, margin=GB)


def small(**more: object) -> Loaded:
    return Loaded("small", takes=GB, counted=GB, last_used=1.0, **more)  # type: ignore[arg-type]


def large(**more: object) -> Loaded:
    return Loaded("large", takes=2 * GB, counted=2 * GB, last_used=2.0, **more)  # type: ignore[arg-type]


def test_small_and_large_stay_side_by_side_on_a_laptop() -> None:
    assert admit("large", 2 * GB, LAPTOP, [small()]) == Admission()


@pytest.mark.parametrize(
    ("memory", "why"),
    [
        (Memory(free=2 * GB, ceiling=9 * GB, margin=GB), "the margin would be gone"),
        (Memory(free=9 * GB, ceiling=2 * GB, margin=GB), "the ceiling would be passed"),
    ],
)
def test_where_they_do_not_fit_together_the_other_ends(memory: Memory, why: str) -> None:
    assert admit("large", 2 * GB, memory, [small()]).end == ("small",), why


def test_what_was_used_last_ends_last_and_no_more_end_than_must() -> None:
    third = Loaded("third", takes=GB, counted=GB, last_used=3.0)
    memory = Memory(free=2 * GB, ceiling=9 * GB, margin=GB)
    assert admit("new", 2 * GB, memory, [third, large(), small()]).end == ("small",)
    assert admit("new", 3 * GB, memory, [third, large(), small()]).end == ("small", "large")


def test_what_the_system_still_calls_free_is_spoken_for() -> None:
    """Weights in a mapped file, a context that has not filled yet."""
    mapped = Loaded("large", takes=2 * GB, counted=GB // 2, last_used=1.0)
    memory = Memory(free=3 * GB, ceiling=9 * GB, margin=GB)
    assert admit("small", GB, memory, [mapped]).end == ("large",)
    assert admit("small", GB, memory, [large()]).end == ()


def test_a_pinned_one_stays_and_the_next_goes_in_its_place() -> None:
    memory = Memory(free=2 * GB, ceiling=9 * GB, margin=GB)
    assert admit("new", 2 * GB, memory, [small(pinned=True), large()]).end == ("large",)
    with pytest.raises(LLMOSError, match="`%llmos use small --unpin`"):
        admit("new", 2 * GB, memory, [small(pinned=True)])


def test_one_that_answers_is_waited_for_and_nothing_ends_meanwhile() -> None:
    memory = Memory(free=2 * GB, ceiling=9 * GB, margin=GB)
    assert admit("new", 2 * GB, memory, [small(busy=True)]) == Admission(waits_for="small")
    assert admit("new", 2 * GB, memory, [small(busy=True), large()]) == Admission(("large",))
    assert admit("new", 4 * GB, memory, [small(busy=True), large()]) == Admission(waits_for="small")


def test_a_single_model_may_pass_the_ceiling_unless_the_user_set_it() -> None:
    assert admit("new", 5 * GB, LAPTOP, []) == Admission()
    with pytest.raises(LLMOSError, match="%llmos config model_memory=GIGABYTES"):
        admit("new", 5 * GB, Memory(free=6 * GB, ceiling=4 * GB, strict=True), [])
    with pytest.raises(LLMOSError, match=r"needs 5\.0 GB of memory and 1\.0 GB are free"):
        admit("new", 5 * GB, Memory(free=GB, ceiling=4 * GB), [])


def test_what_a_model_was_seen_to_take_counts_beside_others_only() -> None:
    memory = Memory(free=3 * GB, ceiling=9 * GB, margin=GB)
    assert admit("new", GB, memory, [small()], taken=3 * GB).end == ("small",)
    assert admit("new", GB, Memory(free=2 * GB, ceiling=9 * GB), [], taken=3 * GB) == Admission()
