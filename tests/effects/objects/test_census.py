"""The census meets every object once, and sees every change, of one object as of very many."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from llmos_jupyter.effects import kinds
from llmos_jupyter.effects.objects.alike import FEWEST
from llmos_jupyter.effects.objects.census import Census
from llmos_jupyter.effects.objects.walk import levels

MANY = 2 * FEWEST


class Point:
    def __init__(self, at: int) -> None:
        self.at, self.tags = at, [at]


class Other(Point):
    pass


class Slotted:
    __slots__ = ("at", "tags")

    def __init__(self, at: int) -> None:
        self.at, self.tags = at, [at]


class Both(Slotted):
    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.more = {"at": at}


for _cls in (Point, Other, Slotted, Both):
    _cls.__module__ = "__main__"  # a class of the notebook's
kinds.load()


def _swap(point: Any) -> None:
    point.__dict__ = {"at": point.tags, "tags": point.at}


def _rename(point: Any) -> None:
    point.__dict__["mark"] = point.__dict__.pop("tags")


def _empty(point: Any) -> None:
    del point.tags


def _new_class(point: Any) -> None:
    point.__class__ = Other


CHANGES: list[tuple[type, Callable[[Any], object]]] = [
    (Point, lambda point: setattr(point, "at", "new")),
    (Point, lambda point: setattr(point, "extra", 1)),
    (Point, _swap),
    (Point, _rename),
    (Point, _empty),
    (Point, _new_class),
    (Slotted, lambda point: setattr(point, "at", "new")),
    (Slotted, _empty),
    (Both, lambda point: setattr(point, "more", 0)),
    (Both, lambda point: setattr(point, "tags", 0)),
]


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize(("cls", "change"), CHANGES)
def test_a_change_of_an_instance_is_seen(cls: type, change: Callable[[Any], object], count: int) -> None:
    things = [cls(number) for number in range(count)]
    census = Census({"things": things})
    assert census.changed("") == ([], [])
    change(things[-1])
    assert census.changed("") == ([things[-1]], [])


@pytest.mark.parametrize("cls", [Point, Both])
def test_what_instances_hold_is_watched_too(cls: type) -> None:
    things = [cls(number) for number in range(MANY)]
    census = Census({"things": things})
    things[3].tags.append(1)
    assert census.changed("") == ([things[3].tags], [])


def test_an_instance_with_an_empty_slot_among_many() -> None:
    things = [Slotted(number) for number in range(MANY)]
    del things[5].tags
    census = Census({"things": things})
    assert census.changed("") == ([], [])
    things[5].tags = []
    things[7].at = None
    assert set(map(id, census.changed("")[0])) == {id(things[5]), id(things[7])}


def test_each_object_is_met_once_however_many_ways_lead_to_it() -> None:
    shared, point = [1], Point(1)
    things = [Point(number) for number in range(MANY)]
    things[0].at = things[1]
    things[1].at = things[0]
    roots = {
        "twice": [shared, shared, {"again": shared}],
        "point": point,
        "attributes": [vars(point), vars(things[2])],
        "things": things,
        "both": (things, point.tags, things[2].tags),
        "deque": collections.deque([shared, [2]]),
        "array": np.array([shared, {"deep": [3]}], dtype=object),
        "itself": (itself := [[]]),
    }
    itself.append(itself)
    met = [obj for level in levels(roots.values()) for obj in level.objects]
    assert len({id(obj) for obj in met}) == len(met)
    addresses = {id(obj) for obj in met}
    inner = [shared, point.tags, vars(point), things[2].tags, roots["array"][1]["deep"], roots["deque"][1], itself[0]]
    assert {id(obj) for obj in inner} <= addresses
    assert {id(thing) for thing in things} <= addresses
    assert Census(roots).old.keys() == addresses


def test_what_is_met_over_two_dicts_is_reported_once() -> None:
    point = Point(1)
    census = Census({"point": point, "attributes": [vars(point)], "values": [vars(point).values()]})
    point.tags.append(2)
    assert census.changed("point")[0] == [point.tags]
