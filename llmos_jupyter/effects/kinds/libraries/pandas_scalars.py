"""pandas: scalars, dtypes, offsets and sparse indexes, each made of a few plain values."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.kinds.values.times import time_zone
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_NAMED = {"NA": pd.NA, "NaT": pd.NaT, "no_default": pd.api.extensions.no_default}


class NamedKind(Kind):
    """`pd.NA` and `pd.NaT`, of which there is one each."""

    name = "missing value"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return ["NA" if obj is pd.NA else "NaT"]

    def blank(self, content: list[Any], build: Builder) -> Any:
        if content_of(content, 1)[0] not in ("NA", "NaT"):
            raise Malformed("a missing value that is none")
        return _NAMED[content[0]]


register(NamedKind(), type(pd.NA), type(pd.NaT))
_UNITS = ("s", "ms", "us", "ns")


class StampKind(Kind):
    """`pd.Timestamp` and `pd.Timedelta`: a number, its unit, a time zone."""

    def __init__(self, cls: Any) -> None:
        self.name, self._cls = cls.__name__, cls

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        zone = obj.tzinfo if self._cls is pd.Timestamp else None
        return [int(obj._value), obj.unit, pack.value(zone)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        number, unit, zone = content_of(content, 3)
        zone = time_zone(build.value(zone))
        if unit not in _UNITS or type(number) is not int or abs(number) > (1 << 63) - 1:
            raise Malformed(f"a {self.name} that is none")
        try:
            if self._cls is pd.Timedelta:
                return pd.Timedelta(np.timedelta64(number, unit))
            stamp = pd.Timestamp(np.datetime64(number, unit))
            return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)
        except (ValueError, OverflowError, TypeError):
            raise Malformed(f"a {self.name} that is none") from None


register(StampKind(pd.Timestamp), pd.Timestamp)
register(StampKind(pd.Timedelta), pd.Timedelta)


class PeriodKind(Kind):
    name = "period"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [int(obj.ordinal), obj.freqstr]

    def blank(self, content: list[Any], build: Builder) -> Any:
        ordinal, frequency = content_of(content, 2)
        try:
            return pd.Period(ordinal=checked(ordinal, int), freq=checked(frequency, str)[:40])
        except (ValueError, OverflowError, TypeError):
            raise Malformed("a period that is none") from None


register(PeriodKind(), pd.Period)


class PeriodDtypeKind(Kind):
    name = "period dtype"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [obj.name]

    def blank(self, content: list[Any], build: Builder) -> Any:
        try:
            return pd.PeriodDtype.construct_from_string(checked(content_of(content, 1)[0], str)[:60])
        except (ValueError, TypeError):
            raise Malformed("a period that is none") from None


register(PeriodDtypeKind(), pd.PeriodDtype)


class IntervalKind(Kind):
    name = "interval"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [*pack.values([obj.left, obj.right]), obj.closed]

    def blank(self, content: list[Any], build: Builder) -> Any:
        left, right, closed = content_of(content, 3)
        left, right = build.values([left, right])
        for end in (left, right):
            if type(end) not in (int, float, pd.Timestamp, pd.Timedelta) and not issubclass(type(end), np.number):
                raise Malformed("an interval of what are no numbers")
        try:
            return pd.Interval(left, right, checked(closed, str))
        except (ValueError, TypeError):
            raise Malformed("an interval that is none") from None


register(IntervalKind(), pd.Interval)


_KEYWORDS = (int, float, str, bool, type(None), datetime.timedelta, datetime.time, tuple)


class OffsetKind(Kind):
    """A date offset or frequency: its class, number and keywords."""

    name = "offset"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        keywords = dict(obj.kwds)
        if any(type(value) not in _KEYWORDS for value in keywords.values()):
            raise CannotComeHome(f"the offset {type(obj).__name__} with a calendar of its own")
        return [type(obj).__name__, int(obj.n), bool(obj.normalize), pack.attributes(keywords)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, count, normalize, keywords = content_of(content, 4)
        cls: Any = getattr(pd.offsets, name, None) if type(name) is str and name[:1] != "_" else None
        given = build.attributes(keywords)
        if not issubclass(type(cls), type) or not issubclass(cls, pd.offsets.BaseOffset):
            raise Malformed("an offset that is none")
        if any(type(value) not in _KEYWORDS for value in given.values()):
            raise Malformed("an offset with keywords that are not plain")
        try:
            made = cls(checked(count, int), **({"normalize": True} if checked(normalize, bool) else {}), **given)
        except (ValueError, TypeError, OverflowError):
            raise Malformed("an offset that is none") from None
        return made


OFFSET = register(OffsetKind())
CHOOSERS.append(lambda cls: OFFSET if issubclass(cls, pd.offsets.BaseOffset) else None)


class SparseIndexKind(Kind):
    """Where a sparse array has its values."""

    name = "sparse index"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        found = obj.to_int_index()
        return [type(obj).__name__, int(found.length), found.indices.tolist()]

    def blank(self, content: list[Any], build: Builder) -> Any:
        from pandas._libs.sparse import IntIndex

        name, length, places = content_of(content, 3)
        checked_ints([length], most=(1 << 31) - 1)
        try:
            made = IntIndex(length, np.array(checked_ints(places, most=max(length - 1, 0)), "i4"), check_integrity=True)
        except ValueError:
            raise Malformed("a sparse index that is none") from None
        return made.to_block_index() if name == "BlockIndex" else made


def _sparse_index(cls: type) -> Kind | None:
    return SPARSE_INDEX if cls.__module__ == "pandas._libs.sparse" else None


SPARSE_INDEX = register(SparseIndexKind())
CHOOSERS.append(_sparse_index)
