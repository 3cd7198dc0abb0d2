"""Dates, times and time zones."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.kinds.values.plain import Atom
from llmos_jupyter.effects.objects.layout import (
    is_a,
    runs_users_code,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


def _zone(key: str) -> zoneinfo.ZoneInfo:
    if not re.fullmatch(r"[\w+\-]+(/[\w+\-]+)*", key):
        raise ValueError("not a zone")
    return zoneinfo.ZoneInfo(key)


register(
    Atom("date", lambda d: [d.year, d.month, d.day], datetime.date, int, int, int),
    datetime.date,
)
register(
    Atom("timedelta", lambda d: [d.days, d.seconds, d.microseconds], datetime.timedelta, int, int, int),
    datetime.timedelta,
)
register(Atom("zone", lambda z: [z.key or ""], _zone, str), zoneinfo.ZoneInfo)


register(
    Atom("iso date", list, lambda *parts: datetime.date.fromisocalendar(*parts).isocalendar(), int, int, int),
    type(datetime.date(2000, 1, 1).isocalendar()),
)


class TimeKind(Kind):
    """`datetime.datetime` and `datetime.time`, with their time zone."""

    def __init__(self, cls: type) -> None:
        self.name, self._cls = cls.__name__, cls

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        day = [obj.year, obj.month, obj.day] if self._cls is datetime.datetime else []
        return [[*day, obj.hour, obj.minute, obj.second, obj.microsecond], pack.value(obj.tzinfo), obj.fold]

    def blank(self, content: list[Any], build: Builder) -> Any:
        parts, zone, fold = content_of(content, 3)
        zone = time_zone(build.value(zone))
        try:
            return self._cls(*checked_ints(parts), tzinfo=zone, fold=checked(fold, int))
        except (ValueError, TypeError):
            raise Malformed(f"a {self.name} that is none") from None


def time_zone(zone: Any) -> Any:
    """A time zone whose code is a library's."""
    if zone is not None and (not is_a(zone, datetime.tzinfo) or runs_users_code(type(zone), "utcoffset")):
        raise CannotComeHome("a time with a time zone that is not known")
    return zone


register(TimeKind(datetime.datetime), datetime.datetime)
register(TimeKind(datetime.time), datetime.time)


class TimezoneKind(Kind):
    """A fixed offset from UTC."""

    name = "timezone"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        args = obj.__getinitargs__()
        offset = args[0]
        return [offset.days, offset.seconds, offset.microseconds, args[1] if len(args) > 1 else None]

    def blank(self, content: list[Any], build: Builder) -> Any:
        days, seconds, parts, name = content_of(content, 4)
        checked_ints([seconds, parts])
        try:
            offset = datetime.timedelta(checked(days, int), seconds, parts)
            if name is None:
                return datetime.timezone(offset) if offset else datetime.timezone.utc
            return datetime.timezone(offset, checked(name, str))
        except (ValueError, OverflowError):
            raise Malformed("a time zone that is none") from None


register(TimezoneKind(), datetime.timezone)
